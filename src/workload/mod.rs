//! The functions that are measured: `workloads/<language>/<name>/`, each a manifest, a source and the module built from
//! it. `docs/ADD-A-WORKLOAD.md` describes the format.

mod catalogue;
mod manifest;
mod sums;
#[cfg(test)]
mod tests;

pub use catalogue::{Catalogue, Workload};
pub use manifest::MANIFEST;
pub use sums::SUMS;

use std::{fmt, path::PathBuf};

/// The script that rebuilds modules and their sums.
const BUILD: &str = "scripts/build-workloads";
/// Where the format is described.
const FORMAT: &str = "docs/ADD-A-WORKLOAD.md";

/// Why there is no catalogue, or no such function in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WorkloadError {
    /// Folders that cannot be used: the first problem of each, a line per problem.
    #[error("{}", lines(.0))]
    Broken(Vec<Problem>),
    /// No function has this name.
    #[error("unknown function `{name}`; {}", hint(.nearest))]
    Unknown {
        /// The name asked for.
        name: String,
        /// Those that it may have been meant to be, likeliest first.
        nearest: Vec<String>,
    },
}

/// What is wrong with a file, and what to do about it. Displayed as one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub file: PathBuf,
    /// The line, counted from 1, where one is to blame.
    pub line: Option<usize>,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

impl Problem {
    fn new(file: impl Into<PathBuf>, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Problem { file: file.into(), line: None, what: what.into(), remedy: remedy.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, "{line}:")?;
        }
        write!(f, " {}; {}", self.what, self.remedy)
    }
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
}

fn hint(nearest: &[String]) -> String {
    match nearest {
        [] => "`isobar list` names them all".to_owned(),
        names => format!("did you mean {}?", names.join(" or ")),
    }
}
