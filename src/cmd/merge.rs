use super::report::derive;
use crate::record::{Run, merge, store};
use anyhow::{Context, Result};
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// Join the runs of the shards of one plan into one run, then write its report and charts
#[derive(Debug, Args)]
#[command(
    after_help = "Runs of different plans, versions, runtimes or modules are refused, and so is what was measured twice. \
                  What was measured on different machines is kept apart.\n\n\
                  Example:\n  isobar merge results/shards/shard-* --into results/all"
)]
pub struct Merge {
    /// The runs' folders
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// The folder of the joined run, which must be new or empty
    #[arg(long, value_name = "FOLDER")]
    into: PathBuf,
}

impl Merge {
    pub fn run(self) -> Result<ExitCode> {
        let mut runs = Vec::new();
        for path in &self.runs {
            runs.push((path.display().to_string(), Run::read(path)?));
        }
        let run = merge(runs)?;
        let into = self.into.display();
        store(&run, &self.into).with_context(|| format!("cannot write {into} (name another folder with --into)"))?;
        for warning in &run.header.warnings {
            eprintln!("warning: {warning}");
        }
        derive(&run, &self.into, &self.into)?;
        Ok(ExitCode::SUCCESS)
    }
}
