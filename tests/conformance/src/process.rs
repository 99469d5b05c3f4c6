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
    /// The process with this number.
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
