//! The parent's side of the process boundary: runtimes that live in a runner program.
//!
//! A [`RemoteRuntime`] implements the same trait as the adapters do in process. Each of its engines is a process of its
//! own, which is killed when a function does not end in time, and which takes nothing with it when it crashes.

use isobar_core::measure::{Budget, MeasureError, Measurement, ScenarioId, Task};
use isobar_core::runner::{PROTOCOL, Reply, Request};
use isobar_core::runtime::{Enforcer, Engine, Instance, Module, Remote, Runtime, RuntimeInfo};
use isobar_core::{Failure, Invocation, Limits, Outcome};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::MemfdFlags;
use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a runner may take to say what it is.
const HELLO: Duration = Duration::from_secs(20);

/// How long a runner may compile, load or instantiate.
const PATIENCE: Duration = Duration::from_secs(600);

/// How long a runner that another program started may take to end, once it is told to.
const FAREWELL: Duration = Duration::from_secs(60);

/// How much later than the wall-time limit a runner is killed whose engine enforces that limit itself.
const GRACE: Duration = Duration::from_secs(1);

/// A runner program and how it is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The executable.
    pub path: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// Another program that starts it, with that one's arguments; mostly none.
    pub launcher: Vec<OsString>,
}

impl Program {
    fn command(&self) -> Command {
        match self.launcher.split_first() {
            None => Command::new(&self.path),
            Some((launcher, arguments)) => {
                let mut command = Command::new(launcher);
                command.args(arguments).arg(&self.path);
                command
            }
        }
    }
}

/// A runtime in a runner program.
pub struct RemoteRuntime {
    program: Arc<Program>,
    info: RuntimeInfo,
}

impl RemoteRuntime {
    /// Asks a runner program which runtimes it has.
    ///
    /// # Errors
    /// What keeps it from being used: it does not start, does not answer, or speaks another version of the protocol.
    pub fn discover(program: Program) -> Result<Vec<RemoteRuntime>, Failure> {
        let program = Arc::new(program);
        match Runner::start(&program)?.ask(&Request::Describe, HELLO)? {
            Reply::Described { protocol: PROTOCOL, runtimes, .. } => {
                Ok(runtimes.into_iter().map(|info| RemoteRuntime { program: program.clone(), info }).collect())
            }
            Reply::Described { protocol, .. } => Err(Failure::host(format!(
                "{} speaks version {protocol} of the runner protocol and isobar speaks {PROTOCOL}: rebuild it",
                program.path.display()
            ))),
            other => Err(unexpected(other)),
        }
    }

    /// The program it lives in.
    pub fn program(&self) -> &Program {
        &self.program
    }
}

impl Remote for RemoteRuntime {
    fn measure(&self, scenario: ScenarioId, task: &Task, budget: &Budget) -> Result<Measurement, MeasureError> {
        let wall_time_ns = task.invocation.limits.wall_time_ns;
        // The loops look at the clock between invocations; each of those has its own limit.
        let patience = Duration::from_nanos(budget.warm_up_ns.saturating_add(budget.time_ns))
            + Duration::from_nanos(wall_time_ns).saturating_mul(1 + budget.min_samples);
        let request = Request::Measure { runtime: self.info.id.clone(), scenario, task: task.clone(), budget: *budget };
        match Runner::start(&self.program)?.ask(&request, patience) {
            Ok(Reply::Measured { measurement }) => Ok(measurement),
            Ok(Reply::Failed { error }) => Err(error),
            Ok(other) => Err(unexpected(other).into()),
            Err(Failure::Timeout { .. }) => Err(Failure::Timeout { limit_ns: wall_time_ns }.into()),
            Err(failure) => Err(failure.into()),
        }
    }

    fn under(&self, launcher: &[OsString]) -> Box<dyn Runtime> {
        let program = Program { launcher: launcher.to_vec(), ..Program::clone(&self.program) };
        Box::new(RemoteRuntime { program: Arc::new(program), info: self.info.clone() })
    }
}

impl Runtime for RemoteRuntime {
    fn info(&self) -> &RuntimeInfo {
        &self.info
    }

    fn engine(&self) -> Result<Box<dyn Engine>, Failure> {
        let mut runner = Runner::start(&self.program)?;
        done(runner.ask(&Request::Engine { runtime: self.info.id.clone() }, PATIENCE)?)?;
        Ok(Box::new(RemoteEngine { runner: Arc::new(Mutex::new(runner)), wall_time: self.info.enforcement.wall_time }))
    }

    fn run_once(&self, artifact: &Path, invocation: &Invocation) -> Result<Outcome, Failure> {
        let request = Request::Run {
            runtime: self.info.id.clone(),
            artifact: absolute(artifact)?,
            invocation: invocation.clone(),
        };
        let limit_ns = invocation.limits.wall_time_ns;
        match Runner::start(&self.program)?.ask(&request, PATIENCE.saturating_add(Duration::from_nanos(limit_ns))) {
            Ok(Reply::Executed { outcome, .. }) => Ok(outcome),
            Ok(other) => Err(unexpected(other)),
            Err(Failure::Timeout { .. }) => Err(Failure::Timeout { limit_ns }),
            Err(failure) => Err(failure),
        }
    }

    fn remote(&self) -> Option<&dyn Remote> {
        Some(self)
    }
}

type Shared = Arc<Mutex<Runner>>;

fn lock(runner: &Shared) -> MutexGuard<'_, Runner> {
    runner.lock().unwrap_or_else(PoisonError::into_inner)
}

struct RemoteEngine {
    runner: Shared,
    wall_time: Enforcer,
}

impl Engine for RemoteEngine {
    fn compile(&self, wasm: &Path, artifact: &Path) -> Result<(), Failure> {
        let request = Request::Compile { wasm: absolute(wasm)?, artifact: absolute(artifact)? };
        done(lock(&self.runner).ask(&request, PATIENCE)?)
    }

    fn load(&self, artifact: &Path) -> Result<Box<dyn Module>, Failure> {
        let request = Request::Load { artifact: absolute(artifact)? };
        let handle = made(lock(&self.runner).ask(&request, PATIENCE)?)?;
        Ok(Box::new(RemoteModule { part: Part { runner: self.runner.clone(), handle }, wall_time: self.wall_time }))
    }

    fn process_id(&self) -> u32 {
        lock(&self.runner).child.id()
    }
}

/// Something that the runner holds for us. Invocations over one engine take turns.
struct Part {
    runner: Shared,
    handle: u64,
}

impl Drop for Part {
    fn drop(&mut self) {
        // A runner that died has released everything.
        let _ = lock(&self.runner).ask(&Request::Release { handle: self.handle }, PATIENCE);
    }
}

struct RemoteModule {
    part: Part,
    wall_time: Enforcer,
}

impl Module for RemoteModule {
    fn instantiate(&self, invocation: &Invocation) -> Result<Box<dyn Instance>, Failure> {
        let Part { runner, handle } = &self.part;
        let request = Request::Instantiate { module: *handle, invocation: invocation.clone() };
        let handle = made(lock(runner).ask(&request, PATIENCE)?)?;
        let part = Part { runner: runner.clone(), handle };
        Ok(Box::new(RemoteInstance { part, limits: invocation.limits, wall_time: self.wall_time }))
    }
}

struct RemoteInstance {
    part: Part,
    limits: Limits,
    wall_time: Enforcer,
}

impl Instance for RemoteInstance {
    fn execute(&mut self) -> Result<Outcome, Failure> {
        let limit_ns = self.limits.wall_time_ns;
        let grace = if self.wall_time == Enforcer::Engine { GRACE } else { Duration::ZERO };
        let patience = Duration::from_nanos(limit_ns).saturating_add(grace);
        let reply = lock(&self.part.runner).ask(&Request::Execute { instance: self.part.handle }, patience);
        match reply {
            Ok(Reply::Executed { outcome, .. }) => Ok(outcome),
            Ok(other) => Err(unexpected(other)),
            Err(Failure::Timeout { .. }) => Err(Failure::Timeout { limit_ns }),
            Err(failure) => Err(failure),
        }
    }
}

fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|e| Failure::host(format!("{}: {e}", path.display())))
}

fn done(reply: Reply) -> Result<(), Failure> {
    if let Reply::Done { .. } = reply { Ok(()) } else { Err(unexpected(reply)) }
}

fn made(reply: Reply) -> Result<u64, Failure> {
    if let Reply::Made { handle, .. } = reply { Ok(handle) } else { Err(unexpected(reply)) }
}

fn unexpected(reply: Reply) -> Failure {
    match reply {
        Reply::Failed { error: MeasureError::Failure(failure) } => failure,
        other => Failure::host(format!("the runner answers something else than it was asked: {other:?}")),
    }
}

/// A running runner process. Dropping it ends it.
struct Runner {
    child: Child,
    requests: Option<ChildStdin>,
    replies: ChildStdout,
    buffer: Vec<u8>,
    stderr: File,
    ended: Option<Failure>,
    /// How long it may take to end by itself.
    farewell: Duration,
}

impl Runner {
    fn start(program: &Program) -> Result<Self, Failure> {
        let io = |e: std::io::Error| Failure::host(format!("cannot start {}: {e}", program.path.display()));
        // What the runner says on standard error is for us, should it crash: in memory, so that it never waits.
        let stderr = File::from(rustix::fs::memfd_create("stderr", MemfdFlags::CLOEXEC).map_err(|e| io(e.into()))?);
        let mut child = program
            .command()
            .args(&program.args)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(stderr.try_clone().map_err(io)?)
            .spawn()
            .map_err(io)?;
        let farewell = if program.launcher.is_empty() { Duration::ZERO } else { FAREWELL };
        let (requests, replies) = (child.stdin.take(), child.stdout.take());
        let replies = replies.ok_or_else(|| Failure::host("the runner has no standard output"))?;
        Ok(Runner { child, requests, replies, buffer: Vec::new(), stderr, ended: None, farewell })
    }

    /// Sends a request and waits for its reply.
    ///
    /// # Errors
    /// [`Failure::Timeout`] when the runner was killed for taking longer than `patience`, [`Failure::Crashed`] when it
    /// died by itself. Afterwards it is gone, and every request gets the same answer.
    fn ask(&mut self, request: &Request, patience: Duration) -> Result<Reply, Failure> {
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
        let start = Instant::now();
        let mut line =
            serde_json::to_vec(request).map_err(|e| Failure::host(format!("cannot write a request: {e}")))?;
        line.push(b'\n');
        let sent = self.requests.as_mut().map(|requests| requests.write_all(&line));
        if !matches!(sent, Some(Ok(()))) {
            return Err(self.crashed());
        }
        let line = loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let rest = self.buffer.split_off(end + 1);
                break std::mem::replace(&mut self.buffer, rest);
            }
            if !self.readable(patience.saturating_sub(start.elapsed())) {
                self.kill();
                return Err(Failure::Timeout { limit_ns: isobar_core::measure::nanoseconds(patience) });
            }
            let mut chunk = [0; 1 << 16];
            match self.replies.read(&mut chunk) {
                Ok(0) | Err(_) => return Err(self.crashed()),
                Ok(length) => self.buffer.extend_from_slice(&chunk[..length]),
            }
        };
        serde_json::from_slice(&line).map_err(|e| Failure::host(format!("the runner's reply makes no sense: {e}")))
    }

    /// Waits until there is something to read, or the end of it.
    fn readable(&self, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let left = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() };
            match poll(&mut [PollFd::new(&self.replies, PollFlags::IN)], Some(&left)) {
                Ok(0) => return false,
                Err(rustix::io::Errno::INTR) => {}
                Ok(_) | Err(_) => return true,
            }
        }
    }

    fn wait(&mut self, patience: Duration) -> Option<ExitStatus> {
        let until = Instant::now() + patience;
        loop {
            match self.child.try_wait() {
                Ok(None) if Instant::now() < until => std::thread::sleep(Duration::from_millis(5)),
                status => return status.ok().flatten(),
            }
        }
    }

    fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// The runner closed its end: how did it end?
    fn crashed(&mut self) -> Failure {
        self.requests = None;
        // It closed standard output, so it is ending; should it hang in that, it is helped.
        let status = self.wait(Duration::from_secs(5));
        self.kill();
        let signal = status.and_then(|status| status.signal());
        let how = match (signal, status.and_then(|status| status.code())) {
            (Some(signal), _) => format!("the runner was ended by {}", signal_name(signal)),
            (None, Some(code)) => format!("the runner ended with code {code}"),
            (None, None) => "the runner hung".to_owned(),
        };
        let said = self.last_words();
        Failure::Crashed { message: if said.is_empty() { how } else { format!("{how}: {said}") }, signal }
    }

    /// The last line of the runner's standard error.
    fn last_words(&mut self) -> String {
        const TAIL: i64 = 2000;
        let mut bytes = Vec::new();
        let _ = self.stderr.seek(SeekFrom::End(-TAIL)).or_else(|_| self.stderr.rewind().map(|()| 0));
        let _ = self.stderr.read_to_end(&mut bytes);
        let text = String::from_utf8_lossy(&bytes);
        text.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default().to_owned()
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

fn signal_name(number: i32) -> String {
    let known = [(4, "SIGILL"), (6, "SIGABRT"), (7, "SIGBUS"), (8, "SIGFPE"), (9, "SIGKILL"), (11, "SIGSEGV")];
    let name = known.iter().find(|(n, _)| *n == number).map(|(_, name)| (*name).to_owned());
    name.unwrap_or_else(|| format!("signal {number}"))
}
