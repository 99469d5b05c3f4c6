use super::{Effort, Scenario, Unit};
use crate::contract::Failure;
use crate::measure::budget::Stop;
use crate::measure::{
    Budget, MS, MeasureError, Measurement, Samples, Task, WarmUp, elapsed_ns, least_squares_slope, measures,
};
use crate::process::memory;
use crate::runtime::{Instance, Runtime};
use std::time::Instant;

/// The process may grow to so much, in bytes.
const MEMORY_BYTES: u64 = 2 << 30;

/// What live instances and resident modules weigh.
pub(super) struct Density;

impl Scenario for Density {
    fn name(&self) -> &'static str {
        "density"
    }

    fn title(&self) -> &'static str {
        "memory per instance"
    }

    fn meaning(&self) -> &'static str {
        "What one more live instance adds to the memory of a process: the proportional set size (PSS) with 1, 2, 4, ... \
         instances that have run and not been released, by least squares. The same for modules that are loaded and have \
         no instance."
    }

    fn unit(&self) -> Unit {
        Unit::Bytes
    }

    /// `max_samples` is the largest number of instances.
    fn budget(&self, effort: Effort) -> Budget {
        let (max_samples, time_ns) = match effort {
            Effort::Quick => (64, 200 * MS),
            Effort::Full => (1024, 1000 * MS),
        };
        Budget { warm_up_samples: 0, warm_up_ns: 0, min_samples: 4, max_samples, time_ns, precision: 0.0 }
    }

    fn measure(
        &self,
        runtime: &dyn Runtime,
        _threads: u32,
        task: &Task,
        budget: &Budget,
    ) -> Result<Measurement, MeasureError> {
        let counters = measures::Running::start();
        let engine = runtime.engine()?;
        let module = engine.load(&task.artifact)?;
        let live = || -> Result<Box<dyn Instance>, MeasureError> {
            let mut instance = module.instantiate(&task.invocation)?;
            let outcome = instance.execute()?;
            task.expectation.check(&outcome).map_err(MeasureError::WrongAnswer)?;
            Ok(instance)
        };
        let (instances, instances_pss, stop) = grow(budget, live)?;
        let (modules, modules_pss, _) = grow(budget, || Ok(engine.load(&task.artifact)?))?;
        let readings = counters.finish(instances.last().copied().unwrap_or(0));
        let samples = Samples::of([
            ("instances", instances),
            ("instances_pss_bytes", instances_pss),
            ("modules", modules),
            ("modules_pss_bytes", modules_pss),
        ]);
        Ok(Measurement { samples, warm_up: WarmUp::NONE, stop, readings })
    }

    fn values(&self, _threads: u32, samples: &Samples) -> Vec<f64> {
        let points = samples.column("instances").iter().zip(samples.column("instances_pss_bytes"));
        least_squares_slope(points.map(|(count, bytes)| (*count as f64, *bytes as f64))).into_iter().collect()
    }

    fn slope(&self) -> Option<(&'static str, &'static str)> {
        Some(("instances", "instances_pss_bytes"))
    }
}

/// Makes things and keeps them, doubling their number, and reads the memory at each doubling.
fn grow<T>(
    budget: &Budget,
    mut make: impl FnMut() -> Result<T, MeasureError>,
) -> Result<(Vec<u64>, Vec<u64>, Stop), MeasureError> {
    let (mut kept, mut counts, mut sizes) = (Vec::new(), Vec::new(), Vec::new());
    let since = Instant::now();
    let stop = loop {
        let pss_bytes = memory().pss_bytes.ok_or_else(|| Failure::host("the system does not tell a process' PSS"))?;
        counts.push(kept.len() as u64);
        sizes.push(pss_bytes);
        let next = (kept.len() * 2).max(1);
        if next > budget.max_samples as usize {
            break Stop::Samples;
        }
        let enough = kept.len() >= budget.min_samples as usize;
        if enough && (elapsed_ns(since, Instant::now()) >= budget.time_ns || pss_bytes >= MEMORY_BYTES) {
            break Stop::Time;
        }
        while kept.len() < next {
            kept.push(make()?);
        }
    };
    Ok((counts, sizes, stop))
}
