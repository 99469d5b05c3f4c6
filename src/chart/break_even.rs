//! Deploying against running: what a function costs in all over so many invocations, and which mode is the cheapest when.

use super::figure::{Anchor, Figure, Shape, Text};
use super::page::{self, NO_LEGEND, Page};
use super::style::{Axis, Colour, FAINT, INK, ROW, RULE, SMALL, SOFT, TINY, colour};
use crate::compare::{self, Step, Trades};
use crate::record::Run;
use crate::report::Row;
use crate::report::units::{self, Quantity};

const WORDS: &str = "The time that a function takes in all: to compile ahead of time and to load, once, and then a warm \
                     invocation each time. Faint lines: all modes; thick ones: where a mode is the cheapest of all. A dot is \
                     where the cheapest one changes, below with its time once and with each invocation; the level line through it is the 95 % interval of that number of \
                     invocations, which ends in an arrow if it has no end. The engine is not counted: one serves all \
                     functions.";

const PLOT: f64 = 240.0;
const LEFT: f64 = 58.0;
const RIGHT: f64 = 14.0;
/// The least and the largest number of invocations that the axis ends at.
const FEWEST: f64 = 1e3;
const MOST: f64 = 1e9;

pub(super) fn draw(run: &Run, _rows: &[Row]) -> Figure {
    let trades = compare::trades(run);
    let mut page = Page::new("Total time over invocations: lower is better", WORDS, NO_LEGEND);
    page.panels(&trades, |figure, trades, x, top, width| {
        let y = page::heading(figure, trades.function, x, top, width) + 10.0;
        panel(figure, trades, (x, y, width)) - top
    });
    page.finish(run)
}

fn panel(figure: &mut Figure, trades: &Trades, (x, top, width): (f64, f64, f64)) -> f64 {
    let steps = trades.cheapest();
    let changes = steps.iter().filter_map(|step| step.from).map(|from| from.invocations);
    let most = (10.0 * changes.fold(0.0, f64::max)).clamp(FEWEST, MOST);
    let bottom = top + PLOT;
    let count = Axis::log([1.0, most].into_iter(), x + LEFT, x + width - RIGHT);
    let totals = trades.modes.iter().flat_map(|mode| [mode.cost.total_ns(1.0), mode.cost.total_ns(most)]);
    let time = Axis::log(totals, bottom, top);
    grid(figure, &count, &time, (x + LEFT, top, x + width - RIGHT, bottom));
    let at = |cost: &crate::stats::Cost, n: f64| (count.at(n), time.at(cost.total_ns(n)));
    for mode in &trades.modes {
        figure.shapes.push(Shape::Line(places(1.0, most).map(|n| at(&mode.cost, n)).collect(), 1.0, FAINT));
    }
    let ends = steps.iter().skip(1).map(|step| step.from.map_or(1.0, |from| from.invocations)).chain([most]);
    let mut start = 1.0_f64;
    for ((place, step), end) in steps.iter().enumerate().zip(ends) {
        let end = end.clamp(start, most);
        let points = places(start, end).map(|n| at(&step.mode.cost, n)).collect();
        figure.shapes.push(Shape::Line(points, 3.0, colour(place)));
        start = end;
    }
    for (from, step) in steps.iter().filter_map(|step| Some((step.from?, step))) {
        let (dot, y) = at(&step.mode.cost, from.invocations);
        let (low, high) = (count.at(from.low), count.at(from.high));
        figure.line((low, y), (high, y), 1.5, INK);
        if from.high.is_infinite() {
            page::arrow(figure, (high, y), 1.0);
        }
        figure.dot(dot, y, 4.0, INK);
    }
    list(figure, &steps, (x, bottom + 42.0, width))
}

fn grid(figure: &mut Figure, count: &Axis, time: &Axis, (left, _, right, bottom): (f64, f64, f64, f64)) {
    for (tick, label) in time.labels(Quantity::Time) {
        let y = time.at(tick);
        figure.line((left, y), (right, y), 1.0, RULE);
        figure.text(Text::new(label, left - 6.0, y, TINY).colour(SOFT).anchor(Anchor::End));
    }
    figure.line((left, bottom), (right, bottom), 1.0, FAINT);
    for (tick, label) in count.labels(Quantity::Instructions) {
        figure.line((count.at(tick), bottom), (count.at(tick), bottom + 3.0), 1.0, FAINT);
        page::tick(figure, label.trim_end().to_owned(), count.at(tick), bottom + 11.0);
    }
    page::tick(figure, "invocations".to_owned(), f64::midpoint(left, right), bottom + 25.0);
}

/// Places between two numbers of invocations, at equal factors.
fn places(from: f64, to: f64) -> impl Iterator<Item = f64> {
    const STEPS: u32 = 60;
    (0..=STEPS).map(move |step| from * (to / from).powf(f64::from(step) / f64::from(STEPS)))
}

/// The cheapest modes by their numbers of invocations, each in the colour of its line.
fn list(figure: &mut Figure, steps: &[Step], (x, mut y, width): (f64, f64, f64)) -> f64 {
    let costs = |step: &Step| {
        let cost = step.mode.cost;
        format!("{} + {} each", units::time(cost.once.ns), units::time(cost.each.ns))
    };
    for (place, step) in steps.iter().enumerate() {
        let (colour, middle): (Colour, f64) = (colour(place), y + ROW / 2.0);
        figure.rect(x, middle - 5.5, 11.0, 11.0, colour);
        let text = format!("{}: {}", step.mode.runtime, step.words());
        let costs = Text::new(costs(step), x + width, middle, TINY).anchor(Anchor::End).colour(SOFT);
        let room = width - 17.0 - costs.width() * super::style::SLACK - 12.0;
        let text = page::fitting(&text, room, SMALL, false);
        figure.text(Text::new(text, x + 17.0, middle, SMALL));
        figure.text(costs);
        y += ROW;
    }
    y
}
