//! Engine, module and instance.

use crate::bounded::{Bounded, Budget, Flag};
use crate::interrupt::{self, Aim};
use crate::output::OutputLimit;
use crate::{Mode, artifact, shared, wasix, watchdog};
use isobar_core::capture::{End, conclude};
use isobar_core::inspect::{explain_rejection, read_module};
use isobar_core::runner::panic_message;
use isobar_core::runtime::{self, RuntimeInfo, write_artifact};
use isobar_core::wasi::Stop;
use isobar_core::{Failure, Invocation, Limits, Outcome, TrapKind};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wasmer::sys::vm::TrapCode;
use wasmer::sys::{EngineBuilder, NativeEngineExt};
use wasmer::{
    Engine, Extern, ExternType, Instance, InstantiationError, LinkError, Module, RuntimeError, Store, TypedFunction,
};
use wasmer_wasix::WasiError;

/// A created engine.
pub(crate) struct Ready {
    mode: Mode,
    proposals: Vec<String>,
    engine: Engine,
    platform: Option<Arc<wasix::Platform>>,
}

impl Ready {
    pub fn new(mode: Mode, info: &RuntimeInfo) -> Result<Self, Failure> {
        // What was compiled ahead of time needs no compiler to run.
        let engine =
            if mode.ahead_of_time { EngineBuilder::headless().into() } else { mode.compiler.engine(mode.limited) };
        let platform = if mode.shared_wasi { None } else { Some(wasix::Platform::new(&engine)?) };
        if mode.limited {
            interrupt::install()?;
        }
        Ok(Ready { mode, proposals: info.proposals.clone(), engine, platform })
    }

    fn compiled(&self, engine: &Engine, wasm: &[u8]) -> Result<Module, Failure> {
        match thrown(|| Module::new(engine, wasm)) {
            Ok(compiled) => compiled.map_err(|e| explain_rejection(wasm, &self.proposals, &e.to_string())),
            Err(End::Failed(failure)) => Err(failure),
            Err(_) => Err(Failure::crashed("the compiler panicked")),
        }
    }

    fn module(&self, artifact: &Path) -> Result<Module, Failure> {
        if !self.mode.ahead_of_time {
            return self.compiled(&self.engine, &read_module(artifact)?);
        }
        let code = artifact::open(&self.mode.maker(), artifact)?;
        // SAFETY: the seal says that `compile` wrote it, for this version of Wasmer and this compiler.
        let module = unsafe { Module::deserialize(&self.engine, code) };
        module.map_err(|e| Failure::rejected(format!("{} cannot be loaded: {e}", artifact.display())))
    }
}

impl runtime::Engine for Ready {
    fn compile(&self, wasm: &Path, artifact: &Path) -> Result<(), Failure> {
        let wasm = read_module(wasm)?;
        if !self.mode.ahead_of_time {
            return write_artifact(artifact, &wasm);
        }
        let module = self.compiled(&self.mode.compiler.engine(self.mode.limited), &wasm)?;
        let code = module.serialize().map_err(|e| Failure::host(format!("Wasmer cannot serialise the module: {e}")))?;
        write_artifact(artifact, &artifact::seal(&self.mode.maker(), &code))
    }

    fn load(&self, artifact: &Path) -> Result<Box<dyn runtime::Module>, Failure> {
        let module = self.module(artifact)?;
        let wasi = match &self.platform {
            None => Wasi::Shared(shared::Linked::new(&module)?),
            Some(platform) => {
                wasix::check_imports(&module)?;
                Wasi::Wasix(platform.clone())
            }
        };
        let start = module.exports().find(|export| export.name() == "_start");
        let is_command =
            |ty: &ExternType| ty.func().is_some_and(|ty| ty.params().is_empty() && ty.results().is_empty());
        if !start.is_some_and(|start| is_command(start.ty())) {
            return Err(Failure::link("the module exports no function `_start` without parameters and results"));
        }
        let limited = self.mode.limited.then(|| Limited { code: code_of(&module), starts: starts(&module) });
        Ok(Box::new(Loaded { wasi, limited, module, engine: self.engine.clone() }))
    }
}

/// Where the module's compiled functions are.
fn code_of(module: &Module) -> Range<usize> {
    let extents = module.sys_artifact().and_then(|artifact| artifact.finished_function_extents()).unwrap_or_default();
    let start = extents.iter().map(|(_, extent)| extent.ptr.0 as usize).min();
    let end = extents.iter().map(|(_, extent)| extent.ptr.0 as usize + extent.length).max();
    start.unwrap_or(0)..end.unwrap_or(0)
}

/// Whether instantiating it runs a function.
fn starts(module: &Module) -> bool {
    module.info().start_function.is_some()
}

/// What a module with a time limit needs to know.
#[derive(Clone)]
struct Limited {
    code: Range<usize>,
    starts: bool,
}

/// Which host serves a module.
enum Wasi {
    Shared(shared::Linked),
    Wasix(Arc<wasix::Platform>),
}

/// A module in memory.
struct Loaded {
    wasi: Wasi,
    limited: Option<Limited>,
    module: Module,
    /// It owns the code.
    engine: Engine,
}

impl Loaded {
    fn host(&self, store: &mut Store, invocation: &Invocation) -> Result<(Host, Vec<Extern>), Failure> {
        match &self.wasi {
            Wasi::Shared(linked) => {
                let (session, externs) = linked.start(store, invocation);
                Ok((Host::Shared(session), externs))
            }
            Wasi::Wasix(platform) => {
                let (session, externs) = wasix::Session::start(platform, &self.module, store, invocation)?;
                Ok((Host::Wasix(session), externs))
            }
        }
    }
}

impl runtime::Module for Loaded {
    fn instantiate(&self, invocation: &Invocation) -> Result<Box<dyn runtime::Instance>, Failure> {
        let limits = invocation.limits;
        let budget = Budget::new(limits.memory_bytes);
        let mut engine = self.engine.clone();
        let flag = self.limited.as_ref().map(|_| Flag::default());
        engine.set_tunables(Bounded::new(budget.clone(), flag.clone()));
        let mut store = Store::new(engine);
        let (host, externs) = self.host(&mut store, invocation)?;
        let limited = self.limited.clone();
        let mut fresh = Fresh { store, host, budget, limits, limited, aim: None, flag: None, start: None };
        let watched = self.limited.as_ref().is_some_and(|limited| limited.starts);
        let made = fresh.run(watched, |store| match Instance::new_by_index(store, &self.module, &externs) {
            Ok(instance) => Ok(instance),
            Err(InstantiationError::Start(error)) => Err(Refused::Ended(error)),
            Err(InstantiationError::Link(LinkError::Trap(error))) => Err(Refused::Ended(error)),
            Err(error) => Err(Refused::Unmade(Box::new(error))),
        });
        let instance = match made {
            Ok(Ok(instance)) => instance,
            Ok(Err(Refused::Unmade(error))) => return Err(fresh.unmade(&error)),
            Ok(Err(Refused::Ended(error))) => {
                let end = fresh.end_of(error);
                return Err(fresh.premature(end));
            }
            Err(end) => return Err(fresh.premature(end)),
        };
        fresh.flag = flag;
        fresh.attach(&instance)?;
        Ok(Box::new(fresh))
    }
}

/// Why there is no instance.
enum Refused {
    Unmade(Box<InstantiationError>),
    Ended(RuntimeError),
}

/// The host's side of one invocation.
enum Host {
    Shared(shared::Session),
    Wasix(wasix::Session),
}

/// A sandbox.
struct Fresh {
    store: Store,
    host: Host,
    budget: Arc<Budget>,
    limits: Limits,
    limited: Option<Limited>,
    /// Of the last run with a time limit.
    aim: Option<Arc<Aim>>,
    /// Once there is an instance with a time limit.
    flag: Option<Flag>,
    start: Option<TypedFunction<(), ()>>,
}

impl Fresh {
    /// Runs what may run guest code, within the time limit if it is `watched`.
    fn run<R>(&mut self, watched: bool, body: impl FnOnce(&mut Store) -> R) -> Result<R, End> {
        let limited = self.limited.as_ref().filter(|_| watched);
        self.aim = limited.map(|limited| Aim::new(limited.code.clone()));
        let Fresh { store, host, aim, flag, limits, .. } = self;
        let Some(aim) = aim else { return thrown(|| body(store)) };
        let deadline = Instant::now() + Duration::from_nanos(limits.wall_time_ns);
        let wake = match host {
            Host::Shared(session) => {
                session.set_deadline(store, deadline);
                None
            }
            Host::Wasix(session) => Some(session.wake(store)),
        };
        // SAFETY: the instance is the store's, which `body` borrows.
        let run = unsafe { watchdog::watched(deadline, aim, flag.clone(), wake, || thrown(|| body(store))) };
        run.unwrap_or_else(|failure| Err(End::Failed(failure)))
    }

    fn attach(&mut self, instance: &Instance) -> Result<(), Failure> {
        match &mut self.host {
            Host::Shared(session) => session.attach(&mut self.store, instance),
            Host::Wasix(session) => session.attach(&mut self.store, instance)?,
        }
        let start = instance.exports.get_typed_function(&self.store, "_start");
        self.start = Some(start.map_err(|e| Failure::link(e.to_string()))?);
        Ok(())
    }

    /// How a run ended that did not return.
    fn end_of(&self, error: RuntimeError) -> End {
        if self.aim.as_ref().is_some_and(|aim| aim.expired()) {
            return End::Timeout;
        }
        if let Some(stop) = error.downcast_ref::<Stop>() {
            return stop.clone().into();
        }
        if let Some(WasiError::Exit(code)) = error.downcast_ref::<WasiError>() {
            return End::Exit(code.raw());
        }
        let message = error.message();
        match error.to_trap() {
            Some(_) if self.budget.refused() => End::Memory,
            Some(code) => End::Trap(kind(code), message),
            None => End::Failed(Failure::crashed(message)),
        }
    }

    fn conclude(&mut self, end: End) -> Result<Outcome, Failure> {
        let (stdout, stderr) = match &self.host {
            Host::Shared(session) => session.take_output(&mut self.store),
            Host::Wasix(session) => session.take_output(),
        };
        conclude(&self.limits, end, stdout, stderr)
    }

    /// The failure of a module that ended before `_start`.
    fn premature(&mut self, end: End) -> Failure {
        match self.conclude(end) {
            Ok(_) => Failure::link("the module exits while it is instantiated"),
            Err(failure) => failure,
        }
    }

    fn unmade(&mut self, error: &InstantiationError) -> Failure {
        match error {
            _ if self.budget.refused() => self.premature(End::Memory),
            InstantiationError::Link(LinkError::Import(module, name, why)) => {
                Failure::link(format!("the import {module:?} {name:?}: {why}"))
            }
            InstantiationError::CpuFeature(_) | InstantiationError::DifferentArchOS => {
                Failure::rejected(error.to_string())
            }
            _ => Failure::host(format!("cannot make an instance: {error}")),
        }
    }
}

impl runtime::Instance for Fresh {
    fn execute(&mut self) -> Result<Outcome, Failure> {
        let Some(start) = self.start.take() else { return Err(Failure::host("an instance executes once")) };
        let end = match self.run(true, |store| start.call(store)) {
            Ok(Ok(())) => End::Exit(0),
            Ok(Err(error)) => self.end_of(error),
            Err(end) => end,
        };
        self.conclude(end)
    }
}

/// Calls `body`, and catches what is thrown over the function's frames.
fn thrown<R>(body: impl FnOnce() -> R) -> Result<R, End> {
    catch_unwind(AssertUnwindSafe(body)).map_err(|payload| {
        if payload.is::<OutputLimit>() {
            return End::OutputLimit;
        }
        End::Failed(Failure::crashed(panic_message(&*payload)))
    })
}

fn kind(code: TrapCode) -> TrapKind {
    match code {
        TrapCode::StackOverflow => TrapKind::StackOverflow,
        TrapCode::HeapAccessOutOfBounds => TrapKind::MemoryOutOfBounds,
        TrapCode::TableAccessOutOfBounds => TrapKind::TableOutOfBounds,
        TrapCode::IndirectCallToNull => TrapKind::IndirectCallToNull,
        TrapCode::BadSignature => TrapKind::BadSignature,
        TrapCode::IntegerOverflow => TrapKind::IntegerOverflow,
        TrapCode::IntegerDivisionByZero => TrapKind::IntegerDivideByZero,
        TrapCode::BadConversionToInteger => TrapKind::BadConversionToInteger,
        TrapCode::UnreachableCodeReached => TrapKind::Unreachable,
        _ => TrapKind::Other,
    }
}
