//! Containers by an OCI runtime, without an engine around it: crun, runc and gVisor's runsc. A container is made of a bundle,
//! which is a root with the executable and a description, `config.json`.

use crate::bundle::{Bundle, Start, process};
use crate::collect::{Finished, Listening, Status, Stopped, Streams, end_of, outcome, run, run_with};
use crate::native;
use crate::orphans::{reap_gvisor, strays};
use crate::place::{Place, Root, make_root, own_mounts, remove_cgroups};
use crate::tool::{Tool, last_line};
use isobar_core::{Engine, Failure, Instance, Invocation, Limits, Module, Once, Outcome, Runtime, RuntimeInfo};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The programs, each with the folder of its own state.
pub(crate) const PROGRAMS: [&str; 3] = ["crun", "runc", "runsc"];

/// An OCI runtime.
pub(crate) struct Oci {
    info: RuntimeInfo,
    tool: Tool,
    /// Whether invocations are executed in one container that runs, or each in one of its own.
    exec: bool,
}

impl Oci {
    /// A fresh container for each invocation.
    pub(crate) fn fresh(tool: Tool, version: &str) -> Oci {
        let how = "a fresh one for every invocation: create, start, delete";
        Oci { info: native::container(&tool, version, how, WALLS, false), tool, exec: false }
    }

    /// Invocations are executed in a container that runs.
    pub(crate) fn exec(tool: Tool, version: &str) -> Oci {
        let how = "one that runs; every invocation is executed in it";
        Oci { info: native::container(&tool, version, how, WALLS, true), tool, exec: true }
    }

    /// The program with its own folder of state, and the options that it needs on this machine.
    fn tool(&self, place: &Place) -> Tool {
        let state = place.path().join(self.tool.name());
        with_state(&self.tool, &state)
    }
}

const WALLS: (&str, &str) = (
    "walls",
    "pid, mount, network, ipc and uts namespaces, no capabilities, a read-only root; no user namespace, no seccomp",
);

fn with_state(tool: &Tool, state: &Path) -> Tool {
    let state = state.to_str().unwrap_or_default();
    match tool.name() {
        // Other platforms than ptrace need what a guest mostly lacks; the network is that of the sandbox.
        "runsc" => tool.with(["--root", state, "--platform=ptrace", "--network=none", "--ignore-cgroups"]),
        _ => tool.with(["--root", state]),
    }
}

/// Ends and removes the containers whose state is below a folder.
pub(crate) fn sweep(folder: &Path) {
    for name in PROGRAMS {
        let state = folder.join(name);
        let Some(tool) = Tool::find(name).filter(|_| state.is_dir()) else { continue };
        let _ = own_mounts();
        let tool = with_state(&tool, &state);
        for container in fs::read_dir(&state).into_iter().flatten().flatten() {
            if container.path().is_dir() {
                let _ = tool.call(&["delete", "--force", &container.file_name().to_string_lossy()]);
            }
        }
        if name == "runsc" {
            // Its state is in files, and the list of those is its own.
            for id in tool.call(&["list", "-quiet"]).unwrap_or_default().split_whitespace() {
                let _ = tool.call(&["delete", "--force", id]);
            }
        }
    }
}

impl Runtime for Oci {
    fn info(&self) -> &RuntimeInfo {
        &self.info
    }

    fn engine(&self) -> Result<Box<dyn Engine>, Failure> {
        Ok(Box::new(self.ready()?))
    }

    fn prepare(&self) -> Result<(), Failure> {
        self.ready().map(drop)
    }

    fn run_once(&self, artifact: &Path, invocation: &Invocation) -> Result<Once, Failure> {
        let ready = self.ready()?;
        let root = Arc::new(Root(make_root(artifact)?));
        let bundle = Bundle::make(&root, Start::Function(invocation))?;
        let streams = Some(Streams::open(&invocation.stdin, &invocation.limits)?);
        let finished =
            Whole { tool: ready.tool.clone(), bundle, streams, limits: invocation.limits, left: false }.run()?;
        native::once(finished, &invocation.limits)
    }
}

/// Longer than any clean-up takes that works.
const CLEAN_UP: Duration = Duration::from_secs(5);

/// Refuses what took implausibly long to end after its last byte: its clean-up failed, whatever its exit code says.
pub(crate) fn gone(finished: &Finished) -> Result<(), Failure> {
    if finished.silent < CLEAN_UP || finished.stdout.is_empty() {
        return Ok(());
    }
    let (seconds, said) = (finished.silent.as_secs(), last_line(&finished.stderr));
    Err(Failure::host(format!("the container took {seconds} s to end after its answer, so its clean-up failed{said}")))
}

impl Oci {
    fn ready(&self) -> Result<Ready, Failure> {
        let place = Place::get()?;
        own_mounts()?;
        // Containers' processes become children of this one, which so learns how they ended.
        // SAFETY: sets a flag of this process.
        unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1) };
        Ok(Ready { tool: self.tool(place), exec: self.exec })
    }
}

/// An OCI runtime that can be called.
struct Ready {
    tool: Tool,
    exec: bool,
}

impl Engine for Ready {
    fn load(&self, artifact: &Path) -> Result<Box<dyn Module>, Failure> {
        let root = Arc::new(Root(make_root(artifact)?));
        if !self.exec {
            return Ok(Box::new(Fresh { tool: self.tool.clone(), root, broken: Arc::default() }));
        }
        let keeper = Running { tool: self.tool.clone(), root, container: Slot::default() };
        keeper.container()?;
        Ok(Box::new(keeper))
    }

    fn pss_bytes(&self) -> Option<u64> {
        crate::weigh::pss_bytes(Place::get().ok()?.name(), "")
    }
}

/// A container that was made, with the process that it is, where that is ours to wait for.
struct Container {
    tool: Tool,
    bundle: Bundle,
    first: Option<First>,
    deleted: bool,
}

/// A container's first process.
struct First {
    id: i32,
    fd: OwnedFd,
    reaped: bool,
}

impl First {
    fn find(pid_file: &Path) -> Result<First, Failure> {
        let text = fs::read_to_string(pid_file).unwrap_or_default();
        let id: i32 = text.trim().parse().map_err(|_| Failure::host("the container has no process"))?;
        let pid = Pid::from_raw(id).ok_or_else(|| Failure::host("the container has no process"))?;
        let fd = pidfd_open(pid, PidfdFlags::empty());
        let fd = fd.map_err(|e| Failure::host(format!("the container's process {id}: {}", io::Error::from(e))))?;
        Ok(First { id, fd, reaped: false })
    }

    /// Waits for its end, which is near.
    fn reap(&mut self) -> Option<(Status, u64)> {
        self.reaped = true;
        let (mut status, mut usage) = (0, unsafe_zeroed());
        // SAFETY: waits for a process by its number, which it keeps until then.
        let waited = unsafe { libc::wait4(self.id, &mut status, libc::__WALL, &mut usage) };
        (waited == self.id).then(|| (Status::of(status), usage.ru_maxrss as u64 * 1024))
    }

    fn kill(&mut self) {
        if !self.reaped {
            // SAFETY: a signal to a process that was not waited for yet.
            unsafe { libc::kill(self.id, libc::SIGKILL) };
            self.reap_all();
        }
    }

    /// Waits for its end, which comes when all that ran in the container is waited for. What was executed in it became a
    /// child of this process when the program that executed it was killed.
    fn reap_all(&mut self) {
        self.reaped = true;
        let until = Instant::now() + CALL;
        let mut status = 0;
        // SAFETY: waits for a process by its number, which it keeps until then.
        while unsafe { libc::waitpid(self.id, &mut status, libc::WNOHANG | libc::__WALL) } == 0 {
            if Instant::now() >= until {
                return;
            }
            for stray in strays() {
                // SAFETY: as above.
                unsafe { libc::waitpid(stray, &mut status, libc::WNOHANG | libc::__WALL) };
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

fn unsafe_zeroed() -> libc::rusage {
    // SAFETY: a structure of numbers.
    unsafe { std::mem::zeroed() }
}

impl Container {
    /// `create`: all but the function's first instruction.
    fn create(tool: &Tool, bundle: Bundle, streams: Streams) -> Result<(Container, Listening), Failure> {
        let pid_file = bundle.pid_file();
        let (pid_path, log) = (pid_file.to_str().unwrap_or_default(), bundle.folder.0.join("log"));
        // Its standard streams become the container's; what it has to say goes into a file.
        let log_option = ["--log", log.to_str().unwrap_or_default()];
        let log_tool = tool.with(log_option);
        let arguments = ["create", "--bundle", bundle.path(), "--pid-file", pid_path, bundle.id.as_str()];
        let command = log_tool.command(arguments)?;
        let (child, mut listening) = streams.start(&command)?;
        let mut last = Instant::now();
        let stopped = listening.until_end(child.fd.as_fd(), Some(last + CALL), &mut last);
        // Of its group may be what the container needs: gVisor's processes are.
        let (status, _) = if stopped == Stopped::Ended { child.wait() } else { child.reap() };
        let mut container = Container { tool: tool.clone(), bundle, first: None, deleted: false };
        if stopped != Stopped::Ended || status != Status::Exit(0) {
            let said = fs::read(&log).unwrap_or_default();
            let (_, stderr) = listening.rest();
            let said = if said.is_empty() { stderr } else { said };
            return Err(Failure::host(format!("{} create failed ({status}){}", tool.name(), last_line(&said))));
        }
        // gVisor's process is not the function's.
        if tool.name() != "runsc" {
            container.first = Some(First::find(&pid_file)?);
        }
        Ok((container, listening))
    }

    fn start(&self) -> Result<(), Failure> {
        self.tool.call(&["start", &self.bundle.id]).map(drop)
    }

    /// Listens until the function ends.
    fn wait(&mut self, listening: &mut Listening, limits: &Limits, since: Instant) -> Result<Finished, Failure> {
        let until = since.checked_add(Duration::from_nanos(limits.wall_time_ns));
        let mut last = since;
        let first = self.first.as_mut().ok_or_else(|| Failure::host("the container has no process of its own"))?;
        end_of(listening.until_end(first.fd.as_fd(), until, &mut last), limits)?;
        let reaped = first.reap().ok_or_else(|| Failure::host("the container's process is not ours to wait for"))?;
        let (status, max_rss_bytes) = reaped;
        let (stdout, stderr) = listening.rest();
        end_of(if listening.flooded() { Stopped::OutputLimit } else { Stopped::Ended }, limits)?;
        let end = Instant::now();
        let elapsed_ns = isobar_core::measure::nanoseconds(end - since);
        Ok(Finished { status, stdout, stderr, max_rss_bytes, elapsed_ns, silent: end - last })
    }

    /// `delete`, whatever runs in it.
    fn delete(&mut self) -> Result<(), Failure> {
        if std::mem::replace(&mut self.deleted, true) {
            return Ok(());
        }
        if let Some(first) = &mut self.first {
            first.kill();
        }
        let delete = || self.tool.call(&["delete", "--force", &self.bundle.id]).map(drop);
        if self.tool.name() != "runsc" {
            return delete();
        }
        let deleted = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !deleted.load(Ordering::Relaxed) {
                    reap_gvisor();
                    std::thread::sleep(Duration::from_millis(2));
                }
            });
            let result = delete();
            deleted.store(true, Ordering::Relaxed);
            result
        })
    }
}

/// How long a program may take to make a container.
const CALL: Duration = Duration::from_secs(10);

impl Drop for Container {
    fn drop(&mut self) {
        // Whoever needs to know called it before.
        let _ = self.delete();
    }
}

/// A module whose invocations get a container each.
struct Fresh {
    tool: Tool,
    root: Arc<Root>,
    /// Why the last clean-up failed: no further invocation is to be believed.
    broken: Arc<Mutex<Option<Failure>>>,
}

impl Module for Fresh {
    fn instantiate(&self, invocation: &Invocation) -> Result<Box<dyn Instance>, Failure> {
        if let Some(failure) = self.broken.lock().unwrap_or_else(PoisonError::into_inner).clone() {
            return Err(failure);
        }
        let bundle = Bundle::make(&self.root, Start::Function(invocation))?;
        let streams = Streams::open(&invocation.stdin, &invocation.limits)?;
        if self.tool.name() == "runsc" {
            let (tool, limits) = (self.tool.clone(), invocation.limits);
            return Ok(Box::new(Whole { tool, bundle, streams: Some(streams), limits, left: false }));
        }
        let (container, listening) = Container::create(&self.tool, bundle, streams)?;
        Ok(Box::new(Created { container, listening, limits: invocation.limits, broken: self.broken.clone() }))
    }
}

/// A container that is made, started and deleted by one call: once it ended, gVisor no longer tells how.
struct Whole {
    tool: Tool,
    bundle: Bundle,
    streams: Option<Streams>,
    limits: Limits,
    /// The call was killed, and its container was not.
    left: bool,
}

impl Whole {
    fn run(&mut self) -> Result<Finished, Failure> {
        let streams = self.streams.take().ok_or_else(|| Failure::host("the container was started already"))?;
        let command = self.tool.command(["run", "--bundle", self.bundle.path(), &self.bundle.id])?;
        let finished = run_with(&command, streams, &self.limits);
        self.left = finished.is_err();
        let finished = finished?;
        gone(&finished)?;
        Ok(finished)
    }
}

impl Drop for Whole {
    fn drop(&mut self) {
        if self.left {
            let _ = self.tool.call(&["delete", "--force", &self.bundle.id]);
        }
    }
}

impl Instance for Whole {
    fn execute(&mut self) -> Result<Outcome, Failure> {
        outcome(self.run()?, &self.limits)
    }
}

/// A container that was not started yet.
struct Created {
    container: Container,
    listening: Listening,
    limits: Limits,
    broken: Arc<Mutex<Option<Failure>>>,
}

impl Instance for Created {
    fn execute(&mut self) -> Result<Outcome, Failure> {
        let since = Instant::now();
        self.container.start()?;
        let finished = self.container.wait(&mut self.listening, &self.limits, since)?;
        outcome(finished, &self.limits)
    }
}

impl Drop for Created {
    fn drop(&mut self) {
        if let Err(failure) = self.container.delete() {
            *self.broken.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
        }
    }
}

/// A module whose invocations are executed in one container, which is made anew when one of them had to be killed.
struct Running {
    tool: Tool,
    root: Arc<Root>,
    container: Slot,
}

/// The container that runs, if one does.
type Slot = Arc<Mutex<Option<Arc<Container>>>>;

impl Running {
    fn container(&self) -> Result<Arc<Container>, Failure> {
        let mut slot = self.container.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(container) = &*slot {
            return Ok(container.clone());
        }
        let bundle = Bundle::make(&self.root, Start::Pause)?;
        let (container, _) = Container::create(&self.tool, bundle, Streams::open(b"", &Limits::default())?)?;
        container.start()?;
        Ok(slot.insert(Arc::new(container)).clone())
    }
}

impl Module for Running {
    fn instantiate(&self, invocation: &Invocation) -> Result<Box<dyn Instance>, Failure> {
        Ok(Box::new(self.exec(invocation)?))
    }
}

impl Running {
    fn exec(&self, invocation: &Invocation) -> Result<Exec, Failure> {
        let container = self.container()?;
        let description = Root(Place::get()?.new_folder("exec")?);
        let file = description.0.join("process.json");
        let failed = |e: io::Error| Failure::host(format!("{}: {e}", file.display()));
        fs::write(&file, process(&Start::Function(invocation)).to_string()).map_err(failed)?;
        let pid_file = description.0.join("pid");
        let paths = [&file, &pid_file].map(|path| path.to_str().unwrap_or_default());
        let command =
            self.tool.command(["exec", "--process", paths[0], "--pid-file", paths[1], &container.bundle.id])?;
        let (invocation, slot) = (invocation.clone(), self.container.clone());
        let (tool, root) = (self.tool.clone(), self.root.clone());
        let staying = None;
        Ok(Exec { command, invocation, slot, container, pid_file, tool, root, staying, _description: description })
    }
}

/// An invocation in a container that runs.
struct Exec {
    command: crate::spawn::Command,
    invocation: Invocation,
    slot: Slot,
    container: Arc<Container>,
    /// Where the tool writes the number of the function's process.
    pid_file: PathBuf,
    tool: Tool,
    root: Arc<Root>,
    /// A container of its own that has answered and waits.
    staying: Option<Arc<Container>>,
    _description: Root,
}

impl Instance for Exec {
    fn execute(&mut self) -> Result<Outcome, Failure> {
        let limits = &self.invocation.limits;
        let finished = run(&self.command, &self.invocation.stdin, limits);
        if finished.is_err() {
            // The tool was killed, but not what it started in the container, which is given up with it.
            end_adopted(&self.pid_file);
            let mut slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
            if slot.as_ref().is_some_and(|container| Arc::ptr_eq(container, &self.container)) {
                *slot = None;
            }
        }
        outcome(finished?, limits)
    }

    /// What stays is a container of its own: in the one that runs there would be nothing of the function left.
    fn execute_and_stay(&mut self) -> Result<Outcome, Failure> {
        let running = Running { tool: self.tool.clone(), root: self.root.clone(), container: Slot::default() };
        let outcome = running.exec(&self.invocation)?.execute()?;
        self.staying = Some(running.container()?);
        Ok(outcome)
    }
}

/// Ends the process whose number is in a file, if it became ours when its parent ended. As long as nobody has waited for it,
/// the first process of its container cannot end either.
fn end_adopted(pid_file: &Path) {
    let number = fs::read_to_string(pid_file).ok().and_then(|text| text.trim().parse::<i32>().ok());
    let Some(id) = number.filter(|id| *id > 0) else { return };
    let mut status = 0;
    // SAFETY: a signal goes to a child that was not waited for yet, and to no other process: the number is its until then.
    unsafe {
        if libc::waitpid(id, &mut status, libc::WNOHANG | libc::__WALL) == 0 {
            libc::kill(id, libc::SIGKILL);
            libc::waitpid(id, &mut status, libc::__WALL);
        }
    }
}

impl Drop for Ready {
    fn drop(&mut self) {
        // Of those that were deleted nothing is left but the group that they were in.
        if let Ok(place) = Place::get() {
            remove_cgroups(place.name(), 1);
        }
    }
}
