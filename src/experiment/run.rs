use super::http;
use super::prepare::Artifacts;
use super::requests::ByRequests;
use super::schedule::Round;
use crate::affinity::Pins;
use crate::noise::{Load, System};
use crate::record::{Cell, Function, Header, Record, RunFolder, StoreError};
use crate::remote::RemoteRuntime;
use crate::stats::Histogram;
use crate::workload::Workload;
use isobar_core::measure::{
    self, Budget, Effort, Expectation, MeasureError, Measurement, Place, Scale, ScenarioId, Task, Unit, nanoseconds,
};
use isobar_core::{Class, Invocation, Runtime};
use std::time::{Duration, Instant};

/// Who is told how a run goes on.
pub trait Observer {
    /// A round begins that measures so many cells, and how many cells are at least to come after it.
    fn round(&mut self, number: u32, cells: usize, after: usize);
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

/// Measures what a run with this header and these records still needs, in rounds, and stores each record before the next
/// cell is measured. A measurement that fails is a record that says so. With `pins`, runners are bound to processors.
/// Returns all records.
///
/// # Errors
/// The run cannot be stored any more, or names what is not there. What was measured is stored.
pub fn run(
    header: &Header,
    mut records: Vec<Record>,
    pins: Option<&Pins>,
    runtimes: &[RemoteRuntime],
    workloads: &[Workload],
    folder: &mut RunFolder,
    observer: &mut dyn Observer,
) -> Result<Vec<Record>, RunError> {
    let effort = if header.quick { Effort::Quick } else { Effort::Full };
    let mut artifacts = Artifacts::new(folder.artifacts(), &records);
    let system = System::this();
    let mut round = Round::current(header, &records);
    while let Some(current) = round {
        let left = current.left(header, &records);
        let rounds_after = header.schedule.min_processes.saturating_sub(current.number + 1) as usize;
        observer.round(current.number, left.len(), rounds_after * current.cells.len());
        for cell in left.into_iter().map(|at| &header.cells[at]) {
            let runtime = runtimes.iter().find(|runtime| runtime.info().id == cell.runtime);
            let workload = workloads.iter().find(|workload| workload.name == cell.function);
            let (Some(runtime), Some(workload)) = (runtime, workload) else {
                return Err(RunError::Unknown(cell.to_string()));
            };
            let size = header.functions.iter().find(|f| f.name == cell.function).map_or("default", Function::size);
            let Some(work) = workload.size(size) else {
                return Err(RunError::Unknown(format!("the size {size} of {}", cell.function)));
            };
            observer.begins(cell);
            let bound = pins.map(|pins| runtime.on(pins.measured(processors(cell.scenario))));
            let runtime = bound.as_ref().unwrap_or(runtime);
            let before = Load::now(&system);
            let mut record = measure(cell, current.number, effort, runtime, (workload, work), &mut artifacts);
            record.noise = Load::now(&system).noise_since(&before);
            record.cpus.clone_from(&runtime.program().cpus);
            if record.result.is_err() {
                folder.check_not_full()?;
            }
            folder.append(&record)?;
            observer.ended(&record);
            records.push(record);
        }
        round = current.next(header, &records);
    }
    Ok(records)
}

fn measure(
    cell: &Cell,
    round: u32,
    effort: Effort,
    runtime: &RemoteRuntime,
    (workload, (invocation, expectation)): (&Workload, (Invocation, Expectation)),
    artifacts: &mut Artifacts,
) -> Record {
    let mut elapsed_ns = 0;
    let (artifact, found) = match artifacts.of(cell, runtime, workload) {
        Err(failure) => (None, Err(MeasureError::Failure(failure.clone())).into()),
        Ok(prepared) => {
            let (path, artifact) = (prepared.path.clone(), prepared.artifact);
            let task = Task { module: workload.module_path.clone(), artifact: path, invocation, expectation };
            let budget = cell.scenario.scenario().budget(effort);
            let start = Instant::now();
            let found = measured(cell, runtime, &task, &budget, artifacts);
            elapsed_ns = nanoseconds(start.elapsed());
            (artifact, found)
        }
    };
    let http::Found { result, histogram: of_requests, load } = found;
    Record {
        cell: cell.clone(),
        round,
        machine: 0,
        elapsed_ns,
        cpus: vec![],
        noise: None,
        histogram: result.as_ref().ok().and_then(|measurement| histogram(cell.scenario, measurement)).or(of_requests),
        artifact,
        load,
        result,
    }
}

/// How long anything but an invocation may take where functions try to get out: a runner that hangs in its clean-up must not
/// keep the others waiting.
const PATIENCE: Duration = Duration::from_secs(120);

fn measured(cell: &Cell, runtime: &RemoteRuntime, task: &Task, budget: &Budget, artifacts: &Artifacts) -> http::Found {
    let scenario = cell.scenario.scenario();
    if scenario.verdicts() {
        let runtime: Box<dyn Runtime> = Box::new(runtime.patient(PATIENCE));
        let served = runtime.info().class == Class::Server;
        let runtime = if served { Box::new(ByRequests::new(runtime)) } else { runtime };
        return measure::measure(&*runtime, cell.scenario, task, budget).into();
    }
    if scenario.place() != Place::Server {
        return measure::measure(runtime, cell.scenario, task, budget).into();
    }
    http::measure(&http::Subject { cell, runtime, task, cache: &artifacts.of_platform() }, budget)
}

/// How many processors what is measured is bound to, where it is bound: one for each thread; a server has half of them, as it
/// shares them with its load.
pub fn processors(id: ScenarioId) -> u32 {
    match id.scenario().scale() {
        _ if id.scenario().place() == Place::Server => (crate::record::cores() / 2).max(1),
        Scale::Threads => id.threads(),
        Scale::Connections | Scale::Rate => 1,
    }
}

/// Of times: the whole of every sample, not of its phases.
fn histogram(scenario: ScenarioId, measurement: &Measurement) -> Option<String> {
    let values = scenario.values(&measurement.samples);
    if scenario.scenario().unit() != Unit::Nanoseconds || values.is_empty() {
        return None;
    }
    let mut histogram = Histogram::new();
    for value in values {
        histogram.record(value as u64);
    }
    Some(histogram.encode())
}
