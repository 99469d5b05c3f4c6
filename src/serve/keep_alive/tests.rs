//! The rules by a clock of the tests' own, and the keeper against a simulation that goes gap by gap.

use super::histogram::{BIN_NS, BINS, IdleTimes};
use super::keeper::{Account, Act, Keeper};
use super::*;
use proptest::prelude::*;

const MINUTE_NS: u64 = BIN_NS;

fn idle_times(minutes: impl IntoIterator<Item = u64>) -> IdleTimes {
    let mut times = IdleTimes::new();
    minutes.into_iter().for_each(|minutes| times.record(minutes * MINUTE_NS + MINUTE_NS / 2));
    times
}

fn windows(prewarm_minutes: f64, keep_minutes: f64) -> Windows {
    let ns = |minutes: f64| (minutes * MINUTE_NS as f64).round() as u64;
    Windows { prewarm_ns: ns(prewarm_minutes), keep_ns: Some(ns(keep_minutes)) }
}

const UNKNOWN: Windows = Windows { prewarm_ns: 0, keep_ns: Some(BINS as u64 * MINUTE_NS) };

#[test]
fn policies_are_words() {
    for (text, policy) in [
        ("forever", KeepAlive::Forever),
        ("none", KeepAlive::None),
        ("fixed:10m", KeepAlive::Fixed(Duration::from_secs(600))),
        ("fixed:1h30m", KeepAlive::Fixed(Duration::from_secs(5400))),
        ("histogram", KeepAlive::Histogram),
    ] {
        assert_eq!((text.parse(), policy.to_string().as_str()), (Ok(policy), text));
    }
    for text in ["", "fixed", "fixed:", "fixed:10", "Histogram", "10m"] {
        assert!(text.parse::<KeepAlive>().is_err(), "{text}");
    }
}

#[test]
fn windows_are_percentiles_with_their_margins() {
    // Always between 30 and 31 minutes.
    assert_eq!(idle_times([30; 100]).windows(), windows(27.0, 34.1));
    // 5 of 100 in the first bin: the head is there, and nothing is released before the tail. 99 of 100 are below 61.
    let spread = (0..5).map(|_| 0).chain([60; 94]).chain([200]);
    assert_eq!(idle_times(spread).windows(), windows(0.0, 67.1));
    let later = (0..4).map(|_| 0).chain([60; 94]).chain([200, 200]);
    assert_eq!(idle_times(later).windows(), windows(54.0, 221.1));
}

#[test]
fn what_is_not_known_is_kept_for_as_long_as_the_histogram_is() {
    assert_eq!(idle_times([]).windows(), UNKNOWN);
    // Bins that are all alike say nothing: of 48 different ones the coefficient of variation is 2, of 49 it is below.
    assert_ne!(idle_times(0..48).windows(), UNKNOWN);
    assert_eq!(idle_times(0..49).windows(), UNKNOWN);
    // Longer than the histogram: half of them may be.
    assert_eq!(idle_times([20, 20, 240, 500]).windows(), windows(18.0, 23.1));
    assert_eq!(idle_times([20, 20, 240, 500, 500]).windows(), UNKNOWN);
}

#[test]
fn a_module_in_use_is_never_released() {
    for policy in [KeepAlive::None, KeepAlive::Fixed(Duration::from_nanos(10)), KeepAlive::Histogram] {
        let mut keeper = Keeper::new(policy);
        keeper.begins(1, 0);
        keeper.begins(1, 1);
        assert!(!keeper.ends(1, || 1, 2), "another one is in flight");
        assert_eq!((keeper.next_ns(), keeper.take_due(u64::MAX)), (None, None));
        assert_eq!(keeper.ends(1, || 1, 3), policy == KeepAlive::None);
        // Called again before it was due.
        keeper.begins(1, 4);
        assert_eq!((keeper.next_ns(), keeper.take_due(u64::MAX)), (None, None));
    }
}

#[test]
fn a_module_comes_back_before_it_is_called() {
    let mut keeper = Keeper::new(KeepAlive::Histogram);
    let at = |minutes: u64| minutes * MINUTE_NS;
    let mut now = 0;
    for _ in 0..3 {
        keeper.begins(1, now);
        keeper.ends(1, || 1, now);
        now += at(30);
    }
    keeper.begins(1, now);
    assert!(keeper.ends(1, || 1, now), "released at once");
    assert_eq!(keeper.next_ns(), Some(now + at(27)));
    assert_eq!(keeper.take_due(now + at(27) - 1), None);
    assert_eq!(keeper.take_due(now + at(27)), Some((1, Act::Load)));
    // It takes a minute until it is there.
    keeper.loaded(1, 1, false, now + at(28));
    let before = keeper.account(now + at(28));
    assert_eq!(keeper.account(now + at(30)).idle_ns - before.idle_ns, u128::from(at(2)));
    assert_eq!(keeper.next_ns(), Some(now + at(341) / 10));
    assert_eq!(keeper.take_due(now + at(35)), Some((1, Act::Release)));
    assert_eq!((keeper.account(now + at(99)).prewarmed, keeper.next_ns()), (1, None));
}

#[test]
fn what_is_loaded_while_it_is_called_is_left_to_the_call() {
    let mut keeper = Keeper::new(KeepAlive::Histogram);
    for minutes in [0, 30, 60] {
        keeper.begins(1, minutes * MINUTE_NS);
        keeper.ends(1, || 1, minutes * MINUTE_NS);
    }
    assert_eq!(keeper.take_due(87 * MINUTE_NS), Some((1, Act::Load)));
    keeper.begins(1, 88 * MINUTE_NS);
    keeper.loaded(1, 1, false, 89 * MINUTE_NS);
    assert_eq!(keeper.next_ns(), None);
    assert!(keeper.ends(1, || 1, 90 * MINUTE_NS));
}

#[test]
fn a_new_version_is_kept_by_the_same_rule_and_a_function_that_is_gone_by_none() {
    let mut keeper = Keeper::new(KeepAlive::Fixed(Duration::from_secs(60)));
    keeper.loaded(7, 2, true, 0);
    assert_eq!(keeper.account(MINUTE_NS / 2).idle_ns, u128::from(MINUTE_NS), "two copies");
    keeper.forget(7, MINUTE_NS / 2);
    assert_eq!((keeper.next_ns(), keeper.account(MINUTE_NS).idle_ns), (None, u128::from(MINUTE_NS)));
    let mut keeper = Keeper::new(KeepAlive::None);
    keeper.loaded(7, 1, true, 5);
    assert_eq!(keeper.take_due(5), Some((7, Act::Release)));
    assert!(!keeper.ends(8, || 1, 6), "nobody knows that function");
}

/// An invocation of the property's input.
type Call = (u64, u64);

/// What both came to.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    cold: u64,
    warm: u64,
    account: Account,
}

/// Event by event, as the platform does it.
fn by_keeper(policy: KeepAlive, functions: &[Vec<Call>], horizon_ns: u64) -> Seen {
    let mut events: Vec<(u64, u8, u64)> = Vec::new();
    for (function, calls) in (0..).zip(functions) {
        for (start_ns, length_ns) in calls {
            events.extend([(*start_ns, 1, function), (start_ns + length_ns, 0, function)]);
        }
    }
    // What ends comes before what begins.
    events.sort_unstable();
    let (mut keeper, mut seen) = (Keeper::new(policy), Seen::default());
    let mut there = vec![(false, 0_u32); functions.len()];
    let settle = |keeper: &mut Keeper, there: &mut Vec<(bool, u32)>, until_ns: u64| {
        while let Some(at_ns) = keeper.next_ns().filter(|at_ns| *at_ns <= until_ns) {
            let (function, act) = keeper.take_due(at_ns).expect("it is due");
            let place = &mut there[function as usize];
            assert_eq!(place.1, 0, "{act:?} of a function in flight");
            place.0 = act == Act::Load;
            if act == Act::Load {
                keeper.loaded(function, 1, false, at_ns);
            }
        }
    };
    for (at_ns, kind, function) in events {
        settle(&mut keeper, &mut there, at_ns);
        let place = &mut there[function as usize];
        if kind == 1 {
            *(if place.0 { &mut seen.warm } else { &mut seen.cold }) += 1;
            keeper.begins(function, at_ns);
            *place = (true, place.1 + 1);
        } else {
            place.1 -= 1;
            place.0 = !keeper.ends(function, || 1, at_ns);
        }
    }
    settle(&mut keeper, &mut there, horizon_ns);
    seen.account = keeper.account(horizon_ns);
    seen
}

/// Gap by gap, from the definition.
fn by_definition(policy: KeepAlive, functions: &[Vec<Call>], horizon_ns: u64) -> Seen {
    let mut seen = Seen::default();
    for calls in functions {
        let mut calls = calls.clone();
        calls.sort_unstable();
        let Some(&(first_ns, _)) = calls.first() else { continue };
        seen.cold += 1;
        let (mut busy_until_ns, mut known) = (first_ns, Vec::new());
        for (at, (start_ns, length_ns)) in calls.iter().copied().enumerate() {
            if start_ns < busy_until_ns {
                seen.warm += 1;
            } else if at > 0 {
                let idle_ns = start_ns - busy_until_ns;
                let warm = gap(policy, &known, idle_ns, &mut seen.account);
                *(if warm { &mut seen.warm } else { &mut seen.cold }) += 1;
                known.push(idle_ns / MINUTE_NS);
            }
            busy_until_ns = busy_until_ns.max(start_ns + length_ns);
        }
        gap(policy, &known, horizon_ns - busy_until_ns, &mut seen.account);
    }
    seen
}

/// Whether the module is there when a gap of this length ends.
fn gap(policy: KeepAlive, known: &[u64], idle_ns: u64, account: &mut Account) -> bool {
    let (from_ns, until_ns) = match policy {
        KeepAlive::Forever => (0, u64::MAX),
        KeepAlive::None => (0, 0),
        KeepAlive::Fixed(time) => (0, time.as_nanos() as u64),
        KeepAlive::Histogram => naive_windows(known),
    };
    if from_ns > 0 {
        account.evictions += 1;
        account.prewarmed += u64::from(idle_ns >= from_ns);
    }
    account.idle_ns += u128::from(idle_ns.min(until_ns).saturating_sub(from_ns));
    account.evictions += u64::from(idle_ns >= until_ns);
    (from_ns..until_ns).contains(&idle_ns)
}

/// From the idle times themselves, in whole minutes.
fn naive_windows(minutes: &[u64]) -> (u64, u64) {
    let mut inside: Vec<u64> = minutes.iter().copied().filter(|minutes| *minutes < 240).collect();
    inside.sort_unstable();
    let count = |bin: u64| inside.iter().filter(|minutes| **minutes == bin).count() as f64;
    let mean = inside.len() as f64 / 240.0;
    let variance = (0..240).map(|bin| (count(bin) - mean).powi(2)).sum::<f64>() / 240.0;
    if inside.is_empty() || minutes.len() > 2 * inside.len() || variance.sqrt() / mean < 2.0 - 1e-9 {
        return (0, 240 * MINUTE_NS);
    }
    let percentile = |percent: usize| inside[(inside.len() * percent).div_ceil(100) - 1];
    (percentile(5) * MINUTE_NS * 9 / 10, (percentile(99) + 1) * MINUTE_NS * 11 / 10)
}

proptest! {
    #[test]
    fn the_keeper_does_what_the_definition_says(
        gaps in prop::collection::vec(prop::collection::vec((0..300 * MINUTE_NS, 1..5 * MINUTE_NS), 0..120), 1..4),
        regular in prop::option::of((1u64..200, 1u64..60)),
        fixed_minutes in 0u64..100,
    ) {
        let mut functions: Vec<Vec<Call>> = Vec::new();
        for gaps in gaps {
            let mut at_ns = 0;
            functions.push(gaps.into_iter().map(|(gap_ns, length_ns)| {
                // Half of them while another one is in flight, or soon after.
                at_ns += if gap_ns % 2 == 0 { gap_ns } else { gap_ns / 100 };
                (at_ns, length_ns)
            }).collect());
        }
        if let Some((minutes, count)) = regular {
            functions.push((0..count).map(|n| (n * minutes * MINUTE_NS, MINUTE_NS / 7)).collect());
        }
        let horizon_ns = 100_000 * MINUTE_NS;
        let fixed = KeepAlive::Fixed(Duration::from_nanos(fixed_minutes * MINUTE_NS));
        for policy in [KeepAlive::Forever, KeepAlive::None, fixed, KeepAlive::Histogram] {
            let (kept, defined) = (by_keeper(policy, &functions, horizon_ns), by_definition(policy, &functions, horizon_ns));
            prop_assert_eq!(kept, defined, "{}", policy);
        }
    }
}
