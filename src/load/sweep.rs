//! The knee: the highest rate that a server keeps up with.

use super::show::throughput;
use crate::record::{LoadStop, Record, Run};
use crate::stats::Histogram;

/// A server that answers fewer than this share of what is due, in the time in which it is due, does not keep up.
const KEEPS_UP: f64 = 0.97;

/// Where a rate was not held, a driver that was late with more than this share may be the reason.
pub const LATE: f64 = 0.01;

/// What a load at one rate came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Requests per second that were due.
    pub rate: u32,
    /// Requests per second that were due in fact: Poisson arrivals vary.
    pub due: f64,
    /// Correct answers per second.
    pub throughput: f64,
    /// Percentiles of the latencies, in nanoseconds.
    pub p50_ns: u64,
    /// The 99th.
    pub p99_ns: u64,
    /// The 99.9th.
    pub p999_ns: u64,
    /// The longest.
    pub max_ns: u64,
    /// How many requests failed.
    pub failures: u64,
    /// The share of requests that the driver itself sent late.
    pub late: f64,
    /// Whether the load ended early because the server was too far behind.
    pub behind: bool,
}

/// Whether a rate is within a limit, and if not, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is.
    Held,
    /// Requests failed.
    Failures,
    /// The server did not keep up.
    Behind,
    /// Its 99th percentile was too long.
    Slow,
    /// It was not held, and the driver could not send as fast: nothing is known about the server.
    Driver,
}

impl Verdict {
    /// In a word or two.
    pub fn words(self) -> &'static str {
        match self {
            Verdict::Held => "held",
            Verdict::Failures => "failures",
            Verdict::Behind => "fell behind",
            Verdict::Slow => "p99 too long",
            Verdict::Driver => "driver too slow",
        }
    }
}

impl Step {
    /// The step that a record tells of.
    pub fn of(record: &Record) -> Option<Step> {
        let load = record.load.as_ref()?;
        let latency = Histogram::decode(record.histogram.as_ref()?).ok()?;
        let samples = record.result.as_ref().ok().map(|measurement| throughput(&measurement.samples));
        Some(Step {
            rate: record.cell.scenario.threads(),
            due: load.due as f64 * 1e9 / record.elapsed_ns.max(1) as f64,
            throughput: samples.unwrap_or(0.0),
            p50_ns: latency.percentile(50.0),
            p99_ns: latency.percentile(99.0),
            p999_ns: latency.percentile(99.9),
            max_ns: latency.percentile(100.0),
            failures: load.faults.values().map(|faults| faults.count).sum(),
            late: load.late.saturating_sub(load.late_for_a_connection) as f64 / load.due.max(1) as f64,
            behind: load.stop == LoadStop::Behind,
        })
    }

    /// Whether the rate is within a limit of its 99th percentile, in nanoseconds.
    pub fn verdict(&self, limit_ns: u64) -> Verdict {
        let held = match self {
            step if step.behind => Verdict::Behind,
            step if step.failures > 0 => Verdict::Failures,
            step if step.throughput < KEEPS_UP * step.due => Verdict::Behind,
            step if step.p99_ns >= limit_ns => Verdict::Slow,
            // Latency counts from when requests were due, so a late driver only made it longer.
            _ => return Verdict::Held,
        };
        if self.late > LATE { Verdict::Driver } else { held }
    }
}

/// The steps of a run, by rate.
pub fn steps(run: &Run) -> Vec<Step> {
    let mut steps: Vec<Step> = run.records.iter().filter_map(Step::of).collect();
    steps.sort_by_key(|step| step.rate);
    steps
}

/// The highest rate that was held, below the lowest one that was not: a rate that is held by chance beyond one that is not
/// does not count.
pub fn knee(steps: &[Step], limit_ns: u64) -> Option<&Step> {
    let mut by_rate: Vec<&Step> = steps.iter().collect();
    by_rate.sort_by_key(|step| step.rate);
    by_rate.into_iter().take_while(|step| step.verdict(limit_ns) == Verdict::Held).last()
}

/// Which rate is tried next, given those that were: twice as much while all are held, then the middle (geometric) between
/// the highest held and the lowest other one, until they are closer than `precision`. `None` when it is known well enough.
pub fn next_rate(steps: &[Step], limit_ns: u64, first: u32, most: u32, precision: f64) -> Option<u32> {
    if steps.is_empty() {
        return Some(first.clamp(1, most.max(1)));
    }
    let held = knee(steps, limit_ns).map(|step| step.rate);
    let failed = steps.iter().filter(|step| step.verdict(limit_ns) != Verdict::Held).map(|step| step.rate).min();
    let next = match (held, failed) {
        (Some(held), None) => held.saturating_mul(2).min(most),
        (held, Some(failed)) => {
            let held = held.unwrap_or(0);
            if f64::from(failed) <= f64::from(held.max(1)) * (1.0 + precision) || failed <= held + 1 {
                return None;
            }
            // Nothing below was held yet: a tenth, so that a server that is much slower is found soon.
            if held == 0 { failed / 10 } else { (f64::from(held) * f64::from(failed)).sqrt().round() as u32 }
        }
        (None, None) => first,
    };
    let tried = steps.iter().any(|step| step.rate == next);
    (next > 0 && !tried).then_some(next)
}

/// A step in which everything was as it should be.
#[cfg(test)]
pub(crate) fn synthetic_step(rate: u32, p99_ns: u64) -> Step {
    Step {
        rate,
        due: f64::from(rate),
        throughput: f64::from(rate),
        p50_ns: p99_ns / 2,
        p99_ns,
        p999_ns: p99_ns,
        max_ns: p99_ns,
        failures: 0,
        late: 0.0,
        behind: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMIT_NS: u64 = 5_000_000;

    use super::synthetic_step as step;

    #[test]
    fn verdicts_say_what_went_wrong_first() {
        let held = step(1000, 1);
        assert_eq!(held.verdict(LIMIT_NS), Verdict::Held);
        assert_eq!(Step { failures: 1, ..held.clone() }.verdict(LIMIT_NS), Verdict::Failures);
        assert_eq!(Step { behind: true, failures: 1, ..held.clone() }.verdict(LIMIT_NS), Verdict::Behind);
        assert_eq!(Step { throughput: 900.0, ..held.clone() }.verdict(LIMIT_NS), Verdict::Behind);
        assert_eq!(Step { late: 0.02, ..held.clone() }.verdict(LIMIT_NS), Verdict::Held);
        assert_eq!(Step { late: 0.02, ..step(1000, LIMIT_NS) }.verdict(LIMIT_NS), Verdict::Driver);
        assert_eq!(step(1000, LIMIT_NS).verdict(LIMIT_NS), Verdict::Slow);
    }

    #[test]
    fn the_knee_is_below_everything_that_was_not_held() {
        let steps = [step(400, 1), step(100, 1), step(300, LIMIT_NS), step(200, 2)];
        assert_eq!(knee(&steps, LIMIT_NS).unwrap().rate, 200);
        assert_eq!(knee(&[step(100, LIMIT_NS)], LIMIT_NS), None);
        assert_eq!(knee(&[], LIMIT_NS), None);
    }

    proptest! {
        /// A server that holds everything up to `limit`: the sweep ends soon, near it.
        #[test]
        fn a_sweep_finds_the_limit(limit in 0u32..3_000_000, first in 1u32..10_000) {
            let mut steps: Vec<Step> = Vec::new();
            while let Some(rate) = next_rate(&steps, LIMIT_NS, first, 1 << 20, 0.05) {
                prop_assert!(steps.len() < 60, "{:?}", steps);
                steps.push(step(rate, if rate <= limit { 1 } else { LIMIT_NS }));
            }
            match knee(&steps, LIMIT_NS) {
                None => prop_assert!(limit <= 1 || steps.iter().all(|step| step.rate > limit)),
                Some(knee) if limit >= 1 << 20 => prop_assert_eq!(knee.rate, 1 << 20),
                Some(knee) => prop_assert!(knee.rate <= limit && f64::from(limit) <= f64::from(knee.rate) * 1.06 + 2.0, "{} of {}", knee.rate, limit),
            }
        }
    }
}
