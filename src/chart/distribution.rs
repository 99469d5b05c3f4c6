//! How the samples of cells are distributed: densities with their means.

use super::figure::{Figure, Shape, Text};
use super::font;
use super::page::{self, NO_LEGEND, Page};
use super::style::{Axis, Colour, FAINT, RULE, SLACK, SMALL, TINY, colour};
use crate::report::units::{self, Quantity};
use crate::stats::{self, Summary};

/// What the reader has to know to read such a chart.
pub const WORDS: &str = "Kernel density estimates of all samples (Gaussian kernel, Silverman's bandwidth): the higher, the \
                         more samples there are of that value; the areas are equal. Upright lines are means; below the \
                         curves the medians of all samples with their 95 % intervals.";

/// A chart of densities.
pub struct Distributions<'a> {
    /// Its title, which says what is better.
    pub title: &'a str,
    /// What it shows, in words; [`WORDS`] is a good end of them.
    pub words: &'a str,
    /// Where and how it was measured: [`footer`](super::footer).
    pub footer: &'a str,
    /// A panel each.
    pub panels: Vec<Panel<'a>>,
}

/// Densities on one axis.
pub struct Panel<'a> {
    /// Its name.
    pub name: &'a str,
    /// What the samples are.
    pub quantity: Quantity,
    /// What is compared on it.
    pub curves: Vec<Curve<'a>>,
}

/// The samples of one cell.
pub struct Curve<'a> {
    /// What stands beside it.
    pub name: &'a str,
    /// The samples of each process.
    pub processes: Vec<Vec<f64>>,
    /// The seed of the median's interval.
    pub seed: u64,
}

/// A curve with what is shown of it.
struct Drawn<'a> {
    name: &'a str,
    pooled: Vec<f64>,
    mean: f64,
    summary: Summary,
    colour: Colour,
}

/// The height of the plot, of a label above it, and of an interval below it.
const PLOT: f64 = 170.0;
const LABEL: f64 = 17.0;
const INTERVAL: f64 = 9.0;
/// The share of the samples that the axis reaches to, at least.
const REACH: f64 = 0.99;
/// How many places the curves have.
const PLACES: usize = 400;

impl Distributions<'_> {
    /// Draws it. Curves without samples are named as such.
    pub fn figure(&self) -> Figure {
        let mut page = Page::new(self.title, self.words, NO_LEGEND);
        page.panels(&self.panels, |figure, panel, x, top, width| {
            let mut y = page::heading(figure, panel.name, x, top, width) + 4.0;
            for curve in panel.curves.iter().filter(|curve| curve.processes.iter().all(Vec::is_empty)) {
                let text = format!("{}: no samples", fitting(curve.name, width - 90.0));
                figure.text(Text::new(text, x, y + LABEL / 2.0, SMALL).colour(super::style::FAILED));
                y += LABEL;
            }
            let curves = drawn(panel);
            if !curves.is_empty() {
                y = draw(figure, &curves, panel.quantity, (x, y, width));
            }
            y - top
        });
        page.finish_with(self.footer)
    }
}

/// The curves that have samples, by their means.
fn drawn<'a>(panel: &'a Panel) -> Vec<Drawn<'a>> {
    let of = |(at, curve): (usize, &'a Curve)| {
        let summary = Summary::of(&curve.processes, curve.seed)?;
        let mut pooled = curve.processes.concat();
        pooled.sort_unstable_by(f64::total_cmp);
        let mean = pooled.iter().sum::<f64>() / pooled.len() as f64;
        Some(Drawn { name: curve.name, pooled, mean, summary, colour: colour(at) })
    };
    let mut curves: Vec<Drawn> = panel.curves.iter().enumerate().filter_map(of).collect();
    curves.sort_by(|a, b| a.mean.total_cmp(&b.mean));
    curves
}

fn draw(figure: &mut Figure, curves: &[Drawn], quantity: Quantity, (x, top, width): (f64, f64, f64)) -> f64 {
    let (from, to) = ends(curves);
    let axis = Axis::between(from, to, x, x + width);
    for (curve, y) in curves.iter().zip((0..).map(|at| top + LABEL * (f64::from(at) + 0.5))) {
        figure.rect(x, y - 5.5, 11.0, 11.0, curve.colour);
        figure.text(Text::new(label(curve, quantity, (from, to), width - 17.0), x + 17.0, y, SMALL));
    }
    let plot_top = top + LABEL * curves.len() as f64 + 10.0;
    let bottom = plot_top + PLOT;
    for (tick, label) in axis.labels(quantity) {
        figure.line((axis.at(tick), plot_top), (axis.at(tick), bottom), 1.0, RULE);
        let half = font::width(&label, TINY, false) * SLACK / 2.0;
        let below = bottom + 10.0 + INTERVAL * curves.len() as f64;
        page::tick(figure, label, axis.at(tick).clamp(x + half, x + width - half), below);
    }
    let shapes: Vec<_> = curves.iter().filter_map(|c| stats::density(&c.pooled, from, to, PLACES)).collect();
    let highest = shapes.iter().flatten().map(|(_, height)| *height).fold(f64::MIN_POSITIVE, f64::max);
    for (curve, shape) in curves.iter().zip(&shapes) {
        let points: Vec<(f64, f64)> =
            shape.iter().map(|(value, height)| (axis.at(*value), bottom - PLOT * height / highest)).collect();
        let area = std::iter::once((axis.at(from), bottom)).chain(points.iter().copied());
        figure.shapes.push(Shape::Area(area.chain([(axis.at(to), bottom)]).collect(), 0.25, curve.colour));
        figure.shapes.push(Shape::Line(points, 1.5, curve.colour));
    }
    figure.line((axis.at(from), bottom), (axis.at(to), bottom), 1.0, FAINT);
    for (curve, middle) in curves.iter().zip((0..).map(|at| bottom + 6.0 + INTERVAL * f64::from(at))) {
        let mean = axis.at(curve.mean);
        figure.line((mean, plot_top), (mean, bottom), 1.5, curve.colour);
        let (low, high) = (axis.at(curve.summary.low), axis.at(curve.summary.high));
        figure.line((low, middle), (high.max(low + 1.0), middle), 2.0, curve.colour);
        figure.dot(axis.at(curve.summary.median), middle, 3.0, curve.colour);
    }
    bottom + 10.0 + INTERVAL * curves.len() as f64 + 10.0
}

/// Where the axis begins and ends: all but the slowest samples, which are counted in words.
fn ends(curves: &[Drawn]) -> (f64, f64) {
    let low = curves.iter().map(|curve| stats::quantile(&curve.pooled, 1.0 - REACH)).fold(f64::INFINITY, f64::min);
    let ends = |curve: &Drawn| stats::quantile(&curve.pooled, REACH).max(curve.mean).max(curve.summary.high);
    let high = curves.iter().map(ends).fold(f64::NEG_INFINITY, f64::max);
    let low = curves.iter().map(|curve| curve.summary.low.min(curve.mean)).fold(low, f64::min);
    // Samples that are all the same still need an axis.
    let room = ((high - low) * 0.05).max(high.abs() * 0.01).max(f64::MIN_POSITIVE);
    ((low - room).max(0.0), high + room)
}

/// The name with the numbers, and how many samples there are if that has room, too.
fn label(curve: &Drawn, quantity: Quantity, (from, to): (f64, f64), width: f64) -> String {
    let Summary { median, processes, samples, .. } = curve.summary;
    let interval = quantity.show_interval(&curve.summary);
    let outside = curve.pooled.iter().filter(|sample| **sample < from || **sample > to).count();
    let beyond = match outside {
        0 => String::new(),
        n => format!(", {} beyond the axis", units::percent(n as f64 / curve.pooled.len() as f64)),
    };
    let numbers = format!(": mean {}, median {} {interval}", quantity.show(curve.mean), quantity.show(median));
    let count = format!("; {} in {}{beyond}", units::count(samples, "sample"), units::count(processes, "process"));
    let rest = |text: &str| width - font::width(text, SMALL, false) * SLACK - 8.0;
    let whole = format!("{numbers}{count}");
    let name = font::width(curve.name, SMALL, false) * SLACK;
    if rest(&whole) >= name {
        format!("{}{whole}", curve.name)
    } else {
        format!("{}{numbers}", fitting(curve.name, rest(&numbers).max(60.0)))
    }
}

/// `text`, cut to this width.
fn fitting(text: &str, width: f64) -> String {
    page::fitting(text, width, SMALL, false)
}
