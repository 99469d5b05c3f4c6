//! 4 and 5: from a file that was compiled ahead of time to a sandbox.

use super::instantiation::STRATEGY_NAMES;
use super::{NONE, Section, Table, beside, beside_nothing, missing, sources, strings};
use crate::chart::regression::rising;
use crate::report::units;
use crate::stats::Slope;
use crate::thesis::evidence::Evidence;
use crate::thesis::figures;
use crate::thesis::parts::STRATEGIES_AOT;
use crate::thesis::published::Published;

pub(crate) const PART: &str = "4-from-file";

/// The functions, with their names.
pub(crate) const MODULES: [(&str, &str); 2] = [("wat/empty", "empty"), ("rust/hello", "WASI")];

/// How many groups of samples a regression has per process.
pub(crate) const GROUPS: usize = 20;

const HEADER: [&str; 8] =
    ["module", "strategy", "median", "95 % interval", "load", "instantiate", "thesis", "here / thesis"];

pub(super) fn from_file(evidence: &Evidence, published: &Published) -> Section {
    let mut table = Table { header: strings(&HEADER), rows: Vec::new() };
    for (function, module) in MODULES {
        for (runtime, strategy) in STRATEGIES_AOT.iter().zip(STRATEGY_NAMES) {
            let names = strings(&[module, strategy]);
            table.rows.push(match evidence.row(PART, (runtime, function, "load-instantiate")) {
                Err(why) => {
                    let published = published.value(4, function, "wasmtime");
                    beside_nothing(missing(names, &why, HEADER.len()), 6, published)
                }
                Ok((_, measured)) => {
                    let number = crate::thesis::number::Number::of(&measured.summary);
                    let parts = ["load_ns", "instantiate_ns"].map(|column| {
                        let part = measured.parts.iter().find(|part| part.column == column);
                        part.map_or_else(|| NONE.to_owned(), |part| units::time(part.median))
                    });
                    let numbers = [number.time(), number.time_interval()].into_iter().chain(parts);
                    let beside = beside(published.value(4, function, "wasmtime"), number);
                    names.into_iter().chain(numbers).chain(beside).collect()
                }
            });
        }
    }
    let worst = published.value(4, "worst", "wasmtime").and_then(|value| value.show_time());
    Section {
        item: 4,
        title: "From an AOT file: deserialising and instantiating in Wasmtime".to_owned(),
        words: vec![
            "Scenario `load-instantiate`: the file that was compiled before is mapped and a sandbox made, in an engine that is \
             there; nothing runs, and releasing is not counted."
                .to_owned(),
            worst.map_or_else(String::new, |worst| format!("For the worst of its modules the thesis has {worst}.")),
            sources(published, 4),
        ],
        tables: vec![table],
        drawings: figures::from_file(evidence).into_iter().collect(),
    }
}

pub(super) fn regression(evidence: &Evidence) -> Section {
    const HEADER: [&str; 5] = ["module", "one iteration (slope)", "95 % interval", "points", "thesis"];
    let mut table = Table { header: strings(&HEADER), rows: Vec::new() };
    for (function, module) in MODULES {
        let names = strings(&[module]);
        let cell = (STRATEGIES_AOT[0], function, "load-instantiate");
        let slope = evidence.row(PART, cell).and_then(|_| {
            let points = points(evidence, function);
            let count = points.iter().map(Vec::len).sum::<usize>();
            Slope::of(&points).map(|slope| (slope, count)).ok_or_else(|| "too few samples for a slope".to_owned())
        });
        table.rows.push(match slope {
            Err(why) => missing(names, &why, HEADER.len()),
            Ok((Slope { slope, low, high, .. }, count)) => {
                let number = crate::thesis::number::Number { value: slope, low, high };
                let numbers = [number.time(), number.time_interval(), count.to_string(), NONE.to_owned()];
                names.into_iter().chain(numbers).collect()
            }
        });
    }
    Section {
        item: 5,
        title: "Regression of the default engine: iterations against total time".to_owned(),
        words: vec![
            format!(
                "The samples of item 4, on-demand, in the order in which they were taken, in {GROUPS} groups of d, 2d, 3d, ... \
                 per process, as Criterion takes them: a straight line says that an iteration costs the same however many there \
                 are."
            ),
            "The thesis shows the plots; it gives no slopes.".to_owned(),
        ],
        tables: vec![table],
        drawings: figures::regression(evidence).into_iter().collect(),
    }
}

/// Iterations and total times of each process.
pub(crate) fn points(evidence: &Evidence, function: &str) -> Vec<Vec<(f64, f64)>> {
    let processes = evidence.processes(PART, (STRATEGIES_AOT[0], function, "load-instantiate"));
    processes.iter().map(|samples| rising(samples, GROUPS)).collect()
}
