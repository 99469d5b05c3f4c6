//! The runtime trait: what an adapter implements, in the words of the phases that a platform pays for.
//!
//! | phase | when a platform pays | here |
//! | --- | --- | --- |
//! | engine | once per node | [`Runtime::engine`] |
//! | compile | once per deploy | [`Engine::compile`] |
//! | load | once per node and function | [`Engine::load`] |
//! | instantiate | every invocation | [`Module::instantiate`] |
//! | execute | every invocation | [`Instance::execute`] |
//! | teardown | every invocation | dropping the instance |

use crate::contract::{Failure, Invocation, Outcome};
use crate::measure::{Budget, MeasureError, Measurement, ScenarioId, Task, nanoseconds};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::time::Instant;

/// A runtime in one mode: `wasmtime/cranelift-aot+pooling`. Making one costs nothing; [`Runtime::engine`] starts it.
pub trait Runtime: Send + Sync {
    /// What it is, and how it is set.
    fn info(&self) -> &RuntimeInfo;

    /// Creates the runtime: the `engine` phase.
    fn engine(&self) -> Result<Box<dyn Engine>, Failure>;

    /// Makes what isobar's own adapter needs once in a process, and no platform would pay for: it comes before what is timed.
    fn prepare(&self) -> Result<(), Failure> {
        Ok(())
    }

    /// Everything from nothing to an answer, once. Where the runtime lives in a program of its own, this starts it.
    fn run_once(&self, artifact: &Path, invocation: &Invocation) -> Result<Once, Failure> {
        let start = Instant::now();
        let outcome = self.engine()?.load(artifact)?.instantiate(invocation)?.execute()?;
        Ok(Once { outcome, elapsed_ns: nanoseconds(start.elapsed()), peak_rss_bytes: None })
    }

    /// Starts a server that answers requests for a function, and waits until it listens: for runtimes that are servers.
    /// It answers GET and POST: the query of a request is the function's environment, its body the function's input, and
    /// the body of the answer is the function's output.
    ///
    /// # Errors
    /// The runtime is no server, or cannot serve the function.
    fn serve(&self, artifact: &Path, invocation: &Invocation) -> Result<Box<dyn Server>, Failure> {
        let _ = (artifact, invocation);
        Err(Failure::host(format!("{} is no server", self.info().id)))
    }

    /// The program that the runtime lives in, if that is not this one.
    fn remote(&self) -> Option<&dyn Remote> {
        None
    }
}

/// What [`Runtime::run_once`] gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Once {
    /// The answer.
    pub outcome: Outcome,
    /// From the start to the answer, in nanoseconds; what is released afterwards does not count.
    pub elapsed_ns: u64,
    /// The largest resident size of the process that was started for it, in bytes, where there is one and the system
    /// tells.
    pub peak_rss_bytes: Option<u64>,
}

/// A server that a runtime started. Dropping it ends it.
pub trait Server: Send {
    /// Where it answers for the function, without a query: `http://127.0.0.1:4711/path`.
    fn url(&self) -> &str;

    /// From spawning it until it listened, in nanoseconds.
    fn listening_ns(&self) -> u64;
}

/// A runtime that lives in a program of its own.
pub trait Remote {
    /// Measures a function in that program, in a new process.
    ///
    /// # Errors
    /// The first invocation that fails or answers wrongly, or what became of the process.
    fn measure(&self, scenario: ScenarioId, task: &Task, budget: &Budget) -> Result<Measurement, MeasureError>;

    /// The same runtime, its program started by another one that takes a command: `valgrind`, with its arguments. Such a
    /// program is left the time to end by itself.
    fn under(&self, launcher: &[OsString]) -> Box<dyn Runtime>;
}

/// A runtime that was created.
pub trait Engine: Send + Sync {
    /// Compiles ahead of time: reads the module `wasm` (binary or text) and writes what [`Engine::load`] wants to
    /// `artifact`. Modes that do not compile ahead of time copy the module.
    fn compile(&self, wasm: &Path, artifact: &Path) -> Result<(), Failure> {
        let bytes = crate::inspect::read_module(wasm)?;
        write_artifact(artifact, &bytes)
    }

    /// Brings a stored artifact into memory, so that it can be instantiated any number of times. In modes that do not
    /// compile ahead of time the artifact is the module itself, binary or text.
    fn load(&self, artifact: &Path) -> Result<Box<dyn Module>, Failure>;

    /// The process that its functions run in, by its number: this one, or a runner.
    fn process_id(&self) -> u32 {
        std::process::id()
    }

    /// The proportional set size of all that lives of it and its functions, in bytes, where the system tells: that of this
    /// process, if nothing of theirs is outside.
    fn pss_bytes(&self) -> Option<u64> {
        crate::process::memory().pss_bytes
    }
}

/// A module in memory. It outlives the [`Engine`] that made it.
pub trait Module: Send + Sync {
    /// Makes a fresh sandbox for one invocation, imports linked and WASI state built.
    fn instantiate(&self, invocation: &Invocation) -> Result<Box<dyn Instance>, Failure>;
}

/// A sandbox for one invocation. Dropping it is the `teardown` phase. It stays on the thread that made it.
pub trait Instance {
    /// Runs `_start` to its end and collects the output. It is called once.
    fn execute(&mut self) -> Result<Outcome, Failure>;

    /// As [`Instance::execute`], and what ran stays in memory until this is dropped. Where executing leaves the sandbox
    /// as it is, that is the same.
    fn execute_and_stay(&mut self) -> Result<Outcome, Failure> {
        self.execute()
    }
}

/// Writes an artifact, so that a reader finds all of it or nothing.
pub fn write_artifact(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let partial = path.with_extension(format!("partial-{}", std::process::id()));
    std::fs::write(&partial, bytes)
        .and_then(|()| std::fs::rename(&partial, path))
        .map_err(|e| Failure::host(format!("cannot write the artifact {}: {e}", path.display())))
}

/// What a runtime is and how it is set, for results and for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RuntimeInfo {
    /// `runtime/mode+variant`.
    pub id: RuntimeId,
    /// The version of the runtime.
    pub version: String,
    /// Which WASI library serves the function, with its version.
    pub wasi: String,
    /// How what is loaded becomes something that runs.
    pub execution: Execution,
    /// Whether several threads may run instances of one module at once.
    pub concurrent: bool,
    /// Who enforces an invocation's limits.
    pub enforcement: Enforcement,
    /// The WebAssembly proposals that are enabled, by the names in [`crate::inspect::PROPOSALS`].
    pub proposals: Vec<String>,
    /// Everything else that was set: stack depth, compile threads, optimisation level.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    /// What stands between a function and its host.
    #[serde(default, skip_serializing_if = "Class::is_wasm")]
    pub class: Class,
    /// What it loads.
    #[serde(default, skip_serializing_if = "Form::is_wasm")]
    pub form: Form,
    /// The names of the scenarios that it can be measured in, if those are not isobar's to choose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scenarios: Option<Vec<String>>,
    /// Whether every invocation starts a process of its own. A process cold start is then that process', from spawning it
    /// to the last byte and its end, without the runner's own start.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own_process: bool,
    /// Whether it runs on a machine that is emulated in software: it is no comparison for anything that is not, and measured
    /// only where its name is asked for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub emulated: bool,
}

impl RuntimeInfo {
    /// A WebAssembly runtime that interprets and leaves every limit to the process: what an adapter fills in.
    pub fn wasm(id: RuntimeId) -> Self {
        RuntimeInfo {
            id,
            version: String::new(),
            wasi: "none".to_owned(),
            execution: Execution::Interpreter,
            concurrent: false,
            enforcement: Enforcement {
                wall_time: Enforcer::Process,
                memory: Enforcer::Process,
                stack: Enforcer::Process,
            },
            proposals: Vec::new(),
            settings: BTreeMap::new(),
            class: Class::Wasm,
            form: Form::Wasm,
            scenarios: None,
            own_process: false,
            emulated: false,
        }
    }

    /// Why a scenario of this name cannot be measured in it, as far as it says itself which can.
    pub fn refusal(&self, scenario: &str) -> Option<String> {
        let offered = self.scenarios.as_ref().is_none_or(|offered| offered.iter().any(|name| name == scenario));
        (!offered).then(|| "the runtime does not offer it".to_owned())
    }
}

/// What stands between a function and its host. Numbers of two classes are different quantities even where a scenario has
/// one name for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// A WebAssembly sandbox.
    #[default]
    Wasm,
    /// A process, and nothing else.
    Process,
    /// A process in namespaces of its own.
    Sandbox,
    /// A container, made by an OCI runtime.
    Container,
    /// An isolate or a context of a JavaScript engine.
    Isolate,
    /// A server that is asked over HTTP.
    Server,
    /// A virtual machine of its own.
    Microvm,
}

impl Class {
    /// Its name in records.
    pub fn name(self) -> &'static str {
        match self {
            Class::Wasm => "wasm",
            Class::Process => "process",
            Class::Sandbox => "sandbox",
            Class::Container => "container",
            Class::Isolate => "isolate",
            Class::Server => "server",
            Class::Microvm => "microvm",
        }
    }

    fn is_wasm(&self) -> bool {
        *self == Class::Wasm
    }
}

/// What a runtime loads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// The module.
    #[default]
    Wasm,
    /// The function's statically linked executable.
    Native,
    /// The function as a shared library, which exports [`crate::contract::LIBRARY_CALL`].
    Library,
    /// The function's source in JavaScript: an ES module whose default export is called once.
    Javascript,
    /// The function as a component for `wasi:http`: the query is its environment, and the answer's body its output.
    Component,
}

impl Form {
    /// Its name in records.
    pub fn name(self) -> &'static str {
        match self {
            Form::Wasm => "wasm",
            Form::Native => "native",
            Form::Library => "library",
            Form::Javascript => "javascript",
            Form::Component => "component",
        }
    }

    fn is_wasm(&self) -> bool {
        *self == Form::Wasm
    }
}

/// How what is loaded becomes something that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Execution {
    /// Compiled when loaded.
    Jit,
    /// Compiled ahead of time; loading maps the result.
    Aot,
    /// Interpreted.
    Interpreter,
    /// Machine code before isobar sees it.
    Native,
}

/// Who enforces each limit. The output limit is always enforced where the output is collected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Enforcement {
    /// [`crate::Limits::wall_time_ns`].
    pub wall_time: Enforcer,
    /// [`crate::Limits::memory_bytes`].
    pub memory: Enforcer,
    /// Runaway recursion.
    pub stack: Enforcer,
}

/// Who enforces a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Enforcer {
    /// The engine, which ends the one invocation.
    Engine,
    /// The runner process: it is killed, or runs into its own resource limit.
    Process,
}

/// The name of a runtime in one mode: `runtime/mode`, or `runtime/mode+variant`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(extend("pattern" = r"^[a-z0-9-]+/[a-z0-9-]+(\+[a-z0-9-]+)*$")))]
#[serde(try_from = "String", into = "String")]
pub struct RuntimeId {
    text: String,
}

/// A text that is not `runtime/mode` or `runtime/mode+variant`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a runtime: write runtime/mode or runtime/mode+variant, as in wasmtime/cranelift-aot+pooling")]
pub struct BadRuntimeId(String);

impl RuntimeId {
    /// Builds the name.
    ///
    /// # Panics
    /// When a part is empty or holds other characters than `a-z0-9-`: names are written in an adapter's source.
    pub fn new(family: &str, mode: &str, variants: &[&str]) -> Self {
        let mut text = format!("{family}/{mode}");
        for variant in variants {
            text.push('+');
            text.push_str(variant);
        }
        text.parse().expect("the parts of a runtime's name are lower-case words")
    }

    /// The runtime: `wasmtime`.
    pub fn family(&self) -> &str {
        self.text.split_once('/').map_or("", |(family, _)| family)
    }

    /// The mode: `cranelift-aot`.
    pub fn mode(&self) -> &str {
        let rest = self.text.split_once('/').map_or("", |(_, rest)| rest);
        rest.split_once('+').map_or(rest, |(mode, _)| mode)
    }

    /// The variants: `pooling`. Without any, the runtime is in its plain mode.
    pub fn variants(&self) -> impl Iterator<Item = &str> {
        self.text.split('+').skip(1)
    }

    /// Whether this variant is on.
    pub fn has(&self, variant: &str) -> bool {
        self.variants().any(|v| v == variant)
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for RuntimeId {
    type Err = BadRuntimeId;

    fn from_str(text: &str) -> Result<Self, BadRuntimeId> {
        let word =
            |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        match text.split_once('/') {
            Some((family, rest)) if word(family) && rest.split('+').all(word) => {
                Ok(RuntimeId { text: text.to_owned() })
            }
            _ => Err(BadRuntimeId(text.to_owned())),
        }
    }
}

impl TryFrom<String> for RuntimeId {
    type Error = BadRuntimeId;

    fn try_from(text: String) -> Result<Self, BadRuntimeId> {
        text.parse()
    }
}

impl From<RuntimeId> for String {
    fn from(id: RuntimeId) -> String {
        id.text
    }
}

impl fmt::Display for RuntimeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_parts() {
        let id: RuntimeId = "wasmtime/cranelift-aot+pooling+shared-wasi".parse().unwrap();
        assert_eq!((id.family(), id.mode()), ("wasmtime", "cranelift-aot"));
        assert_eq!(id.variants().collect::<Vec<_>>(), ["pooling", "shared-wasi"]);
        assert!(id.has("pooling") && !id.has("cranelift-aot"));
        assert_eq!(RuntimeId::new("wasm3", "lazy", &[]).as_str(), "wasm3/lazy");
    }

    #[test]
    fn names_that_are_none_are_refused() {
        for text in ["", "wasm3", "/", "wasm3/", "/lazy", "wasm3/lazy+", "Wasm3/lazy", "wasm3/../lazy", "a/b/c"] {
            assert!(text.parse::<RuntimeId>().is_err(), "{text}");
        }
    }
}
