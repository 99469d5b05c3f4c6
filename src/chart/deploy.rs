//! Deploying: the time to compile ahead of time, and the size of what that makes.

use super::figure::{Anchor, Figure, Text};
use super::page::{self, Page, names_width};
use super::points::{self, Colours};
use super::style::{Axis, ROW, SMALL, SOFT, TINY};
use crate::record::Run;
use crate::report::units::Quantity;
use crate::report::{Measured, Row};
use crate::stats::Summary;

const WORDS: &str = "Left: compiling a module ahead of time, once per deployed function, on one thread; medians, the line \
                     through a dot is the 95 % interval where it is wider than the dot. Right: the size of the artifact \
                     that is stored and loaded; the ring is the WebAssembly module. Logarithmic axes: the same distance is \
                     the same factor.";

/// Room for the number right of each plot.
const LABEL: f64 = 72.0;
/// Room between the number of the time and the plot of the size.
const GAP: f64 = 14.0;
/// Room for the words above the axes.
const HEAD: f64 = 14.0;

pub(super) fn draw(run: &Run, rows: &[Row]) -> Figure {
    let rows: Vec<&Row> = rows.iter().filter(|row| row.cell.scenario.name() == "deploy").collect();
    let colours = Colours::of(run);
    let mut page =
        Page::new("Compiling ahead of time, and the artifact: lower is better", WORDS, &colours.legend(&rows));
    let names = names_width(&rows);
    let panels: Vec<&[&Row]> = rows.chunk_by(|a, b| a.cell.function == b.cell.function).collect();
    page.panels(&panels, |figure, panel, x, y, width| {
        let module = run.header.functions.iter().find(|f| f.name == panel[0].cell.function);
        let module_bytes = module.map_or(0.0, |module| module.module_bytes as f64);
        draw_panel(figure, panel, &colours, (x, y, width), (names, module_bytes))
    });
    page.finish(run)
}

/// The artifact's size, as far as the records have it.
fn artifact_bytes(measured: &Measured) -> Option<f64> {
    measured.parts.iter().find(|part| part.column == "artifact_bytes").map(|part| part.median)
}

fn draw_panel(
    figure: &mut Figure,
    panel: &[&Row],
    colours: &Colours,
    (x, top, width): (f64, f64, f64),
    (names, module_bytes): (f64, f64),
) -> f64 {
    let mut y = page::heading(figure, &panel[0].cell.function, x, top, width);
    let measured: Vec<(&Row, &Measured)> = panel.iter().filter_map(|row| Some((*row, row.measured()?))).collect();
    if !measured.is_empty() {
        let half = (width - names - GAP) / 2.0;
        let (left, right) = (x + names, x + names + half + GAP);
        let time = points::axis_of(measured.iter().map(|(_, m)| &m.summary));
        let time = time.unwrap_or(Axis::log([].into_iter(), 0.0, 1.0)).from_to(left, left + half - LABEL);
        let sizes = measured.iter().filter_map(|(_, m)| artifact_bytes(m));
        let size = Axis::log(sizes.chain([module_bytes]), right, x + width - LABEL);
        for (words, at) in [("compile time", left), ("artifact", right)] {
            figure.text(Text::new(words, at, y + 8.0, TINY).colour(SOFT));
        }
        y += HEAD;
        for (axis, quantity) in [(&time, Quantity::Time), (&size, Quantity::Bytes)] {
            let below = points::ticks(figure, axis, quantity, y);
            points::grid(figure, axis, quantity, below, ROW * measured.len() as f64);
        }
        y += points::AXIS;
        for (row, measured) in measured {
            page::name(figure, row, x, y);
            let (colour, middle) = (colours.colour(row), y + ROW / 2.0);
            points::point(figure, &measured.summary, &time, colour, y);
            number(figure, Quantity::Time.show(measured.summary.median), left + half, middle);
            if let Some(bytes) = artifact_bytes(measured) {
                points::ring(figure, size.at(module_bytes), middle);
                points::point(
                    figure,
                    &Summary { median: bytes, low: bytes, high: bytes, ..measured.summary },
                    &size,
                    colour,
                    y,
                );
                number(figure, Quantity::Bytes.show(bytes), x + width, middle);
            }
            y += ROW;
        }
    }
    points::failures(figure, panel, names, x, y) - top
}

fn number(figure: &mut Figure, text: String, x: f64, y: f64) {
    figure.text(Text::new(text, x, y, SMALL).anchor(Anchor::End));
}
