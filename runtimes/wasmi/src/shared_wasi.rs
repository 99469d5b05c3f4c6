//! The shared WASI host as host functions of wasmi.

use crate::host::{Host, State};
use isobar_core::wasi::{self, Stop, Wasi};
use isobar_core::{Failure, Invocation, preview1};
use std::fmt;
use std::time::Instant;
use wasmi::errors::HostError;
use wasmi::{Caller, Error, Linker};

macro_rules! link_preview1 {
    ([$linker:ident] $(fn $name:ident($($arg:ident: $ty:ident),*) $(-> $result:ident)?;)*) => {
        $($linker.func_wrap(
            wasi::MODULE,
            stringify!($name),
            |mut caller: Caller<'_, State<SharedWasi>>, $($arg: $ty),*| -> Result<_, Error> {
                let (wasi, memory) = parts(&mut caller);
                wasi.$name(memory, $($arg),*).map_err(|stop| Error::host(Stopped(stop)))
            },
        )?;)*
    };
}

/// isobar's own host.
pub struct SharedWasi(Wasi);

/// A [`Stop`] on its way through wasmi.
#[derive(Debug)]
struct Stopped(Stop);

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl HostError for Stopped {}

impl Host for SharedWasi {
    fn link(linker: &mut Linker<State<Self>>) -> Result<(), Error> {
        preview1!(link_preview1, linker);
        Ok(())
    }

    fn new(invocation: &Invocation, _limits: bool) -> Result<Self, Failure> {
        Ok(SharedWasi(Wasi::new(invocation)))
    }

    fn set_deadline(&mut self, deadline: Instant) {
        self.0.set_deadline(deadline);
    }

    fn stop(&self, error: &Error) -> Option<Stop> {
        error.downcast_ref::<Stopped>().map(|stopped| stopped.0.clone())
    }

    fn take_output(&mut self) -> (Vec<u8>, Vec<u8>) {
        self.0.take_output()
    }
}

/// The guest's memory, or none of it, and the host.
fn parts<'a>(caller: &'a mut Caller<'_, State<SharedWasi>>) -> (&'a mut Wasi, &'a mut [u8]) {
    // A start section runs before the instance is there to ask for its memory.
    let memory = caller.data().memory.or_else(|| caller.get_export("memory")?.into_memory());
    match memory {
        Some(memory) => {
            let (bytes, state) = memory.data_and_store_mut(caller);
            (&mut state.host.0, bytes)
        }
        None => (&mut caller.data_mut().host.0, &mut []),
    }
}
