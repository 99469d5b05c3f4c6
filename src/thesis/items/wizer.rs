//! 9: what a snapshot of an initialised module saves, and what it costs.

use super::{NONE, Section, Table, missing, sources, strings};
use crate::report::units;
use crate::thesis::evidence::{Evidence, Missing};
use crate::thesis::figures;
use crate::thesis::number::Number;
use crate::thesis::parts::SNAPSHOTS;
use crate::thesis::published::{Published, Value};

const PART: &str = "9-wizer";
const RUNTIME: &str = "wasmtime/cranelift-aot";

/// A function and its snapshot.
pub(crate) struct Pair {
    pub(crate) function: &'static str,
    /// In `warm` and in `cold`: plain, snapshot.
    pub(crate) times: [Result<[Number; 2], Missing>; 2],
    pub(crate) bytes: Option<[u64; 2]>,
}

impl Pair {
    /// How many times faster the snapshot is, in `warm` and in `cold`.
    pub(crate) fn faster(&self) -> [Option<Number>; 2] {
        self.times.each_ref().map(|times| times.as_ref().ok().map(|[plain, snapshot]| plain.over(*snapshot)))
    }

    /// How many times larger its module is.
    pub(crate) fn growth(&self) -> Option<f64> {
        self.bytes.map(|[plain, snapshot]| snapshot as f64 / plain as f64)
    }
}

pub(crate) fn pairs(evidence: &Evidence) -> Vec<Pair> {
    let pair = |function: &&'static str| {
        let snapshot = format!("{function}+wizer");
        let times = ["warm", "cold"].map(|scenario| {
            let number = |function: &str| evidence.number(PART, (RUNTIME, function, scenario));
            Ok([number(function)?, number(&snapshot)?])
        });
        let bytes = |function: &str| evidence.module_bytes(PART, function);
        Pair { function, times, bytes: bytes(function).zip(bytes(&snapshot)).map(|(a, b)| [a, b]) }
    };
    SNAPSHOTS.iter().map(pair).collect()
}

const HEADER: [&str; 9] = [
    "function",
    "scenario",
    "plain",
    "snapshot",
    "times faster",
    "module",
    "its snapshot",
    "growth",
    "thesis: times faster, growth",
];

pub(super) fn section(evidence: &Evidence, published: &Published) -> Section {
    let value = published.value(9, "user-agent", "wizer");
    let theirs = value.and_then(|v| Some(format!("{}, {}", units::ratio(v.ratio?), units::ratio(v.growth?))));
    let theirs = theirs.unwrap_or_else(|| NONE.to_owned());
    let pairs = pairs(evidence);
    let mut table = Table { header: strings(&HEADER), rows: Vec::new() };
    for pair in &pairs {
        for (scenario, times) in ["warm", "cold"].iter().zip(&pair.times) {
            let names = strings(&[&format!("`{}`", pair.function), scenario]);
            table.rows.push(match times {
                Err(why) => {
                    let mut row = missing(names, why, HEADER.len());
                    row[8].clone_from(&theirs);
                    row
                }
                Ok([plain, snapshot]) => {
                    let sizes = pair.bytes.map(|bytes| bytes.map(units::bytes));
                    let sizes = sizes.unwrap_or_else(|| [NONE.to_owned(), NONE.to_owned()]);
                    let growth = pair.growth().map_or_else(|| NONE.to_owned(), units::ratio);
                    let numbers = [plain.time(), snapshot.time(), plain.over(*snapshot).ratio_with_interval()];
                    names.into_iter().chain(numbers).chain(sizes).chain([growth, theirs.clone()]).collect()
                }
            });
        }
    }
    let upstream = published.value(9, "upstream", "wizer").and_then(Value::range_of_ratios);
    let sizes = value.and_then(|v| Some([units::bytes(v.plain_bytes?), units::bytes(v.snapshot_bytes?)]));
    Section {
        item: 9,
        title: "Wizer: with and without a snapshot".to_owned(),
        words: vec![
            format!(
                "`{RUNTIME}`. A snapshot begins where the module's initialisation ended. What the thesis calls instantiation \
                 holds the initialisation, which a WASI command makes when it is executed: `warm` is that, with the module \
                 resident, `cold` from the stored artifact on."
            ),
            sizes.map_or_else(String::new, |[plain, snapshot]| {
                format!("The thesis' module grew from {plain} to {snapshot}.")
            }),
            upstream.map_or_else(String::new, |range| format!("Wizer's authors claim {range} as fast a start.")),
            sources(published, 9),
        ],
        tables: vec![table],
        drawings: figures::wizer(&pairs, evidence, published).into_iter().collect(),
    }
}
