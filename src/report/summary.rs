//! From records to rows: one for each cell, with its number or with what went wrong.

use super::details::{self, Percentiles};
use super::isolation;
use super::units::{self, Quantity};
use crate::experiment::{self, CellStop};
use crate::parallel;
use crate::record::{Artifact, Cell, Record, Run};
use crate::stats::{self, Slope, Summary};
use isobar_core::measure::{MeasureError, Samples, ScenarioId};
use isobar_core::{Class, RuntimeId};
use std::collections::{BTreeMap, HashMap};

/// What became of one cell.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Which cell.
    pub cell: Cell,
    /// What stands between the function and its host in this runtime.
    pub class: Class,
    /// Its number, or why there is none.
    pub outcome: Result<Measured, Failed>,
    /// For runtimes that compile ahead of time: how that went.
    pub artifact: Option<Artifact>,
    /// Why it was not measured in more processes.
    pub stop: CellStop,
}

/// A cell's number.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// The median and its interval, in the unit of the scenario. Of a scenario whose number is a slope, the slope through
    /// the points of all processes.
    pub summary: Summary,
    /// How many times worse than the best runtime of the same function and scenario.
    pub ratio: f64,
    /// The medians of what the scenario shows beside its number: the phases of a cold start.
    pub parts: Vec<Part>,
    /// For times: how long the slow ones take.
    pub percentiles: Option<Percentiles>,
    /// For times: the histogram of all samples, as [`Record::histogram`] has those of one process.
    pub histogram: Option<String>,
    /// What the system counted, by the measures' names, which end in their unit: sizes as medians over the processes,
    /// everything else for each invocation.
    pub readings: BTreeMap<String, f64>,
}

/// The median of a column beside the number. Medians need not add up to the median of the sums.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part {
    /// The column's name in the samples, which ends in its unit.
    pub column: &'static str,
    /// Its name for people.
    pub name: &'static str,
    /// Its median.
    pub median: f64,
}

impl Part {
    /// The median with its unit.
    pub fn show(&self) -> String {
        if self.column.ends_with("_bytes") { units::bytes(self.median as u64) } else { units::time(self.median) }
    }
}

/// A cell of which at least one measurement failed. What the others measured is not shown: a runtime that works now
/// and then is not a fast one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// What happened, in a word: `timeout`.
    pub kind: String,
    /// What happened, in one line; several texts are parted by semicolons.
    pub text: String,
    /// How many measurements failed.
    pub failures: usize,
    /// How many were made.
    pub processes: usize,
}

impl Failed {
    /// A cell whose measurements gave no sample.
    pub(crate) fn without_samples(processes: usize) -> Self {
        Failed { kind: "no samples".into(), text: "no samples".into(), failures: processes, processes }
    }
}

impl Row {
    /// What its number is.
    pub fn quantity(&self) -> Quantity {
        Quantity::of(self.cell.scenario)
    }

    /// Its number, if there is one.
    pub fn measured(&self) -> Option<&Measured> {
        self.outcome.as_ref().ok()
    }
}

/// The rows of all cells that have records, but those with verdicts in place of a number, and those of emulated machines: by
/// function in the run's order, by scenario, the best first, failed ones last. The order of the records does not matter. Of
/// several machines each has rows of its own.
pub fn rows(run: &Run) -> Vec<Row> {
    rows_of(run, false)
}

/// What emulated machines did, which compares with nothing: the runtime, and its number with a label, in one line.
pub fn emulated(run: &Run) -> Vec<(String, String)> {
    let line = |row: Row| {
        let what = format!("{}, {}", row.cell.function, row.cell.scenario.scenario().title());
        let number = match &row.outcome {
            Ok(Measured { summary, .. }) => {
                format!("{} {}", row.quantity().show(summary.median), row.quantity().show_interval(summary))
            }
            Err(failed) => format!("failed {} of {}: {}", failed.failures, failed.processes, failed.text),
        };
        (row.cell.runtime.to_string(), format!("emulated, not comparable: {what}: {number}"))
    };
    rows_of(run, true).into_iter().map(line).collect()
}

fn rows_of(run: &Run, emulated: bool) -> Vec<Row> {
    let run = &*super::machines_apart(run);
    let mut cells: BTreeMap<&Cell, Vec<&Record>> = BTreeMap::new();
    let wanted = |record: &&Record| run.header.is_emulated(&record.cell.runtime) == emulated;
    for record in run.records.iter().filter(|record| !isolation::is_verdict(record)).filter(wanted) {
        cells.entry(&record.cell).or_default().push(record);
    }
    let stops = experiment::stops(&run.header, &run.records);
    // A record of a cell that was never planned has no reason to go on.
    let stop = |cell: &Cell| stops.get(cell).copied().unwrap_or(CellStop::CutOff);
    let classes = classes(run);
    let cells: Vec<(&Cell, Vec<&Record>)> = cells.into_iter().collect();
    let mut rows: Vec<Row> = parallel::map(&cells, |(cell, records)| Row {
        class: classes(&cell.runtime),
        ..row(run.header.seed, cell, records.clone(), stop(cell))
    });
    let names = run.header.functions.iter().map(|f| f.name.as_str());
    let places: HashMap<&str, usize> = names.zip(0..).collect();
    let place = |row: &Row| places.get(row.cell.function.as_str()).copied().unwrap_or(usize::MAX);
    rows.sort_by(|a, b| {
        let group = |row: &Row| (place(row), row.cell.function.clone(), row.cell.scenario);
        group(a).cmp(&group(b)).then_with(|| best_first(a, b)).then_with(|| a.cell.runtime.cmp(&b.cell.runtime))
    });
    for group in rows.chunk_by_mut(|a, b| same_group(&a.cell, &b.cell)) {
        let Some(best) = group.first().and_then(Row::measured).map(|m| m.summary.median) else { continue };
        for row in group {
            let quantity = row.quantity();
            if let Ok(measured) = &mut row.outcome {
                measured.ratio = quantity.ratio(measured.summary.median, best);
            }
        }
    }
    rows
}

/// What says the class of a runtime: it itself, or that `isobar load` knows a server only.
fn classes(run: &Run) -> impl Fn(&RuntimeId) -> Class {
    let known: BTreeMap<RuntimeId, Class> =
        run.header.runtimes.iter().map(|info| (info.id.clone(), info.class)).collect();
    let other = if run.header.load.is_some() { Class::Server } else { Class::default() };
    move |runtime| known.get(runtime).copied().unwrap_or(other)
}

/// Rows by function and scenario, in the order of [`rows`].
pub fn groups(rows: &[Row]) -> impl Iterator<Item = &[Row]> {
    rows.chunk_by(|a, b| same_group(&a.cell, &b.cell))
}

/// The functions of `rows`, in their order.
pub fn functions(rows: &[Row]) -> Vec<&str> {
    let mut names: Vec<&str> = rows.iter().map(|r| r.cell.function.as_str()).collect();
    names.dedup();
    names
}

fn same_group(a: &Cell, b: &Cell) -> bool {
    a.function == b.function && a.scenario == b.scenario
}

fn best_first(a: &Row, b: &Row) -> std::cmp::Ordering {
    match (a.measured(), b.measured()) {
        (Some(x), Some(y)) => a.quantity().better_first(x.summary.median, y.summary.median),
        (x, y) => y.is_some().cmp(&x.is_some()),
    }
}

fn row(seed: u64, cell: &Cell, mut records: Vec<&Record>, stop: CellStop) -> Row {
    records.sort_by_key(|record| record.round);
    let artifact = records.iter().find_map(|record| record.artifact);
    let outcome = failed(&records).map_or_else(|| measured(seed, cell, &records), Err);
    Row { cell: cell.clone(), class: Class::default(), outcome, artifact, stop }
}

fn measured(seed: u64, cell: &Cell, records: &[&Record]) -> Result<Measured, Failed> {
    let samples: Vec<&Samples> = records.iter().filter_map(|r| Some(&r.result.as_ref().ok()?.samples)).collect();
    let processes: Vec<Vec<f64>> = samples.iter().map(|s| cell.scenario.values(s)).collect();
    let summary = Summary::of(&processes, stats::seed(seed, &cell.to_string()))
        .ok_or_else(|| Failed::without_samples(records.len()))?;
    let summary = slope(cell.scenario, &samples).map_or(summary, |Slope { slope: median, low, high, .. }| Summary {
        median,
        low,
        high,
        ..summary
    });
    lost(cell.scenario, &summary, records.len()).map_or(Ok(()), Err)?;
    let histogram = details::histogram(cell.scenario, records);
    Ok(Measured {
        summary,
        ratio: 1.0,
        parts: parts(cell.scenario, &samples),
        percentiles: histogram.as_ref().map(details::percentiles),
        histogram: histogram.map(|all| all.encode()),
        readings: details::readings(records),
    })
}

/// A time or a size that is a difference can come out as nothing, or as less: then nothing was measured but noise.
fn lost(scenario: ScenarioId, summary: &Summary, processes: usize) -> Option<Failed> {
    let quantity = Quantity::of(scenario);
    let is_noise = matches!(quantity, Quantity::Time | Quantity::Bytes) && summary.median <= 0.0;
    is_noise.then(|| Failed {
        kind: "lost in the noise".into(),
        text: format!(
            "the number is a difference, which came out as {} {}: measure again, longer or on a quieter machine",
            quantity.show(summary.median),
            quantity.show_interval(summary)
        ),
        failures: processes,
        processes,
    })
}

/// For a scenario whose number is a slope: that of the points of all processes.
fn slope(scenario: ScenarioId, samples: &[&Samples]) -> Option<Slope> {
    let (x, y) = scenario.scenario().slope()?;
    let floats = |column: &[u64]| column.iter().map(|value| *value as f64).collect::<Vec<f64>>();
    let points = |s: &&Samples| floats(s.column(x)).into_iter().zip(floats(s.column(y))).collect();
    Slope::of(&samples.iter().map(points).collect::<Vec<Vec<(f64, f64)>>>())
}

/// The medians of the columns that the scenario shows beside its number.
fn parts(scenario: ScenarioId, samples: &[&Samples]) -> Vec<Part> {
    let part = |&(column, name): &(&'static str, &'static str)| {
        let mut all: Vec<f64> = samples.iter().flat_map(|s| scenario.scenario().part_values(column, s)).collect();
        Part { column, name, median: stats::median(&mut all).unwrap_or(0.0) }
    };
    scenario.scenario().parts().iter().map(part).collect()
}

/// What went wrong in `records`, all of one cell; `None` if nothing did.
pub(crate) fn failed(records: &[&Record]) -> Option<Failed> {
    let errors: Vec<&MeasureError> = records.iter().filter_map(|record| record.result.as_ref().err()).collect();
    let mut texts: Vec<String> = errors.iter().map(|e| shorten(&one_line(&e.to_string()), 240)).collect();
    let mut seen = std::collections::HashSet::new();
    texts.retain(|text| seen.insert(text.clone()));
    let kind = match errors.first()? {
        MeasureError::Failure(failure) => failure.name().replace('-', " "),
        MeasureError::WrongAnswer(_) => "wrong answer".to_owned(),
    };
    Some(Failed { kind, text: texts.join("; "), failures: errors.len(), processes: records.len() })
}

/// What a guest or a runtime said, fit for a table: one line, no control characters.
pub(crate) fn one_line(text: &str) -> String {
    let printable = text.replace(|c: char| c.is_control(), " ");
    printable.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `text`, cut to `longest` characters.
pub(crate) fn shorten(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some(_) => text.chars().take(longest.saturating_sub(1)).chain(['…']).collect(),
        None => text.to_owned(),
    }
}
