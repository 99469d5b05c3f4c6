//! The least program that has Wasm3 ready to load a function: what `benches/runner.rs` compares the runner with.

fn main() -> std::io::Result<()> {
    // SAFETY: the environment is made, and freed once.
    let environment = unsafe { wasm3::m3_NewEnvironment() };
    println!("ready");
    std::io::stdin().read_line(&mut String::new())?;
    // SAFETY: as above.
    unsafe { wasm3::m3_FreeEnvironment(environment) };
    Ok(())
}
