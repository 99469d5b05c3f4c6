use crate::record::{ExportError, Format, Run, export};
use anyhow::{Context, Result, bail};
use clap::Args;
use std::fs::File;
use std::io::{BufWriter, IsTerminal, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Write runs as one table: a row for each sample, with its cell beside it
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  isobar export results/RUN > samples.csv\n  isobar export results/* --format parquet --output samples.parquet\n\ndocs/RECORDS.md says what the columns hold."
)]
pub struct Export {
    /// The runs' folders
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// How the table is written
    #[arg(long, value_enum, default_value = "csv")]
    format: Format,
    /// Write into this file instead of to standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Export {
    pub fn run(self) -> Result<ExitCode> {
        if self.output.is_none() && self.format != Format::Csv && stdout().is_terminal() {
            bail!("a terminal cannot show this format; name a file with --output");
        }
        let mut runs = Vec::new();
        for (path, name) in self.runs.iter().zip(names(&self.runs)) {
            runs.push((name, Run::read(path)?));
        }
        match &self.output {
            None => match export(&runs, self.format, BufWriter::new(stdout())) {
                // Whoever reads has seen enough: `| head`.
                Err(ExportError::Io(e)) if e.kind() == std::io::ErrorKind::BrokenPipe => {}
                result => result.context("cannot write to standard output")?,
            },
            Some(path) => {
                let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
                let written = export(&runs, self.format, BufWriter::new(file));
                written.with_context(|| format!("cannot write {} (is the disk full?)", path.display()))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The names of the runs in the table: their folders', or the whole paths where two folders have the same name.
fn names(paths: &[PathBuf]) -> Vec<String> {
    let folder = |path: &PathBuf| {
        let path = path.canonicalize().unwrap_or_else(|_| path.clone());
        path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
    };
    let short: Vec<String> = paths.iter().map(folder).collect();
    let distinct: std::collections::BTreeSet<&String> = short.iter().collect();
    if distinct.len() == short.len() { short } else { paths.iter().map(|path: &PathBuf| shown(path)).collect() }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
