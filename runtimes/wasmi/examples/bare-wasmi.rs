//! The least program that has Wasmi ready to load a function: what `benches/runner.rs` compares the runner with.

use wasmi::{Engine, Linker};
use wasmi_wasi::{WasiCtx, add_to_linker};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut linker = Linker::<WasiCtx>::new(&Engine::default());
    add_to_linker(&mut linker, |state| state)?;
    println!("ready");
    std::io::stdin().read_line(&mut String::new())?;
    Ok(())
}
