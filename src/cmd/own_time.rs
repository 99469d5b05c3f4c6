//! What isobar itself costs while runners measure.

use rustix::time::{ClockId, clock_gettime};
use std::time::{Duration, Instant};

/// The time of the clock and of the processors since a moment, of this process and not of its runners.
pub(super) struct OwnTime {
    clock: Instant,
    processors: Duration,
}

impl OwnTime {
    pub(super) fn start() -> Self {
        OwnTime { clock: Instant::now(), processors: processors() }
    }

    /// `isobar itself: 1.24 s of processor time in 201.53 s, 0.61 % of one core`.
    pub(super) fn line(&self) -> String {
        let (own, wall) = (processors().saturating_sub(self.processors), self.clock.elapsed());
        let share = own.as_secs_f64() / wall.as_secs_f64().max(f64::MIN_POSITIVE) * 100.0;
        let (own, wall) = (own.as_secs_f64(), wall.as_secs_f64());
        format!("isobar itself: {own:.2} s of processor time in {wall:.2} s, {share:.2} % of one core")
    }
}

/// The processor time of all threads of this process.
fn processors() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap_or(0), time.tv_nsec.try_into().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_counted_and_sleep_is_not() {
        let own = OwnTime::start();
        let until = processors() + Duration::from_millis(20);
        while processors() < until {
            std::hint::black_box(0);
        }
        assert!(processors() - own.processors >= Duration::from_millis(20));
        assert!(own.line().starts_with("isobar itself: 0.") && own.line().ends_with("% of one core"));
    }
}
