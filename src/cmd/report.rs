use crate::record::Run;
use crate::report;
use anyhow::Result;
use clap::Args;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Write a run's report and charts again from its records, and print its table
#[derive(Debug, Args)]
pub struct Report {
    /// The run's folder, as `isobar run` named it
    run: PathBuf,
}

impl Report {
    pub fn run(self) -> Result<ExitCode> {
        derive(&Run::read(&self.run)?, &self.run)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Writes everything that follows from the records, prints the table and names what was written.
pub(super) fn derive(run: &Run, folder: &Path) -> Result<()> {
    let rows = report::rows(run);
    println!("{}", report::terminal(&rows, std::io::stdout().is_terminal()));
    let written = report::write(run, &rows, folder)?;
    let failed = run.records.iter().filter(|record| record.result.is_err()).count();
    if failed > 0 {
        println!("{failed} measurements failed: the table and the report say which and why");
    }
    println!("records {}", folder.join("records.jsonl").display());
    for file in written {
        println!("{:7} {}", if file.starts_with(folder.join("charts")) { "chart" } else { "report" }, file.display());
    }
    Ok(())
}
