//! What tables show beside a scenario's number.

use super::details::PERCENTILES;
use super::document::Entry;
use super::summary::{Measured, Row};
use super::{units, words};
use isobar_core::measure::{Scale, Scenario};

/// A column beside the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Column {
    /// A part of the number: a phase, the artifact's size.
    Part(usize),
    /// How many fit into a gibibyte.
    PerGib,
    /// A percentile, by its position in [`PERCENTILES`].
    Percentile(usize),
}

/// The columns for the rows of one function and scenario. Times without parts have percentiles, and so do the latencies
/// beside the throughput of a server: how slow the slow ones are is what their reader asks next.
pub(super) fn beside(group: &[Row]) -> Vec<Column> {
    let Some(first) = group.first() else { return Vec::new() };
    let scenario = first.cell.scenario.scenario();
    let parts = scenario.parts().len();
    let mut columns = Vec::new();
    if scenario.slope().is_some() {
        columns.push(Column::PerGib);
    }
    columns.extend((0..parts).map(Column::Part));
    if parts == 0 || scenario.scale() == Scale::Connections {
        columns.extend((0..PERCENTILES.len()).map(Column::Percentile).filter(|column| known(group, *column)));
    }
    columns
}

/// Whether any row has this percentile.
fn known(group: &[Row], column: Column) -> bool {
    let Column::Percentile(at) = column else { return true };
    group.iter().filter_map(|row| row.measured()?.percentiles).any(|percentiles| percentiles[at].is_some())
}

impl Column {
    /// Its name, in lower case.
    pub(super) fn name(self, scenario: &dyn Scenario) -> String {
        match self {
            Column::Part(at) => scenario.parts()[at].1.to_owned(),
            Column::PerGib => "per GiB".to_owned(),
            Column::Percentile(at) => format!("p{}", PERCENTILES[at]),
        }
    }

    /// Its name as a heading.
    pub(super) fn title(self, scenario: &dyn Scenario) -> String {
        let name = self.name(scenario);
        // p99 is a symbol.
        let symbol = name.strip_prefix('p').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        if symbol { name } else { words::capitalised(&name) }
    }

    /// [`Column::show`] in a table, with what it is sorted by.
    pub(super) fn entry(self, measured: &Measured) -> Entry {
        let value = match self {
            Column::Part(at) => measured.parts.get(at).map(|part| part.median),
            // As small as possible is as many as possible.
            Column::PerGib => Some(1.0 / measured.summary.median).filter(|value| value.is_finite()),
            Column::Percentile(at) => measured.percentiles.and_then(|percentiles| percentiles[at]),
        };
        Entry { value, ..Entry::text(self.show(measured)) }
    }

    /// What it shows of a cell.
    pub(super) fn show(self, measured: &Measured) -> String {
        match self {
            Column::Part(at) => measured.parts.get(at).map_or_else(|| "-".to_owned(), |part| part.show()),
            Column::PerGib => units::per_gib(measured.summary.median),
            Column::Percentile(at) => {
                let value = measured.percentiles.and_then(|percentiles| percentiles[at]);
                value.map_or_else(|| "-".to_owned(), units::time)
            }
        }
    }
}
