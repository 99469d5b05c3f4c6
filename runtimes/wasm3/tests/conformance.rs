//! The conformance suite over every mode and variant, in process.

use isobar_conformance::Boundary;

fn main() -> std::process::ExitCode {
    isobar_conformance::main(isobar_wasm3::runtimes(), Boundary::InProcess)
}
