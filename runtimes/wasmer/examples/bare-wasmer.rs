//! The least program that has Wasmer ready to load a function: what `benches/runner.rs` compares the runner with.

use std::sync::Arc;
use wasmer::sys::{Cranelift, EngineBuilder};
use wasmer_wasix::PluggableRuntime;
use wasmer_wasix::runtime::task_manager::tokio::TokioTaskManager;

fn main() -> std::io::Result<()> {
    let engine = EngineBuilder::new(Cranelift::new()).engine();
    let timers = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build()?;
    let mut runtime = PluggableRuntime::new(Arc::new(TokioTaskManager::new(timers.handle().clone())));
    runtime.set_engine(engine.into());
    println!("ready");
    std::io::stdin().read_line(&mut String::new())?;
    Ok(())
}
