//! How often something happens.

use statrs::distribution::{Beta, ContinuousCDF};

/// A share of trials with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// How often it happened.
    pub happened: u64,
    /// Of so many independent trials.
    pub trials: u64,
    /// The lower end of the interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Share {
    /// The exact interval (Clopper and Pearson, "The use of confidence or fiducial limits illustrated in the case of the
    /// binomial", 1934), which covers the true share in at least 95 % of the cases. `None` without trials, or if it
    /// happened more often than it was tried.
    pub fn of(happened: u64, trials: u64) -> Option<Share> {
        let quantile = |a: u64, b: u64, p: f64| Some(Beta::new(a as f64, b as f64).ok()?.inverse_cdf(p));
        let not = trials.checked_sub(happened).filter(|_| trials > 0)?;
        let low = if happened == 0 { 0.0 } else { quantile(happened, not + 1, 0.025)? };
        let high = if not == 0 { 1.0 } else { quantile(happened + 1, not, 0.975)? };
        Some(Share { happened, trials, low, high })
    }

    /// The share itself.
    pub fn share(&self) -> f64 {
        self.happened as f64 / self.trials as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As R's `binom.test` gives them.
    #[test]
    fn intervals_that_are_known() {
        for (happened, trials, low, high) in [
            (0, 20, 0.0, 0.168_433_5),
            (1, 20, 0.001_265_1, 0.248_732_8),
            (5, 100, 0.016_431_9, 0.112_834_9),
            (10, 10, 0.691_502_9, 1.0),
            (682, 925, 0.707_668_3, 0.765_406_6),
        ] {
            let share = Share::of(happened, trials).unwrap();
            assert!((share.low - low).abs() < 1e-6 && (share.high - high).abs() < 1e-6, "{share:?}");
        }
        assert_eq!(Share::of(0, 0), None);
        assert_eq!(Share::of(2, 1), None);
    }
}
