use crate::record::Noise;
use std::path::Path;
use std::time::Instant;

/// The counters of what else goes on, read at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    at: Instant,
    /// Time in which some task waited for a processor, in microseconds.
    pressure_us: Option<u64>,
    /// Time that the hypervisor gave to others, and all time, both in ticks over all processors.
    steal: Option<(u64, u64)>,
}

impl Moment {
    /// Now.
    pub fn now() -> Moment {
        Moment::read(Path::new("/proc"))
    }

    fn read(proc: &Path) -> Moment {
        let read = |name: &str| std::fs::read_to_string(proc.join(name)).unwrap_or_default();
        Moment { at: Instant::now(), pressure_us: pressure_us(&read("pressure/cpu")), steal: steal(&read("stat")) }
    }

    /// What went on until `later`.
    pub fn until(&self, later: &Moment) -> Noise {
        let elapsed_us = later.at.saturating_duration_since(self.at).as_micros().max(1) as f64;
        let grown = |before: Option<u64>, after: Option<u64>| Some(after?.saturating_sub(before?) as f64);
        let stolen = |(before, of): (u64, u64), (after, of_all): (u64, u64)| {
            after.saturating_sub(before) as f64 / of_all.saturating_sub(of).max(1) as f64
        };
        Noise {
            cpu_pressure: grown(self.pressure_us, later.pressure_us).map(|waited_us| (waited_us / elapsed_us).min(1.0)),
            steal: self.steal.zip(later.steal).map(|(before, after)| stolen(before, after)),
        }
    }
}

/// The total of `some` in PSI's file: `some avg10=0.00 avg60=0.00 avg300=0.00 total=0`.
fn pressure_us(text: &str) -> Option<u64> {
    text.lines().find(|line| line.starts_with("some "))?.split_once("total=")?.1.trim().parse().ok()
}

/// The eighth number of `cpu` in `/proc/stat`, and the sum of the first eight: what guests use is in `user` already.
fn steal(text: &str) -> Option<(u64, u64)> {
    let line = text.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let ticks: Vec<u64> = line.split_whitespace().take(8).map(|n| n.parse().ok()).collect::<Option<_>>()?;
    Some((*ticks.get(7)?, ticks.iter().sum()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn counters_are_read_as_the_kernel_writes_them() {
        let psi =
            "some avg10=12.55 avg60=7.10 avg300=2.40 total=190210\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=7\n";
        assert_eq!(pressure_us(psi), Some(190_210));
        assert_eq!(pressure_us(""), None);
        let stat = "cpu  100 2 30 800 5 0 3 60 9 9\ncpu0 1 1 1 1 1 1 1 1 1 1\n";
        assert_eq!(steal(stat), Some((60, 1000)));
        assert_eq!(steal("cpu  1 2 3\n"), None);
    }

    #[test]
    fn what_the_system_does_not_tell_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let nothing = Moment::read(folder.path());
        assert_eq!(nothing.until(&nothing), Noise { cpu_pressure: None, steal: None });
    }

    #[test]
    fn shares_are_of_the_time_between() {
        let before = Moment { at: Instant::now(), pressure_us: Some(1000), steal: Some((10, 1000)) };
        let later =
            Moment { at: before.at + Duration::from_millis(1), pressure_us: Some(1250), steal: Some((20, 1200)) };
        assert_eq!(before.until(&later), Noise { cpu_pressure: Some(0.25), steal: Some(0.05) });
    }
}
