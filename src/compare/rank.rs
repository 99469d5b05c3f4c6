//! Runtimes over all functions: the geometric mean of their ratios.

use super::cells::{CompareError, Source};
use super::table::{Answer, Entry, Grid, Tone};
use super::{finite, show, worse};
use crate::report::units::{Quantity, count};
use crate::stats::{Ratio, geometric_mean, seed};
use isobar_core::RuntimeId;
use isobar_core::measure::ScenarioId;
use serde::Serialize;

/// A runtime's place in a scenario: a line of the answer for programs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ranked {
    /// The run.
    pub run: String,
    /// Which of the run's machines, from 1.
    pub machine: u32,
    /// The scenario.
    pub scenario: String,
    /// The best place that it may have: one more than there are runtimes whose intervals lie below its own.
    pub rank: Option<usize>,
    /// The worst place that it may have. Runtimes whose intervals overlap have a place in common.
    pub rank_worst: Option<usize>,
    /// The runtime.
    pub runtime: String,
    /// The geometric mean over its functions of how many times worse it is than the best runtime of each.
    pub ratio: Option<f64>,
    /// The lower end of the 95 % interval, in which the best runtime's own error is not.
    pub ratio_low: Option<f64>,
    /// The upper end; left out if there is no bound.
    pub ratio_high: Option<f64>,
    /// Over so many functions.
    pub functions: usize,
    /// Functions in which it failed.
    pub failed: usize,
    /// Functions that it has and that do not count, as others do not have them.
    pub left_out: usize,
}

/// A runtime's ratios in a scenario.
struct Candidate<'a> {
    runtime: &'a RuntimeId,
    mean: Option<Ratio>,
    functions: usize,
    failed: usize,
    left_out: usize,
}

/// Ranks the runtimes of every source, scenario by scenario. With `intersection` only those functions count that every
/// runtime has which has any; without it each runtime is ranked over those that it has.
///
/// Each function's best median is what its ratios are taken to. It is the same number for all runtimes, so its error moves
/// none of them past another and is left out: an interval is that of the runtime's own medians, and where two intervals do
/// not overlap the two differ (somewhat more surely than at 95 %).
///
/// # Errors
/// There is nothing to compare.
pub fn rank(sources: &[Source], intersection: bool) -> Result<Answer<Ranked>, CompareError> {
    if sources.is_empty() {
        return Err(CompareError::Nothing(""));
    }
    let mut answer = Answer { rows: Vec::new(), notes: Vec::new(), grids: Vec::new() };
    let mut uneven = false;
    for source in sources {
        for scenario in source.scenarios() {
            let counted = functions(source, scenario, intersection, &mut answer.notes);
            let candidates = candidates(source, scenario, &counted);
            uneven |= candidates.iter().any(|c| c.mean.is_some() && c.functions < counted.len());
            let rows: Vec<Ranked> = candidates.iter().map(|c| ranked(source, scenario, c, &candidates)).collect();
            answer.grids.push(grid(source, scenario, counted.len(), &candidates, &rows));
            answer.rows.extend(rows);
        }
    }
    let meaning = "2x is, in the geometric mean over the functions, twice as bad as the best runtime of each function. \
                   Runtimes whose intervals overlap have a rank in common.";
    answer.notes.insert(0, meaning.to_owned());
    if uneven {
        answer.notes.push(
            "Not every runtime has every function, so that some means are over other functions than others: \
             --intersection ranks over those that all have."
                .to_owned(),
        );
    }
    Ok(answer)
}

/// The places in one scenario, each over the functions that the runtime has; the best first.
pub fn rank_scenario(source: &Source, scenario: ScenarioId) -> Vec<Ranked> {
    let counted = functions(source, scenario, false, &mut Vec::new());
    let candidates = candidates(source, scenario, &counted);
    candidates.iter().map(|candidate| ranked(source, scenario, candidate, &candidates)).collect()
}

/// The functions that count in a scenario.
fn functions<'a>(
    source: &'a Source,
    scenario: ScenarioId,
    intersection: bool,
    notes: &mut Vec<String>,
) -> Vec<&'a String> {
    let has = |runtime: &RuntimeId, function: &str| source.median(runtime, function, scenario).is_some_and(|m| m > 0.0);
    let measured: Vec<&String> =
        source.functions.iter().filter(|f| source.runtimes.iter().any(|r| has(r, f))).collect();
    if !intersection {
        return measured;
    }
    let ranked: Vec<&RuntimeId> = source.runtimes.iter().filter(|r| measured.iter().any(|f| has(r, f))).collect();
    let (all, not_all): (Vec<&String>, Vec<&String>) =
        measured.into_iter().partition(|function| ranked.iter().all(|runtime| has(runtime, function)));
    for function in not_all {
        let without: Vec<&str> = ranked.iter().filter(|r| !has(r, function)).map(|r| r.as_str()).collect();
        notes.push(format!("{}: {scenario} leaves {function} out: not in {}", source.name(), without.join(", ")));
    }
    all
}

/// The best first.
fn candidates<'a>(source: &'a Source, scenario: ScenarioId, counted: &[&String]) -> Vec<Candidate<'a>> {
    let quantity = Quantity::of(scenario);
    let best = |function: &str| {
        let medians = source.runtimes.iter().filter_map(|runtime| source.median(runtime, function, scenario));
        medians.filter(|m| *m > 0.0).min_by(|a, b| quantity.better_first(*a, *b))
    };
    let bests: Vec<(&str, Vec<Vec<f64>>)> =
        counted.iter().filter_map(|f| Some((f.as_str(), without_error(best(f)?)))).collect();
    let of = |runtime: &'a RuntimeId| {
        let cells = source.functions.iter().filter_map(|function| source.cell(runtime, function, scenario));
        let failed = cells.clone().filter(Result::is_err).count();
        let measured = cells.filter(Result::is_ok).count();
        let ratio = |(function, best): &(&str, Vec<Vec<f64>>)| {
            let processes = source.cell(runtime, function, scenario)?.ok()?;
            worse(scenario, processes, best, seed(source.seed, &format!("rank {runtime} {function} {scenario}")))
        };
        let ratios: Vec<Ratio> = bests.iter().filter_map(ratio).collect();
        let mean = geometric_mean(&ratios);
        let left_out = measured - ratios.len();
        (failed + measured > 0).then_some(Candidate { runtime, mean, functions: ratios.len(), failed, left_out })
    };
    let mut candidates: Vec<Candidate> = source.runtimes.iter().filter_map(of).collect();
    candidates.sort_by(|a, b| {
        let key = |c: &Candidate| c.mean.map_or(f64::INFINITY, |mean| mean.ratio);
        key(a).total_cmp(&key(b)).then_with(|| a.runtime.cmp(b.runtime))
    });
    candidates
}

/// Samples that vary neither within a process nor between processes.
fn without_error(value: f64) -> Vec<Vec<f64>> {
    vec![vec![value; 2]; 2]
}

fn ranked(source: &Source, scenario: ScenarioId, candidate: &Candidate, all: &[Candidate]) -> Ranked {
    let mean = candidate.mean;
    let means = || all.iter().filter_map(|other| other.mean);
    let rank = mean.map(|mean| 1 + means().filter(|other| other.high < mean.low).count());
    let rank_worst = mean.map(|mean| means().count() - means().filter(|other| other.low > mean.high).count());
    Ranked {
        run: source.run.clone(),
        machine: source.machine,
        scenario: scenario.to_string(),
        rank,
        rank_worst,
        runtime: candidate.runtime.to_string(),
        ratio: mean.map(|m| m.ratio),
        ratio_low: mean.and_then(|m| finite(m.low)),
        ratio_high: mean.and_then(|m| finite(m.high)),
        functions: candidate.functions,
        failed: candidate.failed,
        left_out: candidate.left_out,
    }
}

fn grid(source: &Source, scenario: ScenarioId, functions: usize, candidates: &[Candidate], rows: &[Ranked]) -> Grid {
    let header = ["rank", "runtime", "times worse than the best", "functions", "failed", "left out"];
    let row = |(candidate, row): (&Candidate, &Ranked)| {
        let rank = match (row.rank, row.rank_worst) {
            (Some(best), Some(worst)) if best < worst => format!("{best}-{worst}"),
            (Some(best), _) => best.to_string(),
            _ => "-".to_owned(),
        };
        let number = |n: usize| if n == 0 { String::new() } else { n.to_string() };
        let first = row.rank == Some(1);
        let failed = if row.failed == 0 { Tone::Plain } else { Tone::Bad };
        vec![
            Entry::plain(rank),
            Entry::of(&row.runtime, if first { Tone::Base } else { Tone::Plain }),
            Entry::plain(candidate.mean.map_or("-".to_owned(), |mean| show(&mean))),
            Entry::plain(format!("{} of {functions}", row.functions)),
            Entry::of(number(row.failed), failed),
            Entry::plain(number(row.left_out)),
        ]
    };
    let title = format!("{} · {scenario} over {}", source.name(), count(functions, "function"));
    let rows = candidates.iter().zip(rows).map(row).collect();
    Grid { title, header: header.map(str::to_owned).to_vec(), rows, names: 2 }
}
