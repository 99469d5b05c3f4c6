use super::*;
use crate::stats::Share;

/// A machine: how much processes differ, how much samples do, how much slower the last process is than the first.
struct Mood {
    between: f64,
    within: f64,
    drift: f64,
    /// How much slower the processes of B are, as if something disturbed them alone.
    bias: f64,
}

const CALM: Mood = Mood { between: 0.004, within: 0.02, drift: 0.0, bias: 0.0 };

fn normal(rng: &mut Rng) -> f64 {
    (0..12).map(|_| rng.f64()).sum::<f64>() - 6.0
}

fn machine(mood: &Mood, pairs: usize, seed: u64) -> Vec<Process> {
    let mut rng = Rng::with_seed(seed);
    let of = |pair: usize, at: usize, rng: &mut Rng| {
        let side = if at.is_multiple_of(2) { Side::A } else { Side::B };
        let bias = if side == Side::B { mood.bias } else { 0.0 };
        let time = (pair * 10 + at) as f64 / (pairs * 10) as f64;
        let level = 20_000.0 * (1.0 + mood.between * normal(rng) + mood.drift * time + bias);
        let samples = (0..40).map(|_| level * (1.0 + mood.within * normal(rng))).collect();
        Process { pair, side, samples }
    };
    (0..pairs).flat_map(|pair| (0..10).map(move |at| (pair, at))).map(|(pair, at)| of(pair, at, &mut rng)).collect()
}

fn aa(mood: &Mood, pairs: usize) -> Aa {
    Aa::of(&machine(mood, pairs, 5), 50, 1).unwrap()
}

#[test]
fn a_calm_machine_is_trusted() {
    let aa = aa(&CALM, 100);
    assert_eq!(reasons(&aa, 0.02), [""; 0], "{aa:?}");
    assert_eq!((aa.called.trials, aa.processes, aa.per_cell, aa.splits), (100, 1000, 5, 50));
    assert!(aa.called.low <= NOMINAL && aa.called_of_splits < 0.2, "{aa:?}");
    assert!((19_900.0..20_100.0).contains(&aa.median) && aa.half_width < 0.02);
}

#[test]
fn a_noisy_machine_is_not_trusted_at_a_precision_that_it_does_not_reach() {
    let noisy = aa(&Mood { between: 0.05, ..CALM }, 60);
    let told = reasons(&noisy, 0.02);
    assert!(told.len() == 1 && told[0].contains("target being ±2.0 %") && told[0].contains("--pin"), "{told:?}");
    assert!(reasons(&noisy, 0.2).is_empty(), "at a fifth it is good enough");
}

#[test]
fn a_drifting_machine_is_not_trusted_though_its_pairs_are_equal() {
    let drifting = aa(&Mood { drift: 0.2, ..CALM }, 60);
    assert!(drifting.called.low <= NOMINAL, "taking turns protects the pairs: {drifting:?}");
    let told = reasons(&drifting, 0.02);
    assert!(told.len() == 1 && told[0].contains("drifts"), "{told:?}");
    let slowly = aa(&Mood { drift: 0.002, ..CALM }, 60);
    assert!(reasons(&slowly, 0.02).is_empty(), "less than the target matters to nobody: {slowly:?}");
}

#[test]
fn too_many_differences_between_equals_are_a_reason() {
    let mut aa = aa(&CALM, 100);
    aa.called = Share::of(11, 100).unwrap();
    let told = reasons(&aa, 0.02);
    assert!(told.len() == 1 && told[0].contains("11 of 100 pairs of equal cells"), "{told:?}");
    aa.called = Share::of(10, 100).unwrap();
    assert!(reasons(&aa, 0.02).is_empty(), "10 of 100 may still be 5 %");
    let biased = self::aa(&Mood { bias: 0.03, ..CALM }, 60);
    assert!(biased.called.low > NOMINAL && reasons(&biased, 0.02).len() == 1, "{biased:?}");
}

#[test]
fn too_few_pairs_say_nothing() {
    let told = reasons(&aa(&CALM, 5), 0.02);
    assert!(told.len() == 1 && told[0].contains("only 5 pairs"), "{told:?}");
    assert_eq!(Aa::of(&[], 10, 1), None);
}

#[test]
fn the_same_processes_give_the_same_answer() {
    let processes = machine(&CALM, 20, 9);
    assert_eq!(Aa::of(&processes, 20, 3), Aa::of(&processes, 20, 3));
}

#[test]
fn gaps_are_what_a_loop_did_not_get() {
    assert_eq!(Gaps::of([]), Gaps::default());
    let gaps = Gaps::of([100, 130, 160, 5160, 5190, 6191, 6200]);
    assert_eq!(gaps, Gaps { elapsed_ns: 6100, lost_ns: 6001, longest_ns: 5000 });
    assert!((gaps.share() - 6001.0 / 6100.0).abs() < 1e-12);
}

#[test]
fn the_clock_ticks_and_the_harness_runs() {
    let clock = Clock::this();
    assert!(clock.resolution_ns > 0 && clock.cost_ns > 0.0, "{clock:?}");
    assert!(driver_ns(1000, 3).unwrap() > 0.0);
    assert!(Gaps::watch(Duration::from_millis(2)).elapsed_ns <= 2_000_000);
}
