//! Whether samples come in two kinds.

/// Quantiles of the dip of uniform samples, below which 99 % of them are: (number of samples, square root of that number
/// times the dip). From Maechler's table, which has a million samples for each row, where Hartigan's has 9999.
const CRITICAL: [(f64, f64); 12] = [
    (10.0, 0.5050),
    (15.0, 0.5267),
    (20.0, 0.5394),
    (30.0, 0.5558),
    (50.0, 0.5742),
    (100.0, 0.5902),
    (200.0, 0.6037),
    (500.0, 0.6138),
    (1000.0, 0.6201),
    (2000.0, 0.6246),
    (5000.0, 0.6267),
    (10000.0, 0.6280),
];

/// A smaller dip does not matter, be it as significant as it may with many samples. A mode that stands apart dips by
/// half of its share: this is 5 % of the samples.
const NEGLIGIBLE: f64 = 0.025;

/// Fewer samples are not tested.
const FEWEST: usize = 10;

/// How far samples are from having one mode.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bimodality {
    /// The largest distance between the samples' distribution function and that of the nearest distribution with one
    /// mode: 0 to 0.25. Of two modes that stand apart, about half of the smaller one's share.
    pub dip: f64,
    /// The dip that distributions with one mode exceed in at most 1 % of the cases, at this number of samples.
    pub critical: f64,
}

impl Bimodality {
    /// The dip test of Hartigan and Hartigan ("The dip test of unimodality", 1985) of `samples`, which should be those of
    /// one process: several processes that differ have several modes anyway. It asks for no shape, so skew and heavy
    /// tails, which latencies have, are no modes. `None` if there are fewer than ten samples.
    ///
    /// A clock with coarse ticks makes a mode of each tick. Equal samples are therefore spread over the tick first,
    /// which is taken to be the usual distance between samples that differ; of samples with two values nobody can then
    /// say whether they are two modes or two ticks, and the answer is no.
    pub fn of(samples: &[f64]) -> Option<Bimodality> {
        if samples.len() < FEWEST || samples.iter().any(|s| !s.is_finite()) {
            return None;
        }
        let mut sorted = samples.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        spread_ticks(&mut sorted);
        Some(Bimodality { dip: dip(&sorted), critical: critical(sorted.len()) })
    }

    /// Whether there is more than one mode: significantly (at 1 %), and so that it matters.
    pub fn is_bimodal(&self) -> bool {
        self.dip > self.critical.max(NEGLIGIBLE)
    }
}

fn critical(samples: usize) -> f64 {
    let count = samples as f64;
    let above = CRITICAL.partition_point(|(n, _)| *n <= count).clamp(1, CRITICAL.len() - 1);
    let ((n0, low), (n1, high)) = (CRITICAL[above - 1], CRITICAL[above]);
    let share = ((count - n0) / (n1 - n0)).clamp(0.0, 1.0);
    (low + (high - low) * share) / count.sqrt()
}

/// Spreads equal samples evenly over the tick around their value.
fn spread_ticks(sorted: &mut [f64]) {
    let counts: Vec<usize> = sorted.chunk_by(|a, b| a == b).map(<[f64]>::len).collect();
    let values: Vec<f64> = sorted.chunk_by(|a, b| a == b).map(|same| same[0]).collect();
    // Weighted, so that the few far samples of a long tail have no say.
    let weight = |i: usize| counts[i].min(counts[i + 1]);
    let mut gaps: Vec<(f64, usize)> = values.windows(2).enumerate().map(|(i, v)| (v[1] - v[0], weight(i))).collect();
    gaps.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let half = gaps.iter().map(|(_, weight)| weight).sum::<usize>() / 2;
    let mut seen = 0;
    let usual = gaps.iter().find(|(_, weight)| {
        seen += weight;
        seen > half
    });
    let Some((tick, _)) = usual else { return };
    for same in sorted.chunk_by_mut(|a, b| a == b) {
        let count = same.len() as f64;
        for (place, sample) in (0..).zip(same) {
            *sample += ((f64::from(place) + 0.5) / count - 0.5) * tick;
        }
    }
    // Where ticks are uneven, two may now overlap.
    sorted.sort_unstable_by(f64::total_cmp);
}

/// A value, and how many samples are below it and not above it.
struct Step {
    value: f64,
    below: f64,
    upto: f64,
}

/// The dip of samples that are sorted. The distribution nearest to them is convex up to its mode and concave from there;
/// the mode is closed in on, from both sides, to where the two lines are furthest apart (Hartigan, "Computation of the
/// dip statistic to test for unimodality", 1985, here over distinct values).
fn dip(sorted: &[f64]) -> f64 {
    let mut below = 0;
    let step = |same: &[f64]| {
        let step = Step { value: same[0], below: below as f64, upto: (below + same.len()) as f64 };
        below += same.len();
        step
    };
    let all: Vec<Step> = sorted.chunk_by(|a, b| a == b).map(step).collect();
    let mut steps = all.as_slice();
    // In samples: a step of one is at least half of one away from whatever has no steps. Twice as much, until the end.
    let mut dip = 1.0_f64;
    while steps.len() > 1 {
        let convex = Line::below(steps);
        let concave = Line::above(steps);
        let (apart, low, high) = furthest(&convex, &concave);
        if apart <= dip {
            break;
        }
        // The mode itself may be a step.
        let left = steps[..low].iter().zip(&convex.heights).map(|(step, line)| step.upto - line);
        let right = steps.iter().zip(&concave.heights).skip(high + 1).map(|(step, line)| line - step.below);
        dip = left.chain(right).fold(dip, f64::max);
        if high - low + 1 == steps.len() {
            break;
        }
        steps = &steps[low..=high];
    }
    dip / (2 * sorted.len().max(1)) as f64
}

/// Where the two lines are furthest apart: by how much, the corner of `convex` before it and that of `concave` after it.
fn furthest(convex: &Line, concave: &Line) -> (f64, usize, usize) {
    let corners = convex.corners.iter().chain(&concave.corners).copied();
    let apart = |i: usize| concave.heights[i] - convex.heights[i];
    let at = corners.max_by(|a, b| apart(*a).total_cmp(&apart(*b)).then(a.cmp(b))).unwrap_or(0);
    let low = convex.corners.partition_point(|corner| *corner <= at) - 1;
    let high = concave.corners.partition_point(|corner| *corner < at);
    (apart(at), convex.corners[low], concave.corners[high])
}

/// A line through some of the steps that bends one way only.
struct Line {
    /// The steps that it goes through.
    corners: Vec<usize>,
    /// Its height at every step.
    heights: Vec<f64>,
}

impl Line {
    /// The highest convex line that is nowhere above the steps.
    fn below(steps: &[Step]) -> Line {
        Line::under(&steps.iter().map(|step| (step.value, step.below)).collect::<Vec<_>>())
    }

    /// The lowest concave line that is nowhere below the steps.
    fn above(steps: &[Step]) -> Line {
        let mirrored: Vec<_> = steps.iter().map(|step| (step.value, -step.upto)).collect();
        let mut line = Line::under(&mirrored);
        line.heights.iter_mut().for_each(|height| *height = -*height);
        line
    }

    /// The lower hull of points whose x grow (Andrew's monotone chain).
    fn under(points: &[(f64, f64)]) -> Line {
        let mut corners: Vec<usize> = Vec::new();
        for (i, (x, y)) in points.iter().enumerate() {
            while let [.., a, b] = corners[..] {
                let ((ax, ay), (bx, by)) = (points[a], points[b]);
                if (by - ay) * (x - ax) < (y - ay) * (bx - ax) {
                    break;
                }
                corners.pop();
            }
            corners.push(i);
        }
        let mut heights: Vec<f64> = points.iter().map(|(_, y)| *y).collect();
        for ends in corners.windows(2) {
            let ((ax, ay), (bx, by)) = (points[ends[0]], points[ends[1]]);
            for i in ends[0] + 1..ends[1] {
                heights[i] = ay + (by - ay) * ((points[i].0 - ax) / (bx - ax));
            }
        }
        Line { corners, heights }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::normal;
    use super::*;
    use proptest::prelude::*;

    /// The quality of 63 statistics faculties, the example of Hartigan and Hartigan.
    const FACULTIES: [u8; 63] = [
        30, 33, 35, 36, 37, 37, 39, 39, 39, 39, 39, 40, 40, 40, 40, 41, 42, 43, 43, 43, 44, 44, 45, 45, 46, 46, 47, 47,
        48, 48, 48, 49, 50, 50, 51, 52, 52, 53, 53, 53, 53, 53, 54, 54, 57, 57, 59, 60, 60, 60, 61, 61, 61, 61, 62, 62,
        62, 62, 63, 66, 70, 72, 72,
    ];

    fn drawn(count: usize, seed: u64, mut draw: impl FnMut(&mut fastrand::Rng) -> f64) -> Vec<f64> {
        let mut rng = fastrand::Rng::with_seed(seed);
        (0..count).map(|_| draw(&mut rng)).collect()
    }

    fn exponential(rng: &mut fastrand::Rng) -> f64 {
        -(1.0 - rng.f64()).ln()
    }

    /// As R's package diptest has them in its own tests; the faculties' is in the paper.
    #[test]
    fn dips_that_are_known() {
        let faculties = FACULTIES.map(f64::from);
        for (samples, expected) in [
            (&[1.0, 1.0, 2.0, 2.0][..], 0.25),
            (&[0.0, 1.0, 3.0, 6.0], 0.125),
            (&[0.0, 2.0, 3.0, 5.0, 6.0], 4.0 / 30.0),
            (&[0.0, 1.0, 3.0, 4.0, 6.0], 4.0 / 30.0),
            (&[1.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0], 0.05),
            (&faculties, 7.5 / 126.0),
        ] {
            assert!((dip(samples) - expected).abs() < 1e-12, "{samples:?}: {}", dip(samples));
        }
    }

    /// Of uniform samples, about 1 % must exceed the critical value.
    #[test]
    fn the_critical_values_are_those_of_this_dip() {
        let mut rng = fastrand::Rng::with_seed(2);
        for count in [12, 50, 150] {
            let runs = 4000;
            let exceeds = |_: &u32| {
                let mut samples: Vec<f64> = (0..count).map(|_| rng.f64()).collect();
                samples.sort_unstable_by(f64::total_cmp);
                dip(&samples) > critical(count)
            };
            let exceeding = (0..runs).filter(exceeds).count();
            assert!((runs as usize * 5 / 1000..runs as usize * 16 / 1000).contains(&exceeding), "{count}: {exceeding}");
        }
        assert!((critical(100) - 0.0590).abs() < 5e-5 && (critical(1_000_000) - 0.000_628).abs() < 1e-6);
    }

    #[test]
    fn one_mode_however_skewed() {
        for seed in 0..50 {
            for (name, samples) in [
                ("normal", drawn(1000, seed, |rng| 1e6 + 1e4 * normal(rng))),
                ("log-normal", drawn(1000, seed, |rng| 1e6 * normal(rng).exp())),
                ("exponential", drawn(1000, seed, |rng| 1e6 + 1e5 * exponential(rng))),
                ("tail", drawn(1000, seed, |rng| 1e6 + 1e4 * exponential(rng) / (1.0 - rng.f64()))),
                ("ticks of 20 ns", drawn(1000, seed, |rng| (5.0 * exponential(rng)).floor() * 20.0 + 2000.0)),
                ("uneven ticks", drawn(1000, seed, |rng| ((3.0 * normal(rng)).round() * 20.83).round() + 2000.0)),
                ("two ticks", drawn(1000, seed, |rng| if rng.bool() { 40.0 } else { 60.0 })),
                ("some outliers", drawn(1000, seed, |rng| if rng.u8(..) < 5 { 1e7 } else { 1e6 + 1e4 * normal(rng) })),
            ] {
                let found = Bimodality::of(&samples).unwrap();
                assert!(!found.is_bimodal(), "{name} {seed}: {found:?}");
            }
        }
    }

    #[test]
    fn two_modes() {
        for seed in 0..50 {
            let second = |rng: &mut fastrand::Rng, share: f64| if rng.f64() < share { 1.0 } else { 0.0 };
            for (name, samples) in [
                ("equal", drawn(200, seed, |rng| 1e6 + 5e4 * second(rng, 0.5) + 1e4 * normal(rng))),
                ("one in seven", drawn(1000, seed, |rng| 1e6 + 1e5 * second(rng, 0.15) + 1e4 * normal(rng))),
                ("skewed", drawn(1000, seed, |rng| 1e6 * (2.0 * second(rng, 0.4) + 0.2 * normal(rng)).exp())),
                (
                    "ticks of 20 ns",
                    drawn(1000, seed, |rng| (50.0 + 20.0 * second(rng, 0.3) + 3.0 * normal(rng)).round() * 20.0),
                ),
            ] {
                let found = Bimodality::of(&samples).unwrap();
                assert!(found.is_bimodal(), "{name} {seed}: {found:?}");
            }
        }
    }

    #[test]
    fn too_few_or_all_the_same() {
        assert_eq!(Bimodality::of(&[1.0, 1.0, 1.0, 9.0, 9.0, 9.0]), None);
        assert_eq!(Bimodality::of(&[f64::NAN; 20]), None);
        assert!(!Bimodality::of(&[7.0; 20]).unwrap().is_bimodal());
    }

    proptest! {
        #[test]
        fn the_dip_is_within_its_bounds_and_has_no_direction(samples in prop::collection::vec(0u16..500, 4..80)) {
            let mut there: Vec<f64> = samples.iter().map(|s| f64::from(*s)).collect();
            let mut back: Vec<f64> = there.iter().map(|s| 3.0 - 2.0 * s).collect();
            there.sort_unstable_by(f64::total_cmp);
            back.sort_unstable_by(f64::total_cmp);
            let (there, back) = (dip(&there), dip(&back));
            prop_assert!((there - back).abs() < 1e-9, "{} and {}", there, back);
            prop_assert!(there >= 0.5 / samples.len() as f64 && there <= 0.25 + 1e-12, "{}", there);
        }
    }
}
