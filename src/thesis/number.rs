//! Numbers with intervals, and what can be made of them.

use super::published::Value;
use crate::report::units::{self, Quantity};
use crate::stats::Summary;

/// A number with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Number {
    /// The number.
    pub value: f64,
    /// The lower end of the interval.
    pub low: f64,
    /// The upper end of the interval.
    pub high: f64,
}

impl Number {
    /// A cell's.
    pub fn of(summary: &Summary) -> Number {
        Number { value: summary.median, low: summary.low, high: summary.high }
    }

    /// One that is known exactly.
    pub fn exact(value: f64) -> Number {
        Number { value, low: value, high: value }
    }

    /// This less another one. They were measured apart, so that the widths of their intervals add as the sides of a right
    /// triangle. `None` if nothing is left.
    pub fn less(self, other: Number) -> Option<Number> {
        let value = self.value - other.value;
        let low = (self.value - self.low).hypot(other.high - other.value);
        let high = (self.high - self.value).hypot(other.value - other.low);
        (value > 0.0).then(|| Number { value, low: (value - low).max(0.0), high: value + high })
    }

    /// A part of it.
    pub fn divided_by(self, parts: f64) -> Number {
        Number { value: self.value / parts, low: self.low / parts, high: self.high / parts }
    }

    /// How many times as much as `base` it is. As [`Number::less`] on the logarithmic scale.
    pub fn over(self, base: Number) -> Number {
        let log = |a: f64, b: f64| if a > 0.0 && b > 0.0 { (a / b).ln().abs() } else { f64::INFINITY };
        let value = self.value / base.value;
        let low = log(self.value, self.low).hypot(log(base.high, base.value));
        let high = log(self.high, self.value).hypot(log(base.value, base.low));
        Number { value, low: value * (-low).exp(), high: value * high.exp() }
    }

    /// Whether it is below another one, by more than both intervals say that they may be off.
    pub fn is_below(self, other: Number) -> bool {
        self.high < other.low
    }

    /// `41.2 µs`.
    pub fn time(self) -> String {
        units::time(self.value)
    }

    /// `[40.8, 41.9]`, in the unit of the time.
    pub fn time_interval(self) -> String {
        let Number { value, low, high } = self;
        Quantity::Time.show_interval(&Summary { median: value, low, high, mad: 0.0, processes: 1, samples: 2 })
    }

    /// `1.35x`.
    pub fn ratio(self) -> String {
        units::ratio(self.value)
    }

    /// `1.35x [1.31, 1.38]`.
    pub fn ratio_with_interval(self) -> String {
        let end = |end: f64| if end.is_finite() { units::ratio(end) } else { "∞".to_owned() };
        format!("{} [{}, {}]", self.ratio(), end(self.low).trim_end_matches('x'), end(self.high).trim_end_matches('x'))
    }
}

impl Value {
    /// `535 ms ± 2.24 ms`, `5.00 µs to 40.0 µs`; nothing where no time was published.
    pub fn show_time(&self) -> Option<String> {
        let plus_minus = self.plus_minus_ns.map_or_else(String::new, |ns| format!(" ± {}", units::time(ns)));
        match (self.ns, self.low_ns.zip(self.high_ns)) {
            (Some(ns), _) => Some(format!("{}{plus_minus}", units::time(ns))),
            (None, Some((low, high))) => Some(format!("{} to {}", units::time(low), units::time(high))),
            (None, None) => None,
        }
    }

    /// `1.35x to 6.00x`; nothing where no such range was published.
    pub fn range_of_ratios(&self) -> Option<String> {
        Some(format!("{} to {}", units::ratio(self.low_ratio?), units::ratio(self.high_ratio?)))
    }

    /// How many times as much as was published: `0.42x`; of a range where in it: `within`, `0.42x of its lower end`.
    pub fn compared(&self, ours_ns: f64) -> Option<String> {
        if let Some(ns) = self.ns {
            return Some(units::ratio(ours_ns / ns));
        }
        let (low, high) = self.low_ns.zip(self.high_ns)?;
        Some(match ours_ns {
            ours if ours < low => format!("{} of its lower end", units::ratio(ours / low)),
            ours if ours > high => format!("{} of its upper end", units::ratio(ours / high)),
            _ => "within".to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn number(value: f64, half: f64) -> Number {
        Number { value, low: value - half, high: value + half }
    }

    #[test]
    fn what_was_measured_apart_adds_like_the_sides_of_a_triangle() {
        assert_eq!(number(10.0, 3.0).less(number(4.0, 4.0)), Some(Number { value: 6.0, low: 1.0, high: 11.0 }));
        assert_eq!(number(4.0, 1.0).less(number(4.0, 1.0)), None);
        assert_eq!(number(4.0, 2.0).divided_by(2.0), number(2.0, 1.0));
        let ratio = number(20.0, 0.0).over(number(10.0, 0.0));
        assert_eq!(ratio, Number::exact(2.0));
        let unknown = Number { low: 0.0, ..number(20.0, 1.0) }.over(number(10.0, 0.0));
        assert!(unknown.low == 0.0 && unknown.high.is_finite(), "{unknown:?}");
        assert!(number(1.0, 0.1).is_below(number(2.0, 0.1)) && !number(1.0, 0.6).is_below(number(2.0, 0.6)));
        assert_eq!(number(1.35, 0.04).ratio_with_interval(), "1.35x [1.31, 1.39]");
    }

    #[test]
    fn published_numbers_are_shown_as_they_are() {
        let value = Value { ns: Some(534_740_000.0), plus_minus_ns: Some(2_240_000.0), ..Value::default() };
        assert_eq!(value.show_time().unwrap(), "535 ms ± 2.24 ms");
        assert_eq!(value.compared(1_069_480_000.0).unwrap(), "2.00x");
        let range = Value { low_ns: Some(5e3), high_ns: Some(4e4), ..Value::default() };
        assert_eq!(range.show_time().unwrap(), "5.00 µs to 40.0 µs");
        let compared = [2_500.0, 5_000.0, 40_000.0, 80_000.0].map(|ns| range.compared(ns).unwrap());
        assert_eq!(compared, ["0.50x of its lower end", "within", "within", "2.00x of its upper end"]);
        assert_eq!((Value::default().show_time(), Value::default().compared(1.0)), (None, None));
    }

    proptest! {
        #[test]
        fn a_number_lies_in_its_interval(a in 1.0..1e9, x in 0.0..1.0, b in 1.0..1e9, y in 0.0..1.0) {
            let (a, b) = (number(a, a * x), number(b, b * y));
            for made in [Some(a.over(b)), a.less(b), Some(a.divided_by(3.0))].into_iter().flatten() {
                prop_assert!(made.low <= made.value && made.value <= made.high, "{made:?}");
            }
            // What is wider makes wider.
            prop_assert!(a.over(b).high >= a.over(Number::exact(b.value)).high);
        }
    }
}
