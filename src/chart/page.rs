//! What every chart has around its panels: a title, words, a legend, a footer; and the grid of the panels.

use super::figure::{Anchor, Figure, Shape, Text};
use super::font;
use super::style::{Colour, FAILED, INK, MARGIN, ROW, RULE, SLACK, SMALL, SOFT, TINY, WIDTH};
use crate::record::Run;
use crate::report::summary::shorten;
use crate::report::{Failed, Row, units, words};

/// Names are cut to so many characters.
pub(super) const LONGEST_NAME: usize = 44;

/// What a page without a legend has.
pub(super) const NO_LEGEND: &[(&str, Colour)] = &[];

/// A page whose head is drawn, and how far down it is used.
pub(super) struct Page {
    pub(super) figure: Figure,
    pub(super) y: f64,
}

impl Page {
    pub(super) fn new(title: &str, words: &str, legend: &[(impl AsRef<str>, Colour)]) -> Self {
        let mut figure = Figure::new(WIDTH);
        figure.text(Text::new(title, MARGIN, 36.0, 21.0).bold());
        let mut y = 64.0;
        for line in wrap(words, 12.5, WIDTH - 2.0 * MARGIN) {
            figure.text(Text::new(line, MARGIN, y, 12.5).colour(SOFT));
            y += 18.0;
        }
        if !legend.is_empty() {
            let mut x = MARGIN;
            y += 6.0;
            for (name, colour) in legend {
                let width = 17.0 + font::width(name.as_ref(), SMALL, false) * SLACK;
                if x + width > WIDTH - MARGIN {
                    (x, y) = (MARGIN, y + ROW);
                }
                figure.rect(x, y - 5.5, 11.0, 11.0, *colour);
                figure.text(Text::new(name.as_ref(), x + 17.0, y, SMALL));
                x += width + 20.0;
            }
            y += 16.0;
        }
        Page { figure, y: y + 8.0 }
    }

    /// Draws a panel for each of `panels` in a grid of one or two columns; `draw` gets the panel's left side, its upper
    /// side and its width, and returns its height.
    pub(super) fn panels<T>(&mut self, panels: &[T], mut draw: impl FnMut(&mut Figure, &T, f64, f64, f64) -> f64) {
        const GAP: f64 = 40.0;
        let columns = if panels.len() == 1 { 1 } else { 2 };
        let width = (WIDTH - 2.0 * MARGIN - GAP * (columns - 1) as f64) / columns as f64;
        for line in panels.chunks(columns) {
            let places = (0..).map(|i| MARGIN + f64::from(i) * (width + GAP));
            let heights = line.iter().zip(places).map(|(panel, x)| draw(&mut self.figure, panel, x, self.y, width));
            self.y += heights.fold(0.0, f64::max) + 22.0;
        }
    }

    /// Adds where and how it was measured.
    pub(super) fn finish(self, run: &Run) -> Figure {
        self.finish_with(&footer(run))
    }

    /// Adds these words below everything.
    pub(super) fn finish_with(mut self, words: &str) -> Figure {
        self.figure.line((MARGIN, self.y), (WIDTH - MARGIN, self.y), 1.0, RULE);
        self.y += 16.0;
        for line in wrap(words, TINY, WIDTH - 2.0 * MARGIN) {
            self.figure.text(Text::new(line, MARGIN, self.y, TINY).colour(SOFT));
            self.y += 15.0;
        }
        self.figure.height = self.y + 8.0;
        self.figure
    }
}

/// Where and how a run was measured, as it stands below its charts.
pub fn footer(run: &Run) -> String {
    let header = &run.header;
    let schedule = words::schedule(run);
    let quick = if header.quick { ", quick run" } else { "" };
    let machine = |machine: &crate::record::Machine| {
        let cores = units::count(machine.cores as usize, "core");
        format!("{}, {cores}, Linux {} · ", machine.cpu, machine.kernel)
    };
    let machines: String = header.machines.iter().map(machine).collect();
    format!("{machines}isobar {}, {schedule}, seed {}{quick}", header.isobar, header.seed)
}

/// A panel's name with a line below it; returns how far down it reaches.
pub(super) fn heading(figure: &mut Figure, name: &str, x: f64, y: f64, width: f64) -> f64 {
    figure.text(Text::new(shorten(name, LONGEST_NAME), x, y + 8.0, 14.0).bold());
    figure.line((x, y + 21.0), (x + width, y + 21.0), 1.0, RULE);
    y + 24.0
}

/// The name of a row that starts at `y`.
pub(super) fn name(figure: &mut Figure, row: &Row, x: f64, y: f64) {
    figure.text(Text::new(shorten(row.cell.runtime.as_str(), LONGEST_NAME), x, y + ROW / 2.0, SMALL));
}

/// What a failed cell shows where others have a number.
pub(super) fn failure(failed: &Failed) -> String {
    let times = if failed.failures == failed.processes {
        String::new()
    } else {
        format!(" ({} of {})", failed.failures, failed.processes)
    };
    format!("failed: {}{times}", failed.kind)
}

/// [`failure`] in a row that starts at `y`.
pub(super) fn failed(figure: &mut Figure, failed: &Failed, x: f64, y: f64) {
    figure.text(Text::new(failure(failed), x, y + ROW / 2.0, SMALL).colour(FAILED));
}

/// A tick's label, at the top of an axis.
pub(super) fn tick(figure: &mut Figure, label: String, x: f64, y: f64) {
    figure.text(Text::new(label, x, y, TINY).colour(SOFT).anchor(Anchor::Middle));
}

/// The head of an arrow that ends here, to the right or, with `-1.0`, to the left.
pub(super) fn arrow(figure: &mut Figure, (x, y): (f64, f64), direction: f64) {
    let back = x - 7.0 * direction;
    figure.shapes.push(Shape::Area(vec![(back, y - 4.0), (x, y), (back, y + 4.0)], 1.0, INK));
}

/// `text`, cut to this width.
pub(super) fn fitting(text: &str, width: f64, size: f64, bold: bool) -> String {
    let fits = |text: &String| font::width(text, size, bold) * SLACK <= width;
    let cut = (1..=text.chars().count()).rev().map(|length| shorten(text, length)).find(fits);
    cut.unwrap_or_else(|| "…".to_owned())
}

/// The room that the longest name of a chart's runtimes takes.
pub(super) fn names_width(rows: &[&Row]) -> f64 {
    let names = rows.iter().map(|row| shorten(row.cell.runtime.as_str(), LONGEST_NAME));
    let widths = names.map(|name| font::width(&name, SMALL, false));
    widths.fold(0.0, f64::max) * SLACK + 12.0
}

/// `text` in lines that are at most `width` wide.
fn wrap(text: &str, size: f64, width: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if font::width(&format!("{line} {word}"), size, false) * SLACK <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
