//! Iterations against total time: points, the line through them, and what one iteration takes.

use super::figure::{Anchor, Figure, Shape, Text};
use super::page::{self, NO_LEGEND, Page};
use super::style::{Axis, FAILED, FAINT, INK, PALETTE, RULE, SMALL, SOFT, TINY};
use crate::report::units::{self, Quantity};
use crate::stats::Slope;

/// What the reader has to know to read such a chart.
pub const WORDS: &str = "Each dot is so many invocations in a row and the time that they took in all. The line has the least \
                         squares; its slope is the time of one invocation, the band shows the slope's 95 % interval. Dots \
                         that lie on the line say that every invocation costs the same, however many there are.";

/// A chart of regressions.
pub struct Regressions<'a> {
    /// Its title, which says what is better.
    pub title: &'a str,
    /// What it shows, in words; [`WORDS`] is a good end of them.
    pub words: &'a str,
    /// Where and how it was measured: [`footer`](super::footer).
    pub footer: &'a str,
    /// A panel each.
    pub panels: Vec<Panel<'a>>,
}

/// One cell.
pub struct Panel<'a> {
    /// Its name.
    pub name: &'a str,
    /// By process: numbers of iterations, with the time that they took in all, in nanoseconds. [`rising`] makes them of
    /// samples.
    pub processes: Vec<Vec<(f64, f64)>>,
}

const PLOT: f64 = 240.0;
const LEFT: f64 = 58.0;
const RIGHT: f64 = 14.0;

/// The samples of a process in their order, in groups of d, 2 d, 3 d, ..., as Criterion takes them: for each group how many
/// samples it has, and their sum. d is such that there are at most `groups`; samples that are left over do not count.
pub fn rising(samples: &[f64], groups: usize) -> Vec<(f64, f64)> {
    let groups = groups.clamp(1, 10_000);
    let unit = (samples.len() / (groups * (groups + 1) / 2)).max(1);
    let mut rest = samples;
    let mut points = Vec::new();
    for size in (1..=groups).map(|group| group * unit) {
        let Some((group, behind)) = rest.split_at_checked(size) else { break };
        points.push((size as f64, group.iter().sum()));
        rest = behind;
    }
    points
}

impl Regressions<'_> {
    /// Draws it. A panel with too few points for a slope says so.
    pub fn figure(&self) -> Figure {
        let mut page = Page::new(self.title, self.words, NO_LEGEND);
        page.panels(&self.panels, |figure, panel, x, top, width| {
            let y = page::heading(figure, panel.name, x, top, width) + 8.0;
            let Some(slope) = Slope::of(&panel.processes) else {
                figure.text(Text::new("too few points for a slope", x, y + 8.0, SMALL).colour(FAILED));
                return y + 24.0 - top;
            };
            draw(figure, panel, &slope, (x, y, width)) - top
        });
        page.finish_with(self.footer)
    }
}

fn draw(figure: &mut Figure, panel: &Panel, slope: &Slope, (x, top, width): (f64, f64, f64)) -> f64 {
    let points: Vec<(f64, f64)> = panel.processes.concat();
    let text = format!(
        "{} per invocation, 95 % interval {} to {}; {} of {}",
        units::time(slope.slope),
        units::time(slope.low.max(0.0)),
        units::time(slope.high.max(0.0)),
        units::count(points.len(), "point"),
        units::count(panel.processes.iter().filter(|process| !process.is_empty()).count(), "process")
    );
    figure.text(Text::new(text, x, top + 8.0, SMALL));
    let (top, bottom) = (top + 26.0, top + 26.0 + PLOT);
    let most = points.iter().map(|point| point.0).fold(0.0, f64::max) * 1.02;
    let at = |iterations: f64, slope_ns: f64| {
        // The line turns around the middle of all points.
        let middle = points.iter().map(|point| point.0).sum::<f64>() / points.len() as f64;
        slope.intercept + slope.slope * middle + slope_ns * (iterations - middle)
    };
    let times = points.iter().map(|point| point.1).chain([at(most, slope.high)]);
    let time = Axis::between(0.0, round_up(times.fold(0.0, f64::max)), bottom, top);
    let count = Axis::between(0.0, round_up(most), x + LEFT, x + width - RIGHT);
    for (tick, label) in time.labels(Quantity::Time) {
        let y = time.at(tick);
        figure.line((x + LEFT, y), (x + width - RIGHT, y), 1.0, RULE);
        figure.text(Text::new(label, x + LEFT - 6.0, y, TINY).colour(SOFT).anchor(Anchor::End));
    }
    figure.line((x + LEFT, bottom), (x + width - RIGHT, bottom), 1.0, FAINT);
    for (tick, label) in count.labels(Quantity::Instructions) {
        page::tick(figure, label.trim_end().to_owned(), count.at(tick), bottom + 11.0);
    }
    page::tick(figure, "invocations in a row".to_owned(), x + LEFT + (width - LEFT - RIGHT) / 2.0, bottom + 25.0);
    let corner = |iterations: f64, slope_ns: f64| (count.at(iterations), time.at(at(iterations, slope_ns).max(0.0)));
    let band = [corner(0.0, slope.high), corner(most, slope.low), corner(most, slope.high), corner(0.0, slope.low)];
    // The band is two triangles that meet where the line turns.
    let middle = points.iter().map(|point| point.0).sum::<f64>() / points.len() as f64;
    for ends in [[band[0], band[3]], [band[1], band[2]]] {
        figure.shapes.push(Shape::Area(vec![ends[0], ends[1], corner(middle, slope.slope)], 0.3, PALETTE[4]));
    }
    for (iterations, ns) in &points {
        figure.dot(count.at(*iterations), time.at(*ns), 2.0, PALETTE[0]);
    }
    figure.shapes.push(Shape::Line(vec![corner(0.0, slope.slope), corner(most, slope.slope)], 1.5, INK));
    bottom + 36.0
}

/// The next number of one and a half digits: an axis ends at a round number.
fn round_up(value: f64) -> f64 {
    let power = 10_f64.powi(value.max(f64::MIN_POSITIVE).log10().floor() as i32);
    let steps = [1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0];
    steps.into_iter().map(|step| step * power).find(|end| *end >= value).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_rise_and_hold_every_sample_once() {
        let samples: Vec<f64> = (1..=100).map(f64::from).collect();
        let points = rising(&samples, 10);
        // 1 + 2 + ... + 10 = 55 samples.
        assert_eq!(points.len(), 10);
        assert_eq!(points[..3], [(1.0, 1.0), (2.0, 5.0), (3.0, 15.0)]);
        assert_eq!(points.iter().map(|point| point.1).sum::<f64>(), (1..=55).map(f64::from).sum::<f64>());
        assert_eq!(rising(&samples, 4)[0].0, 10.0);
        assert_eq!(rising(&[], 10), []);
        assert_eq!(rising(&[5.0], 10), [(1.0, 5.0)]);
    }

    #[test]
    fn an_axis_ends_at_a_round_number() {
        assert_eq!([0.9, 1.0, 17.0, 240.0, 9.5e6].map(round_up), [1.0, 1.0, 20.0, 250.0, 1e7]);
    }
}
