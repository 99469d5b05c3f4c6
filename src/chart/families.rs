//! Lines, a panel for each function and family of runtimes: a family's lines bold and named at their ends, the others
//! faint behind them.

use super::figure::{Anchor, Figure, Shape, Text};
use super::font;
use super::page::{self, Page};
use super::style::{Axis, Colour, FAILED, FAINT, MARGIN, RULE, SLACK, SMALL, SOFT, TINY, WIDTH, colour};
use crate::report::summary::shorten;
use crate::report::units::Quantity;
use crate::report::words;
use isobar_core::{Class, RuntimeId};
use std::collections::BTreeSet;

/// The least width of a plot; the left and right room is for what is at its axes.
const PLOT: f64 = 110.0;
const LEFT: f64 = 50.0;
const LEADER: f64 = 26.0;
/// The distance of two labels.
const PITCH: f64 = 15.0;
/// The lowest plot.
const LOWEST: f64 = 96.0;
/// Room between the sides of a plot and the first and the last place in it.
const INSET: f64 = 8.0;

/// A runtime's values for one function.
pub(super) struct Line<'a> {
    pub(super) runtime: &'a RuntimeId,
    /// What stands between the function and its host.
    pub(super) class: Class,
    /// By their places.
    pub(super) points: Vec<Point>,
    /// What stands beside it.
    pub(super) labels: Vec<Label>,
}

/// What stands beside a line.
pub(super) struct Label {
    pub(super) text: String,
    /// Whether it is about something that failed.
    pub(super) failed: bool,
}

/// A point of a line.
#[derive(Clone, Copy)]
pub(super) struct Point {
    /// Its place, from 0 at the left to 1 at the right.
    pub(super) place: f64,
    /// Its value, and the ends of its interval.
    pub(super) value: [f64; 3],
    /// Whether there is a gap behind it.
    pub(super) gap: bool,
}

/// How lines are drawn.
pub(super) struct Style<'a> {
    /// What the values are.
    pub(super) quantity: Quantity,
    /// The marked places with their labels, for a plot of this width.
    pub(super) marks: &'a dyn Fn(f64) -> Vec<(f64, String)>,
    /// What the places are.
    pub(super) places: &'a str,
    /// Whether points have dots.
    pub(super) dots: bool,
    /// The lowest plot, in labels.
    pub(super) lines: usize,
}

/// The axes of a panel.
struct Axes {
    values: Axis,
    /// Where the plot starts, and how wide it is.
    x: f64,
    width: f64,
}

/// How the panels of all functions are laid out.
struct Grid {
    columns: usize,
    /// The width of a panel, and of the plot in it.
    width: f64,
    plot: f64,
}

/// Draws the panels of all `functions`, each with its name and its lines, families together.
pub(super) fn draw(page: &mut Page, functions: &[(&str, Vec<Line>)], style: &Style) {
    let labels = functions.iter().flat_map(|(_, lines)| lines).flat_map(|line| &line.labels);
    let widest = labels.map(|label| font::width(&label.text, SMALL, false)).fold(0.0, f64::max) * SLACK;
    let beside = LEFT + LEADER + widest + 30.0;
    let columns = (((WIDTH - 2.0 * MARGIN) / (beside + PLOT)) as usize).max(1);
    let width = (WIDTH - 2.0 * MARGIN) / columns as f64;
    let grid = Grid { columns, width, plot: (width - beside).max(PLOT) };
    for (name, lines) in functions {
        page.y = page::heading(&mut page.figure, name, MARGIN, page.y, WIDTH - 2.0 * MARGIN);
        page.y = section(&mut page.figure, lines, &grid, style, page.y) + 16.0;
    }
}

/// A mode's name, as it stands beside its line.
pub(super) fn mode(runtime: &RuntimeId) -> String {
    shorten(runtime.as_str().split_once('/').map_or("", |(_, name)| name), page::LONGEST_NAME)
}

/// The panels of one function, the one with most labels first, each in the column that is shortest so far; returns how
/// far down they reach.
fn section(figure: &mut Figure, lines: &[Line], grid: &Grid, style: &Style, top: f64) -> f64 {
    let mut families: Vec<&[Line]> = lines.chunk_by(|a, b| a.runtime.family() == b.runtime.family()).collect();
    let labelled = |family: &[Line]| family.iter().map(|line| line.labels.len()).sum::<usize>();
    families.sort_by_key(|family| std::cmp::Reverse(labelled(family)));
    let values = || lines.iter().flat_map(|line| &line.points).flat_map(|point| point.value);
    let several = lines.windows(2).any(|pair| pair[0].class != pair[1].class);
    let mut columns = vec![top; grid.columns];
    for family in families {
        let column = (0..columns.len()).min_by(|a, b| columns[*a].total_cmp(&columns[*b])).unwrap_or(0);
        let (x, y) = (MARGIN + column as f64 * grid.width, columns[column] + 30.0);
        let bottom = y + (labelled(family).max(style.lines) as f64 * PITCH).max(LOWEST);
        let axes = Axes { values: Axis::log(values(), bottom, y), x: x + LEFT, width: grid.plot };
        let name = Text::new(family[0].runtime.family(), axes.x, y - 16.0, SMALL + 0.5).bold();
        if several {
            let x = axes.x + name.width() * SLACK + 8.0;
            let classes: BTreeSet<Class> = family.iter().map(|line| line.class).collect();
            let classes: Vec<&str> = classes.into_iter().map(words::class).collect();
            let classes = page::fitting(&classes.join(", "), axes.x - LEFT + grid.width - x - 8.0, TINY, false);
            figure.text(Text::new(classes, x, y - 16.0, TINY).colour(SOFT));
        }
        figure.text(name);
        draw_grid(figure, &axes, style, bottom);
        let others = lines.iter().filter(|line| line.runtime.family() != family[0].runtime.family());
        others.for_each(|line| stroke(figure, line, &axes, FAINT, 1.0));
        draw_family(figure, family, &axes, style, (y, bottom));
        columns[column] = bottom + 34.0;
    }
    columns.into_iter().fold(top, f64::max)
}

impl Axes {
    /// Where a place is.
    fn at(&self, place: f64) -> f64 {
        self.x + INSET + (self.width - 2.0 * INSET) * place
    }

    /// Where the plot ends.
    fn end(&self) -> f64 {
        self.x + self.width
    }

    fn point(&self, point: &Point) -> (f64, f64) {
        (self.at(point.place), self.values.at(point.value[0]))
    }
}

fn draw_grid(figure: &mut Figure, axes: &Axes, style: &Style, bottom: f64) {
    for (tick, label) in axes.values.labels(style.quantity) {
        let y = axes.values.at(tick);
        figure.line((axes.x, y), (axes.end(), y), 1.0, RULE);
        figure.text(Text::new(label, axes.x - 6.0, y, TINY).colour(SOFT).anchor(Anchor::End));
    }
    figure.line((axes.x, bottom), (axes.end(), bottom), 1.0, FAINT);
    for (place, label) in (style.marks)(axes.width) {
        page::tick(figure, label, axes.at(place), bottom + 10.0);
    }
    page::tick(figure, style.places.to_owned(), axes.x + axes.width / 2.0, bottom + 23.0);
}

/// The line; behind a point with a gap it begins anew.
fn stroke(figure: &mut Figure, line: &Line, axes: &Axes, colour: Colour, width: f64) {
    for part in line.points.chunk_by(|a, _| !a.gap) {
        let points: Vec<_> = part.iter().map(|point| axes.point(point)).collect();
        if let [(x, y)] = points[..] {
            figure.line((x - 3.0, y), (x + 3.0, y), width, colour);
        } else {
            figure.shapes.push(Shape::Line(points, width, colour));
        }
    }
}

fn draw_family(figure: &mut Figure, family: &[Line], axes: &Axes, style: &Style, (top, bottom): (f64, f64)) {
    let mut modes: Vec<&str> = family.iter().map(|line| line.runtime.mode()).collect();
    modes.dedup();
    let mut ends = Vec::new();
    for line in family {
        let colour = colour(modes.iter().position(|mode| *mode == line.runtime.mode()).unwrap_or(0));
        stroke(figure, line, axes, colour, 1.5);
        for point in line.points.iter().filter(|_| style.dots) {
            let ((x, y), [_, low, high]) = (axes.point(point), point.value);
            figure.line((x, axes.values.at(low)), (x, axes.values.at(high)), 1.5, colour);
            figure.dot(x, y, 2.5, colour);
        }
        let last = line.points.last().map(|point| axes.point(point));
        for label in &line.labels {
            let (ink, place) = if label.failed { (FAILED, None) } else { (colour, last) };
            ends.push(End { place, y: place.map_or(bottom, |(_, y)| y), text: label.text.clone(), ink });
        }
    }
    spread(&mut ends, top, bottom);
    let right = axes.at(1.0) + 4.0;
    for End { place, y, text, ink } in ends {
        let label = Text::new(text, axes.end() + LEADER, y, SMALL);
        if let Some((x, start)) = place {
            dotted(figure, (x + 4.0, right), start, ink);
            let leader = vec![(right, start), (axes.end() + 2.0, start), (axes.end() + LEADER - 4.0, y)];
            figure.shapes.push(Shape::Line(leader, 0.5, ink));
            figure.text(label);
        } else {
            figure.text(label.colour(ink));
        }
    }
}

/// Leads from the last point to the side, where a line ends earlier than others: a whole line would look like a value
/// that stays the same.
fn dotted(figure: &mut Figure, (from, to): (f64, f64), y: f64, colour: Colour) {
    let mut x = from + 4.0;
    while x < to {
        figure.line((x, y), (x + 1.0, y), 0.5, colour);
        x += 6.0;
    }
}

/// A label at the end of a line.
struct End {
    /// Where the line ends, if there is one.
    place: Option<(f64, f64)>,
    y: f64,
    text: String,
    ink: Colour,
}

/// Moves labels apart, as little as possible in their order, within `top` and `bottom`.
fn spread(ends: &mut [End], top: f64, bottom: f64) {
    ends.sort_by(|a, b| a.place.is_none().cmp(&b.place.is_none()).then(a.y.total_cmp(&b.y)));
    let mut next = top;
    for end in ends.iter_mut() {
        end.y = end.y.max(next);
        next = end.y + PITCH;
    }
    let mut next = bottom;
    for end in ends.iter_mut().rev() {
        end.y = end.y.min(next);
        next = end.y - PITCH;
    }
}
