use super::{Budget, MeasureError, Samples, Task, elapsed_ns};
use crate::runtime::Runtime;
use std::time::Instant;

/// Every sample starts from nothing but the stored artifact, in a process that is already running.
pub(super) fn cold(runtime: &dyn Runtime, task: &Task, budget: &Budget) -> Result<Samples, MeasureError> {
    let mut samples = Samples::default();
    let since = Instant::now();
    while budget.goes_on(samples.engine_ns.len(), since) {
        let start = Instant::now();
        let engine = runtime.engine()?;
        let created = Instant::now();
        let module = engine.load(&task.artifact)?;
        let loaded = Instant::now();
        let mut instance = module.instantiate(&task.invocation)?;
        let instantiated = Instant::now();
        let outcome = instance.execute()?;
        let executed = Instant::now();
        drop(instance);
        let released = Instant::now();
        task.expectation.check(&outcome).map_err(MeasureError::WrongAnswer)?;
        samples.engine_ns.push(elapsed_ns(start, created));
        samples.load_ns.push(elapsed_ns(created, loaded));
        samples.instantiate_ns.push(elapsed_ns(loaded, instantiated));
        samples.execute_ns.push(elapsed_ns(instantiated, executed));
        samples.teardown_ns.push(elapsed_ns(executed, released));
    }
    Ok(samples)
}
