//! The measuring loops: what a sample is, and how its answer is checked. They run in the runner program, beside the
//! runtime that they measure, over a `dyn Runtime`.

mod cold;
mod expectation;
mod throughput;
mod warm;

pub use expectation::{Expectation, StdoutRule, sha256_hex};

use crate::contract::{Failure, Invocation};
use crate::runtime::Runtime;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "scenario")]
pub enum Scenario {
    /// Engine, load, instantiate, execute and teardown, on nothing but the stored artifact, in a running process.
    Cold,
    /// Instantiate, execute and teardown, with the module resident.
    Warm,
    /// Warm invocations in a closed loop on this many threads at once.
    Throughput {
        /// How many threads.
        threads: u32,
    },
}

impl Scenario {
    /// The scenario's name, the number of threads left out.
    pub fn name(&self) -> &'static str {
        match self {
            Scenario::Cold => "cold",
            Scenario::Warm => "warm",
            Scenario::Throughput { .. } => "throughput",
        }
    }

    /// How many threads run functions.
    pub fn threads(&self) -> u32 {
        match self {
            Scenario::Throughput { threads } => *threads,
            _ => 1,
        }
    }
}

impl std::fmt::Display for Scenario {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Scenario::Throughput { threads } => f.pad(&format!("throughput/{threads}")),
            _ => f.pad(self.name()),
        }
    }
}

/// A function as it is measured: the stored artifact, the call, and the answer that counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// What [`crate::Engine::load`] reads.
    pub artifact: PathBuf,
    /// The call.
    pub invocation: Invocation,
    /// The answer.
    pub expectation: Expectation,
}

/// How long a measurement goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// Invocations that are made, checked and not counted. Cold measurements have none.
    pub warm_up_samples: u32,
    /// The time after which warming up ends all the same, in nanoseconds.
    pub warm_up_ns: u64,
    /// Samples that are taken whatever the time.
    pub min_samples: u32,
    /// Samples after which a measurement ends.
    pub max_samples: u32,
    /// The time after which a measurement ends, in nanoseconds.
    pub time_ns: u64,
}

impl Budget {
    /// Whether another sample is to be taken after `taken` of them, `since` having been the start.
    fn goes_on(&self, taken: usize, since: Instant) -> bool {
        taken < self.min_samples as usize
            || (taken < self.max_samples as usize && elapsed_ns(since, Instant::now()) < self.time_ns)
    }

    fn warms_up(&self, taken: u32, since: Instant) -> bool {
        taken < self.warm_up_samples && elapsed_ns(since, Instant::now()) < self.warm_up_ns
    }
}

/// What was measured. Columns that a scenario does not have are empty; the others are of one length, in the order in
/// which the samples were taken.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Samples {
    /// Creating the runtime, in nanoseconds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub engine_ns: Vec<u64>,
    /// Bringing the artifact into memory, in nanoseconds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub load_ns: Vec<u64>,
    /// Making the sandbox, in nanoseconds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub instantiate_ns: Vec<u64>,
    /// Running `_start` and collecting the output, in nanoseconds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub execute_ns: Vec<u64>,
    /// Releasing the sandbox, in nanoseconds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub teardown_ns: Vec<u64>,
    /// Throughput: one entry for each trial.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trials: Vec<Trial>,
}

/// One trial of the closed loop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// Invocations that each thread completed.
    pub completed: Vec<u64>,
    /// The time that each thread took for them, in nanoseconds.
    pub elapsed_ns: Vec<u64>,
}

impl Trial {
    /// Invocations per second, the threads' rates added up.
    pub fn rate_per_s(&self) -> f64 {
        self.completed.iter().zip(&self.elapsed_ns).map(|(n, ns)| *n as f64 * 1e9 / (*ns).max(1) as f64).sum()
    }
}

/// A measurement with what was seen of the process beside the samples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// The samples.
    pub samples: Samples,
    /// Invocations that were made before the first sample.
    pub warm_up_samples: u32,
    /// The runner's largest resident size so far, in bytes, where the system tells.
    pub peak_rss_bytes: Option<u64>,
}

/// Why there is no measurement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum MeasureError {
    /// An invocation failed.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// An invocation ended, but not with the answer that the function declares.
    #[error("wrong answer: {0}")]
    WrongAnswer(String),
}

/// Measures a function in a runtime.
///
/// # Errors
/// The first invocation that fails or answers wrongly ends the measurement: its samples would count something else.
pub fn measure(
    runtime: &dyn Runtime,
    scenario: Scenario,
    task: &Task,
    budget: &Budget,
) -> Result<Measurement, MeasureError> {
    let (samples, warm_up_samples) = match scenario {
        Scenario::Cold => (cold::cold(runtime, task, budget)?, 0),
        Scenario::Warm => warm::warm(runtime, task, budget)?,
        Scenario::Throughput { threads } => throughput::throughput(runtime, task, budget, threads)?,
    };
    Ok(Measurement { samples, warm_up_samples, peak_rss_bytes: crate::process::peak_rss_bytes() })
}

fn elapsed_ns(from: Instant, to: Instant) -> u64 {
    nanoseconds(to.saturating_duration_since(from))
}

/// A duration in whole nanoseconds: 584 years fit.
pub fn nanoseconds(duration: Duration) -> u64 {
    duration.as_nanos().try_into().unwrap_or(u64::MAX)
}

#[cfg(test)]
pub(crate) mod tests;
