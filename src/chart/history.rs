//! Cells over several runs: whether they became better or worse.

use super::figure::{Anchor, Figure, Shape, Text};
use super::font;
use super::page::{self, Page};
use super::points;
use super::style::{Axis, Colour, FAILED, FAINT, PALETTE, ROW, RULE, SLACK, SMALL, SOFT, TINY, colour};
use crate::compare::{self, Source};
use crate::record::{Cell, Machine, Run};
use crate::report::units::{self, Quantity};
use crate::stats::{self, Ratio, Summary, Verdict};
use std::collections::BTreeSet;

/// The title of the chart.
pub const TITLE: &str = "Run by run";

const WORDS: &str = "Medians with their 95 % intervals in each run, the oldest first. At the right: the number, and how many \
                     times worse it is than in the run before on the same machine, where the 95 % interval of that ratio \
                     excludes 1; = where it does not. The axes do not begin at 0, and the runs of a machine are joined. \
                     Numbers of different machines do not compare.";

/// Room for the numbers at the right.
const NUMBER: f64 = 70.0;
const CHANGE: f64 = 76.0;
/// The longest name of a run.
const LONGEST: usize = 34;
/// The height of what has changed.
const LINE: f64 = 14.0;

/// A cell in one run.
struct Visit<'a> {
    name: String,
    machine: usize,
    outcome: Result<(Summary, &'a [Vec<f64>]), String>,
    /// What was not the same in the run before: the runtime's version, the module.
    changed: Vec<String>,
}

/// The cells of these runs, each with its name, in the order in which they were started: a panel for each cell. Of a run of
/// several machines each counts as one.
pub fn history(runs: &[(String, Run)]) -> Figure {
    let mut runs: Vec<&(String, Run)> = runs.iter().collect();
    runs.sort_by_key(|(name, run)| (run.header.started_at_s, name.clone()));
    let sources: Vec<(&Run, Source)> =
        runs.iter().flat_map(|(name, run)| compare::sources(run, name).into_iter().map(move |s| (run, s))).collect();
    let mut machines: Vec<&Machine> = Vec::new();
    let of = |machine: &Machine, known: &Machine| {
        Machine { boot: None, ..machine.clone() } == Machine { boot: None, ..known.clone() }
    };
    for (_, source) in &sources {
        if !machines.iter().any(|known| of(&source.fingerprint, known)) {
            machines.push(&source.fingerprint);
        }
    }
    let machine = |source: &Source| machines.iter().position(|known| of(&source.fingerprint, known)).unwrap_or(0);
    let names: Vec<String> = machines.iter().map(|machine| words(machine)).collect();
    let legend: Vec<(&str, Colour)> =
        names.iter().map(String::as_str).zip((0..).map(colour)).filter(|_| names.len() > 1).collect();
    let mut page = Page::new(TITLE, WORDS, &legend);
    let cells: BTreeSet<&Cell> = sources.iter().flat_map(|(_, source)| source.cells()).collect();
    let panels: Vec<(&Cell, Vec<Visit>)> =
        cells.into_iter().map(|cell| (cell, visits(&sources, cell, &machine))).collect();
    let widest = panels.iter().flat_map(|(_, visits)| visits).map(|visit| font::width(&visit.name, SMALL, false));
    let names_width = widest.fold(0.0, f64::max) * SLACK + 12.0;
    page.panels(&panels, |figure, (cell, visits), x, top, width| {
        let y = page::heading(figure, &cell.to_string(), x, top, width);
        panel(figure, cell, visits, (x, y, width), names_width) - top
    });
    page.finish_with(&format!("{} · {}", names.join("; "), units::count(runs.len(), "run")))
}

fn words(machine: &Machine) -> String {
    format!("{}, {}, Linux {}", machine.cpu, units::count(machine.cores as usize, "core"), machine.kernel)
}

fn visits<'a>(sources: &'a [(&Run, Source)], cell: &Cell, machine: &impl Fn(&Source) -> usize) -> Vec<Visit<'a>> {
    let mut last: Option<(String, String)> = None;
    let mut all = Vec::new();
    for (run, source) in sources {
        let Some(outcome) = source.cell(&cell.runtime, &cell.function, cell.scenario) else { continue };
        let header = &run.header;
        let version = header.runtimes.iter().find(|info| info.id == cell.runtime).map(|info| info.version.clone());
        let module = header.functions.iter().find(|f| f.name == cell.function).map(|f| f.module_sha256.clone());
        let now = (version.unwrap_or_default(), module.unwrap_or_default());
        let mut changed = Vec::new();
        if let Some((version, module)) = &last {
            if *version != now.0 {
                changed.push(format!("version {version} → {}", now.0));
            }
            if *module != now.1 {
                changed.push("another module".to_owned());
            }
        }
        last = Some(now);
        let summary = |processes: &'a [Vec<f64>]| {
            let summary = Summary::of(processes, stats::seed(source.seed, &cell.to_string()));
            summary.map(|summary| (summary, processes)).ok_or_else(|| "no samples".to_owned())
        };
        let outcome = outcome.map_err(page::failure).and_then(summary);
        let date = units::date(header.started_at_s);
        let name = crate::report::summary::shorten(&source.name(), LONGEST);
        let name = format!("{} {name}", date.split(' ').next().unwrap_or_default());
        all.push(Visit { name, machine: machine(source), outcome, changed });
    }
    all
}

fn panel(figure: &mut Figure, cell: &Cell, visits: &[Visit], (x, mut y, width): (f64, f64, f64), names: f64) -> f64 {
    let quantity = Quantity::of(cell.scenario);
    let ends = visits.iter().filter_map(|visit| visit.outcome.as_ref().ok()).flat_map(|(s, _)| [s.low, s.high]);
    let (low, high) = ends.fold((f64::INFINITY, 0.0_f64), |(low, high), v| (low.min(v), high.max(v)));
    let axis = Axis::log([low, high].into_iter(), x + names, x + width - NUMBER - CHANGE);
    let rows = visits.iter().map(|visit| ROW + LINE * visit.changed.len().min(1) as f64).sum::<f64>();
    for (tick, label) in axis.labels(quantity) {
        figure.line((axis.at(tick), y + 17.0), (axis.at(tick), y + points::AXIS + rows), 1.0, RULE);
        page::tick(figure, label, axis.at(tick), y + 10.0);
    }
    y += points::AXIS;
    let mut dots: Vec<(usize, (f64, f64))> = Vec::new();
    let mut shown = Vec::new();
    for visit in visits {
        if !visit.changed.is_empty() {
            let text = page::fitting(&visit.changed.join(", "), names - 24.0, TINY, false);
            figure.text(Text::new(text, x + 12.0, y + LINE / 2.0, TINY).colour(SOFT));
            y += LINE;
        }
        if let Ok((summary, _)) = &visit.outcome {
            dots.push((visit.machine, (axis.at(summary.median), y + ROW / 2.0)));
        }
        shown.push((visit, y));
        y += ROW;
    }
    for machine in 0..=dots.iter().map(|(machine, _)| *machine).max().unwrap_or(0) {
        let path: Vec<(f64, f64)> = dots.iter().filter(|(of, _)| *of == machine).map(|(_, dot)| *dot).collect();
        if path.len() > 1 {
            figure.shapes.push(Shape::Line(path, 1.5, FAINT));
        }
    }
    for (at, (visit, y)) in shown.iter().enumerate() {
        let middle = y + ROW / 2.0;
        figure.text(Text::new(visit.name.clone(), x, middle, SMALL));
        match &visit.outcome {
            Err(failed) => figure.text(Text::new(failed.clone(), x + names, middle, SMALL).colour(FAILED)),
            Ok((summary, processes)) => {
                points::point(figure, summary, &axis, colour(visit.machine), *y);
                let number = quantity.show(summary.median);
                figure.text(Text::new(number, x + width - CHANGE, middle, SMALL).anchor(Anchor::End));
                let same = |other: &&Visit| other.machine == visit.machine && other.outcome.is_ok();
                let before = visits[..at].iter().rev().find(same).and_then(|visit| visit.outcome.as_ref().ok());
                let ratio = before.and_then(|(_, before)| compare::worse(cell.scenario, processes, before, 0));
                if let Some(ratio) = ratio {
                    let (text, ink) = change(&ratio);
                    figure.text(Text::new(text, x + width, middle, SMALL).anchor(Anchor::End).colour(ink));
                }
            }
        }
    }
    y
}

/// `1.04x`, or `=`.
fn change(ratio: &Ratio) -> (String, Colour) {
    match ratio.verdict() {
        Verdict::NoDifference => ("=".to_owned(), SOFT),
        Verdict::Higher => (format!("{:.3}x", ratio.ratio), FAILED),
        Verdict::Lower => (format!("{:.3}x", ratio.ratio), PALETTE[2]),
    }
}
