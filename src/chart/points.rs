//! Medians as dots with their intervals, on logarithmic axes.

use super::figure::Figure;
use super::page::{self, Page, names_width};
use super::style::{Axis, Colour, INK, PALETTE, PAPER, ROW, RULE, SOFT, colour};
use crate::record::Run;
use crate::report::Row;
use crate::report::units::Quantity;
use crate::stats::Summary;
use isobar_core::{Class, RuntimeId};
use std::collections::BTreeSet;

/// A chart of one scenario: a panel for each function, with a dot for each runtime. `draw_row` adds what stands at the
/// right of a row: it gets the summary, the panel's right side and the row's middle.
pub(super) struct Points<'a> {
    pub(super) scenario: &'a str,
    pub(super) title: &'a str,
    pub(super) words: &'a str,
    pub(super) quantity: Quantity,
    /// Values below this are drawn at it: an interval may reach below nothing.
    pub(super) least: f64,
    /// Room for what stands at the right.
    pub(super) label: f64,
    pub(super) draw_row: fn(&mut Figure, &Summary, f64, f64),
}

impl Points<'_> {
    /// Draws the rows of the scenario.
    pub(super) fn draw(&self, run: &Run, rows: &[Row]) -> Figure {
        let rows: Vec<&Row> = rows.iter().filter(|row| row.cell.scenario.name() == self.scenario).collect();
        let families = families(run, &rows);
        let mut page = Page::new(self.title, self.words, &legend(run, &families));
        let names = names_width(&rows);
        let panels: Vec<&[&Row]> = rows.chunk_by(|a, b| a.cell.function == b.cell.function).collect();
        page.panels(&panels, |figure, panel, x, y, width| self.panel(figure, panel, &families, (x, y, width), names));
        page.finish(run)
    }

    fn panel(
        &self,
        figure: &mut Figure,
        panel: &[&Row],
        families: &[(&str, Colour)],
        (x, top, width): (f64, f64, f64),
        names: f64,
    ) -> f64 {
        let mut y = page::heading(figure, &panel[0].cell.function, x, top, width);
        let measured: Vec<(&Row, &Summary)> =
            panel.iter().filter_map(|row| Some((*row, &row.measured()?.summary))).collect();
        if !measured.is_empty() {
            let values = measured.iter().flat_map(|(_, s)| [s.low, s.median, s.high]);
            let scale = Axis::log(values.map(|value| value.max(self.least)), x + names, x + width - self.label);
            axis(figure, &scale, self.quantity, y, measured.len());
            y += AXIS;
            for (row, summary) in measured {
                page::name(figure, row, x, y);
                point(figure, summary, &scale, colour_of(row, families), y);
                (self.draw_row)(figure, summary, x + width, y + ROW / 2.0);
                y += ROW;
            }
        }
        failures(figure, panel, names, x, y) - top
    }
}

/// Room for the axis above the rows.
pub(super) const AXIS: f64 = 21.0;

/// The families of these rows with their colours, which are the same in all charts of a run. Where a run has more families
/// than there are colours, and several classes, those of a class have the same one.
pub(super) fn families<'a>(run: &'a Run, rows: &[&'a Row]) -> Vec<(&'a str, Colour)> {
    let shown: BTreeSet<&str> = rows.iter().map(|row| row.cell.runtime.family()).collect();
    let all: BTreeSet<&str> = run.header.runtimes.iter().map(|info| info.id.family()).chain(shown.clone()).collect();
    let by_class = by_class(run, all.len());
    let classes = classes(run);
    let place = |(at, family): (usize, &str)| {
        let class = class_of_family(run, family);
        if by_class { classes.iter().position(|known| *known == class).unwrap_or(0) } else { at }
    };
    let colours = all.iter().copied().enumerate().map(|family| (family.1, colour(place(family))));
    colours.filter(|(family, _)| shown.contains(family)).collect()
}

/// What the legend calls the families: with the classes of their runtimes where a run has several; or these classes alone.
pub(super) fn legend(run: &Run, families: &[(&str, Colour)]) -> Vec<(String, Colour)> {
    let classes = classes(run);
    let all: BTreeSet<&str> = run.header.runtimes.iter().map(|info| info.id.family()).collect();
    let name = |family: &str| {
        let class = class(class_of_family(run, family));
        if classes.len() < 2 {
            family.to_owned()
        } else if by_class(run, all.len()) {
            class.to_owned()
        } else {
            format!("{family} ({class})")
        }
    };
    let mut legend: Vec<(String, Colour)> = Vec::new();
    for (family, colour) in families {
        let entry = (name(family), *colour);
        if !legend.contains(&entry) {
            legend.push(entry);
        }
    }
    legend
}

/// Whether colours stand for classes.
fn by_class(run: &Run, families: usize) -> bool {
    families > PALETTE.len() && classes(run).len() > 1
}

/// The classes of a run's runtimes.
fn classes(run: &Run) -> BTreeSet<Class> {
    run.header.runtimes.iter().map(|info| info.class).collect()
}

/// The class of a family's first runtime.
fn class_of_family(run: &Run, family: &str) -> Class {
    run.header.runtimes.iter().find(|info| info.id.family() == family).map(|info| info.class).unwrap_or_default()
}

/// What stands between a function and its host, in a word or two.
pub(super) fn class(class: Class) -> &'static str {
    match class {
        Class::Wasm => "WebAssembly",
        Class::Process => "process",
        Class::Sandbox => "sandboxed process",
        Class::Container => "container",
        Class::Isolate => "isolate",
        Class::Server => "server",
        Class::Microvm => "microVM",
    }
}

/// The class of a runtime.
pub(super) fn class_of(run: &Run, runtime: &RuntimeId) -> Class {
    run.header.runtimes.iter().find(|info| info.id == *runtime).map(|info| info.class).unwrap_or_default()
}

/// The colour of a row's family.
pub(super) fn colour_of(row: &Row, families: &[(&str, Colour)]) -> Colour {
    families.iter().find(|(name, _)| *name == row.cell.runtime.family()).map_or(INK, |(_, colour)| *colour)
}

/// An axis from `y` on, with its grid through so many rows below it.
pub(super) fn axis(figure: &mut Figure, axis: &Axis, quantity: Quantity, y: f64, rows: usize) {
    for (tick, label) in axis.labels(quantity) {
        let x = axis.at(tick);
        figure.line((x, y + AXIS - 4.0), (x, y + AXIS + ROW * rows as f64), 1.0, RULE);
        page::tick(figure, label, x, y + 10.0);
    }
}

/// A dot in the row that starts at `y`, with its interval.
pub(super) fn point(figure: &mut Figure, summary: &Summary, axis: &Axis, colour: Colour, y: f64) {
    let middle = y + ROW / 2.0;
    let (low, dot, high) = (axis.at(summary.low), axis.at(summary.median), axis.at(summary.high));
    figure.line((axis.at(0.0), middle), (dot, middle), 0.5, RULE);
    figure.line((low, middle), (high, middle), 2.0, colour);
    for end in [low, high] {
        figure.line((end, middle - 3.5), (end, middle + 3.5), 1.5, colour);
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
