//! One run: an instance of an interpreted or compiled module, and what becomes of its end.

use crate::log;
use crate::raw::{Ast, Config, Error, Executor, Function, Instance, Store, c_strings, is_plain};
use crate::streams::{Streams, Watch};
use isobar_core::capture::{End, conclude};
use isobar_core::contract::{Failure, Invocation, Limits, Outcome};
use std::sync::Arc;

/// The size of a page of memory, in bytes.
const PAGE_BYTES: u64 = 65_536;

/// The most pages that a memory can have.
pub const MAX_PAGES: u32 = 65_536;

/// What every function must export.
pub const START: &str = "_start";

/// `_start`, which must be there and of the right type.
pub fn start(found: Option<Function>) -> Result<Function, Failure> {
    match found {
        Some(function) if is_plain(function) => Ok(function),
        Some(_) => Err(Failure::link(format!("{START} has parameters or results"))),
        None => Err(Failure::link(format!("{START} is not exported as a function"))),
    }
}

/// The pages of memory that a limit allows.
pub fn pages(limits: &Limits) -> u32 {
    u32::try_from(limits.memory_bytes / PAGE_BYTES).unwrap_or(u32::MAX).min(MAX_PAGES)
}

/// WASI for an invocation, over these streams, which must outlive it.
pub fn wasi(invocation: &Invocation, streams: &Streams) -> Result<Instance, Failure> {
    let args = c_strings(invocation.argv())?;
    let env = c_strings(invocation.env.iter().map(|(key, value)| format!("{key}={value}")))?;
    Instance::wasi(&args, &env, streams.fds())
}

/// A function of WASI's that does nothing, for [`Watch`].
pub fn idle(wasi: &Instance) -> Result<Function, Failure> {
    wasi.function("sched_yield").ok_or_else(|| Failure::host("WasmEdge's WASI has no sched_yield"))
}

/// The failure of an instantiation.
pub fn instantiation_failure(limits: &Limits, error: &Error) -> Failure {
    if log::memory_refused() {
        return Failure::Memory { limit_bytes: limits.memory_bytes };
    }
    error.link_failure().unwrap_or_else(|| Failure::trap(error.trap(), error.text(), b""))
}

/// Turns the end of `_start` into the answer. A trap after a refused `memory.grow` is a [`Failure::Memory`].
pub fn answer(
    limits: &Limits,
    wasi: &Instance,
    streams: &Streams,
    result: Result<(), Error>,
) -> Result<Outcome, Failure> {
    if streams.overflowed() {
        return conclude(limits, End::OutputLimit, Vec::new(), Vec::new());
    }
    let end = match result {
        // Only a run without an error has an exit code: a trap leaves 0 behind.
        Ok(()) => End::Exit(wasi.exit_code()),
        Err(_) if log::memory_refused() => End::Memory,
        Err(error) => match error.link_failure() {
            Some(failure) => End::Failed(failure),
            None => End::Trap(error.trap(), error.text().to_owned()),
        },
    };
    let (stdout, stderr) = streams.collect()?;
    conclude(limits, end, stdout, stderr)
}

/// An instance of a module that is interpreted or was compiled ahead of time. The order of the fields is the order in
/// which they must be dropped.
pub struct Run {
    instance: Instance,
    _watch: Box<Watch>,
    executor: Executor,
    _store: Store,
    wasi: Instance,
    streams: Arc<Streams>,
    limits: Limits,
    _ast: Arc<Ast>,
}

impl Run {
    /// Instantiates a module for an invocation.
    pub fn new(config: &Config, ast: Arc<Ast>, invocation: &Invocation) -> Result<Self, Failure> {
        log::clear();
        let limits = invocation.limits;
        let streams = Arc::new(Streams::new(invocation)?);
        let wasi = wasi(invocation, &streams)?;
        let executor = Executor::create(config)?;
        let watch = Watch::new(streams.clone(), executor.as_ptr(), idle(&wasi)?);
        let store = Store::create()?;
        executor.register(&store, &wasi).map_err(|error| Failure::host(error.message()))?;
        let instance = executor.instantiate(&store, &ast)?.map_err(|error| instantiation_failure(&limits, &error))?;
        if log::memory_refused() {
            // WasmEdge goes on with a smaller memory than the module asks for.
            return Err(Failure::Memory { limit_bytes: limits.memory_bytes });
        }
        Ok(Run { instance, _watch: watch, executor, _store: store, wasi, streams, limits, _ast: ast })
    }
}

impl isobar_core::Instance for Run {
    fn execute(&mut self) -> Result<Outcome, Failure> {
        let start = start(self.instance.function(START))?;
        log::clear();
        let result = self.executor.invoke(start);
        answer(&self.limits, &self.wasi, &self.streams, result)
    }
}
