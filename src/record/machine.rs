use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fs::read_to_string;

/// The machine of a run, as far as the system tells: numbers of different machines are never compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Machine {
    /// The processor's model.
    pub cpu: String,
    /// How many processors the system shows.
    pub cores: u32,
    /// The memory, in bytes.
    pub memory_bytes: u64,
    /// The kernel's release.
    pub kernel: String,
    /// The distribution.
    pub os: String,
    /// The architecture.
    pub architecture: String,
    /// The hypervisor's name where the processor says that it is virtual.
    pub virtual_machine: bool,
    /// Which start of a kernel (`boot_id`), as far as the system tells: it tells machines of one kind apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot: Option<String>,
}

impl Machine {
    /// This machine.
    pub fn this() -> Self {
        let cpuinfo = read_to_string("/proc/cpuinfo").unwrap_or_default();
        let uname = rustix::system::uname();
        Machine {
            cpu: value(&cpuinfo, "model name", ':').unwrap_or_else(|| "unknown".to_owned()),
            cores: cores(),
            memory_bytes: memory_bytes(),
            kernel: uname.release().to_string_lossy().into_owned(),
            os: value(&read_to_string("/etc/os-release").unwrap_or_default(), "PRETTY_NAME", '=')
                .unwrap_or_else(|| uname.sysname().to_string_lossy().into_owned()),
            architecture: std::env::consts::ARCH.to_owned(),
            virtual_machine: value(&cpuinfo, "flags", ':').is_some_and(|f| f.split(' ').any(|f| f == "hypervisor")),
            boot: read_to_string("/proc/sys/kernel/random/boot_id").ok().map(|id| id.trim().to_owned()),
        }
    }
}

/// How many threads the system lets this process run at once.
pub fn cores() -> u32 {
    std::thread::available_parallelism().map_or(1, |n| n.get().try_into().unwrap_or(u32::MAX))
}

fn memory_bytes() -> u64 {
    let meminfo = read_to_string("/proc/meminfo").unwrap_or_default();
    let kib = value(&meminfo, "MemTotal", ':').and_then(|v| v.strip_suffix(" kB")?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

/// The value of `key` in a file of lines like `key : value`, quotes taken off.
fn value(file: &str, key: &str, separator: char) -> Option<String> {
    let mut pairs = file.lines().filter_map(|line| line.split_once(separator));
    let (_, value) = pairs.find(|(k, _)| k.trim() == key)?;
    Some(value.trim().trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_by_their_whole_key() {
        let file = "model\t\t: 1\nmodel name\t: A CPU @ 2 GHz\n";
        assert_eq!(value(file, "model name", ':').as_deref(), Some("A CPU @ 2 GHz"));
        assert_eq!(value("PRETTY_NAME=\"Some OS\"\n", "PRETTY_NAME", '=').as_deref(), Some("Some OS"));
        assert_eq!(value(file, "flags", ':'), None);
    }

    #[test]
    fn this_machine_has_cores_and_memory() {
        let machine = Machine::this();
        assert!(machine.cores > 0 && machine.memory_bytes > 0 && !machine.kernel.is_empty());
    }
}
