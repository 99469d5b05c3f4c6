//! Medians as dots with their intervals, on logarithmic axes; and what charts share that tell families and classes apart.

use super::figure::{Figure, Text};
use super::page::{self, Page, names_width};
use super::style::{Axis, Colour, INK, PALETTE, PAPER, ROW, RULE, SMALL, SOFT, colour};
use crate::record::Run;
use crate::report::units::Quantity;
use crate::report::{Row, words};
use crate::stats::Summary;
use isobar_core::Class;
use std::collections::{BTreeMap, BTreeSet};

/// A chart of one scenario: a panel for each function, with a dot for each runtime. `draw_row` adds what stands at the
/// right of a row: it gets the summary, the panel's right side and the row's middle.
pub(super) struct Points<'a> {
    pub(super) scenario: &'a str,
    pub(super) title: &'a str,
    pub(super) words: &'a str,
    pub(super) quantity: Quantity,
    /// Room for what stands at the right.
    pub(super) label: f64,
    pub(super) draw_row: fn(&mut Figure, &Summary, f64, f64),
}

impl Points<'_> {
    /// Draws the rows of the scenario.
    pub(super) fn draw(&self, run: &Run, rows: &[Row]) -> Figure {
        let rows: Vec<&Row> = rows.iter().filter(|row| row.cell.scenario.name() == self.scenario).collect();
        let colours = Colours::of(run);
        let mut page = Page::new(self.title, self.words, &colours.legend(&rows));
        let (names, several) = (names_width(&rows), several(&rows));
        let panels: Vec<&[&Row]> = rows.chunk_by(|a, b| a.cell.function == b.cell.function).collect();
        page.panels(&panels, |figure, panel, x, top, width| {
            let mut y = page::heading(figure, &panel[0].cell.function, x, top, width);
            let scale = axis_of(panel.iter().filter_map(|row| Some(&row.measured()?.summary)));
            let scale = scale.map(|scale| scale.from_to(x + names, x + width - self.label));
            if let Some(scale) = &scale {
                y = ticks(figure, scale, self.quantity, y);
            }
            for (class, rows) in classes(panel, several) {
                y = class_heading(figure, class, x, y);
                let measured = || rows.iter().filter_map(|row| Some((*row, &row.measured()?.summary)));
                if let Some(scale) = &scale {
                    grid(figure, scale, self.quantity, y, ROW * measured().count() as f64);
                    for (row, summary) in measured() {
                        page::name(figure, row, x, y);
                        point(figure, summary, scale, colours.colour(row), y);
                        (self.draw_row)(figure, summary, x + width, y + ROW / 2.0);
                        y += ROW;
                    }
                }
                y = failures(figure, &rows, names, x, y);
            }
            y - top
        });
        page.finish(run)
    }
}

/// Room for the axis above the rows.
pub(super) const AXIS: f64 = 21.0;

/// Room for the name of a class.
const CLASS: f64 = 24.0;

/// How far beyond the medians an axis goes for the ends of intervals: one of which little is known leaves no room for others.
const BEYOND: f64 = 4.0;

/// The colours of runtimes, the same in all charts of a run: those of their families, or, where there are more of these
/// than colours, and several classes, of their classes.
pub(super) struct Colours<'a> {
    families: Vec<&'a str>,
    /// Where colours stand for these.
    classes: Option<Vec<Class>>,
}

impl<'a> Colours<'a> {
    pub(super) fn of(run: &'a Run) -> Self {
        let cells = run.records.iter().map(|record| record.cell.runtime.family());
        let families: BTreeSet<&str> = run.header.runtimes.iter().map(|info| info.id.family()).chain(cells).collect();
        let classes: BTreeSet<Class> = run.header.runtimes.iter().map(|info| info.class).collect();
        let by_class = families.len() > PALETTE.len() && classes.len() > 1;
        Colours { families: families.into_iter().collect(), classes: by_class.then(|| classes.into_iter().collect()) }
    }

    /// The colour of a row.
    pub(super) fn colour(&self, row: &Row) -> Colour {
        let place = match &self.classes {
            Some(classes) => classes.iter().position(|class| *class == row.class),
            None => self.families.iter().position(|family| *family == row.cell.runtime.family()),
        };
        place.map_or(INK, colour)
    }

    /// What the colours of these rows stand for.
    pub(super) fn legend(&self, rows: &[&'a Row]) -> Vec<(&'a str, Colour)> {
        let named: BTreeMap<(Option<Class>, &str), Colour> = rows
            .iter()
            .map(|row| match self.classes {
                Some(_) => ((Some(row.class), words::class(row.class)), self.colour(row)),
                None => ((None, row.cell.runtime.family()), self.colour(row)),
            })
            .collect();
        named.into_iter().map(|((_, name), colour)| (name, colour)).collect()
    }
}

/// Whether rows are of several classes.
pub(super) fn several(rows: &[&Row]) -> bool {
    rows.windows(2).any(|pair| pair[0].class != pair[1].class)
}

/// The rows by their classes: what stands between a function and its host. In words where a chart has several.
pub(super) fn classes<'a>(rows: &[&'a Row], several: bool) -> Vec<(Option<&'static str>, Vec<&'a Row>)> {
    let mut classes: BTreeMap<Class, Vec<&Row>> = BTreeMap::new();
    rows.iter().for_each(|row| classes.entry(row.class).or_default().push(row));
    classes.into_iter().map(|(class, rows)| (several.then(|| in_words(class)), rows)).collect()
}

fn in_words(class: Class) -> &'static str {
    match class {
        Class::Wasm => "WebAssembly runtimes",
        Class::Process => "A process for each invocation",
        Class::Sandbox => "Sandboxed processes",
        Class::Container => "Containers",
        Class::Isolate => "Isolates of a JavaScript engine",
        Class::Server => "Servers",
        Class::Microvm => "Virtual machines",
    }
}

/// The name of a class above its rows; returns how far down it reaches.
pub(super) fn class_heading(figure: &mut Figure, class: Option<&str>, x: f64, y: f64) -> f64 {
    let Some(class) = class else { return y };
    figure.text(Text::new(class, x, y + CLASS / 2.0 + 2.0, SMALL).bold());
    y + CLASS
}

/// A logarithmic axis for summaries, without a place; `None` if there are none.
pub(super) fn axis_of<'a>(summaries: impl Iterator<Item = &'a Summary>) -> Option<Axis> {
    let summaries: Vec<&Summary> = summaries.filter(|summary| summary.median > 0.0).collect();
    let medians = || summaries.iter().map(|summary| summary.median);
    let (least, most) = (medians().fold(f64::INFINITY, f64::min), medians().fold(0.0, f64::max));
    let ends = summaries.iter().flat_map(|summary| [summary.low, summary.high]);
    let ends = ends.map(|end| end.clamp(least / BEYOND, (most * BEYOND).max(least / BEYOND)));
    (!summaries.is_empty()).then(|| Axis::log(ends.chain(medians()), 0.0, 1.0))
}

/// The labels of an axis from `y` on; returns how far down they reach.
pub(super) fn ticks(figure: &mut Figure, axis: &Axis, quantity: Quantity, y: f64) -> f64 {
    for (tick, label) in axis.labels(quantity) {
        let x = axis.at(tick);
        figure.line((x, y + AXIS - 4.0), (x, y + AXIS), 1.0, RULE);
        page::tick(figure, label, x, y + 10.0);
    }
    y + AXIS
}

/// The lines at an axis' ticks through rows from `y` on.
pub(super) fn grid(figure: &mut Figure, axis: &Axis, quantity: Quantity, y: f64, height: f64) {
    for (tick, _) in axis.labels(quantity) {
        figure.line((axis.at(tick), y), (axis.at(tick), y + height), 1.0, RULE);
    }
}

/// A dot in the row that starts at `y`, with its interval; an end beyond the axis has no mark.
pub(super) fn point(figure: &mut Figure, summary: &Summary, axis: &Axis, colour: Colour, y: f64) {
    let middle = y + ROW / 2.0;
    let (low, dot, high) = (axis.at(summary.low), axis.at(summary.median), axis.at(summary.high));
    figure.line((axis.at(0.0), middle), (dot, middle), 0.5, RULE);
    figure.line((low, middle), (high, middle), 2.0, colour);
    for end in [summary.low, summary.high].into_iter().filter(|end| axis.holds(*end)) {
        figure.line((axis.at(end), middle - 3.5), (axis.at(end), middle + 3.5), 1.5, colour);
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
