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

/// What these runs are called.
pub(super) fn names(folders: &[PathBuf]) -> Vec<String> {
    folders.iter().map(|folder| name(folder, folders)).collect()
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

/// A share, as `5%` or `0.05`: at least nothing.
pub(super) fn share(text: &str) -> Result<f64, String> {
    let number = |text: &str| text.trim().parse::<f64>().ok();
    let share = match text.strip_suffix('%') {
        Some(percent) => number(percent).map(|percent| percent / 100.0),
        // `5` might be meant as either.
        None => number(text).filter(|share| *share < 1.0),
    };
    share.filter(|share| share.is_finite() && *share >= 0.0).ok_or_else(|| "give a share such as 5% or 0.05".to_owned())
}

/// A share that a measurement can come near to: more than nothing, less than all.
pub(super) fn precision(text: &str) -> Result<f64, String> {
    Some(share(text)?)
        .filter(|share| *share > 0.0 && *share < 1.0)
        .ok_or_else(|| "give a share between 0 and 100%, such as 2%".to_owned())
}

#[cfg(test)]
mod tests {
    use super::{precision, share};

    #[test]
    fn a_share_is_a_percentage_or_a_fraction() {
        for (text, value) in [("2%", 0.02), ("0.5 %", 0.005), ("0.02", 0.02), ("0", 0.0), ("150%", 1.5)] {
            assert_eq!(share(text), Ok(value), "{text}");
        }
        for wrong in ["", "%", "-1%", "5", "x", "nan%", "inf"] {
            assert!(share(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_precision_is_neither_nothing_nor_all() {
        assert_eq!(precision("2%"), Ok(0.02));
        for wrong in ["0", "0%", "100%", "2", "-1%", "x"] {
            assert!(precision(wrong).is_err(), "{wrong}");
        }
    }
}
