//! What every adapter does with a function's output: collect it up to a limit, and turn the way a run ended into an
//! [`Outcome`] or a [`Failure`].

use crate::contract::{Failure, Limits, Outcome, TrapKind};

/// One captured output stream, bounded.
#[derive(Clone, Debug)]
pub struct Capture {
    bytes: Vec<u8>,
    limit_bytes: u64,
    overflowed: bool,
}

/// The function wrote more than its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the output limit is reached")]
pub struct Overflow;

impl Capture {
    /// An empty stream that takes at most `limit_bytes`.
    pub fn new(limit_bytes: u64) -> Self {
        Capture { bytes: Vec::new(), limit_bytes, overflowed: false }
    }

    /// Appends all of `bytes`, or nothing when they do not fit.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Overflow> {
        if self.overflowed || (self.bytes.len() + bytes.len()) as u64 > self.limit_bytes {
            self.overflowed = true;
            return Err(Overflow);
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// Whether something did not fit.
    pub fn overflowed(&self) -> bool {
        self.overflowed
    }

    /// What was written.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Takes what was written.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }
}

/// How a run ended, as the engine saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// `_start` returned (0) or the function called `proc_exit`.
    Exit(i32),
    /// The function trapped.
    Trap(TrapKind, String),
    /// The engine interrupted it at the wall-time limit.
    Timeout,
    /// It trapped or gave up after it was refused memory beyond the limit.
    Memory,
    /// It wrote more than the output limit and was ended for it.
    OutputLimit,
    /// Anything else, already a failure.
    Failed(Failure),
}

/// The answer of an invocation that ended in this way, with this output.
pub fn conclude(limits: &Limits, end: End, stdout: Vec<u8>, stderr: Vec<u8>) -> Result<Outcome, Failure> {
    match end {
        End::Exit(exit_code) => Ok(Outcome { exit_code, stdout, stderr }),
        End::Trap(kind, message) => Err(Failure::trap(kind, message, &stderr)),
        End::Timeout => Err(Failure::Timeout { limit_ns: limits.wall_time_ns }),
        End::Memory => Err(Failure::Memory { limit_bytes: limits.memory_bytes }),
        End::OutputLimit => Err(Failure::OutputLimit { limit_bytes: limits.output_bytes }),
        End::Failed(failure) => Err(failure),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capture_takes_up_to_its_limit_and_then_nothing() {
        let mut capture = Capture::new(4);
        assert_eq!(capture.write(b"abcd"), Ok(()));
        assert!(!capture.overflowed());
        assert_eq!(capture.write(b"e"), Err(Overflow));
        assert_eq!(capture.write(b""), Err(Overflow));
        assert!(capture.overflowed());
        assert_eq!(capture.take(), b"abcd");
    }

    #[test]
    fn a_trap_keeps_the_start_of_standard_error() {
        let failure =
            conclude(&Limits::default(), End::Trap(TrapKind::Unreachable, "x".into()), vec![], vec![b'e'; 9000]);
        let Err(Failure::Trap { stderr, .. }) = failure else { panic!() };
        assert_eq!(stderr.len(), crate::contract::STDERR_EXCERPT_BYTES);
    }
}
