//! A warm invocation as one would write it against Wasmtime's own API, set as isobar's adapter is.

use super::ByHand;
use isobar::workload::Workload;
use isobar_core::contract::PROGRAM_NAME;
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, Linker, Module, PoolingAllocationConfig, Store, StoreLimits,
    StoreLimitsBuilder,
};
use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi::p1::{self, WasiP1Ctx};
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;

struct State {
    wasi: WasiP1Ctx,
    limits: StoreLimits,
}

/// Where sandboxes come from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Allocator {
    OnDemand,
    Pooling,
    /// Pooling, with what isobar's platform keeps resident.
    Resident,
}

pub(super) fn warm(workload: &Workload, allocator: Allocator) -> ByHand {
    let mut config = Config::new();
    config.max_wasm_stack(isobar_core::settings::STACK_BYTES);
    if allocator != Allocator::OnDemand {
        let mut pool = PoolingAllocationConfig::default();
        pool.max_memory_size(4 << 30);
        if allocator == Allocator::Resident {
            pool.linear_memory_keep_resident(2 << 20).table_keep_resident(4 << 10).pagemap_scan(Enabled::Auto);
        }
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    }
    let engine = Engine::new(&config).expect("the configuration is sound");
    let mut linker = Linker::new(&engine);
    p1::add_to_linker_sync(&mut linker, |state: &mut State| &mut state.wasi).expect("preview 1 links");
    let wasm = std::fs::read(&workload.module_path).expect("the module is there");
    let module = Module::new(&engine, wasm).expect("the module compiles");
    let linked = linker.instantiate_pre(&module).expect("the module links");
    let (env, limits) = (workload.invocation.env.clone(), workload.invocation.limits);
    Box::new(move || {
        let stdout = MemoryOutputPipe::new(limits.output_bytes as usize);
        let stderr = MemoryOutputPipe::new(limits.output_bytes as usize);
        let mut wasi = WasiCtxBuilder::new();
        wasi.arg(PROGRAM_NAME).envs(&env).stdout(stdout.clone()).stderr(stderr);
        let limits = StoreLimitsBuilder::new().memory_size(limits.memory_bytes as usize).build();
        let mut store = Store::new(&engine, State { wasi: wasi.build_p1(), limits });
        store.limiter(|state| &mut state.limits);
        let instance = linked.instantiate(&mut store).expect("the module starts");
        let start = instance.get_typed_func::<(), ()>(&mut store, "_start").expect("the module has a _start");
        start.call(&mut store, ()).expect("the function returns");
        drop(store);
        stdout.contents().to_vec()
    })
}
