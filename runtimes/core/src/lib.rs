//! What every runtime of isobar shares: the contract of an invocation, the runtime trait, the shared WASI preview 1
//! host, the measuring loops, and the protocol between isobar and its runner programs.
//!
//! This crate knows nothing of plans, files of results, or charts, and it stays small: every runner links it, and what
//! it weighs is added to what is measured.

pub mod capture;
pub mod contract;
pub mod inspect;
pub mod measure;
pub mod process;
pub mod runner;
pub mod runtime;
pub mod settings;
pub mod wasi;

pub use contract::{Failure, Invocation, Limits, Outcome, TrapKind};
pub use runtime::{
    Class, Enforcement, Enforcer, Engine, Execution, Form, Instance, Module, Once, Remote, Runtime, RuntimeId,
    RuntimeInfo,
};
