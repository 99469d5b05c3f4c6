use super::Places;
use super::answer::print;
use super::progress::Progress;
use crate::compare::Format;
use crate::verify::{Bounds, Checked, Plan, Verdict, Verification, Wanted, answer, verify};
use crate::workload::known_failures;
use anyhow::{Context, Result};
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// The exit code of a program that was ended by Ctrl-C.
const INTERRUPTED: i32 = 130;

/// Check every function in every runtime against its expected output, and the runtimes against each other
#[derive(Debug, Args)]
#[command(
    after_help = "Every pair of a function and a runtime gets a process of its own. In the matrix, each function is a row and \
                  each runtime a column. Exit code 1: something failed, or two runtimes gave different answers to the same \
                  input. What is known to fail (workloads/known-failures.toml) is told apart, and so is what a runtime does \
                  not support.\n\n\
                  Examples:\n  isobar verify --size small\n  isobar verify --filter 'wasmi/*' --filter c/json --case all\n  \
                  isobar verify --filter 'rust/*+mvp' --filter 'wasm3/*' --format markdown"
)]
pub struct Verify {
    /// Only what this glob matches: runtimes ('wasmtime/*') or functions (hello, 'rust/*', each with its variants;
    /// '*+mvp'); repeatable
    #[arg(short, long = "filter", value_name = "GLOB")]
    filters: Vec<String>,
    /// Only inputs of this size (small, default, large); repeatable. Without it all three; a function that has no such
    /// size gets its `default`
    #[arg(long = "size", value_name = "GLOB")]
    sizes: Vec<String>,
    /// The test cases of the functions' families too: `all`, or a glob over their names; repeatable
    #[arg(long = "case", value_name = "GLOB")]
    cases: Vec<String>,
    /// Runtimes' variants too (+pooling, +shared-wasi, ...), not only the plain modes
    #[arg(long)]
    variants: bool,
    /// Only functions whose modules are kept in the repository, not those that are built on demand
    #[arg(long)]
    committed: bool,
    /// Do not try what is known to fail
    #[arg(long)]
    skip_known: bool,
    /// What one invocation may take
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, default_value = "30s")]
    limit: Duration,
    /// What compiling or loading a module may take
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, default_value = "10m")]
    load_limit: Duration,
    /// After this time only the smallest input of each remaining pair is tried
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, default_value = "30m")]
    total_time: Duration,
    /// How many pairs are verified at a time; by default as many as there are cores
    #[arg(short, long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    jobs: usize,
    /// The form of the answer
    #[arg(long, value_enum, default_value = "table", value_name = "FORMAT")]
    format: Format,
}

impl Verify {
    pub fn run(self, places: &Places) -> Result<ExitCode> {
        let (root, catalogue, registry) = (places.root()?, places.catalogue()?, places.registry()?);
        let known = known_failures(&root.join("workloads")).map_err(|problem| anyhow::anyhow!("{problem}"))?;
        let wanted = Wanted {
            filters: self.filters,
            sizes: self.sizes,
            cases: self.cases,
            variants: self.variants,
            committed: self.committed,
        };
        let plan = Plan::new(&registry.runtimes, &catalogue, &wanted)?;
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        end_on_interrupt(folder.path().to_owned())?;
        let bounds = Bounds {
            limit: self.limit,
            patience: self.load_limit,
            total: Some(self.total_time),
            jobs: self.jobs,
            skip_known: self.skip_known,
        };
        let progress = Progress::new(plan.pairs.len() as u64);
        let mut found = verify(&plan, &bounds, &known, folder.path(), &|cells| progress.ended(cells))?;
        progress.bar.finish_and_clear();
        found.absent = registry.absent;
        print(&answer(&found), self.format)?;
        Ok(verdict(&found))
    }
}

fn verdict(found: &Verification) -> ExitCode {
    if found.passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Ctrl-C ends the runners too, and leaves nothing behind.
fn end_on_interrupt(folder: PathBuf) -> Result<()> {
    ctrlc::set_handler(move || {
        crate::remote::end_all();
        let _ = std::fs::remove_dir_all(Path::new(&folder));
        std::process::exit(INTERRUPTED);
    })
    .context("cannot listen for Ctrl-C")
}

impl Progress {
    /// A pair is done: what failed is said at once.
    fn ended(&self, cells: &[Checked]) {
        for cell in cells {
            if let Verdict::Failed(what) = &cell.verdict {
                let line = format!("failed: {} in {} ({}): {what}", cell.function, cell.runtime, cell.input);
                self.bar.suspend(|| eprintln!("{line}"));
            }
        }
        if let Some(cell) = cells.last() {
            self.bar.set_message(format!("{} in {}", cell.function, cell.runtime));
        }
        self.bar.inc(1);
        let (done, of) = (self.bar.position(), self.bar.length().unwrap_or(1));
        if self.lines && (done % 200 == 0 || done == of) {
            eprintln!("{done}/{of} pairs verified, {:.0?} so far", self.bar.elapsed());
        }
    }
}
