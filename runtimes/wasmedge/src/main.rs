//! The runner program for WasmEdge.

fn main() -> std::process::ExitCode {
    isobar_core::runner::main(isobar_wasmedge::runtimes())
}
