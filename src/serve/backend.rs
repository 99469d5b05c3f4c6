//! How a function is run: the strategies, and the engines behind them.

use super::artifacts::Artifacts;
use super::function::{Function, Resident};
use isobar_core::measure::nanoseconds;
use isobar_core::runtime::Execution;
use isobar_core::{Enforcer, Engine, Failure, Invocation, Module, Outcome, Runtime};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What is done for every request, and what is kept between them. A request gets a fresh sandbox in each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// Everything for every request: engine, compilation, module, sandbox.
    Naive,
    /// The module stays in memory.
    Cached,
    /// The module stays in memory, and what was compiled of it on disk; by default in the runtime's fastest mode.
    Pooled,
}

impl std::fmt::Display for Strategy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Strategy::Naive => "naive",
            Strategy::Cached => "cached",
            Strategy::Pooled => "pooled",
        })
    }
}

/// The phases of a request, in nanoseconds; nothing for those that it did not go through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Phases {
    /// Waiting for a worker.
    pub queue_ns: Option<u64>,
    /// Creating the runtime.
    pub engine_ns: Option<u64>,
    /// Compiling ahead of time.
    pub compile_ns: Option<u64>,
    /// Bringing the module into memory.
    pub load_ns: Option<u64>,
    /// Making the sandbox.
    pub instantiate_ns: Option<u64>,
    /// Running the function.
    pub execute_ns: Option<u64>,
    /// Releasing the sandbox; with [`Strategy::Naive`] everything.
    pub teardown_ns: Option<u64>,
}

impl Phases {
    /// The names of the phases, in the order in which they come.
    pub const NAMES: [&str; 7] = ["queue", "engine", "compile", "load", "instantiate", "execute", "teardown"];

    /// How long the function had a sandbox.
    pub(super) fn sandboxed(&self) -> Duration {
        let parts = [self.instantiate_ns, self.execute_ns, self.teardown_ns];
        Duration::from_nanos(parts.into_iter().flatten().sum())
    }

    /// By name, in the order in which they come.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, Option<u64>)> {
        let Phases { queue_ns, engine_ns, compile_ns, load_ns, instantiate_ns, execute_ns, teardown_ns } = *self;
        Self::NAMES.into_iter().zip([queue_ns, engine_ns, compile_ns, load_ns, instantiate_ns, execute_ns, teardown_ns])
    }
}

/// What a request found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// The module was not in memory.
    Cold,
    /// The module was in memory.
    Warm,
}

/// A runtime with its engines.
pub(super) struct Backend {
    runtime: Box<dyn Runtime>,
    strategy: Strategy,
    artifacts: Artifacts,
    /// One for all workers where the runtime lives in this process; otherwise one for each, as a runner process serves one
    /// invocation at a time.
    engines: Vec<Mutex<Option<Arc<dyn Engine>>>>,
    in_process: bool,
    /// Whether any thread may run functions for a slice of time, and be sure that they end with it.
    pub(super) slices: bool,
}

/// Whether the engine itself holds a function to all its limits, so that it may run in this process.
pub fn is_safe_in_process(runtime: &dyn Runtime) -> bool {
    let enforcement = runtime.info().enforcement;
    [enforcement.wall_time, enforcement.memory, enforcement.stack].iter().all(|by| *by == Enforcer::Engine)
}

impl Backend {
    /// Checks that the runtime starts.
    pub(super) fn new(
        runtime: Box<dyn Runtime>,
        strategy: Strategy,
        artifacts: Artifacts,
        workers: usize,
    ) -> Result<Backend, Failure> {
        let in_process = runtime.remote().is_none();
        let count = if in_process && runtime.info().concurrent { 1 } else { workers };
        let engines = (0..count).map(|_| Mutex::new(None)).collect();
        let slices = in_process && count == 1 && strategy == Strategy::Pooled && is_safe_in_process(&*runtime);
        let backend = Backend { runtime, strategy, artifacts, engines, in_process, slices };
        backend.engine(0)?;
        Ok(backend)
    }

    pub(super) fn engines(&self) -> usize {
        self.engines.len()
    }

    pub(super) fn runtime(&self) -> &dyn Runtime {
        &*self.runtime
    }

    /// Runs a function once, on the calling worker's thread.
    pub(super) fn invoke(
        &self,
        worker: usize,
        function: &Function,
        invocation: &Invocation,
        phases: &mut Phases,
    ) -> (Start, Result<Outcome, Failure>) {
        if self.strategy == Strategy::Naive {
            return (Start::Cold, self.naive(function, invocation, phases));
        }
        let slot = worker % self.engines.len();
        let (resident, start) = match self.resident(slot, function, phases) {
            Ok(found) => found,
            Err(failure) => return (Start::Cold, Err(failure)),
        };
        let result = run(&*resident.module, invocation, phases);
        let lost = matches!(result, Err(Failure::Timeout { .. } | Failure::Crashed { .. } | Failure::Host { .. }));
        if lost && self.runtime.remote().is_some() {
            // Its process was killed, or is not to be trusted any more.
            self.discard(slot, &resident.engine);
        }
        (start, result)
    }

    /// Runs a function once on the calling thread, if its module is in memory: nothing else is waited for.
    pub(super) fn invoke_resident(
        &self,
        function: &Function,
        invocation: &Invocation,
        phases: &mut Phases,
    ) -> Option<Result<Outcome, Failure>> {
        // Whoever wants to take it out of memory waits: not for long, as it is fast.
        match &*function.resident[0].try_read().ok()? {
            Some(Ok(resident)) => Some(run(&*resident.module, invocation, phases)),
            _ => None,
        }
    }

    fn naive(&self, function: &Function, invocation: &Invocation, phases: &mut Phases) -> Result<Outcome, Failure> {
        let engine = timed(&mut phases.engine_ns, || self.runtime.engine())?;
        let mut artifact = self.artifacts.module(&function.wasm)?;
        let mut compiled = None;
        if self.runtime.info().execution == Execution::Aot {
            let path = self.artifacts.fresh()?;
            timed(&mut phases.compile_ns, || engine.compile(&artifact, &path))?;
            artifact = path.to_path_buf();
            compiled = Some(path);
        }
        let module = timed(&mut phases.load_ns, || engine.load(&artifact))?;
        let result = run(&*module, invocation, phases);
        let start = Instant::now();
        drop((module, engine, compiled));
        phases.teardown_ns = phases.teardown_ns.map(|ns| ns + nanoseconds(start.elapsed()));
        result
    }

    fn resident(&self, slot: usize, function: &Function, phases: &mut Phases) -> Result<(Resident, Start), Failure> {
        if self.in_process
            && let Some(Ok(resident)) = &*function.resident[slot].read().unwrap_or_else(PoisonError::into_inner)
        {
            // No engine of this process is ever discarded.
            return Ok((resident.clone(), Start::Warm));
        }
        let mut place = function.resident[slot].write().unwrap_or_else(PoisonError::into_inner);
        let current = lock(&self.engines[slot]).clone();
        match (&*place, &current) {
            (Some(Ok(resident)), Some(engine)) if Arc::ptr_eq(&resident.engine, engine) => {
                return Ok((resident.clone(), Start::Warm));
            }
            // It will not be better next time: a function in one version never changes.
            (Some(Err(failure)), _) => return Err(failure.clone()),
            _ => *place = None,
        }
        let engine = match current {
            Some(engine) => engine,
            None => timed(&mut phases.engine_ns, || self.engine(slot))?,
        };
        match self.load(&engine, function, phases) {
            Ok(resident) => {
                *place = Some(Ok(resident.clone()));
                Ok((resident, Start::Cold))
            }
            Err(failure) => {
                if matches!(failure, Failure::Rejected { .. } | Failure::Link { .. }) {
                    *place = Some(Err(failure.clone()));
                } else if self.runtime.remote().is_some() {
                    self.discard(slot, &engine);
                }
                Err(failure)
            }
        }
    }

    /// Brings a function into memory that is about to replace another, so that no request has to wait for it.
    pub(super) fn preload(&self, function: &Function) -> Result<(), Failure> {
        match self.strategy {
            Strategy::Naive => {
                let engine = self.runtime.engine()?;
                self.load(&Arc::from(engine), function, &mut Phases::default()).map(drop)
            }
            _ => self.resident(0, function, &mut Phases::default()).map(drop),
        }
    }

    /// Brings a function into the memory of these engines before it is called.
    pub(super) fn prewarm(&self, function: &Function, slots: &[usize]) -> Result<(), Failure> {
        slots.iter().try_for_each(|slot| self.resident(*slot, function, &mut Phases::default()).map(drop))
    }

    fn load(&self, engine: &Arc<dyn Engine>, function: &Function, phases: &mut Phases) -> Result<Resident, Failure> {
        let module = if self.runtime.info().execution == Execution::Aot {
            let (module, compile_ns, load_ns) = self.artifacts.load(&**engine, &function.wasm)?;
            phases.compile_ns = (compile_ns > 0).then_some(compile_ns);
            phases.load_ns = Some(load_ns);
            module
        } else {
            let artifact = self.artifacts.module(&function.wasm)?;
            timed(&mut phases.load_ns, || engine.load(&artifact))?
        };
        Ok(Resident { engine: engine.clone(), module: Arc::from(module) })
    }

    fn engine(&self, slot: usize) -> Result<Arc<dyn Engine>, Failure> {
        let mut place = lock(&self.engines[slot]);
        if let Some(engine) = &*place {
            return Ok(engine.clone());
        }
        let engine: Arc<dyn Engine> = Arc::from(self.runtime.engine()?);
        *place = Some(engine.clone());
        Ok(engine)
    }

    fn discard(&self, slot: usize, engine: &Arc<dyn Engine>) {
        let mut place = lock(&self.engines[slot]);
        place.take_if(|current| Arc::ptr_eq(current, engine));
    }
}

/// One sandbox, from its making to its end.
fn run(module: &dyn Module, invocation: &Invocation, phases: &mut Phases) -> Result<Outcome, Failure> {
    // One look at the clock between two phases: it takes as long as making a small part of a sandbox.
    let mut start = Instant::now();
    let mut lap = |phase: &mut Option<u64>| {
        let now = Instant::now();
        *phase = Some(nanoseconds(now - start));
        start = now;
    };
    let instance = module.instantiate(invocation);
    lap(&mut phases.instantiate_ns);
    let mut instance = instance?;
    let result = instance.execute();
    lap(&mut phases.execute_ns);
    drop(instance);
    lap(&mut phases.teardown_ns);
    result
}

fn timed<T>(into: &mut Option<u64>, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    *into = Some(nanoseconds(start.elapsed()));
    result
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
