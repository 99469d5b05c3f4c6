//! How two cells compare.

use super::{bootstrap::Estimate, seed, t};

/// How many times more one cell has than another, with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    /// The ratio of the medians.
    pub ratio: f64,
    /// The lower end of the interval.
    pub low: f64,
    /// The upper end of the interval.
    pub high: f64,
    /// The degrees of freedom behind the interval: how well its width is known. Not always whole.
    pub degrees_of_freedom: f64,
}

/// What a ratio allows to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The new is lower than the base.
    Lower,
    /// The new is higher than the base.
    Higher,
    /// The interval holds 1.
    NoDifference,
}

impl Ratio {
    /// The median of `new` over that of `base`, each the samples of its processes; processes without samples do not
    /// count. `None` if one of them has no samples or its median is not positive.
    ///
    /// Either median has a standard error as in [`Summary::of`](super::Summary::of); they are drawn apart, so that the
    /// variances of the logarithms add, and the interval is Student's with Welch's degrees of freedom. Two cells of one
    /// distribution are told apart in at most about 5 % of the cases, but only if each comes from several processes.
    /// Where one has one sample only, the interval is without bounds.
    pub fn of(new: &[Vec<f64>], base: &[Vec<f64>], seed: u64) -> Option<Ratio> {
        let new = Estimate::of(new, self::seed(seed, "new"))?;
        let base = Estimate::of(base, self::seed(seed, "base"))?;
        let positive = |e: &Estimate| e.median > 0.0 && e.median.is_finite();
        let variance = |e: &Estimate| (e.standard_error.powi(2), e.degrees_of_freedom);
        let log = new.median.ln() - base.median.ln();
        (positive(&new) && positive(&base)).then(|| Self::from_log(log, &[variance(&new), variance(&base)]))
    }

    /// Whether the two differ: only if the interval excludes 1.
    pub fn verdict(&self) -> Verdict {
        if self.high < 1.0 {
            Verdict::Lower
        } else if self.low > 1.0 {
            Verdict::Higher
        } else {
            Verdict::NoDifference
        }
    }

    /// From the ratio's logarithm and the variances, with their degrees of freedom, that add up to its own.
    fn from_log(log: f64, variances: &[(f64, f64)]) -> Ratio {
        let degrees_of_freedom = t::welch(variances.iter().copied());
        let standard_error = variances.iter().map(|(variance, _)| variance).sum::<f64>().sqrt();
        let half_width = t::quantile(degrees_of_freedom) * standard_error;
        let (low, high) = ((log - half_width).exp(), (log + half_width).exp());
        Ratio { ratio: log.exp(), low, high, degrees_of_freedom }
    }

    fn log_standard_error(&self) -> f64 {
        (self.high.ln() - self.low.ln()) / 2.0 / t::quantile(self.degrees_of_freedom)
    }
}

/// The geometric mean of `ratios`, each of another function: how two runtimes compare over all of them. `None` if there
/// are none.
///
/// The functions are those that were chosen, not a sample of others, so only the errors of the single ratios are in the
/// interval. They are independent: their variances add on the log scale, and with them Welch's degrees of freedom. This
/// is what resampling all cells again would give, in no time.
pub fn geometric_mean(ratios: &[Ratio]) -> Option<Ratio> {
    if ratios.is_empty() {
        return None;
    }
    let count = ratios.len() as f64;
    let log = ratios.iter().map(|r| r.ratio.ln()).sum::<f64>() / count;
    let variance = |r: &Ratio| ((r.log_standard_error() / count).powi(2), r.degrees_of_freedom);
    Some(Ratio::from_log(log, &ratios.iter().map(variance).collect::<Vec<_>>()))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{cell, normal};
    use super::*;
    use proptest::prelude::*;

    fn constant(value: f64) -> Vec<Vec<f64>> {
        vec![vec![value; 4]; 3]
    }

    #[test]
    fn ratios_without_spread() {
        let ratio = Ratio::of(&constant(3.0), &constant(2.0), 1).unwrap();
        assert!(
            (ratio.ratio - 1.5).abs() < 1e-12 && (ratio.low - 1.5).abs() < 1e-12 && (ratio.high - 1.5).abs() < 1e-12
        );
        assert_eq!(ratio.verdict(), Verdict::Higher);
        assert_eq!(Ratio::of(&constant(2.0), &constant(3.0), 1).unwrap().verdict(), Verdict::Lower);
        assert_eq!(Ratio::of(&constant(2.0), &constant(2.0), 1).unwrap().verdict(), Verdict::NoDifference);
    }

    #[test]
    fn ratios_that_cannot_be() {
        assert_eq!(Ratio::of(&[], &constant(1.0), 1), None);
        assert_eq!(Ratio::of(&constant(1.0), &[vec![]], 1), None);
        assert_eq!(Ratio::of(&constant(1.0), &constant(0.0), 1), None);
        assert_eq!(Ratio::of(&constant(f64::NAN), &constant(1.0), 1), None);
        let one_sample = Ratio::of(&[vec![9.0]], &constant(1.0), 1).unwrap();
        assert_eq!((one_sample.low, one_sample.high), (0.0, f64::INFINITY));
        assert_eq!(one_sample.verdict(), Verdict::NoDifference);
    }

    /// The same cell, measured twice, must be called different in about 5 % of the cases: whether its processes differ
    /// not at all, somewhat, or by more than its samples do.
    #[test]
    fn the_same_is_seldom_called_different() {
        let mut rng = fastrand::Rng::with_seed(3);
        for between in [0.0, 0.02, 0.3] {
            let runs = 1500;
            let differ = |seed: &u64| {
                let (a, b) = (cell(&mut rng, 5, 40, between), cell(&mut rng, 5, 40, between));
                Ratio::of(&a, &b, *seed).unwrap().verdict() != Verdict::NoDifference
            };
            let called = (0..runs).filter(differ).count() as f64 * 100.0 / runs as f64;
            assert!((2.0..=8.0).contains(&called), "{between}: {called} %");
        }
    }

    #[test]
    fn real_differences_are_found_and_the_interval_covers_them() {
        let mut rng = fastrand::Rng::with_seed(4);
        let (mut found, mut covered, runs) = (0, 0, 300);
        for seed in 0..runs {
            let new: Vec<Vec<f64>> =
                cell(&mut rng, 5, 40, 0.02).into_iter().map(|p| p.iter().map(|s| s * 1.1).collect()).collect();
            let ratio = Ratio::of(&new, &cell(&mut rng, 5, 40, 0.02), seed).unwrap();
            found += u64::from(ratio.verdict() == Verdict::Higher);
            covered += u64::from((ratio.low..=ratio.high).contains(&1.1));
        }
        assert!(found * 100 > runs * 90, "{found} of {runs}");
        assert!((runs * 90..runs * 99).contains(&(covered * 100)), "{covered} of {runs}");
    }

    /// With variances that are known: four ratios of the same precision are twice as precise together.
    #[test]
    fn the_geometric_mean_of_four() {
        let ratio = |r: f64| Ratio::from_log(r.ln(), &[(0.01, 1e7)]);
        let mean = geometric_mean(&[ratio(1.0), ratio(2.0), ratio(4.0), ratio(8.0)]).unwrap();
        assert!((mean.ratio - 8f64.sqrt()).abs() < 1e-9, "{mean:?}");
        assert!(((mean.high / mean.ratio).ln() - 1.96 * 0.05).abs() < 1e-4, "{mean:?}");
        let one = geometric_mean(&[ratio(2.0)]).unwrap();
        assert!((one.low - ratio(2.0).low).abs() < 1e-9 && (one.high - ratio(2.0).high).abs() < 1e-9, "{one:?}");
        assert_eq!(geometric_mean(&[]), None);
    }

    #[test]
    fn the_geometric_mean_covers_the_truth() {
        let mut rng = fastrand::Rng::with_seed(5);
        let (mut covered, runs) = (0, 400);
        for seed in 0..runs {
            // Functions differ much in how large they are, and in how much processes differ.
            let of = |(scale, between): (f64, f64)| {
                let mut measure = |factor: f64| {
                    let cell = cell(&mut rng, 5, 20, between);
                    cell.into_iter().map(|p| p.iter().map(|s| s * factor).collect()).collect::<Vec<Vec<f64>>>()
                };
                Ratio::of(&measure(scale * 0.5), &measure(scale), seed).unwrap()
            };
            let mean = geometric_mean(&[(1.0, 0.01), (50.0, 0.05), (9.0, 0.1)].map(of)).unwrap();
            covered += u64::from((mean.low..=mean.high).contains(&0.5));
        }
        assert!((runs * 90..runs * 99).contains(&(covered * 100)), "{covered} of {runs}");
    }

    proptest! {
        #[test]
        fn the_inverse_ratio_has_the_inverse_interval(seed: u64, between in 0.0..0.5) {
            let mut rng = fastrand::Rng::with_seed(seed);
            let (a, b) = (cell(&mut rng, 4, 10, between), cell(&mut rng, 5, 10, between));
            let (there, back) = (Ratio::of(&a, &b, 1).unwrap(), Ratio::of(&b, &a, 2).unwrap());
            prop_assert!((there.ratio * back.ratio - 1.0).abs() < 1e-9);
            prop_assert!(there.low <= there.ratio && there.ratio <= there.high);
            // Seeds differ, so the drawn processes do, a little.
            prop_assert!(((there.high * back.low).ln() / (there.high / there.low).ln()).abs() < 0.1);
        }
    }

    #[test]
    fn the_normal_of_the_tests_is_normal() {
        let mut rng = fastrand::Rng::with_seed(6);
        let inside = (0..10_000).filter(|_| normal(&mut rng).abs() < 1.0).count();
        assert!((6700..6960).contains(&inside), "{inside}");
    }
}
