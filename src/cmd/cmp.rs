use super::answer::Shown;
use crate::compare;
use anyhow::{Result, bail};
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// Compare runtimes with each other, or variants with their functions, inside each run
#[derive(Debug, Args)]
#[command(
    after_help = "A ratio is how many times WORSE than the baseline: 1.32x is 32 % more time, bytes or instructions, or \
                  throughput divided by 1.32; below 1 is better. `faster`, `slower`, `smaller`, `larger` are said only where \
                  the ratio's 95 % interval excludes 1.\n\n\
                  With several runs, ratios are taken inside each of them, side by side; for runs of one machine their \
                  geometric mean is shown, too. Numbers of different machines are never compared.\n\n\
                  Examples:\n  isobar cmp results/RUN --filter warm --baseline wasmtime/cranelift-aot\n  \
                  isobar cmp results/MONDAY results/TUESDAY --filter hello --format markdown\n  isobar cmp results/RUN --by variant --filter cold"
)]
pub struct Cmp {
    /// The folders of the runs
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// What is compared
    #[arg(long, value_enum, default_value = "runtime")]
    by: By,
    /// What the others are compared with, as `isobar list` names it; by default the best of each row
    #[arg(long, value_name = "RUNTIME")]
    baseline: Option<String>,
    #[command(flatten)]
    shown: Shown,
}

/// What is compared with what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum By {
    /// The runtimes of a function with the baseline, or the best of them
    Runtime,
    /// The variants of a function (+wizer, +mvp) with the function, in each runtime
    Variant,
}

impl Cmp {
    pub fn run(self) -> Result<ExitCode> {
        let sources = self.shown.sources(&self.runs)?;
        match self.by {
            By::Runtime => self.shown.print(&compare::cmp(&sources, self.baseline.as_deref())?)?,
            By::Variant if self.baseline.is_some() => bail!("--baseline names a runtime: it is for --by runtime"),
            By::Variant => self.shown.print(&compare::variants(&sources)?)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
