//! The shared WASI preview 1 host: arguments, environment, standard streams, clocks, randomness and exit; an honest
//! refusal for the rest.
//!
//! It serves engines that have no WASI of their own, and as the variant `+shared-wasi` the others, to tell the cost of
//! an engine from the cost of its WASI library. A method of [`Wasi`] is a function of preview 1: it takes the guest's
//! memory and the arguments as WebAssembly passes them, and trusts neither. [`preview1!`](crate::preview1) names all of
//! them to an adapter.
//!
//! A guest must not tell this host from wasmtime-wasi 48 by what it answers. The differences that are wanted:
//!
//! - a bad pointer is `fault`, not a trap, and is noticed before anything is read or written;
//! - a read or write serves all buffers, not the first that is not empty;
//! - `proc_exit` takes any code;
//! - the CPU-time clocks can be read;
//! - `poll_oneoff` says how many bytes can be read or written, and that standard input is at its end;
//! - a call that is refused for its descriptor does not look at its other arguments.

mod absent;
mod clocks;
mod errno;
mod memory;
mod poll;
mod streams;
mod strings;
mod table;
#[cfg(test)]
mod tests;

pub use errno::Errno;

use crate::capture::{Capture, End};
use crate::contract::Invocation;
use std::time::Instant;
use streams::Stream;
use strings::Strings;

/// The module from which a guest imports preview 1.
pub const MODULE: &str = "wasi_snapshot_preview1";

/// Why a guest does not go on after a call. An adapter throws it through its engine as a host error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// It called `proc_exit` with this code.
    #[error("exit with code {0}")]
    Exit(i32),
    /// It wrote more than its limit.
    #[error("the output limit is reached")]
    OutputLimit,
    /// It slept until its deadline.
    #[error("the wall-time limit is reached")]
    Timeout,
}

impl From<Stop> for End {
    fn from(stop: Stop) -> End {
        match stop {
            Stop::Exit(code) => End::Exit(code),
            Stop::OutputLimit => End::OutputLimit,
            Stop::Timeout => End::Timeout,
        }
    }
}

/// The host's side of one invocation.
///
/// The methods that are functions of preview 1 return 0 or an [`Errno`]'s number.
///
/// # Errors
/// They return a [`Stop`] when the guest must not go on: `proc_exit` always, `fd_write` when the output limit is
/// reached, `poll_oneoff` at the deadline.
#[derive(Clone, Debug)]
pub struct Wasi {
    args: Strings,
    env: Strings,
    stdin: Vec<u8>,
    stdin_position: usize,
    stdout: Capture,
    stderr: Capture,
    output_limit_bytes: u64,
    /// Only ever shrinks: nothing can be opened, and `fd_renumber` wants an open target.
    descriptors: [Option<Stream>; 3],
    start: Instant,
    deadline: Option<Instant>,
}

impl Wasi {
    /// A host for one invocation. Strings are handed on as they are; [`Invocation::check`] finds those that a guest
    /// would read differently.
    pub fn new(invocation: &Invocation) -> Self {
        let output_limit_bytes = invocation.limits.output_bytes;
        Wasi {
            args: Strings::args(invocation),
            env: Strings::env(invocation),
            stdin: invocation.stdin.clone(),
            stdin_position: 0,
            stdout: Capture::new(output_limit_bytes),
            stderr: Capture::new(output_limit_bytes),
            output_limit_bytes,
            descriptors: [Some(Stream::Stdin), Some(Stream::Stdout), Some(Stream::Stderr)],
            start: Instant::now(),
            deadline: None,
        }
    }

    /// Ends sleeps in `poll_oneoff` with [`Stop::Timeout`] at `deadline`.
    pub fn set_deadline(&mut self, deadline: Instant) {
        self.deadline = Some(deadline);
    }

    /// Whether the function wrote more than its limit.
    pub fn overflowed(&self) -> bool {
        self.stdout.overflowed() || self.stderr.overflowed()
    }

    /// Takes what was written to standard output and to standard error.
    pub fn take_output(&mut self) -> (Vec<u8>, Vec<u8>) {
        (self.stdout.take(), self.stderr.take())
    }
}
