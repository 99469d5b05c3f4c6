use super::{Effort, Scenario, Unit};
use crate::contract::Failure;
use crate::measure::budget::Stop;
use crate::measure::measures::Whose;
use crate::measure::{
    Budget, MS, MeasureError, Measurement, Samples, Task, WarmUp, elapsed_ns, least_squares_slope, measures,
};
use crate::process::available_bytes;
use crate::runtime::{Engine, Instance, Module, Runtime};
use rustix::fs::{MemfdFlags, memfd_create};
use std::fs::File;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::time::Instant;

/// Instances, and modules after them, may grow by so much each, in bytes; less on a machine that has not four times that
/// to spare.
const MEMORY_BYTES: u64 = 1 << 30;

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
         instances that have run and not been released, by least squares. What the first one costs beyond that is the \
         runtime's, and not counted. The same for modules that are loaded, each from a file of its own, and have no \
         instance."
    }

    fn unit(&self) -> Unit {
        Unit::Bytes
    }

    fn live_instances(&self, _threads: u32) -> u32 {
        u32::MAX
    }

    /// `max_samples` is the largest number of instances.
    fn budget(&self, effort: Effort) -> Budget {
        let (max_samples, time_ns) = match effort {
            Effort::Quick => (64, 60 * MS),
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
        let counters = measures::Running::start(Whose::Own);
        let engine = runtime.engine()?;
        let module = engine.load(&task.artifact)?;
        let live = || -> Result<Box<dyn Instance>, MeasureError> {
            let mut instance = module.instantiate(&task.invocation)?;
            let outcome = instance.execute_and_stay()?;
            task.expectation.check(&outcome).map_err(MeasureError::WrongAnswer)?;
            Ok(instance)
        };
        let artifact = std::fs::read(&task.artifact)
            .map_err(|e| Failure::host(format!("the artifact {}: {e}", task.artifact.display())))?;
        let pss = || engine.pss_bytes();
        // All instances stay: modules would find room in the memory that released ones leave.
        let instances = grow(pss, budget, live)?;
        let modules = grow(pss, budget, || Ok(load_copy(&*engine, &artifact)?))?;
        let readings = counters.finish(instances.things.len() as u64);
        let stop = instances.stop;
        let samples = Samples::of([
            ("instances", instances.counts),
            ("instances_pss_bytes", instances.pss_bytes),
            ("modules", modules.counts),
            ("modules_pss_bytes", modules.pss_bytes),
        ]);
        Ok(Measurement { samples, warm_up: WarmUp::NONE, stop, readings })
    }

    fn values(&self, _threads: u32, samples: &Samples) -> Vec<f64> {
        slope(samples, "instances", "instances_pss_bytes")
    }

    fn parts(&self) -> &'static [(&'static str, &'static str)] {
        &[("module_bytes", "module without instances")]
    }

    fn part_values(&self, name: &str, samples: &Samples) -> Vec<f64> {
        match name {
            "module_bytes" => slope(samples, "modules", "modules_pss_bytes"),
            _ => Vec::new(),
        }
    }

    fn slope(&self) -> Option<(&'static str, &'static str)> {
        Some(("instances", "instances_pss_bytes"))
    }
}

fn slope(samples: &Samples, count: &str, bytes: &str) -> Vec<f64> {
    let points = samples.column(count).iter().zip(samples.column(bytes));
    least_squares_slope(points.map(|(count, bytes)| (*count as f64, *bytes as f64))).into_iter().collect()
}

/// Things that are kept, and the memory of the process with the first 1, 2, 4, ... of them.
struct Grown<T> {
    things: Vec<T>,
    counts: Vec<u64>,
    pss_bytes: Vec<u64>,
    stop: Stop,
}

/// Makes things and keeps them, doubling their number, and reads the memory at each doubling. Without any there is no
/// point: the first one also pays for what all of them share.
fn grow<T>(
    pss: impl Fn() -> Option<u64>,
    budget: &Budget,
    mut make: impl FnMut() -> Result<T, MeasureError>,
) -> Result<Grown<T>, MeasureError> {
    let room = MEMORY_BYTES.min(available_bytes().map_or(u64::MAX, |bytes| bytes / 4));
    let since = Instant::now();
    let mut grown = Grown { things: vec![make()?], counts: vec![], pss_bytes: vec![], stop: Stop::Samples };
    loop {
        let pss_bytes = pss().ok_or_else(|| Failure::host("the system does not tell a process' PSS"))?;
        grown.counts.push(grown.things.len() as u64);
        grown.pss_bytes.push(pss_bytes);
        let next = grown.things.len() * 2;
        if next > budget.max_samples as usize {
            return Ok(grown);
        }
        // As much again as it grew so far, and the first one's share.
        let doubled = pss_bytes.saturating_sub(grown.pss_bytes[0]) * 2;
        let enough = grown.things.len() >= budget.min_samples as usize;
        if enough && (elapsed_ns(since, Instant::now()) >= budget.time_ns || doubled >= room) {
            grown.stop = Stop::Time;
            return Ok(grown);
        }
        while grown.things.len() < next {
            grown.things.push(make()?);
        }
    }
}

/// Loads an artifact from a file in memory that nobody else has: modules that map one and the same file would share its
/// pages, and a platform's functions differ.
fn load_copy(engine: &dyn Engine, artifact: &[u8]) -> Result<Box<dyn Module>, Failure> {
    let io = |e: std::io::Error| Failure::host(format!("cannot copy the artifact: {e}"));
    let mut copy = File::from(memfd_create("artifact", MemfdFlags::CLOEXEC).map_err(|e| io(e.into()))?);
    copy.write_all(artifact).map_err(io)?;
    engine.load(Path::new(&format!("/proc/self/fd/{}", copy.as_raw_fd())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> Option<u64> {
        crate::process::memory().pss_bytes
    }

    const BUDGET: Budget =
        Budget { warm_up_samples: 0, warm_up_ns: 0, min_samples: 4, max_samples: 64, time_ns: 0, precision: 0.0 };

    #[test]
    fn a_known_weight_is_found() {
        let _alone = crate::process::tests::memory_is_mine();
        let budget = Budget { time_ns: u64::MAX, ..BUDGET };
        let grown = grow(own, &budget, || Ok(std::hint::black_box(vec![1_u8; 1 << 20]))).unwrap();
        assert_eq!((grown.things.len(), grown.stop), (64, Stop::Samples));
        let samples = Samples::of([("instances", grown.counts), ("instances_pss_bytes", grown.pss_bytes)]);
        let bytes = Density.values(1, &samples)[0];
        assert!((bytes / f64::from(1 << 20) - 1.0).abs() < 0.1, "{bytes} instead of 1 MiB");
    }

    #[test]
    fn growing_ends_with_the_time_or_the_room_but_not_before_there_are_enough() {
        let grown = grow(own, &BUDGET, || Ok(())).unwrap();
        assert_eq!((grown.counts, grown.stop), (vec![1, 2, 4], Stop::Time));
        let failing = grow::<()>(own, &BUDGET, || Err(Failure::host("no more").into()));
        assert!(failing.is_err());
    }
}
