use super::answer::{Shown, share};
use crate::compare::{self, keep};
use crate::record::Run;
use anyhow::Result;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// Compare the same cells of two runs: what became faster, what became slower
#[derive(Debug, Args)]
#[command(
    after_help = "Both runs must be of one machine; what else differs between them (isobar, runtimes and their settings, \
                  modules, kernel) is named. `faster` and `slower` are said only where the 95 % interval of the ratio \
                  excludes 1.\n\n\
                  Exit code: 0; with --fail-above 1 if a cell is above the threshold, which is to say significantly worse \
                  AND worse by more than it in the median, or fails and did not before; 2 for errors. A cell that is only \
                  in one of the runs is counted and named with --all, and fails nothing.\n\n\
                  Examples:\n  isobar diff results/BEFORE results/AFTER --filter 'wasmi/*'\n  \
                  isobar diff results/BEFORE results/AFTER --fail-above 5% --format markdown"
)]
pub struct Diff {
    /// The folder of the run before
    old: PathBuf,
    /// The folder of the run after
    new: PathBuf,
    /// End with exit code 1 if a cell is significantly worse, and by more than this
    #[arg(long, value_name = "PERCENT", value_parser = share)]
    fail_above: Option<f64>,
    /// Show the cells without a significant difference, and those only in one of the runs, too
    #[arg(long)]
    all: bool,
    /// Compare even if the runs were measured on different machines
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    shown: Shown,
}

impl Diff {
    pub fn run(self) -> Result<ExitCode> {
        let (mut old, mut new) = (Run::read(&self.old)?, Run::read(&self.new)?);
        keep(&mut [&mut old, &mut new], &self.shown.filters)?;
        let outcome = compare::diff(&old, &new, self.fail_above, self.all, self.force)?;
        self.shown.print(&outcome.answer)?;
        Ok(if outcome.above > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}
