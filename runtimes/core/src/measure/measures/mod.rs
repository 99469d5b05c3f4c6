//! The measures beside the samples: what the system counted while the samples were taken. Each mechanism is one file with
//! one [`Measure`]; naming it in the list below is all that isobar needs to take, store and explain its readings.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Declares the mechanisms in the order in which they are started, and read in reverse: what costs the most to read comes
/// first, so that the others do not count it.
macro_rules! measures {
    ($($file:ident :: $name:ident),* $(,)?) => {
        $(mod $file;)*
        static MEASURES: &[&dyn Measure] = &[$(&$file::$name),*];
    };
}

measures![memory::Memory, usage::Usage, counters::Counters];

/// What was read, by name; names end in their unit. What is counted, is counted over all `invocations` together.
pub type Readings = BTreeMap<String, u64>;

/// A way to ask the system what a measurement took.
trait Measure: Sync {
    /// Begins to count.
    fn start(&self, whose: Whose) -> Box<dyn Counting>;
}

/// A mechanism that counts.
trait Counting {
    /// Ends counting: what there is to read. To be called while what was measured is still in memory.
    fn finish(self: Box<Self>) -> Vec<Reading>;
}

/// A number that the system gives, or does not.
struct Reading {
    name: &'static str,
    value: Result<u64, String>,
    /// What is left out of the number, where the system gives only a part.
    lacks: Option<String>,
}

impl Reading {
    fn of(name: &'static str, value: Result<u64, String>) -> Self {
        Reading { name, value, lacks: None }
    }
}

/// Whose doings are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// This process', all of its threads together.
    Own,
    /// Those of the processes that this one starts, and that have ended by the time of reading.
    Children,
}

/// Whether this system, as it is set and for this user, gives a number beside the samples.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Available {
    /// The reading's name.
    pub name: String,
    /// Whether it is there.
    pub available: bool,
    /// Why not, and what helps; or what the number leaves out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Which of the measures beside the samples this system gives.
pub fn available() -> Vec<Available> {
    let readings = MEASURES.iter().flat_map(|measure| measure.start(Whose::Own).finish());
    let available = |reading: Reading| Available {
        name: reading.name.to_owned(),
        available: reading.value.is_ok(),
        reason: reading.value.err().or(reading.lacks),
    };
    readings.map(available).collect()
}

/// Counters that run.
pub(super) struct Running(Vec<Box<dyn Counting>>);

impl Running {
    pub(super) fn start(whose: Whose) -> Self {
        Running(MEASURES.iter().map(|measure| measure.start(whose)).collect())
    }

    /// What was counted over so many invocations. To be called while what was measured is still in memory.
    pub(super) fn finish(self, invocations: u64) -> Readings {
        let read = self.0.into_iter().rev().flat_map(Counting::finish);
        let present = read.filter_map(|reading| Some((reading.name.to_owned(), reading.value.ok()?)));
        present.chain([("invocations".to_owned(), invocations)]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_and_memory_are_counted() {
        let _alone = crate::process::tests::memory_is_mine();
        let counting = Running::start(Whose::Own);
        let touched = std::hint::black_box(vec![1_u8; 64 << 20]);
        std::thread::sleep(std::time::Duration::from_millis(1));
        let worked: u64 = (0..30_000_000_u64).map(|n| std::hint::black_box(n) ^ n >> 3).sum();
        let readings = counting.finish(7);
        assert_eq!(readings["invocations"], 7);
        assert!(readings["user_ns"] > 0 && worked > 0, "{readings:?}");
        // Pages may be huge, or several of them come with one fault: at least one per 2 MiB.
        assert!(readings["minor_faults"] >= 32, "{readings:?}");
        assert!(readings["voluntary_context_switches"] >= 1, "{readings:?}");
        assert!(readings["uss_bytes"] > 60 << 20 && readings["peak_rss_bytes"] > 60 << 20, "{}", touched.len());
        assert!(readings.get("instructions").is_none_or(|count| *count > 30_000_000), "{readings:?}");
    }

    #[test]
    fn what_children_do_is_counted_once_they_ended() {
        let counting = Running::start(Whose::Children);
        let work = "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done";
        assert!(std::process::Command::new("sh").args(["-c", work]).status().unwrap().success());
        let readings = counting.finish(1);
        assert!(readings["user_ns"] + readings["system_ns"] > 0 && readings["minor_faults"] > 0, "{readings:?}");
        assert!(!readings.contains_key("pss_bytes"), "that would be this process': {readings:?}");
    }

    #[test]
    fn every_measure_says_whether_it_is_there_or_why_not() {
        let all = available();
        let names: std::collections::BTreeSet<&str> = all.iter().map(|measure| measure.name.as_str()).collect();
        assert_eq!(names.len(), all.len(), "no name twice: {all:?}");
        for name in ["user_ns", "major_faults", "instructions", "cycles", "peak_rss_bytes", "pss_bytes", "uss_bytes"] {
            assert!(names.contains(name), "{name} is not among {names:?}");
        }
        for measure in all {
            assert!(measure.available || measure.reason.is_some_and(|reason| !reason.contains('\n')));
        }
    }
}
