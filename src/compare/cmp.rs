//! Runtimes against each other, function by function and scenario by scenario, inside each run.

use super::cells::{CompareError, Source};
use super::table::{Answer, Entry, Grid, Tone};
use super::{finite, show, tone, unit, word, worse};
use crate::names::did_you_mean;
use crate::report::units::Quantity;
use crate::stats::{self, Ratio, geometric_mean};
use isobar_core::RuntimeId;
use isobar_core::measure::ScenarioId;
use serde::Serialize;

/// One runtime against the baseline of its row: a line of the answer for programs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The run, or `geometric mean` for that of the runs of one machine.
    pub run: String,
    /// Which of the run's machines, from 1.
    pub machine: u32,
    /// The function.
    pub function: String,
    /// The scenario.
    pub scenario: String,
    /// The runtime.
    pub runtime: String,
    /// What it is compared with; empty if nothing was measured that it could be.
    pub baseline: String,
    /// The unit of the median: `ns`, `per_second`, `bytes` or `instructions`.
    pub unit: &'static str,
    /// The runtime's median.
    pub median: Option<f64>,
    /// How many times worse than the baseline.
    pub ratio: Option<f64>,
    /// The lower end of the ratio's 95 % interval.
    pub ratio_low: Option<f64>,
    /// The upper end; left out if there is no bound.
    pub ratio_high: Option<f64>,
    /// `faster`, `slower`, ..., `no significant difference`, `baseline`, `failed`, `not measured` or `no ratio`.
    pub verdict: String,
    /// How it failed.
    pub failure: Option<String>,
    /// How many processes were measured.
    pub processes: usize,
}

/// A row of the table: what the runtimes of a source make of a function in a scenario.
struct Row<'a> {
    function: &'a str,
    scenario: ScenarioId,
    baseline: Option<&'a RuntimeId>,
}

/// A runtime in a row.
enum Found {
    Baseline(f64),
    Ratio(f64, Ratio),
    NoRatio(f64),
    Failed(String, String),
    NotMeasured,
}

/// Compares the runtimes of every source with `baseline`, or with the best of each row. Ratios are inside a source; where
/// several sources are of one machine, their geometric mean is shown, too, and all of them have the same baseline.
///
/// # Errors
/// There is nothing to compare, or no source has the baseline.
pub fn cmp(sources: &[Source], baseline: Option<&str>) -> Result<Answer<Comparison>, CompareError> {
    let baseline = baseline.map(|name| find(sources, name)).transpose()?;
    if sources.is_empty() {
        return Err(CompareError::Nothing(""));
    }
    let mut answer = Answer { rows: Vec::new(), notes: Vec::new(), grids: Vec::new() };
    let mut machines: Vec<Vec<&Source>> = Vec::new();
    for source in sources {
        match machines.iter_mut().find(|group| group[0].fingerprint == source.fingerprint) {
            Some(group) => group.push(source),
            None => machines.push(vec![source]),
        }
    }
    for group in &machines {
        let grid = of_machine(group, baseline, &mut answer.rows);
        answer.grids.push(grid);
    }
    answer.notes = notes(sources.len(), machines.len(), baseline);
    Ok(answer)
}

fn find<'a>(sources: &'a [Source], name: &str) -> Result<&'a RuntimeId, CompareError> {
    let mut all = sources.iter().flat_map(|source| &source.runtimes);
    all.clone().find(|id| id.as_str() == name).ok_or_else(|| {
        let mut known: Vec<&str> = all.by_ref().map(RuntimeId::as_str).collect();
        known.sort_unstable();
        known.dedup();
        CompareError::NoSuchRuntime(name.to_owned(), did_you_mean(name, known))
    })
}

/// The table of the sources of one machine.
fn of_machine(group: &[&Source], baseline: Option<&RuntimeId>, all: &mut Vec<Comparison>) -> Grid {
    let functions = union(group.iter().flat_map(|source| &source.functions));
    let runtimes = union(group.iter().flat_map(|source| &source.runtimes));
    let mut scenarios: Vec<ScenarioId> = group.iter().flat_map(|source| source.scenarios()).collect();
    scenarios.sort_unstable();
    scenarios.dedup();
    let mut header = vec!["function".to_owned(), "scenario".to_owned()];
    if group.len() > 1 {
        header.push("run".to_owned());
    }
    let names = header.len();
    header.extend(runtimes.iter().map(ToString::to_string));
    let mut rows = Vec::new();
    for function in functions {
        for scenario in scenarios.iter().copied() {
            let has_cell = |source: &&&Source| runtimes.iter().any(|r| source.cell(r, function, scenario).is_some());
            let with: Vec<&Source> = group.iter().filter(has_cell).copied().collect();
            let baseline = baseline.or_else(|| best(&with, &runtimes, function, scenario));
            let row = Row { function, scenario, baseline };
            row.of_sources(&with, group.len() > 1, &runtimes, &mut rows, all);
        }
    }
    Grid { title: title(group), header, rows, names }
}

pub(super) fn title(group: &[&Source]) -> String {
    let machine = &group[0].fingerprint;
    let runs: Vec<String> = group.iter().map(|source| source.name()).collect();
    format!("{} · {}, {} cores", runs.join(" and "), machine.cpu, machine.cores)
}

/// All names, each once, in the order in which they come first.
pub(super) fn union<'a, T: PartialEq>(names: impl Iterator<Item = &'a T>) -> Vec<&'a T> {
    let mut seen: Vec<&T> = Vec::new();
    for name in names {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    seen
}

/// The runtime that is best over the sources: of those that most of them have, the one whose medians have the best
/// geometric mean.
fn best<'a>(
    with: &[&Source],
    runtimes: &[&'a RuntimeId],
    function: &str,
    scenario: ScenarioId,
) -> Option<&'a RuntimeId> {
    let quantity = Quantity::of(scenario);
    let of = |runtime: &&'a RuntimeId| {
        let medians: Vec<f64> =
            with.iter().filter_map(|source| source.median(runtime, function, scenario)).filter(|m| *m > 0.0).collect();
        let mean = medians.iter().map(|m| m.ln()).sum::<f64>() / medians.len() as f64;
        (!medians.is_empty()).then_some((medians.len(), mean, *runtime))
    };
    let order = |a: &(usize, f64, &RuntimeId), b: &(usize, f64, &RuntimeId)| {
        b.0.cmp(&a.0).then_with(|| quantity.better_first(a.1, b.1))
    };
    runtimes.iter().filter_map(of).min_by(order).map(|(_, _, runtime)| runtime)
}

impl Row<'_> {
    fn of_sources(
        &self,
        with: &[&Source],
        named: bool,
        runtimes: &[&RuntimeId],
        rows: &mut Vec<Vec<Entry>>,
        all: &mut Vec<Comparison>,
    ) {
        let found: Vec<Vec<Found>> =
            with.iter().map(|source| runtimes.iter().map(|runtime| self.found(source, runtime)).collect()).collect();
        for (source, found) in with.iter().zip(&found) {
            rows.push(self.entries(named.then_some(source.name().as_str()), found));
            for (runtime, found) in runtimes.iter().zip(found) {
                let processes = match source.cell(runtime, self.function, self.scenario) {
                    Some(Ok(processes)) => processes.len(),
                    Some(Err(failed)) => failed.processes,
                    None => continue,
                };
                all.push(self.comparison(&source.run, source.machine, runtime, found, processes));
            }
        }
        if with.len() > 1 {
            let pooled: Vec<Found> = (0..runtimes.len()).map(|at| self.pooled(runtimes[at], at, &found)).collect();
            rows.push(self.entries(Some("geometric mean"), &pooled));
            for (runtime, found) in runtimes.iter().zip(&pooled) {
                if matches!(found, Found::Ratio(..) | Found::Baseline(_)) {
                    let processes = with
                        .iter()
                        .filter_map(|s| Some(s.cell(runtime, self.function, self.scenario)?.ok()?.len()))
                        .sum();
                    all.push(self.comparison("geometric mean", with[0].machine, runtime, found, processes));
                }
            }
        }
    }

    fn found(&self, source: &Source, runtime: &RuntimeId) -> Found {
        let processes = match source.cell(runtime, self.function, self.scenario) {
            None => return Found::NotMeasured,
            Some(Err(failed)) => return Found::Failed(failed.kind.clone(), failed.text.clone()),
            Some(Ok(processes)) => processes,
        };
        let Some(median) = stats::median(&mut processes.concat()) else { return Found::NotMeasured };
        if Some(runtime) == self.baseline {
            return Found::Baseline(median);
        }
        let base = self.baseline.and_then(|baseline| source.cell(baseline, self.function, self.scenario)?.ok());
        let seed = || {
            let name = format!("{runtime} {} {} against {}", self.function, self.scenario, self.baseline?);
            Some(stats::seed(source.seed, &name))
        };
        let ratio = base.zip(seed()).and_then(|(base, seed)| worse(self.scenario, processes, base, seed));
        ratio.map_or(Found::NoRatio(median), |ratio| Found::Ratio(median, ratio))
    }

    /// The geometric mean over the sources of the runtime at a place, if all of them have it.
    fn pooled(&self, runtime: &RuntimeId, at: usize, found: &[Vec<Found>]) -> Found {
        let parts: Option<Vec<(f64, Option<Ratio>)>> = found
            .iter()
            .map(|of_source| match of_source[at] {
                Found::Baseline(median) => Some((median, None)),
                Found::Ratio(median, ratio) => Some((median, Some(ratio))),
                _ => None,
            })
            .collect();
        let Some(parts) = parts else { return Found::NotMeasured };
        let median = (parts.iter().map(|(median, _)| median.ln()).sum::<f64>() / parts.len() as f64).exp();
        if Some(runtime) == self.baseline {
            return Found::Baseline(median);
        }
        let ratios: Vec<Ratio> = parts.into_iter().filter_map(|(_, ratio)| ratio).collect();
        geometric_mean(&ratios).map_or(Found::NoRatio(median), |ratio| Found::Ratio(median, ratio))
    }

    fn entries(&self, run: Option<&str>, found: &[Found]) -> Vec<Entry> {
        let quantity = Quantity::of(self.scenario);
        let names = [self.function.to_owned(), self.scenario.to_string()].into_iter().chain(run.map(str::to_owned));
        let of = |found: &Found| match found {
            Found::Baseline(median) => Entry::two(&quantity.show(*median), "baseline", Tone::Base),
            Found::Ratio(_, ratio) => Entry::two(&show(ratio), word(quantity, ratio), tone(ratio)),
            Found::NoRatio(median) => Entry::two(&quantity.show(*median), "no ratio", Tone::Plain),
            Found::Failed(kind, _) => Entry::two("failed", kind, Tone::Bad),
            Found::NotMeasured => Entry::plain("-"),
        };
        names.map(Entry::plain).chain(found.iter().map(of)).collect()
    }

    fn comparison(&self, run: &str, machine: u32, runtime: &RuntimeId, found: &Found, processes: usize) -> Comparison {
        let quantity = Quantity::of(self.scenario);
        let (median, ratio, verdict, failure) = match found {
            Found::Baseline(median) => (Some(*median), None, "baseline", None),
            Found::Ratio(median, ratio) => (Some(*median), Some(*ratio), word(quantity, ratio), None),
            Found::NoRatio(median) => (Some(*median), None, "no ratio", None),
            Found::Failed(_, text) => (None, None, "failed", Some(text.clone())),
            Found::NotMeasured => (None, None, "not measured", None),
        };
        Comparison {
            run: run.to_owned(),
            machine,
            function: self.function.to_owned(),
            scenario: self.scenario.to_string(),
            runtime: runtime.to_string(),
            baseline: self.baseline.map(ToString::to_string).unwrap_or_default(),
            unit: unit(self.scenario),
            median,
            ratio: ratio.map(|r| r.ratio),
            ratio_low: ratio.and_then(|r| finite(r.low)),
            ratio_high: ratio.and_then(|r| finite(r.high)),
            verdict: verdict.to_owned(),
            failure,
            processes,
        }
    }
}

fn notes(sources: usize, machines: usize, baseline: Option<&RuntimeId>) -> Vec<String> {
    let what = baseline.map_or("the best of each row".to_owned(), ToString::to_string);
    let mut notes = vec![format!(
        "1.32x is 1.32 times worse than the baseline ({what}): more time, more bytes, more instructions, or less \
         throughput; below 1 is better. [95 % interval]; a difference is named only where it excludes 1."
    )];
    if sources > 1 {
        notes.push(
            "Ratios are taken inside each run; the geometric mean is that of the runs of one machine.".to_owned(),
        );
    }
    if machines > 1 {
        notes.push("The runs are of several machines, which are not compared: a table for each.".to_owned());
    }
    notes
}
