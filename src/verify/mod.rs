//! Every function in every runtime: does it answer what it must, and do the runtimes agree with each other?

mod choice;
mod disagreement;
mod pair;
mod table;

pub use choice::{ChoiceError, Input, Pair, Plan, Wanted};
pub use disagreement::{Disagreement, Distinct};
pub use table::{Row, answer};

use crate::record::Absent;
use crate::workload::{KnownFailure, Unbuilt};
use disagreement::Answers;
use isobar_core::measure::sha256_hex;
use isobar_core::{Failure, Outcome, Runtime, RuntimeId};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How far verifying goes.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// What one invocation may take. Beyond it has failed, or is slow where that is to be expected.
    pub limit: Duration,
    /// What compiling or loading a module may take.
    pub patience: Duration,
    /// After this time each pair gets its first input only.
    pub total: Option<Duration>,
    /// How many pairs are verified at a time; 0 means as many as there are cores.
    pub jobs: usize,
    /// Does not try what is known to fail.
    pub skip_known: bool,
}

/// What was seen of a function in a runtime with an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The answer is the expected one.
    Passed,
    /// How it failed.
    Failed(String),
    /// It failed as is known: why that is, and what was seen, if it was tried.
    Known(String, Option<String>),
    /// The proposal or import that the module needs and the runtime does not have.
    Unsupported(String),
    /// An interpreter that did not end in time, with more than the smallest input.
    Slow(String),
    /// Not tried, for this reason.
    NotRun(String),
}

/// A function that answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// Its exit code.
    pub exit_code: i32,
    /// How much it printed to standard output, in bytes.
    pub stdout_bytes: usize,
    /// The SHA-256 of that, in lower-case hexadecimal.
    pub stdout_sha256: String,
}

impl Answered {
    fn of(outcome: &Outcome) -> Answered {
        Answered {
            exit_code: outcome.exit_code,
            stdout_bytes: outcome.stdout.len(),
            stdout_sha256: sha256_hex(&outcome.stdout),
        }
    }
}

/// A cell: a function in a runtime with an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The runtime.
    pub runtime: RuntimeId,
    /// Its version.
    pub version: String,
    /// The function.
    pub function: String,
    /// The SHA-256 of its module.
    pub module_sha256: String,
    /// What it was given.
    pub input: Input,
    /// What was seen.
    pub verdict: Verdict,
    /// What it answered, if it did, right or wrong.
    pub answered: Option<Answered>,
}

/// What was found out.
#[derive(Clone, Debug, Default)]
pub struct Verification {
    /// Every cell, by function, input and runtime, in the order in which they are listed.
    pub checked: Vec<Checked>,
    /// Where runtimes gave different answers to the same input.
    pub disagreements: Vec<Disagreement>,
    /// Known failures that did not fail any more, a line each.
    pub mended: Vec<String>,
    /// Functions whose modules are not here.
    pub unbuilt: Vec<Unbuilt>,
    /// Families of runtimes that are not here.
    pub absent: Vec<Absent>,
}

impl Verification {
    /// Whether nothing failed but what is known to, and no two runtimes disagree.
    pub fn passed(&self) -> bool {
        let failed = |cell: &Checked| matches!(cell.verdict, Verdict::Failed(_));
        self.disagreements.is_empty() && !self.checked.iter().any(failed)
    }
}

/// Verifies the pairs of a plan, several at a time, each in a runner process of its own: one that crashes or hangs costs
/// its own cells only. `told` hears of each pair as soon as it is done.
///
/// # Errors
/// [`Failure::Host`]: there is no room for what is compiled ahead of time.
pub fn verify(
    plan: &Plan<'_>,
    bounds: &Bounds,
    known: &[KnownFailure],
    folder: &std::path::Path,
    told: &(dyn Fn(&[Checked]) + Sync),
) -> Result<Verification, Failure> {
    let answers = Answers::default();
    let until = bounds.total.and_then(|total| Instant::now().checked_add(total));
    let bench = pair::Bench { bounds, known, answers: &answers, until, folder };
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = if bounds.jobs == 0 { cores() } else { bounds.jobs };
    let next = Mutex::new(plan.order().into_iter());
    let done = Mutex::new(Vec::new());
    let take = || next.lock().unwrap_or_else(PoisonError::into_inner).next();
    std::thread::scope(|scope| {
        for _ in 0..jobs.min(plan.pairs.len()) {
            scope.spawn(|| {
                while let Some(at) = take() {
                    let cells = bench.check(&plan.pairs[at], at);
                    told(&cells);
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((at, cells));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_unstable_by_key(|(at, _)| *at);
    let checked: Vec<Checked> = done.into_iter().flat_map(|(_, cells)| cells).collect();
    if let Some(full) = checked.iter().find_map(pair::no_room) {
        return Err(full);
    }
    let mended = mended(&checked, known);
    let ids: Vec<RuntimeId> = plan.runtimes.iter().map(|runtime| runtime.info().id.clone()).collect();
    let (disagreements, unbuilt) = (answers.disagreements(&ids), plan.unbuilt.clone());
    Ok(Verification { checked, disagreements, mended, unbuilt, absent: Vec::new() })
}

/// The known failures that cover cells which passed and none that failed.
fn mended(checked: &[Checked], known: &[KnownFailure]) -> Vec<String> {
    let line = |entry: &KnownFailure| {
        let of_this = checked.iter().filter(|cell| covers(entry, cell));
        let (mut passed, mut failed) = (0, 0);
        for cell in of_this {
            match cell.verdict {
                Verdict::Passed => passed += 1,
                Verdict::Known(..) => failed += 1,
                _ => {}
            }
        }
        let (KnownFailure { runtime, function, version, .. }, file) = (entry, crate::workload::KNOWN_FAILURES);
        (passed > 0 && failed == 0).then(|| {
            format!("mended: {function} in {runtime} {version} passes now: remove its entry from workloads/{file}")
        })
    };
    known.iter().filter_map(line).collect()
}

fn covers(entry: &KnownFailure, cell: &Checked) -> bool {
    entry.covers(cell.runtime.as_str(), &cell.version, &cell.function, cell.input.name())
}
