fn main() -> std::process::ExitCode {
    isobar_core::runner::main(isobar_wasm3::runtimes())
}
