//! From runs to cells that can be compared: those of one run, on one machine.

use crate::experiment::{Chosen, PlanError};
use crate::names::did_you_mean;
use crate::record::{Cell, Machine, Record, Run};
use crate::report::Failed;
use crate::report::summary::failed;
use crate::stats;
use isobar_core::RuntimeId;
use isobar_core::measure::ScenarioId;
use std::collections::BTreeMap;

/// Why runs cannot be compared. Displayed as one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompareError {
    /// A filter that is no glob.
    #[error(transparent)]
    BadGlob(PlanError),
    /// A filter that chooses nothing.
    #[error("the filter '{0}' matches no runtime, function or scenario of the runs{1}")]
    MatchesNothing(String, String),
    /// A baseline that is not there.
    #[error("no run has the runtime {0}{1}")]
    NoSuchRuntime(String, String),
    /// There are no records.
    #[error("nothing is left to compare: the runs have no records{0}")]
    Nothing(&'static str),
    /// No function was measured beside a variant of it.
    #[error(
        "no run has a function beside a variant of it; measure both, as in isobar run --filter lua/hello --filter lua/hello+wizer"
    )]
    NoVariant,
    /// Two runs of different machines.
    #[error(
        "the runs were measured on different machines ({0}): their numbers do not compare; --force compares them all the same"
    )]
    OtherMachine(String),
    /// Two runs that share no cell.
    #[error("the two runs have no cell in common: `isobar cmp` compares runtimes inside a run")]
    NoCommonCell,
}

/// The cells of a run that were measured on one machine. Only they are compared with each other.
#[derive(Clone, Debug)]
pub struct Source {
    /// The run's name.
    pub run: String,
    /// Which of the run's machines, from 1.
    pub machine: u32,
    /// That machine.
    pub fingerprint: Machine,
    /// Whether the run has several machines.
    pub is_part: bool,
    /// The run's seed.
    pub seed: u64,
    /// The functions that have cells, in the run's order.
    pub functions: Vec<String>,
    /// The runtimes that have cells, in the run's order.
    pub runtimes: Vec<RuntimeId>,
    cells: BTreeMap<Cell, Result<Vec<Vec<f64>>, Failed>>,
    /// By cell and column: the samples of each process.
    parts: BTreeMap<(Cell, &'static str), Vec<Vec<f64>>>,
    module_bytes: BTreeMap<String, u64>,
}

impl Source {
    /// The samples of each process of a cell, or how it failed; `None` if it was not measured.
    pub fn cell(
        &self,
        runtime: &RuntimeId,
        function: &str,
        scenario: ScenarioId,
    ) -> Option<Result<&[Vec<f64>], &Failed>> {
        let cell = Cell { runtime: runtime.clone(), function: function.to_owned(), scenario };
        Some(self.cells.get(&cell)?.as_deref())
    }

    /// The samples of each process of one of [`parts`](isobar_core::measure::Scenario::parts), if the cell has any.
    pub fn part(
        &self,
        runtime: &RuntimeId,
        function: &str,
        scenario: ScenarioId,
        column: &'static str,
    ) -> Option<&[Vec<f64>]> {
        let cell = Cell { runtime: runtime.clone(), function: function.to_owned(), scenario };
        Some(self.parts.get(&(cell, column))?)
    }

    /// The size of a function's module, in bytes.
    pub fn module_bytes(&self, function: &str) -> Option<u64> {
        self.module_bytes.get(function).copied()
    }

    /// Its cells, in an order of their own.
    pub fn cells(&self) -> impl Iterator<Item = &Cell> {
        self.cells.keys()
    }

    /// The scenarios that have cells.
    pub fn scenarios(&self) -> Vec<ScenarioId> {
        let mut scenarios: Vec<ScenarioId> = self.cells().map(|cell| cell.scenario).collect();
        scenarios.sort_unstable();
        scenarios.dedup();
        scenarios
    }

    /// The median of a cell that has one.
    pub fn median(&self, runtime: &RuntimeId, function: &str, scenario: ScenarioId) -> Option<f64> {
        stats::median(&mut self.cell(runtime, function, scenario)?.ok()?.concat())
    }

    /// `a run`, or `a run, machine 2`.
    pub fn name(&self) -> String {
        if self.is_part { format!("{}, machine {}", self.run, self.machine) } else { self.run.clone() }
    }
}

/// The cells of a run, machine by machine. `name` is what the run is called.
pub fn sources(run: &Run, name: &str) -> Vec<Source> {
    let is_part = run.header.machines.len() > 1;
    let source = |(at, fingerprint): (u32, &Machine)| {
        let mut cells: BTreeMap<&Cell, Vec<&Record>> = BTreeMap::new();
        // What an emulated machine does compares with nothing.
        let has_number = |record: &&Record| {
            !record.cell.scenario.scenario().verdicts() && !run.header.is_emulated(&record.cell.runtime)
        };
        for record in run.records.iter().filter(|record| record.machine == at).filter(has_number) {
            cells.entry(&record.cell).or_default().push(record);
        }
        let parts = cells.iter().flat_map(|(cell, records)| parts(cell, records)).collect();
        let cells: BTreeMap<Cell, _> =
            cells.into_iter().map(|(cell, records)| (cell.clone(), samples(cell.scenario, records))).collect();
        Source {
            run: name.to_owned(),
            machine: at + 1,
            fingerprint: fingerprint.clone(),
            is_part,
            seed: run.header.seed,
            functions: in_order(
                run.header.functions.iter().map(|f| f.name.clone()),
                cells.keys().map(|cell| cell.function.clone()),
            ),
            runtimes: in_order(
                run.header.runtimes.iter().map(|info| info.id.clone()),
                cells.keys().map(|cell| cell.runtime.clone()),
            ),
            cells,
            parts,
            module_bytes: run.header.functions.iter().map(|f| (f.name.clone(), f.module_bytes)).collect(),
        }
    };
    (0..).zip(&run.header.machines).map(source).filter(|source| !source.cells.is_empty()).collect()
}

/// What of `present` there is, in the order of `known`, and then the rest.
fn in_order<T: Ord + Clone>(known: impl Iterator<Item = T>, present: impl Iterator<Item = T>) -> Vec<T> {
    let mut left: std::collections::BTreeSet<T> = present.collect();
    let mut ordered: Vec<T> = known.filter(|name| left.remove(name)).collect();
    ordered.extend(left);
    ordered
}

/// A part of a cell, and its values by process.
type Part = ((Cell, &'static str), Vec<Vec<f64>>);

/// What the scenario shows beside its number, by column.
fn parts(cell: &Cell, records: &[&Record]) -> Vec<Part> {
    let mut records = records.to_vec();
    records.sort_by_key(|record| record.round);
    let scenario = cell.scenario.scenario();
    let of = |&(column, _): &(&'static str, &'static str)| {
        let measured = records.iter().filter_map(|record| record.result.as_ref().ok());
        let processes = measured.map(|m| scenario.part_values(column, &m.samples)).filter(|all| !all.is_empty());
        ((cell.clone(), column), processes.collect())
    };
    scenario.parts().iter().map(of).collect()
}

fn samples(scenario: ScenarioId, mut records: Vec<&Record>) -> Result<Vec<Vec<f64>>, Failed> {
    records.sort_by_key(|record| record.round);
    if let Some(failed) = failed(&records) {
        return Err(failed);
    }
    let measured = records.iter().filter_map(|record| record.result.as_ref().ok());
    let processes: Vec<Vec<f64>> =
        measured.map(|m| scenario.values(&m.samples)).filter(|samples| !samples.is_empty()).collect();
    if processes.is_empty() { Err(Failed::without_samples(records.len())) } else { Ok(processes) }
}

/// Leaves in the runs what the filters choose, as in `isobar run`.
///
/// # Errors
/// A filter is no glob or chooses nothing, or there are no records.
pub fn keep(runs: &mut [&mut Run], filters: &[String]) -> Result<(), CompareError> {
    let mut names = [vec![], vec![], vec![]];
    for cell in runs.iter().flat_map(|run| run.records.iter()).map(|record| &record.cell) {
        names[0].push(cell.runtime.to_string());
        names[1].push(cell.function.clone());
        names[2].push(cell.scenario.to_string());
    }
    for names in &mut names {
        names.sort_unstable();
        names.dedup();
    }
    if names[0].is_empty() {
        return Err(CompareError::Nothing(""));
    }
    let chosen = Chosen::by(filters, &names).map_err(|error| match error {
        PlanError::MatchesNothing { filter, .. } => {
            let near = did_you_mean(&filter, names.iter().flatten().map(String::as_str));
            CompareError::MatchesNothing(filter, near)
        }
        other => CompareError::BadGlob(other),
    })?;
    let kept: Vec<Vec<&str>> =
        (0..3).map(|kind| chosen.positions(kind).map(|at| names[kind][at].as_str()).collect()).collect();
    let has = |kind: usize, name: &str| kept[kind].binary_search(&name).is_ok();
    let wanted =
        |cell: &Cell| has(0, cell.runtime.as_str()) && has(1, &cell.function) && has(2, &cell.scenario.to_string());
    for run in runs.iter_mut() {
        run.records.retain(|record| wanted(&record.cell));
        run.header.cells.retain(wanted);
    }
    if runs.iter().all(|run| run.records.is_empty()) {
        return Err(CompareError::Nothing(" that all filters choose"));
    }
    Ok(())
}
