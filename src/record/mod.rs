//! What a run leaves behind: its header (`run.json`) and its records (`records.jsonl`), and how they are stored.

mod machine;
mod store;

pub use machine::{Machine, cores};
pub use store::{RunFolder, StoreError};

use isobar_core::measure::{MeasureError, Measurement, Scenario};
use isobar_core::{RuntimeId, RuntimeInfo};
use serde::{Deserialize, Serialize};

/// The version of the two files' format.
pub const SCHEMA: u32 = 1;

/// Everything that was known before the first measurement: `run.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The version of isobar.
    pub isobar: String,
    /// When the run was started, in seconds since the Unix epoch.
    pub started_at_s: u64,
    /// Whether the run was a `--quick` one.
    pub quick: bool,
    /// The seed of the order of the cells and of the resampling.
    pub seed: u64,
    /// How many rounds were asked for; each measures every cell once, in a process of its own.
    pub rounds: u32,
    /// The machine.
    pub machine: Machine,
    /// The runtimes that were there, as they described themselves.
    pub runtimes: Vec<RuntimeInfo>,
    /// The families that were not, with the reason and the remedy.
    pub absent: Vec<Absent>,
    /// The functions.
    pub functions: Vec<Function>,
    /// The cells that were planned, in the plan's order.
    pub cells: Vec<Cell>,
    /// What was left out of the plan because it cannot be measured.
    #[serde(default)]
    pub skipped: Vec<Skipped>,
}

/// A scenario that a runtime does not allow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// Which runtime.
    pub runtime: RuntimeId,
    /// Which scenario.
    #[serde(flatten)]
    pub scenario: Scenario,
    /// Why.
    pub reason: String,
}

/// A runtime that is not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Absent {
    /// The runtime's family: `wasmedge`.
    pub family: String,
    /// Why, and what to do, in one line.
    pub reason: String,
}

/// A function as it was measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
}

/// One cell of the matrix: a runtime, a function, a scenario.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cell {
    /// Which runtime.
    pub runtime: RuntimeId,
    /// Which function, as `language/name`.
    pub function: String,
    /// What was measured.
    #[serde(flatten)]
    pub scenario: Scenario,
}

impl std::fmt::Display for Cell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {}", self.runtime, self.function, self.scenario)
    }
}

/// One measurement of one cell: a line of `records.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Which cell.
    #[serde(flatten)]
    pub cell: Cell,
    /// In which round, from 0.
    pub round: u32,
    /// For runtimes that compile ahead of time: how that went, in this run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact: Option<Artifact>,
    /// The samples, or why there are none.
    pub result: Result<Measurement, MeasureError>,
}

/// What compiling ahead of time made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    /// How long it took, in nanoseconds.
    pub compile_ns: u64,
    /// How large the artifact is, in bytes.
    pub bytes: u64,
}

/// A run as its folder holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// `run.json`.
    pub header: Header,
    /// `records.jsonl`, in the order of the file.
    pub records: Vec<Record>,
}
