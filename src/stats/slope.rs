//! A slope that several groups share.

use super::t;

/// The slope of a regression, with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slope {
    /// How much y grows when x grows by 1.
    pub slope: f64,
    /// The lower end of the slope's interval.
    pub low: f64,
    /// The upper end of the slope's interval.
    pub high: f64,
    /// The intercept; of several groups, the mean of theirs, weighted with their points.
    pub intercept: f64,
}

impl Slope {
    /// Least squares over `groups` of points (x, y), each group with an intercept of its own and all with one slope: as
    /// when every process has a memory of its own before its first instance. The interval is Student's.
    ///
    /// `None` if there are fewer points than there is to find, if no group's x varies, or if a number is not finite.
    pub fn of(groups: &[Vec<(f64, f64)>]) -> Option<Slope> {
        let groups: Vec<&Vec<(f64, f64)>> = groups.iter().filter(|group| !group.is_empty()).collect();
        let points: usize = groups.iter().map(|group| group.len()).sum();
        let degrees_of_freedom = points.checked_sub(groups.len() + 1).filter(|df| *df > 0)? as f64;
        // About each group's means: its intercept falls out, and little precision is lost.
        let centred: Vec<(f64, f64)> = groups
            .iter()
            .flat_map(|group| {
                let (mean_x, mean_y) = means(group);
                group.iter().map(move |(x, y)| (x - mean_x, y - mean_y))
            })
            .collect();
        let sum = |of: fn(f64, f64) -> f64| centred.iter().map(|(x, y)| of(*x, *y)).sum::<f64>();
        let squares = sum(|x, _| x * x);
        let slope = sum(|x, y| x * y) / squares;
        let residuals = centred.iter().map(|(x, y)| (y - slope * x).powi(2)).sum::<f64>();
        let half_width = t::quantile(degrees_of_freedom) * (residuals / degrees_of_freedom / squares).sqrt();
        let (mean_x, mean_y) = means(&groups.into_iter().flatten().copied().collect::<Vec<_>>());
        let found =
            Slope { slope, low: slope - half_width, high: slope + half_width, intercept: mean_y - slope * mean_x };
        (found.low.is_finite() && found.high.is_finite() && found.intercept.is_finite()).then_some(found)
    }
}

fn means(points: &[(f64, f64)]) -> (f64, f64) {
    let count = points.len() as f64;
    (points.iter().map(|(x, _)| x).sum::<f64>() / count, points.iter().map(|(_, y)| y).sum::<f64>() / count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn close(a: f64, b: f64, precision: f64) -> bool {
        (a - b).abs() <= precision * b.abs().max(1.0)
    }

    /// NIST's Statistical Reference Datasets, linear regression, Norris: (y, x).
    const NORRIS: [(f64, f64); 36] = [
        (0.1, 0.2),
        (338.8, 337.4),
        (118.1, 118.2),
        (888.0, 884.6),
        (9.2, 10.1),
        (228.1, 226.5),
        (668.5, 666.3),
        (998.5, 996.3),
        (449.1, 448.6),
        (778.9, 777.0),
        (559.2, 558.2),
        (0.3, 0.4),
        (0.1, 0.6),
        (778.1, 775.5),
        (668.8, 666.9),
        (339.3, 338.0),
        (448.9, 447.5),
        (10.8, 11.6),
        (557.7, 556.0),
        (228.3, 228.1),
        (998.0, 995.8),
        (888.8, 887.6),
        (119.6, 120.2),
        (0.3, 0.3),
        (0.6, 0.3),
        (557.6, 556.8),
        (339.3, 339.1),
        (888.0, 887.2),
        (998.5, 999.0),
        (778.9, 779.0),
        (10.2, 11.1),
        (117.6, 118.3),
        (228.9, 229.2),
        (668.4, 669.1),
        (449.2, 448.9),
        (0.2, 0.5),
    ];

    #[test]
    fn norris_has_its_certified_values() {
        let found = Slope::of(&[NORRIS.iter().map(|(y, x)| (*x, *y)).collect()]).unwrap();
        assert!(close(found.slope, 1.00211681802045, 1e-13), "{found:?}");
        assert!(close(found.intercept, -0.262323073774029, 1e-11), "{found:?}");
        let standard_error = (found.high - found.slope) / 2.032_244_509_317_718; // qt(0.975, 34)
        assert!((standard_error - 0.429796848199937e-03).abs() < 1e-9, "{standard_error}");
    }

    /// Anscombe, "Graphs in statistical analysis", 1973: all four have the same line, 3.00 + 0.500 x, the slope with a
    /// standard error of 0.118. The fourth digits are R's, of its data set `anscombe`.
    #[test]
    fn anscombe_has_his_published_values() {
        let x = [10.0, 8.0, 13.0, 9.0, 11.0, 14.0, 6.0, 4.0, 12.0, 7.0, 5.0];
        for (y, slope, standard_error) in [
            ([8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68], 0.5001, 0.1179),
            ([9.14, 8.14, 8.74, 8.77, 9.26, 8.10, 6.13, 3.10, 9.13, 7.26, 4.74], 0.5000, 0.1180),
            ([7.46, 6.77, 12.74, 7.11, 7.81, 8.84, 6.08, 5.39, 8.15, 6.42, 5.73], 0.4997, 0.1179),
        ] {
            let found = Slope::of(&[x.into_iter().zip(y).collect()]).unwrap();
            assert!((found.slope - slope).abs() < 6e-5 && (found.intercept - 3.0).abs() < 3e-3, "{found:?}");
            assert!(((found.high - found.low) / 2.0 / 2.262_157 - standard_error).abs() < 6e-5, "{found:?}");
        }
    }

    #[test]
    fn nothing_to_find() {
        assert_eq!(Slope::of(&[]), None);
        assert_eq!(Slope::of(&[vec![(1.0, 1.0), (2.0, 2.0)]]), None);
        assert_eq!(Slope::of(&[vec![(1.0, 1.0), (1.0, 2.0), (1.0, 3.0)]]), None);
        assert_eq!(Slope::of(&[vec![(1.0, 1.0)], vec![(2.0, 2.0)], vec![(3.0, 3.0)]]), None);
        assert_eq!(Slope::of(&[vec![(1.0, f64::NAN), (2.0, 2.0), (3.0, 3.0)]]), None);
    }

    proptest! {
        #[test]
        fn an_exact_line_is_found_whatever_the_intercepts(
            slope in -1e6f64..1e6, intercepts in prop::collection::vec(-1e6f64..1e6, 1..5), points in 3u8..20
        ) {
            let group = |intercept: &f64| (0..points).map(|x| (f64::from(x), intercept + slope * f64::from(x))).collect();
            let found = Slope::of(&intercepts.iter().map(group).collect::<Vec<_>>()).unwrap();
            prop_assert!((found.slope - slope).abs() < 1e-6);
            prop_assert!(found.high - found.low < 1e-4);
            prop_assert!((found.intercept - intercepts.iter().sum::<f64>() / intercepts.len() as f64).abs() < 1e-5);
        }
    }
}
