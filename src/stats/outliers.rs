//! Samples that do not belong.

/// How many interquartile ranges beyond the quartiles a severe outlier is.
const SEVERE: f64 = 3.0;

/// The share of `samples` that are severe outliers: more than three interquartile ranges below the first or above the
/// third quartile (Tukey, "Exploratory data analysis", 1977; Criterion calls the same ones severe).
///
/// `None` if there are fewer than four samples, or if the quartiles are equal: the clock is then too coarse to say what
/// is far.
pub fn severe_outliers(samples: &[f64]) -> Option<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let (first, third) = (quantile(&sorted, 0.25), quantile(&sorted, 0.75));
    let range = third - first;
    if samples.len() < 4 || range.is_nan() || range <= 0.0 {
        return None;
    }
    let (low, high) = (first - SEVERE * range, third + SEVERE * range);
    let outside = samples.iter().filter(|s| **s < low || **s > high).count();
    Some(outside as f64 / samples.len() as f64)
}

/// A quantile of samples that are sorted, interpolated between the two next to it (type 7 of Hyndman and Fan, "Sample
/// quantiles in statistical packages", 1996). NaN if there are no samples.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * sorted.len().saturating_sub(1) as f64;
    let at = |place: f64| sorted.get(place as usize).copied().unwrap_or(f64::NAN);
    let (below, above) = (at(place.floor()), at(place.ceil()));
    below + (above - below) * place.fract()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// R: `quantile(c(1, 2, 4, 8, 16, 32), c(0.25, 0.75))`.
    #[test]
    fn quartiles_as_r_has_them() {
        let sorted = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0];
        assert_eq!((quantile(&sorted, 0.25), quantile(&sorted, 0.75)), (2.5, 14.0));
        assert_eq!((quantile(&sorted, 0.0), quantile(&sorted, 1.0)), (1.0, 32.0));
        assert!(quantile(&[], 0.25).is_nan());
    }

    #[test]
    fn only_what_is_far_beyond_the_fences_counts() {
        // Quartiles 3 and 7, so the fences are at -9 and 19.
        let of = |last: f64| severe_outliers(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, last]).unwrap();
        assert_eq!((of(19.0), of(19.1), of(-9.0), of(1e9)), (0.0, 1.0 / 9.0, 0.0, 1.0 / 9.0));
    }

    #[test]
    fn too_few_or_too_coarse() {
        assert_eq!(severe_outliers(&[]), None);
        assert_eq!(severe_outliers(&[1.0, 2.0, 1e9]), None);
        assert_eq!(severe_outliers(&[7.0, 7.0, 7.0, 7.0, 7.0, 1e9]), None);
        assert_eq!(severe_outliers(&[f64::NAN; 8]), None);
    }

    proptest! {
        #[test]
        fn never_half_of_the_samples(samples in prop::collection::vec(-1e9..1e9, 0..100)) {
            prop_assert!(severe_outliers(&samples).is_none_or(|share| (0.0..0.5).contains(&share)));
        }
    }
}
