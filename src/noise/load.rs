use super::{System, Warning, percent};
use crate::record::Noise;
use std::time::Instant;

/// Where processors were waited for in more than this share of the time, measurements were disturbed.
pub(super) const HIGH_PRESSURE: f64 = 0.10;

/// Where the hypervisor took more than this share of the processors' time, measurements were disturbed.
pub(super) const HIGH_STEAL: f64 = 0.02;

/// What the system has counted up to a moment.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    at: Instant,
    /// Microseconds in which some task waited for a processor.
    waited_us: Option<u64>,
    /// Of all processors' time, in ticks: what the hypervisor gave to others, and all of it.
    stolen: Option<(u64, u64)>,
}

impl Load {
    /// Up to now.
    pub fn now(system: &System) -> Self {
        let waited_us = system.read("proc/pressure/cpu").and_then(|text| pressure_value(&text, "total="));
        let stolen = system.read("proc/stat").and_then(|text| stolen(&text));
        Load { at: Instant::now(), waited_us: waited_us.map(|us| us as u64), stolen }
    }

    /// How busy the machine was between an earlier moment and this one; `None` where the system does not tell.
    pub fn noise_since(&self, earlier: &Load) -> Option<Noise> {
        let elapsed_us = self.at.saturating_duration_since(earlier.at).as_secs_f64() * 1e6;
        noise(earlier, self, elapsed_us)
    }
}

fn noise(before: &Load, after: &Load, elapsed_us: f64) -> Option<Noise> {
    let share = |part: f64, whole: f64| (whole > 0.0).then(|| (part / whole).clamp(0.0, 1.0));
    let waited = before.waited_us.zip(after.waited_us).map(|(before, after)| after.saturating_sub(before) as f64);
    let stolen = before.stolen.zip(after.stolen);
    let noise = Noise {
        cpu_pressure: waited.and_then(|waited| share(waited, elapsed_us)),
        steal: stolen.and_then(|((stolen_before, all_before), (stolen, all))| {
            share(stolen.saturating_sub(stolen_before) as f64, all.saturating_sub(all_before) as f64)
        }),
    };
    (noise.cpu_pressure.is_some() || noise.steal.is_some()).then_some(noise)
}

/// A number of the line `some avg10=0.00 avg60=0.00 avg300=0.00 total=0` (kernel documentation, "PSI").
fn pressure_value(text: &str, key: &str) -> Option<f64> {
    let some = text.lines().find(|line| line.starts_with("some "))?;
    some.split(' ').find_map(|word| word.strip_prefix(key))?.parse().ok()
}

/// Of the line `cpu user nice system idle iowait irq softirq steal ...` (`man proc_stat`).
fn stolen(text: &str) -> Option<(u64, u64)> {
    let line = text.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let ticks: Vec<u64> = line.split_whitespace().take(8).map(|word| word.parse().unwrap_or(0)).collect();
    // Guests' time is part of user's: not counted twice.
    Some((*ticks.get(7)?, ticks.iter().sum()))
}

/// Whether others wait for processors now: over the last ten seconds.
pub(super) fn pressure(system: &System) -> Option<Warning> {
    let share = pressure_value(&system.read("proc/pressure/cpu")?, "avg10=")? / 100.0;
    let finding =
        || format!("the machine is busy: in {} of the last 10 s a task waited for a processor", percent(share));
    (share > HIGH_PRESSURE).then(|| Warning::new(finding(), "end what else runs, or wait for it"))
}

/// Whether the hypervisor takes processors away now.
pub(super) fn steal(noise: &Noise) -> Option<Warning> {
    let share = noise.steal.filter(|share| *share > HIGH_STEAL)?;
    let finding = format!("the hypervisor takes {} of the processors' time for others (steal)", percent(share));
    Some(Warning::new(finding, "use a dedicated machine, or measure when its neighbours rest"))
}

#[cfg(test)]
mod tests {
    use super::super::system::tree;
    use super::*;
    use proptest::prelude::*;

    const PSI: &str = "some avg10=12.50 avg60=13.89 avg300=16.68 total=286262794\n\
                       full avg10=99.00 avg60=0.00 avg300=0.00 total=7\n";

    fn load(waited_us: u64, stolen: (u64, u64)) -> Load {
        Load { at: Instant::now(), waited_us: Some(waited_us), stolen: Some(stolen) }
    }

    #[test]
    fn what_the_kernel_writes_is_read() {
        assert_eq!(pressure_value(PSI, "total="), Some(286262794.0));
        assert_eq!(pressure_value(PSI, "avg10="), Some(12.5));
        let stat = "cpu  270185 0 27903 75117 1196 0 317 722 9 9\ncpu0 135250 0 1 1 1 1 1 1 0 0\n";
        assert_eq!(stolen(stat), Some((722, 375440)));
    }

    #[test]
    fn shares_are_of_the_time_between() {
        let noise = noise(&load(1000, (10, 1000)), &load(251_000, (15, 1100)), 1e6).unwrap();
        assert_eq!(noise, Noise { cpu_pressure: Some(0.25), steal: Some(0.05) });
    }

    #[test]
    fn a_system_that_tells_nothing_has_no_noise_and_no_warning() {
        let (_root, system) = tree(&[]);
        let before = Load::now(&system);
        assert_eq!(Load::now(&system).noise_since(&before), None);
        assert_eq!(pressure(&system), None);
    }

    #[test]
    fn pressure_and_steal_are_warned_of_above_their_bounds() {
        let (_root, system) = tree(&[("proc/pressure/cpu", PSI)]);
        assert!(pressure(&system).unwrap().to_string().contains("in 12 % of the last 10 s"));
        let (_root, calm) = tree(&[("proc/pressure/cpu", "some avg10=1.00 avg60=50.00 avg300=50.00 total=1")]);
        assert_eq!(pressure(&calm), None);
        assert!(steal(&Noise { cpu_pressure: None, steal: Some(0.031) }).unwrap().finding.contains("3.1 %"));
        assert_eq!(steal(&Noise { cpu_pressure: Some(1.0), steal: Some(0.01) }), None);
    }

    proptest! {
        #[test]
        fn shares_are_shares(a in any::<u64>(), b in any::<u64>(), s in any::<(u64, u64)>(), t in any::<(u64, u64)>(), us in 0.0..1e9) {
            let shares = noise(&load(a, s), &load(b, t), us).map(|noise| [noise.cpu_pressure, noise.steal]);
            for share in shares.into_iter().flatten().flatten() {
                prop_assert!((0.0..=1.0).contains(&share));
            }
        }

        #[test]
        fn no_text_is_too_strange(text in ".*") {
            let (_root, system) = tree(&[("proc/pressure/cpu", &text), ("proc/stat", &format!("cpu {text}"))]);
            let _ = (Load::now(&system), pressure(&system));
        }
    }
}
