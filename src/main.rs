//! The program: parses, dispatches, and says in one line what went wrong.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    isobar::cmd::Cli::parse().run().unwrap_or_else(|error| {
        eprintln!("isobar: {error:#}");
        ExitCode::FAILURE
    })
}
