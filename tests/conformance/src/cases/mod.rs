//! The cases. Each is a function over a [`Subject`] that bounds what it runs.

mod artifacts;
mod invocation;
mod isolation;
mod limits;
mod modules;
mod round_trip;
mod traps;

use crate::subject::Subject;
use isobar_core::{Class, Failure, Form, Outcome, RuntimeInfo};

/// One thing that every runtime must do.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) run: fn(&Subject) -> Verdict,
    /// Whether it looks at the whole process, so that nothing else may run in it.
    pub(crate) alone: bool,
}

pub(crate) type Verdict = Result<(), Problem>;

/// Why a case did not pass.
#[derive(Debug)]
pub(crate) enum Problem {
    /// The runtime does something else.
    Wrong(String),
    /// It cannot be asked here, and why.
    NotHere(&'static str),
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        Problem::Wrong(format!("{} failure: {failure}", failure.name()))
    }
}

impl From<std::io::Error> for Problem {
    fn from(error: std::io::Error) -> Self {
        Problem::Wrong(error.to_string())
    }
}

/// Cases of other parts that an executable can be asked for.
const OF_PROCESSES: [&str; 4] = [
    "unreachable, after a panic's message",
    "integer divide by zero",
    "memory out of bounds, by address",
    "proc_exit(3)",
];

/// What is asked of containers, whose invocations take up to half a second.
const OF_CONTAINERS: [&str; 10] = [
    "variables in UTF-8, with =, and empty ones",
    "arguments",
    "1 MiB of standard input",
    "standard error apart from standard output",
    "two sandboxes at once",
    "a module loaded twice",
    "an endless loop",
    "an hour's sleep",
    "1 GiB of standard output",
    "proc_exit(3)",
];

/// What a sandbox' program does not tell as what it was. As the first process of its namespace a function cannot end itself by
/// SIGABRT; Bubblewrap tells every signal as an exit code.
const SIGNALS: [&str; 5] = [
    "unreachable, after a panic's message",
    "integer divide by zero",
    "memory out of bounds, by address",
    "runaway recursion",
    "a memory bomb",
];

/// Why a runtime is not asked for a case, if so.
pub(crate) fn obstacle(info: &RuntimeInfo, name: &str) -> Option<&'static str> {
    if info.form == Form::Wasm {
        // Its runner's own tests have them.
        let text = ["malformed text", "text in place of a binary"].contains(&name);
        return (text && info.id.family() == "node").then_some("assembled by a package that need not be here");
    }
    let of = |cases: Cases| cases.iter().any(|(known, _)| *known == name);
    let general = of(invocation::CASES) || of(round_trip::CASES) || of(isolation::CASES) || of(limits::CASES);
    match name {
        _ if info.class == Class::Container && !OF_CONTAINERS.contains(&name) => Some("not asked of containers"),
        // What podman, docker and gVisor are given, they keep in no order.
        _ if name == OF_CONTAINERS[0]
            && ["podman", "docker", "runsc"].iter().any(|engine| info.id.mode().starts_with(engine)) =>
        {
            Some("in another order")
        }
        _ if info.class == Class::Sandbox && name == SIGNALS[0] => Some("not told by sandboxes"),
        _ if info.id.mode() == "bubblewrap" && SIGNALS.contains(&name) => Some("not told by sandboxes"),
        "more initial memory than allowed" => Some("of modules only"),
        _ if general || OF_PROCESSES.contains(&name) || name == WARM => None,
        _ => Some("of modules only"),
    }
}

const WARM: &str = "a thousand warm invocations";

/// Every case, the most telling first.
pub(crate) fn all() -> Vec<Case> {
    let parts = [
        invocation::CASES,
        round_trip::CASES,
        isolation::CASES,
        traps::CASES,
        modules::CASES,
        artifacts::CASES,
        limits::CASES,
    ];
    let case = |(name, run): &(&'static str, fn(&Subject) -> Verdict)| Case { name, run: *run, alone: false };
    let mut cases: Vec<Case> = parts.into_iter().flatten().map(case).collect();
    cases.push(Case { name: WARM, run: isolation::warm, alone: true });
    cases
}

/// A list of cases, each with its name.
type Cases = &'static [(&'static str, fn(&Subject) -> Verdict)];

fn wrong<T>(what: impl Into<String>) -> Result<T, Problem> {
    Err(Problem::Wrong(what.into()))
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, got: T, wanted: T) -> Verdict {
    if got == wanted { Ok(()) } else { wrong(format!("{what}: {got:?} instead of {wanted:?}")) }
}

/// As [`same`], for bytes that may be many.
fn same_bytes(what: &str, got: &[u8], wanted: &[u8]) -> Verdict {
    let Some(at) = (0..got.len().max(wanted.len())).find(|at| got.get(*at) != wanted.get(*at)) else { return Ok(()) };
    let from = |bytes: &[u8]| {
        let part = bytes.get(at..).unwrap_or_default();
        String::from_utf8_lossy(&part[..part.len().min(24)]).into_owned()
    };
    let (got_part, wanted_part) = (from(got), from(wanted));
    let (got, wanted) = (got.len(), wanted.len());
    wrong(format!("{what}: {got} bytes instead of {wanted}, from byte {at} {got_part:?} instead of {wanted_part:?}"))
}

fn exits(answer: Result<Outcome, Failure>, wanted: i32) -> Verdict {
    same("exit code", answer?.exit_code, wanted)
}

fn unexpected(answer: &Result<Outcome, Failure>, wanted: &str) -> Problem {
    Problem::Wrong(match answer {
        Ok(outcome) => format!("exit code {} instead of {wanted}", outcome.exit_code),
        Err(failure) => format!("{failure:?} instead of {wanted}"),
    })
}
