//! Wasmer behind isobar's runtime trait: Cranelift, Singlepass and, with the feature `llvm`, LLVM, each also ahead of
//! time; with wasmer-wasix or the shared WASI host; with or without interruption.

mod artifact;
mod bounded;
mod checkpoints;
mod compiler;
mod engine;
mod interrupt;
mod output;
mod shared;
#[cfg(test)]
mod tests;
mod wasix;
mod watchdog;

use compiler::Compiler;
use isobar_core::runtime::{Enforcement, Enforcer, Engine, Execution, Runtime, RuntimeId, RuntimeInfo};
use isobar_core::{Failure, settings};
use std::collections::BTreeMap;

/// The name of the family.
pub const FAMILY: &str = "wasmer";

/// The version of Wasmer, pinned in Cargo.toml: Wasmer does not tell it itself.
const VERSION: &str = "7.4.2";

/// The version of wasmer-wasix, likewise.
const WASIX_VERSION: &str = "0.704.2";

const VARIANTS: [&[&str]; 4] = [&[], &["shared-wasi"], &["limits"], &["shared-wasi", "limits"]];

/// Every mode of Wasmer but those of LLVM, plain and in each variant.
pub fn runtimes() -> Vec<Box<dyn Runtime>> {
    every_mode(&[compiler::CRANELIFT, compiler::SINGLEPASS])
}

/// The modes of Wasmer's LLVM back end, plain and in each variant.
#[cfg(feature = "llvm")]
pub fn runtimes_llvm() -> Vec<Box<dyn Runtime>> {
    every_mode(&[compiler::LLVM_22])
}

fn every_mode(compilers: &[Compiler]) -> Vec<Box<dyn Runtime>> {
    let mut runtimes: Vec<Box<dyn Runtime>> = Vec::new();
    for &compiler in compilers {
        for ahead_of_time in [false, true] {
            for variants in VARIANTS {
                runtimes.push(Box::new(Wasmer::new(compiler, ahead_of_time, variants)));
            }
        }
    }
    runtimes
}

/// What tells one mode and variant from another.
#[derive(Clone, Copy, Debug)]
struct Mode {
    compiler: Compiler,
    ahead_of_time: bool,
    shared_wasi: bool,
    limited: bool,
}

impl Mode {
    /// Who makes its compiled code, as [`artifact`] wants it: what `limited` code has, other code must not run without.
    fn maker(self) -> String {
        format!("{}{}", self.compiler.name, if self.limited { "+limits" } else { "" })
    }
}

/// Wasmer in one mode.
struct Wasmer {
    info: RuntimeInfo,
    mode: Mode,
}

impl Wasmer {
    fn new(compiler: Compiler, ahead_of_time: bool, variants: &[&str]) -> Self {
        let name = compiler.name;
        let mode_name = if ahead_of_time { format!("{name}-aot") } else { name.to_owned() };
        let id = RuntimeId::new(FAMILY, &mode_name, variants);
        let mode = Mode { compiler, ahead_of_time, shared_wasi: id.has("shared-wasi"), limited: id.has("limits") };
        let wasi =
            if mode.shared_wasi { "isobar shared host".to_owned() } else { format!("wasmer-wasix {WASIX_VERSION}") };
        let wall_time = if mode.limited { Enforcer::Engine } else { Enforcer::Process };
        let info = RuntimeInfo {
            version: VERSION.to_owned(),
            wasi,
            execution: if ahead_of_time { Execution::Aot } else { Execution::Jit },
            concurrent: true,
            enforcement: Enforcement { wall_time, memory: Enforcer::Engine, stack: Enforcer::Engine },
            proposals: settings::proposals(compiler.more_proposals),
            settings: described(mode),
            ..RuntimeInfo::wasm(id)
        };
        Wasmer { info, mode }
    }
}

fn described(mode: Mode) -> BTreeMap<String, String> {
    let mut settings = BTreeMap::from([
        ("code", mode.compiler.code.to_owned()),
        ("compile threads", settings::COMPILE_THREADS.to_string()),
        ("stack", format!("{} bytes", settings::STACK_BYTES)),
        ("allocator", "on demand".to_owned()),
    ]);
    if mode.limited {
        settings.insert("interruption", "signal, checked at calls of the host".to_owned());
    }
    settings.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

impl Runtime for Wasmer {
    fn info(&self) -> &RuntimeInfo {
        &self.info
    }

    fn engine(&self) -> Result<Box<dyn Engine>, Failure> {
        Ok(Box::new(engine::Ready::new(self.mode, &self.info)?))
    }
}
