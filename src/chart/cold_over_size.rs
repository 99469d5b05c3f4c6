//! Cold starts over the size of the module: a line for each runtime through all functions.

use super::families::{self, Label, Line, Point, Style};
use super::figure::{Figure, Text};
use super::font;
use super::page::{self, NO_LEGEND, Page};
use super::samples::Index;
use super::style::{Axis, FAINT, MARGIN, RULE, SLACK, SOFT, TINY, WIDTH};
use crate::record::{Function, Run};
use crate::report::Row;
use crate::report::summary::shorten;
use crate::report::units::Quantity;
use crate::stats::{self, Summary};
use isobar_core::Class;
use std::collections::BTreeMap;

const WORDS: &str = "What it takes until a function can begin in a WebAssembly runtime, from nothing but the stored artifact: engine + load \
                     + instantiate. Executing is left out, as that depends on what a function does. Each dot is a function, at \
                     the size of its WebAssembly module; medians with 95 % intervals; both axes are logarithmic. A level line \
                     is a runtime to which the size does not matter. One panel for each family, the others faint behind it. \
                     At the right: the factor from the smallest to the largest module.";

/// The phases that are summed.
const PHASES: [&str; 3] = ["engine_ns", "load_ns", "instantiate_ns"];
/// The distance of two lines of names.
const LINE: f64 = 15.0;
/// The longest name of a function.
const LONGEST: usize = 40;

pub(super) fn draw(run: &Run, rows: &[Row]) -> Figure {
    let index = Index::of(run);
    let functions: BTreeMap<&str, &Function> = run.header.functions.iter().map(|f| (f.name.as_str(), f)).collect();
    let size = |row: &Row| functions.get(row.cell.function.as_str()).map_or(0, |function| function.module_bytes);
    let loads = |row: &&Row| row.cell.scenario.name() == "cold" && row.class == Class::Wasm && size(row) > 0;
    let rows: Vec<&Row> = rows.iter().filter(loads).collect();
    let axis = Axis::log(rows.iter().map(|row| size(row) as f64), 0.0, 1.0);
    let mut of: BTreeMap<_, Vec<&Row>> = BTreeMap::new();
    rows.iter().for_each(|row| of.entry(&row.cell.runtime).or_default().push(row));
    let line = |(runtime, mut rows): (_, Vec<&Row>)| {
        rows.sort_by_key(|row| (size(row), &row.cell.function));
        let mut points: Vec<Point> = Vec::new();
        let mut failed = 0;
        for row in rows {
            let summary = row.measured().and_then(|_| start(&index, row, run.header.seed));
            match summary {
                Some(s) => {
                    let place = axis.at(size(row) as f64);
                    points.push(Point { place, value: [s.median, s.low, s.high], gap: false });
                }
                None => failed += 1,
            }
        }
        let labels = labels(&families::mode(runtime), &points, failed);
        Line { runtime, class: Class::Wasm, points, labels }
    };
    let lines: Vec<Line> = of.into_iter().map(line).collect();
    let mut page = Page::new("Cold start over module size: lower is better", WORDS, NO_LEGEND);
    names(&mut page, &rows, size);
    let marks = |width: f64| {
        let axis = Axis::log(rows.iter().map(|row| size(row) as f64), 0.0, width);
        let labels = axis.labels(Quantity::Bytes);
        labels.into_iter().map(|(bytes, label)| (axis.at(bytes) / width, label)).collect()
    };
    let style = Style { quantity: Quantity::Time, marks: &marks, places: "module", dots: true, lines: 9 };
    families::draw(&mut page, &[("Until a function can begin", lines)], &style);
    page.finish(run)
}

/// The time until the function can begin.
fn start(index: &Index, row: &Row, seed: u64) -> Option<Summary> {
    let processes = index.processes(&row.cell, |samples| samples.sums(&PHASES));
    Summary::of(&processes, stats::seed(seed, &format!("{} start", row.cell)))
}

fn labels(name: &str, points: &[Point], failed: usize) -> Vec<Label> {
    let mut labels = Vec::new();
    if let [first, .., last] = points {
        let factor = crate::report::units::ratio(last.value[0] / first.value[0]);
        labels.push(Label { text: format!("{name} {factor}"), failed: false });
    } else if !points.is_empty() {
        labels.push(Label { text: name.to_owned(), failed: false });
    }
    if failed > 0 {
        let text = format!("{name} failed: {}", crate::report::units::count(failed, "function"));
        labels.push(Label { text, failed: true });
    }
    labels
}

/// The names of the functions at their sizes, in as many lines as are needed.
fn names(page: &mut Page, rows: &[&Row], size: impl Fn(&Row) -> u64) {
    let mut functions: Vec<(u64, &str)> = rows.iter().map(|row| (size(row), row.cell.function.as_str())).collect();
    functions.sort_unstable();
    functions.dedup();
    let y =
        page::heading(&mut page.figure, "Functions by the size of their modules", MARGIN, page.y, WIDTH - 2.0 * MARGIN);
    let axis = Axis::log(functions.iter().map(|(bytes, _)| *bytes as f64), MARGIN + 4.0, WIDTH - MARGIN - 4.0);
    let base = y + 22.0;
    for (tick, label) in axis.labels(Quantity::Bytes) {
        page::tick(&mut page.figure, label, axis.at(tick), y + 8.0);
        page.figure.line((axis.at(tick), base - 5.0), (axis.at(tick), base), 1.0, FAINT);
    }
    page.figure.line((MARGIN, base), (WIDTH - MARGIN, base), 1.0, FAINT);
    // Where each line of names ends so far.
    let mut lines: Vec<f64> = Vec::new();
    let mut places = Vec::new();
    for (bytes, name) in functions {
        let name = shorten(name, LONGEST);
        let width = font::width(&name, TINY, false) * SLACK;
        let at = axis.at(bytes as f64);
        let start = at.min(WIDTH - MARGIN - width - 5.0);
        let line = lines.iter().position(|end| *end + 8.0 <= start).unwrap_or(lines.len());
        let end = start + width + 5.0;
        if line == lines.len() {
            lines.push(end)
        } else {
            lines[line] = end
        }
        places.push((at, start, line, name));
    }
    for (at, _, line, _) in &places {
        page.figure.line((*at, base), (*at, base + 8.0 + LINE * *line as f64), 1.0, RULE);
    }
    for (at, start, line, name) in places {
        let middle = base + 12.0 + LINE * line as f64;
        page.figure.dot(at, base, 2.5, SOFT);
        page.figure.text(Text::new(name, start + 5.0, middle, TINY).colour(SOFT));
    }
    page.y = base + 12.0 + LINE * lines.len() as f64 + 12.0;
}
