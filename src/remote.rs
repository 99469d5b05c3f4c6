//! The parent's side of the process boundary: runtimes that live in a runner program.
//!
//! A [`RemoteRuntime`] implements the same trait as the adapters do in process. Each of its engines is a process of its
//! own, which is killed when a function does not end in time, and which takes nothing with it when it crashes.

use isobar_core::measure::{Budget, MeasureError, Measurement, ScenarioId, Task};
use isobar_core::process::peak_rss_bytes_of;
use isobar_core::runner::{NotHere, PROTOCOL, Reply, Request};
use isobar_core::runtime::{Enforcer, Engine, Instance, Module, Remote, Runtime, RuntimeInfo, Server};
use isobar_core::{Failure, Invocation, Limits, Once, Outcome, RuntimeId};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

mod runner;
mod served;

use runner::Runner;
pub use runner::end_all;
pub use served::{DEFAULT_MODES, STRATEGIES, Served, behind_platform};

/// How long a runner may take to say what it is.
const HELLO: Duration = Duration::from_secs(20);

/// How long a runner may compile, load or instantiate.
const PATIENCE: Duration = Duration::from_secs(600);

/// How long a server may take until it listens.
const LISTENING: Duration = Duration::from_secs(60);

/// How long a server may take to end.
const ENDING: Duration = Duration::from_secs(10);

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
    /// The processors that it may run on; all that isobar may, if there is none.
    pub cpus: Vec<u32>,
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
#[derive(Clone)]
pub struct RemoteRuntime {
    program: Arc<Program>,
    info: RuntimeInfo,
    patience: Duration,
    served: Option<Arc<Served>>,
}

impl RemoteRuntime {
    /// Asks a runner program which runtimes it has, and which it cannot have on this machine.
    ///
    /// # Errors
    /// What keeps it from being used: it does not start, does not answer, or speaks another version of the protocol.
    pub fn discover(program: Program) -> Result<(Vec<RemoteRuntime>, Vec<NotHere>), Failure> {
        let program = Arc::new(program);
        match Runner::start(&program)?.ask(&Request::Describe, HELLO)? {
            Reply::Described { protocol: PROTOCOL, runtimes, absent, .. } => {
                let of_program =
                    |info| RemoteRuntime { program: program.clone(), info, patience: PATIENCE, served: None };
                Ok((runtimes.into_iter().map(of_program).collect(), absent))
            }
            Reply::Described { protocol, .. } => Err(Failure::host(format!(
                "{} speaks version {protocol} of the runner protocol and isobar speaks {PROTOCOL}: rebuild it",
                program.path.display()
            ))),
            other => Err(unexpected(other)),
        }
    }

    /// The same runtime, its program bound to these processors.
    pub fn on(&self, cpus: &[u32]) -> RemoteRuntime {
        let program = Program { cpus: cpus.to_vec(), ..Program::clone(&self.program) };
        RemoteRuntime { program: Arc::new(program), ..self.clone() }
    }

    /// The same runtime, killed when it compiles, loads or instantiates for longer than `patience`; ten minutes otherwise.
    pub fn patient(&self, patience: Duration) -> RemoteRuntime {
        RemoteRuntime { patience, ..self.clone() }
    }

    /// The platform that it answers through, if it does.
    pub fn served(&self) -> Option<&Served> {
        self.served.as_deref()
    }

    /// What its runner calls it.
    fn name(&self) -> RuntimeId {
        self.served.as_ref().map_or(&self.info.id, |served| &served.base).clone()
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
        let request = Request::Measure { runtime: self.name(), scenario, task: task.clone(), budget: *budget };
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
        Box::new(RemoteRuntime { program: Arc::new(program), ..self.clone() })
    }
}

impl Runtime for RemoteRuntime {
    fn info(&self) -> &RuntimeInfo {
        &self.info
    }

    fn engine(&self) -> Result<Box<dyn Engine>, Failure> {
        let mut runner = Runner::start(&self.program)?;
        done(runner.ask(&Request::Engine { runtime: self.name() }, self.patience)?)?;
        let (runner, wall_time) = (Arc::new(Mutex::new(runner)), self.info.enforcement.wall_time);
        Ok(Box::new(RemoteEngine { runner, wall_time, patience: self.patience }))
    }

    fn run_once(&self, artifact: &Path, invocation: &Invocation) -> Result<Once, Failure> {
        let request =
            Request::Run { runtime: self.name(), artifact: absolute(artifact)?, invocation: invocation.clone() };
        let limit_ns = invocation.limits.wall_time_ns;
        let patience = self.patience.saturating_add(Duration::from_nanos(limit_ns));
        let start = Instant::now();
        let mut runner = Runner::start(&self.program)?;
        let reply = runner.ask(&request, patience);
        let elapsed_ns = isobar_core::measure::nanoseconds(start.elapsed());
        match reply {
            Ok(Reply::Executed { outcome, .. }) => {
                Ok(Once { outcome, elapsed_ns, peak_rss_bytes: peak_rss_bytes_of(runner.child.id()) })
            }
            Ok(other) => Err(unexpected(other)),
            Err(Failure::Timeout { .. }) => Err(Failure::Timeout { limit_ns }),
            Err(failure) => Err(failure),
        }
    }

    fn serve(&self, artifact: &Path, invocation: &Invocation) -> Result<Box<dyn Server>, Failure> {
        let request =
            Request::Serve { runtime: self.name(), artifact: absolute(artifact)?, invocation: invocation.clone() };
        let mut runner = Runner::start(&self.program)?;
        match runner.ask(&request, self.patience.min(LISTENING))? {
            Reply::Serving { handle, url, elapsed_ns } => {
                Ok(Box::new(RemoteServer { runner, handle, url, elapsed_ns }))
            }
            other => Err(unexpected(other)),
        }
    }

    fn remote(&self) -> Option<&dyn Remote> {
        Some(self)
    }
}

/// A server that a runner started.
struct RemoteServer {
    runner: Runner,
    handle: u64,
    url: String,
    elapsed_ns: u64,
}

impl Drop for RemoteServer {
    fn drop(&mut self) {
        // One that does not end in time ends with its runner.
        let _ = self.runner.ask(&Request::Release { handle: self.handle }, ENDING);
    }
}

impl Server for RemoteServer {
    fn url(&self) -> &str {
        &self.url
    }

    fn listening_ns(&self) -> u64 {
        self.elapsed_ns
    }
}

type Shared = Arc<Mutex<Runner>>;

fn lock(runner: &Shared) -> MutexGuard<'_, Runner> {
    runner.lock().unwrap_or_else(PoisonError::into_inner)
}

struct RemoteEngine {
    runner: Shared,
    wall_time: Enforcer,
    patience: Duration,
}

impl Engine for RemoteEngine {
    fn compile(&self, wasm: &Path, artifact: &Path) -> Result<(), Failure> {
        let request = Request::Compile { wasm: absolute(wasm)?, artifact: absolute(artifact)? };
        done(lock(&self.runner).ask(&request, self.patience)?)
    }

    fn load(&self, artifact: &Path) -> Result<Box<dyn Module>, Failure> {
        let request = Request::Load { artifact: absolute(artifact)? };
        let handle = made(lock(&self.runner).ask(&request, self.patience)?)?;
        let part = Part { runner: self.runner.clone(), handle, patience: self.patience };
        Ok(Box::new(RemoteModule { part, wall_time: self.wall_time, patience: self.patience }))
    }

    fn process_id(&self) -> u32 {
        lock(&self.runner).child.id()
    }
}

/// Something that the runner holds for us. Invocations over one engine take turns.
struct Part {
    runner: Shared,
    handle: u64,
    patience: Duration,
}

impl Drop for Part {
    fn drop(&mut self) {
        // A runner that died has released everything.
        let _ = lock(&self.runner).ask(&Request::Release { handle: self.handle }, self.patience);
    }
}

struct RemoteModule {
    part: Part,
    wall_time: Enforcer,
    patience: Duration,
}

impl Module for RemoteModule {
    fn instantiate(&self, invocation: &Invocation) -> Result<Box<dyn Instance>, Failure> {
        let Part { runner, handle, patience } = &self.part;
        let request = Request::Instantiate { module: *handle, invocation: invocation.clone() };
        let handle = made(lock(runner).ask(&request, self.patience)?)?;
        let part = Part { runner: runner.clone(), handle, patience: *patience };
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
