//! Languages beside each other: heat maps of times, and the sizes of the modules.

use super::figure::{Figure, Text};
use super::heat::{Cell, Map};
use super::page::{self, NO_LEGEND, Page};
use super::style::{Axis, PALETTE, ROW, RULE, SLACK, SMALL};
use super::{font, heat};
use crate::record::Run;
use crate::report::units::{self, Quantity};
use crate::report::{Row, languages, summary::shorten};

const WORDS: &str = "Medians of the same function in every language (rows, the one with the best number first) and every \
                     runtime and mode (columns). The colours are on a logarithmic scale, each panel with its own: the \
                     lighter, the faster.";

const SIZES: &str = "The WebAssembly module that each language's toolchain makes of the same function, its language's \
                     run-time library or interpreter included. Logarithmic axes: the same distance is the same factor, and \
                     only the ends of the bars mean something.";

const MEANS: &str = "How many times the best number of all languages and runtimes a language's function takes in a runtime: \
                     the geometric mean over several functions, so that each counts alike. A cell is empty if one of them \
                     was not measured, and failed if one failed. The lighter, the faster.";

/// Room for the numbers behind the bars.
const LABEL: f64 = 72.0;

/// A language's name, cut to the room that there is.
fn label(name: &str) -> String {
    shorten(name, heat::LONGEST_LANGUAGE)
}

pub(super) fn cold(run: &Run, rows: &[Row]) -> Figure {
    heat_map(run, rows, "cold", "Cold start by language and runtime: lower is better", WORDS)
}

pub(super) fn warm(run: &Run, rows: &[Row]) -> Figure {
    let words =
        format!("{WORDS} A function that computes shows what the code is worth, one that does not the sandbox.");
    heat_map(run, rows, "warm", "Warm invocation by language and runtime: lower is better", &words)
}

fn heat_map(run: &Run, rows: &[Row], scenario: &str, title: &str, words: &str) -> Figure {
    let mut page = Page::new(title, words, NO_LEGEND);
    for grid in languages::grids(run, rows, scenario) {
        let cell = |row: &Option<&Row>| match row.map(|row| (row, &row.outcome)) {
            None => Cell::Missing,
            Some((_, Err(failed))) => Cell::Failed(failed.kind.clone()),
            Some((row, Ok(measured))) => {
                Cell::Value(measured.summary.median, row.quantity().show(measured.summary.median))
            }
        };
        let quantity =
            grid.languages.iter().flat_map(|l| l.measured()).next().map_or(Quantity::Time, |(r, _)| r.quantity());
        let map = Map {
            title: grid.family,
            description: &grid.description,
            runtimes: &grid.runtimes,
            rows: grid.languages.iter().map(|l| (l.name, l.cells.iter().map(cell).collect())).collect(),
            marks: &|axis| axis.labels(quantity),
        };
        page.y = heat::draw(&mut page.figure, &map, page.y) + 14.0;
    }
    page.finish(run)
}

pub(super) fn cold_mean(run: &Run, rows: &[Row]) -> Figure {
    mean(run, rows, "cold", "Cold start by language and runtime, over all functions: lower is better")
}

pub(super) fn warm_mean(run: &Run, rows: &[Row]) -> Figure {
    mean(run, rows, "warm", "Warm invocation by language and runtime, over all functions: lower is better")
}

/// One map for all functions that enough languages have.
fn mean(run: &Run, rows: &[Row], scenario: &str, title: &str) -> Figure {
    let Some(means) = languages::means(run, rows, scenario) else {
        return Page::new(title, MEANS, NO_LEGEND).finish(run);
    };
    let left_out = if means.left_out.is_empty() {
        String::new()
    } else {
        format!(" Languages that lack one of them: {}.", means.left_out.join(", "))
    };
    let words = format!("{MEANS} The functions: {}.{left_out}", means.families.join(", "));
    let mut page = Page::new(title, &words, NO_LEGEND);
    let cell = |mean: &languages::Mean| match mean {
        languages::Mean::Missing => Cell::Missing,
        languages::Mean::Failed(kind) => Cell::Failed(kind.clone()),
        languages::Mean::Ratio(ratio) => Cell::Value(*ratio, units::ratio(*ratio)),
    };
    let map = Map {
        title: "Geometric mean",
        description: "1x: the best language and runtime of every function",
        runtimes: &means.runtimes,
        rows: means.languages.iter().map(|(name, cells)| (*name, cells.iter().map(cell).collect())).collect(),
        marks: &|axis| axis.labels_by(|ratio| format!("{ratio}x")),
    };
    page.y = heat::draw(&mut page.figure, &map, page.y) + 14.0;
    page.finish(run)
}

pub(super) fn sizes(run: &Run, rows: &[Row]) -> Figure {
    let mut page = Page::new("Module size by language: smaller is better", SIZES, NO_LEGEND);
    let panels = languages::sizes(run, rows);
    let widths = panels.iter().flat_map(|(_, sizes)| sizes).map(|(name, _)| font::width(&label(name), SMALL, false));
    let names = widths.fold(0.0, f64::max) * SLACK + 12.0;
    page.panels(&panels, |figure, (family, sizes), x, top, width| {
        let mut y = page::heading(figure, family, x, top, width);
        let axis = Axis::log(sizes.iter().map(|(_, bytes)| *bytes as f64), x + names, x + width - LABEL);
        for (tick, label) in axis.labels(Quantity::Bytes) {
            let at = axis.at(tick);
            figure.line((at, y + 17.0), (at, y + 21.0 + ROW * sizes.len() as f64), 1.0, RULE);
            page::tick(figure, label, at, y + 10.0);
        }
        y += 21.0;
        for (name, bytes) in sizes {
            let (end, middle) = (axis.at(*bytes as f64), y + ROW / 2.0);
            figure.text(Text::new(label(name), x, middle, SMALL));
            figure.rect(x + names, y + 3.0, end - x - names, ROW - 6.0, PALETTE[0]);
            figure.text(Text::new(units::bytes(*bytes), end + 6.0, middle, SMALL));
            y += ROW;
        }
        y - top
    });
    page.finish(run)
}
