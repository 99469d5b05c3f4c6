//! Files that are not there, or not what they should be.

use super::{Cases, Problem, Verdict, exits, wrong};
use crate::guest::{PROBE, ask};
use crate::subject::Subject;
use isobar_core::{Execution, Failure};

pub(super) const CASES: Cases = &[
    ("an artifact that is not there", absent),
    ("an artifact that cannot be written", unwritable),
    ("an artifact of garbage", |s| refused(s, b"\x7fELF garbage \xff\xfe\0")),
    ("an empty artifact", |s| refused(s, b"")),
    ("a module in place of an artifact", |s| refused(s, &PROBE)),
    ("a truncated artifact", truncated),
    ("an artifact that was copied", copied),
];

fn is_host<T>(what: &str, answer: Result<T, Failure>) -> Verdict {
    match answer {
        Err(Failure::Host { .. }) => Ok(()),
        Err(other) => wrong(format!("{what}: {other:?} instead of a host failure")),
        Ok(_) => wrong(format!("{what} works")),
    }
}

fn absent(s: &Subject) -> Verdict {
    let nowhere = s.path("nowhere/artifact");
    is_host("loading what is not there", s.engine()?.load(&nowhere))?;
    is_host("loading a folder", s.engine()?.load(&s.path(".")))?;
    is_host("compiling what is not there", s.engine()?.compile(&nowhere, &s.path("artifact")))?;
    s.goes_on(false)
}

fn unwritable(s: &Subject) -> Verdict {
    let wasm = s.write("readable.wasm", &PROBE)?;
    is_host("writing into no folder", s.engine()?.compile(&wasm, &s.path("nowhere/artifact")))?;
    s.goes_on(false)
}

fn ahead_of_time(s: &Subject) -> Verdict {
    match s.info().execution {
        Execution::Aot => Ok(()),
        _ => Err(Problem::NotHere("nothing is compiled ahead of time")),
    }
}

/// An artifact with this content is not run.
fn refused(s: &Subject, content: &[u8]) -> Verdict {
    ahead_of_time(s)?;
    let path = s.write("broken.artifact", content)?;
    match s.engine()?.load(&path) {
        Err(Failure::Rejected { .. } | Failure::Host { .. }) => s.goes_on(false),
        Err(other) => wrong(format!("{other:?} instead of a rejection")),
        Ok(_) => wrong("it loads"),
    }
}

fn truncated(s: &Subject) -> Verdict {
    ahead_of_time(s)?;
    s.probe()?;
    let artifact = std::fs::read(s.path("probe.artifact"))?;
    for length in [artifact.len() - 1, artifact.len() / 2, 100.min(artifact.len())] {
        refused(s, &artifact[..length])?;
    }
    Ok(())
}

/// What was compiled under one name runs under another.
fn copied(s: &Subject) -> Verdict {
    s.probe()?;
    let copy = s.path("a copy.bin");
    std::fs::copy(s.path("probe.artifact"), &copy)?;
    exits(s.engine()?.load(&copy)?.instantiate(&ask(&["exit", "6"]))?.execute(), 6)
}
