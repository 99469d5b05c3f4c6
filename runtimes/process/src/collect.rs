//! A child's standard streams, and how it ended.

use crate::spawn::{Child, Command};
use isobar_core::capture::Capture;
use isobar_core::{Failure, Limits, Outcome, TrapKind};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{CWD, Mode, OFlags, fcntl_setfl, openat};
use rustix::io::Errno;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

/// Our ends of a child's standard streams, and the child's.
pub(crate) struct Streams {
    child: [OwnedFd; 3],
    listening: Listening,
}

/// Our ends.
pub(crate) struct Listening {
    /// What is still to be written, backwards from its end.
    input: Option<(OwnedFd, Vec<u8>, usize)>,
    outputs: [Option<OwnedFd>; 2],
    captures: [Capture; 2],
}

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Exit(i32),
    Signal(i32),
}

/// Why a child is no longer listened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stopped {
    Ended,
    Timeout,
    OutputLimit,
}

/// A child that ended by itself.
pub(crate) struct Finished {
    pub(crate) status: Status,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    /// The largest resident size of it and of this process when it was started, in bytes.
    pub(crate) max_rss_bytes: u64,
    /// From the start to the end and the last byte, in nanoseconds.
    pub(crate) elapsed_ns: u64,
    /// Of which so much passed after the last byte of output, or since the start if there was none.
    pub(crate) silent: Duration,
}

fn host(what: &'static str) -> impl Fn(Errno) -> Failure {
    move |e| Failure::host(format!("{what}: {}", io::Error::from(e)))
}

impl Streams {
    /// Streams of a child that reads `stdin` and writes at most so much.
    pub(crate) fn open(stdin: &[u8], limits: &Limits) -> Result<Streams, Failure> {
        let pipe = || std::io::pipe().map(|(read, write)| (OwnedFd::from(read), OwnedFd::from(write)));
        let pipe = || pipe().map_err(|e| Failure::host(format!("cannot make a pipe: {e}")));
        let never_wait = |fd: &OwnedFd| fcntl_setfl(fd, OFlags::NONBLOCK).map_err(host("cannot set a pipe"));
        let (input, theirs) = if stdin.is_empty() {
            let null = openat(CWD, "/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
            (None, null.map_err(host("cannot open /dev/null"))?)
        } else {
            let (read, write) = pipe()?;
            never_wait(&write)?;
            (Some((write, stdin.to_vec(), 0)), read)
        };
        let ((stdout, their_stdout), (stderr, their_stderr)) = (pipe()?, pipe()?);
        never_wait(&stdout)?;
        never_wait(&stderr)?;
        let capture = || Capture::new(limits.output_bytes);
        let listening = Listening { input, outputs: [Some(stdout), Some(stderr)], captures: [capture(), capture()] };
        Ok(Streams { child: [theirs, their_stdout, their_stderr], listening })
    }

    /// Starts a program that has them; the child's ends are closed on our side.
    pub(crate) fn start(self, command: &Command) -> Result<(Child, Listening), Failure> {
        let [stdin, stdout, stderr] = &self.child;
        let child =
            command.spawn([stdin, stdout, stderr]).map_err(|e| Failure::host(format!("cannot start it: {e}")))?;
        Ok((child, self.listening))
    }
}

impl Listening {
    /// Feeds and listens until the child ends or the time is up.
    pub(crate) fn until_end(&mut self, child: BorrowedFd<'_>, until: Option<Instant>, last: &mut Instant) -> Stopped {
        loop {
            self.feed();
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            let time = left.map(|left| Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() });
            let mut fds = vec![PollFd::from_borrowed_fd(child, PollFlags::IN)];
            fds.extend(self.outputs.iter().flatten().map(|fd| PollFd::new(fd, PollFlags::IN)));
            fds.extend(self.input.as_ref().map(|(fd, ..)| PollFd::new(fd, PollFlags::OUT)));
            match poll(&mut fds, time.as_ref()) {
                Ok(0) => return Stopped::Timeout,
                Ok(_) | Err(Errno::INTR) => {}
                Err(_) => return Stopped::Timeout,
            }
            let ended = !fds[0].revents().is_empty();
            drop(fds);
            if self.drain() {
                *last = Instant::now();
            }
            if self.flooded() {
                return Stopped::OutputLimit;
            }
            if ended {
                return Stopped::Ended;
            }
        }
    }

    /// Whether more was written than may be.
    pub(crate) fn flooded(&self) -> bool {
        self.captures.iter().any(Capture::overflowed)
    }

    fn feed(&mut self) {
        let Some((pipe, bytes, done)) = &mut self.input else { return };
        while *done < bytes.len() {
            match rustix::io::write(&*pipe, &bytes[*done..]) {
                Ok(written) => *done += written,
                Err(Errno::AGAIN) => return,
                Err(Errno::INTR) => {}
                // A function need not read what it gets.
                Err(_) => break,
            }
        }
        self.input = None;
    }

    /// Reads what is there. Returns whether that was something.
    fn drain(&mut self) -> bool {
        let mut some = false;
        let mut chunk = [0; 1 << 16];
        for (slot, capture) in self.outputs.iter_mut().zip(&mut self.captures) {
            while let Some(fd) = slot {
                match rustix::io::read(fd.as_fd(), &mut chunk[..]) {
                    Ok(0) => *slot = None,
                    Ok(length) => {
                        some = true;
                        if capture.write(&chunk[..length]).is_err() {
                            break;
                        }
                    }
                    Err(Errno::INTR) => {}
                    Err(Errno::AGAIN) => break,
                    Err(_) => *slot = None,
                }
            }
        }
        some
    }

    /// What came on standard output and standard error, to the last byte that is there.
    pub(crate) fn rest(&mut self) -> (Vec<u8>, Vec<u8>) {
        self.drain();
        let [stdout, stderr] = &mut self.captures;
        (stdout.take(), stderr.take())
    }
}

impl Child {
    /// Ends what is left of its process group, and waits for it: how it ended, and its largest resident size in bytes.
    pub(crate) fn reap(&self) -> (Status, u64) {
        // SAFETY: a signal to the group of a child that was not waited for yet, so that the number is still its own.
        unsafe { libc::kill(-self.id, libc::SIGKILL) };
        self.wait()
    }

    /// As [`Child::reap`], but what it started may live on.
    pub(crate) fn wait(&self) -> (Status, u64) {
        // SAFETY: waits for a child of ours that was not waited for yet.
        unsafe {
            let (mut status, mut usage) = (0, std::mem::zeroed::<libc::rusage>());
            while libc::wait4(self.id, &mut status, libc::__WALL, &mut usage) < 0 {
                if io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
                    break;
                }
            }
            (Status::of(status), usage.ru_maxrss as u64 * 1024)
        }
    }
}

impl Status {
    pub(crate) fn of(status: libc::c_int) -> Status {
        match libc::WIFSIGNALED(status) {
            true => Status::Signal(libc::WTERMSIG(status)),
            false => Status::Exit(libc::WEXITSTATUS(status)),
        }
    }
}

/// Starts a program and listens to it to its end.
///
/// # Errors
/// It cannot be started, takes too long or writes too much.
pub(crate) fn run(command: &Command, stdin: &[u8], limits: &Limits) -> Result<Finished, Failure> {
    run_with(command, Streams::open(stdin, limits)?, limits)
}

/// As [`run`], the streams being there.
pub(crate) fn run_with(command: &Command, streams: Streams, limits: &Limits) -> Result<Finished, Failure> {
    let start = Instant::now();
    let until = start.checked_add(Duration::from_nanos(limits.wall_time_ns));
    let (child, mut listening) = streams.start(command)?;
    let mut last = start;
    let stopped = listening.until_end(child.fd.as_fd(), until, &mut last);
    let (status, max_rss_bytes) = child.reap();
    let (stdout, stderr) = listening.rest();
    let end = Instant::now();
    end_of(stopped, limits)?;
    if listening.flooded() {
        return Err(Failure::OutputLimit { limit_bytes: limits.output_bytes });
    }
    let elapsed_ns = isobar_core::measure::nanoseconds(end - start);
    Ok(Finished { status, stdout, stderr, max_rss_bytes, elapsed_ns, silent: end - last })
}

/// The failure of a child that did not end by itself.
pub(crate) fn end_of(stopped: Stopped, limits: &Limits) -> Result<(), Failure> {
    match stopped {
        Stopped::Ended => Ok(()),
        Stopped::Timeout => Err(Failure::Timeout { limit_ns: limits.wall_time_ns }),
        Stopped::OutputLimit => Err(Failure::OutputLimit { limit_bytes: limits.output_bytes }),
    }
}

/// The answer of a function that ended so. A process does not say why it gave up: one that was ended by a signal when it had
/// come near its limit, or when Rust's allocator said so, was refused memory.
pub(crate) fn outcome(finished: Finished, limits: &Limits) -> Result<Outcome, Failure> {
    let Finished { status, stdout, stderr, max_rss_bytes, .. } = finished;
    match status {
        Status::Exit(exit_code) => Ok(Outcome { exit_code, stdout, stderr }),
        Status::Signal(_)
            if max_rss_bytes >= limits.memory_bytes / 4 * 3 || stderr.starts_with(b"memory allocation of") =>
        {
            Err(Failure::Memory { limit_bytes: limits.memory_bytes })
        }
        Status::Signal(signal) => {
            let (kind, name) = trap(signal);
            Err(Failure::trap(kind, format!("ended by {name}"), &stderr))
        }
    }
}

/// What a signal stands for.
fn trap(signal: i32) -> (TrapKind, String) {
    let (kind, name) = match signal {
        libc::SIGABRT => (TrapKind::Unreachable, "SIGABRT"),
        libc::SIGILL => (TrapKind::Unreachable, "SIGILL"),
        libc::SIGTRAP => (TrapKind::Unreachable, "SIGTRAP"),
        libc::SIGFPE => (TrapKind::IntegerDivideByZero, "SIGFPE"),
        libc::SIGSEGV => (TrapKind::MemoryOutOfBounds, "SIGSEGV"),
        libc::SIGBUS => (TrapKind::MemoryOutOfBounds, "SIGBUS"),
        libc::SIGKILL => (TrapKind::Other, "SIGKILL"),
        other => return (TrapKind::Other, format!("signal {other}")),
    };
    (kind, name.to_owned())
}
