use super::{Counting, Measure, Reading, Whose};
use crate::process;

/// The memory of the process at the end, and its peak since the process was started.
pub(super) struct Memory;

impl Measure for Memory {
    fn start(&self, whose: Whose) -> Box<dyn Counting> {
        Box::new(Started(whose))
    }
}

struct Started(Whose);

impl Counting for Started {
    fn finish(self: Box<Self>) -> Vec<Reading> {
        let lacking = |file: &str| match self.0 {
            Whose::Own => format!("the kernel does not offer {file}"),
            Whose::Children => "not known of processes that have ended".to_owned(),
        };
        let own = |value: Option<u64>| value.filter(|_| self.0 == Whose::Own);
        let memory = process::memory();
        let rollup = "/proc/self/smaps_rollup";
        vec![
            Reading::of("peak_rss_bytes", own(process::peak_rss_bytes()).ok_or_else(|| lacking("/proc/self/status"))),
            Reading::of("pss_bytes", own(memory.pss_bytes).ok_or_else(|| lacking(rollup))),
            Reading::of("uss_bytes", own(memory.uss_bytes).ok_or_else(|| lacking(rollup))),
        ]
    }
}
