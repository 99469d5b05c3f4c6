//! What all charts share: colours, sizes, axes.

use super::font;
use crate::report::units::Quantity;

/// A colour: red, green, blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour(pub u8, pub u8, pub u8);

impl Colour {
    /// What becomes of it on a dark page.
    pub fn on_dark(self) -> Self {
        DARK.iter().find(|(light, _)| *light == self).map_or(self, |(_, dark)| *dark)
    }
}

/// The background.
pub const PAPER: Colour = Colour(255, 255, 255);
/// Text.
pub const INK: Colour = Colour(26, 28, 31);
/// Text that explains.
pub const SOFT: Colour = Colour(91, 98, 112);
/// Grid lines.
pub const RULE: Colour = Colour(223, 227, 232);
/// Lines that are there for comparison.
pub const FAINT: Colour = Colour(202, 207, 214);
/// Every second row.
pub const STRIPE: Colour = Colour(246, 247, 249);
/// What went wrong.
pub const FAILED: Colour = Colour(178, 59, 6);

/// What becomes of the colours above on a dark page. The palette is readable on both.
pub const DARK: [(Colour, Colour); 7] = [
    (PAPER, Colour(21, 24, 28)),
    (INK, Colour(232, 234, 237)),
    (SOFT, Colour(160, 168, 180)),
    (RULE, Colour(48, 54, 61)),
    (FAINT, Colour(74, 82, 92)),
    (STRIPE, Colour(28, 32, 38)),
    (FAILED, Colour(255, 157, 107)),
];

/// Colours that people with any colour vision tell apart, by Okabe and Ito (2008), without yellow and black, which are
/// hard to see on one of the two papers.
pub const PALETTE: [Colour; 6] = [
    Colour(0, 114, 178),
    Colour(230, 159, 0),
    Colour(0, 158, 115),
    Colour(204, 121, 167),
    Colour(86, 180, 233),
    Colour(213, 94, 0),
];

/// The colour of the `i`th thing.
pub fn colour(i: usize) -> Colour {
    PALETTE[i % PALETTE.len()]
}

/// The width of a chart.
pub const WIDTH: f64 = 1280.0;
/// The margin around a chart.
pub const MARGIN: f64 = 28.0;
/// The size of names and numbers.
pub const SMALL: f64 = 11.5;
/// The size of what stands at axes.
pub const TINY: f64 = 10.5;
/// The height of a row.
pub const ROW: f64 = 18.0;
/// Room beside a text for fonts that are wider than ours.
pub const SLACK: f64 = 1.08;

/// The least that a logarithmic axis shows, as a share of the most.
const SPAN: f64 = 1e-18;

/// No value is shown beyond this.
const MOST: f64 = 1e200;

/// From numbers to places.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Axis {
    from: f64,
    to: f64,
    start: f64,
    end: f64,
    log: bool,
}

impl Axis {
    /// From 0 at `start` to `to` at `end`.
    pub fn linear(to: f64, start: f64, end: f64) -> Self {
        Axis { from: 0.0, to, start, end, log: false }
    }

    /// From `from` at `start` to `to` at `end`.
    pub fn between(from: f64, to: f64, start: f64, end: f64) -> Self {
        Axis { from, to, start, end, log: false }
    }

    /// A logarithmic axis that holds all `values` with some room at both ends; they must be positive.
    pub fn log(values: impl Iterator<Item = f64>, start: f64, end: f64) -> Self {
        let (low, high) = values
            .filter(|v| *v > 0.0 && v.is_finite())
            .fold((f64::INFINITY, 0.0_f64), |(low, high), v| (low.min(v), high.max(v)));
        let (low, high) = if low <= high { (low, high) } else { (1.0, 10.0) };
        // The ends of an interval of which nothing is known can be anything: ticks to all powers up to there are no help.
        let high = high.min(MOST);
        let low = low.max(high * SPAN).min(high);
        // At least a factor of two, so that noise does not look like a difference.
        let room = (high / low).powf(0.04).max(1.08 * (2.0 * low / high).max(1.0).sqrt());
        Axis { from: low / room, to: high * room, start, end, log: true }
    }

    /// The same axis between two other places.
    pub fn from_to(self, start: f64, end: f64) -> Self {
        Axis { start, end, ..self }
    }

    /// Whether `value` is on the axis.
    pub fn holds(&self, value: f64) -> bool {
        (self.from..=self.to).contains(&value)
    }

    /// Where `value` is; values beyond the axis are at its end.
    pub fn at(&self, value: f64) -> f64 {
        let share = if self.log {
            (value.max(self.from) / self.from).ln() / (self.to / self.from).ln()
        } else {
            (value - self.from) / (self.to - self.from)
        };
        self.start + (self.end - self.start) * share.clamp(0.0, 1.0)
    }

    /// The values to be marked, in `quantity`'s round numbers.
    pub fn ticks(&self) -> Vec<f64> {
        if !self.log && self.from == 0.0 {
            return (0..=5).map(|i| self.to * f64::from(i) / 5.0).collect();
        }
        if !self.log {
            return self.round_ticks();
        }
        let decades = (self.to / self.from).log10();
        let every = if decades > 5.0 { 2 } else { 1 };
        let powers = (self.from.log10().floor() as i32..=self.to.log10().ceil() as i32).filter(|p| p % every == 0);
        let of = |steps: &'static [f64]| -> Vec<f64> {
            let ticks = powers.clone().flat_map(|power| steps.iter().map(move |step| step * 10_f64.powi(power)));
            ticks.filter(|tick| (self.from..=self.to).contains(tick)).collect()
        };
        let steps: [&'static [f64]; 3] = [&[1.0], &[1.0, 2.0, 5.0], &[1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0]];
        let first = if decades < 0.7 { 2 } else { usize::from(decades < 1.8) };
        // One tick alone is no scale: two powers of ten may be just beyond the ends.
        steps[first..].iter().map(|steps| of(steps)).find(|ticks| ticks.len() > 1).unwrap_or_else(|| of(steps[2]))
    }

    /// About six multiples of 1, 2 or 5 times a power of ten.
    fn round_ticks(&self) -> Vec<f64> {
        let wanted = (self.to - self.from) / 6.0;
        let power = 10_f64.powi(wanted.log10().floor() as i32);
        let step =
            [1.0, 2.0, 5.0, 10.0].into_iter().map(|step| step * power).find(|step| *step >= wanted * (1.0 - 1e-9));
        let step = step.unwrap_or(wanted);
        let (first, last) = ((self.from / step).ceil() as i64, (self.to / step).floor() as i64);
        (first..=last).map(|i| i as f64 * step).collect()
    }

    /// The ticks with their labels, on a level logarithmic axis as many as have room; sizes in powers of two.
    pub fn labels(&self, quantity: Quantity) -> Vec<(f64, String)> {
        let ticks = if self.log && quantity == Quantity::Bytes { self.binary_ticks() } else { self.ticks() };
        self.thinned(ticks, |tick| quantity.show_tick(tick))
    }

    /// [`Axis::labels`] of what is no quantity.
    pub fn labels_by(&self, show: impl Fn(f64) -> String) -> Vec<(f64, String)> {
        self.thinned(self.ticks(), show)
    }

    fn thinned(&self, ticks: Vec<f64>, show: impl Fn(f64) -> String) -> Vec<(f64, String)> {
        let label = |tick: f64| if tick == 0.0 { "0".to_owned() } else { show(tick) };
        let labels: Vec<(f64, String)> = ticks.into_iter().map(|tick| (tick, label(tick))).collect();
        let half = |text: &str| font::width(text, TINY, false) * SLACK / 2.0;
        let apart = |a: &(f64, String), b: &(f64, String)| {
            (!self.log && self.from == 0.0)
                || self.end < self.start
                || self.at(b.0) - self.at(a.0) >= half(&a.1) + half(&b.1) + 5.0
        };
        let thinned = |every: usize| labels.iter().step_by(every).cloned().collect::<Vec<_>>();
        let fits = |labels: &Vec<(f64, String)>| labels.windows(2).all(|pair| apart(&pair[0], &pair[1]));
        (1..labels.len().max(2)).map(thinned).find(fits).unwrap_or_else(|| thinned(labels.len()))
    }

    /// Powers of two, at most six; where there are only few, what is half as much again, too.
    fn binary_ticks(&self) -> Vec<f64> {
        let (from, to) = (self.from.log2().floor() as i32, self.to.log2().ceil() as i32);
        let every = [1, 2, 4, 5].into_iter().find(|every| (to - from) / every <= 6).unwrap_or(10);
        let steps: &[f64] = if to - from <= 3 { &[1.0, 1.5] } else { &[1.0] };
        let powers = (from..=to).filter(|power| power % every == 0);
        let ticks = powers.flat_map(|power| steps.iter().map(move |step| step * 2_f64.powi(power)));
        ticks.filter(|tick| (self.from..=self.to).contains(tick)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_axis_holds_its_values_and_has_ticks() {
        for values in [vec![5e3, 6e9], vec![41e3, 42e3], vec![7.0], vec![], vec![0.0, f64::NAN], vec![1e-3, 1e12]] {
            let axis = Axis::log(values.iter().copied(), 100.0, 400.0);
            let ticks = axis.ticks();
            assert!((2..=12).contains(&ticks.len()), "{values:?}: {ticks:?}");
            for value in values.into_iter().filter(|v| *v > 0.0) {
                assert!((100.0..400.0).contains(&axis.at(value)) && axis.at(value) > 100.0, "{value}");
            }
        }
    }

    #[test]
    fn no_axis_has_one_tick_only() {
        // Nearly two powers of ten around a third.
        assert_eq!(Axis::log([0.13, 6.5].into_iter(), 0.0, 100.0).ticks(), [0.2, 0.5, 1.0, 2.0, 5.0]);
        assert!(Axis::log([0.11, 9.0].into_iter(), 0.0, 100.0).ticks().len() > 1);
    }

    #[test]
    fn ticks_between_two_numbers_are_round() {
        assert_eq!(Axis::between(31.0, 58.0, 0.0, 1.0).ticks(), [35.0, 40.0, 45.0, 50.0, 55.0]);
        assert_eq!(Axis::between(1.0, 1.03, 0.0, 1.0).ticks().len(), 7);
    }

    #[test]
    fn values_without_bounds_have_few_ticks_too() {
        for values in [[1e-320, 1e9], [1e-320, 1e300], [1.0, f64::MAX], [f64::MIN_POSITIVE, f64::MAX]] {
            let axis = Axis::log(values.into_iter(), 100.0, 400.0);
            assert!((2..=12).contains(&axis.ticks().len()), "{values:?}: {:?}", axis.ticks());
            assert!(values.iter().all(|value| (100.0..=400.0).contains(&axis.at(*value))));
        }
    }

    #[test]
    fn equal_factors_are_equal_distances() {
        let axis = Axis::log([1.0, 1e6].into_iter(), 0.0, 100.0);
        let steps = [axis.at(100.0) - axis.at(10.0), axis.at(1e5) - axis.at(1e4)];
        assert!((steps[0] - steps[1]).abs() < 1e-9);
    }

    #[test]
    fn sizes_are_marked_in_powers_of_two_where_there_is_room() {
        let labels = |values: [f64; 2], width: f64| -> Vec<String> {
            let axis = Axis::log(values.into_iter(), 0.0, width);
            axis.labels(Quantity::Bytes).into_iter().map(|(_, label)| label).collect()
        };
        assert_eq!(labels([3e3, 4e6], 400.0), ["4 KiB", "16 KiB", "64 KiB", "256 KiB", "1 MiB", "4 MiB"]);
        assert_eq!(labels([3e3, 4e6], 120.0), ["4 KiB", "64 KiB", "1 MiB"]);
        assert_eq!(labels([50e3, 60e3], 400.0), ["48 KiB", "64 KiB"]);
    }

    #[test]
    fn a_linear_axis_starts_at_nothing() {
        let axis = Axis::linear(1e7, 10.0, 110.0);
        assert_eq!((axis.at(0.0), axis.at(5e6), axis.at(1e7), axis.at(2e7)), (10.0, 60.0, 110.0, 110.0));
        let labels = axis.labels(Quantity::Time).into_iter().map(|(_, l)| l).collect::<Vec<_>>();
        assert_eq!(labels, ["0", "2 ms", "4 ms", "6 ms", "8 ms", "10 ms"]);
    }
}
