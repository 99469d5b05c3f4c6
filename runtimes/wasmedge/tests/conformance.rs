//! The conformance suite over every mode, in process.

use isobar_conformance::Boundary;

fn main() -> std::process::ExitCode {
    isobar_conformance::main(isobar_wasmedge::runtimes(), Boundary::InProcess)
}
