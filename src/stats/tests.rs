use super::*;
use proptest::prelude::*;

/// A sample of the standard normal distribution (Box and Muller, 1958).
pub(super) fn normal(rng: &mut fastrand::Rng) -> f64 {
    (-2.0 * (1.0 - rng.f64()).ln()).sqrt() * (std::f64::consts::TAU * rng.f64()).cos()
}

/// A cell whose true median is 1: its processes differ by `between`, their samples by a tenth, both log-normally.
pub(super) fn cell(rng: &mut fastrand::Rng, processes: usize, samples: usize, between: f64) -> Vec<Vec<f64>> {
    let process = |_| {
        let shift = between * normal(rng);
        (0..samples).map(|_| (shift + 0.1 * normal(rng)).exp()).collect()
    };
    (0..processes).map(process).collect()
}

fn processes() -> impl Strategy<Value = Vec<Vec<f64>>> {
    prop::collection::vec(prop::collection::vec(1.0..1e9, 1..60), 1..6)
}

proptest! {
    #[test]
    fn the_interval_holds_the_median(processes in processes(), seed: u64) {
        let summary = Summary::of(&processes, seed).unwrap();
        let all = processes.concat();
        prop_assert!(0.0 < summary.low && summary.low <= summary.median && summary.median <= summary.high);
        let below = all.iter().filter(|s| **s < summary.median).count();
        let above = all.iter().filter(|s| **s > summary.median).count();
        prop_assert!(below <= all.len() / 2 && above <= all.len() / 2);
        prop_assert_eq!(Some(summary.median), median(&mut all.clone()));
        prop_assert_eq!((summary.processes, summary.samples), (processes.len(), all.len()));
    }

    #[test]
    fn a_single_process_has_samples_as_the_ends_of_its_interval(process in prop::collection::vec(1.0..1e9, 1..60), seed: u64) {
        let summary = Summary::of(std::slice::from_ref(&process), seed).unwrap();
        let close = |end: f64| process.iter().any(|s| (s - end).abs() <= 1e-9 * s);
        prop_assert!((close(summary.low) || summary.low == summary.median) && (close(summary.high) || summary.high == summary.median));
    }

    #[test]
    fn the_median_does_not_depend_on_the_order_of_processes_and_samples(mut processes in processes(), seed: u64) {
        let before = Summary::of(&processes, seed).unwrap().median;
        let mut rng = fastrand::Rng::with_seed(seed);
        rng.shuffle(&mut processes);
        processes.iter_mut().for_each(|p| rng.shuffle(p));
        prop_assert_eq!(Summary::of(&processes, seed).unwrap().median, before);
    }

    #[test]
    fn scaling_the_samples_scales_the_summary(processes in processes(), seed: u64) {
        let one = Summary::of(&processes, seed).unwrap();
        let twice: Vec<Vec<f64>> = processes.iter().map(|p| p.iter().map(|s| s * 2.0).collect()).collect();
        let two = Summary::of(&twice, seed).unwrap();
        prop_assert_eq!((two.median, two.mad), (one.median * 2.0, one.mad * 2.0));
        let close = |a: f64, b: f64| (a - b).abs() <= 1e-9 * b;
        prop_assert!(close(two.low, one.low * 2.0) && close(two.high, one.high * 2.0), "{one:?} {two:?}");
        prop_assert!(close(two.relative_half_width(), one.relative_half_width()) || one.samples == 1);
    }
}

#[test]
fn medians_that_are_known() {
    for (mut samples, expected) in [
        (vec![], None),
        (vec![3.0], Some(3.0)),
        (vec![4.0, 1.0], Some(2.5)),
        (vec![9.0, 1.0, 5.0], Some(5.0)),
        (vec![9.0, 1.0, 5.0, 6.0], Some(5.5)),
        (vec![2.0; 1000], Some(2.0)),
    ] {
        assert_eq!(median(&mut samples), expected, "{samples:?}");
    }
}

#[test]
fn degenerate_input() {
    assert_eq!(Summary::of(&[], 1), None);
    assert_eq!(Summary::of(&[vec![], vec![]], 1), None);
    let one = Summary::of(&[vec![], vec![7.0]], 1).unwrap();
    assert_eq!((one.low, one.median, one.high, one.processes, one.samples), (7.0, 7.0, 7.0, 1, 1));
    assert!(one.is_of_one_process());
    assert!(!Summary::of(&[vec![7.0], vec![7.0]], 1).unwrap().is_of_one_process());
}

/// The interval of the median of n samples is known exactly: the k-th and the (n+1-k)-th, k from the binomial
/// distribution. For n = 1000 k is 470, so that of 1..=1000 it is 470 to 531.
#[test]
fn a_single_process_gives_the_binomial_interval() {
    let samples: Vec<f64> = (1..=1000).map(f64::from).collect();
    let summary = Summary::of(&[samples], 7).unwrap();
    assert_eq!(summary.median, 500.5);
    assert!((462.0..478.0).contains(&summary.low), "{summary:?}");
    assert!((523.0..539.0).contains(&summary.high), "{summary:?}");
}

/// Ten processes that differ by much more than the samples in each: the interval must be about as wide as the processes
/// say, however many samples each has.
#[test]
fn differing_processes_widen_the_interval() {
    let process = |p: i32| (0..1000).map(|i| f64::from(p * 100) + f64::from(i % 10)).collect();
    let processes: Vec<Vec<f64>> = (0..10).map(process).collect();
    let two_levels = Summary::of(&processes, 7).unwrap();
    let one_level = Summary::of(&[processes.concat()], 7).unwrap();
    assert!(two_levels.high - two_levels.low > 300.0, "{two_levels:?}");
    assert!(one_level.high - one_level.low < 100.0, "{one_level:?}");
    assert_eq!(two_levels.median, one_level.median);
}

/// However much processes differ, the interval of five (or of two, or of ten) must hold the true median in about 95 % of
/// the cases.
#[test]
fn the_interval_covers_the_true_median_as_often_as_it_says() {
    let mut rng = fastrand::Rng::with_seed(1);
    for (processes, samples) in [(5, 40), (5, 1), (2, 40), (10, 20)] {
        for between in [0.0, 0.02, 0.05, 0.5] {
            let runs = 600;
            let covers = |seed: &u64| {
                let summary = Summary::of(&cell(&mut rng, processes, samples, between), *seed).unwrap();
                (summary.low..=summary.high).contains(&1.0)
            };
            let covered = (0..runs).filter(covers).count() as f64 * 100.0 / runs as f64;
            // Without a difference between two processes, how they vary is the least certain.
            let highest = if processes == 2 { 100.0 } else { 99.0 };
            assert!((92.0..=highest).contains(&covered), "{processes} of {samples}, {between}: {covered} %");
        }
    }
}

#[test]
fn deviations_that_are_known() {
    // Of 1, 1, 2, 2, 4, 6, 9 the median is 2 and the distances are 1, 1, 0, 0, 2, 4, 7.
    let summary = Summary::of(&[vec![1.0, 1.0, 2.0, 2.0], vec![4.0, 6.0, 9.0]], 1).unwrap();
    assert_eq!((summary.median, summary.mad), (2.0, 1.0));
    let of = |median, low, high, samples| Summary { median, low, high, mad: 0.0, processes: 1, samples };
    assert_eq!(of(100.0, 97.0, 105.0, 9).relative_half_width(), 0.04);
    assert_eq!(of(100.0, 100.0, 100.0, 9).relative_half_width(), 0.0);
    assert_eq!(of(100.0, 100.0, 100.0, 1).relative_half_width(), f64::INFINITY);
    assert_eq!(of(0.0, 0.0, 0.0, 9).relative_half_width(), 0.0);
    assert_eq!(of(0.0, -1.0, 1.0, 9).relative_half_width(), f64::INFINITY);
}

#[test]
fn samples_of_zero_and_below_have_an_interval_too() {
    let summary = Summary::of(&[vec![0.0, 1.0, 2.0], vec![1.0, 1.0, 3.0], vec![-4.0, 2.0, 2.0]], 1).unwrap();
    assert!(
        summary.low < 1.0 && summary.median == 1.0 && summary.high > 1.0 && summary.high.is_finite(),
        "{summary:?}"
    );
    assert_eq!(Summary::of(&[vec![0.0], vec![0.0]], 1).map(|s| (s.low, s.high)), Some((0.0, 0.0)));
}

#[test]
fn seeds_are_stable_and_differ() {
    assert_eq!(seed(1, "wasm3/lazy rust/hello warm"), seed(1, "wasm3/lazy rust/hello warm"));
    assert_eq!(seed(0, ""), 0xa8c7_f832_281a_39c5);
    assert_ne!(seed(1, "a"), seed(1, "b"));
    assert_ne!(seed(1, "a"), seed(2, "a"));
    let processes = [vec![1.0, 5.0, 2.0, 9.0], vec![3.0, 4.0, 8.0]];
    assert_eq!(Summary::of(&processes, 3), Summary::of(&processes, 3));
}
