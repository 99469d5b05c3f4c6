use super::Program;
use crate::affinity;
use isobar_core::Failure;
use isobar_core::measure::{MeasureError, nanoseconds};
use isobar_core::runner::{Reply, Request};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::process::{Pid, Signal, kill_process_group};
use std::collections::BTreeSet;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a runner that another program started may take to end, once it is told to.
const FAREWELL: Duration = Duration::from_secs(60);

/// How long a runner may take to end that has closed its standard output.
const ENDING: Duration = Duration::from_secs(5);

/// A reply may be so long, and a runner's messages to standard error together, in bytes. The largest of ordinary replies
/// is a function's output, in base64.
const FLOOD_BYTES: usize = 64 << 20;

/// So much of the end of a runner's standard error is kept, in bytes.
const TAIL_BYTES: usize = 2000;

/// The runners that live, by the number of their process and process group.
static LIVE: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// Ends all runners of this process, which is about to end itself without dropping them.
pub fn end_all() {
    for number in LIVE.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        kill_group(*number);
    }
}

/// A running runner process. Dropping it ends it, with all processes that it started.
pub(super) struct Runner {
    pub(super) child: Child,
    requests: Option<ChildStdin>,
    replies: ChildStdout,
    buffer: Vec<u8>,
    stderr: Option<ChildStderr>,
    said: Said,
    ended: Option<Failure>,
    /// How long it may take to end by itself.
    farewell: Duration,
}

/// The end of what a runner said on standard error: it is for us, should it crash.
#[derive(Default)]
struct Said {
    end: Vec<u8>,
    bytes: usize,
}

impl Said {
    fn push(&mut self, text: &[u8]) {
        self.bytes += text.len();
        self.end.extend_from_slice(text);
        if self.end.len() > 2 * TAIL_BYTES {
            self.end.drain(..self.end.len() - TAIL_BYTES);
        }
    }

    /// The last line that says something.
    fn last_line(&self) -> String {
        let text = String::from_utf8_lossy(&self.end[self.end.len().saturating_sub(TAIL_BYTES)..]);
        let text = text.replace(|c: char| c.is_control() && c != '\n', "");
        text.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default().to_owned()
    }
}

impl Runner {
    pub(super) fn start(program: &Program) -> Result<Self, Failure> {
        let io = |e: std::io::Error| Failure::host(format!("cannot start {}: {e}", program.path.display()));
        // A process runs where the thread that starts it may run.
        let bound = if program.cpus.is_empty() { None } else { Some(affinity::bind(&program.cpus).map_err(io)?) };
        let mut child = program
            .command()
            .args(&program.args)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A group of its own, so that what it starts can be ended with it.
            .process_group(0)
            .spawn()
            .map_err(io)?;
        drop(bound);
        LIVE.lock().unwrap_or_else(PoisonError::into_inner).insert(child.id());
        let farewell = if program.launcher.is_empty() { Duration::ZERO } else { FAREWELL };
        let (requests, replies, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let replies = replies.ok_or_else(|| Failure::host("the runner has no standard output"))?;
        // Neither a runner that does not read nor one that does not write must keep us waiting: `poll` does, for so long.
        let never_wait = |fd: &dyn AsFd| rustix::fs::fcntl_setfl(fd.as_fd(), OFlags::NONBLOCK);
        let pipes = [requests.as_ref().map(|p| p as &dyn AsFd), Some(&replies), stderr.as_ref().map(|p| p as _)];
        let set = pipes.into_iter().flatten().try_for_each(never_wait);
        let (buffer, said) = (Vec::new(), Said::default());
        let runner = Runner { child, requests, replies, buffer, stderr, said, ended: None, farewell };
        set.map_err(|e| io(e.into())).map(|()| runner)
    }

    /// Sends a request and waits for its reply.
    ///
    /// # Errors
    /// [`Failure::Timeout`] when the runner was killed for taking longer than `patience`, [`Failure::Crashed`] when it
    /// died by itself, or was killed for its endless output. Afterwards it is gone, and every request gets the same answer.
    pub(super) fn ask(&mut self, request: &Request, patience: Duration) -> Result<Reply, Failure> {
        if let Some(failure) = &self.ended {
            return Err(failure.clone());
        }
        let answer = self.exchange(request, patience);
        if let Err(failure) = &answer {
            self.ended = Some(failure.clone());
        }
        match answer? {
            Reply::Failed { error: MeasureError::Failure(failure) } => Err(failure),
            reply => Ok(reply),
        }
    }

    fn exchange(&mut self, request: &Request, patience: Duration) -> Result<Reply, Failure> {
        let mut line =
            serde_json::to_vec(request).map_err(|e| Failure::host(format!("cannot write a request: {e}")))?;
        line.push(b'\n');
        let (mut unsent, mut searched, since) = (&line[..], 0, Instant::now());
        loop {
            if unsent.is_empty() {
                if let Some(end) = self.buffer[searched..].iter().position(|byte| *byte == b'\n') {
                    let rest = self.buffer.split_off(searched + end + 1);
                    let line = std::mem::replace(&mut self.buffer, rest);
                    return serde_json::from_slice(&line)
                        .map_err(|e| Failure::host(format!("the runner's reply makes no sense: {e}")));
                }
                searched = self.buffer.len();
            }
            if self.buffer.len() > FLOOD_BYTES {
                return Err(self.flooded("output without ending a line"));
            }
            if self.said.bytes > FLOOD_BYTES {
                return Err(self.flooded("error"));
            }
            let Some(ready) = self.wait_for(!unsent.is_empty(), patience.saturating_sub(since.elapsed())) else {
                self.kill();
                return Err(Failure::Timeout { limit_ns: nanoseconds(patience) });
            };
            self.transfer(ready, &mut unsent)?;
        }
    }

    /// Waits until the runner says something, or listens and there is something to say. `None` if nothing of that happens
    /// in time.
    fn wait_for(&self, to_say: bool, patience: Duration) -> Option<Ready> {
        let until = Instant::now().checked_add(patience);
        loop {
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            let left = left.map(|left| Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() });
            let mut fds = vec![PollFd::new(&self.replies, PollFlags::IN)];
            fds.extend(self.stderr.iter().map(|stderr| PollFd::new(stderr, PollFlags::IN)));
            fds.extend(self.requests.iter().filter(|_| to_say).map(|pipe| PollFd::new(pipe, PollFlags::OUT)));
            match poll(&mut fds, left.as_ref()) {
                Ok(0) => return None,
                Err(rustix::io::Errno::INTR) => {}
                // Whatever keeps it from being watched: the transfer will say.
                Err(_) => return Some(Ready { replies: true, stderr: true, requests: true }),
                Ok(_) => {
                    let mut ready = fds.iter().map(|fd| !fd.revents().is_empty());
                    let replies = ready.next().unwrap_or(false);
                    let stderr = self.stderr.is_some() && ready.next().unwrap_or(false);
                    return Some(Ready { replies, stderr, requests: ready.next().unwrap_or(false) });
                }
            }
        }
    }

    fn transfer(&mut self, ready: Ready, unsent: &mut &[u8]) -> Result<(), Failure> {
        if ready.stderr {
            self.hear();
        }
        if ready.replies {
            let mut chunk = [0; 1 << 16];
            match self.replies.read(&mut chunk) {
                Err(e) if is_not_yet(&e) => {}
                Ok(0) | Err(_) => return Err(self.crashed()),
                Ok(length) => self.buffer.extend_from_slice(&chunk[..length]),
            }
        }
        if ready.requests && !unsent.is_empty() {
            match self.requests.as_mut().map(|requests| requests.write(unsent)) {
                Some(Err(e)) if is_not_yet(&e) => {}
                Some(Ok(length)) => *unsent = &unsent[length..],
                None | Some(Err(_)) => return Err(self.crashed()),
            }
        }
        Ok(())
    }

    /// Reads what is there of standard error. Returns whether that was something.
    fn hear(&mut self) -> bool {
        let mut chunk = [0; 1 << 16];
        match self.stderr.as_mut().map(|stderr| stderr.read(&mut chunk)) {
            Some(Ok(length)) if length > 0 => {
                self.said.push(&chunk[..length]);
                true
            }
            Some(Err(e)) if is_not_yet(&e) => false,
            _ => {
                self.stderr = None;
                false
            }
        }
    }

    fn wait(&mut self, patience: Duration) -> Option<ExitStatus> {
        let until = Instant::now() + patience;
        loop {
            while self.said.bytes <= FLOOD_BYTES && self.hear() {}
            match self.child.try_wait() {
                Ok(None) if Instant::now() < until => std::thread::sleep(Duration::from_millis(5)),
                status => return status.ok().flatten(),
            }
        }
    }

    fn kill(&mut self) {
        // Once only: later the number may be another's.
        if LIVE.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.child.id()) {
            kill_group(self.child.id());
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// The runner closed its end: how did it end?
    fn crashed(&mut self) -> Failure {
        self.requests = None;
        // It closed standard output, so it is ending; should it hang in that, it is helped.
        let status = self.wait(ENDING);
        self.kill();
        let signal = status.and_then(|status| status.signal());
        let how = match (signal, status.and_then(|status| status.code())) {
            (Some(signal), _) => format!("the runner was ended by {}", signal_name(signal)),
            (None, Some(code)) => format!("the runner ended with code {code}"),
            (None, None) => "the runner hung".to_owned(),
        };
        while self.said.bytes <= FLOOD_BYTES && self.hear() {}
        let said = self.said.last_line();
        Failure::Crashed { message: if said.is_empty() { how } else { format!("{how}: {said}") }, signal }
    }

    fn flooded(&mut self, what: &str) -> Failure {
        self.kill();
        let mib = FLOOD_BYTES >> 20;
        Failure::crashed(format!("the runner was killed, for it wrote more than {mib} MiB to standard {what}"))
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.requests = None;
        if !self.farewell.is_zero() {
            self.wait(self.farewell);
        }
        self.kill();
    }
}

/// Which of a runner's pipes can be read or written.
struct Ready {
    replies: bool,
    stderr: bool,
    requests: bool,
}

fn is_not_yet(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

fn kill_group(number: u32) {
    if let Some(group) = i32::try_from(number).ok().and_then(Pid::from_raw) {
        // A group that is gone needs no more.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

fn signal_name(number: i32) -> String {
    let known = [(4, "SIGILL"), (6, "SIGABRT"), (7, "SIGBUS"), (8, "SIGFPE"), (9, "SIGKILL"), (11, "SIGSEGV")];
    let name = known.iter().find(|(n, _)| *n == number).map(|(_, name)| (*name).to_owned());
    name.unwrap_or_else(|| format!("signal {number}"))
}

#[cfg(test)]
mod tests {
    use super::{Said, TAIL_BYTES};

    #[test]
    fn the_last_words_are_a_line_however_much_was_said() {
        let mut said = Said::default();
        assert_eq!(said.last_line(), "");
        said.push(&[0; 5]);
        said.push(b"first\nlast \x1b[1mwords\x00\n\n  \n");
        assert_eq!(said.last_line(), "last [1mwords");
        for _ in 0..1000 {
            said.push(&[b'x'; 1000]);
            assert!(said.end.len() <= 2 * TAIL_BYTES + 1000);
        }
        assert!(said.last_line().len() <= TAIL_BYTES && said.bytes > 1_000_000);
    }
}
