use super::answer::Shown;
use crate::compare;
use anyhow::Result;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// Compare runtimes with each other, inside each run
#[derive(Debug, Args)]
#[command(
    after_help = "A ratio is how many times WORSE than the baseline: 1.32x is 32 % more time, bytes or instructions, or \
                  throughput divided by 1.32; below 1 is better. `faster`, `slower`, `smaller`, `larger` are said only where \
                  the ratio's 95 % interval excludes 1.\n\n\
                  With several runs, ratios are taken inside each of them, side by side; for runs of one machine their \
                  geometric mean is shown, too. Numbers of different machines are never compared.\n\n\
                  Examples:\n  isobar cmp results/RUN --filter warm --baseline wasmtime/cranelift-aot\n  \
                  isobar cmp results/MONDAY results/TUESDAY --filter hello --format markdown"
)]
pub struct Cmp {
    /// The folders of the runs
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// What the others are compared with, as `isobar list` names it; by default the best of each row
    #[arg(long, value_name = "RUNTIME")]
    baseline: Option<String>,
    #[command(flatten)]
    shown: Shown,
}

impl Cmp {
    pub fn run(self) -> Result<ExitCode> {
        let sources = self.shown.sources(&self.runs)?;
        let answer = compare::cmp(&sources, self.baseline.as_deref())?;
        self.shown.print(&answer)?;
        Ok(ExitCode::SUCCESS)
    }
}
