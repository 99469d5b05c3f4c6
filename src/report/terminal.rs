//! The summary that a run prints.

use super::columns::{Column, beside};
use super::summary::{Measured, Row, groups, shorten};
use super::{languages, units, words};
use crate::record::Run;
use comfy_table::{Attribute, Cell, CellAlignment, Color, ColumnConstraint, Table, Width, presets};
use std::fmt::Write;

/// A table for each function and scenario, the best runtime first. `styled` puts colours in.
pub fn terminal(rows: &[Row], styled: bool) -> String {
    let longest = rows.iter().map(|r| r.cell.runtime.as_str().len()).max().unwrap_or(0);
    let mut text = String::new();
    for group in groups(rows) {
        let cell = &group[0].cell;
        let title = format!("{} · {}", cell.function, words::scenario(cell.scenario));
        let direction = group[0].quantity().direction();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{title} ({direction})\n{}\n", table(group, longest, styled));
    }
    if rows.is_empty() {
        text.push_str("Nothing was measured.\n");
    }
    text
}

/// A table for each function that the run has in several languages, a column for each language; nothing where there is
/// no such function. `styled` puts colours in.
pub fn terminal_languages(run: &Run, rows: &[Row], styled: bool) -> String {
    let mut text = String::new();
    for grid in languages::SCENARIOS.iter().flat_map(|scenario| languages::grids(run, rows, scenario)) {
        let best: Vec<bool> = grid.languages.iter().flat_map(|language| &language.cells).map(is_best).collect();
        let mut table = plain(styled);
        let names = grid.languages.iter().map(|language| language.name);
        table.set_header([""].into_iter().chain(names).map(|h| Cell::new(h).add_attribute(Attribute::Dim)));
        let modules = grid.languages.iter().map(|language| Cell::new(units::bytes(language.module_bytes)));
        table.add_row([Cell::new("module")].into_iter().chain(modules));
        for (at, id) in grid.runtimes.iter().enumerate() {
            let cell = |(language, column): (&languages::Language, usize)| {
                let cell = Cell::new(languages::short(language.cells[at]));
                let best = best[column * grid.runtimes.len() + at];
                if best { cell.add_attribute(Attribute::Bold).fg(Color::Green) } else { cell }
            };
            table.add_row([Cell::new(id.as_str())].into_iter().chain(grid.languages.iter().zip(0..).map(cell)));
        }
        align(&mut table);
        let title = format!("{} by language · {}", grid.family, grid.title());
        let _ = writeln!(text, "{title} (green: the best runtime for the language)\n{}\n", table.trim_fmt());
    }
    text
}

fn is_best(cell: &Option<&Row>) -> bool {
    cell.and_then(Row::measured).is_some_and(|measured| measured.ratio == 1.0)
}

fn plain(styled: bool) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    if styled {
        table.enforce_styling()
    } else {
        table.force_no_tty()
    };
    table
}

/// Everything but names to the right.
fn align(table: &mut Table) {
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
}

fn table(group: &[Row], longest: usize, styled: bool) -> String {
    let mut table = plain(styled);
    let scenario = group[0].cell.scenario.scenario();
    let columns = beside(group);
    let mut header = ["", words::number(scenario), "95 % interval", "ratio"].map(str::to_owned).to_vec();
    header.extend(columns.iter().map(|column| column.name(scenario)));
    let several = words::has_classes(group.iter());
    header.extend(several.then(|| "class".to_owned()));
    table.set_header(header.iter().map(|h| Cell::new(h).add_attribute(Attribute::Dim)));
    let mut failures = String::new();
    for row in group {
        match &row.outcome {
            Ok(measured) => {
                let class = several.then(|| Cell::new(words::class(row.class)));
                table.add_row(numbers(row, measured, &columns).into_iter().chain(class));
            }
            Err(failed) => {
                let what = shorten(&failed.text, 90);
                let text = format!("failed {} of {}: {what}", failed.failures, failed.processes);
                let text = if styled { format!("\u{1b}[31m{text}\u{1b}[0m") } else { text };
                let _ = write!(failures, "\n {:longest$}  {text}", row.cell.runtime.as_str());
            }
        }
    }
    align(&mut table);
    if let Some(column) = table.column_mut(0) {
        let width = longest.try_into().unwrap_or(u16::MAX).saturating_add(2);
        column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(width)));
    }
    format!("{}{failures}", table.trim_fmt())
}

fn numbers(row: &Row, measured: &Measured, columns: &[Column]) -> Vec<Cell> {
    let quantity = row.quantity();
    let name = Cell::new(row.cell.runtime.as_str());
    let mut cells = vec![
        if measured.ratio == 1.0 { name.add_attribute(Attribute::Bold).fg(Color::Green) } else { name },
        Cell::new(quantity.show(measured.summary.median)),
        Cell::new(quantity.show_interval(&measured.summary)),
        Cell::new(units::ratio(measured.ratio)),
    ];
    cells.extend(columns.iter().map(|column| Cell::new(column.show(measured))));
    cells
}
