use super::{Effort, Scenario, Unit};
use crate::contract::Failure;
use crate::measure::budget::Stop;
use crate::measure::measures::Whose;
use crate::measure::warm_up::warm_up;
use crate::measure::{Budget, MS, MeasureError, Measurement, Samples, Task, elapsed_ns, measures};
use crate::runtime::{Module, Runtime, RuntimeInfo};
use crate::settings::NATIVE_STACK_BYTES;
use std::sync::Barrier;
use std::time::{Duration, Instant};

/// A measurement is cut into this many trials, each of which gives one rate.
const TRIALS: u32 = 5;

/// Threads share one resident module; each starts its next invocation when its last one ended.
pub(super) struct Throughput;

impl Scenario for Throughput {
    fn name(&self) -> &'static str {
        "throughput"
    }

    fn title(&self) -> &'static str {
        "throughput"
    }

    fn meaning(&self) -> &'static str {
        "Warm invocations per second, when each of so many threads starts its next invocation as soon as its last one \
         ended. All threads share one loaded module."
    }

    fn unit(&self) -> Unit {
        Unit::PerSecond
    }

    fn threads(&self, cores: u32) -> Option<Vec<u32>> {
        Some((1..=cores.max(1)).collect())
    }

    fn obstacle(&self, runtime: &RuntimeInfo, threads: u32) -> Option<String> {
        (threads > 1 && !runtime.concurrent)
            .then(|| "the runtime cannot run instances of one module on several threads".to_owned())
    }

    fn budget(&self, effort: Effort) -> Budget {
        let (warm_up_samples, warm_up_ns, time_ns) = match effort {
            Effort::Quick => (100, 20 * MS, 60 * MS),
            Effort::Full => (1000, 200 * MS, 1000 * MS),
        };
        Budget { warm_up_samples, warm_up_ns, min_samples: 1, max_samples: TRIALS, time_ns, precision: 0.0 }
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
        let warm_up = warm_up(budget, || timed_invocation(&*module, task))?;
        let (mut completed, mut elapsed, mut trials) = (Vec::new(), Vec::new(), 0);
        let length = Duration::from_nanos(budget.time_ns / u64::from(TRIALS));
        let (since, counters) = (Instant::now(), measures::Running::start(Whose::Own));
        while trials < TRIALS && (trials == 0 || elapsed_ns(since, Instant::now()) < budget.time_ns) {
            for (count, ns) in trial(&*module, task, threads, length)? {
                completed.push(count);
                elapsed.push(ns);
            }
            trials += 1;
        }
        let readings = counters.finish(completed.iter().sum());
        let stop = if trials == TRIALS { Stop::Samples } else { Stop::Time };
        let samples = Samples::of([("completed", completed), ("elapsed_ns", elapsed)]);
        Ok(Measurement { samples, warm_up, stop, readings, attempts: Vec::new() })
    }

    /// The columns hold, trial by trial, an entry for each thread; a trial's rate is the sum of its threads' rates.
    fn values(&self, threads: u32, samples: &Samples) -> Vec<f64> {
        let rates: Vec<f64> = samples
            .column("completed")
            .iter()
            .zip(samples.column("elapsed_ns"))
            .map(|(count, ns)| *count as f64 * 1e9 / (*ns).max(1) as f64)
            .collect();
        rates.chunks_exact(threads.max(1) as usize).map(|trial| trial.iter().sum()).collect()
    }
}

/// For each thread: how many invocations it completed, and in which time.
fn trial(module: &dyn Module, task: &Task, threads: u32, length: Duration) -> Result<Vec<(u64, u64)>, MeasureError> {
    let barrier = Barrier::new(threads as usize);
    let work = || -> Result<(u64, u64), MeasureError> {
        barrier.wait();
        let (mut completed, start) = (0, Instant::now());
        loop {
            timed_invocation(module, task)?;
            completed += 1;
            let now = Instant::now();
            if now.duration_since(start) >= length {
                return Ok((completed, elapsed_ns(start, now)));
            }
        }
    };
    let results: Vec<_> = std::thread::scope(|scope| {
        let spawn = |_| std::thread::Builder::new().stack_size(NATIVE_STACK_BYTES).spawn_scoped(scope, work);
        let threads: Result<Vec<_>, _> = (0..threads).map(spawn).collect();
        // A thread that is not there leaves the others waiting at the barrier for ever: nothing to be saved.
        let threads = threads.expect("the system starts as many threads as the machine has cores");
        threads.into_iter().map(|thread| thread.join()).collect()
    });
    let panicked = |_| Failure::crashed("the runtime panicked in a thread");
    results.into_iter().map(|result| result.map_err(panicked)?).collect()
}

fn timed_invocation(module: &dyn Module, task: &Task) -> Result<u64, MeasureError> {
    let start = Instant::now();
    let outcome = module.instantiate(&task.invocation)?.execute()?;
    task.expectation.check(&outcome).map_err(MeasureError::WrongAnswer)?;
    Ok(elapsed_ns(start, Instant::now()))
}
