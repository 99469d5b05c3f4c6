//! The subcommands: one file each, which parses, calls and prints.

mod answer;
mod brought;
mod build;
mod chart;
mod cmp;
mod diff;
mod doctor;
mod export;
mod invoke;
mod list;
mod load;
mod merge;
mod new_workload;
mod own_time;
mod progress;
mod rank;
mod report;
mod reproduce;
mod resume;
mod run;
mod schema;
mod selftest;
#[cfg(feature = "serve")]
mod serve;
mod shards;
mod trace;
mod verify;

use crate::registry::Registry;
use crate::workload::Catalogue;
use anyhow::{Context, Result, bail};
use clap::{Args, Parser, Subcommand};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// A barometer for isolation runtimes: what a serverless function costs inside a WebAssembly runtime.
#[derive(Debug, Parser)]
#[command(name = "isobar", version, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    places: Places,
    #[command(subcommand)]
    command: Command,
}

/// Where things are.
#[derive(Debug, Args)]
struct Places {
    /// The folder with `workloads/`; by default the nearest one above the current folder or above isobar itself
    #[arg(long, global = true, value_name = "FOLDER", env = "ISOBAR_ROOT")]
    root: Option<PathBuf>,
    /// A folder with a manifest (*.toml) for each further runner program
    #[arg(long, global = true, value_name = "FOLDER", env = crate::registry::RUNNERS_VARIABLE)]
    runners: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(Box<run::Run>),
    Resume(resume::Resume),
    Invoke(invoke::Invoke),
    List(list::List),
    Build(build::Build),
    Verify(verify::Verify),
    NewWorkload(new_workload::NewWorkload),
    Doctor(doctor::Doctor),
    Report(report::Report),
    Reproduce(reproduce::Reproduce),
    Chart(chart::Chart),
    Cmp(cmp::Cmp),
    Rank(rank::Rank),
    Diff(diff::Diff),
    Selftest(selftest::Selftest),
    Export(export::Export),
    Shards(shards::Shards),
    Merge(merge::Merge),
    Load(Box<load::Load>),
    Trace(trace::Synthetic),
    Schema(schema::Schema),
    #[cfg(feature = "serve")]
    Serve(Box<serve::Serve>),
}

impl Cli {
    /// Runs the subcommand.
    ///
    /// # Errors
    /// What happened, to which file or runtime, and what to do; displayed with `{:#}` it is one line.
    pub fn run(self) -> Result<ExitCode> {
        match self.command {
            Command::Run(command) => command.run(&self.places),
            Command::Resume(command) => command.run(&self.places),
            Command::Invoke(command) => command.run(&self.places),
            Command::List(command) => command.run(&self.places),
            Command::Build(command) => command.run(&self.places),
            Command::Verify(command) => command.run(&self.places),
            Command::NewWorkload(command) => command.run(&self.places),
            Command::Doctor(command) => command.run(&self.places),
            Command::Report(command) => command.run(),
            Command::Reproduce(command) => command.run(&self.places),
            Command::Chart(command) => command.run(),
            Command::Cmp(command) => command.run(),
            Command::Rank(command) => command.run(),
            Command::Diff(command) => command.run(),
            Command::Selftest(command) => command.run(&self.places),
            Command::Export(command) => command.run(),
            Command::Shards(command) => command.run(),
            Command::Merge(command) => command.run(),
            Command::Load(command) => command.run(&self.places),
            Command::Trace(command) => command.run(),
            Command::Schema(command) => command.run(),
            #[cfg(feature = "serve")]
            Command::Serve(command) => command.start(),
        }
    }

    /// Runs the one subcommand of isobar-platform, in this process.
    ///
    /// # Errors
    /// As [`Cli::run`].
    #[cfg(feature = "serve")]
    pub fn serve(self) -> Result<ExitCode> {
        match self.command {
            Command::Serve(command) => command.run(&self.places),
            _ => bail!("isobar-platform only serves; `isobar` does everything else"),
        }
    }
}

/// Text for standard output that somebody may stop reading, as `| head` does: that is no error.
fn print(text: &str) -> Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(e) if e.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result.context("cannot write to standard output"),
    }
}

impl Places {
    fn root(&self) -> Result<PathBuf> {
        let holds_workloads = |folder: &Path| folder.join("workloads").join(crate::workload::SUMS).is_file();
        if let Some(root) = &self.root {
            if !holds_workloads(root) {
                bail!("{} holds no workloads/{}; give isobar's own folder", root.display(), crate::workload::SUMS);
            }
            return Ok(root.clone());
        }
        let here = std::env::current_dir().context("cannot tell the current folder")?;
        let exe = std::env::current_exe().unwrap_or_default();
        let found = here.ancestors().chain(exe.ancestors()).find(|folder| holds_workloads(folder));
        match found {
            // Short paths in messages.
            Some(root) if root == here => Ok(PathBuf::from(".")),
            Some(root) => Ok(root.to_owned()),
            None => bail!("no folder `workloads` here or above; go to isobar's own folder or name it with --root"),
        }
    }

    fn catalogue(&self) -> Result<Catalogue> {
        let root = self.root()?;
        let workloads = if root == Path::new(".") { PathBuf::from("workloads") } else { root.join("workloads") };
        Ok(Catalogue::load(&workloads)?)
    }

    fn registry(&self) -> Result<Registry> {
        Ok(Registry::discover_below(self.root.as_deref(), self.runners.as_deref())?)
    }
}
