//! What a process holds, as the system sees it.

use std::path::{Path, PathBuf};

/// A process whose holdings are looked at.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    folder: PathBuf,
}

/// What a process holds at a moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Holdings {
    pub(crate) descriptors: usize,
    pub(crate) mappings: usize,
    pub(crate) resident_bytes: u64,
}

impl Process {
    /// This process.
    pub(crate) fn this() -> Self {
        Process { folder: PathBuf::from("/proc/self") }
    }

    /// Its child processes.
    pub(crate) fn children() -> std::io::Result<Vec<u32>> {
        let parent = std::process::id();
        let pids = std::fs::read_dir("/proc")?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        Ok(pids.filter(|pid| parent_of(*pid) == Some(parent)).collect())
    }

    pub(crate) fn with_id(pid: u32) -> Self {
        Process { folder: Path::new("/proc").join(pid.to_string()) }
    }

    pub(crate) fn holdings(&self) -> std::io::Result<Holdings> {
        let descriptors = std::fs::read_dir(self.folder.join("fd"))?.count();
        let mappings = std::fs::read_to_string(self.folder.join("maps"))?.lines().count();
        let status = std::fs::read_to_string(self.folder.join("status"))?;
        let resident =
            status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse().ok());
        let kib: u64 = resident.ok_or_else(|| std::io::Error::other("the process ended"))?;
        Ok(Holdings { descriptors, mappings, resident_bytes: kib << 10 })
    }
}

fn parent_of(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold anything.
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}
