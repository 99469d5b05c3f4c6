use super::*;
use proptest::prelude::*;

fn processes() -> impl Strategy<Value = Vec<Vec<f64>>> {
    prop::collection::vec(prop::collection::vec(1.0..1e9, 1..60), 1..6)
}

proptest! {
    #[test]
    fn the_interval_holds_the_median_and_stays_within_the_samples(processes in processes(), seed: u64) {
        let summary = Summary::of(&processes, seed).unwrap();
        let all = processes.concat();
        prop_assert!(summary.low <= summary.median && summary.median <= summary.high);
        prop_assert!(all.iter().any(|s| *s <= summary.low) && all.iter().any(|s| *s >= summary.high));
        let below = all.iter().filter(|s| **s < summary.median).count();
        let above = all.iter().filter(|s| **s > summary.median).count();
        prop_assert!(below <= all.len() / 2 && above <= all.len() / 2);
        prop_assert_eq!((summary.processes, summary.samples), (processes.len(), all.len()));
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
        prop_assert_eq!((two.median, two.low, two.high), (one.median * 2.0, one.low * 2.0, one.high * 2.0));
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

#[test]
fn the_interval_covers_the_true_median_as_often_as_it_says() {
    let mut rng = fastrand::Rng::with_seed(1);
    let (mut covered, runs) = (0, 200);
    for seed in 0..runs {
        let processes: Vec<Vec<f64>> = (0..20)
            .map(|_| {
                let shift = rng.f64() - 0.5;
                (0..30).map(|_| shift + rng.f64() - 0.5).collect()
            })
            .collect();
        let summary = Summary::of(&processes, seed).unwrap();
        covered += u64::from((summary.low..=summary.high).contains(&0.0));
    }
    assert!(covered * 100 >= runs * 90, "{covered} of {runs}");
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
