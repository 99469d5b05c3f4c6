//! The functions that are measured: `workloads/<language>/<name>/`, each a manifest, a source and the module built from
//! it. `docs/ADD-A-WORKLOAD.md` describes the format.

mod brought;
mod build;
mod catalogue;
mod family;
mod function;
mod known;
mod language;
mod manifest;
mod new;
mod recipe;
mod serving;
mod source;
mod sums;
#[cfg(test)]
mod tests;
mod toolchain;
mod work;

pub use brought::Brought;
pub use build::{BuildOptions, BuildReport, Builder, Built, LEDGER};
pub use catalogue::{Catalogue, Unbuilt, Workload};
pub use family::{Case, Comparison, Family, SIZES, Test};
pub use known::{KNOWN_FAILURES, KnownFailure, known_failures};
pub use language::LANGUAGE;
pub use manifest::MANIFEST;
pub use new::{NewWorkload, NewWorkloadError, new_workload};
pub use serving::Serving;
pub use sums::SUMS;
pub use work::Work;

use crate::names::did_you_mean;
use globset::Glob;
use std::{fmt, path::PathBuf};

/// The command that rebuilds modules and their sums.
const BUILD: &str = "isobar build";
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
    /// A filter that is no glob, or that chooses nothing.
    #[error("the filter '{filter}' {what}")]
    Filter {
        /// The filter.
        filter: String,
        /// What is wrong with it, and what to do.
        what: String,
    },
    /// The function cannot be run as a program of this machine.
    #[error("the function `{name}` has no executable: {reason}")]
    NoExecutable {
        /// The function.
        name: String,
        /// Why not, and what to do.
        reason: String,
    },
    /// The function cannot be called in somebody else's process.
    #[error("the function `{name}` has no library: {reason}")]
    NoLibrary {
        /// The function.
        name: String,
        /// Why not, and what to do.
        reason: String,
    },
    /// The function has no source that JavaScript engines load.
    #[error("the function `{name}` has no source in JavaScript: {reason}")]
    NoScript {
        /// The function.
        name: String,
        /// Why not.
        reason: String,
    },
    /// The function is no component.
    #[error("the function `{name}` has no component: {reason}")]
    NoComponent {
        /// The function.
        name: String,
        /// Why not, and what to do.
        reason: String,
    },
    /// The function is there, its module is not.
    #[error("the function `{}` cannot be used: {}", .0.name, .0.reason)]
    Unbuilt(Unbuilt),
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

impl WorkloadError {
    /// Why a function does not exist in a form, without its name.
    pub fn reason(&self) -> String {
        match self {
            WorkloadError::NoExecutable { reason, .. } => format!("no executable: {reason}"),
            WorkloadError::NoLibrary { reason, .. } => format!("no library: {reason}"),
            WorkloadError::NoScript { reason, .. } => format!("no source in JavaScript: {reason}"),
            WorkloadError::NoComponent { reason, .. } => format!("no component: {reason}"),
            other => other.to_string(),
        }
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

/// Names become parts of filters, file names and command lines.
fn check_name(name: &str) -> Result<(), String> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let fits = name.bytes().all(|b| plain(b) || b == b'-' || b == b'_') && name.bytes().next().is_some_and(plain);
    if fits {
        return Ok(());
    }
    Err(format!("{name:?} is no name: lower-case letters, digits, `-` and `_`, a letter or digit first"))
}

/// The names that the globs choose; none of them choose all. A glob without a slash means the last part of a name, one
/// without a `+` a function with all its variants.
///
/// # Errors
/// [`WorkloadError::Filter`].
fn check_filters<'a>(filters: &[String], names: &[&'a str]) -> Result<Vec<&'a str>, WorkloadError> {
    if filters.is_empty() {
        return Ok(names.to_vec());
    }
    let mut chosen = Vec::new();
    for filter in filters {
        let wrong = |what: String| WorkloadError::Filter { filter: filter.clone(), what };
        let glob = Glob::new(filter).map_err(|e| wrong(format!("is no glob: {}", e.kind())))?.compile_matcher();
        let matches = |name: &str| {
            let name = if filter.contains('/') { name } else { name.rsplit('/').next().unwrap_or(name) };
            let name = if filter.contains('+') { name } else { name.split('+').next().unwrap_or(name) };
            glob.is_match(name)
        };
        let found: Vec<&str> = names.iter().copied().filter(|name| matches(name)).collect();
        if found.is_empty() {
            return Err(wrong(format!("matches no function{}", did_you_mean(filter, names.iter().copied()))));
        }
        chosen.extend(found);
    }
    Ok(chosen)
}
