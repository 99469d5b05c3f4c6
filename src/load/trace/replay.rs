use super::Trace;
use crate::load::schedule::{Due, Schedule};
use fastrand::Rng;
use std::time::Duration;

const MINUTE_S: f64 = 60.0;

/// How a trace is replayed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Replay {
    /// So many times as fast.
    pub speed: f64,
    /// So many times as many requests; what is left of a whole one is one with that probability.
    pub scale: f64,
    /// Only its first minutes.
    pub minutes: Option<usize>,
    /// Of the moments within minutes, of the parts of requests, and of which function stands for which.
    pub seed: u64,
}

impl Replay {
    /// How long a trace takes.
    pub fn duration(&self, trace: &Trace) -> Duration {
        let minutes = self.minutes.map_or(trace.minutes(), |minutes| minutes.min(trace.minutes()));
        Duration::from_secs_f64(minutes as f64 * MINUTE_S / self.speed)
    }
}

/// For each function of a trace, which of `kinds` requests stands for it: dealt out in turn, in an order that the seed
/// shuffles.
pub fn dealt(functions: usize, kinds: usize, seed: u64) -> Vec<u32> {
    let mut rng = Rng::with_seed(seed);
    let mut order: Vec<usize> = (0..functions).collect();
    rng.shuffle(&mut order);
    let mut dealt = vec![0; functions];
    for (turn, function) in order.into_iter().enumerate() {
        dealt[function] = (turn % kinds.max(1)) as u32;
    }
    dealt
}

/// The schedule of a trace, of whose functions each is sent as the request that stands for it. The trace says how many
/// requests a minute has, not when: they are spread over it at random.
pub fn replay(trace: &Trace, stands_for: &[u32], replay: Replay) -> Schedule {
    let mut rng = Rng::with_seed(replay.seed);
    let minutes = replay.minutes.map_or(trace.minutes(), |minutes| minutes.min(trace.minutes()));
    // By minute, for a minute at a time is put into order.
    let counts: Vec<Vec<(u32, u32)>> = (0..minutes)
        .map(|minute| {
            let of = |(function, kind): (&super::Function, &u32)| (*kind, function.per_minute[minute]);
            trace.functions.iter().zip(stands_for).map(of).filter(|(_, count)| *count > 0).collect()
        })
        .collect();
    let minute_ns = MINUTE_S * 1e9 / replay.speed;
    Box::new(counts.into_iter().enumerate().flat_map(move |(minute, counts)| {
        let mut dues = Vec::new();
        for (request, count) in counts {
            let wanted = f64::from(count) * replay.scale;
            let sent = wanted.floor() as u64 + u64::from(rng.f64() < wanted.fract());
            dues.extend((0..sent).map(|_| Due { at_ns: ((minute as f64 + rng.f64()) * minute_ns) as u64, request }));
        }
        dues.sort_by_key(|due| due.at_ns);
        dues
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::trace::Function;
    use proptest::prelude::*;

    fn trace(counts: &[Vec<u32>]) -> Trace {
        let function = |per_minute: &Vec<u32>| Function {
            owner: "o".into(),
            app: "a".into(),
            name: "f".into(),
            trigger: "http".into(),
            per_minute: per_minute.clone(),
        };
        Trace { functions: counts.iter().map(function).collect() }
    }

    #[test]
    fn functions_are_dealt_out_evenly() {
        for (functions, kinds) in [(10, 3), (2, 5), (7, 1)] {
            let dealt = dealt(functions, kinds, 1);
            let count = |kind: u32| dealt.iter().filter(|dealt| **dealt == kind).count();
            let counts: Vec<usize> = (0..kinds as u32).map(count).collect();
            assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1, "{counts:?}");
        }
    }

    #[test]
    fn time_and_rate_are_scaled() {
        let trace = trace(&[vec![6000, 0, 6000], vec![0, 100, 0]]);
        let replayed = |speed, scale, minutes| -> Vec<Due> {
            super::replay(&trace, &[0, 1], Replay { speed, scale, minutes, seed: 3 }).collect()
        };
        let whole = replayed(60.0, 1.0, None);
        assert_eq!(whole.len(), 12_100);
        // A minute in a second.
        assert!(whole.iter().all(|due| due.at_ns < 3_000_000_000));
        assert_eq!(whole.iter().filter(|due| (1_000_000_000..2_000_000_000).contains(&due.at_ns)).count(), 100);
        let tenth = replayed(60.0, 0.1, Some(1)).len();
        assert_eq!(tenth, 600);
        // Of 100 requests, 1.5 of each: fractions are rounded by chance.
        assert!(
            (140..=160)
                .contains(&replayed(60.0, 1.5, None).iter().filter(|due| due.at_ns / 1_000_000_000 == 1).count())
        );
        let replay = Replay { speed: 120.0, scale: 1.0, minutes: Some(2), seed: 0 };
        assert_eq!(replay.duration(&trace), Duration::from_secs(1));
    }

    #[test]
    fn rare_functions_are_not_scaled_away() {
        let trace = trace(&vec![vec![1; 10]; 100]);
        let sent = super::replay(&trace, &[0; 100], Replay { speed: 1.0, scale: 0.1, minutes: None, seed: 5 }).count();
        // 1000 requests with a probability of 0.1: four standard deviations.
        assert!((62..=138).contains(&sent), "{sent}");
    }

    proptest! {
        #[test]
        fn schedules_are_in_order_complete_and_repeat(
            counts in prop::collection::vec(prop::collection::vec(0u32..50, 4), 1..8),
            speed in 0.5f64..1000.0,
            kinds in 1usize..5,
            seed: u64,
        ) {
            let trace = trace(&counts);
            let stands_for = dealt(counts.len(), kinds, seed);
            let replayed = || super::replay(&trace, &stands_for, Replay { speed, scale: 1.0, minutes: None, seed }).collect::<Vec<Due>>();
            let dues = replayed();
            prop_assert_eq!(dues.len() as u64, trace.invocations());
            prop_assert!(dues.windows(2).all(|pair| pair[0].at_ns <= pair[1].at_ns));
            prop_assert!(dues.iter().all(|due| (due.request as usize) < kinds));
            prop_assert_eq!(dues, replayed());
        }
    }
}
