//! The runner program for Wasmer.

fn main() -> std::process::ExitCode {
    isobar_core::runner::main(isobar_wasmer::runtimes())
}
