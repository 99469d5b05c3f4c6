//! Warm invocations: medians with their intervals.

use super::figure::{Anchor, Figure, Text};
use super::page::{self, Page, names_width};
use super::style::{Axis, Colour, INK, ROW, RULE, SMALL, colour};
use crate::record::Run;
use crate::report::Row;
use crate::report::units::Quantity;
use std::collections::BTreeSet;

const WORDS: &str = "Medians of a fresh sandbox for every invocation: instantiate, execute, release. The line through a \
                     dot is its 95 % interval, where it is wider than the dot. Logarithmic axes: the same distance is the \
                     same factor.";

/// Room for the numbers at the right.
const LABEL: f64 = 72.0;

/// Room for the axis above the rows.
const AXIS: f64 = 21.0;

pub(super) fn draw(run: &Run, rows: &[Row]) -> Figure {
    let rows: Vec<&Row> = rows.iter().filter(|row| row.cell.scenario.name() == "warm").collect();
    let families: BTreeSet<&str> = rows.iter().map(|row| row.cell.runtime.family()).collect();
    let legend: Vec<(&str, Colour)> = families.into_iter().zip((0..).map(colour)).collect();
    let mut page = Page::new("Warm invocation: lower is better", WORDS, &legend);
    let names = names_width(&rows);
    let panels: Vec<&[&Row]> = rows.chunk_by(|a, b| a.cell.function == b.cell.function).collect();
    page.panels(&panels, |figure, panel, x, y, width| draw_panel(figure, panel, &legend, (x, y, width), names));
    page.finish(run)
}

fn draw_panel(
    figure: &mut Figure,
    panel: &[&Row],
    families: &[(&str, Colour)],
    (x, top, width): (f64, f64, f64),
    names: f64,
) -> f64 {
    let mut y = page::heading(figure, &panel[0].cell.function, x, top, width);
    let summaries = panel.iter().filter_map(|row| row.measured()).map(|measured| measured.summary);
    let measured = summaries.clone().count();
    if measured > 0 {
        let axis = Axis::log(summaries.flat_map(|s| [s.low, s.high]), x + names, x + width - LABEL);
        draw_axis(figure, &axis, y, measured);
        y += AXIS;
        for row in &panel[..measured] {
            let family = families.iter().find(|(name, _)| *name == row.cell.runtime.family());
            draw_row(figure, row, &axis, family.map_or(INK, |(_, colour)| *colour), (x, y, width));
            y += ROW;
        }
    }
    for row in panel {
        if let Err(failed) = &row.outcome {
            page::name(figure, row, x, y);
            page::failed(figure, failed, x + names, y);
            y += ROW;
        }
    }
    y - top
}

fn draw_axis(figure: &mut Figure, axis: &Axis, y: f64, rows: usize) {
    for (tick, label) in axis.labels(Quantity::Time) {
        let x = axis.at(tick);
        figure.line((x, y + AXIS - 4.0), (x, y + AXIS + ROW * rows as f64), 1.0, RULE);
        page::tick(figure, label, x, y + 10.0);
    }
}

fn draw_row(figure: &mut Figure, row: &Row, axis: &Axis, colour: Colour, (x, y, width): (f64, f64, f64)) {
    let Ok(measured) = &row.outcome else { return };
    let (summary, middle) = (&measured.summary, y + ROW / 2.0);
    let (low, dot, high) = (axis.at(summary.low), axis.at(summary.median), axis.at(summary.high));
    page::name(figure, row, x, y);
    figure.line((axis.at(0.0), middle), (dot, middle), 0.5, RULE);
    figure.line((low, middle), (high, middle), 2.0, colour);
    for end in [low, high] {
        figure.line((end, middle - 3.5), (end, middle + 3.5), 1.5, colour);
    }
    figure.dot(dot, middle, 4.0, colour);
    let number = Text::new(Quantity::Time.show(summary.median), x + width, middle, SMALL);
    figure.text(number.anchor(Anchor::End));
}
