//! The summary that a run prints.

use super::columns::{Column, beside};
use super::summary::{Measured, Row, groups, shorten};
use super::{units, words};
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

fn table(group: &[Row], longest: usize, styled: bool) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    if styled {
        table.enforce_styling()
    } else {
        table.force_no_tty()
    };
    let scenario = group[0].cell.scenario.scenario();
    let columns = beside(group);
    let mut header = ["", words::number(scenario), "95 % interval", "ratio"].map(str::to_owned).to_vec();
    header.extend(columns.iter().map(|column| column.name(scenario)));
    table.set_header(header.iter().map(|h| Cell::new(h).add_attribute(Attribute::Dim)));
    let mut failures = String::new();
    for row in group {
        match &row.outcome {
            Ok(measured) => drop(table.add_row(numbers(row, measured, &columns))),
            Err(failed) => {
                let what = shorten(&failed.text, 90);
                let text = format!("failed {} of {}: {what}", failed.failures, failed.processes);
                let text = if styled { format!("\u{1b}[31m{text}\u{1b}[0m") } else { text };
                let _ = write!(failures, "\n {:longest$}  {text}", row.cell.runtime.as_str());
            }
        }
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
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
