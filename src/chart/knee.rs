//! Latency over load, as sweeps found it: a panel for each function and runtime, a line for each strategy of the platform.

use super::figure::{Figure, Shape, Text};
use super::latency_over_load::{HEIGHT, LEFT, RIGHT, grid};
use super::page::{self, Page};
use super::style::{Axis, Colour, FAILED, PALETTE, ROW, SMALL};
use crate::record::{Record, Run};
use crate::remote::STRATEGIES;
use crate::report::Row;
use crate::report::units::Quantity;
use isobar_core::RuntimeId;
use isobar_core::measure::Samples;

const WORDS: &str = "The 99th percentile of the latency at each rate that was tried, in an open loop: requests are due at that \
                     rate whether or not the server keeps up, and latency counts from the moment when a request was due. \
                     Hollow dots are rates that were not held: requests failed, the server fell behind, or the percentile is \
                     above the limit. Of several sweeps, the one with the median result. Both axes are logarithmic, and all \
                     panels share them.";

/// A server that is not isobar's platform.
const ITSELF: &str = "the runtime itself";

/// A runtime in a panel, its strategy, and what became of it.
struct Line<'a> {
    strategy: &'static str,
    row: &'a Row,
    curve: Vec<Point>,
}

struct Point {
    rate: f64,
    p99_ns: f64,
    held: bool,
}

pub(super) fn draw(run: &Run, rows: &[Row]) -> Figure {
    let mut lines: Vec<(String, Line)> = rows
        .iter()
        .filter(|row| row.cell.scenario.name() == "http-knee")
        .map(|row| {
            let (name, strategy) = parts(&row.cell.runtime);
            let curve = sweep(run, row).map(curve).unwrap_or_default();
            (format!("{name} {}", row.cell.function), Line { strategy, row, curve })
        })
        .collect();
    lines.sort_by(|(a, x), (b, y)| (a, place(x.strategy)).cmp(&(b, place(y.strategy))));
    let known = |name: &str| lines.iter().any(|(_, line)| line.strategy == name);
    let names = STRATEGIES.into_iter().chain([ITSELF]);
    let legend: Vec<(&str, Colour)> = names.filter(|name| known(name)).map(|name| (name, colour(name))).collect();
    let mut page = Page::new("Latency over load, by strategy: lower and further right is better", WORDS, &legend);
    let limit_ns = limit_ns(run);
    let points = || lines.iter().flat_map(|(_, line)| &line.curve);
    let rates: Vec<f64> = points().map(|point| point.rate).collect();
    let times: Vec<f64> = points().map(|point| point.p99_ns).chain(limit_ns).collect();
    let panels: Vec<&[(String, Line)]> = lines.chunk_by(|(a, _), (b, _)| a == b).collect();
    page.panels(&panels, |figure, panel, x, top, width| {
        let y = page::heading(figure, &panel[0].0, x, top, width) + 14.0;
        let rate = Axis::log(rates.iter().copied(), x + LEFT, x + width - RIGHT);
        let time = Axis::log(times.iter().copied(), y + HEIGHT, y);
        grid(figure, (&rate, &time), (x + LEFT, y, x + width - RIGHT), limit_ns);
        let mut bottom = y + HEIGHT + 34.0;
        for (_, line) in *panel {
            draw_line(figure, line, &rate, &time);
            let text = match &line.row.outcome {
                Ok(measured) => {
                    let rate = Quantity::Rate.show(measured.summary.median);
                    Text::new(format!("{}: {rate}", line.strategy), x + LEFT, bottom, SMALL)
                }
                Err(failed) => {
                    let text = format!("{}: {}", line.strategy, page::failure(failed));
                    Text::new(text, x + LEFT, bottom, SMALL).colour(FAILED)
                }
            };
            figure.rect(x + LEFT - 17.0, bottom - 5.5, 11.0, 11.0, colour(line.strategy));
            figure.text(text);
            bottom += ROW;
        }
        bottom - top
    });
    page.finish(run)
}

/// A runtime's name without its strategy, and the strategy.
fn parts(runtime: &RuntimeId) -> (String, &'static str) {
    let last = runtime.variants().last();
    match STRATEGIES.into_iter().find(|strategy| Some(*strategy) == last) {
        Some(strategy) => {
            let name = runtime.as_str().strip_suffix(strategy).unwrap_or(runtime.as_str());
            (name.trim_end_matches('+').to_owned(), strategy)
        }
        None => (runtime.to_string(), ITSELF),
    }
}

fn place(strategy: &str) -> usize {
    STRATEGIES.iter().position(|known| *known == strategy).unwrap_or(STRATEGIES.len())
}

fn colour(strategy: &str) -> Colour {
    PALETTE[[5, 0, 2, 3][place(strategy)]]
}

/// The limit that the sweeps had.
fn limit_ns(run: &Run) -> Option<f64> {
    let limits = run.records.iter().filter_map(|record| record.result.as_ref().ok()?.readings.get("p99_below_ns"));
    limits.max().map(|ns| *ns as f64)
}

/// Of the sweeps of a cell, the one with the median knee.
fn sweep<'a>(run: &'a Run, row: &Row) -> Option<&'a Samples> {
    let own = run.records.iter().filter(|record| record.cell == row.cell);
    let with_knee = |record: &'a Record| {
        let samples = &record.result.as_ref().ok()?.samples;
        Some((*row.cell.scenario.values(samples).first()? as u64, record.round, samples))
    };
    let mut sweeps: Vec<_> = own.filter_map(with_knee).collect();
    sweeps.sort_by_key(|(knee, round, _)| (*knee, *round));
    sweeps.get(sweeps.len().saturating_sub(1) / 2).map(|(_, _, samples)| *samples)
}

fn curve(samples: &Samples) -> Vec<Point> {
    let (rates, p99_ns, held) = (samples.column("rate"), samples.column("p99_ns"), samples.column("held"));
    let mut points: Vec<Point> = rates
        .iter()
        .zip(p99_ns)
        .zip(held)
        .map(|((rate, ns), held)| Point { rate: *rate as f64, p99_ns: *ns as f64, held: *held != 0 })
        // Where nothing was answered there is no latency.
        .filter(|point| point.p99_ns > 0.0)
        .collect();
    points.sort_by(|a, b| a.rate.total_cmp(&b.rate));
    points
}

fn draw_line(figure: &mut Figure, line: &Line, rate: &Axis, time: &Axis) {
    let colour = colour(line.strategy);
    let at = |point: &Point| (rate.at(point.rate), time.at(point.p99_ns));
    if line.curve.len() > 1 {
        figure.shapes.push(Shape::Line(line.curve.iter().map(at).collect(), 1.5, colour));
    }
    for point in &line.curve {
        let (x, y) = at(point);
        figure.dot(x, y, 3.0, colour);
        if !point.held {
            figure.dot(x, y, 1.8, super::style::PAPER);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strategy_is_the_last_part_of_a_name() {
        let of = |name: &str| parts(&name.parse().unwrap());
        assert_eq!(of("wasmtime/cranelift+limits+cached"), ("wasmtime/cranelift+limits".to_owned(), "cached"));
        assert_eq!(of("wasmi/eager+naive"), ("wasmi/eager".to_owned(), "naive"));
        assert_eq!(of("workerd/server"), ("workerd/server".to_owned(), ITSELF));
        assert_eq!(of("wasmtime/cranelift+pooling").1, ITSELF);
    }

    #[test]
    fn a_curve_is_ordered_by_rate_and_leaves_out_what_has_no_latency() {
        let samples = Samples::of([("rate", vec![300, 100, 200]), ("p99_ns", vec![0, 5, 6]), ("held", vec![0, 1, 0])]);
        let points: Vec<(f64, bool)> = curve(&samples).iter().map(|point| (point.rate, point.held)).collect();
        assert_eq!(points, [(100.0, true), (200.0, false)]);
    }
}
