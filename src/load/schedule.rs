//! When requests are due: moments in nanoseconds from the start, which depend on nothing that the server does.

use std::time::Duration;

const SECOND_NS: u128 = 1_000_000_000;

/// A request that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// When, in nanoseconds from the start.
    pub at_ns: u64,
    /// Which request, by its position.
    pub request: u32,
}

/// A schedule: its requests in the order in which they are due. Sending them is the driver's part.
pub type Schedule = Box<dyn Iterator<Item = Due> + Send>;

/// `rate` requests per second at equal intervals, until `end`. The n-th is due at n / rate, rounded down: no error adds up,
/// however long it takes.
pub fn constant(rate: u32, end: Duration) -> impl Iterator<Item = Due> + Send + use<> {
    let end_ns = end.as_nanos();
    let due = move |n: u64| u128::from(n) * SECOND_NS / u128::from(rate.max(1));
    (0..).map(due).take_while(move |at| *at < end_ns).map(|at| Due { at_ns: at as u64, request: 0 })
}

/// A Poisson process of `rate` requests per second until `end`: the intervals are independent of each other and
/// exponentially distributed, which is how the requests of many users arrive who know nothing of each other. The same seed
/// gives the same moments.
pub fn poisson(rate: u32, end: Duration, seed: u64) -> impl Iterator<Item = Due> + Send + use<> {
    let (mut rng, mut at_s) = (fastrand::Rng::with_seed(seed), 0.0);
    let (mean_s, end_s) = (1.0 / f64::from(rate.max(1)), end.as_secs_f64());
    std::iter::from_fn(move || {
        // 1 - u is never 0.
        at_s += -(1.0 - rng.f64()).ln() * mean_s;
        (at_s < end_s).then_some(Due { at_ns: (at_s * 1e9) as u64, request: 0 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn constant_arrivals_are_where_they_belong() {
        let at: Vec<u64> = constant(3, Duration::from_secs(1)).map(|due| due.at_ns).collect();
        assert_eq!(at, [0, 333_333_333, 666_666_666]);
        assert_eq!(constant(1, Duration::ZERO).count(), 0);
        let year = Duration::from_secs(365 * 86_400);
        let third = constant(3_000_000, year).nth(86_400 * 3_000_000 / 1000).unwrap();
        assert_eq!(third.at_ns, 86_400_000_000);
    }

    /// Of an exponential distribution the mean and the standard deviation are 1/rate, and its median ln 2 of that.
    #[test]
    fn poisson_arrivals_are_exponentially_apart_and_independent() {
        let at: Vec<u64> = poisson(1000, Duration::from_secs(100), 7).map(|due| due.at_ns).collect();
        let n = at.len() as f64;
        // Four standard deviations of a Poisson variable of 100,000.
        assert!((n - 100_000.0).abs() < 4.0 * 100_000_f64.sqrt(), "{n}");
        let mut gaps: Vec<f64> = at.windows(2).map(|pair| (pair[1] - pair[0]) as f64).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        assert!((mean / 1e6 - 1.0).abs() < 0.02 && (variance.sqrt() / 1e6 - 1.0).abs() < 0.02, "{mean} {variance}");
        let neighbours = gaps.windows(2).map(|pair| (pair[0] - mean) * (pair[1] - mean)).sum::<f64>();
        let correlation = neighbours / variance / gaps.len() as f64;
        assert!(correlation.abs() < 4.0 / n.sqrt(), "{correlation}");
        gaps.sort_by(f64::total_cmp);
        let median = gaps[gaps.len() / 2];
        assert!((median / (1e6 * std::f64::consts::LN_2) - 1.0).abs() < 0.03, "{median}");
        // As many as in a second, second by second: the variance of a Poisson variable is its mean.
        let mut counts = [0.0; 100];
        at.iter().for_each(|at| counts[(*at / 1_000_000_000) as usize] += 1.0);
        let dispersion = counts.iter().map(|count| (count - 1000.0_f64).powi(2)).sum::<f64>() / 100.0 / 1000.0;
        assert!((0.5..1.7).contains(&dispersion), "{dispersion}");
    }

    proptest! {
        #[test]
        fn constant_schedules_keep_their_rate(rate in 1u32..2_000_000, ms in 0u64..300) {
            let end = Duration::from_millis(ms);
            let at: Vec<u64> = constant(rate, end).map(|due| due.at_ns).collect();
            let exact = u128::from(rate) * end.as_nanos();
            prop_assert_eq!(at.len() as u128, exact.div_ceil(1_000_000_000));
            prop_assert!(at.windows(2).all(|pair| pair[0] < pair[1]));
            for (n, at) in at.iter().enumerate() {
                let error = *at as f64 - n as f64 * 1e9 / f64::from(rate);
                prop_assert!(error.abs() <= 1.0, "{} is due at {}", n, at);
            }
        }

        #[test]
        fn poisson_schedules_are_in_order_and_repeat(rate in 1u32..100_000, ms in 0u64..300, seed: u64) {
            let end = Duration::from_millis(ms);
            let of = |seed| poisson(rate, end, seed).collect::<Vec<Due>>();
            let at = of(seed);
            prop_assert!(at.windows(2).all(|pair| pair[0].at_ns <= pair[1].at_ns));
            prop_assert!(at.iter().all(|due| u128::from(due.at_ns) < end.as_nanos()));
            prop_assert_eq!(at, of(seed));
        }
    }
}
