use isobar_core::measure::nanoseconds;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// The clock that all times are taken with.
#[derive(Clone, Debug, PartialEq)]
pub struct Clock {
    /// What the kernel reads: `tsc`; empty if it does not tell.
    pub source: String,
    /// The smallest step that was seen, in nanoseconds.
    pub resolution_ns: u64,
    /// What one reading costs, in nanoseconds.
    pub cost_ns: f64,
}

impl Clock {
    /// This machine's clock.
    pub fn this() -> Clock {
        let source = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
        let source = std::fs::read_to_string(source).unwrap_or_default().trim().to_owned();
        const READINGS: u32 = 2000;
        let mut costs: Vec<f64> = (0..51)
            .map(|_| {
                let start = Instant::now();
                (0..READINGS).for_each(|_| _ = black_box(Instant::now()));
                start.elapsed().as_nanos() as f64 / f64::from(READINGS)
            })
            .collect();
        let steps = times(Duration::from_millis(5)).collect::<Vec<u64>>();
        let resolution_ns = steps.windows(2).map(|pair| pair[1] - pair[0]).filter(|step| *step > 0).min().unwrap_or(0);
        Clock { source, resolution_ns, cost_ns: crate::stats::median(&mut costs).unwrap_or(0.0) }
    }
}

/// The clock's readings of a loop that does nothing else, in nanoseconds since its start.
pub fn times(during: Duration) -> impl Iterator<Item = u64> {
    let start = Instant::now();
    let until = nanoseconds(during);
    std::iter::repeat_with(move || nanoseconds(start.elapsed())).take_while(move |time| *time < until)
}

/// A step between two readings that is longer than this was not spent in the loop: an interrupt, another process, the
/// hypervisor. In nanoseconds.
const GAP_NS: u64 = 1000;

/// The time that a busy loop did not get.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gaps {
    /// From the first to the last reading, in nanoseconds.
    pub elapsed_ns: u64,
    /// The time in gaps, in nanoseconds.
    pub lost_ns: u64,
    /// The longest gap, in nanoseconds.
    pub longest_ns: u64,
}

impl Gaps {
    /// Watches a busy loop for a while.
    pub fn watch(during: Duration) -> Gaps {
        Gaps::of(times(during))
    }

    /// The gaps between readings that grow.
    pub fn of(times: impl IntoIterator<Item = u64>) -> Gaps {
        let (mut gaps, mut ends) = (Gaps::default(), None);
        for time in times {
            let (first, last) = ends.unwrap_or((time, time));
            let step = time.saturating_sub(last);
            if step > GAP_NS {
                gaps.lost_ns += step;
                gaps.longest_ns = gaps.longest_ns.max(step);
            }
            gaps.elapsed_ns = time.saturating_sub(first);
            ends = Some((first, time));
        }
        gaps
    }

    /// The share of the time that was lost.
    pub fn share(&self) -> f64 {
        self.lost_ns as f64 / self.elapsed_ns.max(1) as f64
    }
}
