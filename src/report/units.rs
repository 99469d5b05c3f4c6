//! Numbers as people read them: a unit that fits, three significant digits.

use crate::stats::Summary;
use isobar_core::measure::{ScenarioId, Unit as Measured};
use std::time::{Duration, UNIX_EPOCH};

/// What a scenario's number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// A time in nanoseconds; less is better.
    Time,
    /// Invocations per second; more is better.
    Rate,
    /// A size in bytes; less is better.
    Bytes,
    /// A number of instructions; less is better.
    Instructions,
}

/// A unit: its name, and how much of the quantity it is.
type Unit = (&'static str, f64);

const TIMES: [Unit; 4] = [("ns", 1.0), ("µs", 1e3), ("ms", 1e6), ("s", 1e9)];
const RATES: [Unit; 3] = [("/s", 1.0), ("k/s", 1e3), ("M/s", 1e6)];
const COUNTS: [Unit; 4] = [("", 1.0), ("k", 1e3), ("M", 1e6), ("G", 1e9)];
const BYTES: [Unit; 4] = [("B", 1.0), ("KiB", 1024.0), ("MiB", 1048576.0), ("GiB", 1073741824.0)];

impl Quantity {
    /// What is measured in `scenario`.
    pub fn of(id: ScenarioId) -> Self {
        match id.scenario().unit() {
            Measured::Nanoseconds => Quantity::Time,
            Measured::PerSecond => Quantity::Rate,
            Measured::Bytes => Quantity::Bytes,
            Measured::Instructions => Quantity::Instructions,
        }
    }

    /// `41.2 µs`, `12.3 k/s`.
    pub fn show(self, value: f64) -> String {
        show(self.units(), value)
    }

    /// The summary's interval in the unit and with the digits of its median: `[40.8, 41.9]`.
    pub fn show_interval(self, summary: &Summary) -> String {
        let (_, size) = fitting(self.units(), summary.median);
        let decimals = decimals(summary.median / size);
        format!("[{:.decimals$}, {:.decimals$}]", summary.low / size, summary.high / size)
    }

    /// How many times worse than `best` a `value` is: 1 for the best one.
    pub fn ratio(self, value: f64, best: f64) -> f64 {
        match self {
            _ if value == best => 1.0,
            Quantity::Time | Quantity::Bytes | Quantity::Instructions => value / best,
            Quantity::Rate => best / value,
        }
    }

    /// Which of two values is better comes first.
    pub fn better_first(self, a: f64, b: f64) -> std::cmp::Ordering {
        match self {
            Quantity::Rate => b.total_cmp(&a),
            _ => a.total_cmp(&b),
        }
    }

    /// `lower is better`.
    pub fn direction(self) -> &'static str {
        match self {
            Quantity::Rate => "higher is better",
            _ => "lower is better",
        }
    }

    /// A round number on an axis, digits that say nothing left out: `10 µs`, `2.5 ms`.
    pub fn show_tick(self, value: f64) -> String {
        let (name, size) = fitting(self.units(), value);
        // Enough digits for any tick, few enough to round away what binary fractions add.
        let number = format!("{:.3}", value / size);
        format!("{} {name}", number.trim_end_matches('0').trim_end_matches('.'))
    }

    fn units(self) -> &'static [Unit] {
        match self {
            Quantity::Time => &TIMES,
            Quantity::Rate => &RATES,
            Quantity::Bytes => &BYTES,
            Quantity::Instructions => &COUNTS,
        }
    }
}

/// A time in nanoseconds: `41.2 µs`.
pub fn time(ns: f64) -> String {
    show(&TIMES, ns)
}

/// A size: `1.20 MiB`.
pub fn bytes(bytes: u64) -> String {
    if bytes < 1024 { format!("{bytes} B") } else { show(&BYTES, bytes as f64) }
}

/// How many things of this size fit into a gibibyte: `8192`, `26.2 k`.
pub fn per_gib(bytes: f64) -> String {
    let count = 1073741824.0 / bytes;
    match count {
        _ if !(bytes > 0.0 && count.is_finite()) => "-".to_owned(),
        c if c < 9999.5 => format!("{:.0}", c.floor()),
        c => show(&COUNTS, c),
    }
}

/// How many times worse than the best: `1.00x`, `12.3x`; of small ones two digits: `0.0042x`.
pub fn ratio(ratio: f64) -> String {
    match ratio {
        _ if !ratio.is_finite() => "-".to_owned(),
        r if r > 0.0 && r < 0.0995 => format!("{r:.*}x", (1.0 - r.log10().floor()).min(12.0) as usize),
        r => format!("{r:.*}x", decimals(r)),
    }
}

/// A share as a percentage, two significant digits at least: `2 %`, `0.35 %`.
pub fn percent(share: f64) -> String {
    let percent = share * 100.0;
    let digits = match percent {
        p if !p.is_finite() => return "?".to_owned(),
        p if p >= 9.95 => 0,
        p if p >= 0.995 => 1,
        _ => 2,
    };
    let text = format!("{percent:.digits$}");
    let short = if digits > 0 { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{short} %")
}

/// `1 thread`, `2 threads`, `3 processes`.
pub fn count(n: usize, one: &str) -> String {
    let ending = match one {
        _ if n == 1 => "",
        one if one.ends_with('s') => "es",
        _ => "s",
    };
    format!("{n} {one}{ending}")
}

/// A time since the Unix epoch in seconds: `2026-11-20 17:46 UTC`.
pub fn date(epoch_s: u64) -> String {
    // Records may hold anything; beyond the year 9999 there is no such text.
    const LAST: u64 = 253_402_300_799;
    let time = UNIX_EPOCH + Duration::from_secs(epoch_s.min(LAST));
    let text = humantime::format_rfc3339_seconds(time).to_string();
    format!("{} UTC", text[..16].replace('T', " "))
}

fn show(units: &[Unit], value: f64) -> String {
    let (name, size) = fitting(units, value);
    format!("{:.*} {name}", decimals(value / size), value / size)
}

/// The largest unit in which `value` is at least 1, three digits of it being shown.
fn fitting(units: &[Unit], value: f64) -> Unit {
    let fits = |(_, size): &&Unit| value.abs() >= size * 0.9995;
    *units.iter().rev().find(fits).unwrap_or(&units[0])
}

/// Decimals that make three significant digits.
fn decimals(value: f64) -> usize {
    match value.abs() {
        v if v >= 99.95 => 0,
        v if v >= 9.995 => 1,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_three_digits_and_a_unit_that_fits() {
        for (ns, text) in [
            (0.0, "0.00 ns"),
            (7.0, "7.00 ns"),
            (999.4, "999 ns"),
            (999.6, "1.00 µs"),
            (41_234.0, "41.2 µs"),
            (9_996.0, "10.0 µs"),
            (99_960.0, "100 µs"),
            (999_499.0, "999 µs"),
            (999_600.0, "1.00 ms"),
            (6.1e9, "6.10 s"),
            (3.6e12, "3600 s"),
        ] {
            assert_eq!(time(ns), text);
        }
    }

    #[test]
    fn other_numbers() {
        assert_eq!(Quantity::Rate.show(12_345.6), "12.3 k/s");
        assert_eq!(Quantity::Rate.show(0.5), "0.50 /s");
        assert_eq!(
            (bytes(0), bytes(999), bytes(1023), bytes(1_258_291)),
            ("0 B".into(), "999 B".into(), "1023 B".into(), "1.20 MiB".into())
        );
        let small = [0.1, 0.0994, 0.04, 0.0042, 0.0, -0.01].map(ratio);
        assert_eq!(small, ["0.10x", "0.099x", "0.040x", "0.0042x", "0.00x", "-0.01x"]);
        assert_eq!((ratio(1.0), ratio(12.345), ratio(1234.0)), ("1.00x".into(), "12.3x".into(), "1234x".into()));
        assert_eq!(ratio(f64::NAN), "-");
        let shares = [0.02, 0.0, 0.125, 0.0312, 0.0035, 1.0, f64::INFINITY].map(percent);
        assert_eq!(shares, ["2 %", "0 %", "12 %", "3.1 %", "0.35 %", "100 %", "?"]);
        let sizes = [0.0, -4096.0, 131_072.0, 40_960.0, 3e9].map(per_gib);
        assert_eq!(sizes, ["-", "-", "8192", "26.2 k", "0"]);
        assert_eq!((count(1, "thread"), count(2, "thread")), ("1 thread".into(), "2 threads".into()));
    }

    #[test]
    fn intervals_are_in_the_unit_of_the_median() {
        let summary =
            Summary { median: 998_000.0, low: 40_000.0, high: 1_204_400.0, processes: 1, samples: 3, mad: 1.0 };
        assert_eq!(Quantity::Time.show_interval(&summary), "[40, 1204]");
        let summary = Summary { median: 41_234.0, low: 40_812.0, high: 41_949.0, processes: 1, samples: 3, mad: 1.0 };
        assert_eq!(Quantity::Time.show_interval(&summary), "[40.8, 41.9]");
    }

    #[test]
    fn ticks_are_short() {
        let ticks = [(1e4, "10 µs"), (2.5e6, "2.5 ms"), (600_000.000_001, "600 µs"), (0.0, "0 ns")];
        assert!(ticks.iter().all(|(ns, text)| Quantity::Time.show_tick(*ns) == *text));
        assert_eq!(Quantity::Rate.show_tick(2e5), "200 k/s");
    }

    #[test]
    fn dates() {
        assert_eq!(date(0), "1970-01-01 00:00 UTC");
        assert_eq!(date(u64::MAX), "9999-12-31 23:59 UTC");
        assert_eq!(date(951_782_399), "2000-02-28 23:59 UTC");
        assert_eq!(date(951_782_400), "2000-02-29 00:00 UTC");
        assert_eq!(date(1_795_196_789), "2026-11-20 17:46 UTC");
    }
}
