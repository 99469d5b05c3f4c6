use super::{System, Warning};
use std::collections::BTreeMap;

/// What is set so that figures vary, or mean something else.
pub(super) fn check(system: &System) -> Vec<Warning> {
    let backtrace = ["RUST_BACKTRACE", "RUST_LIB_BACKTRACE"].map(|name| std::env::var(name).ok());
    let found =
        [debug_build(cfg!(debug_assertions)), backtraces(&backtrace), governor(system), turbo(system), battery(system)];
    found.into_iter().flatten().collect()
}

fn debug_build(debug: bool) -> Option<Warning> {
    debug.then(|| Warning::new("isobar is a debug build", "build it with cargo build --release --workspace"))
}

/// Runners in Rust drop the variables, and isobar gives none of its environment on; but what one compares by hand has them.
fn backtraces(values: &[Option<String>]) -> Option<Warning> {
    let set = values.iter().flatten().any(|value| value != "0");
    let finding = "RUST_BACKTRACE is set: runners do not get it, other programs of this shell do and are slowed down";
    set.then(|| Warning::new(finding, "unset RUST_BACKTRACE RUST_LIB_BACKTRACE"))
}

/// Frequency scaling: whoever decides must not save power.
fn governor(system: &System) -> Option<Warning> {
    let folder = "sys/devices/system/cpu";
    let mut others: BTreeMap<String, u32> = BTreeMap::new();
    let processors = system.names(folder).into_iter().filter(|name| is_processor(name));
    for governor in processors.filter_map(|name| system.read(format!("{folder}/{name}/cpufreq/scaling_governor"))) {
        if governor != "performance" {
            *others.entry(governor).or_default() += 1;
        }
    }
    let governors: Vec<String> = others.iter().map(|(name, count)| format!("{name} on {count} processors")).collect();
    let finding = || format!("the frequency governor saves power ({})", governors.join(", "));
    (!others.is_empty()).then(|| Warning::new(finding(), "sudo cpupower frequency-set --governor performance"))
}

/// `cpu0`, not `cpufreq`.
fn is_processor(name: &str) -> bool {
    name.strip_prefix("cpu").is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

/// Turbo frequencies depend on heat and on what the neighbouring cores do.
fn turbo(system: &System) -> Option<Warning> {
    let folder = "sys/devices/system/cpu";
    let is = |path: &str, value: &str| system.read(format!("{folder}/{path}")).as_deref() == Some(value);
    let finding = "turbo is on: frequencies depend on heat and on the other processors";
    if is("intel_pstate/no_turbo", "0") {
        return Some(Warning::new(finding, "echo 1 | sudo tee /sys/devices/system/cpu/intel_pstate/no_turbo"));
    }
    is("cpufreq/boost", "1").then(|| Warning::new(finding, "echo 0 | sudo tee /sys/devices/system/cpu/cpufreq/boost"))
}

fn battery(system: &System) -> Option<Warning> {
    let folder = "sys/class/power_supply";
    let discharging = system.names(folder).into_iter().any(|name| {
        let is = |file: &str, value: &str| system.read(format!("{folder}/{name}/{file}")).as_deref() == Some(value);
        // A mouse has a battery, too.
        is("type", "Battery") && is("status", "Discharging") && !is("scope", "Device")
    });
    discharging.then(|| Warning::new("the machine runs on battery", "plug it in"))
}

#[cfg(test)]
mod tests {
    use super::super::system::tree;
    use super::*;

    #[test]
    fn a_machine_without_these_files_is_not_warned_of() {
        let (_root, system) = tree(&[]);
        assert_eq!((governor(&system), turbo(&system), battery(&system)), (None, None, None));
    }

    #[test]
    fn governors_that_save_power_are_counted() {
        let cpu = |n: u32| format!("sys/devices/system/cpu/cpu{n}/cpufreq/scaling_governor");
        let files = [(cpu(0), "performance\n"), (cpu(1), "powersave\n"), (cpu(11), "powersave\n")];
        let (_root, system) = tree(&files.each_ref().map(|(path, text)| (path.as_str(), *text)));
        assert!(governor(&system).unwrap().finding.contains("powersave on 2 processors"));
        let (_root, system) = tree(&[(&cpu(0), "performance"), ("sys/devices/system/cpu/cpufreq/policy0/x", "")]);
        assert_eq!(governor(&system), None);
    }

    #[test]
    fn turbo_is_seen_in_both_places() {
        for (path, on, off) in [("intel_pstate/no_turbo", "0\n", "1\n"), ("cpufreq/boost", "1\n", "0\n")] {
            let path = format!("sys/devices/system/cpu/{path}");
            let (_root, system) = tree(&[(&path, on)]);
            assert!(turbo(&system).unwrap().remedy.contains(&path), "{path}");
            let (_root, system) = tree(&[(&path, off)]);
            assert_eq!(turbo(&system), None);
        }
    }

    #[test]
    fn only_a_machine_on_battery_is_warned_of() {
        let battery_is = |status: &str, scope: &str| {
            let supply = |file: &str| format!("sys/class/power_supply/BAT0/{file}");
            let files = [(supply("type"), "Battery\n"), (supply("status"), status), (supply("scope"), scope)];
            let (_root, system) = tree(&files.each_ref().map(|(path, text)| (path.as_str(), *text)));
            battery(&system).is_some()
        };
        assert!(battery_is("Discharging\n", "System\n"));
        assert!(!battery_is("Charging\n", "System\n") && !battery_is("Discharging\n", "Device\n"));
    }

    #[test]
    fn debug_builds_and_backtraces() {
        assert!(debug_build(true).is_some() && debug_build(false).is_none());
        let set = |value: &str| backtraces(&[None, Some(value.to_owned())]).is_some();
        assert!(set("1") && set("full") && !set("0") && backtraces(&[None, None]).is_none());
    }
}
