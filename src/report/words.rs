//! What the reports say in words.

use super::units;
use isobar_core::measure::Scenario;
use isobar_core::{Enforcer, Execution};

/// `cold start`, `throughput on 2 threads`.
pub(super) fn scenario(scenario: Scenario) -> String {
    match scenario {
        Scenario::Cold => "cold start".to_owned(),
        Scenario::Warm => "warm invocation".to_owned(),
        Scenario::Throughput { threads } => format!("throughput on {}", units::count(threads as usize, "thread")),
    }
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

/// What each number means.
pub(super) const MEANINGS: [(&str, &str); 8] = [
    (
        "Cold start",
        "What the first invocation of a function costs on a node where nothing is prepared but the stored artifact, in a \
         process that already runs: create the engine, load the artifact (compile it, or map compiled code), make a \
         sandbox, run the function. The sum of these four phases. Compiling ahead of time is not part of it: a platform \
         does it once per deployment, and it has a table of its own. The file is in the page cache.",
    ),
    (
        "Warm invocation",
        "What every further invocation costs: make a fresh sandbox, run the function, release the sandbox. The module \
         stays loaded; nothing of an earlier invocation is reused.",
    ),
    (
        "Throughput",
        "Warm invocations per second, when each of so many threads starts its next invocation as soon as its last one \
         ended. All threads share one loaded module.",
    ),
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
