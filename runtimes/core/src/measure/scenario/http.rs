use super::server::{OPT_IN, not_here};
use super::{Effort, Place, Scale, Scenario, Unit};
use crate::measure::{Budget, MS, MeasureError, Measurement, Samples, Task};
use crate::runtime::Runtime;

/// A server under load, each sample a second of it. `isobar load` measures these, and `isobar run` those that have numbers
/// of connections to be planned with: there is a server, and no `dyn Runtime`.
pub(super) struct Http {
    name: &'static str,
    title: &'static str,
    meaning: &'static str,
    unit: Unit,
    scale: Option<Scale>,
    planned: &'static [u32],
}

pub(super) static CLOSED: Http = Http {
    name: "http-closed",
    title: "closed loop over HTTP",
    meaning: "Correct answers per second, when each of so many connections sends its next request as soon as its last one \
              is answered. Where the server stalls the loop waits with it: its latencies are those of a server that nobody \
              else calls meanwhile.",
    unit: Unit::PerSecond,
    scale: Some(Scale::Connections),
    planned: &[1, 64],
};

pub(super) static CLOSED_FRESH: Http = Http {
    name: "http-closed-fresh",
    title: "closed loop over HTTP, a new connection for each request",
    meaning: "As the closed loop over HTTP, but each request over a connection of its own.",
    unit: Unit::PerSecond,
    scale: Some(Scale::Connections),
    planned: &[],
};

pub(super) static OPEN: Http = Http {
    name: "http-open",
    title: "open loop over HTTP",
    meaning: "The time from the moment when a request should have been sent, by a schedule that does not wait for answers, \
              to the last byte of its correct answer. The median of the medians of all seconds, and percentiles of all \
              requests.",
    unit: Unit::Nanoseconds,
    scale: Some(Scale::Rate),
    planned: &[],
};

pub(super) static OPEN_FRESH: Http = Http {
    name: "http-open-fresh",
    title: "open loop over HTTP, a new connection for each request",
    meaning: "As the open loop over HTTP, but each request over a connection of its own.",
    unit: Unit::Nanoseconds,
    scale: Some(Scale::Rate),
    planned: &[],
};

pub(super) static TRACE: Http = Http {
    name: "http-trace",
    title: "trace replayed over HTTP",
    meaning: "As the open loop over HTTP, with the requests of a trace.",
    unit: Unit::Nanoseconds,
    scale: None,
    planned: &[],
};

impl Scenario for Http {
    fn name(&self) -> &'static str {
        self.name
    }

    fn title(&self) -> &'static str {
        self.title
    }

    fn meaning(&self) -> &'static str {
        self.meaning
    }

    fn unit(&self) -> Unit {
        self.unit
    }

    fn threads(&self, _cores: u32) -> Option<Vec<u32>> {
        self.scale.map(|_| self.planned.to_vec())
    }

    fn scale(&self) -> Scale {
        self.scale.unwrap_or(Scale::Threads)
    }

    fn planned(&self) -> bool {
        !self.planned.is_empty()
    }

    fn opt_in(&self) -> Option<&'static str> {
        self.planned().then_some(OPT_IN)
    }

    /// Seconds are its samples; a few servers say what another one would have shown. `isobar load` has one.
    fn max_processes(&self) -> Option<u32> {
        Some(if self.planned() { 5 } else { 1 })
    }

    fn place(&self) -> Place {
        Place::Server
    }

    fn budget(&self, effort: Effort) -> Budget {
        let (warm_up_ns, time_ns) = match effort {
            Effort::Quick => (300 * MS, 700 * MS),
            Effort::Full => (1000 * MS, 4000 * MS),
        };
        let (warm_up_samples, max_samples) = (u32::MAX, u32::MAX);
        Budget { warm_up_samples, warm_up_ns, min_samples: 1, max_samples, time_ns, precision: 0.0 }
    }

    fn measure(&self, _: &dyn Runtime, _: u32, _: &Task, _: &Budget) -> Result<Measurement, MeasureError> {
        Err(not_here(self.name))
    }

    /// The latencies beside a throughput.
    fn parts(&self) -> &'static [(&'static str, &'static str)] {
        match self.unit {
            Unit::PerSecond => &[("p50_ns", "median latency")],
            _ => &[],
        }
    }

    /// Seconds without answers have no median. A last part of a second that is too short to say anything is left out.
    fn values(&self, _threads: u32, samples: &Samples) -> Vec<f64> {
        const SHORT_NS: u64 = 500 * MS;
        let elapsed = samples.column("elapsed_ns");
        let long = |at: usize| elapsed[at] >= SHORT_NS || elapsed.len() == 1;
        let seconds = (0..elapsed.len()).filter(|at| long(*at));
        match self.unit {
            Unit::PerSecond => {
                let completed = samples.column("completed");
                let rate = |at: usize| Some(*completed.get(at)? as f64 * 1e9 / elapsed[at].max(1) as f64);
                seconds.filter_map(rate).collect()
            }
            _ => {
                let (requests, medians) = (samples.column("requests"), samples.column("p50_ns"));
                let median = |at: usize| (*requests.get(at)? > 0).then(|| medians.get(at).map(|ns| *ns as f64))?;
                seconds.filter_map(median).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_a_second() {
        let samples = Samples::of([
            ("elapsed_ns", vec![1_000_000_000, 1_000_000_000, 500_000_000, 1_000_000]),
            ("completed", vec![10, 0, 10, 1]),
            ("requests", vec![10, 0, 10, 1]),
            ("p50_ns", vec![7, 0, 9, 11]),
        ]);
        assert_eq!(CLOSED.values(64, &samples), [10.0, 0.0, 20.0]);
        assert_eq!(OPEN.values(10, &samples), [7.0, 9.0]);
        let short = Samples::of([("elapsed_ns", vec![100_000_000]), ("completed", vec![10])]);
        assert_eq!(CLOSED.values(64, &short), [100.0]);
        assert!(CLOSED.values(1, &Samples::default()).is_empty());
    }
}
