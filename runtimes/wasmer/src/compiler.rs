//! Wasmer's compilers, set alike.

use crate::checkpoints::Checkpoints;
use isobar_core::settings;
use std::num::NonZero;
use std::sync::Arc;
use wasmer::Engine;
use wasmer::sys::{CompilerConfig, Cranelift, CraneliftOptLevel, EngineBuilder, Features, Singlepass};

#[cfg(feature = "llvm")]
use wasmer::sys::{LLVM, LLVMOptLevel};

/// A compiler. None of them is linked into a program that does not name it: LLVM is heavy even at rest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Compiler {
    /// Its name in a mode's name.
    pub name: &'static str,
    /// What it makes of a module, for people.
    pub code: &'static str,
    /// The proposals beyond [`settings::PROPOSALS`] that it knows.
    pub more_proposals: &'static [&'static str],
    config: fn(threads: NonZero<usize>) -> Box<dyn CompilerConfig>,
}

pub(crate) const CRANELIFT: Compiler = Compiler {
    name: "cranelift",
    code: "Cranelift, optimised for speed",
    more_proposals: &["simd"],
    config: |threads| {
        let mut config = Cranelift::new();
        config.num_threads(threads).opt_level(CraneliftOptLevel::Speed);
        Box::new(config)
    },
};

pub(crate) const SINGLEPASS: Compiler = Compiler {
    name: "singlepass",
    code: "Singlepass, not optimised",
    more_proposals: &[],
    config: |threads| {
        let mut config = Singlepass::new();
        config.num_threads(threads);
        Box::new(config)
    },
};

#[cfg(feature = "llvm")]
pub(crate) const LLVM_22: Compiler = Compiler {
    name: "llvm",
    code: "LLVM, optimised for speed",
    more_proposals: &["simd"],
    config: |threads| {
        let mut config = LLVM::new();
        config.num_threads(threads).opt_level(LLVMOptLevel::Aggressive);
        Box::new(config)
    },
};

impl Compiler {
    /// An engine that compiles, to code that can be interrupted anywhere if it is `limited`.
    pub fn engine(self, limited: bool) -> Engine {
        let threads = NonZero::new(settings::COMPILE_THREADS).unwrap_or(NonZero::<usize>::MIN);
        let mut config = (self.config)(threads);
        if limited {
            config.push_middleware(Arc::new(Checkpoints::default()));
        }
        EngineBuilder::new(config).set_features(Some(self.features())).into()
    }

    /// [`settings::PROPOSALS`] and [`Compiler::more_proposals`]; Wasmer has no switch for the oldest of them.
    fn features(self) -> Features {
        let mut features = Features::none();
        features.multi_value(true).bulk_memory(true).reference_types(true);
        features.simd(self.more_proposals.contains(&"simd"));
        features
    }
}
