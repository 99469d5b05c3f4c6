//! What a runner does to, and knows of, its own process.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What a runner may allocate beside the functions' memory before its limit is reached, in bytes.
const SLACK_BYTES: u64 = 64 << 20;

/// The largest resident size of this process so far, in bytes, where the system tells.
pub fn peak_rss_bytes() -> Option<u64> {
    peak_rss_bytes_of(std::process::id())
}

/// The largest resident size of a process so far, in bytes, where the system tells.
pub fn peak_rss_bytes_of(process_id: u32) -> Option<u64> {
    status_bytes(process_id, "VmHWM:")
}

/// The resident size of a process, in bytes, where the system tells.
pub fn resident_bytes(process_id: u32) -> Option<u64> {
    status_bytes(process_id, "VmRSS:")
}

/// The memory that this machine could give without swapping, in bytes, where the system tells.
pub fn available_bytes() -> Option<u64> {
    kib(&std::fs::read_to_string("/proc/meminfo").ok()?, "MemAvailable:")
}

/// The memory of a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Proportional set size: pages shared with other processes count in parts.
    pub pss_bytes: Option<u64>,
    /// Unique set size: the pages that this process alone has.
    pub uss_bytes: Option<u64>,
}

/// The memory of this process, by `/proc/self/smaps_rollup`, where the system tells.
pub fn memory() -> Memory {
    memory_of(std::process::id())
}

/// The memory of a process, by its number, where the system tells.
pub fn memory_of(process_id: u32) -> Memory {
    let rollup = std::fs::read_to_string(format!("/proc/{process_id}/smaps_rollup"));
    let Ok(rollup) = rollup else { return Memory::default() };
    let uss_bytes = kib(&rollup, "Private_Clean:").zip(kib(&rollup, "Private_Dirty:"));
    Memory { pss_bytes: kib(&rollup, "Pss:"), uss_bytes: uss_bytes.map(|(clean, dirty)| clean + dirty) }
}

fn status_bytes(process_id: u32, key: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process_id}/status")).ok()?;
    kib(&status, key)
}

/// The bytes of a line such as `VmHWM:  1234 kB`.
fn kib(file: &str, key: &str) -> Option<u64> {
    let line = file.lines().find_map(|line| line.strip_prefix(key))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// Limits what this process may allocate from now on to about `more_bytes`, by RLIMIT_DATA: the limit of last resort
/// for runtimes that have none of their own. (RLIMIT_AS would break engines that reserve address space.) Dropping the
/// guard takes the limit back.
pub fn limit_allocation(more_bytes: u64) -> AllocationLimit {
    let before = getrlimit(Resource::Data);
    if let Some(data) = status_bytes(std::process::id(), "VmData:") {
        let wanted = data.saturating_add(more_bytes).saturating_add(SLACK_BYTES);
        let current = before.maximum.map_or(wanted, |maximum| wanted.min(maximum));
        // A limit that cannot be set leaves the parent's: no reason to end here.
        let _ = setrlimit(Resource::Data, Rlimit { current: Some(current), maximum: before.maximum });
    }
    AllocationLimit { before }
}

/// Takes the limit of [`limit_allocation`] back when dropped.
#[derive(Debug)]
pub struct AllocationLimit {
    before: Rlimit,
}

impl Drop for AllocationLimit {
    fn drop(&mut self) {
        let _ = setrlimit(Resource::Data, self.before);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::{Mutex, MutexGuard, PoisonError};

    /// Tests that look at the memory of this process take turns.
    pub(crate) fn memory_is_mine() -> MutexGuard<'static, ()> {
        static TURN: Mutex<()> = Mutex::new(());
        TURN.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[test]
    fn the_peak_is_known_and_plausible() {
        let peak = super::peak_rss_bytes().unwrap();
        assert!((100_000..1 << 36).contains(&peak), "{peak}");
    }

    #[test]
    fn touched_memory_is_seen() {
        let _alone = memory_is_mine();
        let before = super::memory();
        let touched = std::hint::black_box(vec![1_u8; 64 << 20]);
        let after = super::memory();
        let grown = after.uss_bytes.unwrap() - before.uss_bytes.unwrap();
        assert!(grown > 60 << 20 && after.pss_bytes >= after.uss_bytes, "{grown} for {}", touched.len());
    }
}
