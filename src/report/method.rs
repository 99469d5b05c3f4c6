//! How it was measured and what that does not show, in short: what a reader needs who has nothing but the report.

use super::document::Block;
use super::summary::Row;
use super::units;
use crate::record::Run;
use isobar_core::Class;
use std::collections::BTreeSet;

/// The sections about method and bias.
pub(super) fn blocks(run: &Run, rows: &[Row]) -> Vec<Block> {
    let bias = BIAS.iter().filter(|(_, holds)| holds(run, rows)).map(|(text, _)| (*text).to_owned());
    vec![
        Block::Heading(2, "Method".to_owned()),
        Block::List(method(run)),
        Block::Heading(2, "Bias: what this does not show".to_owned()),
        Block::List(bias.collect()),
    ]
}

fn method(run: &Run) -> Vec<String> {
    let schedule = &run.header.schedule;
    let seconds = |ns: u64| humantime::format_duration(std::time::Duration::from_nanos(ns)).to_string();
    let limit = |what: &str, ns: Option<u64>| ns.map_or_else(String::new, |ns| format!("; {what} {}", seconds(ns)));
    let mut method = vec![
        "Every runtime gets the same invocation: arguments, environment and standard input in, standard output and exit \
         code out. The answer of every single invocation is compared with the declared one; another answer, a trap or a \
         crash is a recorded failure, never a fast number."
            .to_owned(),
        format!(
            "Cells (a runtime, a function, a scenario) are measured in rounds, in an order shuffled by the seed {}, so that \
             a drift of the machine hits all alike. Each measurement has a process of its own; the process times itself, so \
             that the boundary costs nothing inside a measurement.",
            run.header.seed
        ),
        format!(
            "A cell is measured in at least {}, and at most {}, and ends early when half of its 95 % interval is within \
             {} of its median{}{}.",
            units::count(schedule.min_processes as usize, "process"),
            schedule.max_processes,
            units::percent(schedule.precision),
            limit("or when its measurements took", schedule.cell_time_ns),
            limit("no round begins that would end after", schedule.total_time_ns),
        ),
        "The number of a cell is the median of all its samples. Its 95 % interval is the wider of two: between processes, \
         by drawing them with replacement 1,000 times (Student's t on the log scale, with the correction for few \
         processes); and within them, by the binomial distribution (Kalibera and Jones, Rigorous Benchmarking in \
         Reasonable Time, ISMM 2013)."
            .to_owned(),
        "Two cells differ only where the 95 % interval of the ratio of their medians, by Welch, excludes 1. Geometric means \
         over functions carry the errors of their ratios along."
            .to_owned(),
        "All samples are kept; this report is a pure function of them, and isobar report makes it again byte for byte."
            .to_owned(),
    ];
    if run.header.pinned {
        method.push("Runners were bound to processors, and isobar to the others.".to_owned());
    }
    method
}

/// What is biased, and in which runs.
type Bias = (&'static str, fn(&Run, &[Row]) -> bool);

const BIAS: [Bias; 12] = [
    (
        "Numbers of different machines are never compared, and these hold for this machine and these versions only.",
        |_, _| true,
    ),
    (
        "A cell that stops when its interval is narrow enough stops, now and then, when it is too narrow by chance.",
        |run, _| run.header.schedule.max_processes > run.header.schedule.min_processes,
    ),
    (
        "With one process for each cell an interval knows nothing of how processes differ: it is narrower than what a \
         second run will show.",
        |run, _| run.header.schedule.max_processes == 1,
    ),
    ("The machine is virtual: time that the hypervisor takes and changes of frequency are not corrected.", |run, _| {
        run.header.machines.iter().any(|machine| machine.virtual_machine)
    }),
    (
        "Ahead-of-time modes are cold from a file in the page cache; a platform that fetches artifacts over a network pays \
         for that first.",
        |_, rows| has(rows, "cold") && rows.iter().any(|row| row.artifact.is_some()),
    ),
    (
        "The first cold sample of a process finds colder caches than the later ones; the median is of all of them.",
        |_, rows| has(rows, "cold"),
    ),
    (
        "Each runtime runs with the WASI library that its users get, and that can outweigh the engine; variants with \
         +shared-wasi tell the two apart.",
        |run, _| run.header.runtimes.iter().map(|info| &info.wasi).collect::<BTreeSet<_>>().len() > 1,
    ),
    (
        "Wasm3 parses the module for every instance: its warm invocation contains what is loading elsewhere.",
        |_, rows| family(rows, "wasm3"),
    ),
    ("Wasm3 is compiled by the system's C compiler; with another one its speed differs.", |_, rows| {
        family(rows, "wasm3")
    }),
    ("WasmEdge's JIT compiles at every instantiation: its warm invocation contains that.", |_, rows| {
        rows.iter().any(|row| row.cell.runtime.as_str().starts_with("wasmedge/jit"))
    }),
    (
        "Runtimes of different classes (WebAssembly, process, sandbox, container, isolate, server) hold a function by \
         different walls, and some load another form of it, as machine code or JavaScript: their numbers are beside each \
         other because a platform chooses between them, not because they do the same.",
        |_, rows| rows.iter().any(|row| row.class != Class::Wasm),
    ),
    ("Client and server share the machine: at high rates they take processors from each other.", |_, rows| {
        rows.iter().any(|row| row.cell.scenario.name().starts_with("http"))
    }),
];

fn has(rows: &[Row], scenario: &str) -> bool {
    rows.iter().any(|row| row.cell.scenario.name() == scenario)
}

fn family(rows: &[Row], family: &str) -> bool {
    rows.iter().any(|row| row.cell.runtime.family() == family)
}
