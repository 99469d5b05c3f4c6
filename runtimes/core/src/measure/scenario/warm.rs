use super::{Effort, Scenario, Unit};
use crate::contract::{Failure, Invocation, Outcome};
use crate::measure::budget::Sampler;
use crate::measure::samples::Columns;
use crate::measure::warm_up::warm_up;
use crate::measure::{Budget, MS, MeasureError, Measurement, Samples, Task, elapsed_ns};
use crate::runtime::{Module, Runtime};
use std::time::Instant;

/// The module is resident; every sample is a fresh sandbox.
pub(super) struct Warm;

impl Scenario for Warm {
    fn name(&self) -> &'static str {
        "warm"
    }

    fn title(&self) -> &'static str {
        "warm invocation"
    }

    fn meaning(&self) -> &'static str {
        "What every further invocation costs: make a fresh sandbox, run the function, release the sandbox. The module \
         stays loaded; nothing of an earlier invocation is reused."
    }

    fn unit(&self) -> Unit {
        Unit::Nanoseconds
    }

    fn budget(&self, effort: Effort) -> Budget {
        let (warm_up_samples, warm_up_ns, min_samples, max_samples, time_ns) = match effort {
            Effort::Quick => (200, 30 * MS, 1, 1000, 60 * MS),
            Effort::Full => (2000, 300 * MS, 5, 5000, 700 * MS),
        };
        Budget { warm_up_samples, warm_up_ns, min_samples, max_samples, time_ns, precision: 0.02 }
    }

    fn measure(
        &self,
        runtime: &dyn Runtime,
        _threads: u32,
        task: &Task,
        budget: &Budget,
    ) -> Result<Measurement, MeasureError> {
        let engine = runtime.engine()?;
        let module = engine.load(&task.artifact)?;
        let warm_up = warm_up(budget, || Ok(checked(&*module, task)?.iter().sum()))?;
        let mut columns = Columns::new(["instantiate_ns", "execute_ns", "teardown_ns"], budget.max_samples);
        let mut sampler = Sampler::start(budget);
        while sampler.goes_on() {
            sampler.push(columns.push(checked(&*module, task)?));
        }
        let (stop, readings) = sampler.finish();
        Ok(Measurement { samples: columns.finish(), warm_up, stop, readings, attempts: Vec::new() })
    }

    fn values(&self, _threads: u32, samples: &Samples) -> Vec<f64> {
        samples.sums(&["instantiate_ns", "execute_ns", "teardown_ns"])
    }
}

/// One warm invocation, its answer checked.
fn checked(module: &dyn Module, task: &Task) -> Result<[u64; 3], MeasureError> {
    let (times, outcome) = sample(module, &task.invocation)?;
    task.expectation.check(&outcome).map_err(MeasureError::WrongAnswer)?;
    Ok(times)
}

/// One warm invocation. `benches/overhead` measures what this adds to the runtime's own time. Never inlined: callgrind finds
/// it by its name.
#[inline(never)]
fn sample(module: &dyn Module, invocation: &Invocation) -> Result<([u64; 3], Outcome), Failure> {
    let start = Instant::now();
    let mut instance = module.instantiate(invocation)?;
    let instantiated = Instant::now();
    let outcome = instance.execute()?;
    let executed = Instant::now();
    drop(instance);
    let released = Instant::now();
    let times = [elapsed_ns(start, instantiated), elapsed_ns(instantiated, executed), elapsed_ns(executed, released)];
    Ok((times, outcome))
}
