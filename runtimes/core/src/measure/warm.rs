use super::{Budget, MeasureError, Samples, Task, elapsed_ns};
use crate::runtime::{Module, Runtime};
use std::time::Instant;

/// The module is resident; every sample is a fresh sandbox.
pub(super) fn warm(runtime: &dyn Runtime, task: &Task, budget: &Budget) -> Result<(Samples, u32), MeasureError> {
    let engine = runtime.engine()?;
    let module = engine.load(&task.artifact)?;
    let mut unused = Samples::default();
    let (mut warm_up, since) = (0, Instant::now());
    while budget.warms_up(warm_up, since) {
        sample(&*module, task, &mut unused)?;
        warm_up += 1;
    }
    let mut samples = Samples::default();
    // Growing a column inside the loop would show up as a slow sample.
    for column in [&mut samples.instantiate_ns, &mut samples.execute_ns, &mut samples.teardown_ns] {
        column.reserve_exact(budget.max_samples as usize);
    }
    let since = Instant::now();
    while budget.goes_on(samples.execute_ns.len(), since) {
        sample(&*module, task, &mut samples)?;
    }
    Ok((samples, warm_up))
}

/// One warm invocation, its answer checked. `benches/overhead.rs` measures what this adds to the runtime's own time.
fn sample(module: &dyn Module, task: &Task, samples: &mut Samples) -> Result<(), MeasureError> {
    let start = Instant::now();
    let mut instance = module.instantiate(&task.invocation)?;
    let instantiated = Instant::now();
    let outcome = instance.execute()?;
    let executed = Instant::now();
    drop(instance);
    let released = Instant::now();
    task.expectation.check(&outcome).map_err(MeasureError::WrongAnswer)?;
    samples.instantiate_ns.push(elapsed_ns(start, instantiated));
    samples.execute_ns.push(elapsed_ns(instantiated, executed));
    samples.teardown_ns.push(elapsed_ns(executed, released));
    Ok(())
}
