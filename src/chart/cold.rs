//! Cold starts by phase: stacked bars.

use super::figure::{Figure, Text};
use super::page::{self, Page, names_width};
use super::style::{Axis, Colour, INK, PALETTE, ROW, RULE, SMALL, STRIPE};
use crate::record::Run;
use crate::report::units::Quantity;
use crate::report::{Measured, Row};

const WORDS: &str = "Bars stack the medians of the phases; the number is the median of their sum, the thin line its \
                     95 % interval. Each panel is cut into blocks by powers of ten, so that a second does not hide a \
                     millisecond; every block has an axis of its own: compare lengths within a block.";

/// The colours of the phases.
const PHASES: [Colour; 4] = [PALETTE[4], PALETTE[0], PALETTE[1], PALETTE[2]];

/// Room for the number behind a bar.
const LABEL: f64 = 76.0;

/// Room for an axis above its block.
const AXIS: f64 = 21.0;

pub(super) fn draw(run: &Run, rows: &[Row]) -> Figure {
    let rows: Vec<&Row> = rows.iter().filter(|row| row.cell.scenario.name() == "cold").collect();
    let legend: Vec<(&str, Colour)> = rows
        .first()
        .map_or(&[][..], |row| row.cell.scenario.scenario().parts())
        .iter()
        .map(|(_, name)| *name)
        .zip(PHASES)
        .collect();
    let mut page = Page::new("Cold start by phase: lower is better", WORDS, &legend);
    let names = names_width(&rows);
    let panels: Vec<&[&Row]> = rows.chunk_by(|a, b| a.cell.function == b.cell.function).collect();
    page.panels(&panels, |figure, panel, x, y, width| draw_panel(figure, panel, (x, y), width, names));
    page.finish(run)
}

fn draw_panel(figure: &mut Figure, panel: &[&Row], (x, top): (f64, f64), width: f64, names: f64) -> f64 {
    let mut y = page::heading(figure, &panel[0].cell.function, x, top, width);
    let measured: Vec<(&Row, &Measured)> = panel.iter().filter_map(|row| Some((*row, row.measured()?))).collect();
    // Sorted by their medians, bars of one decade stand together but for some at its edge.
    let mut blocks: Vec<(f64, Vec<(&Row, &Measured)>)> = Vec::new();
    for bar in measured {
        let decade = decade(bar.1).max(blocks.last().map_or(0.0, |(decade, _)| *decade));
        match blocks.last_mut().filter(|(last, _)| *last == decade) {
            Some((_, bars)) => bars.push(bar),
            None => blocks.push((decade, vec![bar])),
        }
    }
    for (decade, bars) in &blocks {
        let longest = bars.iter().map(|(_, measured)| length_ns(measured)).fold(0.0, f64::max);
        let end = [0.2, 0.5].map(|share| share * decade).into_iter().find(|end| longest <= *end).unwrap_or(*decade);
        let axis = Axis::linear(end, x + names, x + width - LABEL);
        figure.rect(x - 8.0, y + 4.0, width + 16.0, AXIS + ROW * bars.len() as f64, STRIPE);
        y += 4.0;
        draw_axis(figure, &axis, y, bars.len());
        y += AXIS;
        for (row, measured) in bars {
            page::name(figure, row, x, y);
            bar(figure, measured, &axis, y);
            y += ROW;
        }
        y += 4.0;
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

/// The power of ten that a bar is below, in nanoseconds.
fn decade(measured: &Measured) -> f64 {
    10_f64.powi(length_ns(measured).log10().floor() as i32 + 1)
}

/// The longer one of the bar and the number beside it.
fn length_ns(measured: &Measured) -> f64 {
    let sum: f64 = measured.parts.iter().map(|part| part.median).sum();
    sum.max(measured.summary.median).max(1.0)
}

fn draw_axis(figure: &mut Figure, axis: &Axis, y: f64, rows: usize) {
    for (tick, label) in axis.labels(Quantity::Time) {
        let x = axis.at(tick);
        figure.line((x, y + AXIS - 4.0), (x, y + AXIS + ROW * rows as f64), 1.0, RULE);
        page::tick(figure, label, x, y + 10.0);
    }
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
