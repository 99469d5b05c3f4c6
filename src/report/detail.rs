//! The second part of a report: how surely each number is known, how slow the slow samples are, what the system counted.

use super::details::PERCENTILES;
use super::document::{Block, Entry, Table};
use super::summary::{Measured, Row};
use super::units::{self, Quantity};
use super::words;
use std::collections::BTreeSet;

/// What stands above the tables of all functions.
pub(super) const WORDS: &str = "How many processes and samples each number comes from, how the samples vary, and what \
                                the system counted meanwhile.";

/// The details of one function: nothing if no cell has a number.
pub(super) fn of_function(rows: &[Row], name: &str) -> Option<Block> {
    let own = rows.iter().filter(|row| row.cell.function == name);
    let measured: Vec<(&Row, &Measured)> = own.filter_map(|row| Some((row, row.measured()?))).collect();
    if measured.is_empty() {
        return None;
    }
    let mut blocks = vec![Block::Table(samples(&measured))];
    if let Some(table) = counted(&measured) {
        let words = "What the system counted: memory of the process; everything else for each invocation.";
        blocks.push(Block::Paragraph(words.to_owned()));
        blocks.push(Block::Table(table));
    }
    Some(Block::Details(name.to_owned(), blocks))
}

fn names(row: &Row) -> Vec<Entry> {
    [row.cell.runtime.to_string(), words::scenario(row.cell.scenario)].map(Entry::Text).into()
}

/// Processes, samples and their spread.
fn samples(measured: &[(&Row, &Measured)]) -> Table {
    let header = ["Runtime", "Scenario", "Processes", "Samples", "Number", "Within", "MAD"].map(str::to_owned);
    let percentiles = PERCENTILES.map(|percentile| format!("p{percentile}"));
    let header = header.into_iter().chain(percentiles).chain(["Ended by".to_owned()]);
    let row = |(row, measured): &(&Row, &Measured)| {
        let (summary, quantity) = (&measured.summary, row.quantity());
        // The deviation of the processes' slopes is not that of the points around the slope.
        let mad = row.cell.scenario.scenario().slope().is_none().then(|| quantity.show(summary.mad));
        let percentile = |at: usize| measured.percentiles?[at].map(units::time);
        let texts = [
            Some(summary.processes.to_string()),
            Some(summary.samples.to_string()),
            Some(quantity.show(summary.median)),
            Some(format!("±{}", units::percent(summary.relative_half_width()))),
            mad,
        ];
        let texts = texts.into_iter().chain((0..PERCENTILES.len()).map(percentile));
        let texts = texts.chain([Some(words::stop(row.stop).to_owned())]);
        let texts = texts.map(|text| Entry::Text(text.unwrap_or_else(|| "-".to_owned())));
        names(row).into_iter().chain(texts).collect()
    };
    Table { header: header.collect(), rows: measured.iter().map(row).collect(), numbers: true }
}

/// What the measures beside the samples read; `None` if there were none.
fn counted(measured: &[(&Row, &Measured)]) -> Option<Table> {
    let columns: BTreeSet<&str> =
        measured.iter().flat_map(|(_, measured)| measured.readings.keys()).map(String::as_str).collect();
    if columns.is_empty() {
        return None;
    }
    let header = ["Runtime".to_owned(), "Scenario".to_owned()];
    let header = header.into_iter().chain(columns.iter().map(|name| words::measure(name))).collect();
    let row = |(row, measured): &(&Row, &Measured)| {
        let entry = |name: &&str| {
            let value = measured.readings.get(*name).map(|value| figure(name, *value));
            Entry::Text(value.unwrap_or_else(|| "-".to_owned()))
        };
        names(row).into_iter().chain(columns.iter().map(entry)).collect()
    };
    Some(Table { header, rows: measured.iter().map(row).collect(), numbers: true })
}

/// A reading with the unit that its name ends in.
fn figure(name: &str, value: f64) -> String {
    if name.ends_with("_ns") {
        units::time(value)
    } else if name.ends_with("_bytes") {
        units::bytes(value as u64)
    } else {
        Quantity::Instructions.show(value).trim_end().to_owned()
    }
}
