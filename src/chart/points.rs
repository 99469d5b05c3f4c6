//! Medians as dots with their intervals, on logarithmic axes.

use super::figure::Figure;
use super::page;
use super::style::{Axis, Colour, INK, PAPER, ROW, RULE, SOFT, colour};
use crate::report::Row;
use crate::report::units::Quantity;
use crate::stats::Summary;
use std::collections::BTreeSet;

/// Room for the axis above the rows.
pub(super) const AXIS: f64 = 21.0;

/// The families of these rows with their colours.
pub(super) fn families<'a>(rows: &[&'a Row]) -> Vec<(&'a str, Colour)> {
    let families: BTreeSet<&str> = rows.iter().map(|row| row.cell.runtime.family()).collect();
    families.into_iter().zip((0..).map(colour)).collect()
}

/// The colour of a row's family.
pub(super) fn colour_of(row: &Row, families: &[(&str, Colour)]) -> Colour {
    families.iter().find(|(name, _)| *name == row.cell.runtime.family()).map_or(INK, |(_, colour)| *colour)
}

/// An axis from `y` on, with its grid through so many rows below it.
pub(super) fn axis(figure: &mut Figure, axis: &Axis, quantity: Quantity, y: f64, rows: usize) {
    for (tick, label) in axis.labels(quantity) {
        let x = axis.at(tick);
        figure.line((x, y + AXIS - 4.0), (x, y + AXIS + ROW * rows as f64), 1.0, RULE);
        page::tick(figure, label, x, y + 10.0);
    }
}

/// A dot in the row that starts at `y`, with its interval.
pub(super) fn point(figure: &mut Figure, summary: &Summary, axis: &Axis, colour: Colour, y: f64) {
    let middle = y + ROW / 2.0;
    let (low, dot, high) = (axis.at(summary.low), axis.at(summary.median), axis.at(summary.high));
    figure.line((axis.at(0.0), middle), (dot, middle), 0.5, RULE);
    figure.line((low, middle), (high, middle), 2.0, colour);
    for end in [low, high] {
        figure.line((end, middle - 3.5), (end, middle + 3.5), 1.5, colour);
    }
    figure.dot(dot, middle, 4.0, colour);
}

/// The rows of a panel that have no number, from `y` on; returns how far down they reach.
pub(super) fn failures(figure: &mut Figure, panel: &[&Row], names: f64, x: f64, mut y: f64) -> f64 {
    for row in panel {
        if let Err(failed) = &row.outcome {
            page::name(figure, row, x, y);
            page::failed(figure, failed, x + names, y);
            y += ROW;
        }
    }
    y
}

/// What a dot is compared with: a ring around a place.
pub(super) fn ring(figure: &mut Figure, x: f64, y: f64) {
    figure.dot(x, y, 4.0, SOFT);
    figure.dot(x, y, 2.5, PAPER);
}
