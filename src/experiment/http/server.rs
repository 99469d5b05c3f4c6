//! A server that runs: isobar's platform, or what a runner starts.

use super::Subject;
use crate::affinity;
use crate::load::{Platform, Request, Server, Url, probe, request};
use crate::record::Fault;
use crate::remote::Served;
use isobar_core::measure::{MeasureError, Task, nanoseconds};
use isobar_core::runtime;
use isobar_core::{Failure, Outcome, Runtime};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long the platform may take until it listens.
const START: Duration = Duration::from_secs(60);

/// How much of what the platform said is read, should it not start.
const SAID_BYTES: u64 = 64 << 10;

/// How much longer than the function may take an answer may.
const AROUND: Duration = Duration::from_secs(5);

/// A server that has answered one request. Dropping it ends it.
pub(super) struct Running {
    _process: Process,
    pub(super) server: Server,
    pub(super) addresses: Vec<SocketAddr>,
    pub(super) request: Request,
    /// How long an answer may take.
    pub(super) timeout: Duration,
    /// From spawning the server until it listened, in nanoseconds.
    pub(super) listen_ns: u64,
    /// From then to the end of the first answer, in nanoseconds.
    pub(super) first_request_ns: u64,
}

/// What ends with it. The folder is there as long as the platform, which looks for changes of what is in it.
#[allow(dead_code)]
enum Process {
    Platform(Platform, TempDir),
    OfRunner(Box<dyn runtime::Server>),
}

impl Running {
    /// Starts the server and asks it once.
    ///
    /// # Errors
    /// It does not listen, or its first answer is no right one.
    pub(super) fn start(subject: &Subject) -> Result<Running, MeasureError> {
        let task = subject.task;
        let (process, url, listen_ns) = match subject.runtime.served() {
            Some(served) => platform(served, subject)?,
            None => of_runner(subject)?,
        };
        let listening = Instant::now();
        let Url { server, path } = url;
        let request = request(&subject.cell.function, &path, &task.invocation, &task.expectation);
        let timeout = Duration::from_nanos(task.invocation.limits.wall_time_ns).saturating_add(AROUND);
        let first = probe(&server, &request, timeout).map_err(|e| Failure::host(e.to_string()))?;
        let first_request_ns = nanoseconds(listening.elapsed());
        let mut scratch = Outcome { exit_code: 0, stdout: Vec::new(), stderr: Vec::new() };
        request.check.check(first.status, &first.body, &mut scratch).map_err(|(fault, text)| match fault {
            Fault::Body => MeasureError::WrongAnswer(text),
            _ => Failure::host(format!("the first request: {text}")).into(),
        })?;
        let addresses = first.addresses;
        Ok(Running { _process: process, server, addresses, request, timeout, listen_ns, first_request_ns })
    }
}

fn of_runner(subject: &Subject) -> Result<(Process, Url, u64), Failure> {
    let server = subject.runtime.serve(&subject.task.artifact, &subject.task.invocation)?;
    let url = server.url().parse().map_err(|e| Failure::host(format!("the runner's server: {e}")))?;
    let listen_ns = server.listening_ns();
    Ok((Process::OfRunner(server), url, listen_ns))
}

/// Starts the platform with nothing but this function, on a port of the system's choosing.
fn platform(served: &Served, subject: &Subject) -> Result<(Process, Url, u64), Failure> {
    let host = |what: &str, e: std::io::Error| Failure::host(format!("{what}: {e}"));
    let folder = tempfile::tempdir().map_err(|e| host("cannot make a temporary folder", e))?;
    let manifest = folder.path().join("functions.toml");
    let text = functions(&subject.cell.function, subject.task)?;
    std::fs::write(&manifest, text).map_err(|e| host("cannot write a manifest of functions", e))?;
    let mut said = tempfile::tempfile().map_err(|e| host("cannot make a temporary file", e))?;
    let stderr = said.try_clone().map_err(|e| host("cannot use a temporary file twice", e))?;
    let mut command = command(served, subject, &manifest);
    command.stderr(stderr);
    let cpus = &subject.runtime.program().cpus;
    // A process runs where the thread that starts it may run.
    let bound = (!cpus.is_empty()).then(|| affinity::bind(cpus)).transpose();
    let bound = bound.map_err(|e| host("cannot bind the platform to processors", e))?;
    let platform = Platform::start(command, START);
    drop(bound);
    let platform = platform.map_err(|e| match last_line(&mut said) {
        line if line.is_empty() => Failure::host(e.to_string()),
        line => Failure::host(format!("{e}: {line}")),
    })?;
    let server = platform.url.server.clone();
    let url = Url { server, path: format!("/{}", subject.cell.function) };
    let listen_ns = nanoseconds(platform.started_in);
    Ok((Process::Platform(platform, folder), url, listen_ns))
}

fn command(served: &Served, subject: &Subject, manifest: &Path) -> Command {
    let limits = subject.task.invocation.limits;
    let mut command = Command::new(&served.program);
    // Settings of somebody's own platform are not those of a measurement.
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_option(&name.to_string_lossy())) {
        command.env_remove(name);
    }
    if let Some(runners) = &served.runners {
        command.arg("--runners").arg(runners);
    }
    command.args(["serve", "--listen", "127.0.0.1:0", "--log", "error", "--strategy", served.strategy]);
    command.args(["--runtime", served.base.as_str()]).arg("--functions").arg(manifest);
    command.arg("--cache-dir").arg(subject.cache);
    command.args(["--wall-time", &format!("{}ns", limits.wall_time_ns)]);
    command.args(["--memory-bytes", &limits.memory_bytes.to_string()]);
    command.args(["--output-bytes", &limits.output_bytes.to_string()]);
    command
}

/// Of isobar's variables, those that say where things are hold for the platform, too.
fn is_option(name: &str) -> bool {
    const PLACES: [&str; 3] = ["ISOBAR_ROOT", crate::registry::RUNNERS_VARIABLE, crate::registry::RUNNER_DIR_VARIABLE];
    name.starts_with("ISOBAR_") && !PLACES.contains(&name)
}

/// A manifest with one function, which may have what it has when it is measured without the platform.
fn functions(name: &str, task: &Task) -> Result<String, Failure> {
    #[derive(Serialize)]
    struct Function<'a> {
        module: &'a Path,
        env: Vec<&'a str>,
        args: &'a [String],
        stdin: bool,
        clock: bool,
        random: bool,
    }
    let invocation = &task.invocation;
    let module = std::path::absolute(&task.module);
    let module = module.map_err(|e| Failure::host(format!("{}: {e}", task.module.display())))?;
    let env = invocation.env.iter().map(|(name, _)| name.as_str()).collect();
    let (args, stdin) = (&invocation.args[..], !invocation.stdin.is_empty());
    let function = Function { module: &module, env, args, stdin, clock: true, random: true };
    let document = BTreeMap::from([("function", BTreeMap::from([(name, function)]))]);
    toml::to_string(&document).map_err(|e| Failure::host(format!("cannot write a manifest of functions: {e}")))
}

/// The last line that says something.
fn last_line(said: &mut File) -> String {
    let mut bytes = Vec::new();
    let length = said.metadata().map_or(0, |metadata| metadata.len());
    let _ = said.seek(std::io::SeekFrom::Start(length.saturating_sub(SAID_BYTES)));
    let _ = said.read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    crate::report::one_line(text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use isobar_core::Invocation;
    use isobar_core::measure::Expectation;

    #[test]
    fn a_function_has_behind_the_platform_what_it_has_without_it() {
        let invocation = Invocation {
            args: vec!["--x".into()],
            env: vec![("NAME".into(), "World".into())],
            stdin: b"in".to_vec(),
            ..Invocation::default()
        };
        let expectation = Expectation::exact(Vec::new());
        let task = Task { module: "/m.wasm".into(), artifact: "/m.wasm".into(), invocation, expectation };
        insta::assert_snapshot!(functions("rust/hello", &task).unwrap(), @r#"
        [function."rust/hello"]
        module = "/m.wasm"
        env = ["NAME"]
        args = ["--x"]
        stdin = true
        clock = true
        random = true
        "#);
    }

    #[test]
    fn only_variables_that_name_places_reach_the_platform() {
        assert!(is_option("ISOBAR_LISTEN") && is_option("ISOBAR_WORKERS"));
        assert!(!is_option("ISOBAR_RUNNERS") && !is_option("ISOBAR_ROOT") && !is_option("PATH"));
    }

    #[test]
    fn the_last_line_is_what_the_platform_said_last() {
        use std::io::Write;
        let mut file = tempfile::tempfile().unwrap();
        assert_eq!(last_line(&mut file), "");
        file.write_all(b"first\nlast  line\n\n").unwrap();
        assert_eq!(last_line(&mut file), "last line");
    }
}
