use super::{Effort, Scenario, Unit};
use crate::measure::budget::Sampler;
use crate::measure::samples::Columns;
use crate::measure::{Budget, MS, MeasureError, Measurement, Samples, Task, WarmUp, elapsed_ns};
use crate::runtime::{Engine, Module, Runtime};
use std::time::Instant;

/// Every sample starts from nothing but the stored artifact, in a process that is already running.
pub(super) struct Cold;

impl Scenario for Cold {
    fn name(&self) -> &'static str {
        "cold"
    }

    fn title(&self) -> &'static str {
        "cold start"
    }

    fn meaning(&self) -> &'static str {
        "What the first invocation of a function costs on a node where nothing is prepared but the stored artifact, in a \
         process that already runs: create the engine, load the artifact (compile it, or map compiled code), make a \
         sandbox, run the function. The sum of these four phases. Compiling ahead of time is not part of it: a platform \
         does it once per deployment (deploy). The file is in the page cache."
    }

    fn unit(&self) -> Unit {
        Unit::Nanoseconds
    }

    fn budget(&self, effort: Effort) -> Budget {
        let (min_samples, max_samples, time_ns) = match effort {
            Effort::Quick => (1, 30, 60 * MS),
            Effort::Full => (2, 200, 1000 * MS),
        };
        Budget { warm_up_samples: 0, warm_up_ns: 0, min_samples, max_samples, time_ns, precision: 0.02 }
    }

    fn measure(
        &self,
        runtime: &dyn Runtime,
        _threads: u32,
        task: &Task,
        budget: &Budget,
    ) -> Result<Measurement, MeasureError> {
        let names = ["engine_ns", "load_ns", "instantiate_ns", "execute_ns", "teardown_ns"];
        let mut columns = Columns::new(names, budget.max_samples);
        let mut resident: Option<(Box<dyn Module>, Box<dyn Engine>)> = None;
        let mut sampler = Sampler::start(budget);
        while sampler.goes_on() {
            // Released between two samples; the last one's is still there when its memory is read.
            drop(resident.take());
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
            let times = [start, created, loaded, instantiated, executed, released];
            sampler.push(columns.push(std::array::from_fn(|phase| elapsed_ns(times[phase], times[phase + 1]))));
            resident = Some((module, engine));
        }
        let (stop, readings) = sampler.finish();
        drop(resident);
        Ok(Measurement { samples: columns.finish(), warm_up: WarmUp::NONE, stop, readings, attempts: Vec::new() })
    }

    fn values(&self, _threads: u32, samples: &Samples) -> Vec<f64> {
        samples.sums(&["engine_ns", "load_ns", "instantiate_ns", "execute_ns"])
    }

    fn parts(&self) -> &'static [(&'static str, &'static str)] {
        &[("engine_ns", "engine"), ("load_ns", "load"), ("instantiate_ns", "instantiate"), ("execute_ns", "execute")]
    }
}
