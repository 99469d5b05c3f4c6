//! The program behind `isobar serve`. The runtimes and the server are linked here and not into isobar, which measures.

use clap::Parser;
use isobar_core::settings::NATIVE_STACK_BYTES;
use std::process::ExitCode;

/// What one thread allocates for a request another one frees, which the system's allocator is slow at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The exit code of what could not be done.
const ERROR: u8 = 2;

fn main() -> ExitCode {
    // Runtimes capture a backtrace with every error when told to: that would be paid for by requests.
    // SAFETY: the process has one thread.
    unsafe {
        std::env::remove_var("RUST_BACKTRACE");
        std::env::remove_var("RUST_LIB_BACKTRACE");
        // Of the server's own threads, which are not ours to start: functions run on them too.
        std::env::set_var("RUST_MIN_STACK", NATIVE_STACK_BYTES.to_string());
    }
    isobar::cmd::Cli::parse().serve().unwrap_or_else(|error| {
        eprintln!("isobar: {error:#}");
        ExitCode::from(ERROR)
    })
}
