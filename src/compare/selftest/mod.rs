//! Whether the harness and the machine can be trusted: the same cell, measured as if it were two.

mod aa;
mod clock;
mod overhead;
mod verdict;

pub use aa::{Aa, Process, Side};
pub use clock::{Clock, Gaps};
pub use overhead::driver_ns;
pub use verdict::{NOMINAL, reasons};

use fastrand::Rng;
use isobar_core::Runtime;
use isobar_core::measure::{Budget, MeasureError, ScenarioId, Task, measure};
use std::time::{Duration, Instant};

/// What is measured, how often and for how long.
#[derive(Clone, Debug)]
pub struct Design {
    /// The scenario.
    pub scenario: ScenarioId,
    /// What one process may take.
    pub budget: Budget,
    /// So many processes make a cell.
    pub processes: usize,
    /// No more pairs of cells than this.
    pub pairs: usize,
    /// No pair is begun after this time.
    pub time: Duration,
    /// Shuffles who of a pair goes first, and draws.
    pub seed: u64,
}

/// Measures one function in one runtime as if it were two cells, A and B, pair after pair. The processes of a pair take
/// turns as those of a run do: in each round one of A and one of B, in an order that is shuffled. A pair that is not whole
/// when the time is up is left out. `progress` is called after each process.
///
/// # Errors
/// The first measurement that fails.
pub fn pairs(
    runtime: &dyn Runtime,
    task: &Task,
    design: &Design,
    mut progress: impl FnMut(),
) -> Result<Vec<Process>, MeasureError> {
    let (mut rng, since, mut measured) = (Rng::with_seed(design.seed), Instant::now(), Vec::new());
    for pair in 0..design.pairs {
        let whole = measured.len();
        for _ in 0..design.processes {
            let order = if rng.bool() { [Side::A, Side::B] } else { [Side::B, Side::A] };
            for side in order {
                if since.elapsed() >= design.time {
                    measured.truncate(whole);
                    return Ok(measured);
                }
                let measurement = measure(runtime, design.scenario, task, &design.budget)?;
                measured.push(Process { pair, side, samples: design.scenario.values(&measurement.samples) });
                progress();
            }
        }
    }
    Ok(measured)
}

#[cfg(test)]
mod tests;
