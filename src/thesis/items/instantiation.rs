//! 1 to 3: how long making a sandbox takes.

use super::{Section, Table, beside, beside_nothing, missing, sources, strings};
use crate::report::units;
use crate::thesis::evidence::Evidence;
use crate::thesis::number::Number;
use crate::thesis::parts::STRATEGIES;
use crate::thesis::published::Published;

/// What is instantiated: the part and the function, and its name.
pub const MODULES: [(&str, &str, &str); 3] = [
    ("1-small-memory", "wat/empty", "the module with a small memory"),
    ("2-hello", "rust/hello", "the Rust WASI hello"),
    ("3-large-data", "wat/large-data", "the module with a large data segment"),
];

/// Wasmtime's names for the strategies, in the order of [`STRATEGIES`].
pub const STRATEGY_NAMES: [&str; 2] = ["on-demand", "pooling"];

const HEADER: [&str; 7] =
    ["strategy", "background threads", "median", "95 % interval", "mean", "thesis", "here / thesis"];

pub(super) fn section(item: u8, evidence: &Evidence, published: &Published) -> Section {
    let (part, function, name) = MODULES[usize::from(item) - 1];
    let published_value = published.value(item, "instantiate", "wasmtime");
    let mut threads = evidence.threads(part, "instantiate");
    if threads.is_empty() {
        threads.push(1);
    }
    let mut table = Table { header: strings(&HEADER), rows: Vec::new() };
    for (runtime, strategy) in STRATEGIES.iter().zip(STRATEGY_NAMES) {
        for threads in &threads {
            let scenario = format!("instantiate/{threads}");
            let cell = (*runtime, function, scenario.as_str());
            let names = vec![strategy.to_owned(), (threads - 1).to_string()];
            table.rows.push(match evidence.number(part, cell) {
                Err(why) => beside_nothing(missing(names, &why, HEADER.len()), 5, published_value),
                Ok(number) => {
                    let mean = evidence.mean(part, cell).map_or_else(|| super::NONE.to_owned(), units::time);
                    let numbers = [number.time(), number.time_interval(), mean];
                    names.into_iter().chain(numbers).chain(beside(published_value, number)).collect()
                }
            });
        }
    }
    let version = evidence.version(part, STRATEGIES[0]).map_or_else(String::new, |v| format!(" {v}"));
    Section {
        item,
        title: format!("Instantiation of {name} in Wasmtime{version}"),
        words: vec![
            format!(
                "`{function}`, scenario `instantiate`: a sandbox is made and released, the module is compiled and resident, \
                 and nothing runs. One thread is timed; those in the background do the same."
            ),
            sources(published, item),
        ],
        tables: vec![table],
        drawings: crate::thesis::figures::distribution(item, evidence).into_iter().collect(),
    }
}

/// The medians without any thread in the background, by strategy and module.
pub(crate) fn sequential(evidence: &Evidence) -> Vec<(&'static str, &'static str, Number)> {
    let cells = MODULES.iter().flat_map(|module| STRATEGIES.iter().zip(STRATEGY_NAMES).map(move |s| (module, s)));
    let number =
        |((part, function, name), (runtime, strategy)): (&(&str, &str, &'static str), (&&str, &'static str))| {
            Some((*name, strategy, evidence.number(part, (runtime, function, "instantiate/1")).ok()?))
        };
    cells.filter_map(number).collect()
}
