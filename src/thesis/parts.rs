//! What has to be measured for which figure: parts, each a run with a folder of its own.

use super::servers::Served;
use crate::experiment::{FunctionSet, Plan, PlanError};
use crate::record::{Absent, Unbuilt};
use crate::registry::Registry;
use crate::workload::{Catalogue, Workload};
use isobar_core::Runtime;
use isobar_core::measure::ScenarioId;

/// One run.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// The name of its folder.
    pub name: &'static str,
    /// The figures and tables that are made of it.
    pub items: &'static [u8],
    /// What it measures.
    pub measures: Measures,
}

/// What a part measures.
#[derive(Clone, Copy, Debug)]
pub enum Measures {
    /// Cells, as `isobar run` does.
    Cells(&'static [Block]),
    /// Servers, as `isobar load` does.
    Servers(&'static [Served]),
}

/// Every runtime with every function in every scenario; a function may have the name of a size behind a colon.
#[derive(Clone, Copy, Debug)]
pub struct Block {
    /// The runtimes' names.
    pub runtimes: &'static [&'static str],
    /// The functions' names.
    pub functions: &'static [&'static str],
    /// The scenarios' names, without a number of threads.
    pub scenarios: &'static [&'static str],
}

/// Wasmtime's strategies.
pub const STRATEGIES: [&str; 2] = ["wasmtime/cranelift", "wasmtime/cranelift+pooling"];

/// The same from an artifact.
pub const STRATEGIES_AOT: [&str; 2] = ["wasmtime/cranelift-aot", "wasmtime/cranelift-aot+pooling"];

/// The runtimes of the thesis' tables, by the names that `published.toml` has for them; the first one that is measured stands
/// for all of its line.
pub const RUNTIMES: [(&str, &str, &[&str]); 6] = [
    ("native", "native code", &["native/in-process", "native/process"]),
    ("wasmtime", "Wasmtime (JIT)", &["wasmtime/cranelift"]),
    ("wasmer", "Wasmer (JIT)", &["wasmer/cranelift"]),
    ("node", "Node.js (V8)", &["node/wasi"]),
    ("wasmedge", "WasmEdge (AOT)", &["wasmedge/aot"]),
    ("wasm3", "Wasm3 (interpreter)", &["wasm3/lazy"]),
];

const TABLES: [&str; 7] = [
    "native/in-process",
    "native/process",
    "wasmtime/cranelift",
    "wasmer/cranelift",
    "node/wasi",
    "wasmedge/aot",
    "wasm3/lazy",
];

/// What is started instead of being asked over HTTP.
#[derive(Clone, Copy, Debug)]
pub struct Invoked {
    /// The runtime.
    pub name: &'static str,
    /// What stands between functions, by the word of `published.toml` where it has one.
    pub wall: &'static str,
    /// The scenario of the first invocation.
    pub first: &'static str,
    /// The runtime of further invocations, whose scenario is `warm`.
    pub warm: &'static str,
}

const fn container(name: &'static str, warm: &'static str) -> Invoked {
    Invoked { name, wall: "container", first: "process-cold", warm }
}

/// The stand-ins for what isolates elsewhere. A container's further invocations are in the one that runs.
pub const INVOKED: [Invoked; 8] = [
    Invoked { name: "native/process", wall: "process", first: "process-cold", warm: "native/process" },
    Invoked { name: "node/process-js", wall: "process", first: "process-cold", warm: "node/process-js" },
    Invoked { name: "node/isolate", wall: "isolate", first: "cold", warm: "node/isolate" },
    container("container/crun", "container/crun-exec"),
    container("container/runc", "container/runc-exec"),
    container("container/runsc", "container/runsc-exec"),
    container("container/podman", "container/podman-exec"),
    container("microvm/firecracker", "microvm/firecracker"),
];

/// The functions by whose snapshots the thesis measured Wizer.
pub const SNAPSHOTS: [&str; 2] = ["rust/user-agent", "rust/browsers"];

/// The functions by which languages are compared on platforms.
pub const LANGUAGES: [(&str, &str, &str); 3] = [
    ("rust", "Rust", "rust/fibonacci"),
    ("javascript", "JavaScript", "javascript/fibonacci"),
    ("go", "Go", "go/fibonacci"),
];

const fn instantiation(name: &'static str, items: &'static [u8], blocks: &'static [Block]) -> Part {
    Part { name, items, measures: Measures::Cells(blocks) }
}

/// All of them, in the order in which they are measured.
pub const PARTS: [Part; 10] = [
    instantiation(
        "1-small-memory",
        &[1],
        &[Block { runtimes: &STRATEGIES, functions: &["wat/empty"], scenarios: &["instantiate"] }],
    ),
    instantiation(
        "2-hello",
        &[2],
        &[Block { runtimes: &STRATEGIES, functions: &["rust/hello"], scenarios: &["instantiate"] }],
    ),
    instantiation(
        "3-large-data",
        &[3],
        &[Block { runtimes: &STRATEGIES, functions: &["wat/large-data"], scenarios: &["instantiate"] }],
    ),
    Part {
        name: "4-from-file",
        items: &[4, 5],
        measures: Measures::Cells(&[Block {
            runtimes: &STRATEGIES_AOT,
            functions: &["wat/empty", "rust/hello"],
            scenarios: &["load-instantiate"],
        }]),
    },
    Part {
        name: "6-fibonacci",
        items: &[6],
        measures: Measures::Cells(&[Block {
            runtimes: &TABLES,
            functions: &["rust/fibonacci:forty", "rust/fibonacci", "rust/fibonacci:repeated"],
            scenarios: &["warm"],
        }]),
    },
    Part {
        name: "7-blake3",
        items: &[7],
        measures: Measures::Cells(&[Block {
            runtimes: &TABLES,
            functions: &["rust/blake3:once", "rust/blake3:repeated"],
            scenarios: &["warm"],
        }]),
    },
    Part { name: "8-platforms", items: &[8], measures: Measures::Servers(&super::servers::PLATFORMS) },
    Part {
        name: "8-processes",
        items: &[8],
        measures: Measures::Cells(&[
            Block {
                runtimes: &[
                    "native/process",
                    "node/process-js",
                    "container/crun",
                    "container/runc",
                    "container/runsc",
                    "container/podman",
                    "microvm/firecracker",
                ],
                functions: &["rust/fibonacci", "go/fibonacci"],
                scenarios: &["process-cold"],
            },
            Block {
                runtimes: &[
                    "native/process",
                    "node/process-js",
                    "container/crun-exec",
                    "container/runc-exec",
                    "container/runsc-exec",
                    "container/podman-exec",
                    "microvm/firecracker",
                ],
                functions: &["rust/fibonacci", "go/fibonacci"],
                scenarios: &["warm"],
            },
            Block { runtimes: &["node/isolate"], functions: &["rust/fibonacci"], scenarios: &["cold", "warm"] },
        ]),
    },
    Part {
        name: "9-wizer",
        items: &[9],
        measures: Measures::Cells(&[Block {
            runtimes: &["wasmtime/cranelift-aot"],
            functions: &["rust/user-agent", "rust/user-agent+wizer", "rust/browsers", "rust/browsers+wizer"],
            scenarios: &["warm", "cold"],
        }]),
    },
    Part { name: "10-framework", items: &[10], measures: Measures::Servers(&super::servers::FRAMEWORK) },
];

/// The parts that these figures and tables are made of.
pub fn parts(items: &[u8]) -> impl Iterator<Item = &'static Part> {
    PARTS.iter().filter(|part| part.items.iter().any(|item| items.contains(item)))
}

/// The functions of a catalogue, and beside them those of the parts that are functions in a size.
pub fn workloads(catalogue: &Catalogue) -> Vec<Workload> {
    let mut all = catalogue.workloads().to_vec();
    let names = PARTS.iter().flat_map(|part| match part.measures {
        Measures::Cells(blocks) => blocks.iter().flat_map(|block| block.functions).copied().collect::<Vec<_>>(),
        Measures::Servers(_) => Vec::new(),
    });
    let mut sized: Vec<&str> = names.filter(|name| name.contains(':')).collect();
    sized.sort_unstable();
    sized.dedup();
    all.extend(sized.into_iter().filter_map(|name| catalogue.sized(name)));
    all
}

/// What of a part can be measured here: the plan, and what it lacks.
pub struct Planned {
    /// The cells.
    pub plan: Plan,
    /// Runtimes of the part that are not here, with the reason.
    pub absent: Vec<Absent>,
    /// Functions of the part that are not here, with the reason.
    pub unbuilt: Vec<Unbuilt>,
}

/// What of these blocks can be measured with what is here.
///
/// # Errors
/// A name in a block is wrong, which a test rules out.
pub fn plan(
    blocks: &[Block],
    registry: &Registry,
    catalogue: &Catalogue,
    workloads: &[Workload],
    cores: u32,
) -> Result<Planned, PlanError> {
    let mut planned = Planned {
        plan: Plan { cells: Vec::new(), skipped: Vec::new(), formless: Vec::new() },
        absent: Vec::new(),
        unbuilt: Vec::new(),
    };
    for block in blocks {
        let is_here = |name: &&&str| registry.runtimes.iter().any(|runtime| runtime.info().id.as_str() == **name);
        let (here, absent): (Vec<&str>, Vec<&str>) = block.runtimes.iter().partition(|name| is_here(name));
        let new = |name: &&str| !planned.absent.iter().any(|absent| absent.family == *name);
        let absent: Vec<Absent> = absent.into_iter().filter(new).map(|name| self::absent(registry, name)).collect();
        planned.absent.extend(absent);
        let known = |name: &&&str| workloads.iter().any(|workload| workload.name == **name);
        let (functions, unbuilt): (Vec<&str>, Vec<&str>) = block.functions.iter().partition(|name| known(name));
        let new = |name: &&str| !planned.unbuilt.iter().any(|unbuilt| unbuilt.function == *name);
        let unbuilt: Vec<Unbuilt> =
            unbuilt.into_iter().filter(new).map(|name| self::unbuilt(catalogue, name)).collect();
        planned.unbuilt.extend(unbuilt);
        if here.is_empty() || functions.is_empty() {
            continue;
        }
        let scenarios = ScenarioId::all(cores);
        let scenarios = scenarios.iter().filter(|id| block.scenarios.contains(&id.name())).map(ToString::to_string);
        let filters: Vec<String> =
            here.iter().chain(&functions).map(|name| (*name).to_owned()).chain(scenarios).collect();
        match Plan::new(&registry.runtimes, workloads, cores, FunctionSet::All, false, &filters, &[]) {
            Ok(plan) => {
                planned.plan.cells.extend(plan.cells);
                planned.plan.skipped.extend(plan.skipped);
                planned.plan.formless.extend(plan.formless);
            }
            Err(PlanError::NoRuntime | PlanError::NoForm { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(planned)
}

/// Why a runtime is not here.
pub fn absent(registry: &Registry, name: &str) -> Absent {
    // `wasmer/llvm-aot` is of the family `wasmer-llvm`; a runner may name a runtime or its whole family.
    let dashed = name.replace('/', "-");
    let of_family = registry.absent.iter().filter(|absent| dashed.starts_with(&absent.family.replace('/', "-")));
    let reason = match of_family.max_by_key(|absent| absent.family.len()) {
        Some(absent) => absent.reason.clone(),
        None => "isobar does not offer it on this machine".to_owned(),
    };
    Absent { family: name.to_owned(), reason }
}

/// Why a function is not here.
pub fn unbuilt(catalogue: &Catalogue, name: &str) -> Unbuilt {
    let plain = name.split(':').next().unwrap_or(name);
    let reason = match catalogue.find(plain) {
        Err(error) => error.to_string(),
        Ok(_) => format!("{plain} has no such size"),
    };
    Unbuilt { function: name.to_owned(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    #[test]
    fn every_item_has_a_part_and_every_part_has_a_folder() {
        let items: BTreeSet<u8> = PARTS.iter().flat_map(|part| part.items).copied().collect();
        assert_eq!(items, (1..=10).collect());
        let names: BTreeSet<&str> = PARTS.iter().map(|part| part.name).collect();
        assert_eq!(names.len(), PARTS.len());
        assert_eq!(parts(&[5]).map(|part| part.name).collect::<Vec<_>>(), ["4-from-file"]);
        assert_eq!(parts(&[8]).count(), 2);
    }

    /// A function that is misspelt would be told to be absent for ever.
    #[test]
    fn every_function_of_a_part_is_known_and_has_its_size() {
        let catalogue = Catalogue::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("workloads")).unwrap();
        let workloads = workloads(&catalogue);
        for part in PARTS {
            let Measures::Cells(blocks) = part.measures else { continue };
            for block in blocks {
                for name in block.functions {
                    let built = workloads.iter().any(|workload| workload.name == *name);
                    let on_demand = catalogue.unbuilt().iter().any(|unbuilt| unbuilt.name == *name);
                    assert!(built || on_demand, "{name}");
                }
                let known: Vec<&str> = isobar_core::measure::names().collect();
                assert!(block.scenarios.iter().all(|name| known.contains(name)), "{:?}", block.scenarios);
            }
        }
    }

    /// What a table reads must be measured.
    #[test]
    fn the_stand_ins_of_platforms_are_in_their_part() {
        let part = PARTS.iter().find(|part| part.name == "8-processes").unwrap();
        let Measures::Cells(blocks) = part.measures else { panic!("it has cells") };
        let has = |runtime: &str, scenario: &str| {
            blocks.iter().any(|block| block.runtimes.contains(&runtime) && block.scenarios.contains(&scenario))
        };
        for invoked in INVOKED {
            assert!(has(invoked.name, invoked.first) && has(invoked.warm, "warm"), "{invoked:?}");
        }
    }

    #[test]
    fn what_is_not_here_is_named_with_its_reason() {
        let catalogue = Catalogue::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("workloads")).unwrap();
        let mut registry = Registry::default();
        registry.absent.push(Absent { family: "container".into(), reason: "crun was not found".into() });
        let runtimes = &["native/process", "container/crun"];
        let block = Block { runtimes, functions: &["rust/fibonacci", "rust/nonsense"], scenarios: &["warm"] };
        let planned = plan(&[block], &registry, &catalogue, &workloads(&catalogue), 2).unwrap();
        assert!(planned.plan.cells.is_empty() && planned.absent.len() == runtimes.len());
        let crun = planned.absent.iter().find(|absent| absent.family == "container/crun").unwrap();
        assert_eq!(crun.reason, "crun was not found");
        assert!(planned.unbuilt.len() == 1 && planned.unbuilt[0].function == "rust/nonsense");
    }
}
