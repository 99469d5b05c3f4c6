//! A module of wasmi, and its instances.

use crate::host::{Host, State};
use crate::limiter::Limiter;
use isobar_core::capture::{End, conclude};
use isobar_core::{Failure, Instance, Invocation, Limits, Module, Outcome, RuntimeInfo, TrapKind, inspect};
use std::sync::Arc;
use std::time::{Duration, Instant};
use wasmi::errors::{ErrorKind, InstantiationError};
use wasmi::{Error, Linker, Store, TrapCode, TypedFunc, TypedResumableCall};

/// The fuel after which the clock is looked at: a few milliseconds of work.
const FUEL_PORTION: u64 = 1_000_000;

/// A module, linked for every instance anew: wasmi cannot keep that.
pub struct WasmiModule<H: Host> {
    pub module: wasmi::Module,
    pub linker: Arc<Linker<State<H>>>,
    pub limits: bool,
    pub info: Arc<RuntimeInfo>,
    /// The module's bytes, where a function may be rejected as late as when it is called: to say why.
    pub wasm: Option<Arc<[u8]>>,
}

impl<H: Host> Module for WasmiModule<H> {
    fn instantiate(&self, invocation: &Invocation) -> Result<Box<dyn Instance>, Failure> {
        let limits = invocation.limits;
        let host = H::new(invocation, self.limits)?;
        let limiter = Limiter::new(limits.memory_bytes);
        let mut store = Store::new(self.module.engine(), State { host, limiter, memory: None });
        store.limiter(|state| &mut state.limiter);
        if self.limits {
            // A start section cannot be resumed, so it gets its fuel at once: a unit takes about a nanosecond.
            store.set_fuel(limits.wall_time_ns).map_err(|e| Failure::crashed(e.to_string()))?;
            set_deadline(&mut store, &limits);
        }
        let common = Common { limits, metered: self.limits, info: self.info.clone(), wasm: self.wasm.clone() };
        let run = match self.linker.instantiate_and_start(&mut store, &self.module) {
            Ok(instance) => {
                store.data_mut().memory = instance.get_memory(&store, "memory");
                let start = instance.get_typed_func::<(), ()>(&store, "_start");
                Run::Ready(start.map_err(|e| Failure::link(e.to_string()))?)
            }
            Err(error) => match common.end(store.data(), &error) {
                End::Failed(failure) => return Err(failure),
                End::Memory if !matches!(error.kind(), ErrorKind::TrapCode(_)) => {
                    return Err(Failure::Memory { limit_bytes: limits.memory_bytes });
                }
                // A start section that exited or trapped: that is how the run ended.
                end => Run::Over(end),
            },
        };
        Ok(Box::new(WasmiInstance { store, run, common }))
    }
}

/// What an instance needs of its module.
struct Common {
    limits: Limits,
    metered: bool,
    info: Arc<RuntimeInfo>,
    wasm: Option<Arc<[u8]>>,
}

enum Run {
    Ready(TypedFunc<(), ()>),
    Over(End),
}

struct WasmiInstance<H: Host> {
    store: Store<State<H>>,
    run: Run,
    common: Common,
}

impl<H: Host> Instance for WasmiInstance<H> {
    fn execute(&mut self) -> Result<Outcome, Failure> {
        let end = match &self.run {
            Run::Ready(start) if self.common.metered => run_metered(&mut self.store, start, &self.common),
            Run::Ready(start) => match start.call(&mut self.store, ()) {
                Ok(()) => End::Exit(0),
                Err(error) => self.common.end(self.store.data(), &error),
            },
            Run::Over(end) => end.clone(),
        };
        let (stdout, stderr) = self.store.data_mut().host.take_output();
        conclude(&self.common.limits, end, stdout, stderr)
    }
}

/// Starts the time that is left, unless it is without end.
fn set_deadline<H: Host>(store: &mut Store<State<H>>, limits: &Limits) -> Option<Instant> {
    let deadline = Instant::now().checked_add(Duration::from_nanos(limits.wall_time_ns))?;
    store.data_mut().host.set_deadline(deadline);
    Some(deadline)
}

/// Runs in portions of fuel until the function ends or the time is over.
fn run_metered<H: Host>(store: &mut Store<State<H>>, start: &TypedFunc<(), ()>, common: &Common) -> End {
    let deadline = set_deadline(store, &common.limits);
    let mut portion = FUEL_PORTION;
    let mut paused = None;
    loop {
        let result = store.set_fuel(portion).and_then(|()| match paused.take() {
            None => start.call_resumable(&mut *store, ()),
            Some(call) => wasmi::TypedResumableCallOutOfFuel::resume(call, &mut *store),
        });
        match result {
            Ok(TypedResumableCall::Finished(())) => return End::Exit(0),
            Ok(TypedResumableCall::HostTrap(call)) => return common.end(store.data(), call.host_error()),
            Ok(TypedResumableCall::OutOfFuel(_)) if deadline.is_some_and(|at| Instant::now() >= at) => {
                return End::Timeout;
            }
            Ok(TypedResumableCall::OutOfFuel(call)) => {
                // One instruction may want more than a portion: to fill a large memory, say.
                portion = FUEL_PORTION.max(call.required_fuel());
                paused = Some(call);
            }
            Err(error) => return common.end(store.data(), &error),
        }
    }
}

impl Common {
    /// How a run ended that wasmi ended with an error.
    fn end<H: Host>(&self, state: &State<H>, error: &Error) -> End {
        if let Some(stop) = state.host.stop(error) {
            return stop.into();
        }
        let message = error.to_string();
        if let Some(code) = error.as_trap_code() {
            return match trap_kind(code) {
                None => End::Timeout,
                Some(_) if state.limiter.refused() => End::Memory,
                Some(kind) => End::Trap(kind, message),
            };
        }
        match error.kind() {
            ErrorKind::Instantiation(
                InstantiationError::FailedToInstantiateMemory(_) | InstantiationError::FailedToInstantiateTable(_),
            ) if state.limiter.refused() => End::Memory,
            ErrorKind::Instantiation(
                InstantiationError::FailedToInstantiateMemory(_) | InstantiationError::FailedToInstantiateTable(_),
            ) => End::Failed(Failure::host(format!("wasmi: {message}"))),
            ErrorKind::Instantiation(InstantiationError::ElementSegmentDoesNotFit { .. }) => {
                End::Trap(TrapKind::TableOutOfBounds, message)
            }
            ErrorKind::Instantiation(_) | ErrorKind::Linker(_) => End::Failed(Failure::link(message)),
            ErrorKind::Read(_)
            | ErrorKind::Wasm(_)
            | ErrorKind::Translation(_)
            | ErrorKind::UserLimits(_)
            | ErrorKind::ImplementationLimits(_)
            | ErrorKind::Ir(_) => End::Failed(self.rejection(&message)),
            _ if state.limiter.refused() => End::Memory,
            _ => End::Trap(TrapKind::Other, message),
        }
    }

    /// Why a function was rejected when it was first called.
    fn rejection(&self, message: &str) -> Failure {
        match &self.wasm {
            Some(wasm) => inspect::explain_rejection(wasm, &self.info.proposals, message),
            None => Failure::rejected(message),
        }
    }
}

/// Nothing for the end of the fuel, which is no trap of the specification.
fn trap_kind(code: TrapCode) -> Option<TrapKind> {
    Some(match code {
        TrapCode::UnreachableCodeReached => TrapKind::Unreachable,
        TrapCode::MemoryOutOfBounds => TrapKind::MemoryOutOfBounds,
        TrapCode::TableOutOfBounds => TrapKind::TableOutOfBounds,
        TrapCode::IndirectCallToNull => TrapKind::IndirectCallToNull,
        TrapCode::IntegerDivisionByZero => TrapKind::IntegerDivideByZero,
        TrapCode::IntegerOverflow => TrapKind::IntegerOverflow,
        TrapCode::BadConversionToInteger => TrapKind::BadConversionToInteger,
        TrapCode::StackOverflow => TrapKind::StackOverflow,
        TrapCode::BadSignature => TrapKind::BadSignature,
        TrapCode::OutOfFuel => return None,
        TrapCode::GrowthOperationLimited | TrapCode::OutOfSystemMemory => TrapKind::Other,
    })
}
