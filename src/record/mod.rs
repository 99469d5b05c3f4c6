//! What a run leaves behind: its header (`run.json`) and its records (`records.jsonl`), and how they are stored.

mod export;
mod load;
mod machine;
mod merge;
mod read;
mod schema;
mod store;
#[cfg(test)]
mod tests;

pub use export::{ExportError, Format, export};
pub use load::{Fault, Faults, Kept, LoadPlan, LoadResult, LoadStop, Loop, Starts};
pub use machine::{Machine, cores};
pub use merge::{MergeError, merge, store};
pub use schema::{Part, schema};
pub use store::{Opened, RunFolder, StoreError};

use isobar_core::measure::{Available, MeasureError, Measurement, ScenarioId};
use isobar_core::{Form, RuntimeId, RuntimeInfo};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version of the two files' format.
pub const SCHEMA: u32 = 2;

/// Everything that was known before the first measurement: `run.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Header {
    /// The version of the format: [`SCHEMA`].
    #[schemars(extend("const" = SCHEMA))]
    pub schema: u32,
    /// The version of isobar.
    pub isobar: String,
    /// What was typed after `isobar`, without where the run was to be kept and which part of it was to be measured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<String>,
    /// When the run was started, in seconds since the Unix epoch.
    pub started_at_s: u64,
    /// Whether the run was a `--quick` one.
    pub quick: bool,
    /// The seed of the order of the cells and of the resampling.
    pub seed: u64,
    /// How often a cell is measured, and when that is enough.
    pub schedule: Schedule,
    /// Which part of the plan this run measures, if not all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// Of a merged run: the shards that it was made of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub merged: Vec<Shard>,
    /// The SHA-256 of the whole plan, in hexadecimal: shards with the same one belong together.
    pub plan_sha256: String,
    /// The machine; several when runs were merged. Numbers of different machines are never compared.
    pub machines: Vec<Machine>,
    /// Whether runners were bound to processors.
    #[serde(default)]
    pub pinned: bool,
    /// Which of the measures beside the samples the machine gives, and why not the others.
    #[serde(default)]
    pub measures: Vec<Available>,
    /// What may have disturbed the whole run, one line each, with the remedy.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// The runtimes that were there, as they described themselves.
    pub runtimes: Vec<RuntimeInfo>,
    /// The families that were not, with the reason and the remedy.
    pub absent: Vec<Absent>,
    /// The functions.
    pub functions: Vec<Function>,
    /// The cells that were planned, in the plan's order.
    pub cells: Vec<Cell>,
    /// The rest of the whole plan: what other shards measure, or those that a merged run lacks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub elsewhere: Vec<Cell>,
    /// What was left out of the plan because it cannot be measured.
    #[serde(default)]
    pub skipped: Vec<Skipped>,
    /// Of `isobar load`: what was sent, and how.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<LoadPlan>,
    /// The functions that were left out because they are not built.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unbuilt: Vec<Unbuilt>,
    /// The functions that were left out in runtimes which load something else than modules: there is none of it, or it lacks
    /// a variable.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub formless: Vec<Formless>,
}

/// How often each cell is measured, each time in a process of its own: in rounds, each of which visits every cell that
/// still needs it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Schedule {
    /// Every cell is measured in so many processes.
    pub min_processes: u32,
    /// No cell is measured in more processes.
    pub max_processes: u32,
    /// A cell is not measured again when half of its 95 % interval is at most this share of its median.
    pub precision: f64,
    /// A cell that has its `min_processes` is not measured again when its measurements took so long in all, in
    /// nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cell_time_ns: Option<u64>,
    /// No further round starts that would end after so long, judged by how long the measurements took that were made, in
    /// nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_time_ns: Option<u64>,
}

/// A part of a plan: `2/5`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Shard {
    /// Which, from 1.
    pub index: u32,
    /// Of how many.
    pub of: u32,
}

/// A text that is no part of a plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no shard: write 2/5 for the second of five")]
pub struct BadShard(String);

impl std::str::FromStr for Shard {
    type Err = BadShard;

    fn from_str(text: &str) -> Result<Self, BadShard> {
        let shard = text
            .split_once('/')
            .and_then(|(index, of)| Some(Shard { index: index.parse().ok()?, of: of.parse().ok()? }));
        shard.filter(|shard| (1..=shard.of).contains(&shard.index)).ok_or_else(|| BadShard(text.to_owned()))
    }
}

impl std::fmt::Display for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

/// A scenario that a runtime does not allow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Skipped {
    /// Which runtime.
    pub runtime: RuntimeId,
    /// Which scenario.
    #[serde(flatten)]
    pub scenario: ScenarioId,
    /// Why.
    pub reason: String,
}

/// A runtime that is not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Absent {
    /// The runtime's family: `wasmedge`.
    pub family: String,
    /// Why, and what to do, in one line.
    pub reason: String,
}

/// A function as it was measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Function {
    /// `language/name`.
    pub name: String,
    /// What it does.
    pub description: String,
    /// What it stands for.
    pub stands_for: String,
    /// The module's SHA-256, in hexadecimal.
    pub module_sha256: String,
    /// The module's size, in bytes.
    pub module_bytes: u64,
    /// The language, as people call it, where functions of several languages can be compared: `JavaScript + Wizer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The family: what functions of several languages have in common.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// The name of the size of its work, if that is not `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<String>,
    /// What runtimes load in place of the module, where some of them do, by its form.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub forms: BTreeMap<Form, Loaded>,
    /// How it was called, where a module was brought without a manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brought: Option<Brought>,
}

impl Function {
    /// The name of the size of its work.
    pub fn size(&self) -> &str {
        self.size.as_deref().unwrap_or("default")
    }
}

/// A function that was chosen and whose module is not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unbuilt {
    /// The function: `language/name`.
    pub function: String,
    /// Why, and what to do, in one line.
    pub reason: String,
}

/// A function that does not exist in the form that some runtimes load.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Formless {
    /// The function: `language/name`.
    pub function: String,
    /// What the runtimes load.
    pub form: Form,
    /// Which runtimes.
    pub runtimes: Vec<RuntimeId>,
    /// Why there is none, and what to do, in one line.
    pub reason: String,
}

/// A file that was loaded in place of the module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Loaded {
    /// The file's SHA-256, in hexadecimal.
    pub sha256: String,
    /// The file's size, in bytes.
    pub bytes: u64,
}

/// How a module was called that came without a manifest, and what it had to answer. The files are in the run's folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Brought {
    /// The copy of the module.
    pub module_file: String,
    /// The arguments.
    pub args: Vec<String>,
    /// The environment.
    pub env: Vec<(String, String)>,
    /// Standard input, where there was any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdin_file: Option<String>,
    /// The SHA-256 of standard input, in hexadecimal.
    pub stdin_sha256: String,
    /// How long an invocation might take, in nanoseconds.
    pub wall_time_ns: u64,
    /// The exit code that counted as right.
    pub exit_code: i32,
    /// The standard output that counted as right, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdout_file: Option<String>,
    /// The SHA-256 of the standard output that counted as right, in hexadecimal.
    pub stdout_sha256: String,
    /// Where nobody declared the standard output: the runtimes that all answered this, before they were measured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub observed_in: Vec<RuntimeId>,
}

/// One cell of the matrix: a runtime, a function, a scenario.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Cell {
    /// Which runtime.
    pub runtime: RuntimeId,
    /// Which function, as `language/name`.
    pub function: String,
    /// What was measured.
    #[serde(flatten)]
    pub scenario: ScenarioId,
}

impl std::fmt::Display for Cell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {}", self.runtime, self.function, self.scenario)
    }
}

/// One measurement of one cell: a line of `records.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Record {
    /// Which cell.
    #[serde(flatten)]
    pub cell: Cell,
    /// In which round, from 0.
    pub round: u32,
    /// On which of the run's machines, from 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub machine: u32,
    /// How long the measurement took in all, from the start of its process, in nanoseconds.
    #[serde(default)]
    pub elapsed_ns: u64,
    /// The processors that the runner was bound to, if it was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cpus: Vec<u32>,
    /// How busy the machine was with other things meanwhile, where the system tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noise: Option<Noise>,
    /// For times: the samples' histogram in HdrHistogram's interchange encoding (V2, compressed, base64), in nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub histogram: Option<String>,
    /// For runtimes that compile ahead of time: how that went, in this run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact: Option<Artifact>,
    /// Of `isobar load`: what was seen beside the samples, which are seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<Box<LoadResult>>,
    /// The samples, or why there are none.
    pub result: Result<Measurement, MeasureError>,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// How busy a machine was with other things than a measurement while it was taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Noise {
    /// The share of the time in which some runnable task waited for a processor (PSI, `/proc/pressure/cpu`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_pressure: Option<f64>,
    /// The share of all processors' time that the hypervisor gave to others (`/proc/stat`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steal: Option<f64>,
}

/// What compiling ahead of time made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Artifact {
    /// How long it took, in nanoseconds.
    pub compile_ns: u64,
    /// How large the artifact is, in bytes.
    pub bytes: u64,
}

impl Header {
    /// Whether a runtime was on a machine that is emulated in software, and so compares with nothing.
    pub fn is_emulated(&self, runtime: &RuntimeId) -> bool {
        self.runtimes.iter().any(|info| info.emulated && info.id == *runtime)
    }
}

/// A run as its folder holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// `run.json`.
    pub header: Header,
    /// `records.jsonl`, in the order of the file.
    pub records: Vec<Record>,
}
