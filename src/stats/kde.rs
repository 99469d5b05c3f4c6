//! Densities, as smooth curves.

/// A kernel density estimate of `samples`: its value at `count` places from `from` to `to`, per unit of the samples. The
/// kernel is Gaussian, its bandwidth Silverman's rule of thumb ("Density estimation for statistics and data analysis",
/// 1986, equation 3.31), the smaller of the standard deviation and of the interquartile range / 1.34 times
/// 0.9 n^(-1/5); but no less than the distance of two places, and no more than that of the ends. Samples are first counted at such places, each shared by its
/// two neighbours, as R's `density` does.
///
/// What lies beyond the places counts in the whole: the area below the curve is the share of samples within. `None`
/// without samples, for fewer than two places, or for ends that are not finite and in order.
pub fn density(samples: &[f64], from: f64, to: f64, count: usize) -> Option<Vec<(f64, f64)>> {
    let finite: Vec<f64> = samples.iter().copied().filter(|sample| sample.is_finite()).collect();
    if finite.is_empty() || count < 2 || from.is_nan() || !(to - from).is_finite() || to <= from {
        return None;
    }
    let step = (to - from) / (count - 1) as f64;
    let width = bandwidth(&finite).clamp(step, to - from);
    // The kernel ends where it is below 1e-4 of its height.
    let reach = (4.3 * width / step).ceil() as usize;
    let mut counts = vec![0.0; count + 2 * reach];
    for sample in &finite {
        let place = (sample - from) / step + reach as f64;
        let below = place.floor();
        if below >= 0.0 && below < (counts.len() - 1) as f64 {
            counts[below as usize] += 1.0 - (place - below);
            counts[below as usize + 1] += place - below;
        }
    }
    let kernel: Vec<f64> = (0..=reach).map(|i| (-0.5 * (i as f64 * step / width).powi(2)).exp()).collect();
    let scale = 1.0 / (finite.len() as f64 * width * std::f64::consts::TAU.sqrt());
    let at = |place: usize| {
        let sides = (1..=reach).map(|i| kernel[i] * (counts[place + reach - i] + counts[place + reach + i]));
        (from + place as f64 * step, scale * (kernel[0] * counts[place + reach] + sides.sum::<f64>()))
    };
    Some((0..count).map(at).collect())
}

/// Silverman's rule of thumb; 0 if the samples do not vary.
fn bandwidth(samples: &[f64]) -> f64 {
    let count = samples.len() as f64;
    let mean = samples.iter().sum::<f64>() / count;
    let variance = samples.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / (count - 1.0).max(1.0);
    let mut sorted = samples.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let range = (quantile(&sorted, 0.75) - quantile(&sorted, 0.25)) / 1.34;
    let deviation = variance.sqrt();
    let spread = if range > 0.0 { deviation.min(range) } else { deviation };
    0.9 * spread * count.powf(-0.2)
}

/// The value below which this share of the samples lies, between two of them where it falls between (type 7 of Hyndman and
/// Fan, "Sample quantiles in statistical packages", 1996). `sorted` must be, and not be empty.
pub fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share.clamp(0.0, 1.0) * (sorted.len() - 1) as f64;
    let (below, part) = (place.floor() as usize, place.fract());
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (sorted[above] - sorted[below]) * part
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As R's `quantile` and `bw.nrd0` give them for 1, 2, 4, 8, 16.
    #[test]
    fn quantiles_and_bandwidths_of_r() {
        let powers = [1.0, 2.0, 4.0, 8.0, 16.0];
        assert_eq!([0.0, 0.1, 0.25, 0.5, 0.9, 1.0].map(|p| quantile(&powers, p)), [1.0, 1.4, 2.0, 4.0, 12.8, 16.0]);
        assert!((bandwidth(&powers) - 2.920_754).abs() < 1e-5, "{}", bandwidth(&powers));
        assert_eq!(bandwidth(&[7.0; 5]), 0.0);
    }

    #[test]
    fn one_sample_is_one_kernel() {
        let curve = density(&[5.0], 0.0, 10.0, 101).unwrap();
        let (top, height) = curve.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
        assert!((top - 5.0).abs() < 1e-9);
        // A normal distribution with the distance of two places as its deviation.
        assert!((height - 1.0 / (0.1 * std::f64::consts::TAU.sqrt())).abs() < 1e-6, "{height}");
    }

    #[test]
    fn what_has_no_density() {
        assert_eq!(density(&[], 0.0, 1.0, 10), None);
        assert_eq!(density(&[f64::NAN], 0.0, 1.0, 10), None);
        assert_eq!(density(&[1.0], 1.0, 1.0, 10), None);
        assert_eq!(density(&[1.0], 0.0, f64::INFINITY, 10), None);
        assert_eq!(density(&[1.0], 0.0, 1.0, 1), None);
    }

    fn area(curve: &[(f64, f64)]) -> f64 {
        curve.windows(2).map(|pair| (pair[1].0 - pair[0].0) * f64::midpoint(pair[0].1, pair[1].1)).sum()
    }

    proptest! {
        #[test]
        fn the_area_is_one(samples in prop::collection::vec(0.0f64..1e9, 1..200)) {
            let curve = density(&samples, -2e9, 3e9, 2000).unwrap();
            prop_assert!((area(&curve) - 1.0).abs() < 1e-3, "{}", area(&curve));
            prop_assert!(curve.iter().all(|(_, height)| *height >= 0.0));
        }

        #[test]
        fn the_area_is_the_share_within(inside in 1usize..50, beyond in 0usize..50) {
            let samples: Vec<f64> = (0..inside).map(|i| 50.0 + i as f64 / 50.0).chain(vec![1e6; beyond]).collect();
            let curve = density(&samples, 0.0, 100.0, 500).unwrap();
            let share = inside as f64 / (inside + beyond) as f64;
            // A bandwidth of samples that are far apart may be wide; then more of it lies beyond.
            prop_assert!(area(&curve) <= share + 1e-3, "{}", area(&curve));
        }

        #[test]
        fn quantiles_are_in_order(mut samples in prop::collection::vec(-1e9f64..1e9, 1..100), a in 0.0f64..1.0, b in 0.0f64..1.0) {
            samples.sort_unstable_by(f64::total_cmp);
            let (low, high) = (a.min(b), a.max(b));
            prop_assert!(quantile(&samples, low) <= quantile(&samples, high));
            prop_assert!(samples[0] <= quantile(&samples, low) && quantile(&samples, high) <= samples[samples.len() - 1]);
        }
    }
}
