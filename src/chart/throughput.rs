//! Throughput over threads: lines, a panel for each function and family.

use super::families::{self, Label, Line, Point, Style};
use super::figure::Figure;
use super::page::{self, NO_LEGEND, Page};
use crate::record::Run;
use crate::report::units::{self, Quantity};
use crate::report::{Failed, Row};
use isobar_core::RuntimeId;
use std::collections::BTreeMap;

const WORDS: &str = "Medians of invocations per second when every thread starts its next invocation as soon as its last \
                     one ended; upright lines are 95 % intervals. One panel for each family, the others faint behind it; \
                     the panels of a function share one logarithmic axis. At the right: the rate on the most threads, and \
                     how many times the rate on one thread that is.";

/// A runtime's cells of one function, by threads.
#[derive(Default)]
struct Cells<'a> {
    /// Threads, median, low, high.
    rates: Vec<(u32, [f64; 3])>,
    failures: Vec<(u32, &'a Failed)>,
}

pub(super) fn draw(run: &Run, rows: &[Row]) -> Figure {
    let rows: Vec<&Row> = rows.iter().filter(|row| row.cell.scenario.name() == "throughput").collect();
    let mut page = Page::new("Throughput over threads: higher is better", WORDS, NO_LEGEND);
    let most = rows.iter().map(|row| row.cell.scenario.threads()).max().unwrap_or(1);
    let functions: Vec<(&str, Vec<Line>)> = rows
        .chunk_by(|a, b| a.cell.function == b.cell.function)
        .map(|panel| (panel[0].cell.function.as_str(), lines(panel, most)))
        .collect();
    let style = Style {
        quantity: Quantity::Rate,
        marks: &|width| marks(most, width),
        places: if most == 1 { "thread" } else { "threads" },
        dots: true,
        lines: 0,
    };
    families::draw(&mut page, &functions, &style);
    page.finish(run)
}

fn lines<'a>(rows: &[&'a Row], most: u32) -> Vec<Line<'a>> {
    let mut cells: BTreeMap<&RuntimeId, Cells> = BTreeMap::new();
    for row in rows {
        let of = cells.entry(&row.cell.runtime).or_default();
        let threads = row.cell.scenario.threads();
        match &row.outcome {
            Ok(m) => of.rates.push((threads, [m.summary.median, m.summary.low, m.summary.high])),
            Err(failed) => of.failures.push((threads, failed)),
        }
    }
    let line = |(runtime, cells): (&'a RuntimeId, Cells)| {
        let labels = labels(runtime, &cells);
        let failed = |from: u32, to: u32| cells.failures.iter().any(|(threads, _)| (from..to).contains(threads));
        let next = |at: usize| cells.rates.get(at + 1).map_or(u32::MAX, |(threads, _)| *threads);
        let point = |(at, (threads, value)): (usize, &(u32, [f64; 3]))| Point {
            place: place(*threads, most),
            value: *value,
            gap: failed(*threads, next(at)),
        };
        let class = rows.iter().find(|row| row.cell.runtime == *runtime).map(|row| row.class).unwrap_or_default();
        Line { runtime, class, points: cells.rates.iter().enumerate().map(point).collect(), labels }
    };
    cells.into_iter().map(line).collect()
}

/// Where so many threads are.
fn place(threads: u32, most: u32) -> f64 {
    if most <= 1 { 0.5 } else { f64::from(threads - 1) / f64::from(most - 1) }
}

fn marks(most: u32, width: f64) -> Vec<(f64, String)> {
    let every = (f64::from(most) * 20.0 / width).ceil() as u32;
    let marked = |t: &u32| *t == 1 || *t == most || (t.is_multiple_of(every) && t + every <= most && *t > every / 2);
    (1..=most).filter(marked).map(|threads| (place(threads, most), threads.to_string())).collect()
}

/// What stands beside a line: its name with its last rate (and how many times that on one thread), and what failed.
fn labels(runtime: &RuntimeId, cells: &Cells) -> Vec<Label> {
    let name = families::mode(runtime);
    let mut labels = Vec::new();
    if let Some((most, [last, ..])) = cells.rates.last() {
        let rate = Quantity::Rate.show(*last);
        let one = cells.rates.first().filter(|(threads, _)| *threads == 1 && *most > 1);
        let factor = one.map_or_else(String::new, |(_, [first, ..])| format!(", {}", units::ratio(last / first)));
        labels.push(Label { text: format!("{name} {rate}{factor}"), failed: false });
    }
    if let Some((threads, failed)) = cells.failures.first() {
        let on = match (cells.rates.is_empty(), cells.failures.len() - 1) {
            (true, _) => String::new(),
            (false, 0) => format!(" (on {})", units::count(*threads as usize, "thread")),
            (false, more) => format!(" (on {threads} and {more} more)"),
        };
        labels.push(Label { text: format!("{name} {}{on}", page::failure(failed)), failed: true });
    }
    labels
}
