//! Warm invocations: how their times are distributed, a violin for each runtime.

use super::figure::{Anchor, Figure, Shape, Text};
use super::page::{self, Page, names_width};
use super::points::{self, Colours};
use super::samples::Index;
use super::style::{Axis, Colour, INK, PAPER, SMALL};
use crate::record::Run;
use crate::report::Row;
use crate::report::units::Quantity;
use crate::stats;
use isobar_core::RuntimeId;
use std::collections::BTreeMap;

const WORDS: &str = "All samples of warm invocations. Areas: their density on the logarithmic axis (Gaussian kernel, \
                     Silverman's bandwidth), all equally high. Thick line: the middle half of the samples, white dot: their \
                     median, thin line: from the 5th to the 95th percentile; what lies beyond is only in the percentiles' \
                     chart. Two humps are two ways that an invocation may go.";

/// The shares of the samples between which a violin is drawn: slow ones are rare and far away, and would leave no room.
const ENDS: [f64; 2] = [0.05, 0.95];
/// The height of a row.
const VIOLIN: f64 = 26.0;
/// Room for the number at the right.
const LABEL: f64 = 72.0;
/// How many places a violin has.
const PLACES: usize = 240;

pub(super) fn draw(run: &Run, rows: &[Row]) -> Figure {
    let index = Index::of(run);
    let rows: Vec<&Row> = rows.iter().filter(|row| row.cell.scenario.name() == "warm").collect();
    let colours = Colours::of(run);
    let mut page =
        Page::new("Distribution of warm invocations: lower and narrower is better", WORDS, &colours.legend(&rows));
    let (names, several) = (names_width(&rows), points::several(&rows));
    let panels: Vec<&[&Row]> = rows.chunk_by(|a, b| a.cell.function == b.cell.function).collect();
    page.panels(&panels, |figure, panel, x, top, width| {
        let mut y = page::heading(figure, &panel[0].cell.function, x, top, width);
        let samples: BTreeMap<&RuntimeId, Vec<f64>> = panel
            .iter()
            .filter(|row| row.measured().is_some())
            .map(|row| (&row.cell.runtime, index.sorted(&row.cell)))
            .collect();
        let ends = samples.values().flat_map(|samples| ENDS.map(|p| stats::quantile(samples, p)));
        let axis = Axis::log(ends, x + names, x + width - LABEL);
        if !samples.is_empty() {
            y = points::ticks(figure, &axis, Quantity::Time, y);
        }
        for (class, rows) in points::classes(panel, several) {
            y = points::class_heading(figure, class, x, y);
            let measured = || rows.iter().filter_map(|row| Some((*row, row.measured()?)));
            points::grid(figure, &axis, Quantity::Time, y, VIOLIN * measured().count() as f64);
            for (row, measured) in measured() {
                page::name(figure, row, x, y + (VIOLIN - super::style::ROW) / 2.0);
                violin(figure, &samples[&row.cell.runtime], &axis, colours.colour(row), y);
                let text = Quantity::Time.show(measured.summary.median);
                figure.text(Text::new(text, x + width, y + VIOLIN / 2.0, SMALL).anchor(Anchor::End));
                y += VIOLIN;
            }
            y = points::failures(figure, &rows, names, x, y);
        }
        y - top
    });
    page.finish(run)
}

fn violin(figure: &mut Figure, samples: &[f64], axis: &Axis, colour: Colour, y: f64) {
    let middle = y + VIOLIN / 2.0;
    let [low, lower, median, upper, high] = [ENDS[0], 0.25, 0.5, 0.75, ENDS[1]].map(|p| stats::quantile(samples, p));
    // A sample of 0 has no place on a logarithmic axis.
    let logs: Vec<f64> = samples.iter().filter(|sample| **sample > 0.0).map(|sample| sample.ln()).collect();
    let room = 0.15 * (high.max(1.0) / low.max(1.0)).ln();
    let curve = stats::density(&logs, low.max(1.0).ln() - room, high.max(1.0).ln() + room, PLACES).unwrap_or_default();
    let highest = curve.iter().map(|(_, height)| *height).fold(0.0, f64::max);
    if highest > 0.0 {
        let half = |height: f64| (VIOLIN / 2.0 - 2.0) * height / highest;
        let upper_side = curve.iter().map(|(log, height)| (axis.at(log.exp()), middle - half(*height)));
        let lower_side = curve.iter().rev().map(|(log, height)| (axis.at(log.exp()), middle + half(*height)));
        figure.shapes.push(Shape::Area(upper_side.chain(lower_side).collect(), 0.55, colour));
    }
    figure.line((axis.at(low), middle), (axis.at(high), middle), 1.0, INK);
    figure.line((axis.at(lower), middle), (axis.at(upper), middle), 5.0, INK);
    figure.dot(axis.at(median), middle, 3.0, INK);
    figure.dot(axis.at(median), middle, 2.0, PAPER);
}
