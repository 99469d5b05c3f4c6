//! isobar's adapter for wasmi, an interpreter in Rust that translates a module to its own code when it is loaded
//! (`eager`), or checks and translates each function when it is first called (`lazy`).
//!
//! The variant `+limits` counts fuel and looks at the clock after each portion of it; `+shared-wasi` takes isobar's
//! WASI host in place of wasmi's own.

mod host;
mod limiter;
mod module;
mod own_wasi;
mod shared_wasi;
#[cfg(test)]
mod tests;

use host::{Host, State};
use isobar_core::{
    Enforcement, Enforcer, Engine, Execution, Failure, Module, Runtime, RuntimeId, RuntimeInfo, inspect, settings,
};
use module::WasmiModule;
use own_wasi::OwnWasi;
use shared_wasi::SharedWasi;
use std::path::Path;
use std::sync::Arc;
use wasmi::{CompilationMode, Config, CustomFuelCosts, ExternType, Linker};

/// The version of wasmi, which it does not tell itself.
const VERSION: &str = "2.0.0";

/// The libraries behind wasmi's own WASI.
const OWN_WASI: &str = "wasmi_wasi 2.0.0, wasi-common 36.0.20";

/// When functions are translated.
#[derive(Clone, Copy)]
enum Mode {
    Lazy,
    Eager,
}

#[derive(Clone, Copy)]
struct Options {
    mode: Mode,
    shared_wasi: bool,
    limits: bool,
}

/// wasmi in each of its modes and variants.
pub fn runtimes() -> Vec<Box<dyn Runtime>> {
    let mut all: Vec<Box<dyn Runtime>> = Vec::new();
    for mode in [Mode::Lazy, Mode::Eager] {
        for (shared_wasi, limits) in [(false, false), (false, true), (true, false), (true, true)] {
            let options = Options { mode, shared_wasi, limits };
            all.push(Box::new(Wasmi { options, info: Arc::new(info(options)) }));
        }
    }
    all
}

struct Wasmi {
    options: Options,
    info: Arc<RuntimeInfo>,
}

fn info(options: Options) -> RuntimeInfo {
    let (mode, bodies) = match options.mode {
        Mode::Lazy => ("lazy", "checked and translated when first called"),
        Mode::Eager => ("eager", "checked and translated when loaded"),
    };
    let variants: &[&str] = match (options.shared_wasi, options.limits) {
        (false, false) => &[],
        (false, true) => &["limits"],
        (true, false) => &["shared-wasi"],
        (true, true) => &["shared-wasi", "limits"],
    };
    let stack = format!("{} calls, {} bytes of values", settings::CALL_DEPTH, settings::STACK_BYTES);
    RuntimeInfo {
        version: VERSION.to_owned(),
        wasi: if options.shared_wasi { "isobar shared host" } else { OWN_WASI }.to_owned(),
        execution: Execution::Interpreter,
        concurrent: true,
        enforcement: Enforcement {
            wall_time: if options.limits { Enforcer::Engine } else { Enforcer::Process },
            memory: Enforcer::Engine,
            stack: Enforcer::Engine,
        },
        proposals: settings::proposals(&[]),
        settings: [("stack".to_owned(), stack), ("functions".to_owned(), bodies.to_owned())].into(),
        ..RuntimeInfo::wasm(RuntimeId::new("wasmi", mode, variants))
    }
}

fn config(options: Options) -> Config {
    let mut config = Config::default();
    config
        .compilation_mode(match options.mode {
            Mode::Lazy => CompilationMode::Lazy,
            Mode::Eager => CompilationMode::Eager,
        })
        .set_max_recursion_depth(settings::CALL_DEPTH)
        .set_max_stack_height(settings::STACK_BYTES)
        .consume_fuel(options.limits)
        // A call that runs out of fuel in the middle of a translation cannot be resumed.
        .fuel_cost(CustomFuelCosts {
            bytes_copied_per_fuel: 64,
            fuel_per_bytes_translated: 0,
            fuel_per_bytes_validated: 0,
        })
        .wasm_mutable_global(true)
        .wasm_sign_extension(true)
        .wasm_saturating_float_to_int(true)
        .wasm_multi_value(true)
        .wasm_bulk_memory(true)
        .wasm_reference_types(true)
        .wasm_tail_call(false)
        .wasm_extended_const(false)
        .wasm_multi_memory(false)
        .wasm_memory64(false);
    config
}

impl Runtime for Wasmi {
    fn info(&self) -> &RuntimeInfo {
        &self.info
    }

    fn engine(&self) -> Result<Box<dyn Engine>, Failure> {
        match self.options.shared_wasi {
            true => Ok(Box::new(WasmiEngine::<SharedWasi>::new(self)?)),
            false => Ok(Box::new(WasmiEngine::<OwnWasi>::new(self)?)),
        }
    }
}

struct WasmiEngine<H: Host> {
    engine: wasmi::Engine,
    linker: Arc<Linker<State<H>>>,
    mode: Mode,
    limits: bool,
    info: Arc<RuntimeInfo>,
}

impl<H: Host> WasmiEngine<H> {
    fn new(runtime: &Wasmi) -> Result<Self, Failure> {
        let engine = wasmi::Engine::new(&config(runtime.options));
        let mut linker = Linker::new(&engine);
        H::link(&mut linker).map_err(|e| Failure::host(format!("wasmi: cannot link WASI: {e}")))?;
        let linker = Arc::new(linker);
        let Options { mode, limits, .. } = runtime.options;
        Ok(WasmiEngine { engine, linker, mode, limits, info: runtime.info.clone() })
    }
}

impl<H: Host> Engine for WasmiEngine<H> {
    fn load(&self, artifact: &Path) -> Result<Box<dyn Module>, Failure> {
        let wasm = inspect::read_module(artifact)?;
        let module = wasmi::Module::new(&self.engine, &wasm)
            .map_err(|e| inspect::explain_rejection(&wasm, &self.info.proposals, &e.to_string()))?;
        match module.get_export("_start") {
            Some(ExternType::Func(ty)) if ty.params().is_empty() && ty.results().is_empty() => {}
            Some(ExternType::Func(_)) => {
                return Err(Failure::link("`_start` is not a function without parameters and results"));
            }
            _ => return Err(Failure::link("the module does not export a function `_start`")),
        }
        Ok(Box::new(WasmiModule {
            module,
            linker: self.linker.clone(),
            limits: self.limits,
            info: self.info.clone(),
            wasm: matches!(self.mode, Mode::Lazy).then(|| wasm.into()),
        }))
    }
}
