use super::answer::Shown;
use crate::compare;
use anyhow::Result;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// Rank runtimes over all functions, by the geometric mean of their ratios
#[derive(Debug, Args)]
#[command(
    after_help = "For each function a runtime's ratio is how many times worse its median is than the best one's; the \
                  geometric mean of these ratios ranks it, scenario by scenario. The interval is of the runtime's own \
                  medians. Runtimes whose intervals overlap have a rank in common: `2-3` may be second or third.\n\n\
                  A cell that failed counts for nothing and is counted as failed. A runtime that lacks functions is ranked \
                  over those that it has, which may be the easy ones: --intersection ranks over those that all have.\n\n\
                  Examples:\n  isobar rank results/RUN\n  isobar rank results/RUN --intersection --filter cold --filter 'rust/*'"
)]
pub struct Rank {
    /// The folders of the runs; each is ranked by itself
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// Only over the functions that every runtime has
    #[arg(long)]
    intersection: bool,
    #[command(flatten)]
    shown: Shown,
}

impl Rank {
    pub fn run(self) -> Result<ExitCode> {
        let sources = self.shown.sources(&self.runs)?;
        self.shown.print(&compare::rank(&sources, self.intersection)?)?;
        Ok(ExitCode::SUCCESS)
    }
}
