//! The program: parses, dispatches, and says in one line what went wrong.

use clap::Parser;
use std::process::ExitCode;

/// The exit code of what could not be done, as clap has it for arguments that make no sense: 1 is left to answers that are
/// no (`diff --fail-above`, `selftest`, `doctor`).
const ERROR: u8 = 2;

fn main() -> ExitCode {
    isobar::cmd::Cli::parse().run().unwrap_or_else(|error| {
        eprintln!("isobar: {error:#}");
        ExitCode::from(ERROR)
    })
}
