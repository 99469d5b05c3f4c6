//! The platform: a catalogue of functions, a runtime, a fixed number of workers with a bounded queue in front of them,
//! and HTTP as its face. `docs/PLATFORM.md` says how it behaves.
//!
//! [`Platform`] knows nothing of HTTP. The program `isobar-platform` serves it; `isobar serve` starts that program, so
//! that nothing of it is linked into the one that measures.

mod artifacts;
mod backend;
mod capability;
mod function;
pub mod http;
mod keep_alive;
mod manifest;
mod metrics;
mod pace;
mod platform;
mod queue;
mod source;
mod striped;

pub use backend::{Phases, Start, Strategy, is_safe_in_process};
pub use capability::{Grants, restrict};
pub use function::{Function, Spec};
pub use keep_alive::KeepAlive;
pub use manifest::FUNCTIONS_MANIFEST;
pub use platform::{Call, Platform, Reply, Settings};
pub use queue::Busy;
pub use source::Source;

/// Why the platform does not start, or does not take a change.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A file or folder that cannot be read or written.
    #[error("{}: {message}", path.display())]
    File {
        /// Which.
        path: std::path::PathBuf,
        /// What is wrong, and what to do.
        message: String,
    },
    /// A function that cannot be served.
    #[error("the function {name}: {message}")]
    Function {
        /// Its name.
        name: String,
        /// What is wrong, and what to do.
        message: String,
    },
    /// The catalogue of workloads is broken.
    #[error(transparent)]
    Workloads(#[from] crate::workload::WorkloadError),
    /// The runtime does not start.
    #[error("{runtime}: {failure}")]
    Runtime {
        /// Its name.
        runtime: String,
        /// Why.
        failure: isobar_core::Failure,
    },
    /// The server cannot start.
    #[error("{0}")]
    Server(String),
}

impl ServeError {
    pub(crate) fn file(path: impl Into<std::path::PathBuf>, message: impl ToString) -> ServeError {
        ServeError::File { path: path.into(), message: message.to_string() }
    }

    pub(crate) fn function(name: &str, message: impl ToString) -> ServeError {
        ServeError::Function { name: name.to_owned(), message: message.to_string() }
    }
}
