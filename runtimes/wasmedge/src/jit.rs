//! The just-in-time mode. Only WasmEdge's virtual machine compiles: when it first instantiates its module, which it
//! keeps compiled. So a virtual machine is made and compiles when a module is loaded, and every run instantiates anew
//! in it. It has one active instance and one memory limit: a second run at the same time, or one with another limit,
//! makes (and compiles in) another.

use crate::log;
use crate::raw::{Config, Instance, Mode, Vm};
use crate::run::{self, START};
use crate::streams::{Streams, Watch};
use isobar_core::contract::{Failure, Invocation, Limits, Outcome};
use isobar_core::inspect::explain_rejection;
use std::sync::{Arc, Mutex};

/// A virtual machine whose module is compiled.
struct Compiled {
    vm: Vm,
    pages: u32,
}

impl Compiled {
    fn new(wasm: &[u8], proposals: &[String], pages: u32) -> Result<Self, Failure> {
        let config = Config::for_mode(Mode::Jit, pages)?;
        let vm =
            Vm::with_module(&config, wasm)?.map_err(|error| explain_rejection(wasm, proposals, &error.message()))?;
        // Without WASI this gets no further than compiling, for all modules that import from it: no code runs.
        let _ = vm.instantiate();
        if log::interprets() {
            return Err(Failure::host(format!("this libwasmedge does not compile: {}", log::lines().join("; "))));
        }
        Ok(Compiled { vm, pages })
    }
}

/// A loaded module.
pub struct Module {
    wasm: Vec<u8>,
    proposals: Vec<String>,
    idle: Arc<Mutex<Option<Compiled>>>,
}

impl Module {
    /// Compiles a module.
    pub fn load(wasm: Vec<u8>, proposals: &[String]) -> Result<Self, Failure> {
        let compiled = Compiled::new(&wasm, proposals, run::pages(&Limits::default()))?;
        Ok(Module { wasm, proposals: proposals.to_vec(), idle: Arc::new(Mutex::new(Some(compiled))) })
    }

    fn lease(&self, pages: u32) -> Result<Lease, Failure> {
        let idle = self.idle.lock().ok().and_then(|mut idle| idle.take_if(|compiled| compiled.pages == pages));
        let compiled = match idle {
            Some(compiled) => compiled,
            None => Compiled::new(&self.wasm, &self.proposals, pages)?,
        };
        Ok(Lease { compiled: Some(compiled), idle: self.idle.clone() })
    }
}

/// A virtual machine in use, which goes back to its module.
struct Lease {
    compiled: Option<Compiled>,
    idle: Arc<Mutex<Option<Compiled>>>,
}

impl Lease {
    fn vm(&self) -> Result<&Vm, Failure> {
        self.compiled.as_ref().map(|compiled| &compiled.vm).ok_or_else(|| Failure::host("the virtual machine is gone"))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Ok(mut idle) = self.idle.lock() {
            *idle = self.compiled.take();
        }
    }
}

/// An instance. The order of the fields is the order in which they must be dropped.
struct Run {
    _watch: Box<Watch>,
    wasi: Instance,
    streams: Arc<Streams>,
    lease: Lease,
    limits: Limits,
}

impl isobar_core::Module for Module {
    fn instantiate(&self, invocation: &Invocation) -> Result<Box<dyn isobar_core::Instance>, Failure> {
        let limits = invocation.limits;
        let lease = self.lease(run::pages(&limits))?;
        log::clear();
        let streams = Arc::new(Streams::new(invocation)?);
        let wasi = run::wasi(invocation, &streams)?;
        let vm = lease.vm()?;
        let watch = Watch::new(streams.clone(), vm.executor(), run::idle(&wasi)?);
        vm.register(&wasi).map_err(|error| Failure::host(error.message()))?;
        vm.instantiate().map_err(|error| run::instantiation_failure(&limits, &error))?;
        if log::memory_refused() {
            return Err(Failure::Memory { limit_bytes: limits.memory_bytes });
        }
        Ok(Box::new(Run { _watch: watch, wasi, streams, lease, limits }))
    }
}

impl isobar_core::Instance for Run {
    fn execute(&mut self) -> Result<Outcome, Failure> {
        let vm = self.lease.vm()?;
        let start = run::start(vm.function(START))?;
        log::clear();
        let result = vm.invoke(start);
        run::answer(&self.limits, &self.wasi, &self.streams, result)
    }
}
