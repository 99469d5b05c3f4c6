//! The conformance suite over every mode and variant, in process; those of LLVM with the feature `llvm`.

use isobar_conformance::Boundary;

fn main() -> std::process::ExitCode {
    let runtimes = isobar_wasmer::runtimes().into_iter();
    #[cfg(feature = "llvm")]
    let runtimes = runtimes.chain(isobar_wasmer::runtimes_llvm());
    isobar_conformance::main(runtimes, Boundary::InProcess)
}
