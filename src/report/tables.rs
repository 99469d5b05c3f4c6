//! The tables of the first part of a report: what was measured, what failed, how it was set.

use super::columns::beside;
use super::details::PERCENTILES;
use super::document::{Entry, Table};
use super::summary::{Failed, Row, functions};
use super::{units, words};
use crate::record::Run;
use isobar_core::measure::SCENARIOS;
use std::collections::BTreeMap;

/// The rows of one function and scenario.
pub(super) fn latency(group: &[Row]) -> Table {
    let (scenario, beside) = (group[0].cell.scenario.scenario(), beside(group));
    let number = words::capitalised(words::number(scenario));
    let mut header = ["Runtime", &number, "95 % interval", "Ratio"].map(str::to_owned).to_vec();
    header.extend(beside.iter().map(|column| column.title(scenario)));
    let columns = header.len();
    let row = |row: &Row| {
        let mut entries = vec![Entry::Text(row.cell.runtime.to_string())];
        match &row.outcome {
            Ok(measured) => {
                let median = row.quantity().show(measured.summary.median);
                entries.push(if measured.ratio == 1.0 { Entry::Best(median) } else { Entry::Text(median) });
                entries.push(Entry::Text(row.quantity().show_interval(&measured.summary)));
                entries.push(Entry::Text(units::ratio(measured.ratio)));
                entries.extend(beside.iter().map(|column| Entry::Text(column.show(measured))));
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
            let (rate, interval) =
                (row.quantity().show(measured.summary.median), row.quantity().show_interval(&measured.summary));
            let text = format!("{rate} {interval} {}", units::ratio(measured.ratio));
            if measured.ratio == 1.0 { Entry::Best(text) } else { Entry::Text(text) }
        }
        Some((_, Err(failed))) => short(failed),
        None => Entry::Text("-".to_owned()),
    };
    let threads = groups.iter().map(|group| words::scale(group[0].cell.scenario));
    let header = std::iter::once("Runtime".to_owned()).chain(threads).collect();
    let rows = runtimes.into_iter().map(|(runtime, rows)| {
        let name = std::iter::once(Entry::Text(runtime.to_string()));
        name.chain(rows.into_iter().map(entry)).collect()
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
        let mut entries = vec![Entry::Text(row.cell.runtime.to_string()), Entry::Text(connections)];
        match &row.outcome {
            Ok(measured) => {
                let rate = row.quantity().show(measured.summary.median);
                entries.push(if measured.ratio == 1.0 { Entry::Best(rate) } else { Entry::Text(rate) });
                entries.push(Entry::Text(row.quantity().show_interval(&measured.summary)));
                entries.push(Entry::Text(units::ratio(measured.ratio)));
                entries.extend(beside.iter().map(|column| Entry::Text(column.show(measured))));
            }
            Err(failed) => entries.push(short(failed)),
        }
        entries.resize_with(header.len(), || Entry::Text(String::new()));
        entries
    };
    Table { rows: rows.into_iter().map(row).collect(), header, numbers: true }
}

/// One row for each runtime and rate of an open loop.
pub(super) fn over_load(groups: &[&[Row]]) -> Table {
    let mut rows: Vec<&Row> = groups.iter().flat_map(|group| group.iter()).collect();
    rows.sort_by_key(|row| (&row.cell.runtime, row.cell.scenario));
    let header = ["Runtime", "Requests due", "Median", "95 % interval"].map(str::to_owned).into_iter();
    let header: Vec<String> = header.chain(PERCENTILES.iter().map(|percentile| format!("p{percentile}"))).collect();
    let row = |row: &Row| {
        let mut entries = vec![Entry::Text(row.cell.runtime.to_string()), Entry::Text(words::scale(row.cell.scenario))];
        match &row.outcome {
            Ok(measured) => {
                entries.push(Entry::Text(row.quantity().show(measured.summary.median)));
                entries.push(Entry::Text(row.quantity().show_interval(&measured.summary)));
                let percentiles = measured.percentiles.unwrap_or_default().into_iter();
                entries.extend(percentiles.map(|ns| Entry::Text(ns.map_or_else(|| "-".to_owned(), units::time))));
            }
            Err(failed) => entries.push(short(failed)),
        }
        entries.resize_with(header.len(), || Entry::Text(String::new()));
        entries
    };
    Table { rows: rows.into_iter().map(row).collect(), header, numbers: true }
}

fn short(failed: &Failed) -> Entry {
    Entry::Failed(format!("failed: {}", failed.kind))
}

/// What failed, and how; `None` if nothing did.
pub(super) fn failures(rows: &[Row]) -> Option<Table> {
    let failed = rows.iter().filter_map(|row| Some((row, row.outcome.as_ref().err()?)));
    let row = |(row, failed): (&Row, &Failed)| {
        let count = format!("{} of {}", failed.failures, failed.processes);
        let texts =
            [&row.cell.function, &words::scenario(row.cell.scenario), &count].map(|text| Entry::Text(text.clone()));
        let name = std::iter::once(Entry::Text(row.cell.runtime.to_string()));
        name.chain(texts).chain([Entry::Failed(failed.text.clone())]).collect()
    };
    let rows: Vec<Vec<Entry>> = failed.map(row).collect();
    let header = ["Runtime", "Function", "Scenario", "Failed", "What happened"].map(str::to_owned).to_vec();
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
                format!("{}, {}", units::time(a.compile_ns as f64), units::bytes(a.bytes))
            };
            Entry::Text(artifacts.get(function).map_or_else(|| "-".to_owned(), show))
        };
        std::iter::once(Entry::Text(runtime.to_string())).chain(functions.iter().map(entry)).collect()
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
        let text = best
            .max_by_key(|(row, _)| row.cell.scenario)
            .map(|(row, measured)| format!("{}: {}", row.cell.runtime, row.quantity().show(measured.summary.median)));
        Entry::Text(text.unwrap_or_else(|| "-".to_owned()))
    };
    let row = |function: &str| {
        let name = std::iter::once(Entry::Text(function.to_owned()));
        name.chain(measured.iter().map(|name| entry(function, name))).collect()
    };
    Table { header, rows: functions(rows).into_iter().map(row).collect(), numbers: false }
}

/// The runtimes and how they were set.
pub(super) fn runtimes(run: &Run) -> Table {
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
