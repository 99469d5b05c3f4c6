//! The scenario that takes no time: whether a function gets what it must not have.
//!
//! Each attempt is made in a process of its own, from isobar: a runner that it takes along takes no evidence with it.

mod judge;
mod stage;

use super::{Effort, Place, Scenario, Unit};
use crate::contract::{Failure, Invocation, Limits, Outcome};
use crate::measure::attempt::{ATTEMPTS, Attempt, AttemptKind, Verdict};
use crate::measure::budget::Stop;
use crate::measure::{Budget, MS, MeasureError, Measurement, Samples, Task, WarmUp};
use crate::runtime::{Enforcer, Module, Runtime};
use stage::Stage;
use std::ffi::OsString;

/// What an attempt may use. The wall time is long enough for a slow interpreter on a busy machine.
const LIMITS: Limits = Limits { wall_time_ns: 20_000 * MS, memory_bytes: 1 << 30, output_bytes: 1 << 20 };

/// The memory that a function may use which wants more: too little for some engines to start, and so for it alone.
const MEMORY_BYTES: u64 = 128 << 20;

/// The wall time of a function that never ends. Everybody waits for this one.
const SPIN_NS: u64 = 1_000 * MS;

/// The wall time of the harmless invocation that follows an attempt: whoever is answered later was kept waiting.
const AFTER_NS: u64 = 10_000 * MS;

/// The memory that is tried for, and the output.
const MOST_MEMORY_MIB: u64 = 4 * (MEMORY_BYTES >> 20);
const MOST_OUTPUT_MIB: u64 = 8 * (LIMITS.output_bytes >> 20);

/// Every attempt, once.
pub(super) struct Isolation;

impl Scenario for Isolation {
    fn name(&self) -> &'static str {
        "isolation"
    }

    fn title(&self) -> &'static str {
        "isolation"
    }

    fn meaning(&self) -> &'static str {
        "Whether a function that tries it gets what it must not have, and whether the process that runs it then still answers \
         the next invocation. It is no measure of time."
    }

    /// Of no number: there is none.
    fn unit(&self) -> Unit {
        Unit::Nanoseconds
    }

    fn verdicts(&self) -> bool {
        true
    }

    fn place(&self) -> Place {
        Place::Outside
    }

    fn opt_in(&self) -> Option<&'static str> {
        Some("isolation")
    }

    fn max_processes(&self) -> Option<u32> {
        Some(1)
    }

    fn implied_by(&self) -> &'static [&'static str] {
        &["isolation", "cold", "http-closed"]
    }

    /// About how long it takes: nothing looks at the clock.
    fn budget(&self, _effort: Effort) -> Budget {
        let time_ns = 5_000 * MS;
        Budget { warm_up_samples: 0, warm_up_ns: 0, min_samples: 1, max_samples: 1, time_ns, precision: 0.0 }
    }

    fn measure(
        &self,
        runtime: &dyn Runtime,
        _threads: u32,
        task: &Task,
        _budget: &Budget,
    ) -> Result<Measurement, MeasureError> {
        // Whatever the function says, it must work here first.
        let harmless = runtime.engine()?.load(&task.artifact)?.instantiate(&task.invocation)?.execute()?;
        task.expectation.check(&harmless).map_err(MeasureError::WrongAnswer)?;
        let attempts = ATTEMPTS.iter().map(|kind| attempt(runtime, task, kind)).collect::<Result<_, _>>()?;
        Ok(Measurement {
            samples: Samples::default(),
            warm_up: WarmUp::NONE,
            stop: Stop::Samples,
            readings: [].into(),
            attempts,
        })
    }

    fn values(&self, _threads: u32, _samples: &Samples) -> Vec<f64> {
        Vec::new()
    }
}

fn attempt(runtime: &dyn Runtime, task: &Task, kind: &AttemptKind) -> Result<Attempt, MeasureError> {
    let stage = Stage::set(kind)?;
    let launched = match launched(runtime, kind, &stage) {
        Ok(launched) => launched,
        Err(why) => return Ok(finding(kind, (Verdict::NotApplicable, why), Ok(()))),
    };
    let runtime = launched.as_deref().unwrap_or(runtime);
    let engine = runtime.engine()?;
    let module = engine.load(&task.artifact)?;
    let tried = make(&*module, task, kind, &stage)?;
    let found = judge::judge(kind, &tried, &stage)?;
    let harmless =
        Invocation { limits: Limits { wall_time_ns: AFTER_NS, ..task.invocation.limits }, ..task.invocation.clone() };
    let after = module.instantiate(&harmless).and_then(|mut instance| instance.execute());
    let after = match after {
        // A process that was ended gives the reason of its end to whoever asks it next.
        Err(failure) if Some(&failure) == tried.as_ref().err() => {
            Err(format!("the process was ended with it: {failure}"))
        }
        Err(failure) => Err(failure.to_string()),
        Ok(outcome) => task.expectation.check(&outcome),
    };
    Ok(finding(kind, found, after))
}

fn finding(kind: &AttemptKind, (verdict, evidence): (Verdict, String), after: Result<(), String>) -> Attempt {
    let host_evidence = after.as_ref().err().map_or_else(String::new, |what| judge::line(what));
    Attempt {
        attempt: kind.name.to_owned(),
        verdict,
        evidence: judge::line(&evidence),
        host_survived: after.is_ok(),
        host_evidence,
    }
}

/// The runtime as the attempt needs it, if not as it is; or why it cannot be made in it.
fn launched(runtime: &dyn Runtime, kind: &AttemptKind, stage: &Stage) -> Result<Option<Box<dyn Runtime>>, String> {
    let enforcement = runtime.info().enforcement;
    let by_process = |enforcer: Enforcer| runtime.remote().is_none() && enforcer == Enforcer::Process;
    match (kind.name, runtime.remote()) {
        ("environment", Some(remote)) => {
            let env = crate::process::on_path("env").ok_or("the program env is not on the PATH")?;
            let launcher: [OsString; 2] = [env.into(), format!("{}={}", stage::CANARY, stage.secret).into()];
            Ok(Some(remote.under(&launcher)))
        }
        ("environment", None) => {
            Err("the runtime lives in isobar's own process, whose environment stays as it is".into())
        }
        ("spin", _) if by_process(enforcement.wall_time) => Err(NOBODY.into()),
        ("memory", _) if by_process(enforcement.memory) => Err(NOBODY.into()),
        ("stack", _) if by_process(enforcement.stack) => Err(NOBODY.into()),
        _ => Ok(None),
    }
}

const NOBODY: &str = "the runtime lives in isobar's own process, and does not enforce this limit by itself";

/// What the function that makes an attempt gets.
fn invocation(task: &Task, attempt: &str, variables: Vec<(&str, String)>) -> Invocation {
    let env = std::iter::once(("ATTEMPT", attempt.to_owned())).chain(variables);
    let env = env.map(|(name, value)| (name.to_owned(), value)).collect();
    let limits = match attempt {
        "spin" => Limits { wall_time_ns: SPIN_NS, ..LIMITS },
        "memory" => Limits { memory_bytes: MEMORY_BYTES, ..LIMITS },
        _ => LIMITS,
    };
    Invocation { env, limits, ..task.invocation.clone() }
}

/// Makes the attempt. A failure that is the function's own is an answer; any other one ends the measurement.
fn make(
    module: &dyn Module,
    task: &Task,
    kind: &AttemptKind,
    stage: &Stage,
) -> Result<Result<Outcome, Failure>, MeasureError> {
    let run = |attempt: &str, variables| {
        let mut instance = module.instantiate(&invocation(task, attempt, variables))?;
        let outcome = instance.execute();
        Ok::<_, MeasureError>((outcome, instance))
    };
    let tried = match kind.name {
        "previous" | "neighbour" => {
            let (left, instance) = run("leave", vec![("TOKEN", stage.secret.clone())])?;
            let left = left?;
            if left.stdout != b"left\n" {
                let said = judge::line(&String::from_utf8_lossy(&left.stdout));
                return Err(MeasureError::WrongAnswer(format!("\"{said}\" instead of \"left\"")));
            }
            let _neighbour = (kind.name == "neighbour").then_some(instance);
            run("look", Vec::new())?.0
        }
        name => run(name, stage.variables())?.0,
    };
    match tried {
        Err(failure @ (Failure::Host { .. } | Failure::Rejected { .. } | Failure::Link { .. })) => Err(failure.into()),
        tried => Ok(tried),
    }
}
