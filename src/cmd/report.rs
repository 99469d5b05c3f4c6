use crate::noise;
use crate::record::Run;
use crate::report;
use anyhow::{Context, Result, bail};
use clap::Args;
use globset::Glob;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Write a run's report and charts again from its records, and print its table
#[derive(Debug, Args)]
pub struct Report {
    /// The run's folder, as `isobar run` named it
    run: PathBuf,
    /// Only the functions that this glob matches ('rust/*')
    #[arg(long, value_name = "GLOB")]
    function: Option<String>,
    /// Write into this folder instead of the run's own
    #[arg(long, value_name = "FOLDER")]
    into: Option<PathBuf>,
}

impl Report {
    pub fn run(self) -> Result<ExitCode> {
        let mut run = Run::read(&self.run)?;
        if let Some(glob) = &self.function {
            keep_functions(&mut run, glob)?;
        }
        let into = self.into.as_ref().unwrap_or(&self.run);
        std::fs::create_dir_all(into).with_context(|| format!("cannot make the folder {}", into.display()))?;
        derive(&run, &self.run, into)?;
        Ok(ExitCode::SUCCESS)
    }
}

fn keep_functions(run: &mut Run, glob: &str) -> Result<()> {
    let matcher = Glob::new(glob).with_context(|| format!("'{glob}' is no glob"))?.compile_matcher();
    let keep = |function: &str| matcher.is_match(function);
    run.header.functions.retain(|function| keep(&function.name));
    run.header.cells.retain(|cell| keep(&cell.function));
    run.records.retain(|record| keep(&record.cell.function));
    if run.header.functions.is_empty() {
        bail!("the run has no function that '{glob}' matches");
    }
    Ok(())
}

/// Writes everything that follows from the records of the run in `folder` into another folder (or the same), prints the
/// table and names what was written.
pub(super) fn derive(run: &Run, folder: &Path, into: &Path) -> Result<()> {
    let run = &*report::machines_apart(run);
    let rows = report::rows(run);
    let styled = std::io::stdout().is_terminal();
    println!("{}", report::terminal(&rows, styled));
    print!("{}", report::terminal_languages(run, &rows, styled));
    print!("{}", report::terminal_isolation(run, styled));
    let written = report::write(run, &rows, into)?;
    let failed = run.records.iter().filter(|record| record.result.is_err()).count();
    if failed > 0 {
        println!("{failed} measurements failed: the table and the report say which and why");
    }
    for warning in run.header.warnings.iter().cloned().chain(noise::of_cells(run).iter().map(ToString::to_string)) {
        println!("warning: {warning}");
    }
    println!("records {}", folder.join("records.jsonl").display());
    for file in written {
        println!("{:7} {}", if file.starts_with(into.join("charts")) { "chart" } else { "report" }, file.display());
    }
    Ok(())
}
