//! The one conformance suite of isobar: the same cases over every runtime, mode and variant, in process and through
//! the runner boundary.
//!
//! A test of an adapter is a `main` that calls [`main`]; each runtime is one test of it, named by its id. A case fails
//! with what was wanted and what came; a runtime's test runs all cases and ends with the list of those that failed.

mod cases;
mod guest;
pub mod interpreters;
mod process;
mod subject;
#[cfg(test)]
mod tests;

pub use guest::{obstacle, task};

use cases::{Case, Problem, Verdict};
use isobar_core::Runtime;
use isobar_core::settings::NATIVE_STACK_BYTES;
use libtest_mimic::{Arguments, Failed, Trial};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::{Arc, PoisonError, RwLock};
use subject::Subject;

/// Where the runtimes run that are tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boundary {
    /// In this process: what takes a process to enforce is left out.
    InProcess,
    /// In a runner program.
    Runner,
}

/// Runs the suite over these runtimes, with the command line of the usual test harness.
pub fn main(runtimes: impl IntoIterator<Item = impl Into<Arc<dyn Runtime>>>, boundary: Boundary) -> ExitCode {
    run(runtimes.into_iter().map(|runtime| trial(runtime.into(), boundary)).collect())
}

/// Runs tests, by default two at a time: the cases are many, and some of them start threads of their own.
pub fn run(trials: Vec<Trial>) -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(2);
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// All cases over one runtime, as one test.
pub fn trial(runtime: Arc<dyn Runtime>, boundary: Boundary) -> Trial {
    let id = runtime.info().id.to_string();
    Trial::test(id.clone(), move || {
        // Functions run on this thread, as they do in a runner.
        let check = move || check(runtime, boundary);
        let thread = std::thread::Builder::new().name(id).stack_size(NATIVE_STACK_BYTES).spawn(check);
        let verdict = thread.map_err(|e| e.to_string())?.join();
        Ok(verdict.map_err(|_| Failed::from("the suite itself panicked"))??)
    })
}

/// Cases that look at the whole process must be alone in it.
static PROCESS: RwLock<()> = RwLock::new(());

fn check(runtime: Arc<dyn Runtime>, boundary: Boundary) -> Result<(), String> {
    let id = runtime.info().id.clone();
    let subject = Subject::new(runtime, boundary).map_err(|e| format!("no temporary folder: {e}"))?;
    let Report { passed, failed, left_out } = report(&subject);
    let (ok, wrong) = (passed.len(), failed.len());
    let left_out: String =
        left_out.iter().map(|(why, names)| format!(", left out ({why}): {}", names.join(", "))).collect();
    if failed.is_empty() {
        println!("{id}: {ok} cases ok{left_out}");
        return Ok(());
    }
    println!("{id}: {wrong} cases FAILED, {ok} ok{left_out}");
    let lines: String = failed.iter().map(|(name, what)| format!("\n  {name}: {what}")).collect();
    Err(format!("{id}: {wrong} cases failed{lines}"))
}

/// What became of each case.
#[derive(Default)]
struct Report {
    passed: Vec<&'static str>,
    failed: Vec<(&'static str, String)>,
    /// By the reason.
    left_out: BTreeMap<&'static str, Vec<&'static str>>,
}

fn report(subject: &Subject) -> Report {
    let mut report = Report::default();
    for case in cases::all() {
        if let Some(why) = cases::obstacle(subject.info(), case.name) {
            report.left_out.entry(why).or_default().push(case.name);
            continue;
        }
        match run_case(subject, &case) {
            Ok(()) => report.passed.push(case.name),
            Err(Problem::NotHere(why)) => report.left_out.entry(why).or_default().push(case.name),
            Err(Problem::Wrong(what)) => {
                report.failed.push((case.name, what));
                subject.restart();
            }
        }
    }
    report
}

fn run_case(subject: &Subject, case: &Case) -> Verdict {
    let run = || catch_unwind(AssertUnwindSafe(|| (case.run)(subject)));
    let verdict = if case.alone && subject.boundary() == Boundary::InProcess {
        let _alone = PROCESS.write().unwrap_or_else(PoisonError::into_inner);
        run()
    } else {
        let _shared = PROCESS.read().unwrap_or_else(PoisonError::into_inner);
        run()
    };
    verdict.unwrap_or_else(|panic| Err(Problem::Wrong(isobar_core::runner::panic_message(&*panic))))
}
