//! Engine, module and instance.

use crate::config::{EPOCH, Mode, config};
use crate::host::{Host, Own, Shared, State, end_of};
use isobar_core::capture::{End, conclude};
use isobar_core::inspect::{explain_rejection, read_module};
use isobar_core::runtime::{Engine, Instance, Module, RuntimeInfo, write_artifact};
use isobar_core::{Failure, Invocation, Limits, Outcome, TrapKind};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use wasmtime::{Extern, InstancePre, Linker, ModuleExport, Store, Trap, TypedFunc};

pub(crate) fn create(info: &RuntimeInfo, mode: Mode) -> Result<Box<dyn Engine>, Failure> {
    if info.id.has("shared-wasi") {
        Ok(Box::new(Ready::<Shared>::new(info, mode)?))
    } else {
        Ok(Box::new(Ready::<Own>::new(info, mode)?))
    }
}

/// A created engine, with preview 1 linked.
struct Ready<H: 'static> {
    engine: wasmtime::Engine,
    linker: Linker<State<H>>,
    proposals: Vec<String>,
    ahead_of_time: bool,
    limited: bool,
    ticker: Option<Ticker>,
}

impl<H: Host> Ready<H> {
    fn new(info: &RuntimeInfo, mode: Mode) -> Result<Self, Failure> {
        let refused = |e: wasmtime::Error| Failure::host(format!("Wasmtime cannot start as {}: {e:#}", info.id));
        let config = config(mode, &info.id).map_err(refused)?;
        let engine = wasmtime::Engine::new(&config).map_err(refused)?;
        let mut linker = Linker::new(&engine);
        let limited = info.id.has("limits");
        H::link(&mut linker, limited).map_err(refused)?;
        let ticker = limited.then(|| Ticker::start(&engine)).transpose()?;
        let (proposals, ahead_of_time) = (info.proposals.clone(), mode.ahead_of_time());
        Ok(Ready { engine, linker, proposals, ahead_of_time, limited, ticker })
    }

    fn module(&self, artifact: &Path) -> Result<wasmtime::Module, Failure> {
        if !self.ahead_of_time {
            let wasm = read_module(artifact)?;
            return wasmtime::Module::new(&self.engine, &wasm).map_err(|e| self.rejected(&wasm, &e));
        }
        // SAFETY: the artifact was written by `compile`; a file of another version, target or configuration is refused
        // by Wasmtime itself.
        let module = unsafe { wasmtime::Module::deserialize_file(&self.engine, artifact) };
        module.map_err(|e| match std::fs::File::open(artifact).and_then(|mut file| file.read(&mut [0])) {
            Err(e) => Failure::host(format!("cannot read {}: {e}", artifact.display())),
            Ok(_) => Failure::rejected(format!("{} is no artifact of this runtime: {e:#}", artifact.display())),
        })
    }

    fn rejected(&self, wasm: &[u8], error: &wasmtime::Error) -> Failure {
        explain_rejection(wasm, &self.proposals, &format!("{error:#}"))
    }
}

impl<H: Host> Engine for Ready<H> {
    fn compile(&self, wasm: &Path, artifact: &Path) -> Result<(), Failure> {
        let wasm = read_module(wasm)?;
        if !self.ahead_of_time {
            return write_artifact(artifact, &wasm);
        }
        let compiled = self.engine.precompile_module(&wasm).map_err(|e| self.rejected(&wasm, &e))?;
        write_artifact(artifact, &compiled)
    }

    fn load(&self, artifact: &Path) -> Result<Box<dyn Module>, Failure> {
        let module = self.module(artifact)?;
        let linked = self.linker.instantiate_pre(&module).map_err(|e| Failure::link(format!("{e:#}")))?;
        let start = module.get_export("_start").and_then(|start| start.func().cloned());
        if !start.is_some_and(|start| start.params().len() == 0 && start.results().len() == 0) {
            return Err(Failure::link("the module exports no function `_start` without parameters and results"));
        }
        let (start, memory) = (module.get_export_index("_start"), module.get_export_index("memory"));
        let (limited, _ticker) = (self.limited, self.ticker.clone());
        Ok(Box::new(Loaded { linked, start, memory, limited, _ticker }))
    }
}

/// A module in memory, its imports resolved.
struct Loaded<H: 'static> {
    linked: InstancePre<State<H>>,
    /// Where these exports are, so that no sandbox looks for their names.
    start: Option<ModuleExport>,
    memory: Option<ModuleExport>,
    limited: bool,
    _ticker: Option<Ticker>,
}

impl<H: Host> Module for Loaded<H> {
    fn instantiate(&self, invocation: &Invocation) -> Result<Box<dyn Instance>, Failure> {
        let limits = invocation.limits;
        let mut store = Store::new(self.linked.module().engine(), State::<H>::new(invocation));
        store.limiter(|state| &mut state.limiter);
        if self.limited {
            store.set_epoch_deadline(epochs(limits.wall_time_ns));
        }
        match self.started(&mut store) {
            Ok(start) => Ok(Box::new(Fresh { store, start, limits, limited: self.limited })),
            Err(error) => match ended(&mut store, &limits, &error) {
                // A start function that exits has answered before `_start`: no command does.
                Ok(_) => Err(Failure::link("the module exits while it is instantiated")),
                Err(failure) => Err(failure),
            },
        }
    }
}

impl<H: Host> Loaded<H> {
    /// Instantiates, and finds what the function starts with and what host calls read.
    fn started(&self, store: &mut Store<State<H>>) -> wasmtime::Result<TypedFunc<(), ()>> {
        let instance = self.linked.instantiate(&mut *store)?;
        let mut export = |at: &Option<ModuleExport>| instance.get_module_export(&mut *store, at.as_ref()?);
        let (start, memory) = (export(&self.start), export(&self.memory));
        store.data_mut().memory = memory.and_then(Extern::into_memory);
        let start = start.and_then(Extern::into_func).ok_or_else(|| wasmtime::Error::msg("`_start` is gone"))?;
        // SAFETY: `load` refused every module whose `_start` has parameters or results.
        Ok(unsafe { TypedFunc::new_unchecked(&*store, start) })
    }
}

/// A sandbox.
struct Fresh<H: 'static> {
    store: Store<State<H>>,
    start: TypedFunc<(), ()>,
    limits: Limits,
    limited: bool,
}

impl<H: Host> Instance for Fresh<H> {
    fn execute(&mut self) -> Result<Outcome, Failure> {
        if self.limited {
            self.store.set_epoch_deadline(epochs(self.limits.wall_time_ns));
            self.store.data_mut().start_clock(self.limits.wall_time_ns);
        }
        match self.start.call(&mut self.store, ()) {
            Ok(()) => {
                let (stdout, stderr) = self.store.data_mut().host.take_output();
                conclude(&self.limits, End::Exit(0), stdout, stderr)
            }
            Err(error) => ended(&mut self.store, &self.limits, &error),
        }
    }
}

/// The answer of a run that did not return.
fn ended<H: Host>(store: &mut Store<State<H>>, limits: &Limits, error: &wasmtime::Error) -> Result<Outcome, Failure> {
    let state = store.data_mut();
    let end = end_of(error).unwrap_or_else(|| {
        let trap = error.downcast_ref::<Trap>();
        match trap {
            _ if state.host.overflowed() => End::OutputLimit,
            _ if state.limiter.refused => End::Memory,
            Some(Trap::Interrupt) => End::Timeout,
            Some(trap) => End::Trap(kind(*trap), trap.to_string()),
            None => End::Failed(Failure::crashed(format!("{error:#}"))),
        }
    });
    let (stdout, stderr) = state.host.take_output();
    conclude(limits, end, stdout, stderr)
}

fn kind(trap: Trap) -> TrapKind {
    match trap {
        Trap::UnreachableCodeReached => TrapKind::Unreachable,
        Trap::IntegerDivisionByZero => TrapKind::IntegerDivideByZero,
        Trap::IntegerOverflow => TrapKind::IntegerOverflow,
        Trap::BadConversionToInteger => TrapKind::BadConversionToInteger,
        Trap::MemoryOutOfBounds => TrapKind::MemoryOutOfBounds,
        Trap::TableOutOfBounds => TrapKind::TableOutOfBounds,
        Trap::IndirectCallToNull => TrapKind::IndirectCallToNull,
        Trap::BadSignature => TrapKind::BadSignature,
        Trap::StackOverflow => TrapKind::StackOverflow,
        _ => TrapKind::Other,
    }
}

/// The number of ticks after which a limit has surely passed.
fn epochs(limit_ns: u64) -> u64 {
    limit_ns.div_ceil(EPOCH.as_nanos() as u64) + 1
}

/// A thread that advances an engine's epoch for as long as somebody holds the ticker.
#[derive(Clone)]
struct Ticker(#[expect(dead_code, reason = "its drop ends the thread")] Arc<()>);

impl Ticker {
    fn start(engine: &wasmtime::Engine) -> Result<Self, Failure> {
        let (alive, engine) = (Arc::new(()), engine.weak());
        let watched = Arc::downgrade(&alive);
        let tick = move || {
            while watched.strong_count() > 0 {
                std::thread::sleep(EPOCH);
                match engine.upgrade() {
                    Some(engine) => engine.increment_epoch(),
                    None => return,
                }
            }
        };
        match std::thread::Builder::new().name("epochs".to_owned()).spawn(tick) {
            Ok(_) => Ok(Ticker(alive)),
            Err(e) => Err(Failure::host(format!("cannot start the thread of epochs: {e}"))),
        }
    }
}
