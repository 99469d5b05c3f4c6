//! The measures beside the samples: what the system counted while the samples were taken.

use std::collections::BTreeMap;

/// What was read, by name; names end in their unit.
pub type Readings = BTreeMap<String, u64>;

/// Counters that run.
pub(super) struct Running {}

impl Running {
    pub(super) fn start() -> Self {
        Running {}
    }

    pub(super) fn finish(self, invocations: u64) -> Readings {
        let mut readings = Readings::new();
        readings.insert("invocations".to_owned(), invocations);
        if let Some(bytes) = crate::process::peak_rss_bytes() {
            readings.insert("peak_rss_bytes".to_owned(), bytes);
        }
        readings
    }
}
