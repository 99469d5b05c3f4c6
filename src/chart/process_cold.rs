//! Process cold starts beside the cold starts in a process that already runs: pairs of bars.

use super::blocks::{self, Place, blocks};
use super::figure::{Figure, Text};
use super::page::{self, Page, names_width};
use super::points;
use super::style::{Axis, Colour, INK, PALETTE, SMALL, SOFT, TINY};
use crate::record::Run;
use crate::report::units::Quantity;
use crate::report::{Measured, Row};
use crate::stats::Summary;
use isobar_core::Class;
use std::collections::BTreeMap;

const WORDS: &str = "Upper bar: from spawning a process that holds nothing to the last byte of the answer; lower bar: the \
                     cold start in a process that already runs. Classes of runtimes are apart: what stands between a \
                     function and its host is not the same. Medians; the thin line is the 95 % interval.";

const LEGEND: [(&str, Colour); 2] =
    [("process cold start", PALETTE[0]), ("cold start in a running process", PALETTE[4])];

/// Room for the numbers behind the bars.
const LABEL: f64 = 76.0;

/// Room for the name of a class.
const CLASS: f64 = 24.0;

/// The height of a pair.
const PAIR: f64 = 26.0;

/// A row with the summary of its cold start in a running process.
type Pair<'a> = (&'a Row, &'a Measured, Option<Summary>);

pub(super) fn draw(run: &Run, all: &[Row]) -> Figure {
    let rows: Vec<&Row> = all.iter().filter(|row| row.cell.scenario.name() == "process-cold").collect();
    let words = format!("{WORDS} {}", blocks::WORDS);
    let mut page = Page::new("Process cold start: lower is better", &words, &LEGEND);
    let names = names_width(&rows);
    let panels: Vec<&[&Row]> = rows.chunk_by(|a, b| a.cell.function == b.cell.function).collect();
    page.panels(&panels, |figure, panel, x, top, width| {
        let mut y = page::heading(figure, &panel[0].cell.function, x, top, width);
        for (class, rows) in classes(run, panel) {
            if several(run) {
                figure.text(Text::new(class, x, y + CLASS / 2.0 + 2.0, SMALL).bold());
                y += CLASS;
            }
            let bars = rows.iter().filter_map(|row| Some((*row, row.measured()?, within(row, all))));
            let place = Place { x, width, names, label: LABEL, row: PAIR };
            y = blocks(figure, bars, &place, y, length_ns, |figure, bar, axis, y| pair(figure, bar, axis, (x, y)));
            y = points::failures(figure, &rows, names, x, y) + 4.0;
        }
        y - top
    });
    page.finish(run)
}

/// Whether the run has runtimes of several classes.
fn several(run: &Run) -> bool {
    run.header.runtimes.windows(2).any(|pair| pair[0].class != pair[1].class)
}

/// The rows by their classes, in words: what stands between a function and its host.
fn classes<'a>(run: &Run, rows: &[&'a Row]) -> Vec<(&'static str, Vec<&'a Row>)> {
    let mut classes: BTreeMap<Class, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        classes.entry(points::class_of(run, &row.cell.runtime)).or_default().push(row);
    }
    classes.into_iter().map(|(class, rows)| (name(class), rows)).collect()
}

fn name(class: Class) -> &'static str {
    match class {
        Class::Wasm => "WebAssembly runtimes",
        Class::Process => "Processes, without a sandbox",
        Class::Sandbox => "Sandboxed processes",
        Class::Container => "Containers",
        Class::Isolate => "Isolates of a JavaScript engine",
        Class::Server => "Servers",
        Class::Microvm => "Virtual machines",
    }
}

/// The cold start in a running process of the same runtime and function.
fn within(row: &Row, all: &[Row]) -> Option<Summary> {
    let same = |other: &&Row| {
        other.cell.scenario.name() == "cold"
            && (&other.cell.runtime, &other.cell.function) == (&row.cell.runtime, &row.cell.function)
    };
    all.iter().find(same)?.measured().map(|measured| measured.summary)
}

fn length_ns((_, measured, within): &Pair) -> f64 {
    within.map_or(0.0, |within| within.median).max(measured.summary.median)
}

fn pair(figure: &mut Figure, (row, measured, within): &Pair, axis: &Axis, (x, y): (f64, f64)) {
    page::name(figure, row, x, y + (PAIR - super::style::ROW) / 2.0);
    bar(figure, &measured.summary, axis, LEGEND[0].1, y + 7.0);
    let number = Quantity::Time.show(measured.summary.median);
    figure.text(Text::new(number, end(axis, &measured.summary), y + 7.0, SMALL));
    if let Some(within) = within {
        bar(figure, within, axis, LEGEND[1].1, y + 19.0);
        figure.text(Text::new(Quantity::Time.show(within.median), end(axis, within), y + 19.0, TINY).colour(SOFT));
    }
}

/// Where a bar's number begins.
fn end(axis: &Axis, summary: &Summary) -> f64 {
    axis.at(summary.median).max(axis.at(summary.high)) + 7.0
}

fn bar(figure: &mut Figure, summary: &Summary, axis: &Axis, colour: Colour, middle: f64) {
    figure.rect(axis.at(0.0), middle - 5.0, axis.at(summary.median) - axis.at(0.0), 10.0, colour);
    let (low, high) = (axis.at(summary.low), axis.at(summary.high));
    figure.line((low, middle), (high.max(low + 1.0), middle), 1.5, INK);
}
