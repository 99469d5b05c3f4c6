//! What the two WASI hosts have in common.

use crate::limiter::Limiter;
use isobar_core::wasi::Stop;
use isobar_core::{Failure, Invocation};
use std::time::Instant;
use wasmi::{Error, Linker, Memory};

/// A WASI host for one invocation.
pub trait Host: Send + Sized + 'static {
    /// Adds its functions to a linker. This is done once per engine.
    fn link(linker: &mut Linker<State<Self>>) -> Result<(), Error>;

    /// A host for an invocation. Only with `limits` it will be told a deadline.
    fn new(invocation: &Invocation, limits: bool) -> Result<Self, Failure>;

    /// Sets when the invocation must be over: sleeps end then.
    fn set_deadline(&mut self, deadline: Instant);

    /// Why the host ended the run with this error, if it did.
    fn stop(&self, error: &Error) -> Option<Stop>;

    /// Takes what was written to standard output and to standard error.
    fn take_output(&mut self) -> (Vec<u8>, Vec<u8>);
}

/// What a store holds.
pub struct State<H> {
    /// The WASI host.
    pub host: H,
    /// The memory limit.
    pub limiter: Limiter,
    /// The guest's memory, once it is known.
    pub memory: Option<Memory>,
}
