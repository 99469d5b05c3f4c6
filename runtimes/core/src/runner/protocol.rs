//! The messages between isobar and a runner: one JSON object per line, a request on the runner's standard input, a
//! reply on its standard output. `docs/RUNNER.md` describes them for authors of runners in other languages.

use crate::contract::{Failure, Invocation, Outcome};
use crate::measure::{Budget, MeasureError, Measurement, ScenarioId, Task};
use crate::runtime::{RuntimeId, RuntimeInfo};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The version of the messages.
pub const PROTOCOL: u32 = 2;

/// What isobar asks of a runner. Each request gets one [`Reply`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case")]
pub enum Request {
    /// Which runtimes are there? Answered by [`Reply::Described`].
    Describe,
    /// Create this runtime, in place of an earlier one: [`Reply::Done`].
    Engine {
        /// Which.
        runtime: RuntimeId,
    },
    /// Compile ahead of time with the current engine: [`Reply::Done`].
    Compile {
        /// The module, binary or text.
        wasm: PathBuf,
        /// The file to write.
        artifact: PathBuf,
    },
    /// Load an artifact with the current engine: [`Reply::Made`].
    Load {
        /// The file to read.
        artifact: PathBuf,
    },
    /// Make a sandbox: [`Reply::Made`].
    Instantiate {
        /// The number that [`Request::Load`] was answered with.
        module: u64,
        /// The invocation.
        invocation: Invocation,
    },
    /// Run a sandbox to its end: [`Reply::Executed`].
    Execute {
        /// The number that [`Request::Instantiate`] was answered with.
        instance: u64,
    },
    /// Release a sandbox or a module, or end a server: [`Reply::Done`].
    Release {
        /// Its number.
        handle: u64,
    },
    /// Everything from nothing to an answer, once, in a runtime of its own making: [`Reply::Executed`].
    Run {
        /// Which runtime.
        runtime: RuntimeId,
        /// The file to load.
        artifact: PathBuf,
        /// The invocation.
        invocation: Invocation,
    },
    /// Start a server that answers requests for a function, in a runtime of its own making, and wait until it listens:
    /// [`Reply::Serving`]. [`Request::Release`] ends it, and so does the end of the runner.
    Serve {
        /// Which runtime.
        runtime: RuntimeId,
        /// The file to load.
        artifact: PathBuf,
        /// The invocation: its arguments and limits are the server's, its environment and input come with each request.
        invocation: Invocation,
    },
    /// Measure in a runtime of its own making: [`Reply::Measured`].
    Measure {
        /// Which runtime.
        runtime: RuntimeId,
        /// What of it.
        scenario: ScenarioId,
        /// On which function.
        task: Task,
        /// How long.
        budget: Budget,
    },
}

/// A runtime that a runner knows and that cannot run on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotHere {
    /// Which: a runtime, or a whole family.
    pub runtime: String,
    /// Why, and what to do, in one line.
    pub reason: String,
}

/// What a runner answers. `elapsed_ns` is the time that the asked phase took, as the runner saw it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "kebab-case")]
pub enum Reply {
    /// To [`Request::Describe`].
    Described {
        /// [`PROTOCOL`].
        protocol: u32,
        /// The runner's own version.
        version: String,
        /// Its runtimes.
        runtimes: Vec<RuntimeInfo>,
        /// What it would have, were the machine another.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        absent: Vec<NotHere>,
    },
    /// It is done.
    Done {
        /// In nanoseconds.
        elapsed_ns: u64,
    },
    /// A module or a sandbox was made.
    Made {
        /// Its number.
        handle: u64,
        /// In nanoseconds.
        elapsed_ns: u64,
    },
    /// A function ran to its end.
    Executed {
        /// Its answer.
        outcome: Outcome,
        /// In nanoseconds.
        elapsed_ns: u64,
    },
    /// A server listens.
    Serving {
        /// Its number.
        handle: u64,
        /// Where it answers for the function, without a query: `http://127.0.0.1:4711/path`.
        url: String,
        /// From spawning the server until it listened, in nanoseconds.
        elapsed_ns: u64,
    },
    /// To [`Request::Measure`].
    Measured {
        /// The samples.
        measurement: Measurement,
    },
    /// The request failed.
    Failed {
        /// Why.
        error: MeasureError,
    },
}

impl From<Failure> for Reply {
    fn from(failure: Failure) -> Self {
        Reply::Failed { error: MeasureError::Failure(failure) }
    }
}
