//! `native/in-process`: what one piece of work costs in a native program that runs already, its start left out.
//!
//! A function whose family has the variable ITERATIONS does its work that often within one invocation. Its executable is
//! started to do it once and to do it `1 + n` times; the difference of the two, divided by n, is one sample. n is chosen so
//! that the difference outweighs a start.

use crate::native::{Native, info};
use isobar_core::measure::{Budget, Expectation, MeasureError, Measurement, Samples, ScenarioId, Stop, Task, WarmUp};
use isobar_core::{Class, Engine, Failure, Invocation, Once, Remote, Runtime, RuntimeId, RuntimeInfo};
use std::ffi::OsString;
use std::path::Path;
use std::time::Instant;

/// The variable that says how often.
const ITERATIONS: &str = "ITERATIONS";

/// The difference of two invocations must be at least so long, in nanoseconds, and four times as long as the shorter one.
const DIFFERENCE_NS: u64 = 10_000_000;

/// A function that does not work longer when it is told so often to work does not know ITERATIONS.
const MOST: u64 = 1 << 22;

/// The runtime.
pub(crate) struct Inside {
    info: RuntimeInfo,
    process: Native,
}

impl Inside {
    pub(crate) fn new(kernel: &str) -> Inside {
        let settings = [
            ("sample", "two processes, one with more ITERATIONS: their difference, by the number of iterations"),
            ("walls", "none"),
        ];
        let info = info(RuntimeId::new("native", "in-process", &[]), Class::Process, kernel, &settings);
        let scenarios = Some(vec!["warm".to_owned()]);
        // Its samples are no processes.
        let info = RuntimeInfo { scenarios, own_process: false, variables: vec![ITERATIONS.to_owned()], ..info };
        Inside { info, process: Native::process(kernel) }
    }

    /// How long an invocation takes that does its work so often.
    fn elapsed_ns(&self, task: &Task, iterations: u64) -> Result<u64, MeasureError> {
        let mut invocation = task.invocation.clone();
        invocation.env.retain(|(name, _)| name != ITERATIONS);
        invocation.env.push((ITERATIONS.to_owned(), iterations.to_string()));
        let Once { outcome, elapsed_ns, .. } = self.process.run_once(&task.artifact, &invocation)?;
        check(&task.expectation, &outcome)?;
        Ok(elapsed_ns)
    }

    /// How many more iterations make a difference, and the time of each that was found on the way.
    fn calibrate(&self, task: &Task) -> Result<u64, MeasureError> {
        let mut more = 1;
        loop {
            let (once, often) = (self.elapsed_ns(task, 1)?, self.elapsed_ns(task, 1 + more)?);
            let difference = often.saturating_sub(once);
            if difference >= DIFFERENCE_NS.max(once.saturating_mul(4)).min(task.invocation.limits.wall_time_ns / 8) {
                return Ok(more);
            }
            if more >= MOST {
                return Err(Failure::host(format!(
                    "it does not work longer with more {ITERATIONS}: its family has none"
                ))
                .into());
            }
            more *= 2;
        }
    }
}

fn check(expectation: &Expectation, outcome: &isobar_core::Outcome) -> Result<(), MeasureError> {
    expectation.check(outcome).map_err(MeasureError::WrongAnswer)
}

impl Runtime for Inside {
    fn info(&self) -> &RuntimeInfo {
        &self.info
    }

    fn engine(&self) -> Result<Box<dyn Engine>, Failure> {
        self.process.engine()
    }

    fn run_once(&self, artifact: &Path, invocation: &Invocation) -> Result<Once, Failure> {
        self.process.run_once(artifact, invocation)
    }

    fn remote(&self) -> Option<&dyn Remote> {
        Some(self)
    }
}

impl Remote for Inside {
    fn measure(&self, _: ScenarioId, task: &Task, budget: &Budget) -> Result<Measurement, MeasureError> {
        let warming = Instant::now();
        let more = self.calibrate(task)?;
        let warm_up_ns = isobar_core::measure::nanoseconds(warming.elapsed());
        let (since, mut execute_ns) = (Instant::now(), Vec::new());
        let stop = loop {
            let (once, often) = (self.elapsed_ns(task, 1)?, self.elapsed_ns(task, 1 + more)?);
            execute_ns.push(often.saturating_sub(once) / more);
            let enough = execute_ns.len() >= budget.min_samples.max(2) as usize;
            if execute_ns.len() >= budget.max_samples as usize {
                break Stop::Samples;
            }
            if enough && isobar_core::measure::nanoseconds(since.elapsed()) >= budget.time_ns {
                break Stop::Time;
            }
        };
        let none = vec![0; execute_ns.len()];
        let readings = [("invocations".to_owned(), execute_ns.len() as u64 * (2 + more))].into();
        let samples =
            Samples::of([("instantiate_ns", none.clone()), ("execute_ns", execute_ns), ("teardown_ns", none)]);
        let warm_up = WarmUp { elapsed_ns: warm_up_ns, ..WarmUp::NONE };
        Ok(Measurement { samples, warm_up, stop, readings })
    }

    fn under(&self, _: &[OsString]) -> Box<dyn Runtime> {
        Box::new(Inside { info: self.info.clone(), process: Native::process(&self.info.version) })
    }
}
