//! What a run keeps of a module that somebody brought: the module, its call and its answer, so that the run can go on and
//! be judged without the place where it came from.

use crate::record::{self, Function, RunFolder, StoreError};
use crate::workload::{Brought, Workload, WorkloadError};
use isobar_core::measure::{Expectation, StdoutRule, sha256_hex};
use isobar_core::{Invocation, Limits, RuntimeId};
use std::fs;
use std::path::Path;

/// Where the files are kept below the run's folder.
const FOLDER: &str = "brought";

/// What a header says of a function that was brought. `observed_in` names the runtimes whose answer is the expected one;
/// none where that was declared.
pub fn record_brought(brought: &Brought, workload: &Workload, observed_in: Vec<RuntimeId>) -> record::Brought {
    let invocation = &workload.invocation;
    let (stdout_file, stdout_sha256) = match &workload.expectation.stdout {
        StdoutRule::Sha256(sha256) => (None, sha256.clone()),
        rule => (Some(format!("{FOLDER}/stdout")), sha256_hex(exact(rule))),
    };
    record::Brought {
        module_file: format!("{FOLDER}/{}", brought.copy_name()),
        args: invocation.args.clone(),
        env: invocation.env.clone(),
        stdin_file: (!invocation.stdin.is_empty()).then(|| format!("{FOLDER}/stdin")),
        stdin_sha256: sha256_hex(&invocation.stdin),
        wall_time_ns: invocation.limits.wall_time_ns,
        exit_code: workload.expectation.exit_code,
        stdout_file,
        stdout_sha256,
        observed_in,
    }
}

/// The bytes that standard output must be; a brought module has no other rules.
fn exact(rule: &StdoutRule) -> &[u8] {
    if let StdoutRule::Exact(bytes) = rule { bytes } else { &[] }
}

/// Writes the files that a header names into the run's folder; from then on the module there is the one that is measured.
///
/// # Errors
/// A file cannot be written.
pub fn keep_brought(
    folder: &RunFolder,
    record: &record::Brought,
    brought: &Brought,
    workload: &mut Workload,
) -> Result<(), StoreError> {
    folder.keep(&record.module_file, &brought.wasm)?;
    if let Some(file) = &record.stdin_file {
        folder.keep(file, &workload.invocation.stdin)?;
    }
    if let Some(file) = &record.stdout_file {
        folder.keep(file, exact(&workload.expectation.stdout))?;
    }
    workload.module_path = folder.path().join(&record.module_file);
    Ok(())
}

/// Why a run cannot go on that measures a module which was brought. Displayed as one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Lost {
    /// The copy of the module is no module any more.
    #[error(transparent)]
    Module(#[from] WorkloadError),
    /// A file of the run's folder is not there, or another.
    #[error("{file}: {what}: restore it, or measure again")]
    File {
        /// Which file.
        file: String,
        /// What is wrong with it.
        what: String,
    },
}

/// The function that a run measures, from the files in its folder; nothing if it was not brought.
///
/// # Errors
/// A file is not what it was.
pub fn restore_brought(folder: &Path, function: &Function) -> Result<Option<Workload>, Lost> {
    let Some(record) = &function.brought else { return Ok(None) };
    let module = folder.join(&record.module_file);
    let brought = Brought::read(&module)?;
    check(&record.module_file, &brought.wasm, &function.module_sha256)?;
    let read = |file: &str, sha256: &str| {
        let bytes = fs::read(folder.join(file)).map_err(|e| lost(file, e.to_string()))?;
        check(file, &bytes, sha256).map(|()| bytes)
    };
    let stdin = record.stdin_file.as_deref().map(|file| read(file, &record.stdin_sha256)).transpose()?;
    let stdout = match &record.stdout_file {
        Some(file) => StdoutRule::Exact(read(file, &record.stdout_sha256)?),
        None => StdoutRule::Sha256(record.stdout_sha256.clone()),
    };
    let limits = Limits { wall_time_ns: record.wall_time_ns, ..Limits::default() };
    let invocation =
        Invocation { args: record.args.clone(), env: record.env.clone(), stdin: stdin.unwrap_or_default(), limits };
    let expectation = Expectation { exit_code: record.exit_code, stdout };
    // The copy's name gives the function's name again.
    Ok(Some(brought.workload(module, invocation, expectation)))
}

fn check(file: &str, bytes: &[u8], sha256: &str) -> Result<(), Lost> {
    if sha256_hex(bytes) == sha256 { Ok(()) } else { Err(lost(file, "not what it was when the run began".to_owned())) }
}

fn lost(file: &str, what: String) -> Lost {
    Lost::File { file: file.to_owned(), what }
}
