//! Quantiles of Student's t distribution.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// The 97.5 % quantile of the normal distribution.
pub(super) const NORMAL: f64 = 1.959_963_984_540_054;

/// The 97.5 % quantile for `degrees_of_freedom`, which need not be whole: half the width of a 95 % interval, in
/// standard errors.
pub(super) fn quantile(degrees_of_freedom: f64) -> f64 {
    if degrees_of_freedom > 1000.0 {
        // Where statrs loses precision, two terms of the series give six digits (Abramowitz and Stegun, 26.7.5).
        return NORMAL + (NORMAL.powi(3) + NORMAL) / (4.0 * degrees_of_freedom);
    }
    StudentsT::new(0.0, 1.0, degrees_of_freedom).map_or(f64::INFINITY, |t| t.inverse_cdf(0.975))
}

/// The degrees of freedom of a sum of independent estimates, each with its variance and its degrees of freedom (Welch,
/// "The generalization of Student's problem when several different population variances are involved", 1947).
pub(super) fn welch(variances: impl IntoIterator<Item = (f64, f64)>) -> f64 {
    let add =
        |(sum, squares): (f64, f64), (variance, df): (f64, f64)| (sum + variance, squares + variance * variance / df);
    let (sum, squares) = variances.into_iter().fold((0.0, 0.0), add);
    // Nothing varies, or something is not known at all.
    if squares > 0.0 && squares.is_finite() { sum * sum / squares } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As in the usual tables.
    #[test]
    fn quantiles_of_the_tables() {
        let table = [
            (1.0, 12.7062),
            (2.0, 4.3027),
            (4.0, 2.7764),
            (9.0, 2.2622),
            (30.0, 2.0423),
            (100.0, 1.9840),
            (1000.0, 1.9623),
            (1001.0, 1.9623),
            (1e300, 1.9600),
            (f64::INFINITY, 1.9600),
        ];
        for (df, expected) in table {
            assert!((quantile(df) - expected).abs() < 6e-5, "{df}: {}", quantile(df));
        }
        let between = quantile(4.5);
        assert!(quantile(5.0) < between && between < quantile(4.0));
        assert_eq!(quantile(f64::NAN), f64::INFINITY);
    }

    #[test]
    fn degrees_of_freedom_lie_between_the_smaller_and_the_sum() {
        assert!((welch([(1.0, 4.0), (1.0, 4.0)]) - 8.0).abs() < 1e-12);
        assert!((welch([(1.0, 4.0), (1e-9, 4.0)]) - 4.0).abs() < 1e-6);
        assert_eq!(welch([(0.0, 4.0), (0.0, 4.0)]), 1.0);
        assert_eq!(welch([(f64::INFINITY, 1.0), (1.0, 4.0)]), 1.0);
    }
}
