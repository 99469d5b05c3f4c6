//! `wat2wasm <text> <binary>`: WebAssembly text to the binary, for scripts/build-workloads.

use isobar_core::inspect;
use std::{env, fs, path::Path, process::ExitCode};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [text, binary] = arguments.as_slice() else {
        eprintln!("usage: wat2wasm <text> <binary>");
        return ExitCode::from(2);
    };
    match convert(text, binary) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{text}: {message}");
            ExitCode::FAILURE
        }
    }
}

fn convert(text: &str, binary: &str) -> Result<(), String> {
    let wasm = inspect::read_module(Path::new(text)).map_err(|e| e.to_string())?;
    inspect::needed_proposals(&wasm)?;
    fs::write(binary, wasm).map_err(|e| format!("cannot write {binary}: {e}"))
}
