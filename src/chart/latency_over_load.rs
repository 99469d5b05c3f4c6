//! Latency over load: percentiles at each rate, a panel for each server and function.

use super::figure::{Anchor, Figure, Shape, Text};
use super::page::{self, Page};
use super::style::{Axis, Colour, FAILED, FAINT, PALETTE, ROW, RULE, SMALL, SOFT, TINY};
use crate::record::Run;
use crate::report::units::Quantity;
use crate::report::{Measured, PERCENTILES, Row};

const WORDS: &str = "An open loop: requests are due at a fixed rate whether or not the server keeps up, and latency counts \
                     from the moment when a request was due. Where a server falls behind its latency rises without bound. \
                     Percentiles of all requests at a rate; both axes are logarithmic, and all panels share them.";

/// Room for the labels at the left, and for the limit at the right.
pub(super) const LEFT: f64 = 58.0;
pub(super) const RIGHT: f64 = 84.0;
pub(super) const HEIGHT: f64 = 220.0;

/// What is drawn of a rate, in nanoseconds, with its colour.
fn lines() -> Vec<(String, Colour)> {
    let names = std::iter::once("p50".to_owned()).chain(PERCENTILES.iter().map(|percentile| format!("p{percentile}")));
    names.zip([PALETTE[4], PALETTE[0], PALETTE[1], PALETTE[5]]).collect()
}

fn values(measured: &Measured) -> Vec<Option<f64>> {
    let others = measured.percentiles.unwrap_or_default();
    std::iter::once(Some(measured.summary.median)).chain(others).collect()
}

pub(super) fn draw(run: &Run, rows: &[Row]) -> Figure {
    of(run, rows, "http-open", "Latency over load: lower is better")
}

pub(super) fn draw_fresh(run: &Run, rows: &[Row]) -> Figure {
    of(run, rows, "http-open-fresh", "Latency over load with fresh connections: lower is better")
}

fn of(run: &Run, rows: &[Row], scenario: &str, title: &str) -> Figure {
    let mut rows: Vec<&Row> = rows.iter().filter(|row| row.cell.scenario.name() == scenario).collect();
    rows.sort_by_key(|row| (row.cell.function.clone(), row.cell.runtime.clone(), row.cell.scenario));
    let lines = lines();
    let legend: Vec<(&str, Colour)> = lines.iter().map(|(name, colour)| (name.as_str(), *colour)).collect();
    let mut page = Page::new(title, WORDS, &legend);
    let limit_ns = run.header.load.as_ref().and_then(|load| load.p99_below_ns).map(|ns| ns as f64);
    let rates: Vec<f64> = rows.iter().map(|row| f64::from(row.cell.scenario.threads())).collect();
    let measured = rows.iter().filter_map(|row| row.measured());
    let times: Vec<f64> = measured.flat_map(values).flatten().chain(limit_ns).collect();
    let panels: Vec<&[&Row]> =
        rows.chunk_by(|a, b| (&a.cell.function, &a.cell.runtime) == (&b.cell.function, &b.cell.runtime)).collect();
    page.panels(&panels, |figure, panel, x, top, width| {
        let name = format!("{} {}", panel[0].cell.runtime, panel[0].cell.function);
        let y = page::heading(figure, &name, x, top, width) + 14.0;
        let rate = Axis::log(rates.iter().copied(), x + LEFT, x + width - RIGHT);
        let time = Axis::log(times.iter().copied(), y + HEIGHT, y);
        grid(figure, (&rate, &time), (x + LEFT, y, x + width - RIGHT), limit_ns);
        curves(figure, panel, &rate, &time);
        let mut bottom = y + HEIGHT + 34.0;
        for row in *panel {
            if let Err(failed) = &row.outcome {
                let text = format!(
                    "{}: {}",
                    Quantity::Rate.show_tick(f64::from(row.cell.scenario.threads())),
                    page::failure(failed)
                );
                figure.text(Text::new(text, x + LEFT, bottom, SMALL).colour(FAILED));
                bottom += ROW;
            }
        }
        bottom - top
    });
    page.finish(run)
}

/// Both axes, from the left, upper and right side of what they are of, and the limit.
pub(super) fn grid(
    figure: &mut Figure,
    (rate, time): (&Axis, &Axis),
    (left, top, right): (f64, f64, f64),
    limit_ns: Option<f64>,
) {
    for (tick, label) in time.labels(Quantity::Time) {
        let y = time.at(tick);
        figure.line((left, y), (right, y), 1.0, RULE);
        figure.text(Text::new(label, left - 6.0, y, TINY).colour(SOFT).anchor(Anchor::End));
    }
    let bottom = top + HEIGHT;
    figure.line((left, bottom), (right, bottom), 1.0, FAINT);
    for (tick, label) in rate.labels(Quantity::Rate) {
        figure.line((rate.at(tick), bottom), (rate.at(tick), bottom + 3.0), 1.0, FAINT);
        page::tick(figure, label, rate.at(tick), bottom + 12.0);
    }
    page::tick(figure, "requests due".to_owned(), right + RIGHT / 2.0, bottom + 12.0);
    if let Some(limit) = limit_ns {
        let y = time.at(limit);
        figure.line((left, y), (right, y), 1.0, FAILED);
        let text = format!("limit {}", Quantity::Time.show_tick(limit));
        figure.text(Text::new(text, right + 6.0, y, TINY).colour(FAILED));
    }
}

/// A line for each percentile; where a rate failed, or has too few requests for it, there is a gap.
fn curves(figure: &mut Figure, panel: &[&Row], rate: &Axis, time: &Axis) {
    for (at, (_, colour)) in lines().into_iter().enumerate() {
        let point = |row: &&Row| {
            let ns = values(row.measured()?).get(at).copied().flatten()?;
            Some((rate.at(f64::from(row.cell.scenario.threads())), time.at(ns)))
        };
        let points: Vec<Option<(f64, f64)>> = panel.iter().map(point).collect();
        for part in points.split(Option::is_none) {
            let part: Vec<(f64, f64)> = part.iter().flatten().copied().collect();
            part.iter().for_each(|(x, y)| figure.dot(*x, *y, 2.5, colour));
            if part.len() > 1 {
                figure.shapes.push(Shape::Line(part, 1.5, colour));
            }
        }
    }
}
