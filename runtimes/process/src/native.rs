//! One process for every invocation: the function's executable itself, or a small program that gives it namespaces of its own
//! first.

use crate::collect::{Streams, outcome, run_with};
use crate::place::{Place, Root, make_root};
use crate::spawn::{Command, File};
use crate::stay::{Held, Staying};
use crate::tool::{FUNCTION, Tool};
use isobar_core::contract::PROGRAM_NAME;
use isobar_core::{
    Class, Enforcement, Enforcer, Engine, Execution, Failure, Form, Instance, Invocation, Limits, Module, Once,
    Outcome, Runtime, RuntimeId, RuntimeInfo,
};
use std::path::Path;
use std::sync::Arc;

/// What stands around the function's process.
#[derive(Clone)]
pub(crate) enum Wall {
    /// Nothing.
    None,
    /// util-linux' unshare.
    Unshare(Tool),
    /// Bubblewrap.
    Bubblewrap(Tool),
}

/// A runtime whose invocations are a process each.
pub(crate) struct Native {
    info: RuntimeInfo,
    wall: Wall,
}

/// What all runtimes of this crate say of themselves.
pub(crate) fn info(id: RuntimeId, class: Class, version: &str, settings: &[(&str, &str)]) -> RuntimeInfo {
    let engine = Enforcer::Engine;
    RuntimeInfo {
        version: version.to_owned(),
        execution: Execution::Native,
        concurrent: true,
        enforcement: Enforcement { wall_time: engine, memory: engine, stack: engine },
        settings: settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        class,
        form: Form::Native,
        own_process: true,
        // Nothing is compiled, and what has ended has no memory to be weighed.
        scenarios: Some(["cold", "process-cold", "warm", "throughput"].map(str::to_owned).to_vec()),
        ..RuntimeInfo::wasm(id)
    }
}

/// What container runtimes say of themselves: `how` an invocation gets its container; `exec` where that is one which runs, so
/// that there is no process cold start.
pub(crate) fn container(tool: &Tool, version: &str, how: &str, walls: (&str, &str), exec: bool) -> RuntimeInfo {
    let mode = if exec { format!("{}-exec", tool.name()) } else { tool.name().to_owned() };
    let settings = [("container", how), walls, ("memory limit", "RLIMIT_DATA")];
    let info = info(RuntimeId::new("container", &mode, &[]), Class::Container, version, &settings);
    // The daemon's processes are nobody's whom we could ask.
    let weighs = exec && tool.name() != "docker";
    let offered = ["cold", "warm", "throughput"].into_iter().chain(weighs.then_some("density"));
    let scenarios = exec.then(|| offered.map(str::to_owned).collect());
    RuntimeInfo { scenarios: scenarios.or(info.scenarios), ..info }
}

/// A runtime whose processes can be held as they end, and be weighed.
fn held(mut info: RuntimeInfo) -> RuntimeInfo {
    info.scenarios.get_or_insert_default().push("density".to_owned());
    info
}

impl Native {
    /// `native/process`.
    pub(crate) fn process(kernel: &str) -> Native {
        let settings =
            [("start", "vfork and execve"), ("memory limit", "RLIMIT_DATA"), ("walls", "none: a user's process")];
        let info = info(RuntimeId::new("native", "process", &[]), Class::Process, kernel, &settings);
        Native { info: held(info), wall: Wall::None }
    }

    /// `sandbox/unshare`.
    pub(crate) fn unshare(tool: Tool, version: &str) -> Native {
        let settings = [
            ("namespaces", "pid, mount, network, ipc, uts, cgroup; user too, unless started by root"),
            ("files", "a root of its own with the executable in it, writable"),
            ("memory limit", "RLIMIT_DATA"),
        ];
        let id = RuntimeId::new("sandbox", "unshare", &[]);
        Native { info: held(info(id, Class::Sandbox, version, &settings)), wall: Wall::Unshare(tool) }
    }

    /// `sandbox/bubblewrap`.
    pub(crate) fn bubblewrap(tool: Tool, version: &str) -> Native {
        let settings = [
            ("namespaces", "user, pid, mount, network, ipc, uts, cgroup"),
            ("files", "a read-only root with the executable in it, /proc, /dev and an empty /tmp"),
            ("memory limit", "RLIMIT_DATA"),
        ];
        let id = RuntimeId::new("sandbox", "bubblewrap", &[]);
        Native { info: held(info(id, Class::Sandbox, version, &settings)), wall: Wall::Bubblewrap(tool) }
    }
}

impl Runtime for Native {
    fn info(&self) -> &RuntimeInfo {
        &self.info
    }

    fn engine(&self) -> Result<Box<dyn Engine>, Failure> {
        Ok(Box::new(NativeEngine { wall: self.wall.clone(), held: Held::default() }))
    }

    fn prepare(&self) -> Result<(), Failure> {
        match self.wall {
            Wall::None => Ok(()),
            _ => Place::get().map(drop),
        }
    }

    fn run_once(&self, artifact: &Path, invocation: &Invocation) -> Result<Once, Failure> {
        load(&self.wall, artifact, &Held::default())?.prepare(invocation)?.once()
    }
}

struct NativeEngine {
    wall: Wall,
    held: Held,
}

impl Engine for NativeEngine {
    fn load(&self, artifact: &Path) -> Result<Box<dyn Module>, Failure> {
        Ok(Box::new(load(&self.wall, artifact, &self.held)?))
    }

    fn pss_bytes(&self) -> Option<u64> {
        self.held.pss_bytes()
    }
}

/// An executable that is ready to be started.
struct Loaded {
    wall: Wall,
    /// The executable, open, where nothing is around it.
    file: Option<File>,
    /// The root of the sandbox.
    root: Option<Arc<Root>>,
    held: Held,
}

fn load(wall: &Wall, artifact: &Path, held: &Held) -> Result<Loaded, Failure> {
    let (file, root) = match wall {
        Wall::None => (Some(File::open(artifact)?), None),
        _ => (None, Some(Arc::new(Root(make_root(artifact)?)))),
    };
    Ok(Loaded { wall: wall.clone(), file, root, held: held.clone() })
}

impl Loaded {
    fn prepare(&self, invocation: &Invocation) -> Result<Prepared, Failure> {
        let mut command = self.command(invocation)?;
        command.data_bytes = Some(invocation.limits.memory_bytes);
        let streams = Some(Streams::open(&invocation.stdin, &invocation.limits)?);
        let (limits, held, root) = (invocation.limits, self.held.clone(), self.root.clone());
        Ok(Prepared { command, streams, limits, held, staying: None, root })
    }

    fn command(&self, invocation: &Invocation) -> Result<Command, Failure> {
        let env = invocation.env.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let args = invocation.args.iter().map(String::as_str);
        let root = self.root.as_ref().and_then(|root| root.0.to_str()).unwrap_or_default();
        let function = format!("/{FUNCTION}");
        match (&self.wall, &self.file) {
            (Wall::Unshare(tool), _) => {
                let mut first = vec![
                    "--fork",
                    "--kill-child",
                    "--pid",
                    "--mount",
                    "--net",
                    "--ipc",
                    "--uts",
                    "--cgroup",
                    "--root",
                    root,
                ];
                if !rustix::process::geteuid().is_root() {
                    first.extend(["--user", "--map-root-user"]);
                }
                first.extend(["--wd", "/", "--", &function]);
                tool.command_with(first.into_iter().chain(args), env)
            }
            (Wall::Bubblewrap(tool), _) => {
                let first = [
                    "--unshare-all",
                    "--unshare-user",
                    "--die-with-parent",
                    "--new-session",
                    "--ro-bind",
                    root,
                    "/",
                    "--proc",
                    "/proc",
                    "--dev",
                    "/dev",
                    "--tmpfs",
                    "/tmp",
                    "--chdir",
                    "/",
                    "--",
                    &function,
                ];
                tool.command_with(first.into_iter().chain(args), env)
            }
            (Wall::None, Some(file)) => Command::new(file.clone(), [PROGRAM_NAME].into_iter().chain(args), env),
            (Wall::None, None) => Err(Failure::host("the executable is not open")),
        }
    }
}

impl Module for Loaded {
    fn instantiate(&self, invocation: &Invocation) -> Result<Box<dyn Instance>, Failure> {
        Ok(Box::new(self.prepare(invocation)?))
    }
}

/// A process that was not started yet.
struct Prepared {
    command: Command,
    streams: Option<Streams>,
    limits: Limits,
    held: Held,
    /// The process, if it stays.
    staying: Option<Staying>,
    root: Option<Arc<Root>>,
}

impl Prepared {
    fn finish(&mut self) -> Result<crate::collect::Finished, Failure> {
        let streams = self.streams.take().ok_or_else(|| Failure::host("the process was started already"))?;
        run_with(&self.command, streams, &self.limits)
    }

    fn once(mut self) -> Result<Once, Failure> {
        once(self.finish()?, &self.limits)
    }
}

/// A whole invocation, as it is recorded. What the system says of the largest size is this process' own, where the function
/// stayed below that.
pub(crate) fn once(finished: crate::collect::Finished, limits: &Limits) -> Result<Once, Failure> {
    let (elapsed_ns, max_rss_bytes) = (finished.elapsed_ns, finished.max_rss_bytes);
    let own = isobar_core::process::peak_rss_bytes();
    let peak_rss_bytes = Some(max_rss_bytes).filter(|bytes| own.is_some_and(|own| *bytes > own));
    Ok(Once { outcome: outcome(finished, limits)?, elapsed_ns, peak_rss_bytes })
}

impl Instance for Prepared {
    fn execute(&mut self) -> Result<Outcome, Failure> {
        outcome(self.finish()?, &self.limits)
    }

    fn execute_and_stay(&mut self) -> Result<Outcome, Failure> {
        let streams = self.streams.take().ok_or_else(|| Failure::host("the process was started already"))?;
        let behind = self.root.as_ref().map(|_| FUNCTION);
        let (staying, finished) = Staying::start(&self.command, streams, &self.limits, &self.held, behind)?;
        self.staying = Some(staying);
        outcome(finished, &self.limits)
    }
}
