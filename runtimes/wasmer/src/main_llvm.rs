//! The runner program for Wasmer's LLVM back end: LLVM alone weighs more than all of the other.

fn main() -> std::process::ExitCode {
    isobar_core::runner::main(isobar_wasmer::runtimes_llvm())
}
