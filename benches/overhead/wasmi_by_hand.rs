//! A warm invocation as one would write it against Wasmi's own API, set as isobar's adapter is.

use super::ByHand;
use isobar::workload::Workload;
use isobar_core::contract::PROGRAM_NAME;
use isobar_core::settings::{CALL_DEPTH, STACK_BYTES};
use std::sync::{Arc, RwLock};
use wasmi::{CompilationMode, Config, Engine, Linker, Module, Store, StoreLimits, StoreLimitsBuilder};
use wasmi_wasi::wasi_common::pipe::WritePipe;
use wasmi_wasi::{WasiCtx, WasiCtxBuilder, add_to_linker};

struct State {
    wasi: WasiCtx,
    limits: StoreLimits,
}

pub(super) fn warm(workload: &Workload) -> ByHand {
    let mut config = Config::default();
    config.compilation_mode(CompilationMode::Eager);
    config.set_max_recursion_depth(CALL_DEPTH);
    config.set_max_stack_height(STACK_BYTES);
    let engine = Engine::new(&config);
    let mut linker = Linker::<State>::new(&engine);
    add_to_linker(&mut linker, |state| &mut state.wasi).expect("preview 1 links");
    let wasm = std::fs::read(&workload.module_path).expect("the module is there");
    let module = Module::new(&engine, wasm).expect("the module compiles");
    let (env, limits) = (workload.invocation.env.clone(), workload.invocation.limits);
    Box::new(move || {
        let (stdout, stderr) = (Arc::new(RwLock::new(Vec::new())), Arc::new(RwLock::new(Vec::new())));
        let mut wasi = WasiCtxBuilder::new();
        wasi.arg(PROGRAM_NAME).expect("the argument fits").envs(&env).expect("the environment fits");
        wasi.stdout(Box::new(WritePipe::from_shared(stdout.clone()))).stderr(Box::new(WritePipe::from_shared(stderr)));
        let limits = StoreLimitsBuilder::new().memory_size(limits.memory_bytes as usize).build();
        let mut store = Store::new(&engine, State { wasi: wasi.build(), limits });
        store.limiter(|state| &mut state.limits);
        let instance = linker.instantiate_and_start(&mut store, &module).expect("the module starts");
        let start = instance.get_typed_func::<(), ()>(&store, "_start").expect("the module has a _start");
        start.call(&mut store, ()).expect("the function returns");
        drop(store);
        std::mem::take(&mut *stdout.write().expect("nobody panicked"))
    })
}
