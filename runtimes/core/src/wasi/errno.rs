//! The error codes that this host answers with.
//!
//! Numbers and descriptions are those of `$errno` in `typenames.witx` of WASI preview 1
//! (<https://github.com/WebAssembly/WASI>, `legacy/preview1/witx`).

use super::Stop;

/// Why a call was refused. 0, in the specification `success`, is the absence of an [`Errno`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[repr(u16)]
pub enum Errno {
    /// Bad file descriptor.
    #[error("bad file descriptor")]
    Badf = 8,
    /// Bad address.
    #[error("bad address")]
    Fault = 21,
    /// Invalid argument.
    #[error("invalid argument")]
    Inval = 28,
    /// I/O error.
    #[error("I/O error")]
    Io = 29,
    /// Not a directory or a symbolic link to a directory.
    #[error("not a directory or a symbolic link to a directory")]
    Notdir = 54,
    /// Not a socket.
    #[error("not a socket")]
    Notsock = 57,
    /// Not supported, or operation not supported on socket.
    #[error("not supported")]
    Notsup = 58,
    /// Value too large to be stored in data type.
    #[error("value too large to be stored in data type")]
    Overflow = 61,
    /// Invalid seek.
    #[error("invalid seek")]
    Spipe = 70,
}

/// Why a call did not succeed: the guest gets an error code, or does not go on at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Errno(Errno),
    Stop(Stop),
}

impl From<Errno> for Refusal {
    fn from(errno: Errno) -> Self {
        Refusal::Errno(errno)
    }
}

impl From<Stop> for Refusal {
    fn from(stop: Stop) -> Self {
        Refusal::Stop(stop)
    }
}

/// A result as the guest gets it.
pub(super) fn answer(result: Result<(), impl Into<Refusal>>) -> Result<i32, Stop> {
    match result.map_err(Into::into) {
        Ok(()) => Ok(0),
        Err(Refusal::Errno(errno)) => Ok(i32::from(errno as u16)),
        Err(Refusal::Stop(stop)) => Err(stop),
    }
}
