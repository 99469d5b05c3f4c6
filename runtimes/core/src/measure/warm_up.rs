use super::{Budget, MeasureError, elapsed_ns};
use serde::{Deserialize, Serialize};
use std::time::Instant;

/// What was done before the first sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WarmUp {
    /// Invocations that were made, checked and not counted.
    pub samples: u32,
    /// The time that they took, in nanoseconds.
    pub elapsed_ns: u64,
    /// Why it ended.
    pub end: WarmUpEnd,
}

/// Why warming up ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum WarmUpEnd {
    /// The scenario has none.
    None,
    /// The invocations no longer changed.
    Stationary,
    /// There were as many as the budget allows, and they may still have been changing.
    Samples,
    /// The time was up, and they may still have been changing.
    Time,
}

impl WarmUp {
    /// No warming up.
    pub const NONE: WarmUp = WarmUp { samples: 0, elapsed_ns: 0, end: WarmUpEnd::None };
}

/// Two neighbouring windows of this many invocations are compared.
const WINDOW: usize = 20;

/// Medians that differ by less than this share count as equal, whatever the test says: with steady invocations it finds
/// differences that nobody needs.
const EQUAL: f64 = 0.01;

/// Calls `invocation`, which tells its time in nanoseconds, until its times are stationary or the budget is used up.
pub(super) fn warm_up(
    budget: &Budget,
    mut invocation: impl FnMut() -> Result<u64, MeasureError>,
) -> Result<WarmUp, MeasureError> {
    let (mut times, since) = (Vec::new(), Instant::now());
    let end = loop {
        if times.len() >= budget.warm_up_samples as usize {
            break WarmUpEnd::Samples;
        }
        if elapsed_ns(since, Instant::now()) >= budget.warm_up_ns {
            break WarmUpEnd::Time;
        }
        if times.len() >= 2 * WINDOW && times.len().is_multiple_of(WINDOW) {
            let (before, after) = times[times.len() - 2 * WINDOW..].split_at(WINDOW);
            if stationary(before, after) {
                break WarmUpEnd::Stationary;
            }
        }
        times.push(invocation()?);
    };
    Ok(WarmUp { samples: times.len() as u32, elapsed_ns: elapsed_ns(since, Instant::now()), end })
}

/// Whether two windows of times may come from the same distribution: their medians are equal but for [`EQUAL`], or the
/// rank-sum test (Mann and Whitney, "On a Test of Whether one of Two Random Variables is Stochastically Larger than the
/// Other", 1947; normal approximation, ties corrected) does not tell them apart at 5 %.
fn stationary(before: &[u64], after: &[u64]) -> bool {
    let median = |times: &[u64]| {
        let mut sorted = times.to_vec();
        sorted.sort_unstable();
        sorted[sorted.len() / 2] as f64
    };
    let (first, second) = (median(before), median(after));
    (first - second).abs() <= EQUAL * first.max(second) || rank_sum_z(before, after).abs() < 1.96
}

/// The standardised rank sum of `a` among both.
fn rank_sum_z(a: &[u64], b: &[u64]) -> f64 {
    let mut all: Vec<(u64, bool)> = a.iter().map(|t| (*t, true)).chain(b.iter().map(|t| (*t, false))).collect();
    all.sort_unstable();
    let (mut ranks, mut ties, mut below) = (0.0, 0.0, 0);
    for equal in all.chunk_by(|x, y| x.0 == y.0) {
        let count = equal.len();
        let rank = below as f64 + (count + 1) as f64 / 2.0;
        ranks += rank * equal.iter().filter(|(_, of_a)| *of_a).count() as f64;
        ties += (count * count * count - count) as f64;
        below += count;
    }
    let (n, m, all) = (a.len() as f64, b.len() as f64, (a.len() + b.len()) as f64);
    let variance = n * m / 12.0 * (all + 1.0 - ties / (all * (all - 1.0)));
    if variance <= 0.0 { 0.0 } else { (ranks - n * (all + 1.0) / 2.0) / variance.sqrt() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(samples: u32) -> Budget {
        Budget {
            warm_up_samples: samples,
            warm_up_ns: u64::MAX,
            min_samples: 1,
            max_samples: 1,
            time_ns: 0,
            precision: 0.0,
        }
    }

    fn run(samples: u32, time: impl Fn(u32) -> u64) -> WarmUp {
        let mut at = 0;
        let invocation = || {
            at += 1;
            Ok(time(at))
        };
        warm_up(&budget(samples), invocation).unwrap()
    }

    #[test]
    fn steady_times_are_stationary_at_the_first_look() {
        let warm_up = run(1000, |at| 1000 + u64::from(at % 7));
        assert_eq!((warm_up.samples, warm_up.end), (2 * WINDOW as u32, WarmUpEnd::Stationary));
    }

    #[test]
    fn falling_times_are_waited_for() {
        let falls_until_100 = |at: u32| 1000 + 20 * u64::from(100_u32.saturating_sub(at));
        let warm_up = run(1000, falls_until_100);
        assert_eq!(warm_up.end, WarmUpEnd::Stationary);
        assert!((120..=140).contains(&warm_up.samples), "{warm_up:?}");
    }

    #[test]
    fn times_that_never_settle_end_at_the_cap_which_says_so() {
        let warm_up = run(100, |at| 1_000_000 - 5_000 * u64::from(at));
        assert_eq!((warm_up.samples, warm_up.end), (100, WarmUpEnd::Samples));
        assert_eq!(run(0, |_| 1).end, WarmUpEnd::Samples);
    }

    /// Mann and Whitney's U of {1, 2, 3, 4, 5} against {6, ..., 10} is 0: z = -12.5 / sqrt(25 * 11 / 12) = -2.611.
    #[test]
    fn a_rank_sum_that_is_known() {
        let z = rank_sum_z(&[1, 2, 3, 4, 5], &[6, 7, 8, 9, 10]);
        assert!((z + 2.6112).abs() < 1e-4, "{z}");
        assert_eq!(rank_sum_z(&[3, 3], &[3, 3]), 0.0);
    }
}
