//! The same cells of two runs: what became faster, what became slower, and what can only be said to be the same.

use super::cells::{CompareError, Source, sources};
use super::table::{Answer, Entry, Grid, Tone};
use super::{NO_DIFFERENCE, finite, settings, show, tone, unit, word, worse};
use crate::record::{Cell, Machine, Run};
use crate::report::units::{Quantity, count};
use crate::stats::{self, Ratio, Verdict};
use serde::Serialize;
use std::collections::BTreeSet;

/// A cell in two runs: a line of the answer for programs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// Which machine of the new run, from 1.
    pub machine: u32,
    /// The runtime.
    pub runtime: String,
    /// The function.
    pub function: String,
    /// The scenario.
    pub scenario: String,
    /// The unit of the medians: `ns`, `per_second`, `bytes` or `instructions`.
    pub unit: &'static str,
    /// The median in the old run.
    pub old: Option<f64>,
    /// The median in the new run.
    pub new: Option<f64>,
    /// How many times worse the new one is.
    pub ratio: Option<f64>,
    /// The lower end of the ratio's 95 % interval.
    pub ratio_low: Option<f64>,
    /// The upper end; left out if there is no bound.
    pub ratio_high: Option<f64>,
    /// `faster`, `slower`, ..., `no significant difference`, `fails now`, `works now`, `fails in both`, `only in old`,
    /// `only in new` or `no ratio`.
    pub verdict: String,
    /// How it fails.
    pub failure: Option<String>,
    /// Whether it is a reason for `--fail-above` to fail: significantly worse, and by more than the threshold; or it fails
    /// now and did not.
    pub above: bool,
}

/// A difference with its sign, for the tables.
struct Compared {
    line: Difference,
    quantity: Quantity,
    ratio: Option<Ratio>,
}

/// What a comparison of two runs found.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The rows, tables and notes.
    pub answer: Answer<Difference>,
    /// How many cells are [`Difference::above`].
    pub above: usize,
}

/// Compares each cell of `new` with the same one of `old`, on the same machine. `threshold` is the share by which a median
/// may become worse: 0.05 for 5 %. `all` puts the cells without a difference into the tables, too.
///
/// A cell is above the threshold if its ratio's interval excludes 1 and the ratio itself is larger than 1 + `threshold`.
///
/// # Errors
/// The machines differ, unless `force` is given, or there is no common cell.
pub fn diff(old: &Run, new: &Run, threshold: Option<f64>, all: bool, force: bool) -> Result<Outcome, CompareError> {
    let (before, after) = (sources(old, "old"), sources(new, "new"));
    if before.is_empty() || after.is_empty() {
        return Err(CompareError::Nothing(""));
    }
    let mut notes = settings::differences(old, new);
    let pairs = pair(&before, &after, force, &mut notes)?;
    let mut compared: Vec<Compared> = Vec::new();
    for (old, new) in pairs {
        let cells: BTreeSet<&Cell> = old.iter().chain(new.iter()).flat_map(|source| source.cells()).collect();
        compared.extend(cells.into_iter().map(|cell| compare(old, new, cell, threshold)));
    }
    let in_both = |c: &Compared| !c.line.verdict.starts_with("only in");
    if !compared.iter().any(in_both) {
        return Err(CompareError::NoCommonCell);
    }
    let above = compared.iter().filter(|c| c.line.above).count();
    let grids = grids(&compared, all);
    notes.extend(summary(&compared, threshold, above));
    let rows = compared.into_iter().map(|c| c.line).collect();
    Ok(Outcome { answer: Answer { rows, notes, grids }, above })
}

type Pair<'a> = (Option<&'a Source>, Option<&'a Source>);

/// Which sources of the two runs are of one machine.
fn pair<'a>(
    old: &'a [Source],
    new: &'a [Source],
    force: bool,
    notes: &mut Vec<String>,
) -> Result<Vec<Pair<'a>>, CompareError> {
    let mut left: Vec<&Source> = old.iter().collect();
    let mut pairs: Vec<Pair> = Vec::new();
    for source in new {
        let same = left.iter().position(|other| hardware(&other.fingerprint) == hardware(&source.fingerprint));
        pairs.push((same.map(|at| left.remove(at)), Some(source)));
    }
    if pairs.iter().all(|(old, _)| old.is_none()) {
        let differing = settings::machines(&old[0].fingerprint, &new[0].fingerprint).join(", ");
        // With several machines on a side nobody can say which belong together.
        if !force || old.len() > 1 || new.len() > 1 {
            return Err(CompareError::OtherMachine(differing));
        }
        notes.push(format!("different machines, compared because of --force: {differing}"));
        return Ok(vec![(Some(&old[0]), Some(&new[0]))]);
    }
    for (old, new) in &pairs {
        if let (Some(old), Some(new)) = (old, new) {
            let differing = settings::machines(&old.fingerprint, &new.fingerprint);
            notes.extend(differing.iter().map(|what| format!("the machine changed: {what}")));
        }
    }
    pairs.extend(left.into_iter().map(|source| (Some(source), None)));
    Ok(pairs)
}

/// What makes two machines different ones; a new kernel is worth a comparison, a new processor is not.
fn hardware(machine: &Machine) -> (&str, u32, &str, bool) {
    (&machine.cpu, machine.cores, &machine.architecture, machine.virtual_machine)
}

fn compare(old: Option<&Source>, new: Option<&Source>, cell: &Cell, threshold: Option<f64>) -> Compared {
    let of = |source: Option<&'_ Source>| {
        Some(source?.cell(&cell.runtime, &cell.function, cell.scenario)?.map(<[_]>::to_vec).map_err(|f| f.text.clone()))
    };
    let (before, after) = (of(old), of(new));
    let quantity = Quantity::of(cell.scenario);
    let seed = stats::seed(new.or(old).map_or(0, |source| source.seed), &format!("diff {cell}"));
    let (ratio, verdict) = match (&before, &after) {
        (None, _) => (None, "only in new"),
        (_, None) => (None, "only in old"),
        (Some(Err(_)), Some(Err(_))) => (None, "fails in both"),
        (Some(Ok(_)), Some(Err(_))) => (None, "fails now"),
        (Some(Err(_)), Some(Ok(_))) => (None, "works now"),
        (Some(Ok(before)), Some(Ok(after))) => {
            let ratio = worse(cell.scenario, after, before, seed);
            (ratio, ratio.map_or("no ratio", |ratio| word(quantity, &ratio)))
        }
    };
    let beyond = |threshold: f64| ratio.is_some_and(|r| r.verdict() == Verdict::Higher && r.ratio > 1.0 + threshold);
    let above = threshold.is_some_and(|threshold| beyond(threshold) || verdict == "fails now");
    let median =
        |side: &Option<Result<Vec<Vec<f64>>, String>>| stats::median(&mut side.as_ref()?.as_ref().ok()?.concat());
    let failure = [&after, &before].into_iter().find_map(|side| side.as_ref()?.as_ref().err().cloned());
    let line = Difference {
        machine: new.or(old).map_or(1, |source| source.machine),
        runtime: cell.runtime.to_string(),
        function: cell.function.clone(),
        scenario: cell.scenario.to_string(),
        unit: unit(cell.scenario),
        old: median(&before),
        new: median(&after),
        ratio: ratio.map(|r| r.ratio),
        ratio_low: ratio.and_then(|r| finite(r.low)),
        ratio_high: ratio.and_then(|r| finite(r.high)),
        verdict: verdict.to_owned(),
        failure,
        above,
    };
    Compared { line, quantity, ratio }
}

/// A table for what is worse, what is better, and the rest: the largest differences first.
fn grids(compared: &[Compared], all: bool) -> Vec<Grid> {
    let of = |c: &Compared| match c.ratio.map(|ratio| ratio.verdict()) {
        Some(Verdict::Higher) => 0,
        Some(Verdict::Lower) => 1,
        Some(Verdict::NoDifference) => 3,
        None if c.line.verdict == "fails now" => 0,
        None if c.line.verdict == "works now" => 1,
        None if c.line.verdict.starts_with("only in") => 4,
        None => 2,
    };
    let titles = ["Worse", "Better", "Not comparable", "No significant difference", "Only in one of the runs"];
    let shown = |kind: &usize| all || ![3, 4].contains(kind);
    let grid = |kind: usize| {
        let mut of_kind: Vec<&Compared> = compared.iter().filter(|c| of(c) == kind).collect();
        // Away from 1 first; what fails before all others.
        let size = |c: &Compared| c.ratio.map_or(f64::INFINITY, |r| r.ratio.ln().abs());
        of_kind.sort_by(|a, b| size(b).total_cmp(&size(a)));
        let title = format!("{}: {}", titles[kind], count(of_kind.len(), "cell"));
        let header = ["runtime", "function", "scenario", "old", "new", "times worse", ""];
        let rows: Vec<_> = of_kind.into_iter().map(row).collect();
        Grid { title, header: header.map(str::to_owned).to_vec(), rows, names: 3 }
    };
    (0..titles.len()).filter(shown).map(grid).filter(|grid| !grid.rows.is_empty()).collect()
}

fn row(compared: &Compared) -> Vec<Entry> {
    let Compared { line, quantity, ratio } = compared;
    let median = |median: Option<f64>| Entry::plain(median.map_or("-".to_owned(), |m| quantity.show(m)));
    let tone = match (ratio, line.verdict.as_str()) {
        (Some(ratio), _) => tone(ratio),
        (None, "fails now" | "fails in both") => Tone::Bad,
        (None, "works now") => Tone::Good,
        _ => Tone::Plain,
    };
    let verdict = match &line.failure {
        Some(text) => format!("{}: {}", line.verdict, crate::report::summary::shorten(text, 60)),
        None => line.verdict.clone(),
    };
    vec![
        Entry::plain(&line.runtime),
        Entry::plain(&line.function),
        Entry::plain(&line.scenario),
        median(line.old),
        median(line.new),
        Entry::plain(ratio.as_ref().map_or("-".to_owned(), show)),
        Entry::of(verdict, tone),
    ]
}

fn summary(compared: &[Compared], threshold: Option<f64>, above: usize) -> Vec<String> {
    let verdicts = |wanted: Verdict| compared.iter().filter(|c| c.ratio.is_some_and(|r| r.verdict() == wanted)).count();
    let (worse, better, same) = (verdicts(Verdict::Higher), verdicts(Verdict::Lower), verdicts(Verdict::NoDifference));
    let with_ratio = worse + better + same;
    let mut notes = vec![format!(
        "{} compared: {worse} worse, {better} better, {same} with {NO_DIFFERENCE}. Of cells that did not change about 5 % \
         (here {:.0}) are called different by chance.",
        count(with_ratio, "cell"),
        with_ratio as f64 * 0.05
    )];
    for verdict in ["fails now", "works now", "fails in both", "only in old", "only in new", "no ratio"] {
        let cells = compared.iter().filter(|c| c.line.verdict == verdict).count();
        if cells > 0 {
            notes.push(format!("{}: {verdict}", count(cells, "cell")));
        }
    }
    if let Some(threshold) = threshold {
        let (percent, what) = (threshold * 100.0, count(above, "cell"));
        let reason = "significantly worse and by more than that, or failing now";
        notes.push(format!("--fail-above {percent}%: {what} {reason}"));
    }
    notes
}
