//! The second part of a report: how surely each number is known, how slow the slow samples are, what the system counted.

use super::details::PERCENTILES;
use super::document::{Block, Entry, Table};
use super::summary::{Measured, Row};
use super::units::{self, Quantity};
use super::{tables, words};
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

/// Whose a row is.
fn names(row: &Row, all: &[(&Row, &Measured)]) -> Vec<Entry> {
    let scenario = Entry::text(words::scenario(row.cell.scenario)).of(&row.cell);
    tables::of(row, all.iter().map(|(row, _)| *row)).into_iter().chain([scenario]).collect()
}

/// The columns of [`names`].
fn header(all: &[(&Row, &Measured)]) -> impl Iterator<Item = String> {
    tables::names(all.iter().map(|(row, _)| *row)).into_iter().chain(["Scenario".to_owned()])
}

/// Processes, samples and their spread.
fn samples(all: &[(&Row, &Measured)]) -> Table {
    let columns = ["Processes", "Samples", "Number", "Within", "MAD"].map(str::to_owned);
    let percentiles = PERCENTILES.map(|percentile| format!("p{percentile}"));
    let header = header(all).chain(columns).chain(percentiles).chain(["Ended by".to_owned()]);
    let row = |(row, measured): &(&Row, &Measured)| {
        let (summary, quantity) = (&measured.summary, row.quantity());
        // The deviation of the processes' slopes is not that of the points around the slope.
        let mad = row.cell.scenario.scenario().slope().is_none();
        let width = summary.relative_half_width();
        let none = || Entry::text("-");
        let texts = [
            Entry::number(summary.processes.to_string(), summary.processes as f64),
            Entry::number(summary.samples.to_string(), summary.samples as f64),
            Entry::number(quantity.show(summary.median), summary.median),
            Entry::number(format!("±{}", units::percent(width)), width),
            if mad { Entry::number(quantity.show(summary.mad), summary.mad) } else { none() },
        ];
        let percentile = |at: usize| {
            measured.percentiles.and_then(|all| all[at]).map_or_else(none, |ns| Entry::number(units::time(ns), ns))
        };
        let texts = texts.into_iter().chain((0..PERCENTILES.len()).map(percentile));
        names(row, all).into_iter().chain(texts).chain([Entry::text(words::stop(row.stop))]).collect()
    };
    Table { header: header.collect(), rows: all.iter().map(row).collect(), numbers: true }
}

/// What the measures beside the samples read; `None` if there were none.
fn counted(all: &[(&Row, &Measured)]) -> Option<Table> {
    let columns: BTreeSet<&str> =
        all.iter().flat_map(|(_, measured)| measured.readings.keys()).map(String::as_str).collect();
    if columns.is_empty() {
        return None;
    }
    let header = header(all).chain(columns.iter().map(|name| words::measure(name))).collect();
    let row = |(row, measured): &(&Row, &Measured)| {
        let entry = |name: &&str| {
            let value = measured.readings.get(*name);
            value.map_or_else(|| Entry::text("-"), |value| Entry::number(figure(name, *value), *value))
        };
        names(row, all).into_iter().chain(columns.iter().map(entry)).collect()
    };
    Some(Table { header, rows: all.iter().map(row).collect(), numbers: true })
}

/// A reading with the unit that its name ends in.
pub(super) fn figure(name: &str, value: f64) -> String {
    if name.ends_with("_ns") {
        units::time(value)
    } else if name.ends_with("_bytes") {
        units::bytes(value as u64)
    } else {
        Quantity::Instructions.show(value).trim_end().to_owned()
    }
}
