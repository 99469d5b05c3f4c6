//! What `cmp`, `rank` and `diff` have in common: runs that are read, an answer that is printed.

use crate::compare::{Answer, Format, Source, keep, sources};
use crate::record::Run;
use anyhow::Result;
use clap::Args;
use serde::Serialize;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

/// How wide tables are where nobody says how wide the terminal is.
const WIDTH: usize = 120;

/// Which cells, and in which form.
#[derive(Debug, Args)]
pub(super) struct Shown {
    /// Only what this glob matches: runtimes ('wasmtime/*'), functions (hello, 'rust/*') or scenarios (warm); repeatable
    #[arg(short, long = "filter", value_name = "GLOB")]
    pub(super) filters: Vec<String>,
    /// The form of the answer
    #[arg(long, value_enum, default_value = "table", value_name = "FORMAT")]
    pub(super) format: Format,
}

impl Shown {
    /// Reads runs, keeps what the filters choose, and takes them apart by machine.
    pub(super) fn sources(&self, folders: &[PathBuf]) -> Result<Vec<Source>> {
        let mut runs: Vec<Run> = folders.iter().map(|folder| Run::read(folder)).collect::<Result<_, _>>()?;
        keep(&mut runs.iter_mut().collect::<Vec<_>>(), &self.filters)?;
        Ok(runs.iter().zip(folders).flat_map(|(run, folder)| sources(run, &name(folder, folders))).collect())
    }

    /// Prints an answer.
    pub(super) fn print<R: Serialize>(&self, answer: &Answer<R>) -> Result<()> {
        print(answer, self.format)
    }
}

/// Prints an answer; what CSV has no room for goes to standard error.
pub(super) fn print<R: Serialize>(answer: &Answer<R>, format: Format) -> Result<()> {
    let mut stdout = std::io::stdout();
    let styled = stdout.is_terminal();
    let width = comfy_table::Table::new().width().filter(|_| styled).map_or(WIDTH, usize::from);
    let text = answer.write(format, width, styled)?;
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        // The reader (`head`) has seen enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(()),
        written => written?,
    }
    if format == Format::Csv {
        answer.notes.iter().for_each(|note| eprintln!("{note}"));
    }
    Ok(())
}

/// What a run is called: its folder's name, or all of the path where another run's folder is called the same.
fn name(folder: &Path, folders: &[PathBuf]) -> String {
    let last = |folder: &Path| folder.file_name().map(std::ffi::OsStr::to_os_string);
    let alone = folders.iter().filter(|other| last(other) == last(folder)).count() == 1;
    match last(folder) {
        Some(name) if alone => name.to_string_lossy().into_owned(),
        _ => folder.display().to_string(),
    }
}

/// `5%`, as a share.
pub(super) fn percent(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').and_then(|number| number.trim().parse::<f64>().ok());
    number
        .filter(|number| number.is_finite() && *number >= 0.0)
        .map(|number| number / 100.0)
        .ok_or_else(|| "write a share as in 5% or 0.5%".to_owned())
}
