//! A module of wasm3, and its instances.

use crate::guard;
use crate::host::{HostFunction, State, Stopped};
use crate::interface::Memory;
use crate::raw::{Environment, Function, Sandbox};
use crate::{Mode, inspect};
use isobar_core::capture::{End, conclude};
use isobar_core::wasi::Wasi;
use isobar_core::{Failure, Instance, Invocation, Limits, Module, Outcome, RuntimeInfo, TrapKind, settings};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

thread_local! {
    /// The environment of the engine that this thread used last.
    static ENVIRONMENT: RefCell<Option<(u64, Rc<Environment>)>> = const { RefCell::new(None) };
}

/// This thread's environment of an engine.
pub fn environment(engine: u64) -> Result<Rc<Environment>, Failure> {
    ENVIRONMENT.with_borrow_mut(|slot| match slot {
        Some((owner, environment)) if *owner == engine => Ok(environment.clone()),
        _ => {
            let new = Environment::new().ok_or_else(|| Failure::host("wasm3: no memory for an environment"))?;
            let new = Rc::new(new);
            *slot = Some((engine, new.clone()));
            Ok(new)
        }
    })
}

/// Gives up this thread's environment of an engine, and with it the code pages that instances gave back.
pub fn forget_environment(engine: u64) {
    // While a thread ends, its slot may be gone already.
    let _ = ENVIRONMENT.try_with(|slot| slot.borrow_mut().take_if(|(owner, _)| *owner == engine));
}

/// The bytes of a module, with all that need not be found out again.
pub struct Wasm3Module {
    pub engine: u64,
    pub mode: Mode,
    pub info: Arc<RuntimeInfo>,
    pub wasm: Arc<[u8]>,
    pub guarded: bool,
    pub imports: Vec<&'static HostFunction>,
    pub memory: Option<Memory>,
}

impl Module for Wasm3Module {
    fn instantiate(&self, invocation: &Invocation) -> Result<Box<dyn Instance>, Failure> {
        let limits = invocation.limits;
        let pages = self.memory.map(|memory| memory.pages_in(limits.memory_bytes));
        if let (Some(memory), Some(pages)) = (self.memory, pages)
            && memory.initial_pages > u64::from(pages)
        {
            return Err(Failure::Memory { limit_bytes: limits.memory_bytes });
        }
        let state = State { wasi: Wasi::new(invocation), stop: None };
        let environment = environment(self.engine)?;
        let mut sandbox = Sandbox::new(environment, self.wasm.clone(), settings::STACK_BYTES, state)
            .map_err(|message| self.failure(&limits, message))?;
        for import in &self.imports {
            let name = import.name.to_string_lossy();
            sandbox.link(import).map_err(|message| Failure::link(format!("import `{name}`: {message}")))?;
        }
        if let Some(pages) = pages.filter(|_| self.guarded) {
            sandbox.set_global(guard::LIMIT, pages).map_err(Failure::crashed)?;
        }
        if self.mode == Mode::Eager {
            sandbox.compile().map_err(|message| self.failure(&limits, message))?;
        }
        // That `_start` is there was seen when the module was loaded: only compiling it can fail.
        let start = sandbox.function(c"_start").map_err(|message| self.failure(&limits, message))?;
        let Wasm3Module { wasm, info, guarded, .. } = self;
        Ok(Box::new(Wasm3Instance {
            sandbox,
            start,
            limits,
            wasm: wasm.clone(),
            info: info.clone(),
            guarded: *guarded,
        }))
    }
}

impl Wasm3Module {
    fn failure(&self, limits: &Limits, message: String) -> Failure {
        match end(&self.wasm, &self.info, message) {
            End::Failed(failure) => failure,
            end => match conclude(limits, end, Vec::new(), Vec::new()) {
                Err(failure) => failure,
                Ok(_) => Failure::crashed("wasm3: an instance ended before it began"),
            },
        }
    }
}

struct Wasm3Instance {
    sandbox: Sandbox,
    start: Function,
    limits: Limits,
    wasm: Arc<[u8]>,
    info: Arc<RuntimeInfo>,
    guarded: bool,
}

impl Instance for Wasm3Instance {
    fn execute(&mut self) -> Result<Outcome, Failure> {
        let end = match self.sandbox.call(&self.start) {
            Ok(()) => End::Exit(0),
            Err(message) => self.ended(message),
        };
        let (stdout, stderr) = self.sandbox.state().wasi.take_output();
        conclude(&self.limits, end, stdout, stderr)
    }
}

impl Wasm3Instance {
    fn ended(&mut self, message: String) -> End {
        match self.sandbox.state().stop.take() {
            Some(Stopped::Stop(stop)) => return stop.into(),
            Some(Stopped::Panic) => return End::Failed(Failure::crashed("the WASI host panicked")),
            None => {}
        }
        match end(&self.wasm, &self.info, message) {
            End::Trap(..) if self.refused_memory() => End::Memory,
            end => end,
        }
    }
}

impl Wasm3Instance {
    /// Whether more memory was asked for than the limit allows. Without a guard it is the process that refuses, somewhat
    /// above the limit, and nothing tells: what counts is that the memory is larger than the limit.
    fn refused_memory(&self) -> bool {
        match self.guarded {
            true => self.sandbox.global(guard::REFUSED) == Some(1),
            false => self.sandbox.memory_bytes() > self.limits.memory_bytes,
        }
    }
}

/// What a message of wasm3 means, when nothing but wasm3 ended the run. It marks its traps; all else comes from
/// compiling a function, at the latest when it is first called.
fn end(wasm: &[u8], info: &RuntimeInfo, message: String) -> End {
    if let Some(trap) = message.strip_prefix("[trap] ") {
        return End::Trap(trap_kind(trap), trap.to_owned());
    }
    if message.starts_with("memory allocation failed") {
        return End::Failed(Failure::host(format!("wasm3: {message}")));
    }
    End::Failed(inspect::explain_rejection(wasm, &info.proposals, &message))
}

fn trap_kind(message: &str) -> TrapKind {
    // A detail may follow.
    match message.split(':').next().unwrap_or_default() {
        "unreachable executed" => TrapKind::Unreachable,
        "integer divide by zero" => TrapKind::IntegerDivideByZero,
        "integer overflow" => TrapKind::IntegerOverflow,
        "invalid conversion to integer" => TrapKind::BadConversionToInteger,
        "out of bounds memory access" => TrapKind::MemoryOutOfBounds,
        "undefined element" | "out of bounds table access" => TrapKind::TableOutOfBounds,
        "uninitialized element" => TrapKind::IndirectCallToNull,
        "indirect call type mismatch" => TrapKind::BadSignature,
        "stack overflow" => TrapKind::StackOverflow,
        _ => TrapKind::Other,
    }
}
