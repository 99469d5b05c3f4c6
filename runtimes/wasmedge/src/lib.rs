//! isobar's adapter for WasmEdge: interpreted, compiled ahead of time, and compiled when loaded.
//!
//! There is no variant `+limits`: WasmEdge can be told to stop, but a function that sleeps in `poll_oneoff` does not
//! notice, and runaway recursion ends the process. The wall time is the runner process's to enforce.

mod artifact;
mod jit;
mod log;
mod raw;
mod run;
mod streams;

use artifact::read_plain_module;
use isobar_core::contract::{Failure, Invocation};
use isobar_core::inspect::explain_rejection;
use isobar_core::{
    Enforcement, Enforcer, Engine, Execution, Instance, Module, Runtime, RuntimeId, RuntimeInfo, settings,
};
use raw::{Ast, Compiler, Config, Mode};
use std::path::Path;
use std::sync::Arc;

/// Every mode of WasmEdge.
pub fn runtimes() -> Vec<Box<dyn Runtime>> {
    [Mode::Interpreter, Mode::Aot, Mode::Jit].map(|mode| Box::new(WasmEdge { mode, info: info(mode) }) as _).into()
}

fn info(mode: Mode) -> RuntimeInfo {
    let (name, execution) = match mode {
        Mode::Interpreter => ("interpreter", Execution::Interpreter),
        Mode::Aot => ("aot", Execution::Aot),
        Mode::Jit => ("jit", Execution::Jit),
    };
    let version = raw::version();
    let mut settings = vec![
        ("stack", "the thread's, or without limit when interpreted; WasmEdge has no setting"),
        ("output", "files in memory; their size is looked at after every 16th host call and at the end"),
    ];
    match mode {
        Mode::Interpreter => {}
        Mode::Aot => settings.extend([
            ("compile threads", "1"),
            ("optimisation", "O2"),
            ("artifact", "universal wasm: the module with its machine code in a section"),
        ]),
        Mode::Jit => settings.extend([
            ("compile threads", "1"),
            ("optimisation", "O2"),
            ("compilation", "at load; again for a second instance at once, or another memory limit than the default"),
            ("teardown", "the memory of an instance is released when the next one is made"),
        ]),
    }
    RuntimeInfo {
        wasi: format!("wasmedge {version}"),
        version,
        execution,
        concurrent: mode != Mode::Jit,
        enforcement: Enforcement { wall_time: Enforcer::Process, memory: Enforcer::Engine, stack: Enforcer::Process },
        proposals: settings::proposals(&["simd"]),
        settings: settings.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
        ..RuntimeInfo::wasm(RuntimeId::new("wasmedge", name, &[]))
    }
}

struct WasmEdge {
    mode: Mode,
    info: RuntimeInfo,
}

impl Runtime for WasmEdge {
    fn info(&self) -> &RuntimeInfo {
        &self.info
    }

    fn engine(&self) -> Result<Box<dyn Engine>, Failure> {
        log::take_over();
        Ok(Box::new(Started { mode: self.mode, proposals: self.info.proposals.clone() }))
    }
}

/// WasmEdge has no engine to start: everything is made per module and per run.
struct Started {
    mode: Mode,
    proposals: Vec<String>,
}

impl Started {
    fn compile_to(&self, path: &Path, wasm: &[u8]) -> Result<(), Failure> {
        let config = Config::for_mode(Mode::Aot, run::MAX_PAGES)?;
        Compiler::compile(&config, wasm, path)?.map_err(|error| {
            let message = error.message();
            match Ast::from_bytes(&config, wasm) {
                Ok(Ok(_)) => Failure::host(format!("WasmEdge cannot compile to {}: {message}", path.display())),
                _ => explain_rejection(wasm, &self.proposals, &message),
            }
        })
    }
}

impl Engine for Started {
    fn compile(&self, wasm: &Path, artifact: &Path) -> Result<(), Failure> {
        let bytes = read_plain_module(wasm, &self.proposals)?;
        if self.mode != Mode::Aot {
            return isobar_core::runtime::write_artifact(artifact, &bytes);
        }
        let partial = artifact.with_extension(format!("partial-{}", std::process::id()));
        let unwritable = |e| Failure::host(format!("cannot write the artifact {}: {e}", artifact.display()));
        std::fs::File::create(&partial).map_err(unwritable)?;
        let written =
            self.compile_to(&partial, &bytes).and_then(|()| std::fs::rename(&partial, artifact).map_err(unwritable));
        if written.is_err() {
            let _ = std::fs::remove_file(&partial);
        }
        written
    }

    fn load(&self, artifact: &Path) -> Result<Box<dyn Module>, Failure> {
        let config = Config::for_mode(self.mode, run::MAX_PAGES)?;
        match self.mode {
            Mode::Interpreter => {
                let wasm = read_plain_module(artifact, &self.proposals)?;
                let ast = Ast::from_bytes(&config, &wasm)?
                    .map_err(|error| explain_rejection(&wasm, &self.proposals, &error.message()))?;
                Ok(Box::new(Loaded { mode: self.mode, ast: Arc::new(ast) }))
            }
            Mode::Aot => Ok(Box::new(Loaded { mode: self.mode, ast: Arc::new(artifact::load(&config, artifact)?) })),
            Mode::Jit => {
                Ok(Box::new(jit::Module::load(read_plain_module(artifact, &self.proposals)?, &self.proposals)?))
            }
        }
    }
}

struct Loaded {
    mode: Mode,
    ast: Arc<Ast>,
}

impl Module for Loaded {
    fn instantiate(&self, invocation: &Invocation) -> Result<Box<dyn Instance>, Failure> {
        let config = Config::for_mode(self.mode, run::pages(&invocation.limits))?;
        Ok(Box::new(run::Run::new(&config, self.ast.clone(), invocation)?))
    }
}
