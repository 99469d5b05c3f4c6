//! A function in a runtime: one process and one loaded module for all that it is given, as long as they live.

use super::{Answered, Answers, Bounds, Checked, Input, Pair, Verdict};
use crate::workload::{KnownFailure, Workload};
use isobar_core::inspect::needed_proposals;
use isobar_core::measure::nanoseconds;
use isobar_core::runtime::Execution;
use isobar_core::{Failure, Invocation, Module, Outcome, Runtime, RuntimeInfo};
use std::path::{Path, PathBuf};
use std::time::Instant;
use wasmparser::{Parser, Payload};

/// What all pairs are verified with.
pub(super) struct Bench<'a> {
    pub(super) bounds: &'a Bounds,
    pub(super) known: &'a [KnownFailure],
    pub(super) answers: &'a Answers,
    /// When the time is up.
    pub(super) until: Option<Instant>,
    /// Where there is room for artifacts.
    pub(super) folder: &'a Path,
}

/// A module that is loaded, or why it cannot be.
enum Loaded {
    NotYet,
    Here(Box<dyn Module>),
    /// The failure, and what was being done.
    Never(Failure),
}

/// A pair on the bench.
struct Seat<'a> {
    bench: &'a Bench<'a>,
    pair: &'a Pair<'a>,
    artifact: PathBuf,
    loaded: Loaded,
    /// A size that did not end in time: what is said of larger ones, and of cases if that is a failure.
    late: Option<Verdict>,
}

/// How a failure of the platform begins that is about the room for artifacts.
const NO_ROOM: &str = "cannot write the artifact";

/// The failure that leaves no room for any further cell.
pub(super) fn no_room(cell: &Checked) -> Option<Failure> {
    match &cell.verdict {
        Verdict::Failed(what) if what.contains(NO_ROOM) => {
            Some(Failure::host(format!("{what}; make room in the temporary folder, or set TMPDIR to another one")))
        }
        _ => None,
    }
}

impl Bench<'_> {
    /// Verifies a pair; `at` is its number.
    pub(super) fn check(&self, pair: &Pair, at: usize) -> Vec<Checked> {
        let artifact = self.folder.join(format!("artifact-{at}"));
        let mut seat = Seat { bench: self, pair, artifact, loaded: Loaded::NotYet, late: None };
        let cells = pair.inputs.iter().enumerate().map(|(at, input)| seat.cell(input, at == 0)).collect();
        // It may be large, and the next pair needs another.
        let _ = std::fs::remove_file(&seat.artifact);
        cells
    }
}

impl Seat<'_> {
    fn cell(&mut self, input: &Input, first: bool) -> Checked {
        let Pair { runtime, workload, .. } = self.pair;
        let info = runtime.info();
        let covers =
            |entry: &&KnownFailure| entry.covers(info.id.as_str(), &info.version, &workload.name, input.name());
        let known = self.bench.known.iter().find(covers);
        let (mut verdict, outcome) = match (self.left_out(input, first), known) {
            (Some(verdict), _) => (verdict, None),
            (None, Some(entry)) if self.bench.bounds.skip_known => (Verdict::Known(reason(entry), None), None),
            (None, _) => self.seen(input, first),
        };
        if let (Verdict::Failed(what), Some(entry)) = (&verdict, known) {
            verdict = Verdict::Known(reason(entry), Some(what.clone()));
        }
        let answered = outcome.as_ref().map(Answered::of);
        if let (Some(outcome), false) = (outcome, matches!(verdict, Verdict::Known(..))) {
            self.bench.answers.add(&workload.name, input, &info.id, outcome);
        }
        Checked {
            runtime: info.id.clone(),
            version: info.version.clone(),
            function: workload.name.clone(),
            module_sha256: workload.module_sha256.clone(),
            input: input.clone(),
            verdict,
            answered,
        }
    }

    /// Why an input is not tried.
    fn left_out(&self, input: &Input, first: bool) -> Option<Verdict> {
        match (&self.late, input) {
            // It may hang: every case would take the whole limit.
            (Some(Verdict::Failed(what)), _) => return Some(Verdict::Failed(what.clone())),
            (Some(late), Input::Size(_)) => return Some(late.clone()),
            _ => {}
        }
        let up = !first && self.bench.until.is_some_and(|until| Instant::now() >= until);
        up.then(|| Verdict::NotRun("the time was up; give more with --total-time".to_owned()))
    }

    /// Runs the function, and judges what came of it.
    fn seen(&mut self, input: &Input, first: bool) -> (Verdict, Option<Outcome>) {
        let Some((invocation, check)) = given(self.pair.workload, input) else {
            return (Verdict::Failed(format!("the function has no {input}")), None);
        };
        match self.run(invocation) {
            Ok(outcome) => {
                let verdict = check(&outcome).map_or_else(Verdict::Failed, |()| Verdict::Passed);
                (verdict, Some(outcome))
            }
            Err(failure) => {
                let large = !first && matches!(input, Input::Size(_));
                let verdict = self.judge(&failure, large);
                if matches!((&failure, input), (Failure::Timeout { .. }, Input::Size(_))) {
                    self.late = Some(after(&verdict, input));
                }
                (verdict, None)
            }
        }
    }

    fn run(&mut self, mut invocation: Invocation) -> Result<Outcome, Failure> {
        let limit_ns = nanoseconds(self.bench.bounds.limit);
        invocation.limits.wall_time_ns = invocation.limits.wall_time_ns.min(limit_ns);
        if let Loaded::NotYet = self.loaded {
            self.loaded = self.load().map_or_else(Loaded::Never, Loaded::Here);
        }
        let module = match &self.loaded {
            Loaded::Here(module) => module,
            Loaded::Never(failure) => return Err(failure.clone()),
            Loaded::NotYet => return Err(Failure::host("the module is not loaded")),
        };
        let answer = module.instantiate(&invocation).and_then(|mut instance| instance.execute());
        if let Err(Failure::Timeout { .. } | Failure::Crashed { .. } | Failure::Host { .. }) = answer {
            // The process may be gone: what comes next gets another.
            self.loaded = Loaded::NotYet;
        }
        answer
    }

    fn load(&self) -> Result<Box<dyn Module>, Failure> {
        let Pair { runtime, workload, .. } = self.pair;
        let engine = runtime.patient(self.bench.bounds.patience).engine()?;
        let slowly = |what: &'static str| {
            move |failure: Failure| match failure {
                Failure::Timeout { limit_ns } => {
                    Failure::host(format!("{what} the module took longer than {} s", limit_ns / 1_000_000_000))
                }
                other => other,
            }
        };
        if runtime.info().execution != Execution::Aot {
            let path = workload.form(runtime.info().form).map_err(|e| Failure::host(e.to_string()))?;
            return engine.load(&path).map_err(slowly("loading"));
        }
        if !self.artifact.is_file() {
            engine.compile(&workload.module_path, &self.artifact).map_err(slowly("compiling"))?;
        }
        engine.load(&self.artifact).map_err(slowly("loading"))
    }

    /// What a failure means; `large` if the input is larger than another one.
    fn judge(&self, failure: &Failure, large: bool) -> Verdict {
        let Pair { runtime, workload, .. } = self.pair;
        if let Some(lacking) = lacking(failure, runtime.info(), workload) {
            return Verdict::Unsupported(lacking);
        }
        match failure {
            Failure::Timeout { .. } if large && runtime.info().execution == Execution::Interpreter => {
                Verdict::Slow(format!("an interpreter, and it {}", failure.to_string().trim_start_matches("timeout: ")))
            }
            other => {
                // The file is gone with the next pair.
                let artifact = self.artifact.display().to_string();
                Verdict::Failed(other.to_string().replace(&artifact, "the artifact"))
            }
        }
    }
}

/// What becomes of the larger sizes.
fn after(verdict: &Verdict, input: &Input) -> Verdict {
    match verdict {
        Verdict::Slow(what) => Verdict::Slow(what.clone()),
        _ => Verdict::Failed(format!("not tried, for {input} did not end in time")),
    }
}

fn reason(entry: &KnownFailure) -> String {
    match &entry.link {
        Some(link) => format!("{} ({link})", entry.reason),
        None => entry.reason.clone(),
    }
}

type Check<'a> = Box<dyn Fn(&Outcome) -> Result<(), String> + 'a>;

/// What a function is given, and how its answer is checked.
fn given<'a>(workload: &'a Workload, input: &Input) -> Option<(Invocation, Check<'a>)> {
    match input {
        Input::Size(name) => {
            let (invocation, expectation) = workload.size(name)?;
            Some((invocation, Box::new(move |outcome| expectation.check(outcome))))
        }
        Input::Case(name) => {
            let (case, invocation, _) = workload.cases().find(|(case, ..)| case.name == *name)?;
            Some((invocation, Box::new(move |outcome| case.check(outcome))))
        }
    }
}

/// The proposals or the import that the module needs and the runtime does not have, if that is why it failed.
fn lacking(failure: &Failure, info: &RuntimeInfo, workload: &Workload) -> Option<String> {
    match failure {
        Failure::Rejected { proposals, .. } if !proposals.is_empty() => Some(proposals.join(", ")),
        Failure::Rejected { .. } | Failure::Host { .. } => {
            let wasm = std::fs::read(&workload.module_path).ok()?;
            let lacking: Vec<&str> = needed_proposals(&wasm)
                .ok()?
                .into_iter()
                .filter(|name| !info.proposals.iter().any(|has| has == name))
                .collect();
            (!lacking.is_empty()).then(|| lacking.join(", "))
        }
        Failure::Link { message } => {
            let wasm = std::fs::read(&workload.module_path).ok()?;
            // Of two names of which one begins with the other, the longer is meant.
            let mut imports = imports(&wasm);
            imports.sort_by_key(|(_, name)| std::cmp::Reverse(name.len()));
            let named = |import: &&(String, String)| message.contains(&import.0) && message.contains(&import.1);
            imports.iter().find(named).map(|(module, name)| format!("the import {module}.{name}"))
        }
        _ => None,
    }
}

/// What a module imports: modules and names. None of it if the module is malformed.
fn imports(wasm: &[u8]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        if let Ok(Payload::ImportSection(section)) = payload {
            let imports = section.into_imports().flatten();
            found.extend(imports.map(|import| (import.module.to_owned(), import.name.to_owned())));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::imports;

    #[test]
    fn imports_are_read_from_the_module() {
        let text = r#"(module (import "env" "f" (func)) (import "wasi_snapshot_preview1" "g" (func)) (memory 1))"#;
        let found = imports(&wat::parse_str(text).unwrap());
        assert_eq!(found, [("env", "f"), ("wasi_snapshot_preview1", "g")].map(|(m, n)| (m.to_owned(), n.to_owned())));
        assert!(imports(b"no module").is_empty());
    }
}
