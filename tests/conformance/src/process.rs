//! What a process holds, as the system sees it.

use isobar_core::process::resident_bytes;
use std::path::Path;

/// A process whose holdings are looked at, by its number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Process(pub(crate) u32);

/// What a process holds at a moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Holdings {
    pub(crate) descriptors: usize,
    pub(crate) mappings: usize,
    pub(crate) resident_bytes: u64,
}

impl Process {
    pub(crate) fn holdings(self) -> std::io::Result<Holdings> {
        let folder = Path::new("/proc").join(self.0.to_string());
        let descriptors = std::fs::read_dir(folder.join("fd"))?.count();
        let mappings = std::fs::read_to_string(folder.join("maps"))?.lines().count();
        let resident_bytes = resident_bytes(self.0).ok_or_else(|| std::io::Error::other("the process ended"))?;
        Ok(Holdings { descriptors, mappings, resident_bytes })
    }
}
