//! isobar's adapter for wasm3, an interpreter in C that translates each function to threaded code when it is first
//! called (`lazy`), or all of them when a module is instantiated (`eager`).
//!
//! wasm3 has no WASI library to be embedded with, no interruption and no memory limit. The shared WASI host serves it,
//! the runner's parent ends what runs too long, and the runner's process limits its memory. The variant `+limits` puts a
//! guard into the module, so that one invocation can be held to its memory: see `guard.rs`.
//!
//! Its calls nest on the native stack too, and it traps when it has used 8 MiB of that. It must therefore run on threads
//! with [`settings::NATIVE_STACK_BYTES`]: on a smaller stack runaway recursion is the end of the process.

mod guard;
mod host;
mod interface;
mod module;
mod raw;
#[cfg(test)]
mod tests;

use interface::Refusal;
use isobar_core::{
    Enforcement, Enforcer, Engine, Execution, Failure, Module, Runtime, RuntimeId, RuntimeInfo, inspect, settings,
};
use module::{Wasm3Module, environment, forget_environment};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What wasm3 knows beyond [`settings::PROPOSALS`]. Nothing of it can be turned off.
const MORE_PROPOSALS: [&str; 3] = ["tail-call", "extended-const", "custom-page-sizes"];

/// When functions are compiled.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Lazy,
    Eager,
}

/// wasm3 in each of its modes.
pub fn runtimes() -> Vec<Box<dyn Runtime>> {
    let both = |mode| [false, true].map(|guarded| Box::new(Wasm3::new(mode, guarded)) as Box<dyn Runtime>);
    [Mode::Lazy, Mode::Eager].into_iter().flat_map(both).collect()
}

struct Wasm3 {
    mode: Mode,
    guarded: bool,
    info: Arc<RuntimeInfo>,
}

impl Wasm3 {
    fn new(mode: Mode, guarded: bool) -> Self {
        Wasm3 { mode, guarded, info: Arc::new(info(mode, guarded)) }
    }
}

fn info(mode: Mode, guarded: bool) -> RuntimeInfo {
    let variants: &[&str] = if guarded { &["limits"] } else { &[] };
    let (memory, limit) = match guarded {
        true => (Enforcer::Engine, "a guard in the module in place of memory.grow"),
        false => (Enforcer::Process, "that of the process"),
    };
    let mode = match mode {
        Mode::Lazy => "lazy",
        Mode::Eager => "eager",
    };
    let settings = [
        ("stack", format!("{} bytes, and at most 8 MiB of native stack", settings::STACK_BYTES)),
        ("module", "parsed again for every instance, bodies checked when compiled".to_owned()),
        ("memory limit", limit.to_owned()),
        ("environment", "one per engine and thread".to_owned()),
    ];
    RuntimeInfo {
        version: String::from_utf8_lossy(wasm3::M3_VERSION).trim_end_matches('\0').to_owned(),
        wasi: "isobar shared host".to_owned(),
        execution: Execution::Interpreter,
        concurrent: true,
        enforcement: Enforcement { wall_time: Enforcer::Process, memory, stack: Enforcer::Engine },
        proposals: settings::proposals(&MORE_PROPOSALS),
        settings: settings.map(|(key, value)| (key.to_owned(), value)).into(),
        ..RuntimeInfo::wasm(RuntimeId::new("wasm3", mode, variants))
    }
}

impl Runtime for Wasm3 {
    fn info(&self) -> &RuntimeInfo {
        &self.info
    }

    fn engine(&self) -> Result<Box<dyn Engine>, Failure> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        environment(id)?;
        Ok(Box::new(Wasm3Engine { id, mode: self.mode, guarded: self.guarded, info: self.info.clone() }))
    }
}

/// An environment of wasm3 stays on its thread: the engine is the number that each thread finds its own by.
struct Wasm3Engine {
    id: u64,
    mode: Mode,
    guarded: bool,
    info: Arc<RuntimeInfo>,
}

impl Engine for Wasm3Engine {
    fn load(&self, artifact: &Path) -> Result<Box<dyn Module>, Failure> {
        let wasm = inspect::read_module(artifact)?;
        let rejected = |message: &str| inspect::explain_rejection(&wasm, &self.info.proposals, message);
        environment(self.id)?.parse(&wasm).map_err(|message| rejected(&message))?;
        let interface = interface::read(&wasm, self.guarded).map_err(|refusal| match refusal {
            Refusal::Malformed(message) => rejected(&message),
            Refusal::Link(failure) => failure,
        })?;
        let guarded = guard::add(&wasm, &interface).map_err(|e| rejected(&e.to_string()))?;
        Ok(Box::new(Wasm3Module {
            engine: self.id,
            mode: self.mode,
            info: self.info.clone(),
            guarded: guarded.is_some(),
            wasm: guarded.unwrap_or(wasm).into(),
            imports: interface.imports,
            memory: interface.memory,
        }))
    }
}

impl Drop for Wasm3Engine {
    fn drop(&mut self) {
        forget_environment(self.id);
    }
}
