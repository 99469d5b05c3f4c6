use super::measures::Whose;
use super::{Readings, elapsed_ns, measures};
use serde::{Deserialize, Serialize};
use std::time::Instant;

/// How long a measurement in one process goes on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Budget {
    /// Invocations after which warming up ends although they still change.
    pub warm_up_samples: u32,
    /// The time after which warming up ends although they still change, in nanoseconds.
    pub warm_up_ns: u64,
    /// Samples that are taken whatever the time.
    pub min_samples: u32,
    /// Samples after which a measurement ends.
    pub max_samples: u32,
    /// The time after which a measurement ends, in nanoseconds.
    pub time_ns: u64,
    /// A measurement ends when half of its median's 95 % interval is at most this share of the median; 0 for never.
    pub precision: f64,
}

/// Why a measurement took no more samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Stop {
    /// The interval within this process is as narrow as the budget asks.
    Precision,
    /// There are as many samples as the budget allows.
    Samples,
    /// The time is up.
    Time,
}

/// The first look at the precision is after this many samples; each further one after half as many more again.
const FIRST_LOOK: usize = 16;

/// Takes samples until a budget says that it is enough, and reads the counters around them.
pub(super) struct Sampler<'a> {
    budget: &'a Budget,
    totals: Vec<u64>,
    next_look: usize,
    stop: Option<Stop>,
    readings: measures::Running,
    since: Instant,
}

impl<'a> Sampler<'a> {
    /// Counts what this process does.
    pub(super) fn start(budget: &'a Budget) -> Self {
        Sampler::counting(budget, Whose::Own)
    }

    /// Counts what those do whose doings are measured.
    pub(super) fn counting(budget: &'a Budget, whose: Whose) -> Self {
        let totals = Vec::with_capacity(budget.max_samples.min(1 << 16) as usize);
        let readings = measures::Running::start(whose);
        Sampler { budget, totals, next_look: FIRST_LOOK, stop: None, readings, since: Instant::now() }
    }

    /// Whether another sample is to be taken.
    pub(super) fn goes_on(&mut self) -> bool {
        let taken = self.totals.len();
        if taken < self.budget.min_samples as usize {
            return true;
        }
        self.stop = if taken >= self.budget.max_samples as usize {
            Some(Stop::Samples)
        } else if elapsed_ns(self.since, Instant::now()) >= self.budget.time_ns {
            Some(Stop::Time)
        } else if self.precise() {
            Some(Stop::Precision)
        } else {
            None
        };
        self.stop.is_none()
    }

    pub(super) fn push(&mut self, total_ns: u64) {
        self.totals.push(total_ns);
    }

    /// What was counted, and why sampling ended. To be called while what was measured is still in memory.
    pub(super) fn finish(self) -> (Stop, Readings) {
        (self.stop.unwrap_or(Stop::Samples), self.readings.finish(self.totals.len() as u64))
    }

    fn precise(&mut self) -> bool {
        if self.budget.precision <= 0.0 || self.totals.len() < self.next_look {
            return false;
        }
        self.next_look = self.totals.len() + self.totals.len() / 2;
        let mut sorted = self.totals.clone();
        sorted.sort_unstable();
        half_width(&sorted) <= self.budget.precision
    }
}

/// Half of the median's 95 % interval as a share of the median, by order statistics: for n samples the ranks
/// n/2 ± 0.98 √n (Hollander and Wolfe, "Nonparametric Statistical Methods", section 3.6).
fn half_width(sorted: &[u64]) -> f64 {
    let (count, middle) = (sorted.len() as f64, sorted.len() / 2);
    let away = (0.98 * count.sqrt()).ceil() as usize;
    let (low, high) = (sorted[middle.saturating_sub(away)], sorted[(middle + away).min(sorted.len() - 1)]);
    (high - low) as f64 / 2.0 / (sorted[middle].max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUDGET: Budget = Budget {
        warm_up_samples: 0,
        warm_up_ns: 0,
        min_samples: 2,
        max_samples: 1000,
        time_ns: u64::MAX,
        precision: 0.02,
    };

    fn run(budget: &Budget, mut sample: impl FnMut(u64) -> u64) -> (u64, Stop) {
        let (mut sampler, mut taken) = (Sampler::start(budget), 0);
        while sampler.goes_on() {
            sampler.push(sample(taken));
            taken += 1;
        }
        let (stop, readings) = sampler.finish();
        assert_eq!(readings.get("invocations"), Some(&taken));
        (taken, stop)
    }

    #[test]
    fn equal_samples_are_enough_at_the_first_look() {
        assert_eq!(run(&BUDGET, |_| 1000), (FIRST_LOOK as u64, Stop::Precision));
    }

    #[test]
    fn scattered_samples_go_on_to_the_bound() {
        assert_eq!(run(&BUDGET, |at| 1000 + 1000 * (at % 2)), (1000, Stop::Samples));
        assert_eq!(run(&Budget { precision: 0.0, ..BUDGET }, |_| 1000), (1000, Stop::Samples));
        assert_eq!(run(&Budget { time_ns: 0, ..BUDGET }, |_| 1000), (2, Stop::Time));
    }

    /// Evenly scattered by ±10 %: the interval of the median is 0.98 / √n of that range on each side, so 2 % is reached
    /// between 24 and 200 samples.
    #[test]
    fn the_interval_narrows_with_the_samples() {
        let (taken, stop) = run(&BUDGET, |at| 9_000 + (at * 7919) % 2001);
        assert_eq!(stop, Stop::Precision);
        assert!((24..=200).contains(&taken), "{taken}");
    }
}
