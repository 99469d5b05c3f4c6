//! Process cold starts, all classes on one axis, beside the cold starts in a process that already runs.

use super::figure::{Anchor, Figure, Text};
use super::page::{self, Page, names_width};
use super::points::{self, Colours};
use super::style::{Axis, Colour, FAINT, ROW, SMALL, SOFT, TINY};
use crate::record::{Cell, Run};
use crate::report::units::Quantity;
use crate::report::{Measured, Row};
use crate::stats::Summary;
use isobar_core::Class;
use std::collections::BTreeMap;

const WORDS: &str = "Dot: from spawning a process that holds nothing to the last byte of the answer; the line through it is \
                     its 95 % interval. Ring: the cold start inside a process that already runs, which WebAssembly runtimes \
                     and isolates have. Rows are by class: what stands between a function and its host. One logarithmic \
                     axis for all of them: the same distance is the same factor.";

/// Room for the numbers at the right, and for the second one of them.
const LABEL: f64 = 148.0;
const WITHIN: f64 = 72.0;

pub(super) fn draw(run: &Run, all: &[Row]) -> Figure {
    let rows: Vec<&Row> = all.iter().filter(|row| row.cell.scenario.name() == "process-cold").collect();
    let within = within(all);
    let colours = Colours::of(run);
    let mut page = Page::new("Process cold start: lower is better", WORDS, &colours.legend(&rows));
    let (names, several) = (names_width(&rows), points::several(&rows));
    let panels: Vec<&[&Row]> = rows.chunk_by(|a, b| a.cell.function == b.cell.function).collect();
    page.panels(&panels, |figure, panel, x, top, width| {
        let mut y = page::heading(figure, &panel[0].cell.function, x, top, width);
        let pairs = panel.iter().filter_map(|row| Some((row.measured()?, inside(row, &within))));
        let summaries: Vec<&Summary> = pairs.flat_map(|(own, within)| [Some(&own.summary), within]).flatten().collect();
        let axis = points::axis_of(summaries.into_iter());
        let axis = axis.map(|axis| axis.from_to(x + names, x + width - LABEL));
        if let Some(axis) = &axis {
            for (name, right) in [("process", x + width - WITHIN), ("running", x + width)] {
                figure.text(Text::new(name, right, y + 10.0, TINY).anchor(Anchor::End).colour(SOFT));
            }
            y = points::ticks(figure, axis, Quantity::Time, y);
        }
        for (class, rows) in points::classes(panel, several) {
            y = points::class_heading(figure, class, x, y);
            let measured = || rows.iter().filter_map(|row| Some((*row, row.measured()?)));
            if let Some(axis) = &axis {
                points::grid(figure, axis, Quantity::Time, y, ROW * measured().count() as f64);
                for (row, own) in measured() {
                    page::name(figure, row, x, y);
                    pair(figure, (own, inside(row, &within)), axis, colours.colour(row), (x + width, y));
                    y += ROW;
                }
            }
            y = points::failures(figure, &rows, names, x, y);
        }
        y - top
    });
    page.finish(run)
}

/// The cold starts in a running process, by their cells.
fn within(all: &[Row]) -> BTreeMap<&Cell, &Summary> {
    let cold = all.iter().filter(|row| row.cell.scenario.name() == "cold");
    cold.filter(|row| matches!(row.class, Class::Wasm | Class::Isolate))
        .filter_map(|row| Some((&row.cell, &row.measured()?.summary)))
        .collect()
}

/// The one of the same runtime and function.
fn inside<'a>(row: &Row, within: &BTreeMap<&Cell, &'a Summary>) -> Option<&'a Summary> {
    let scenario = "cold".parse().ok()?;
    within.get(&Cell { scenario, ..row.cell.clone() }).copied()
}

fn pair(
    figure: &mut Figure,
    (own, within): (&Measured, Option<&Summary>),
    axis: &Axis,
    colour: Colour,
    (right, y): (f64, f64),
) {
    let middle = y + ROW / 2.0;
    let ring = within.map(|within| axis.at(within.median));
    if let Some(ring) = ring {
        figure.line((ring, middle), (axis.at(own.summary.median), middle), 1.0, FAINT);
    }
    points::point(figure, &own.summary, axis, colour, y);
    let number = Text::new(Quantity::Time.show(own.summary.median), right - WITHIN, middle, SMALL);
    figure.text(number.anchor(Anchor::End));
    if let Some((within, ring)) = within.zip(ring) {
        points::ring(figure, ring, middle);
        let number = Text::new(Quantity::Time.show(within.median), right, middle, SMALL);
        figure.text(number.anchor(Anchor::End).colour(SOFT));
    }
}
