//! What the reports hold, before it becomes Markdown or HTML.

use super::summary::{Failed, Row, functions, groups};
use super::{machines, units, words};
use crate::chart;
use crate::experiment::{CellStop, stops};
use crate::record::{Function, Run};
use isobar_core::measure::{SCENARIOS, Scenario};
use std::collections::BTreeMap;

/// A piece of a report.
pub(super) enum Block {
    /// A heading of this level, from 2.
    Heading(u8, String),
    Paragraph(String),
    /// Words with what they stand for.
    Definitions(Vec<(String, String)>),
    Chart(&'static chart::Chart),
    Table(Table),
}

/// A table. Its first column holds names.
pub(super) struct Table {
    pub(super) header: Vec<String>,
    pub(super) rows: Vec<Vec<Entry>>,
    /// Whether the columns after the first hold numbers.
    pub(super) numbers: bool,
}

/// What stands in a table.
pub(super) enum Entry {
    Text(String),
    /// The best number of its column.
    Best(String),
    /// What went wrong.
    Failed(String),
}

impl Entry {
    pub(super) fn text(&self) -> &str {
        match self {
            Entry::Text(text) | Entry::Best(text) | Entry::Failed(text) => text,
        }
    }
}

/// The report of a run, from top to bottom.
pub(super) fn document(run: &Run, rows: &[Row]) -> Vec<Block> {
    let mut blocks = vec![Block::Definitions(facts(run, rows))];
    let absent = run.header.absent.iter().map(|a| (a.family.clone(), a.reason.clone()));
    let skipped = run.header.skipped.iter().map(|s| (format!("{} {}", s.runtime, s.scenario), s.reason.clone()));
    let not_measured: Vec<_> = absent.chain(skipped).collect();
    if !not_measured.is_empty() {
        blocks.push(heading(2, "Not measured"));
        blocks.push(Block::Definitions(not_measured));
    }
    if rows.is_empty() {
        blocks.push(Block::Paragraph("Nothing was measured: the run has no records.".to_owned()));
    } else {
        blocks.push(heading(2, "Charts"));
        blocks.extend(chart::wanted(rows).map(Block::Chart));
        for name in functions(rows) {
            function(run, rows, name, &mut blocks);
        }
        failures(rows, &mut blocks);
        artifacts(rows, &mut blocks);
    }
    blocks.push(heading(2, "Runtimes and how they were set"));
    blocks.push(Block::Table(runtimes(run)));
    blocks.push(heading(2, "What the numbers mean"));
    let measured = |scenario: &&&dyn Scenario| rows.iter().any(|row| row.cell.scenario.name() == scenario.name());
    let scenarios = SCENARIOS.iter().filter(measured).map(|s| (words::capitalised(s.title()), s.meaning().to_owned()));
    let words = words::MEANINGS.map(|(word, text)| (word.to_owned(), text.to_owned()));
    blocks.push(Block::Definitions(scenarios.chain(words).collect()));
    blocks
}

fn heading(level: u8, text: &str) -> Block {
    Block::Heading(level, text.to_owned())
}

fn facts(run: &Run, rows: &[Row]) -> Vec<(String, String)> {
    let header = &run.header;
    let Some(machine) = header.machines.first() else { return Vec::new() };
    let [hardware, system] = machines::words(machine);
    let rounds = units::count(header.schedule.min_processes as usize, "round");
    let quick = if header.quick { "; a quick run: good for a look, not for publishing" } else { "" };
    let mut facts = vec![
        ("Machine".to_owned(), hardware),
        ("System".to_owned(), system),
        ("Measured".to_owned(), format!("{} with isobar {}", units::date(header.started_at_s), header.isobar)),
        ("Plan".to_owned(), format!("{rounds}, seed {}{quick}", header.seed)),
    ];
    let missing = header.cells.iter().filter(|cell| !rows.iter().any(|row| row.cell == **cell)).count();
    let planned = header.cells.len();
    let cut_off = stops(header, &run.records).into_values().filter(|stop| *stop == CellStop::CutOff).count();
    let short = cut_off.saturating_sub(missing);
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
    blocks.push(heading(2, name));
    let about = |f: &Function| {
        let size = units::bytes(f.module_bytes);
        let sha256: String = f.module_sha256.chars().take(16).collect();
        let [description, stands_for] = [&f.description, &f.stands_for].map(|text| text.trim_end_matches('.'));
        Block::Paragraph(format!("{description}. Stands for: {stands_for}. Module: {size}, SHA-256 {sha256}…"))
    };
    blocks.extend(run.header.functions.iter().find(|f| f.name == name).map(about));
    let own: Vec<&[Row]> = groups(rows).filter(|group| group[0].cell.function == name).collect();
    for scenario in SCENARIOS {
        let groups: Vec<&[Row]> =
            own.iter().filter(|group| group[0].cell.scenario.name() == scenario.name()).copied().collect();
        let Some(first) = groups.first() else { continue };
        blocks.push(Block::Heading(3, format!("{}, {name}", words::capitalised(scenario.title()))));
        let by_threads = scenario.threads(1).is_some();
        blocks.push(Block::Table(if by_threads { rates(&groups) } else { latency(first) }));
    }
}

fn latency(group: &[Row]) -> Table {
    let mut header = ["Runtime", "Median", "95 % interval", "Ratio"].map(str::to_owned).to_vec();
    header.extend(group[0].cell.scenario.scenario().parts().iter().map(|(_, name)| words::capitalised(name)));
    let columns = header.len();
    let row = |row: &Row| {
        let mut entries = vec![Entry::Text(row.cell.runtime.to_string())];
        match &row.outcome {
            Ok(measured) => {
                let median = row.quantity().show(measured.summary.median);
                entries.push(if measured.ratio == 1.0 { Entry::Best(median) } else { Entry::Text(median) });
                entries.push(Entry::Text(row.quantity().show_interval(&measured.summary)));
                entries.push(Entry::Text(units::ratio(measured.ratio)));
                entries.extend(measured.parts.iter().map(|part| Entry::Text(part.show())));
            }
            Err(failed) => entries.push(short(failed)),
        }
        entries.resize_with(columns, || Entry::Text(String::new()));
        entries
    };
    Table { header, rows: group.iter().map(row).collect(), numbers: true }
}

/// One row for each runtime, one column for each number of threads; the runtimes in the order of the best rate that
/// they reached.
fn rates(groups: &[&[Row]]) -> Table {
    let mut runtimes: BTreeMap<_, Vec<Option<&Row>>> = BTreeMap::new();
    for (column, group) in groups.iter().enumerate() {
        for row in *group {
            runtimes.entry(&row.cell.runtime).or_insert_with(|| vec![None; groups.len()])[column] = Some(row);
        }
    }
    let best = |rows: &[Option<&Row>]| {
        let rates = rows.iter().flatten().filter_map(|row| row.measured()).map(|m| m.summary.median);
        rates.max_by(f64::total_cmp).unwrap_or(f64::NEG_INFINITY)
    };
    let mut runtimes: Vec<_> = runtimes.into_iter().collect();
    runtimes.sort_by(|(_, a), (_, b)| best(b).total_cmp(&best(a)));
    let entry = |row: Option<&Row>| match row.map(|row| (row, &row.outcome)) {
        Some((row, Ok(measured))) => {
            let (rate, interval) =
                (row.quantity().show(measured.summary.median), row.quantity().show_interval(&measured.summary));
            let text = format!("{rate} {interval} {}", units::ratio(measured.ratio));
            if measured.ratio == 1.0 { Entry::Best(text) } else { Entry::Text(text) }
        }
        Some((_, Err(failed))) => short(failed),
        None => Entry::Text("-".to_owned()),
    };
    let threads = groups.iter().map(|group| units::count(group[0].cell.scenario.threads() as usize, "thread"));
    let header = std::iter::once("Runtime".to_owned()).chain(threads).collect();
    let rows = runtimes.into_iter().map(|(runtime, rows)| {
        let name = std::iter::once(Entry::Text(runtime.to_string()));
        name.chain(rows.into_iter().map(entry)).collect()
    });
    Table { header, rows: rows.collect(), numbers: true }
}

fn short(failed: &Failed) -> Entry {
    Entry::Failed(format!("failed: {}", failed.kind))
}

fn failures(rows: &[Row], blocks: &mut Vec<Block>) {
    let failed = rows.iter().filter_map(|row| Some((row, row.outcome.as_ref().err()?)));
    let row = |(row, failed): (&Row, &Failed)| {
        let count = format!("{} of {}", failed.failures, failed.processes);
        let texts =
            [&row.cell.function, &words::scenario(row.cell.scenario), &count].map(|text| Entry::Text(text.clone()));
        let name = std::iter::once(Entry::Text(row.cell.runtime.to_string()));
        name.chain(texts).chain([Entry::Failed(failed.text.clone())]).collect()
    };
    let rows: Vec<Vec<Entry>> = failed.map(row).collect();
    if !rows.is_empty() {
        blocks.push(heading(2, "Failures"));
        let header = ["Runtime", "Function", "Scenario", "Failed", "What happened"].map(str::to_owned).to_vec();
        blocks.push(Block::Table(Table { header, rows, numbers: false }));
    }
}

fn artifacts(rows: &[Row], blocks: &mut Vec<Block>) {
    let functions = functions(rows);
    let mut compiled: BTreeMap<_, BTreeMap<&str, _>> = BTreeMap::new();
    for row in rows {
        if let Some(artifact) = row.artifact {
            let functions = compiled.entry(&row.cell.runtime).or_default();
            functions.entry(row.cell.function.as_str()).or_insert(artifact);
        }
    }
    if compiled.is_empty() {
        return;
    }
    let header = std::iter::once("Runtime").chain(functions.iter().copied()).map(str::to_owned).collect();
    let rows = compiled.into_iter().map(|(runtime, artifacts)| {
        let entry = |function: &&str| {
            let show = |a: &crate::record::Artifact| {
                format!("{}, {}", units::time(a.compile_ns as f64), units::bytes(a.bytes))
            };
            Entry::Text(artifacts.get(function).map_or_else(|| "-".to_owned(), show))
        };
        std::iter::once(Entry::Text(runtime.to_string())).chain(functions.iter().map(entry)).collect()
    });
    blocks.push(heading(2, "Compiling ahead of time"));
    blocks.push(Block::Paragraph("How long compiling took, once, and how large the artifact is.".to_owned()));
    blocks.push(Block::Table(Table { header, rows: rows.collect(), numbers: true }));
}

fn runtimes(run: &Run) -> Table {
    let columns =
        ["Runtime", "Version", "WASI", "Execution", "Time, memory, stack limited by", "Proposals", "Settings"];
    let row = |info: &isobar_core::RuntimeInfo| {
        let limits = info.enforcement;
        let enforcers = [limits.wall_time, limits.memory, limits.stack].map(words::enforcer).join(", ");
        let mut settings: Vec<String> = info.settings.iter().map(|(key, value)| format!("{key}: {value}")).collect();
        if !info.concurrent {
            settings.push("one thread at a time".to_owned());
        }
        let texts = [
            info.id.to_string(),
            info.version.clone(),
            info.wasi.clone(),
            words::execution(info.execution).to_owned(),
            enforcers,
            info.proposals.join(", "),
            settings.join("; "),
        ];
        texts.map(Entry::Text).into()
    };
    let rows = run.header.runtimes.iter().map(row).collect();
    Table { header: columns.map(str::to_owned).to_vec(), rows, numbers: false }
}
