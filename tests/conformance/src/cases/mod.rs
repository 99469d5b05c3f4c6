//! The cases. Each is a function over a [`Subject`] that bounds what it runs.

mod artifacts;
mod invocation;
mod isolation;
mod limits;
mod modules;
mod round_trip;
mod traps;

use crate::subject::Subject;
use isobar_core::{Failure, Outcome};

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
    cases.push(Case { name: "a thousand warm invocations", run: isolation::warm, alone: true });
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
