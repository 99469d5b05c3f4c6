//! The least program that has Wasmtime ready to load a function: what `benches/runner.rs` compares the runner with.

use wasmtime::{Config, Engine, Linker};
use wasmtime_wasi::p1::{self, WasiP1Ctx};

fn main() -> wasmtime::Result<()> {
    let engine = Engine::new(&Config::new())?;
    let mut linker = Linker::<WasiP1Ctx>::new(&engine);
    p1::add_to_linker_sync(&mut linker, |state| state)?;
    println!("ready");
    std::io::stdin().read_line(&mut String::new())?;
    Ok(())
}
