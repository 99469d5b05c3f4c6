//! Comparing: runtimes with each other inside a run, over all functions, and the same cells of two runs.
//!
//! Every ratio has one sense: how many times **worse** than what it is compared with. 2 is twice the time, twice the bytes
//! or half the throughput; below 1 is better. A difference is named only where the ratio's 95 % interval excludes 1.

mod cells;
mod cmp;
mod diff;
mod rank;
pub mod selftest;
mod settings;
mod table;
mod trade;
mod variants;

pub use cells::{CompareError, Source, keep, sources};
pub use cmp::{Comparison, cmp};
pub use diff::{Difference, Outcome, diff};
pub use rank::{Ranked, rank, rank_scenario};
pub use table::{Answer, Entry, Format, Grid, Tone};
pub use trade::{Mode, Step, Trades, has_trades, interval, invocations, trades};
pub use variants::{Varied, variants};

use crate::report::units::{self, Quantity};
use crate::stats::{Ratio, Verdict};
use isobar_core::measure::ScenarioId;

/// What is said where the interval of a ratio holds 1.
pub const NO_DIFFERENCE: &str = "no significant difference";

/// How many times worse `new` is than `base`, both the samples of their processes. `None` where there is no ratio: a
/// side has no samples, or its median is 0.
///
/// A number of instructions that is the same in every sample is exact: its ratio has an interval of no width, even from
/// one sample.
pub fn worse(scenario: ScenarioId, new: &[Vec<f64>], base: &[Vec<f64>], seed: u64) -> Option<Ratio> {
    let quantity = Quantity::of(scenario);
    let (above, below) = if quantity == Quantity::Rate { (base, new) } else { (new, base) };
    if quantity == Quantity::Instructions
        && let (Some(above), Some(below)) = (only_value(above), only_value(below))
    {
        return exact(above / below);
    }
    Ratio::of(above, below, seed)
}

fn exact(ratio: f64) -> Option<Ratio> {
    let known = Ratio { ratio, low: ratio, high: ratio, degrees_of_freedom: f64::INFINITY };
    (ratio.is_finite() && ratio > 0.0).then_some(known)
}

/// The value of all samples, if they have one.
fn only_value(processes: &[Vec<f64>]) -> Option<f64> {
    let mut samples = processes.iter().flatten();
    let first = *samples.next()?;
    samples.all(|sample| *sample == first).then_some(first)
}

/// `slower`, `smaller`, ..., or that there is no significant difference. `ratio` is one of [`worse`].
pub fn word(quantity: Quantity, ratio: &Ratio) -> &'static str {
    let (better, worse) = match quantity {
        Quantity::Time | Quantity::Rate => ("faster", "slower"),
        Quantity::Bytes => ("smaller", "larger"),
        Quantity::Instructions => ("fewer", "more"),
    };
    match ratio.verdict() {
        Verdict::Lower => better,
        Verdict::Higher => worse,
        Verdict::NoDifference => NO_DIFFERENCE,
    }
}

/// `1.32x [1.28, 1.37]`, with enough digits to tell it from 1.
pub(crate) fn show(ratio: &Ratio) -> String {
    let ends = |value: f64| if value.is_finite() { digits(value) } else { "∞".to_owned() };
    format!("{}x [{}, {}]", digits(ratio.ratio), ends(ratio.low), ends(ratio.high))
}

/// Three significant digits; near 1 one more, as there small differences count.
fn digits(value: f64) -> String {
    match value {
        v if v.is_finite() && (0.9..1.1).contains(&v) => format!("{v:.3}"),
        v if v.is_finite() && v >= 0.01 || v == 0.0 => units::ratio(v).trim_end_matches('x').to_owned(),
        v => format!("{v:.2e}"),
    }
}

fn tone(ratio: &Ratio) -> Tone {
    match ratio.verdict() {
        Verdict::Lower => Tone::Good,
        Verdict::Higher => Tone::Bad,
        Verdict::NoDifference => Tone::Plain,
    }
}

/// A number as JSON and CSV hold it: an end of an interval without bounds is left out.
fn finite(value: f64) -> Option<f64> {
    Some(value).filter(|value| value.is_finite())
}

/// The unit of a scenario's number, for machines.
fn unit(scenario: ScenarioId) -> &'static str {
    match Quantity::of(scenario) {
        Quantity::Time => "ns",
        Quantity::Rate => "per_second",
        Quantity::Bytes => "bytes",
        Quantity::Instructions => "instructions",
    }
}

#[cfg(test)]
mod tests;
