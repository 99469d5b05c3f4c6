//! isobar's own platform as a server to be loaded: a process that is started on a free port and ended afterwards.

use super::target::{Check, Request, Url};
use crate::workload::Workload;
use isobar_core::Invocation;
use isobar_core::measure::Expectation;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rustix::process::{Pid, Signal, kill_process, set_parent_process_death_signal, test_kill_process};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What the platform says when it is ready, before its address.
const READY: &str = "listening on ";

/// How long a platform that is told to end may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What needs no encoding in a query.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The platforms that live, by the number of their process.
static LIVE: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// Ends all platforms of this process, which is about to end itself without dropping them.
pub fn end_platforms() {
    let live: Vec<Pid> = LIVE.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().filter_map(pid).collect();
    for platform in &live {
        // One that has just ended needs no more.
        let _ = kill_process(*platform, Signal::TERM);
    }
    let until = Instant::now() + PATIENCE / 5;
    while live.iter().any(|platform| runs(*platform)) && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(5));
    }
    for platform in live.into_iter().filter(|platform| runs(*platform)) {
        let _ = kill_process(platform, Signal::KILL);
    }
}

fn pid(number: u32) -> Option<Pid> {
    i32::try_from(number).ok().and_then(Pid::from_raw)
}

/// Whether a process is there and has not ended: one that has stays there until it is waited for.
fn runs(process: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero())).unwrap_or_default();
    let ended = stat.rsplit_once(") ").is_some_and(|(_, state)| state.starts_with('Z'));
    !ended && test_kill_process(process).is_ok()
}

/// Why there is no platform.
#[derive(Debug, thiserror::Error)]
pub enum PlatformError {
    /// The program cannot be started.
    #[error("cannot start `isobar serve`")]
    Start(#[source] std::io::Error),
    /// It ended before it was ready; standard error has its reason.
    #[error("`isobar serve` ended before it listened ({0}); what it said above names the reason")]
    Ended(String),
    /// It is not ready in time.
    #[error("`isobar serve` was not ready within {0:?}")]
    Late(Duration),
    /// It says something else than its address.
    #[error("`isobar serve` said '{0}' instead of its address")]
    Said(String),
}

/// A platform that runs. It ends when this is dropped.
pub struct Platform {
    child: Child,
    /// Where it listens.
    pub url: Url,
    /// From starting the process until it listened.
    pub started_in: Duration,
}

impl Platform {
    /// Starts a program that says `listening on http://host:port` on standard output when it is ready.
    ///
    /// # Errors
    /// It does not say that in time.
    pub fn start(mut command: Command, patience: Duration) -> Result<Platform, PlatformError> {
        // A platform that nobody asks any more would go on for ever.
        let end_with_parent = || Ok(set_parent_process_death_signal(Some(Signal::TERM))?);
        // SAFETY: between fork and exec it makes one system call, and touches no memory but its own.
        unsafe { command.pre_exec(end_with_parent) };
        let start = Instant::now();
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(PlatformError::Start)?;
        LIVE.lock().unwrap_or_else(PoisonError::into_inner).insert(child.id());
        let (said, lines) = channel();
        let stdout = child.stdout.take();
        // What it says later is read, too, or it would wait for a reader some day.
        std::thread::spawn(move || {
            for line in stdout.into_iter().flat_map(|stdout| BufReader::new(stdout).lines()).map_while(Result::ok) {
                let _ = said.send(line);
            }
        });
        let ready = loop {
            match lines.recv_timeout(patience.saturating_sub(start.elapsed())) {
                Ok(line) => match line.split_once(READY) {
                    Some((_, url)) => break url.trim().parse().map_err(|_| PlatformError::Said(line.clone())),
                    None => continue,
                },
                Err(RecvTimeoutError::Timeout) => break Err(PlatformError::Late(patience)),
                Err(RecvTimeoutError::Disconnected) => {
                    let status = child.wait().map_err(PlatformError::Start);
                    forget(&child);
                    return Err(PlatformError::Ended(status?.to_string()));
                }
            }
        };
        let end = |child: &mut Child| {
            let _ = child.kill();
            let _ = child.wait();
            forget(child);
        };
        let url = ready.inspect_err(|_| end(&mut child))?;
        Ok(Platform { child, url, started_in: start.elapsed() })
    }
}

/// It was waited for: from now on its number may be another's.
fn forget(child: &Child) {
    LIVE.lock().unwrap_or_else(PoisonError::into_inner).remove(&child.id());
}

impl Drop for Platform {
    fn drop(&mut self) {
        let asked = kill_process(Pid::from_child(&self.child), Signal::TERM).is_ok();
        let until = Instant::now() + PATIENCE;
        while asked && Instant::now() < until && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        forget(&self.child);
    }
}

/// The request that invokes a function on the platform, and the answer that its manifest declares.
pub fn invocation(workload: &Workload) -> Request {
    let path = format!("/{}", workload.name);
    request(&workload.name, &path, &workload.invocation, &workload.expectation)
}

/// The request for an invocation of the function that a server has at a path, and the answer that counts: the environment
/// is its query, the input its body.
pub fn request(function: &str, path: &str, invocation: &Invocation, expectation: &Expectation) -> Request {
    let encode = |text: &str| utf8_percent_encode(text, PLAIN).to_string();
    let pair = |(key, value): &(String, String)| format!("{}={}", encode(key), encode(value));
    let query: Vec<String> = invocation.env.iter().map(pair).collect();
    let separator = match query.is_empty() {
        true => "",
        false if path.contains('?') => "&",
        false => "?",
    };
    let body = invocation.stdin.clone();
    Request {
        name: function.to_owned(),
        method: if body.is_empty() { "GET" } else { "POST" }.to_owned(),
        path: format!("{path}{separator}{}", query.join("&")),
        fields: Vec::new(),
        body,
        check: Check { status: None, body: Some(expectation.stdout.clone()) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_platform_is_started_and_ended() {
        let folder = tempfile::tempdir().unwrap();
        let ended = folder.path().join("ended");
        let script = format!(
            "trap 'touch {}; exit 0' TERM; echo starting; echo listening on http://127.0.0.1:4711; while :; do sleep 0.05; done",
            ended.display()
        );
        let platform = Platform::start(shell(&script), Duration::from_secs(60)).unwrap();
        assert_eq!(platform.url.to_string(), "http://127.0.0.1:4711/");
        drop(platform);
        assert!(ended.is_file(), "it was asked to end, and not killed");
    }

    #[test]
    fn a_platform_that_does_not_start_is_no_platform() {
        let start = |script: &str, ms: u64| {
            Platform::start(shell(script), Duration::from_millis(ms)).err().unwrap().to_string()
        };
        assert!(start("exit 3", 60_000).contains("exit status: 3"));
        assert!(start("exec sleep 100", 50).contains("not ready within 50ms"));
        assert!(start("echo listening on https://x; exec sleep 100", 60_000).contains("instead of its address"));
        let error = Platform::start(Command::new("/no/such/program"), Duration::from_secs(1)).err().unwrap();
        assert!(matches!(error, PlatformError::Start(_)));
    }

    #[test]
    fn a_function_is_invoked_as_its_manifest_says() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("workloads");
        let catalogue = crate::workload::Catalogue::load(&folder).unwrap();
        let fibonacci = invocation(catalogue.find("rust/fibonacci").unwrap());
        assert!(fibonacci.path.starts_with("/rust/fibonacci?N=") && fibonacci.method == "GET", "{}", fibonacci.path);
        assert!(fibonacci.check.body.is_some());
        let mut workload = catalogue.find("rust/hello").unwrap().clone();
        workload.invocation.env = vec![("A B".into(), "ü&=".into())];
        workload.invocation.stdin = b"in".to_vec();
        let hello = invocation(&workload);
        assert_eq!((hello.path.as_str(), hello.method.as_str()), ("/rust/hello?A%20B=%C3%BC%26%3D", "POST"));
    }
}
