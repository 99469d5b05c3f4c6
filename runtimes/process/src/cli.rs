//! Containers by an engine with a command line, podman or docker: from an image or a root that isobar makes, never from a
//! registry.

use crate::collect::{Finished, Status, Streams, outcome, run, run_with};
use crate::native;
use crate::oci::gone;
use crate::place::{Place, Root, make_root, own_mounts};
use crate::tool::{FUNCTION, PAUSE, Tool, last_line};
use isobar_core::{Engine, Failure, Instance, Invocation, Module, Once, Outcome, Runtime, RuntimeInfo};
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// A container engine.
pub(crate) struct Cli {
    info: RuntimeInfo,
    tool: Tool,
    exec: bool,
}

impl Cli {
    /// A fresh container for each invocation.
    pub(crate) fn fresh(tool: Tool, version: &str) -> Cli {
        let how = "a fresh one for every invocation: create, start, rm";
        Cli { info: native::container(&tool, version, how, WALLS, false), tool, exec: false }
    }

    /// Invocations are executed in a container that runs.
    pub(crate) fn exec(tool: Tool, version: &str) -> Cli {
        let how = "one that runs; every invocation is executed in it";
        Cli { info: native::container(&tool, version, how, WALLS, true), tool, exec: true }
    }

    fn ready(&self) -> Result<Ready, Failure> {
        let place = Place::get()?;
        own_mounts()?;
        let state = place.path().join(self.tool.name());
        fs::create_dir_all(&state).map_err(|e| Failure::host(format!("{}: {e}", state.display())))?;
        Ok(Ready { tool: with_state(&self.tool, &state), label: format!("isobar={}", place.name()), exec: self.exec })
    }
}

const WALLS: (&str, &str) = ("walls", "the engine's own, without a network; a read-only root");

/// Podman keeps its containers in our folder, and so nobody else's are ever touched. Docker's daemon keeps its own.
fn with_state(tool: &Tool, state: &Path) -> Tool {
    if tool.name() != "podman" {
        return tool.clone();
    }
    let below = |name: &str| state.join(name).to_string_lossy().into_owned();
    let options = ["--root", &below("storage"), "--runroot", &below("run"), "--tmpdir", &below("tmp")];
    let quiet = ["--cgroup-manager=cgroupfs", "--events-backend=none", "--storage-driver=vfs", "--log-level=error"];
    tool.with(options.into_iter().chain(quiet)).with_env("HOME", &state.to_string_lossy())
}

/// Ends and removes the containers and images that were made for a folder.
pub(crate) fn sweep(folder: &Path, name: &str) {
    let state = folder.join("podman");
    if let Some(podman) = Tool::find("podman").filter(|_| state.is_dir()) {
        let _ = own_mounts();
        let _ = with_state(&podman, &state).call(&["rm", "--force", "--all", "--time=0"]);
    }
    if let Some(docker) = Tool::find("docker").filter(|_| folder.join("docker").is_dir()) {
        let label = format!("label=isobar={name}");
        for id in docker.call(&["ps", "-aq", "--filter", &label]).unwrap_or_default().split_whitespace() {
            let _ = docker.call(&["rm", "--force", id]);
        }
        let images = format!("{IMAGES}/{name}");
        for id in docker.call(&["images", "-q", &images]).unwrap_or_default().split_whitespace() {
            let _ = docker.call(&["rmi", "--force", id]);
        }
    }
}

/// How the names of images begin.
const IMAGES: &str = "localhost/isobar";

impl Runtime for Cli {
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
        let image = self.ready()?.image(artifact)?;
        let name = format!("{}-{}", Place::get()?.name(), Place::get()?.new_name("once"));
        let own = ["--rm".to_owned(), format!("--name={name}")];
        let arguments = image.arguments("run", &own, Some(invocation));
        let command = image.tool.command(arguments.iter().map(String::as_str))?;
        let streams = Streams::open(&invocation.stdin, &invocation.limits)?;
        let finished = run_with(&command, streams, &invocation.limits);
        if finished.is_err() {
            // The tool was killed, and its container was not.
            let _ = remove(&image.tool, &name);
        }
        let finished = finished?;
        complained(&image.tool, &finished)?;
        gone(&finished)?;
        if image.tool.call(&["container", "inspect", &name]).is_ok() {
            let _ = remove(&image.tool, &name);
            return Err(Failure::host(format!("{} run --rm left its container behind", image.tool.name())));
        }
        native::once(finished, &invocation.limits)
    }
}

/// Refuses an answer of the engine itself. Its own exit codes are 125 to 127; and it may end with 0 although it could not
/// clean up, of which its log tells.
fn complained(tool: &Tool, finished: &Finished) -> Result<(), Failure> {
    let stderr = String::from_utf8_lossy(&finished.stderr);
    let own = ["Error: ", "Error response", "docker: ", "time=\"", "ERRO["];
    let line = stderr.lines().find(|line| own.iter().any(|start| line.starts_with(start)));
    let failed = matches!(finished.status, Status::Exit(125..=127));
    match line {
        Some(line) if failed || line.contains("level=error") || line.starts_with("ERRO[") => {
            Err(Failure::host(format!("{}{}", tool.name(), last_line(line.as_bytes()))))
        }
        _ => Ok(()),
    }
}

/// An engine that can be called.
struct Ready {
    tool: Tool,
    /// What our containers are known by.
    label: String,
    exec: bool,
}

/// What containers are made of.
struct Image {
    tool: Tool,
    label: String,
    /// The options that name it, and its root where that must stay.
    from: Vec<String>,
    _root: Root,
}

impl Ready {
    fn image(&self, artifact: &Path) -> Result<Image, Failure> {
        let root = Root(make_root(artifact)?);
        let path = root.0.to_string_lossy().into_owned();
        let from = if self.tool.name() == "podman" {
            vec!["--rootfs".to_owned(), path]
        } else {
            let (place, archive) = (Place::get()?, format!("{path}.tar"));
            let tag = format!("{IMAGES}/{}:{}", place.name(), place.new_name("image"));
            let tar = Tool::find("tar").ok_or_else(|| Failure::host("tar is not here; install it"))?;
            tar.call(&["-C", &path, "-cf", &archive, "."])?;
            let imported = self.tool.call(&["import", &archive, &tag]);
            let _ = fs::remove_file(&archive);
            imported?;
            vec![tag]
        };
        Ok(Image { tool: self.tool.clone(), label: self.label.clone(), from, _root: root })
    }
}

impl Image {
    /// The arguments of `create` or `run`: of the function, or of the program that waits.
    fn arguments(&self, what: &str, own: &[String], invocation: Option<&Invocation>) -> Vec<String> {
        let limits = invocation.map_or_else(Default::default, |invocation| invocation.limits);
        let bytes = limits.memory_bytes;
        let mut arguments = vec![what.to_owned()];
        arguments.extend(own.iter().cloned());
        // Nobody reads a log, and what a function prints would be written twice.
        let options = ["--interactive", "--network=none", "--log-driver=none", "--read-only", "--label", &self.label];
        arguments.extend(options.map(str::to_owned));
        // Raising limits is refused in many guests: these are below what anybody has.
        let ulimits = [format!("data={bytes}:{bytes}"), "nofile=1024:1024".to_owned(), "nproc=1024:1024".to_owned()];
        arguments.extend(ulimits.map(|limit| format!("--ulimit={limit}")));
        if let (true, Some((_, name))) = (self.tool.name() == "podman", self.label.split_once('=')) {
            // Where the guardian looks for groups that are left.
            arguments.push(format!("--cgroup-parent=/{name}"));
        }
        let env = invocation.iter().flat_map(|invocation| &invocation.env);
        arguments.extend(env.map(|(name, value)| format!("--env={name}={value}")));
        arguments.extend(self.from.iter().cloned());
        arguments.push(format!("/{}", if invocation.is_some() { FUNCTION } else { PAUSE }));
        arguments.extend(invocation.iter().flat_map(|invocation| invocation.args.iter().cloned()));
        arguments
    }

    fn create(&self, invocation: Option<&Invocation>) -> Result<Container, Failure> {
        let arguments = self.arguments("create", &[], invocation);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let id = self.tool.call(&arguments)?.trim().to_owned();
        Ok(Container { tool: self.tool.clone(), id, removed: false })
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        if let [tag] = self.from.as_slice() {
            // What is left is found by its name, later.
            let _ = self.tool.call(&["rmi", "--force", tag]);
        }
    }
}

/// A container that is removed, whatever runs in it.
struct Container {
    tool: Tool,
    id: String,
    removed: bool,
}

impl Container {
    fn remove(&mut self) -> Result<(), Failure> {
        if std::mem::replace(&mut self.removed, true) {
            return Ok(());
        }
        remove(&self.tool, &self.id)
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        // Whoever needs to know called it before.
        let _ = self.remove();
    }
}

impl Engine for Ready {
    fn load(&self, artifact: &Path) -> Result<Box<dyn Module>, Failure> {
        let image = self.image(artifact)?;
        if !self.exec {
            return Ok(Box::new(Fresh { image, broken: Arc::default() }));
        }
        let running = Running { image: Arc::new(image), container: Slot::default() };
        running.container()?;
        Ok(Box::new(running))
    }

    fn pss_bytes(&self) -> Option<u64> {
        crate::weigh::pss_bytes(Place::get().ok()?.name(), self.tool.name())
    }
}

/// An image whose invocations get a container each.
struct Fresh {
    image: Image,
    /// Why the last clean-up failed: no further invocation is to be believed.
    broken: Arc<Mutex<Option<Failure>>>,
}

impl Module for Fresh {
    fn instantiate(&self, invocation: &Invocation) -> Result<Box<dyn Instance>, Failure> {
        if let Some(failure) = self.broken.lock().unwrap_or_else(PoisonError::into_inner).clone() {
            return Err(failure);
        }
        let container = self.image.create(Some(invocation))?;
        Ok(Box::new(Created { container, invocation: invocation.clone(), broken: self.broken.clone() }))
    }
}

/// A container that was not started yet.
struct Created {
    container: Container,
    invocation: Invocation,
    broken: Arc<Mutex<Option<Failure>>>,
}

impl Instance for Created {
    fn execute(&mut self) -> Result<Outcome, Failure> {
        let Container { tool, id, .. } = &self.container;
        let limits = &self.invocation.limits;
        let command = tool.command(["start", "--attach", "--interactive", id])?;
        let finished = run(&command, &self.invocation.stdin, limits)?;
        complained(tool, &finished)?;
        gone(&finished)?;
        outcome(finished, limits)
    }
}

impl Drop for Created {
    fn drop(&mut self) {
        if let Err(failure) = self.container.remove() {
            *self.broken.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
        }
    }
}

/// Removes a container without waiting for it to end by itself.
fn remove(tool: &Tool, id: &str) -> Result<(), Failure> {
    let at_once = (tool.name() == "podman").then_some("--time=0");
    let arguments: Vec<&str> = ["rm", "--force"].into_iter().chain(at_once).chain([id]).collect();
    tool.call(&arguments).map(drop)
}

/// The container that runs, if one does.
type Slot = Arc<Mutex<Option<Arc<Container>>>>;

/// An image whose invocations are executed in one container, which is made anew when one of them had to be killed.
struct Running {
    // Dropped before the image.
    container: Slot,
    image: Arc<Image>,
}

impl Running {
    fn container(&self) -> Result<Arc<Container>, Failure> {
        let mut slot = self.container.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(container) = &*slot {
            return Ok(container.clone());
        }
        let container = self.image.create(None)?;
        container.tool.call(&["start", &container.id])?;
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
        let (container, invocation, image) = (self.container()?, invocation.clone(), self.image.clone());
        Ok(Exec { container, slot: self.container.clone(), invocation, staying: None, image })
    }
}

/// An invocation in a container that runs.
struct Exec {
    container: Arc<Container>,
    slot: Slot,
    invocation: Invocation,
    /// A container of its own that has answered and waits; dropped before the image.
    staying: Option<Arc<Container>>,
    image: Arc<Image>,
}

impl Instance for Exec {
    fn execute(&mut self) -> Result<Outcome, Failure> {
        let (Container { tool, id, .. }, Invocation { args, env, stdin, limits }) =
            (&*self.container, &self.invocation);
        let env: Vec<String> = env.iter().map(|(name, value)| format!("--env={name}={value}")).collect();
        let function = format!("/{FUNCTION}");
        let first = ["exec", "--interactive"].into_iter().chain(env.iter().map(String::as_str));
        let arguments = first.chain([id.as_str(), &function]).chain(args.iter().map(String::as_str));
        let finished = run(&tool.command(arguments)?, stdin, limits);
        if finished.is_err() {
            // The tool was killed, but not what it started in the container, which is given up with it.
            let mut slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
            if slot.as_ref().is_some_and(|container| Arc::ptr_eq(container, &self.container)) {
                *slot = None;
            }
        }
        let finished = finished?;
        complained(tool, &finished)?;
        outcome(finished, limits)
    }

    /// What stays is a container of its own: in the one that runs there would be nothing of the function left.
    fn execute_and_stay(&mut self) -> Result<Outcome, Failure> {
        let running = Running { container: Slot::default(), image: self.image.clone() };
        let outcome = running.exec(&self.invocation)?.execute()?;
        self.staying = Some(running.container()?);
        Ok(outcome)
    }
}
