//! isobar's own platform as a server to be loaded: a process that is started on a free port and ended afterwards.

use super::target::{Check, Request, Url};
use crate::workload::Workload;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// What the platform says when it is ready, before its address.
const READY: &str = "listening on ";

/// How long a platform that is told to end may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What needs no encoding in a query.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

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
        let start = Instant::now();
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(PlatformError::Start)?;
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
                    let status = child.wait().map_err(PlatformError::Start)?;
                    return Err(PlatformError::Ended(status.to_string()));
                }
            }
        };
        let end = |child: &mut Child| {
            let _ = child.kill();
            let _ = child.wait();
        };
        let url = ready.inspect_err(|_| end(&mut child))?;
        Ok(Platform { child, url, started_in: start.elapsed() })
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        let asked = rustix::process::kill_process(pid, rustix::process::Signal::TERM).is_ok();
        let until = Instant::now() + PATIENCE;
        while asked && Instant::now() < until {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The request that invokes a function on the platform, and the answer that its manifest declares.
pub fn invocation(workload: &Workload) -> Request {
    let encode = |text: &str| utf8_percent_encode(text, PLAIN).to_string();
    let pair = |(key, value): &(String, String)| format!("{}={}", encode(key), encode(value));
    let query: Vec<String> = workload.invocation.env.iter().map(pair).collect();
    let separator = if query.is_empty() { "" } else { "?" };
    let body = workload.invocation.stdin.clone();
    Request {
        name: workload.name.clone(),
        method: if body.is_empty() { "GET" } else { "POST" }.to_owned(),
        path: format!("/{}{separator}{}", workload.name, query.join("&")),
        fields: Vec::new(),
        body,
        check: Check { status: None, body: Some(workload.expectation.stdout.clone()) },
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
