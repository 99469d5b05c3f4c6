//! The least program that has WasmEdge ready to load a function: what `benches/runner.rs` compares the runner with.

use wasmedge_sys::ffi;

fn main() -> std::io::Result<()> {
    // SAFETY: the configuration is made, and freed once.
    let config = unsafe { ffi::WasmEdge_ConfigureCreate() };
    println!("ready");
    std::io::stdin().read_line(&mut String::new())?;
    // SAFETY: as above.
    unsafe { ffi::WasmEdge_ConfigureDelete(config) };
    Ok(())
}
