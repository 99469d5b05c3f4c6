//! Cold starts by phase: stacked bars.

use super::blocks::{self, Place, blocks};
use super::figure::{Figure, Text};
use super::page::{self, Page, names_width};
use super::points;
use super::style::{Axis, Colour, INK, PALETTE, ROW, SMALL};
use crate::record::Run;
use crate::report::units::Quantity;
use crate::report::{Measured, Row};

const WORDS: &str = "Bars stack the medians of the phases; the number is the median of their sum, the thin line its \
                     95 % interval. Rows are by class: what is called a cold start of a process or of a \
                     container starts it.";

/// The colours of the phases.
const PHASES: [Colour; 4] = [PALETTE[4], PALETTE[0], PALETTE[1], PALETTE[2]];

/// Room for the number behind a bar.
const LABEL: f64 = 76.0;

pub(super) fn draw(run: &Run, rows: &[Row]) -> Figure {
    let rows: Vec<&Row> = rows.iter().filter(|row| row.cell.scenario.name() == "cold").collect();
    let legend: Vec<(&str, Colour)> = rows
        .first()
        .map_or(&[][..], |row| row.cell.scenario.scenario().parts())
        .iter()
        .map(|(_, name)| *name)
        .zip(PHASES)
        .collect();
    let mut page = Page::new("Cold start by phase: lower is better", &format!("{WORDS} {}", blocks::WORDS), &legend);
    let (names, several) = (names_width(&rows), points::several(&rows));
    let panels: Vec<&[&Row]> = rows.chunk_by(|a, b| a.cell.function == b.cell.function).collect();
    page.panels(&panels, |figure, panel, x, top, width| {
        let y = page::heading(figure, &panel[0].cell.function, x, top, width);
        let classes = points::classes(panel, several).into_iter();
        classes.fold(y, |y, (class, rows)| {
            let y = points::class_heading(figure, class, x, y);
            draw_class(figure, &rows, (x, y), width, names)
        }) - top
    });
    page.finish(run)
}

/// The bars of one class; returns how far down they reach.
fn draw_class(figure: &mut Figure, rows: &[&Row], (x, y): (f64, f64), width: f64, names: f64) -> f64 {
    let bars = rows.iter().filter_map(|row| Some((*row, row.measured()?)));
    let place = Place { x, width, names, label: LABEL, row: ROW };
    let y = blocks(
        figure,
        bars,
        &place,
        y,
        |(_, measured)| length_ns(measured),
        |figure, (row, measured), axis, y| {
            page::name(figure, row, x, y);
            bar(figure, measured, axis, y);
        },
    );
    points::failures(figure, rows, names, x, y) + 4.0
}

/// The longer one of the bar and the number beside it.
fn length_ns(measured: &Measured) -> f64 {
    let sum: f64 = measured.parts.iter().map(|part| part.median).sum();
    sum.max(measured.summary.median).max(1.0)
}

fn bar(figure: &mut Figure, measured: &Measured, axis: &Axis, y: f64) {
    let middle = y + ROW / 2.0;
    let mut sum = 0.0;
    for (ns, colour) in measured.parts.iter().map(|part| part.median).zip(PHASES) {
        let (from, to) = (axis.at(sum), axis.at(sum + ns));
        figure.rect(from, y + 3.0, to - from, ROW - 6.0, colour);
        sum += ns;
    }
    let summary = &measured.summary;
    let (low, high) = (axis.at(summary.low), axis.at(summary.high));
    figure.line((low, middle), (high.max(low + 1.0), middle), 1.5, INK);
    let end = axis.at(sum).max(high);
    figure.text(Text::new(Quantity::Time.show(summary.median), end + 7.0, middle, SMALL));
}
