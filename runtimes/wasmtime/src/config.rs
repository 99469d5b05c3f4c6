//! The modes, and how each sets Wasmtime.

use isobar_core::runtime::{Execution, RuntimeId};
use isobar_core::settings;
use std::time::Duration;
use wasmtime::{Config, Enabled, InstanceAllocationStrategy, PoolingAllocationConfig, Strategy};

/// How often `+limits` looks at the clock.
pub(crate) const EPOCH: Duration = Duration::from_millis(4);

/// How much of a memory `+resident` sets back after use, where the pool otherwise gives all pages back to the system.
pub(crate) const RESIDENT_MEMORY_BYTES: usize = 2 << 20;

/// The same for tables: one page, which is set to zero without asking which pages were written to.
pub(crate) const RESIDENT_TABLE_BYTES: usize = 4 << 10;

/// A mode: which compiler, when, and for which target.
#[derive(Clone, Copy)]
pub(crate) struct Mode {
    pub(crate) name: &'static str,
    pub(crate) execution: Execution,
    pub(crate) code: &'static str,
    strategy: Strategy,
    pulley: bool,
}

impl Mode {
    /// Wasmtime's default, which is not changed.
    pub(crate) fn optimisation(&self) -> &'static str {
        if self.strategy == Strategy::Winch { "none: one pass" } else { "for speed" }
    }

    pub(crate) fn ahead_of_time(&self) -> bool {
        self.execution == Execution::Aot
    }
}

const fn native(name: &'static str, execution: Execution, strategy: Strategy) -> Mode {
    Mode { name, execution, code: "native", strategy, pulley: false }
}

const fn pulley(name: &'static str, execution: Execution) -> Mode {
    Mode { name, execution, code: "Pulley bytecode, interpreted", strategy: Strategy::Cranelift, pulley: true }
}

pub(crate) const MODES: [Mode; 6] = [
    native("cranelift", Execution::Jit, Strategy::Cranelift),
    native("cranelift-aot", Execution::Aot, Strategy::Cranelift),
    native("winch", Execution::Jit, Strategy::Winch),
    native("winch-aot", Execution::Aot, Strategy::Winch),
    pulley("pulley", Execution::Interpreter),
    pulley("pulley-aot", Execution::Aot),
];

pub(crate) const VARIANTS: [&[&str]; 9] = [
    &[],
    &["pooling"],
    &["no-cow"],
    &["shared-wasi"],
    &["limits"],
    &["pooling", "shared-wasi"],
    &["pooling", "limits"],
    &["pooling", "resident", "limits"],
    &["pooling", "resident", "shared-wasi", "limits"],
];

/// What Wasmtime is set to. What is not set here is as its users get it.
pub(crate) fn config(mode: Mode, id: &RuntimeId) -> wasmtime::Result<Config> {
    let mut config = Config::new();
    config.strategy(mode.strategy);
    if mode.pulley {
        config.target("pulley64")?;
    }
    // What is beyond `settings::PROPOSALS` and SIMD. (Garbage collection, threads and components are not built in.)
    config.wasm_relaxed_simd(false);
    config.wasm_tail_call(false);
    config.wasm_multi_memory(false);
    config.wasm_memory64(false);
    config.wasm_extended_const(false);
    config.max_wasm_stack(settings::STACK_BYTES);
    config.epoch_interruption(id.has("limits"));
    config.memory_init_cow(!id.has("no-cow"));
    if id.has("pooling") {
        let mut pool = PoolingAllocationConfig::default();
        // The pool's default of 10 MB would be a limit of its own; the address space is reserved anyway.
        pool.max_memory_size(4 << 30);
        if id.has("resident") {
            pool.linear_memory_keep_resident(RESIDENT_MEMORY_BYTES);
            pool.table_keep_resident(RESIDENT_TABLE_BYTES);
            // Linux 6.7 tells which pages were written to: only those are set back.
            pool.pagemap_scan(Enabled::Auto);
        }
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    }
    Ok(config)
}
