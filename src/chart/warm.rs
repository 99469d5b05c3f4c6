//! Warm invocations: medians with their intervals.

use super::figure::{Anchor, Figure, Text};
use super::page::{self, Page, names_width};
use super::points;
use super::style::{Axis, Colour, ROW, SMALL};
use crate::record::Run;
use crate::report::Row;
use crate::report::units::Quantity;

const WORDS: &str = "Medians of a fresh sandbox for every invocation: instantiate, execute, release. The line through a \
                     dot is its 95 % interval, where it is wider than the dot. Logarithmic axes: the same distance is the \
                     same factor.";

/// Room for the numbers at the right.
const LABEL: f64 = 72.0;

pub(super) fn draw(run: &Run, rows: &[Row]) -> Figure {
    let rows: Vec<&Row> = rows.iter().filter(|row| row.cell.scenario.name() == "warm").collect();
    let legend = points::families(&rows);
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
        points::axis(figure, &axis, Quantity::Time, y, measured);
        y += points::AXIS;
        for (row, measured) in panel.iter().filter_map(|row| Some((row, row.measured()?))) {
            page::name(figure, row, x, y);
            points::point(figure, &measured.summary, &axis, points::colour_of(row, families), y);
            let number = Text::new(Quantity::Time.show(measured.summary.median), x + width, y + ROW / 2.0, SMALL);
            figure.text(number.anchor(Anchor::End));
            y += ROW;
        }
    }
    points::failures(figure, panel, names, x, y) - top
}
