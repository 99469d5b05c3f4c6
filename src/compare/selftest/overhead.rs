use crate::stats::median;
use isobar_core::measure::{Budget, Expectation, MeasureError, StdoutRule, Task, measure};
use isobar_core::runtime::RuntimeInfo;
use isobar_core::{Engine, Failure, Instance, Invocation, Module, Outcome, Runtime, RuntimeId};
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

/// What the harness itself costs for each warm sample, in nanoseconds: the median over `runs` measurements, of `samples`
/// samples each, of a runtime that does nothing. What is left is the loop, the clock and the check.
///
/// # Errors
/// None that a runtime that does nothing could have.
pub fn driver_ns(samples: u32, runs: usize) -> Result<f64, MeasureError> {
    let budget = Budget {
        warm_up_samples: 0,
        warm_up_ns: 0,
        min_samples: samples,
        max_samples: samples,
        time_ns: 0,
        precision: 0.0,
    };
    let warm = "warm".parse().map_err(|e| MeasureError::Failure(Failure::host(format!("{e}"))))?;
    let task = Task {
        module: "none".into(),
        artifact: "none".into(),
        invocation: Invocation::default(),
        expectation: Expectation { exit_code: 0, stdout: StdoutRule::Exact(b"Hello, World!\n".to_vec()) },
    };
    let nothing = Nothing::new();
    let one = |_| {
        let start = Instant::now();
        black_box(measure(&nothing, warm, &task, &budget)?);
        Ok(start.elapsed().as_nanos() as f64 / f64::from(samples.max(1)))
    };
    let mut costs = (0..runs).map(one).collect::<Result<Vec<f64>, MeasureError>>()?;
    Ok(median(&mut costs).unwrap_or(0.0))
}

/// A runtime that answers at once.
struct Nothing(RuntimeInfo);

impl Nothing {
    fn new() -> Self {
        Nothing(RuntimeInfo {
            version: "1".into(),
            concurrent: true,
            ..RuntimeInfo::wasm(RuntimeId::new("nothing", "plain", &[]))
        })
    }
}

struct Part;

impl Runtime for Nothing {
    fn info(&self) -> &RuntimeInfo {
        &self.0
    }
    fn engine(&self) -> Result<Box<dyn Engine>, Failure> {
        Ok(Box::new(Part))
    }
}

impl Engine for Part {
    fn load(&self, _artifact: &Path) -> Result<Box<dyn Module>, Failure> {
        Ok(Box::new(Part))
    }
}

impl Module for Part {
    fn instantiate(&self, _invocation: &Invocation) -> Result<Box<dyn Instance>, Failure> {
        Ok(Box::new(Part))
    }
}

impl Instance for Part {
    fn execute(&mut self) -> Result<Outcome, Failure> {
        Ok(Outcome { exit_code: 0, stdout: b"Hello, World!\n".to_vec(), stderr: Vec::new() })
    }
}
