//! Throughput over threads: lines, a panel for each function and family.

use super::figure::{Anchor, Figure, Shape, Text};
use super::font;
use super::page::{self, Page};
use super::style::{Axis, Colour, FAILED, FAINT, MARGIN, RULE, SLACK, SMALL, SOFT, TINY, WIDTH, colour};
use crate::record::Run;
use crate::report::summary::shorten;
use crate::report::units::{self, Quantity};
use crate::report::{Failed, Row};
use isobar_core::RuntimeId;
use std::collections::BTreeMap;

const WORDS: &str = "Medians of invocations per second when every thread starts its next invocation as soon as its last \
                     one ended; upright lines are 95 % intervals. One panel for each family, the others faint behind it; \
                     the panels of a function share one logarithmic axis. At the right: the rate on the most threads, and \
                     how many times the rate on one thread that is.";

/// The least width of a plot; the left and right room is for what is at its axes.
const PLOT: f64 = 110.0;
const LEFT: f64 = 50.0;
const LEADER: f64 = 26.0;
/// The distance of two labels.
const PITCH: f64 = 15.0;
/// The lowest plot.
const LOWEST: f64 = 96.0;

/// A runtime's cells of one function, by threads.
struct Line<'a> {
    runtime: &'a RuntimeId,
    /// Threads, median, low, high.
    points: Vec<(u32, [f64; 3])>,
    failures: Vec<(u32, &'a Failed)>,
}

/// The axes of a panel.
struct Axes {
    rate: Axis,
    most: u32,
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
    most: u32,
}

pub(super) fn draw(run: &Run, rows: &[Row]) -> Figure {
    let rows: Vec<&Row> = rows.iter().filter(|row| row.cell.scenario.name() == "throughput").collect();
    let mut page = Page::new("Throughput over threads: higher is better", WORDS, &[]);
    let functions: Vec<Vec<Line>> = rows.chunk_by(|a, b| a.cell.function == b.cell.function).map(lines).collect();
    let labels = functions.iter().flatten().flat_map(|line| labels(line).into_iter().map(|(_, text)| text));
    let widest = labels.map(|text| font::width(&text, SMALL, false)).fold(0.0, f64::max) * SLACK;
    let beside = LEFT + LEADER + widest + 30.0;
    let columns = (((WIDTH - 2.0 * MARGIN) / (beside + PLOT)) as usize).max(1);
    let width = (WIDTH - 2.0 * MARGIN) / columns as f64;
    let most = rows.iter().map(|row| row.cell.scenario.threads()).max().unwrap_or(1);
    let grid = Grid { columns, width, plot: (width - beside).max(PLOT), most };
    for (panel, lines) in rows.chunk_by(|a, b| a.cell.function == b.cell.function).zip(&functions) {
        page.y = page::heading(&mut page.figure, &panel[0].cell.function, MARGIN, page.y, WIDTH - 2.0 * MARGIN);
        page.y = section(&mut page.figure, lines, &grid, page.y) + 16.0;
    }
    page.finish(run)
}

fn lines<'a>(rows: &[&'a Row]) -> Vec<Line<'a>> {
    let mut lines: BTreeMap<&RuntimeId, Line> = BTreeMap::new();
    for row in rows {
        let runtime = &row.cell.runtime;
        let line = lines.entry(runtime).or_insert_with(|| Line { runtime, points: vec![], failures: vec![] });
        let threads = row.cell.scenario.threads();
        match &row.outcome {
            Ok(m) => line.points.push((threads, [m.summary.median, m.summary.low, m.summary.high])),
            Err(failed) => line.failures.push((threads, failed)),
        }
    }
    lines.into_values().collect()
}

/// The panels of one function, the one with most labels first, each in the column that is shortest so far; returns how
/// far down they reach.
fn section(figure: &mut Figure, lines: &[Line], grid: &Grid, top: f64) -> f64 {
    let mut families: Vec<&[Line]> = lines.chunk_by(|a, b| a.runtime.family() == b.runtime.family()).collect();
    let labelled = |family: &[Line]| family.iter().map(|line| labels(line).len()).sum::<usize>();
    families.sort_by_key(|family| std::cmp::Reverse(labelled(family)));
    let values = || lines.iter().flat_map(|line| &line.points).flat_map(|(_, [_, low, high])| [*low, *high]);
    let mut columns = vec![top; grid.columns];
    for family in families {
        let column = (0..columns.len()).min_by(|a, b| columns[*a].total_cmp(&columns[*b])).unwrap_or(0);
        let (x, y) = (MARGIN + column as f64 * grid.width, columns[column] + 30.0);
        let bottom = y + (labelled(family) as f64 * PITCH).max(LOWEST);
        let axes = Axes { rate: Axis::log(values(), bottom, y), most: grid.most, x: x + LEFT, width: grid.plot };
        figure.text(Text::new(family[0].runtime.family(), axes.x, y - 16.0, SMALL + 0.5).bold());
        draw_grid(figure, &axes, bottom);
        let others = lines.iter().filter(|line| line.runtime.family() != family[0].runtime.family());
        others.for_each(|line| stroke(figure, line, &axes, FAINT, 1.0));
        draw_family(figure, family, &axes, (y, bottom));
        columns[column] = bottom + 34.0;
    }
    columns.into_iter().fold(top, f64::max)
}

impl Axes {
    /// Where so many threads are.
    fn threads(&self, threads: u32) -> f64 {
        if self.most <= 1 {
            return self.x + self.width / 2.0;
        }
        self.x + 8.0 + (self.width - 16.0) * f64::from(threads - 1) / f64::from(self.most - 1)
    }

    /// Where the plot ends.
    fn end(&self) -> f64 {
        self.x + self.width
    }
}

fn draw_grid(figure: &mut Figure, axes: &Axes, bottom: f64) {
    for (tick, label) in axes.rate.labels(Quantity::Rate) {
        let y = axes.rate.at(tick);
        figure.line((axes.x, y), (axes.end(), y), 1.0, RULE);
        figure.text(Text::new(label, axes.x - 6.0, y, TINY).colour(SOFT).anchor(Anchor::End));
    }
    figure.line((axes.x, bottom), (axes.end(), bottom), 1.0, FAINT);
    let every = (f64::from(axes.most) * 20.0 / axes.width).ceil() as u32;
    let marked =
        |t: &u32| *t == 1 || *t == axes.most || (t.is_multiple_of(every) && t + every <= axes.most && *t > every / 2);
    for threads in (1..=axes.most).filter(marked) {
        page::tick(figure, threads.to_string(), axes.threads(threads), bottom + 10.0);
    }
    let middle = axes.x + axes.width / 2.0;
    page::tick(figure, if axes.most == 1 { "thread" } else { "threads" }.to_owned(), middle, bottom + 23.0);
}

/// The line; where a number of threads failed there is a gap.
fn stroke(figure: &mut Figure, line: &Line, axes: &Axes, colour: Colour, width: f64) {
    let failed = |from: u32, to: u32| line.failures.iter().any(|(threads, _)| (from..to).contains(threads));
    for part in line.points.chunk_by(|a, b| !failed(a.0, b.0)) {
        let points: Vec<_> = part.iter().map(|(n, [median, ..])| (axes.threads(*n), axes.rate.at(*median))).collect();
        if let [(x, y)] = points[..] {
            figure.line((x - 3.0, y), (x + 3.0, y), width, colour);
        } else {
            figure.shapes.push(Shape::Line(points, width, colour));
        }
    }
}

fn draw_family(figure: &mut Figure, family: &[Line], axes: &Axes, (top, bottom): (f64, f64)) {
    let mut modes: Vec<&str> = family.iter().map(|line| line.runtime.mode()).collect();
    modes.dedup();
    let mut ends = Vec::new();
    for line in family {
        let colour = colour(modes.iter().position(|mode| *mode == line.runtime.mode()).unwrap_or(0));
        stroke(figure, line, axes, colour, 1.5);
        for (threads, [median, low, high]) in &line.points {
            let (x, y) = (axes.threads(*threads), axes.rate.at(*median));
            figure.line((x, axes.rate.at(*low)), (x, axes.rate.at(*high)), 1.5, colour);
            figure.dot(x, y, 2.5, colour);
        }
        let last = line.points.last().map(|(n, [median, ..])| (axes.threads(*n), axes.rate.at(*median)));
        for (failed, text) in labels(line) {
            let (ink, place) = if failed { (FAILED, None) } else { (colour, last) };
            ends.push(End { place, y: place.map_or(bottom, |(_, y)| y), text, ink });
        }
    }
    spread(&mut ends, top, bottom);
    for End { place, y, text, ink } in ends {
        let label = Text::new(text, axes.end() + LEADER, y, SMALL);
        if let Some((x, start)) = place {
            dotted(figure, (x + 4.0, axes.threads(axes.most) + 4.0), start, ink);
            let leader =
                vec![(axes.threads(axes.most) + 4.0, start), (axes.end() + 2.0, start), (axes.end() + LEADER - 4.0, y)];
            figure.shapes.push(Shape::Line(leader, 0.5, ink));
            figure.text(label);
        } else {
            figure.text(label.colour(ink));
        }
    }
}

/// Leads from the last point to the side, where a runtime was not measured on more threads: a whole line would look like
/// a rate that stays the same.
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

/// What stands beside a line: its name with its last rate (and how many times that on one thread), and what failed.
/// Each with whether it is about a failure.
fn labels(line: &Line) -> Vec<(bool, String)> {
    let name = shorten(line.runtime.as_str().split_once('/').map_or("", |(_, name)| name), page::LONGEST_NAME);
    let mut labels = Vec::new();
    if let Some((most, [last, ..])) = line.points.last() {
        let rate = Quantity::Rate.show(*last);
        let one = line.points.first().filter(|(threads, _)| *threads == 1 && *most > 1);
        let factor = one.map_or_else(String::new, |(_, [first, ..])| format!(", {}", units::ratio(last / first)));
        labels.push((false, format!("{name} {rate}{factor}")));
    }
    if let Some((threads, failed)) = line.failures.first() {
        let on = match (line.points.is_empty(), line.failures.len() - 1) {
            (true, _) => String::new(),
            (false, 0) => format!(" (on {})", units::count(*threads as usize, "thread")),
            (false, more) => format!(" (on {threads} and {more} more)"),
        };
        labels.push((true, format!("{name} {}{on}", page::failure(failed))));
    }
    labels
}
