//! What the reports say in words.

use super::Row;
use super::units;
use crate::experiment::CellStop;
use crate::record::{Cell, Run, Schedule};
use isobar_core::measure::{Scale, Scenario, ScenarioId};
use isobar_core::{Class, Enforcer, Execution};
use std::collections::BTreeMap;

/// `cold start`, `throughput on 2 threads`, `open loop over HTTP at 1000 requests/s`.
pub(super) fn scenario(id: ScenarioId) -> String {
    match (id.scenario().threads(1), id.scenario().scale()) {
        (None, _) => id.scenario().title().to_owned(),
        (Some(_), Scale::Rate) => format!("{} at {}", id.scenario().title(), scale(id)),
        (Some(_), _) => format!("{} on {}", id.scenario().title(), scale(id)),
    }
}

/// `2 threads`, `64 connections`, `1000 requests/s`.
pub(super) fn scale(id: ScenarioId) -> String {
    let number = id.threads() as usize;
    match id.scenario().scale() {
        Scale::Threads => units::count(number, "thread"),
        Scale::Connections => units::count(number, "connection"),
        Scale::Rate => format!("{number} requests/s"),
    }
}

/// `Cold start`: the scenario's title at the start of a line.
pub(super) fn capitalised(title: &str) -> String {
    let mut letters = title.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// `5 processes for each cell`, why there may be more, and where there are fewer without a failure: the time was up, or the
/// run was stopped.
pub(crate) fn schedule(run: &Run) -> String {
    let Schedule { min_processes, max_processes, precision, .. } = run.header.schedule;
    let fewest = units::count(min_processes as usize, "process");
    let up_to = (max_processes > min_processes)
        .then(|| format!(", up to {max_processes} until it is known within ±{}", units::percent(precision)));
    // A verdict needs one process.
    let has_number = |cell: &&Cell| !cell.scenario.scenario().verdicts();
    let mut measured: BTreeMap<&Cell, u32> = run.header.cells.iter().filter(has_number).map(|cell| (cell, 0)).collect();
    for record in run.records.iter().filter(|record| has_number(&&record.cell)) {
        // A failure ends a cell, so it is not missing anything.
        *measured.entry(&record.cell).or_default() += if record.result.is_ok() { 1 } else { min_processes };
    }
    let fewer = measured.values().filter(|count| **count < min_processes);
    let fewer = fewer
        .clone()
        .min()
        .map(|least| format!("; fewer, at least {least}, in {} of {} cells", fewer.count(), measured.len()));
    format!("{fewest} for each cell{}{}", up_to.unwrap_or_default(), fewer.unwrap_or_default())
}

/// `User time`, `Peak RSS`: a measure's name as a heading, the unit left out.
pub(super) fn measure(name: &str) -> String {
    let (name, time) = match name.strip_suffix("_ns") {
        Some(name) => (name, " time"),
        None => (name.strip_suffix("_bytes").unwrap_or(name), ""),
    };
    let word = |word: &str| if matches!(word, "rss" | "pss" | "uss") { word.to_uppercase() } else { word.to_owned() };
    let words: Vec<String> = name.split('_').map(word).collect();
    capitalised(&words.join(" ")) + time
}

/// What the number of a scenario is of its samples.
pub(super) fn number(scenario: &dyn Scenario) -> &'static str {
    if scenario.slope().is_some() { "slope" } else { "median" }
}

/// Why a cell was not measured in more processes.
pub(super) fn stop(stop: CellStop) -> &'static str {
    match stop {
        CellStop::Precision => "precision",
        CellStop::Processes => "processes",
        CellStop::Time => "time",
        CellStop::Failed => "failure",
        CellStop::CutOff => "cut off",
    }
}

/// How a runtime executes what it loads.
pub(super) fn execution(execution: Execution) -> &'static str {
    match execution {
        Execution::Jit => "compiles when loading",
        Execution::Aot => "compiled ahead of time",
        Execution::Interpreter => "interprets",
        Execution::Native => "machine code",
    }
}

/// What stands between a function and its host, in a word.
pub(crate) fn class(class: Class) -> &'static str {
    match class {
        Class::Wasm => "WebAssembly",
        Class::Process => "process",
        Class::Sandbox => "sandbox",
        Class::Container => "container",
        Class::Isolate => "isolate",
        Class::Server => "server",
        Class::Microvm => "micro-VM",
    }
}

/// What a quick run is good for: medians of enough processes can be relied on, the tails of few samples cannot.
pub(crate) fn quick(rows: &[Row]) -> &'static str {
    let mut processes = rows.iter().filter_map(|row| Some(row.measured()?.summary.processes));
    if processes.all(|processes| processes >= ENOUGH) {
        "few samples in each process: how slow the slow ones are is rough"
    } else {
        "few samples: good for a look, not for publishing"
    }
}

/// So many processes `isobar run` asks for.
const ENOUGH: usize = 5;

/// Whether these rows are of several classes, so that each has to be named.
pub(crate) fn has_classes<'a>(mut rows: impl Iterator<Item = &'a Row>) -> bool {
    rows.next().is_some_and(|first| rows.any(|row| row.class != first.class))
}

/// Who enforces a limit.
pub(super) fn enforcer(enforcer: Enforcer) -> &'static str {
    match enforcer {
        Enforcer::Engine => "engine",
        Enforcer::Process => "process",
    }
}

/// What the words beside the scenarios' own mean.
pub(super) const MEANINGS: [(&str, &str); 9] = [
    (
        "Median",
        "Half of the samples of all processes are below it, half above. The mean would say more about rare disturbances \
         than about the runtime.",
    ),
    (
        "95 % interval",
        "Where the median could as well have been, judging by how it varies when the processes are drawn with \
         replacement, 1,000 times, and by how the samples within them vary; the wider interval counts. Where the \
         intervals of two runtimes overlap, this run does not tell them apart. With one round it says only what one \
         process showed; with few rounds it is wide, as few processes say little.",
    ),
    ("Ratio", "How many times worse than the best runtime for the same function and scenario; 1.00x is the best."),
    (
        "p90, p99, p99.9",
        "So many per cent of the samples of all processes took at most that long, to three digits. Missing where no sample \
         lies beyond it.",
    ),
    (
        "MAD",
        "The median absolute deviation: half of the samples are nearer to the median than that. It tells how much single \
         invocations vary, the interval how well their median is known.",
    ),
    (
        "Ended by",
        "Why a cell was not measured in more processes: its interval is as narrow as wanted (precision), there were as \
         many as planned (processes), its time or that of the run was up (time), or the run was cut off.",
    ),
    ("Per GiB", "How many such instances fit into a gibibyte beside what their process needs anyway."),
    (
        "Failed",
        "At least one measurement failed, or gave another answer than the one that the function declares. Such a cell \
         has no number, even if other rounds gave one.",
    ),
    (
        "Round",
        "Every cell (a runtime, a function, a scenario) is measured once in each round, in a process of its own, in an \
         order that the seed shuffles.",
    ),
];
