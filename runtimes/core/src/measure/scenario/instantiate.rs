use super::{Effort, Scenario, Unit};
use crate::contract::Failure;
use crate::measure::budget::Sampler;
use crate::measure::samples::Columns;
use crate::measure::warm_up::warm_up;
use crate::measure::{Budget, MS, MeasureError, Measurement, Samples, Task, elapsed_ns};
use crate::runtime::{Module, Runtime, RuntimeInfo};
use crate::settings::NATIVE_STACK_BYTES;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Instant;

/// The module is resident; every sample makes a sandbox and releases it, and nothing runs in it. As in Wasmtime's own
/// bench of instantiation, all threads but one do the same in the background and are not timed.
pub(super) struct Instantiate;

impl Scenario for Instantiate {
    fn name(&self) -> &'static str {
        "instantiate"
    }

    fn title(&self) -> &'static str {
        "instantiation"
    }

    fn meaning(&self) -> &'static str {
        "Making a sandbox and releasing it, without running the function; the module stays loaded. On several threads one \
         of them is timed, the others do the same in the background. Before and after the samples a whole invocation is \
         made and its answer checked."
    }

    fn unit(&self) -> Unit {
        Unit::Nanoseconds
    }

    fn threads(&self, cores: u32) -> Option<Vec<u32>> {
        Some((1..=cores.max(1)).collect())
    }

    fn opt_in(&self) -> Option<&'static str> {
        Some("instantiate")
    }

    fn obstacle(&self, runtime: &RuntimeInfo, threads: u32) -> Option<String> {
        (threads > 1 && !runtime.concurrent)
            .then(|| "the runtime cannot make instances of one module on several threads".to_owned())
    }

    /// Never ended by its precision: how the samples are distributed is of interest, too.
    fn budget(&self, effort: Effort) -> Budget {
        let (warm_up_samples, warm_up_ns, min_samples, max_samples, time_ns) = match effort {
            Effort::Quick => (200, 30 * MS, 1, 2000, 60 * MS),
            Effort::Full => (2000, 300 * MS, 5, 5000, 700 * MS),
        };
        Budget { warm_up_samples, warm_up_ns, min_samples, max_samples, time_ns, precision: 0.0 }
    }

    fn measure(
        &self,
        runtime: &dyn Runtime,
        threads: u32,
        task: &Task,
        budget: &Budget,
    ) -> Result<Measurement, MeasureError> {
        if let Some(obstacle) = self.obstacle(runtime.info(), threads) {
            return Err(Failure::host(format!("{} on {threads} threads: {obstacle}", runtime.info().id)).into());
        }
        let engine = runtime.engine()?;
        let module = engine.load(&task.artifact)?;
        check(&*module, task)?;
        let measured = beside(&*module, task, threads - 1, || {
            let warm_up = warm_up(budget, || Ok(sample(&*module, task)?.iter().sum()))?;
            let mut columns = Columns::new(["instantiate_ns", "teardown_ns"], budget.max_samples);
            let mut sampler = Sampler::start(budget);
            while sampler.goes_on() {
                sampler.push(columns.push(sample(&*module, task)?));
            }
            let (stop, readings) = sampler.finish();
            Ok(Measurement { samples: columns.finish(), warm_up, stop, readings, attempts: Vec::new() })
        })?;
        check(&*module, task)?;
        Ok(measured)
    }

    fn values(&self, _threads: u32, samples: &Samples) -> Vec<f64> {
        samples.sums(&["instantiate_ns", "teardown_ns"])
    }

    fn parts(&self) -> &'static [(&'static str, &'static str)] {
        &[("instantiate_ns", "instantiate"), ("teardown_ns", "release")]
    }
}

/// A whole invocation: that the module can be instantiated says nothing of what it does.
pub(super) fn check(module: &dyn Module, task: &Task) -> Result<(), MeasureError> {
    let outcome = module.instantiate(&task.invocation)?.execute()?;
    task.expectation.check(&outcome).map_err(MeasureError::WrongAnswer)
}

fn sample(module: &dyn Module, task: &Task) -> Result<[u64; 2], MeasureError> {
    let start = Instant::now();
    let instance = module.instantiate(&task.invocation)?;
    let instantiated = Instant::now();
    drop(instance);
    let released = Instant::now();
    Ok([elapsed_ns(start, instantiated), elapsed_ns(instantiated, released)])
}

/// Calls `measure` while so many threads instantiate and release without pause; each has done it once before.
fn beside<T>(
    module: &dyn Module,
    task: &Task,
    background: u32,
    measure: impl FnOnce() -> Result<T, MeasureError>,
) -> Result<T, MeasureError> {
    let (stop, started) = (AtomicBool::new(false), AtomicU32::new(0));
    let work = || -> Result<(), MeasureError> {
        let mut first = true;
        while !stop.load(Ordering::Relaxed) {
            drop(module.instantiate(&task.invocation)?);
            if std::mem::take(&mut first) {
                started.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let spawn = |_| std::thread::Builder::new().stack_size(NATIVE_STACK_BYTES).spawn_scoped(scope, work);
        let threads: std::io::Result<Vec<_>> = (0..background).map(spawn).collect();
        let measured = match &threads {
            Ok(threads) => {
                // One that failed is done; what it said is found below.
                while started.load(Ordering::Relaxed) < background && threads.iter().all(|t| !t.is_finished()) {
                    std::thread::yield_now();
                }
                measure()
            }
            Err(e) => Err(Failure::host(format!("a thread cannot be started: {e}")).into()),
        };
        stop.store(true, Ordering::Relaxed);
        for thread in threads.into_iter().flatten() {
            thread.join().map_err(|_| Failure::crashed("the runtime panicked in a thread"))??;
        }
        measured
    })
}
