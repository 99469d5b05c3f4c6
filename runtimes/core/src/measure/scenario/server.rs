use super::{Effort, Place, Scenario, Unit};
use crate::contract::Failure;
use crate::measure::{Budget, MS, MeasureError, Measurement, Samples, Task};
use crate::runtime::Runtime;

/// What `isobar run --measure` calls the scenarios of servers.
pub(super) const OPT_IN: &str = "http";

/// Of a sweep, in nanoseconds: a rate is held whose 99th percentile is below this. Long enough for a runtime that compiles
/// the module for each request, and short for somebody who waits.
pub const KNEE_P99_BELOW_NS: u64 = 25 * MS;

/// Every sample starts a server.
pub(super) struct Start;

impl Scenario for Start {
    fn name(&self) -> &'static str {
        "http-start"
    }

    fn title(&self) -> &'static str {
        "start of a server"
    }

    fn meaning(&self) -> &'static str {
        "From spawning the server's process to the last byte of its first correct answer: what scaling from zero costs where \
         the platform is a server. Its parts: until it listens, and the first request, which loads the function."
    }

    fn unit(&self) -> Unit {
        Unit::Nanoseconds
    }

    fn opt_in(&self) -> Option<&'static str> {
        Some(OPT_IN)
    }

    fn place(&self) -> Place {
        Place::Server
    }

    fn budget(&self, effort: Effort) -> Budget {
        let (min_samples, max_samples, time_ns) = match effort {
            Effort::Quick => (1, 10, 200 * MS),
            Effort::Full => (2, 50, 2000 * MS),
        };
        // The first server of all brings its program into memory, and what it keeps on the disk on to it.
        Budget { warm_up_samples: 1, warm_up_ns: 0, min_samples, max_samples, time_ns, precision: 0.02 }
    }

    fn measure(&self, _: &dyn Runtime, _: u32, _: &Task, _: &Budget) -> Result<Measurement, MeasureError> {
        Err(not_here(self.name()))
    }

    fn values(&self, _threads: u32, samples: &Samples) -> Vec<f64> {
        samples.sums(&["listen_ns", "first_request_ns"])
    }

    fn parts(&self) -> &'static [(&'static str, &'static str)] {
        &[("listen_ns", "until it listens"), ("first_request_ns", "first request")]
    }
}

/// Samples are the steps of one sweep.
pub(super) struct Knee;

impl Scenario for Knee {
    fn name(&self) -> &'static str {
        "http-knee"
    }

    fn title(&self) -> &'static str {
        "highest rate over HTTP"
    }

    fn meaning(&self) -> &'static str {
        "The highest rate of requests per second, in an open loop over at most 64 connections, at which all are answered \
         correctly, as fast as they are due, and 99 of 100 within 25 ms of the moment when they were due."
    }

    fn unit(&self) -> Unit {
        Unit::PerSecond
    }

    fn opt_in(&self) -> Option<&'static str> {
        Some(OPT_IN)
    }

    fn place(&self) -> Place {
        Place::Server
    }

    fn max_processes(&self) -> Option<u32> {
        Some(3)
    }

    /// The time is that of about ten steps.
    fn budget(&self, effort: Effort) -> Budget {
        let (warm_up_ns, time_ns) = match effort {
            Effort::Quick => (200 * MS, 4_000 * MS),
            Effort::Full => (1000 * MS, 20_000 * MS),
        };
        let warm_up_samples = u32::MAX;
        Budget { warm_up_samples, warm_up_ns, min_samples: 1, max_samples: 40, time_ns, precision: 0.05 }
    }

    fn measure(&self, _: &dyn Runtime, _: u32, _: &Task, _: &Budget) -> Result<Measurement, MeasureError> {
        Err(not_here(self.name()))
    }

    fn values(&self, _threads: u32, samples: &Samples) -> Vec<f64> {
        knee(samples).map(|at| samples.column("rate")[at] as f64).into_iter().collect()
    }

    fn parts(&self) -> &'static [(&'static str, &'static str)] {
        &[("p50_ns", "p50 at that rate"), ("p99_ns", "p99 at that rate"), ("p999_ns", "p99.9 at that rate")]
    }

    fn part_values(&self, name: &str, samples: &Samples) -> Vec<f64> {
        let at_knee = || samples.column(name).get(knee(samples)?).map(|value| *value as f64);
        at_knee().into_iter().collect()
    }
}

/// The step with the highest rate that was held, below the lowest one that was not: a rate that is held by chance beyond
/// one that is not does not count.
fn knee(samples: &Samples) -> Option<usize> {
    let (rates, held) = (samples.column("rate"), samples.column("held"));
    let mut steps: Vec<usize> = (0..rates.len().min(held.len())).collect();
    steps.sort_by_key(|at| rates[*at]);
    steps.into_iter().take_while(|at| held[*at] != 0).last()
}

/// What a scenario answers that needs a load driver.
pub(super) fn not_here(name: &str) -> MeasureError {
    Failure::host(format!("{name} is measured by isobar's load driver")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_knee_is_below_everything_that_was_not_held() {
        let samples = Samples::of([
            ("rate", vec![100, 400, 200, 300]),
            ("held", vec![1, 1, 1, 0]),
            ("p50_ns", vec![1, 4, 2, 3]),
            ("p99_ns", vec![5, 8, 6, 7]),
        ]);
        assert_eq!(Knee.values(1, &samples), [200.0]);
        assert_eq!(
            (Knee.part_values("p50_ns", &samples), Knee.part_values("p99_ns", &samples)),
            (vec![2.0], vec![6.0])
        );
        let none = Samples::of([("rate", vec![100]), ("held", vec![0])]);
        assert!(Knee.values(1, &none).is_empty() && Knee.part_values("p50_ns", &none).is_empty());
        assert!(Knee.values(1, &Samples::default()).is_empty());
    }

    #[test]
    fn a_start_is_all_of_it() {
        let samples = Samples::of([("listen_ns", vec![1, 2]), ("first_request_ns", vec![10, 20])]);
        assert_eq!(Start.values(1, &samples), [11.0, 22.0]);
    }
}
