//! The figures and tables, each made of what was measured and what was published.

mod compute;
pub(super) mod framework;
pub(super) mod instantiation;
pub(super) mod loading;
mod platforms;
pub(super) mod wizer;

pub use compute::{fibonacci, hash};
pub(crate) use instantiation::sequential;
pub use platforms::{Platform, fastest_first, platforms};

use super::evidence::Evidence;
use super::number::Number;
use super::published::{Published, Value};
use crate::chart::figure::Figure;

/// One figure or table, with all that belongs to it.
#[derive(Clone, Debug, Default)]
pub struct Section {
    /// Its number, 1 to 10.
    pub item: u8,
    /// What it shows.
    pub title: String,
    /// How it was measured, and what to know of it.
    pub words: Vec<String>,
    /// The tables.
    pub tables: Vec<Table>,
    /// The figures.
    pub drawings: Vec<Drawing>,
}

/// A table. Its first column holds names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// The columns' names.
    pub header: Vec<String>,
    /// The lines.
    pub rows: Vec<Vec<String>>,
}

/// A figure as a file.
#[derive(Clone, Debug)]
pub struct Drawing {
    /// The file's name, without its ending.
    pub name: String,
    /// What it shows, and what is better.
    pub title: String,
    /// The figure.
    pub figure: Figure,
}

/// How many figures and tables there are.
pub const ITEMS: u8 = 10;

/// What stands where nothing was published, or nothing is to be said.
pub const NONE: &str = "-";

/// The sections of these items, in their order.
pub fn sections(items: &[u8], evidence: &Evidence, published: &Published) -> Vec<Section> {
    let section = |item: &u8| match item {
        1..=3 => instantiation::section(*item, evidence, published),
        4 => loading::from_file(evidence, published),
        5 => loading::regression(evidence),
        6 => compute::fibonacci_section(evidence, published),
        7 => compute::blake3_section(evidence, published),
        8 => platforms::section(evidence, published),
        9 => wizer::section(evidence, published),
        _ => framework::section(evidence, published),
    };
    items.iter().map(section).collect()
}

/// A row of a table that has why there are no numbers where the first one would be.
pub(super) fn missing(names: Vec<String>, why: &str, columns: usize) -> Vec<String> {
    let mut row = names;
    row.push(why.to_owned());
    row.resize(columns, String::new());
    row
}

/// What was published, in a row without numbers of ours.
pub(super) fn beside_nothing(mut row: Vec<String>, column: usize, published: Option<&Value>) -> Vec<String> {
    row[column] = published.and_then(Value::show_time).unwrap_or_else(|| NONE.to_owned());
    row
}

pub(super) fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// What was published, and how ours compares.
pub(super) fn beside(published: Option<&Value>, ours: Number) -> [String; 2] {
    let shown = published.and_then(Value::show_time).unwrap_or_else(|| NONE.to_owned());
    let compared = published.and_then(|value| value.compared(ours.value)).unwrap_or_else(|| NONE.to_owned());
    [shown, compared]
}

/// Every place that the numbers of an item are from, once, by source and machine.
pub(super) fn sources(published: &Published, item: u8) -> String {
    let mut all: Vec<((&str, &str), Vec<&str>)> = Vec::new();
    for value in published.of_item(item) {
        let of = (value.source.as_str(), published.machines.get(&value.machine).map_or("", String::as_str));
        match all.iter_mut().find(|(known, _)| *known == of) {
            Some((_, places)) if places.contains(&value.place.as_str()) => {}
            Some((_, places)) => places.push(&value.place),
            None => all.push((of, vec![&value.place])),
        }
    }
    let all = all.iter().map(|((source, machine), places)| format!("{source} ({machine}): {}", places.join(", ")));
    let all: Vec<String> = all.collect();
    if all.is_empty() {
        return "Nothing of it was published as a number.".to_owned();
    }
    format!("Published: {}.", all.join("; "))
}

#[cfg(test)]
mod tests;
