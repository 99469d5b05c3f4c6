use super::{Budget, MeasureError, Samples, Task, Trial, elapsed_ns};
use crate::contract::Failure;
use crate::runtime::{Module, Runtime};
use crate::settings::NATIVE_STACK_BYTES;
use std::sync::Barrier;
use std::time::{Duration, Instant};

/// A measurement is cut into this many trials, each of which gives one rate.
const TRIALS: u32 = 5;

/// `threads` threads share one resident module; each starts its next invocation when the last one ended.
pub(super) fn throughput(
    runtime: &dyn Runtime,
    task: &Task,
    budget: &Budget,
    threads: u32,
) -> Result<(Samples, u32), MeasureError> {
    if threads == 0 || (threads > 1 && !runtime.info().concurrent) {
        let message = format!("{} cannot run {threads} threads over one module", runtime.info().id);
        return Err(MeasureError::Failure(Failure::host(message)));
    }
    let engine = runtime.engine()?;
    let module = engine.load(&task.artifact)?;
    let (mut warm_up, since) = (0, Instant::now());
    while budget.warms_up(warm_up, since) {
        invoke(&*module, task)?;
        warm_up += 1;
    }
    let mut samples = Samples::default();
    let length = Duration::from_nanos(budget.time_ns / u64::from(TRIALS));
    let since = Instant::now();
    while samples.trials.len() < TRIALS as usize
        && (samples.trials.is_empty() || elapsed_ns(since, Instant::now()) < budget.time_ns)
    {
        samples.trials.push(trial(&*module, task, threads, length)?);
    }
    Ok((samples, warm_up))
}

fn trial(module: &dyn Module, task: &Task, threads: u32, length: Duration) -> Result<Trial, MeasureError> {
    let barrier = Barrier::new(threads as usize);
    let work = || -> Result<(u64, u64), MeasureError> {
        barrier.wait();
        let (mut completed, start) = (0, Instant::now());
        loop {
            invoke(module, task)?;
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
    let mut trial = Trial { completed: Vec::new(), elapsed_ns: Vec::new() };
    for result in results {
        let panicked = |_| Failure::crashed("the runtime panicked in a thread");
        let (completed, elapsed_ns) = result.map_err(panicked)??;
        trial.completed.push(completed);
        trial.elapsed_ns.push(elapsed_ns);
    }
    Ok(trial)
}

fn invoke(module: &dyn Module, task: &Task) -> Result<(), MeasureError> {
    let outcome = module.instantiate(&task.invocation)?.execute()?;
    task.expectation.check(&outcome).map_err(MeasureError::WrongAnswer)
}
