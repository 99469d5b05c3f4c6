//! The tables of the first part of a report: what was measured, what failed, how it was set.

use super::columns::beside;
use super::details::PERCENTILES;
use super::document::{Entry, Table, Tone};
use super::summary::{Failed, Measured, Row, functions};
use super::{units, words};
use crate::record::Run;
use isobar_core::measure::SCENARIOS;
use std::collections::BTreeMap;

/// The rows of one function and scenario.
pub(super) fn latency(group: &[Row]) -> Table {
    let (scenario, beside) = (group[0].cell.scenario.scenario(), beside(group));
    let number = words::capitalised(words::number(scenario));
    let mut header = names(group.iter());
    header.extend([&number, "95 % interval", "Ratio"].map(str::to_owned));
    header.extend(beside.iter().map(|column| column.title(scenario)));
    let columns = header.len();
    let row = |row: &Row| {
        let mut entries = of(row, group.iter());
        match &row.outcome {
            Ok(measured) => {
                entries.push(number_of(row, measured));
                entries.push(Entry::text(row.quantity().show_interval(&measured.summary)));
                entries.push(Entry::number(units::ratio(measured.ratio), measured.ratio));
                entries.extend(beside.iter().map(|column| column.entry(measured)));
            }
            Err(failed) => entries.push(short(row, failed)),
        }
        entries.resize_with(columns, || Entry::text(""));
        entries
    };
    Table { header, rows: group.iter().map(row).collect(), numbers: true }
}

/// The columns that say whose a row is: the class of the runtime, where there are several.
pub(super) fn names<'a>(rows: impl Iterator<Item = &'a Row>) -> Vec<String> {
    let class = words::has_classes(rows).then_some("Class");
    ["Runtime"].into_iter().chain(class).map(str::to_owned).collect()
}

/// What stands in the columns of [`names`].
pub(super) fn of<'a>(row: &Row, rows: impl Iterator<Item = &'a Row>) -> Vec<Entry> {
    let class = words::has_classes(rows).then(|| words::class(row.class));
    [row.cell.runtime.as_str()].into_iter().chain(class).map(Entry::text).collect()
}

/// The number of a cell.
fn number_of(row: &Row, measured: &Measured) -> Entry {
    let median = measured.summary.median;
    Entry::number(row.quantity().show(median), median).best_if(measured.ratio == 1.0).of(&row.cell)
}

/// One row for each runtime, one column for each number of threads; the runtimes in the order of the best rate that
/// they reached.
pub(super) fn rates(groups: &[&[Row]]) -> Table {
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
            let Entry { text, .. } = number_of(row, measured);
            let interval = row.quantity().show_interval(&measured.summary);
            Entry { text: format!("{text} {interval} {}", units::ratio(measured.ratio)), ..number_of(row, measured) }
        }
        Some((row, Err(failed))) => short(row, failed),
        None => Entry::text("-"),
    };
    let all = || groups.iter().flat_map(|group| group.iter());
    let threads = groups.iter().map(|group| words::scale(group[0].cell.scenario));
    let header = names(all()).into_iter().chain(threads).collect();
    let rows = runtimes.into_iter().map(|(_, rows)| {
        let names = rows.iter().flatten().next().map_or_else(Vec::new, |row| of(row, all()));
        names.into_iter().chain(rows.into_iter().map(entry)).collect()
    });
    Table { header, rows: rows.collect(), numbers: true }
}

/// One row for each runtime and number of connections of a closed loop: what was answered, and how long answers took.
pub(super) fn over_connections(groups: &[&[Row]]) -> Table {
    let mut rows: Vec<&Row> = groups.iter().flat_map(|group| group.iter()).collect();
    rows.sort_by_key(|row| (&row.cell.runtime, row.cell.scenario));
    let scenario = groups[0][0].cell.scenario.scenario();
    let mut beside: Vec<_> = groups.iter().flat_map(|group| beside(group)).collect();
    beside.sort();
    beside.dedup();
    let mut header = ["Runtime", "Connections", "Requests/s", "95 % interval", "Ratio"].map(str::to_owned).to_vec();
    header.extend(beside.iter().map(|column| column.title(scenario)));
    let row = |row: &Row| {
        let connections = row.cell.scenario.threads().to_string();
        let mut entries = vec![Entry::text(row.cell.runtime.to_string()), Entry::text(connections)];
        match &row.outcome {
            Ok(measured) => {
                let rate = row.quantity().show(measured.summary.median);
                entries.push(Entry::text(rate).best_if(measured.ratio == 1.0));
                entries.push(Entry::text(row.quantity().show_interval(&measured.summary)));
                entries.push(Entry::text(units::ratio(measured.ratio)));
                entries.extend(beside.iter().map(|column| Entry::text(column.show(measured))));
            }
            Err(failed) => entries.push(short(row, failed)),
        }
        entries.resize_with(header.len(), || Entry::text(String::new()));
        entries
    };
    Table { rows: rows.into_iter().map(row).collect(), header, numbers: true }
}

/// One row for each runtime and rate of an open loop.
pub(super) fn over_load(groups: &[&[Row]]) -> Table {
    let mut rows: Vec<&Row> = groups.iter().flat_map(|group| group.iter()).collect();
    rows.sort_by_key(|row| (&row.cell.runtime, row.cell.scenario));
    let mut header = names(rows.iter().copied());
    header.extend(["Requests due", "Median", "95 % interval"].map(str::to_owned));
    header.extend(PERCENTILES.iter().map(|percentile| format!("p{percentile}")));
    let row = |row: &Row| {
        let mut entries = of(row, rows.iter().copied());
        entries.push(Entry::number(words::scale(row.cell.scenario), row.cell.scenario.threads().into()));
        match &row.outcome {
            Ok(measured) => {
                // Nothing is the best at another rate.
                entries.push(Entry { tone: Tone::Plain, ..number_of(row, measured) });
                entries.push(Entry::text(row.quantity().show_interval(&measured.summary)));
                let percentiles = measured.percentiles.unwrap_or_default().into_iter();
                entries.extend(percentiles.map(|ns| ns.map_or_else(|| Entry::text("-"), time)));
            }
            Err(failed) => entries.push(short(row, failed)),
        }
        entries.resize_with(header.len(), || Entry::text(""));
        entries
    };
    Table { rows: rows.iter().map(|one| row(one)).collect(), header, numbers: true }
}

/// A time in nanoseconds.
fn time(ns: f64) -> Entry {
    Entry::number(units::time(ns), ns)
}

fn short(row: &Row, failed: &Failed) -> Entry {
    Entry::failed(format!("failed: {}", failed.kind)).of(&row.cell)
}

/// What failed, and how; `None` if nothing did.
pub(super) fn failures(rows: &[Row]) -> Option<Table> {
    let failed = || rows.iter().filter_map(|row| Some((row, row.outcome.as_ref().err()?)));
    let all = || failed().map(|(row, _)| row);
    let row = |(row, failed): (&Row, &Failed)| {
        let count = format!("{} of {}", failed.failures, failed.processes);
        let texts = [row.cell.function.clone(), words::scenario(row.cell.scenario)].map(Entry::text);
        let count = Entry::number(count, failed.failures as f64).of(&row.cell);
        of(row, all()).into_iter().chain(texts).chain([count, Entry::failed(failed.text.clone())]).collect()
    };
    let rows: Vec<Vec<Entry>> = failed().map(row).collect();
    let mut header = names(all());
    header.extend(["Function", "Scenario", "Failed", "What happened"].map(str::to_owned));
    if rows.is_empty() { None } else { Some(Table { header, rows, numbers: false }) }
}

/// How long it took to make the artifacts of a run that did not measure it, and how large they are; `None` if it did, or
/// if there are none.
pub(super) fn artifacts(rows: &[Row]) -> Option<Table> {
    let functions = functions(rows);
    let mut compiled: BTreeMap<_, BTreeMap<&str, _>> = BTreeMap::new();
    for row in rows {
        if let Some(artifact) = row.artifact {
            let functions = compiled.entry(&row.cell.runtime).or_default();
            functions.entry(row.cell.function.as_str()).or_insert(artifact);
        }
    }
    if compiled.is_empty() || rows.iter().any(|row| row.cell.scenario.name() == "deploy") {
        return None;
    }
    let header = std::iter::once("Runtime").chain(functions.iter().copied()).map(str::to_owned).collect();
    let rows = compiled.into_iter().map(|(runtime, artifacts)| {
        let entry = |function: &&str| {
            let show = |a: &crate::record::Artifact| {
                let (time, size) = (units::time(a.compile_ns as f64), units::bytes(a.bytes));
                Entry::number(format!("{time}, {size}"), a.compile_ns as f64)
            };
            artifacts.get(function).map_or_else(|| Entry::text("-"), show)
        };
        std::iter::once(Entry::text(runtime.as_str())).chain(functions.iter().map(entry)).collect()
    });
    Some(Table { header, rows: rows.collect(), numbers: true })
}

/// The best runtime of each function in each scenario; of several numbers of threads, the most.
pub(super) fn best(rows: &[Row]) -> Table {
    let names: Vec<&str> = SCENARIOS.iter().map(|s| s.name()).collect();
    let measured: Vec<&str> =
        names.into_iter().filter(|name| rows.iter().any(|row| row.cell.scenario.name() == *name)).collect();
    let title = |name: &&str| {
        let most = rows.iter().map(|row| row.cell.scenario).filter(|id| id.name() == *name).max();
        most.map_or_else(String::new, |id| words::capitalised(&words::scenario(id)))
    };
    let header = std::iter::once("Function".to_owned()).chain(measured.iter().map(title)).collect();
    let entry = |function: &str, name: &str| {
        let own = rows.iter().filter(|row| row.cell.function == function && row.cell.scenario.name() == name);
        let best = own.filter_map(|row| Some((row, row.measured()?))).filter(|(_, measured)| measured.ratio == 1.0);
        let several = words::has_classes(rows.iter());
        let entry = best.max_by_key(|(row, _)| row.cell.scenario).map(|(row, measured)| {
            let class = if several { format!(" ({})", words::class(row.class)) } else { String::new() };
            let number = row.quantity().show(measured.summary.median);
            Entry::text(format!("{}{class}: {number}", row.cell.runtime)).of(&row.cell)
        });
        entry.unwrap_or_else(|| Entry::text("-"))
    };
    let row = |function: &str| {
        let name = std::iter::once(Entry::text(function));
        name.chain(measured.iter().map(|name| entry(function, name))).collect()
    };
    Table { header, rows: functions(rows).into_iter().map(row).collect(), numbers: false }
}

/// The runtimes and how they were set.
pub(super) fn runtimes(run: &Run) -> Table {
    let columns =
        ["Runtime", "Class", "Version", "WASI", "Execution", "Time, memory, stack limited by", "Proposals", "Settings"];
    let row = |info: &isobar_core::RuntimeInfo| {
        let limits = info.enforcement;
        let enforcers = [limits.wall_time, limits.memory, limits.stack].map(words::enforcer).join(", ");
        let mut settings: Vec<String> = info.settings.iter().map(|(key, value)| format!("{key}: {value}")).collect();
        if !info.concurrent {
            settings.push("one thread at a time".to_owned());
        }
        let texts = [
            info.id.to_string(),
            words::class(info.class).to_owned(),
            info.version.clone(),
            info.wasi.clone(),
            words::execution(info.execution).to_owned(),
            enforcers,
            info.proposals.join(", "),
            settings.join("; "),
        ];
        texts.map(Entry::text).into()
    };
    let rows = run.header.runtimes.iter().map(row).collect();
    Table { header: columns.map(str::to_owned).to_vec(), rows, numbers: false }
}
