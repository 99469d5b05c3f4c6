//! The variants of functions against the plain functions, runtime by runtime, inside each run: what a snapshot by Wizer
//! saves, what lowering to the first edition of WebAssembly costs.

use super::cells::{CompareError, Source};
use super::cmp::title;
use super::table::{Answer, Entry, Grid, Tone};
use super::{finite, show, tone, unit, word, worse};
use crate::report::Failed;
use crate::report::units::{self, Quantity};
use crate::stats::{self, Ratio};
use isobar_core::RuntimeId;
use isobar_core::measure::ScenarioId;
use serde::Serialize;

/// What the whole number of a scenario is called, beside its parts.
const WHOLE: &str = "all";

/// A variant against its plain function in one runtime: a line of the answer for programs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Varied {
    /// The run.
    pub run: String,
    /// Which of the run's machines, from 1.
    pub machine: u32,
    /// The plain function.
    pub function: String,
    /// The variant.
    pub variant: String,
    /// The runtime.
    pub runtime: String,
    /// The scenario.
    pub scenario: String,
    /// Which part of the scenario's number, as a phase of a cold start; `all` for the number itself.
    pub part: String,
    /// The unit of the medians: `ns`, `per_second`, `bytes` or `instructions`.
    pub unit: &'static str,
    /// The plain function's median.
    pub plain: Option<f64>,
    /// The variant's median.
    pub varied: Option<f64>,
    /// How many times worse the variant is.
    pub ratio: Option<f64>,
    /// The lower end of the ratio's 95 % interval.
    pub ratio_low: Option<f64>,
    /// The upper end; left out if there is no bound.
    pub ratio_high: Option<f64>,
    /// `faster`, `slower`, ..., `no significant difference`, `failed`, `not measured` or `no ratio`.
    pub verdict: String,
    /// How one of the two failed.
    pub failure: Option<String>,
    /// The size of the plain function's module, in bytes.
    pub plain_bytes: Option<u64>,
    /// The size of the variant's module, in bytes.
    pub varied_bytes: Option<u64>,
}

/// A variant and its plain function in a source that measured both.
struct Pair<'a> {
    source: &'a Source,
    plain: &'a str,
    variant: &'a str,
    /// The variant's whole name.
    name: &'a str,
}

/// One part of a pair's cells.
struct Part {
    name: &'static str,
    quantity: Quantity,
    medians: [Option<f64>; 2],
    ratio: Option<Ratio>,
}

/// Compares every variant with its plain function in every source that has both, for each runtime and scenario.
///
/// # Errors
/// No source has a function beside a variant of it.
pub fn variants(sources: &[Source]) -> Result<Answer<Varied>, CompareError> {
    let mut answer = Answer { rows: Vec::new(), notes: notes(), grids: Vec::new() };
    for source in sources {
        let pairs = pairs(source);
        if pairs.is_empty() {
            continue;
        }
        answer.grids.push(modules(source, &pairs));
        for scenario in source.scenarios() {
            let mut rows = Vec::new();
            for pair in &pairs {
                for runtime in &source.runtimes {
                    rows.extend(pair.line(runtime, scenario, &mut answer.rows));
                }
            }
            if !rows.is_empty() {
                answer.grids.push(grid(source, scenario, rows));
            }
        }
    }
    if answer.grids.is_empty() { Err(CompareError::NoVariant) } else { Ok(answer) }
}

fn pairs(source: &Source) -> Vec<Pair<'_>> {
    let pair = |name: &'_ String| {
        let (plain, _) = name.split_once('+')?;
        let plain = source.functions.iter().find(|other| *other == plain)?;
        Some(plain.as_str())
    };
    let all = source.functions.iter().filter_map(|name| Some((name, pair(name)?)));
    all.map(|(name, plain)| Pair { source, plain, variant: &name[plain.len() + 1..], name }).collect()
}

impl Pair<'_> {
    /// The line of a runtime, if it measured one of the two.
    fn line(&self, runtime: &RuntimeId, scenario: ScenarioId, all: &mut Vec<Varied>) -> Option<Vec<Entry>> {
        let cells = [self.plain, self.name].map(|function| self.source.cell(runtime, function, scenario));
        let mut entries = [self.plain, self.variant, runtime.as_str()].map(Entry::plain).to_vec();
        let failure = cells.iter().flatten().find_map(|cell| cell.err());
        if cells.iter().all(Option::is_none) {
            return None;
        }
        if failure.is_some() || cells.iter().any(Option::is_none) {
            let quantity = Quantity::of(scenario);
            let medians = [self.plain, self.name].map(|function| self.source.median(runtime, function, scenario));
            let whole = Part { name: WHOLE, quantity, medians, ratio: None };
            all.push(self.varied(runtime, scenario, &whole, failure, cells.iter().any(Option::is_none)));
            let of = |cell: &Option<Result<_, &Failed>>, median: Option<f64>| match cell {
                Some(Err(failed)) => Entry::two("failed", &failed.kind, Tone::Bad),
                _ => Entry::plain(median.map_or("-".to_owned(), |median| quantity.show(median))),
            };
            entries.extend([of(&cells[0], medians[0]), of(&cells[1], medians[1])]);
            entries.extend((0..=scenario.scenario().parts().len()).map(|_| Entry::plain("-")));
            return Some(entries);
        }
        for part in self.parts(runtime, scenario) {
            all.push(self.varied(runtime, scenario, &part, None, false));
            let shown = |median: Option<f64>| median.map_or("-".to_owned(), |median| part.quantity.show(median));
            let (plain, varied) = (shown(part.medians[0]), shown(part.medians[1]));
            let ratio = part.ratio.as_ref();
            let said = ratio.map_or("no ratio".to_owned(), show);
            let tone = ratio.map_or(Tone::Plain, tone);
            if part.name == WHOLE {
                let word = ratio.map_or("", |ratio| word(part.quantity, ratio));
                entries.extend([Entry::plain(plain), Entry::plain(varied), Entry::two(&said, word, tone)]);
            } else {
                entries.push(Entry::two(&format!("{plain} → {varied}"), &said, tone));
            }
        }
        Some(entries)
    }

    /// The number itself, then what it consists of.
    fn parts(&self, runtime: &RuntimeId, scenario: ScenarioId) -> Vec<Part> {
        let seed = |part: &str| {
            stats::seed(self.source.seed, &format!("{runtime} {} {scenario} {part} against {}", self.name, self.plain))
        };
        let samples = |function: &str| self.source.cell(runtime, function, scenario)?.ok();
        let (plain, varied) = (samples(self.plain).unwrap_or_default(), samples(self.name).unwrap_or_default());
        let median = |processes: &[Vec<f64>]| stats::median(&mut processes.concat());
        let mut parts = vec![Part {
            name: WHOLE,
            quantity: Quantity::of(scenario),
            medians: [median(plain), median(varied)],
            ratio: worse(scenario, varied, plain, seed(WHOLE)),
        }];
        for &(column, name) in scenario.scenario().parts() {
            let of = |function: &str| self.source.part(runtime, function, scenario, column).unwrap_or_default();
            let (plain, varied) = (of(self.plain), of(self.name));
            let quantity = if column.ends_with("_bytes") { Quantity::Bytes } else { Quantity::Time };
            let ratio = Ratio::of(varied, plain, seed(name));
            parts.push(Part { name, quantity, medians: [median(plain), median(varied)], ratio });
        }
        parts
    }

    fn varied(
        &self,
        runtime: &RuntimeId,
        scenario: ScenarioId,
        part: &Part,
        failure: Option<&Failed>,
        absent: bool,
    ) -> Varied {
        let verdict = match (&part.ratio, failure) {
            (_, Some(_)) => "failed",
            (Some(ratio), None) => word(part.quantity, ratio),
            (None, None) if absent => "not measured",
            (None, None) => "no ratio",
        };
        Varied {
            run: self.source.run.clone(),
            machine: self.source.machine,
            function: self.plain.to_owned(),
            variant: self.variant.to_owned(),
            runtime: runtime.to_string(),
            scenario: scenario.to_string(),
            part: part.name.to_owned(),
            unit: match part.name {
                WHOLE => unit(scenario),
                _ if part.quantity == Quantity::Bytes => "bytes",
                _ => "ns",
            },
            plain: part.medians[0],
            varied: part.medians[1],
            ratio: part.ratio.map(|ratio| ratio.ratio),
            ratio_low: part.ratio.and_then(|ratio| finite(ratio.low)),
            ratio_high: part.ratio.and_then(|ratio| finite(ratio.high)),
            verdict: verdict.to_owned(),
            failure: failure.map(|failed| failed.text.clone()),
            plain_bytes: self.source.module_bytes(self.plain),
            varied_bytes: self.source.module_bytes(self.name),
        }
    }

    /// How many of the cells of both gave the expected answer in every invocation, of how many.
    fn answers(&self) -> Entry {
        let outcomes: Vec<bool> = self
            .source
            .cells()
            .filter(|cell| [self.plain, self.name].contains(&cell.function.as_str()))
            .filter_map(|cell| Some(self.source.cell(&cell.runtime, &cell.function, cell.scenario)?.is_ok()))
            .collect();
        let right = outcomes.iter().filter(|right| **right).count();
        match outcomes.len() - right {
            0 => Entry::of(format!("as expected in all {right} cells"), Tone::Good),
            failed => Entry::of(format!("as expected in {right} cells, {failed} failed"), Tone::Bad),
        }
    }
}

/// How large the modules are, and whether their answers were right.
fn modules(source: &Source, pairs: &[Pair]) -> Grid {
    let row = |pair: &Pair| {
        let sizes = [pair.plain, pair.name].map(|name| source.module_bytes(name));
        let shown = |size: Option<u64>| size.map_or("-".to_owned(), units::bytes);
        let growth = match sizes {
            [Some(plain), Some(varied)] if plain > 0 => units::ratio(varied as f64 / plain as f64),
            _ => "-".to_owned(),
        };
        let mut entries = [pair.plain, pair.variant].map(Entry::plain).to_vec();
        entries.extend([shown(sizes[0]), shown(sizes[1]), growth].map(Entry::plain));
        entries.push(pair.answers());
        entries
    };
    Grid {
        title: format!("Modules · {}", title(&[source])),
        header: ["function", "variant", "plain", "variant's", "growth", "answers"].map(str::to_owned).to_vec(),
        rows: pairs.iter().map(row).collect(),
        names: 2,
    }
}

fn grid(source: &Source, scenario: ScenarioId, rows: Vec<Vec<Entry>>) -> Grid {
    let mut header = ["function", "variant", "runtime", "plain", "variant's", "ratio"].map(str::to_owned).to_vec();
    header.extend(scenario.scenario().parts().iter().map(|(_, name)| (*name).to_owned()));
    let name = scenario.scenario().title();
    let threads = scenario.to_string();
    let name = if threads == scenario.name() { name.to_owned() } else { format!("{name} ({threads})") };
    Grid {
        title: format!("{}{} · {}", name[..1].to_uppercase(), &name[1..], title(&[source])), header, rows, names: 3
    }
}

fn notes() -> Vec<String> {
    vec![
        "1.32x is 1.32 times worse than the plain function: more time, more bytes, more instructions, or less throughput; \
         below 1 is better. [95 % interval]; a difference is named only where it excludes 1."
            .to_owned(),
        "The answer of every invocation that was measured was checked: a cell with another answer has failed.".to_owned(),
    ]
}
