use super::instantiate::check;
use super::{Effort, Scenario, Unit};
use crate::measure::budget::Sampler;
use crate::measure::samples::Columns;
use crate::measure::warm_up::warm_up;
use crate::measure::{Budget, MS, MeasureError, Measurement, Samples, Task, elapsed_ns};
use crate::runtime::{Engine, Module, Runtime};
use std::time::Instant;

/// The engine is there; every sample loads the artifact and makes one sandbox, in which nothing runs.
pub(super) struct LoadInstantiate;

impl Scenario for LoadInstantiate {
    fn name(&self) -> &'static str {
        "load-instantiate"
    }

    fn title(&self) -> &'static str {
        "loading and instantiating"
    }

    fn meaning(&self) -> &'static str {
        "From the stored artifact to a sandbox, the engine being there: load the artifact (compile it, or map compiled \
         code) and make a sandbox, without running the function. Releasing both is not part of it. Before and after the \
         samples a whole invocation is made and its answer checked. The file is in the page cache."
    }

    fn unit(&self) -> Unit {
        Unit::Nanoseconds
    }

    fn opt_in(&self) -> Option<&'static str> {
        Some("load-instantiate")
    }

    /// Never ended by its precision: how the samples are distributed is of interest, too.
    fn budget(&self, effort: Effort) -> Budget {
        let (warm_up_samples, warm_up_ns, min_samples, max_samples, time_ns) = match effort {
            Effort::Quick => (100, 30 * MS, 1, 1000, 60 * MS),
            Effort::Full => (1000, 300 * MS, 5, 5000, 1000 * MS),
        };
        Budget { warm_up_samples, warm_up_ns, min_samples, max_samples, time_ns, precision: 0.0 }
    }

    fn measure(
        &self,
        runtime: &dyn Runtime,
        _threads: u32,
        task: &Task,
        budget: &Budget,
    ) -> Result<Measurement, MeasureError> {
        let engine = runtime.engine()?;
        check(&*engine.load(&task.artifact)?, task)?;
        let warm_up = warm_up(budget, || Ok(sample(&*engine, task)?.0.iter().sum()))?;
        let mut columns = Columns::new(["load_ns", "instantiate_ns"], budget.max_samples);
        let mut sampler = Sampler::start(budget);
        // The last one's memory is still there when it is read.
        let mut resident = None;
        while sampler.goes_on() {
            drop(resident.take());
            let (times, module) = sample(&*engine, task)?;
            sampler.push(columns.push(times));
            resident = Some(module);
        }
        let (stop, readings) = sampler.finish();
        drop(resident);
        check(&*engine.load(&task.artifact)?, task)?;
        Ok(Measurement { samples: columns.finish(), warm_up, stop, readings, attempts: Vec::new() })
    }

    fn values(&self, _threads: u32, samples: &Samples) -> Vec<f64> {
        samples.sums(&["load_ns", "instantiate_ns"])
    }

    fn parts(&self) -> &'static [(&'static str, &'static str)] {
        &[("load_ns", "load"), ("instantiate_ns", "instantiate")]
    }
}

fn sample(engine: &dyn Engine, task: &Task) -> Result<([u64; 2], Box<dyn Module>), MeasureError> {
    let start = Instant::now();
    let module = engine.load(&task.artifact)?;
    let loaded = Instant::now();
    let instance = module.instantiate(&task.invocation)?;
    let instantiated = Instant::now();
    drop(instance);
    Ok(([elapsed_ns(start, loaded), elapsed_ns(loaded, instantiated)], module))
}
