//! The runner program for Wasmtime.

fn main() -> std::process::ExitCode {
    isobar_core::runner::main(isobar_wasmtime::runtimes())
}
