//! What costs less over many invocations: much once and little each time, or the other way round.

use super::bootstrap::Estimate;
use super::t;

/// A cost in nanoseconds, with how well it is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Amount {
    /// The median; of several amounts that add up, the sum of theirs.
    pub ns: f64,
    /// Its variance; infinite where there was one sample only.
    variance: f64,
    degrees_of_freedom: f64,
}

/// What a mode costs: the total of n invocations is `once` + n `each`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// Before the first invocation.
    pub once: Amount,
    /// With every invocation.
    pub each: Amount,
}

/// How two costs compare.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Trade {
    /// One costs less from the first invocation on, whatever their number.
    Always {
        /// Whether it is the first of the two.
        first: bool,
        /// Whether one of the two differences is beyond doubt: its 95 % interval excludes 0. The other one is of the
        /// same sense, or 0.
        significant: bool,
    },
    /// The one that costs less once costs more over many invocations.
    From(BreakEven),
}

/// The number of invocations from which the mode that costs more once costs less in all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BreakEven {
    /// Whether it is the first of the two that costs less for more invocations than this.
    pub first: bool,
    /// The number, which need not be whole.
    pub invocations: f64,
    /// The lower end of its 95 % interval, at least 0.
    pub low: f64,
    /// The upper end: infinite where it is not sure that the two differ by invocation at all.
    pub high: f64,
}

impl Amount {
    /// Nothing, for sure.
    pub const NONE: Amount = Amount { ns: 0.0, variance: 0.0, degrees_of_freedom: f64::INFINITY };

    /// The median of the samples of `processes`, with the standard error that [`Summary::of`](super::Summary::of)
    /// describes. `None` without samples.
    pub fn of(processes: &[Vec<f64>], seed: u64) -> Option<Amount> {
        let Estimate { median, standard_error, degrees_of_freedom, .. } = Estimate::of(processes, seed)?;
        // Only a median of 0 has no error that is a share of it.
        let deviation = if median == 0.0 { 0.0 } else { standard_error * median.abs() };
        Some(Amount { ns: median, variance: deviation.powi(2), degrees_of_freedom })
    }

    /// The sum of two that were measured apart: their variances add up.
    pub fn plus(self, other: Amount) -> Amount {
        self.combined(other, self.ns + other.ns)
    }

    fn minus(self, other: Amount) -> Amount {
        self.combined(other, self.ns - other.ns)
    }

    fn combined(self, other: Amount, ns: f64) -> Amount {
        let parts = [(self.variance, self.degrees_of_freedom), (other.variance, other.degrees_of_freedom)];
        Amount { ns, variance: self.variance + other.variance, degrees_of_freedom: t::welch(parts) }
    }

    /// Whether the 95 % interval excludes 0.
    fn is_significant(&self) -> bool {
        self.ns.abs() > t::quantile(self.degrees_of_freedom) * self.variance.sqrt()
    }
}

impl Cost {
    /// The total of so many invocations, in nanoseconds.
    pub fn total_ns(&self, invocations: f64) -> f64 {
        self.once.ns + invocations * self.each.ns
    }
}

/// Compares two costs. The interval of a break-even is Fieller's ("Some problems in interval estimation", 1954): those
/// numbers of invocations for which the two totals cannot be told apart. It is the exact one of a ratio of two differences
/// whose errors are normal, and is without an upper end where the lower difference might be 0.
pub fn trade(a: &Cost, b: &Cost) -> Trade {
    // What the second costs more once, and less each time.
    let (more, less) = (b.once.minus(a.once), a.each.minus(b.each));
    if more.ns <= 0.0 && less.ns >= 0.0 || more.ns >= 0.0 && less.ns <= 0.0 {
        let first = more.ns > 0.0 || less.ns < 0.0;
        return Trade::Always { first, significant: more.is_significant() || less.is_significant() };
    }
    let invocations = more.ns / less.ns;
    let (low, high) = fieller(more, less);
    Trade::From(BreakEven { first: more.ns < 0.0, invocations, low: low.min(invocations), high: high.max(invocations) })
}

/// The 95 % interval of `above` / `below`, as far as it is positive.
fn fieller(above: Amount, below: Amount) -> (f64, f64) {
    if !(above.variance + below.variance).is_finite() {
        return (0.0, f64::INFINITY);
    }
    let ratio = above.ns / below.ns;
    let parts =
        [(above.variance, above.degrees_of_freedom), (below.variance * ratio * ratio, below.degrees_of_freedom)];
    if parts[0].0 + parts[1].0 == 0.0 {
        return (ratio, ratio);
    }
    let t2 = t::quantile(t::welch(parts)).powi(2);
    // a x^2 - 2 b x + c <= 0
    let a = below.ns.powi(2) - t2 * below.variance;
    let b = above.ns * below.ns;
    let c = above.ns.powi(2) - t2 * above.variance;
    let root = (b * b - a * c).max(0.0).sqrt();
    match (a > 0.0, c > 0.0) {
        (true, _) => (((b - root) / a).max(0.0), (b + root) / a),
        // The totals are surely apart before the only positive root.
        (false, true) => ((c / (b + root)).max(0.0), f64::INFINITY),
        (false, false) => (0.0, f64::INFINITY),
    }
}

/// Which of `costs` is the lowest, from one invocation on: its position, and the number of invocations from which it is;
/// of several that are equal the first.
pub fn cheapest(costs: &[Cost]) -> Vec<(usize, f64)> {
    let by_total = |n: f64| {
        move |(_, a): &(usize, &Cost), (_, b): &(usize, &Cost)| {
            a.total_ns(n).total_cmp(&b.total_ns(n)).then(a.each.ns.total_cmp(&b.each.ns))
        }
    };
    let Some((first, _)) = costs.iter().enumerate().min_by(by_total(1.0)) else { return Vec::new() };
    let mut steps = vec![(first, 1.0)];
    while let Some((now, from)) = steps.last().copied() {
        let crossing = |(at, cost): (usize, &Cost)| {
            let (more, less) = (cost.once.ns - costs[now].once.ns, costs[now].each.ns - cost.each.ns);
            (less > 0.0).then_some((at, (more / less).max(from)))
        };
        let crossings = costs.iter().enumerate().filter_map(crossing);
        // Where several cross at once, the one that is lower behind.
        let next =
            crossings.min_by(|(i, m), (j, n)| m.total_cmp(n).then(costs[*i].each.ns.total_cmp(&costs[*j].each.ns)));
        match next {
            Some(step) => steps.push(step),
            None => break,
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::super::tests::normal;
    use super::*;
    use proptest::prelude::*;

    fn exactly(ns: f64) -> Amount {
        Amount { ns, ..Amount::NONE }
    }

    fn about(ns: f64, deviation: f64) -> Amount {
        Amount { ns, variance: deviation * deviation, degrees_of_freedom: 1e6 }
    }

    fn cost(once: f64, each: f64) -> Cost {
        Cost { once: exactly(once), each: exactly(each) }
    }

    #[test]
    fn a_compiler_pays_after_some_invocations() {
        let (interpreter, compiler) = (cost(1000.0, 500.0), cost(101_000.0, 100.0));
        let expected = BreakEven { first: false, invocations: 250.0, low: 250.0, high: 250.0 };
        assert_eq!(trade(&interpreter, &compiler), Trade::From(expected));
        assert_eq!(trade(&compiler, &interpreter), Trade::From(BreakEven { first: true, ..expected }));
        assert_eq!(interpreter.total_ns(250.0), compiler.total_ns(250.0));
    }

    #[test]
    fn what_costs_less_in_both_ways_always_does() {
        for (a, b, first, significant) in [
            (cost(1.0, 1.0), cost(2.0, 2.0), true, true),
            (cost(2.0, 2.0), cost(1.0, 2.0), false, true),
            (cost(1.0, 1.0), cost(1.0, 2.0), true, true),
            (cost(1.0, 1.0), cost(1.0, 1.0), false, false),
            (Cost { once: about(10.0, 5.0), each: about(10.0, 5.0) }, cost(11.0, 11.0), true, false),
        ] {
            assert_eq!(trade(&a, &b), Trade::Always { first, significant }, "{a:?} {b:?}");
        }
    }

    /// The ends of Fieller's interval are where the difference of the totals is just significant.
    #[test]
    fn the_interval_ends_where_the_totals_can_be_told_apart() {
        let (a, b) = (
            Cost { once: about(1e6, 2e4), each: about(900.0, 9.0) },
            Cost { once: about(9e6, 8e4), each: about(400.0, 4.0) },
        );
        let Trade::From(found) = trade(&a, &b) else { panic!() };
        assert_eq!(found.invocations, 16_000.0);
        for end in [found.low, found.high] {
            let apart = (a.total_ns(end) - b.total_ns(end)).abs();
            let error = (2e4_f64.powi(2) + 8e4_f64.powi(2) + end * end * (81.0 + 16.0)).sqrt();
            assert!((apart / error - t::NORMAL).abs() < 1e-4, "{end}: {}", apart / error);
        }
        assert!(found.low < 16_000.0 && found.high > 16_000.0);
    }

    #[test]
    fn what_might_not_differ_has_no_upper_end() {
        let a = Cost { once: exactly(1e6), each: about(500.0, 50.0) };
        let b = Cost { once: about(9e6, 1e5), each: about(450.0, 50.0) };
        let Trade::From(found) = trade(&a, &b) else { panic!() };
        assert_eq!((found.invocations, found.high), (160_000.0, f64::INFINITY));
        // The most that the second can be faster by, at the 95 % level.
        assert!((30_000.0..60_000.0).contains(&found.low), "{found:?}");
        let unknown = Cost { once: Amount::of(&[vec![9e6]], 1).unwrap(), ..b };
        let Trade::From(found) = trade(&a, &unknown) else { panic!() };
        assert_eq!((found.low, found.high), (0.0, f64::INFINITY));
    }

    #[test]
    fn intervals_cover_the_truth() {
        let mut rng = fastrand::Rng::with_seed(11);
        let mut processes = |ns: f64| -> Vec<Vec<f64>> {
            let process = |rng: &mut fastrand::Rng| {
                let pace = ns * (1.0 + 0.03 * normal(rng));
                (0..20).map(|_| pace * (1.0 + 0.05 * normal(rng))).collect()
            };
            (0..6).map(|_| process(&mut rng)).collect()
        };
        let mut amount = |ns: f64, seed: u64| Amount::of(&processes(ns), seed).unwrap();
        let covered = (0..300).filter(|seed| {
            let a = Cost { once: amount(1e6, *seed), each: amount(900.0, *seed) };
            let b = Cost { once: amount(9e6, *seed), each: amount(400.0, *seed) };
            matches!(trade(&a, &b), Trade::From(found) if found.low <= 16_000.0 && 16_000.0 <= found.high)
        });
        let covered = covered.count();
        assert!((270..=300).contains(&covered), "{covered} of 300");
    }

    #[test]
    fn the_cheapest_changes_with_the_number() {
        let costs = [cost(1000.0, 500.0), cost(5000.0, 300.0), cost(101_000.0, 100.0), cost(200_000.0, 100.0)];
        assert_eq!(cheapest(&costs), [(0, 1.0), (1, 20.0), (2, 480.0)]);
        assert_eq!(cheapest(&costs[1..2]), [(0, 1.0)]);
        assert_eq!(cheapest(&[]), []);
        // Already cheaper for one invocation.
        assert_eq!(cheapest(&[cost(1000.0, 500.0), cost(900.0, 100.0)]), [(1, 1.0)]);
    }

    proptest! {
        #[test]
        fn nothing_is_cheaper_than_the_cheapest(
            costs in prop::collection::vec((0.0f64..1e9, 1.0f64..1e9), 1..30),
            n in 1.0f64..1e7,
        ) {
            let costs: Vec<Cost> = costs.into_iter().map(|(once, each)| cost(once, each)).collect();
            let steps = cheapest(&costs);
            prop_assert!(steps.windows(2).all(|pair| pair[0].1 <= pair[1].1 && costs[pair[0].0].each.ns > costs[pair[1].0].each.ns));
            let (best, _) = steps.iter().rev().find(|(_, from)| *from <= n).unwrap();
            let lowest = costs.iter().map(|cost| cost.total_ns(n)).fold(f64::INFINITY, f64::min);
            prop_assert!(costs[*best].total_ns(n) <= lowest * (1.0 + 1e-9));
        }

        #[test]
        fn the_interval_holds_the_number(
            once in (1.0f64..1e9, 1.0f64..1e9), each in (1.0f64..1e9, 1.0f64..1e9), share in 0.0f64..0.5,
        ) {
            let of = |once: f64, each: f64| Cost { once: about(once, share * once), each: about(each, share * each) };
            if let Trade::From(found) = trade(&of(once.0, each.0), &of(once.1, each.1)) {
                prop_assert!(0.0 <= found.low && found.low <= found.invocations && found.invocations <= found.high);
            }
        }
    }
}
