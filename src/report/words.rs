//! What the reports say in words.

use super::units;
use isobar_core::measure::ScenarioId;
use isobar_core::{Enforcer, Execution};

/// `cold start`, `throughput on 2 threads`.
pub(super) fn scenario(id: ScenarioId) -> String {
    match id.scenario().threads(1) {
        Some(_) => format!("{} on {}", id.scenario().title(), units::count(id.threads() as usize, "thread")),
        None => id.scenario().title().to_owned(),
    }
}

/// `Cold start`: the scenario's title at the start of a line.
pub(super) fn capitalised(title: &str) -> String {
    let mut letters = title.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// How a runtime executes WebAssembly.
pub(super) fn execution(execution: Execution) -> &'static str {
    match execution {
        Execution::Jit => "compiles when loading",
        Execution::Aot => "compiled ahead of time",
        Execution::Interpreter => "interprets",
    }
}

/// Who enforces a limit.
pub(super) fn enforcer(enforcer: Enforcer) -> &'static str {
    match enforcer {
        Enforcer::Engine => "engine",
        Enforcer::Process => "process",
    }
}

/// What the words beside the scenarios' own mean.
pub(super) const MEANINGS: [(&str, &str); 5] = [
    (
        "Median",
        "Half of the samples of all rounds are below it, half above. The mean would say more about rare disturbances \
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
