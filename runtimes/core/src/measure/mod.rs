//! The measuring loops: what a sample is, and how its answer is checked. They run in the runner program, beside the
//! runtime that they measure, over a `dyn Runtime`.

mod attempt;
mod budget;
mod expectation;
mod measures;
mod samples;
mod scenario;
mod warm_up;

pub use attempt::{ATTEMPTS, Attempt, AttemptKind, Verdict};
pub use budget::{Budget, Stop};
pub use expectation::{Expectation, StdoutRule, sha256_hex};
pub use measures::{Available, Readings, available};
pub use samples::Samples;
pub use scenario::{
    Effort, KNEE_P99_BELOW_NS, Place, SCENARIOS, Scale, Scenario, ScenarioId, Unit, UnknownScenario, names,
};
pub use warm_up::{WarmUp, WarmUpEnd};

use crate::contract::{Failure, Invocation};
use crate::runtime::Runtime;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A function as it is measured: the stored artifact, the call, and the answer that counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// The module, binary or text: what [`crate::Engine::compile`] reads.
    pub module: PathBuf,
    /// What [`crate::Engine::load`] reads.
    pub artifact: PathBuf,
    /// The call.
    pub invocation: Invocation,
    /// The answer.
    pub expectation: Expectation,
}

/// A measurement in one process, with what was seen of the process beside the samples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Measurement {
    /// The samples.
    pub samples: Samples,
    /// What was done before the first sample.
    pub warm_up: WarmUp,
    /// Why there are no more samples.
    pub stop: Stop,
    /// What the system counted while the samples were taken, by the names of the measures.
    #[serde(default, skip_serializing_if = "Readings::is_empty")]
    pub readings: Readings,
    /// Of a scenario that gives verdicts: what was tried, and what came of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
}

/// Why there is no measurement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum MeasureError {
    /// An invocation failed.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// An invocation ended, but not with the answer that the function declares.
    #[error("wrong answer: {0}")]
    WrongAnswer(String),
}

/// Measures a function in a runtime, where the scenario wants to be measured: in the program that the runtime lives in, or
/// here.
///
/// # Errors
/// The first invocation that fails or answers wrongly ends the measurement: its samples would count something else.
pub fn measure(
    runtime: &dyn Runtime,
    id: ScenarioId,
    task: &Task,
    budget: &Budget,
) -> Result<Measurement, MeasureError> {
    let scenario = id.scenario();
    // Where every invocation starts a process, the runner sees all of it, and its own start is nobody's.
    let beside = match scenario.place() {
        Place::Runner => true,
        Place::Parent | Place::Server => runtime.info().own_process,
        Place::Outside => false,
    };
    match runtime.remote() {
        Some(remote) if beside => remote.measure(id, task, budget),
        _ => scenario.measure(runtime, id.threads(), task, budget),
    }
}

/// The slope of the line through `points` that has the least squares; `None` for fewer than two different places.
fn least_squares_slope(points: impl Iterator<Item = (f64, f64)> + Clone) -> Option<f64> {
    let count = points.clone().count() as f64;
    let (x, y) = points.clone().fold((0.0, 0.0), |(x, y), point| (x + point.0 / count, y + point.1 / count));
    let (xy, xx) = points.fold((0.0, 0.0), |(xy, xx), p| (xy + (p.0 - x) * (p.1 - y), xx + (p.0 - x) * (p.0 - x)));
    (xx > 0.0).then(|| xy / xx)
}

const MS: u64 = 1_000_000;

fn elapsed_ns(from: Instant, to: Instant) -> u64 {
    nanoseconds(to.saturating_duration_since(from))
}

/// A duration in whole nanoseconds: 584 years fit.
pub fn nanoseconds(duration: Duration) -> u64 {
    duration.as_nanos().try_into().unwrap_or(u64::MAX)
}

#[cfg(test)]
pub(crate) mod tests;
