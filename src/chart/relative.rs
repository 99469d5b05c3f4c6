//! Execution times relative to native code.

use super::figure::{Anchor, Figure, Text};
use super::page::{self, Page, names_width};
use super::points::{self, Colours};
use super::samples::Index;
use super::style::{Axis, FAINT, ROW, RULE, SMALL, SOFT};
use crate::record::Run;
use crate::report::Row;
use crate::report::units::{self, Quantity};
use crate::stats::{self, Ratio, Summary};
use isobar_core::{Class, RuntimeId};

const WORDS: &str = "How many times the reference's time a function's code takes to execute, once its sandbox is there: the \
                     phase `execute` of warm invocations, a sandbox's making and release left out. What starts a process \
                     for an invocation has no such phase without the start, and is left out. Ratios of medians; the line \
                     through a dot is its 95 % interval. Logarithmic axes.";

/// What runs native code without a start: a process that is started has no phase to compare with.
const NATIVE: &str = "native/in-process";
/// Room for the numbers at the right.
const LABEL: f64 = 132.0;

/// A runtime's execution times: its row, the samples of each process, and their median in nanoseconds.
struct Executed<'a> {
    row: &'a Row,
    processes: Vec<Vec<f64>>,
    median_ns: f64,
}

pub(super) fn draw(run: &Run, rows: &[Row]) -> Figure {
    let index = Index::of(run);
    let mut rows: Vec<&Row> = rows.iter().filter(|row| row.cell.scenario.name() == "warm").collect();
    let native = Some(NATIVE)
        .filter(|name| rows.iter().any(|row| row.cell.runtime.as_str() == *name && row.measured().is_some()));
    let (title, reference) = match native {
        Some(name) => ("Execution time relative to native code: lower is better", format!("The reference is {name}.")),
        None => (
            "Execution time relative to the fastest: lower is better",
            "This run measured no native code: the reference is the fastest runtime of each function.".to_owned(),
        ),
    };
    if rows.iter().any(|row| is_inside(row)) {
        rows.retain(|row| is_inside(row) || Some(row.cell.runtime.as_str()) == native);
    }
    let colours = Colours::of(run);
    let mut page = Page::new(title, &format!("{WORDS} {reference}"), &colours.legend(&rows));
    let names = names_width(&rows);
    let panels: Vec<&[&Row]> = rows.chunk_by(|a, b| a.cell.function == b.cell.function).collect();
    page.panels(&panels, |figure, panel, x, top, width| {
        let mut y = page::heading(figure, &panel[0].cell.function, x, top, width);
        let all = executed(&index, panel);
        let of_native = all.iter().find(|e| Some(e.row.cell.runtime.as_str()) == native);
        if native.is_some() && of_native.is_none() && !all.is_empty() {
            let text = "no native code of this function was measured: the reference is the fastest";
            let text = page::fitting(text, width, SMALL, false);
            figure.text(Text::new(text, x, y + ROW / 2.0, SMALL).colour(SOFT));
            y += ROW;
        }
        if let Some(base) = of_native.or(all.first()) {
            y = draw_ratios(figure, &all, base, run.header.seed, (x, y, width), (names, &colours));
        }
        points::failures(figure, panel, names, x, y) - top
    });
    page.finish(run)
}

/// The runtimes of a panel that have a number, the fastest first.
fn executed<'a>(index: &Index, panel: &[&'a Row]) -> Vec<Executed<'a>> {
    let of = |row: &&'a Row| {
        row.measured()?;
        let processes = index.processes(&row.cell, |samples| samples.sums(&["execute_ns"]));
        let median_ns = stats::median(&mut processes.concat())?;
        // What took no time that the clock can tell has no ratio to anything.
        (median_ns > 0.0).then_some(Executed { row, processes, median_ns })
    };
    let mut all: Vec<Executed> = panel.iter().filter_map(of).collect();
    all.sort_by(|a, b| a.median_ns.total_cmp(&b.median_ns).then(a.row.cell.runtime.cmp(&b.row.cell.runtime)));
    all
}

/// Whether an invocation is a call in a process that runs.
fn is_inside(row: &Row) -> bool {
    matches!(row.class, Class::Wasm | Class::Isolate)
}

fn draw_ratios(
    figure: &mut Figure,
    all: &[Executed],
    base: &Executed,
    seed: u64,
    (x, mut y, width): (f64, f64, f64),
    (names, colours): (f64, &Colours),
) -> f64 {
    let ratios: Vec<(&Executed, Option<Ratio>)> = all.iter().map(|e| (e, ratio(e, base, seed))).collect();
    let summary = |Ratio { ratio, low, high, .. }: Ratio| Summary {
        median: ratio,
        low,
        high,
        mad: 0.0,
        processes: 1,
        samples: 1,
    };
    let one = Summary { median: 1.0, low: 1.0, high: 1.0, mad: 0.0, processes: 1, samples: 1 };
    let summaries: Vec<Summary> = ratios.iter().filter_map(|(_, ratio)| ratio.map(summary)).chain([one]).collect();
    let axis = points::axis_of(summaries.iter()).unwrap_or(Axis::log([].into_iter(), 0.0, 1.0));
    let axis = axis.from_to(x + names, x + width - LABEL);
    let bottom = y + points::AXIS + ROW * all.len() as f64;
    for (tick, label) in axis.labels_by(|ratio| format!("{ratio}x")) {
        figure.line((axis.at(tick), y + points::AXIS - 4.0), (axis.at(tick), bottom), 1.0, RULE);
        page::tick(figure, label, axis.at(tick), y + 10.0);
    }
    figure.line((axis.at(1.0), y + points::AXIS - 4.0), (axis.at(1.0), bottom), 1.5, FAINT);
    y += points::AXIS;
    for (executed, ratio) in ratios {
        page::name(figure, executed.row, x, y);
        let (middle, colour) = (y + ROW / 2.0, colours.colour(executed.row));
        let text = match ratio {
            Some(known) => {
                points::point(figure, &summary(known), &axis, colour, y);
                if executed.row.cell.runtime == base.row.cell.runtime {
                    "reference".to_owned()
                } else {
                    units::ratio(known.ratio)
                }
            }
            // A time of 0 has no ratio.
            None => "-".to_owned(),
        };
        figure.text(Text::new(text, x + width - 66.0, middle, SMALL).anchor(Anchor::End));
        let time = Quantity::Time.show(executed.median_ns);
        figure.text(Text::new(time, x + width, middle, SMALL).anchor(Anchor::End).colour(SOFT));
        y += ROW;
    }
    y
}

fn ratio(new: &Executed, base: &Executed, seed: u64) -> Option<Ratio> {
    let id: &RuntimeId = &new.row.cell.runtime;
    if *id == base.row.cell.runtime {
        return Some(Ratio { ratio: 1.0, low: 1.0, high: 1.0, degrees_of_freedom: f64::INFINITY });
    }
    let ratio = Ratio::of(&new.processes, &base.processes, stats::seed(seed, &format!("{} execute", new.row.cell)))?;
    (ratio.ratio > 0.0).then_some(ratio)
}
