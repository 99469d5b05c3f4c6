//! What the reports hold, before it becomes Markdown or HTML.

use super::summary::{Row, functions, groups};
use super::{
    break_even, brief, cite, detail, isolation, keep_alive, languages, machines, method, tables, units, words,
};
use crate::chart;
use crate::experiment::CellStop;
use crate::noise;
use crate::record::{Cell, Formless, Function, Run};
use isobar_core::RuntimeId;
use isobar_core::measure::{SCENARIOS, Scale, Scenario, ScenarioId};
use std::collections::{BTreeMap, BTreeSet};

/// A piece of a report.
pub(super) enum Block {
    /// A heading of this level, from 2.
    Heading(u8, String),
    Paragraph(String),
    /// Words with what they stand for.
    Definitions(Vec<(String, String)>),
    Chart(&'static chart::Chart),
    Table(Table),
    /// Sentences that stand beside each other.
    List(Vec<String>),
    /// What is to be copied as it is.
    Code(String),
    /// What only some readers look for, closed at first, with its title.
    Details(String, Vec<Block>),
    /// All cells in one table that a page can sort and filter.
    Cells,
}

/// A table. Its first column holds names.
pub(super) struct Table {
    pub(super) header: Vec<String>,
    pub(super) rows: Vec<Vec<Entry>>,
    /// Whether the columns after the first hold numbers.
    pub(super) numbers: bool,
}

/// What stands in a table.
pub(super) struct Entry {
    pub(super) text: String,
    pub(super) tone: Tone,
    /// What it is sorted by, if that is a number.
    pub(super) value: Option<f64>,
    /// The cell that it is about.
    pub(super) cell: Option<Cell>,
}

/// How an entry is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    /// The best number of its column.
    Best,
    /// What went wrong.
    Failed,
}

impl Entry {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Entry { text: text.into(), tone: Tone::Plain, value: None, cell: None }
    }

    pub(super) fn failed(text: impl Into<String>) -> Self {
        Entry { tone: Tone::Failed, ..Entry::text(text) }
    }

    /// A number as it is shown and as it is sorted.
    pub(super) fn number(text: impl Into<String>, value: f64) -> Self {
        Entry { value: Some(value), ..Entry::text(text) }
    }

    /// Marked, if it is the best one.
    pub(super) fn best_if(self, best: bool) -> Self {
        Entry { tone: if best { Tone::Best } else { self.tone }, ..self }
    }

    pub(super) fn of(self, cell: &Cell) -> Self {
        Entry { cell: Some(cell.clone()), ..self }
    }
}

/// The report of a run, from top to bottom: what people choose by, then what they may want to check.
pub(super) fn document(run: &Run, rows: &[Row]) -> Vec<Block> {
    let mut blocks = Vec::new();
    let verdicts = isolation::blocks(run);
    if rows.is_empty() && verdicts.is_empty() {
        blocks.push(Block::Paragraph("Nothing was measured: the run has no records.".to_owned()));
    } else if !rows.is_empty() {
        blocks.push(heading(2, SUMMARY));
        blocks.push(Block::List(brief::sentences(run, rows)));
    }
    blocks.push(heading(2, MACHINE));
    blocks.push(Block::Definitions(facts(run, rows)));
    let warnings = warnings(run);
    with_heading("Warnings", (!warnings.is_empty()).then_some(Block::List(warnings)), &mut blocks);
    if !rows.is_empty() {
        results(run, rows, &mut blocks);
    }
    blocks.extend(keep_alive::blocks(run));
    blocks.extend(verdicts);
    with_heading("Failures", tables::failures(rows).map(Block::Table), &mut blocks);
    with_heading("Not measured", not_measured(run), &mut blocks);
    if let Some(table) = tables::artifacts(rows) {
        blocks.push(heading(2, "Compiling ahead of time"));
        blocks.push(Block::Paragraph("How long compiling took, once, and how large the artifact is.".to_owned()));
        blocks.push(Block::Table(table));
    }
    let details: Vec<Block> = functions(rows).into_iter().flat_map(|name| detail::of_function(rows, name)).collect();
    if !details.is_empty() {
        blocks.push(heading(2, "In detail"));
        blocks.push(Block::Paragraph(detail::WORDS.to_owned()));
        blocks.extend(details);
    }
    blocks.push(heading(2, "Runtimes and how they were set"));
    blocks.push(Block::Table(tables::runtimes(run)));
    blocks.push(heading(2, "What the numbers mean"));
    let measured = |scenario: &&&dyn Scenario| rows.iter().any(|row| row.cell.scenario.name() == scenario.name());
    let scenarios = SCENARIOS.iter().filter(measured).map(|s| (words::capitalised(s.title()), s.meaning().to_owned()));
    let words = words::MEANINGS.map(|(word, text)| (word.to_owned(), text.to_owned()));
    blocks.push(Block::Definitions(scenarios.chain(words).collect()));
    blocks.extend(method::blocks(run, rows));
    blocks.extend(cite::blocks(run));
    blocks
}

/// The heading of the summary.
pub(super) const SUMMARY: &str = "In short";
/// The heading of where, when and how it was measured.
pub(super) const MACHINE: &str = "Machine and run";
/// The heading above all functions, each with a heading of its own.
pub(super) const FUNCTIONS: &str = "Function by function";

/// What disturbed the run, or its numbers.
fn warnings(run: &Run) -> Vec<String> {
    let of_cells = noise::of_cells(run).into_iter().map(|warning| warning.to_string());
    run.header.warnings.iter().cloned().chain(of_cells).collect()
}

/// Tables and charts of what was measured.
fn results(run: &Run, rows: &[Row], blocks: &mut Vec<Block>) {
    blocks.push(heading(2, "The best of each"));
    blocks.push(Block::Table(tables::best(rows)));
    let languages = languages::blocks(run, rows);
    if !languages.is_empty() {
        blocks.push(heading(2, "Languages"));
    }
    blocks.extend(languages);
    let other = |chart: &&chart::Chart| !chart.shows.is_of_languages();
    let charts: Vec<Block> = chart::wanted(run, rows).filter(other).map(Block::Chart).collect();
    // A scenario need not have a chart.
    if !charts.is_empty() {
        blocks.push(heading(2, "Charts"));
    }
    blocks.extend(charts);
    blocks.extend(break_even::blocks(run));
    blocks.push(Block::Cells);
    blocks.push(heading(2, FUNCTIONS));
    for name in functions(rows) {
        function(run, rows, name, blocks);
    }
}

fn with_heading(title: &str, block: Option<Block>, blocks: &mut Vec<Block>) {
    if let Some(block) = block {
        blocks.push(heading(2, title));
        blocks.push(block);
    }
}

/// What is not here, and what runtimes do not allow: once for each reason.
fn not_measured(run: &Run) -> Option<Block> {
    let mut list: Vec<(String, String)> =
        run.header.absent.iter().map(|absent| (absent.family.clone(), absent.reason.clone())).collect();
    list.extend(run.header.unbuilt.iter().map(|unbuilt| (unbuilt.function.clone(), unbuilt.reason.clone())));
    list.extend(formless(run));
    list.extend(super::emulated(run));
    let mut skipped: BTreeMap<(ScenarioId, &str), BTreeSet<&str>> = BTreeMap::new();
    for skip in &run.header.skipped {
        // Of several numbers of threads, the first stands for all.
        let same = |known: &&(ScenarioId, &str)| (known.0.name(), known.1) == (skip.scenario.name(), &skip.reason[..]);
        let key = skipped.keys().find(same).copied().unwrap_or((skip.scenario, &skip.reason));
        skipped.entry(key).or_default().insert(skip.runtime.as_str());
    }
    // A reason that holds for several scenarios is told once.
    let mut reasons: Vec<(Vec<&str>, &str, BTreeSet<&str>)> = Vec::new();
    for ((scenario, reason), runtimes) in skipped {
        let title = scenario.scenario().title();
        match reasons.iter_mut().find(|(_, known, of)| *known == reason && *of == runtimes) {
            Some((titles, ..)) => titles.push(title),
            None => reasons.push((vec![title], reason, runtimes)),
        }
    }
    list.extend(reasons.into_iter().map(|(titles, reason, runtimes)| {
        let runtimes: Vec<&str> = runtimes.into_iter().collect();
        (words::capitalised(&titles.join(", ")), format!("{reason}: {}", runtimes.join(", ")))
    }));
    if list.is_empty() { None } else { Some(Block::Definitions(list)) }
}

/// Functions that some runtimes have nothing of to load: once for each reason.
fn formless(run: &Run) -> Vec<(String, String)> {
    let mut reasons: Vec<(Vec<&str>, &[RuntimeId], &str)> = Vec::new();
    for Formless { function, runtimes, reason, .. } in &run.header.formless {
        match reasons.iter_mut().find(|(_, of, known)| (*of, *known) == (runtimes, reason)) {
            Some((functions, ..)) => functions.push(function),
            None => reasons.push((vec![function], runtimes, reason)),
        }
    }
    let line = |(functions, runtimes, reason): (Vec<&str>, &[RuntimeId], &str)| {
        let runtimes: Vec<&str> = runtimes.iter().map(RuntimeId::as_str).collect();
        (functions.join(", "), format!("{reason}: {}", runtimes.join(", ")))
    };
    reasons.into_iter().map(line).collect()
}

fn heading(level: u8, text: &str) -> Block {
    Block::Heading(level, text.to_owned())
}

pub(super) fn facts(run: &Run, rows: &[Row]) -> Vec<(String, String)> {
    let header = &run.header;
    let Some(machine) = header.machines.first() else { return Vec::new() };
    let [hardware, system] = machines::words(machine);
    let quick = if header.quick { format!("; a quick run, with {}", words::quick(rows)) } else { String::new() };
    let mut facts = vec![
        ("Machine".to_owned(), hardware),
        ("System".to_owned(), system),
        ("Measured".to_owned(), format!("{} with isobar {}", units::date(header.started_at_s), header.isobar)),
        ("Plan".to_owned(), format!("{}, seed {}{quick}", words::schedule(run), header.seed)),
    ];
    let numbers: Vec<f64> =
        rows.iter().filter_map(Row::measured).map(|measured| measured.summary.relative_half_width()).collect();
    if let Some(widest) = numbers.iter().copied().max_by(f64::total_cmp) {
        let wanted = header.schedule.precision;
        let reached = numbers.iter().filter(|width| **width <= wanted).count();
        let text = format!(
            "{reached} of {} are within ±{}, the widest within ±{}",
            units::count(numbers.len(), "number"),
            units::percent(wanted),
            units::percent(widest)
        );
        facts.push(("Precision".to_owned(), text));
    }
    let judged = |cell: &Cell| run.records.iter().any(|record| record.cell == *cell && isolation::is_verdict(record));
    let missing = |cell: &&Cell| !rows.iter().any(|row| row.cell == **cell) && !judged(cell);
    let missing = header.cells.iter().filter(missing).count();
    let planned = header.cells.len();
    let short = rows.iter().filter(|row| row.stop == CellStop::CutOff).count();
    if missing + short > 0 {
        let text = format!(
            "the run was cut off: of {planned} planned cells {missing} were not measured at all, and {short} not to the end; isobar resume goes on"
        );
        facts.push(("Incomplete".to_owned(), text));
    }
    facts.splice(2..2, machines::others(run));
    facts.extend(machines::part(run));
    facts
}

fn function(run: &Run, rows: &[Row], name: &str, blocks: &mut Vec<Block>) {
    blocks.push(heading(3, name));
    let about = |f: &Function| {
        let size = units::bytes(f.module_bytes);
        let sha256: String = f.module_sha256.chars().take(16).collect();
        let [description, stands_for] = [&f.description, &f.stands_for].map(|text| text.trim_end_matches('.'));
        // A server that isobar only called has no module.
        let module = if sha256.is_empty() { String::new() } else { format!(" Module: {size}, SHA-256 {sha256}…") };
        Block::Paragraph(format!("{description}. Stands for: {stands_for}.{module}"))
    };
    blocks.extend(run.header.functions.iter().find(|f| f.name == name).map(about));
    let own: Vec<&[Row]> = groups(rows).filter(|group| group[0].cell.function == name).collect();
    for scenario in SCENARIOS {
        let groups: Vec<&[Row]> =
            own.iter().filter(|group| group[0].cell.scenario.name() == scenario.name()).copied().collect();
        let Some(first) = groups.first() else { continue };
        blocks.push(Block::Heading(4, format!("{}, {name}", words::capitalised(scenario.title()))));
        blocks.push(Block::Table(match (scenario.threads(1), scenario.scale()) {
            (None, _) => tables::latency(first),
            (Some(_), Scale::Rate) => tables::over_load(&groups),
            (Some(_), Scale::Connections) => tables::over_connections(&groups),
            (Some(_), Scale::Threads) => tables::rates(&groups),
        }));
    }
}
