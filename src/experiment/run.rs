use super::plan::Plan;
use super::prepare::Artifacts;
use crate::record::{Cell, Record, RunFolder, Schedule, StoreError};
use crate::remote::RemoteRuntime;
use crate::workload::Workload;
use isobar_core::Runtime;
use isobar_core::measure::{self, Effort, MeasureError, Task};

/// Who is told how a run goes on.
pub trait Observer {
    /// A cell is about to be measured.
    fn begins(&mut self, cell: &Cell);
    /// A cell was measured, or failed.
    fn ended(&mut self, record: &Record);
}

/// Why a run ended early.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A record could not be stored.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A planned runtime or function is not among those given.
    #[error("the plan names {0}, which is not there")]
    Unknown(String),
}

/// Measures every cell of the plan in rounds, each in an order of its own, and stores each record before the next cell
/// is measured. A measurement that fails is a record that says so.
pub fn run(
    plan: &Plan,
    effort: Effort,
    schedule: &Schedule,
    seed: u64,
    runtimes: &[RemoteRuntime],
    workloads: &[Workload],
    folder: &mut RunFolder,
    observer: &mut dyn Observer,
) -> Result<Vec<Record>, RunError> {
    let mut artifacts = Artifacts::new(folder.path());
    let mut records = Vec::new();
    for round in 0..schedule.min_processes {
        for at in order(plan.cells.len(), seed, round) {
            let cell = &plan.cells[at];
            let runtime = runtimes.iter().find(|runtime| runtime.info().id == cell.runtime);
            let workload = workloads.iter().find(|workload| workload.name == cell.function);
            let (Some(runtime), Some(workload)) = (runtime, workload) else {
                return Err(RunError::Unknown(cell.to_string()));
            };
            observer.begins(cell);
            let record = measure(cell, round, effort, runtime, workload, &mut artifacts);
            folder.append(&record)?;
            observer.ended(&record);
            records.push(record);
        }
    }
    Ok(records)
}

/// The order of a round: shuffled, so that a drift of the machine hits every cell alike, and the same for the same seed.
fn order(cells: usize, seed: u64, round: u32) -> Vec<usize> {
    let mut order: Vec<usize> = (0..cells).collect();
    fastrand::Rng::with_seed(seed.wrapping_add(u64::from(round))).shuffle(&mut order);
    order
}

fn measure(
    cell: &Cell,
    round: u32,
    effort: Effort,
    runtime: &RemoteRuntime,
    workload: &Workload,
    artifacts: &mut Artifacts,
) -> Record {
    let (artifact, result) = match artifacts.of(cell, runtime, workload) {
        Err(failure) => (None, Err(MeasureError::Failure(failure.clone()))),
        Ok(prepared) => {
            let task = Task {
                module: workload.module_path.clone(),
                artifact: prepared.path.clone(),
                invocation: workload.invocation.clone(),
                expectation: workload.expectation.clone(),
            };
            let budget = cell.scenario.scenario().budget(effort);
            (prepared.artifact, measure::measure(runtime, cell.scenario, &task, &budget))
        }
    };
    Record { cell: cell.clone(), round, machine: 0, cpus: vec![], noise: None, histogram: None, artifact, result }
}

#[cfg(test)]
mod tests {
    use super::order;

    #[test]
    fn a_round_visits_every_cell_once_in_an_order_of_its_seed() {
        let (first, again, next) = (order(50, 7, 0), order(50, 7, 0), order(50, 7, 1));
        assert_eq!(first, again);
        assert_ne!(first, next);
        let mut sorted = next;
        sorted.sort_unstable();
        assert_eq!(sorted, (0..50).collect::<Vec<_>>());
    }
}
