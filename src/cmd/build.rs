use super::Places;
use crate::workload::{BuildOptions, BuildReport, Builder, Built};
use anyhow::{Result, bail};
use clap::Args;
use std::process::ExitCode;

/// Build the functions' modules from their sources, as far as they are stale and the toolchains are here
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  isobar build\n  isobar build 'c/*' rust/fibonacci\n  isobar build '*+mvp' --check\n  isobar build --native 'rust/*'"
)]
pub struct Build {
    /// Only functions that this glob matches (c/hello, 'rust/*', hello; '*+mvp' for variants); all without one
    #[arg(value_name = "FILTER")]
    filters: Vec<String>,
    /// Build what is not stale, too
    #[arg(long)]
    force: bool,
    /// Build all anew elsewhere, compare the bytes with those that are recorded, and change nothing
    #[arg(long)]
    check: bool,
    /// Build executables and libraries of this machine instead, of the functions whose language says how: below
    /// target/workloads/native
    #[arg(long)]
    native: bool,
    /// Build components for wasi:http instead, of the functions whose language says how: below target/workloads/component
    #[arg(long, conflicts_with = "native")]
    component: bool,
    /// How many modules are built at a time; by default as many as there are cores
    #[arg(short, long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    jobs: usize,
}

impl Build {
    pub fn run(self, places: &Places) -> Result<ExitCode> {
        let check = self.check;
        let options = BuildOptions { filters: self.filters, force: self.force, check, jobs: self.jobs };
        let root = places.root()?;
        let builder = match (self.native, self.component) {
            (true, _) => Builder::native(&root)?,
            (_, true) => Builder::component(&root)?,
            _ => Builder::new(&root)?,
        };
        let report = builder.build(&options, &|name, built| tell(name, built, check))?;
        for (toolchain, reason) in &report.missing {
            let lacks = |built: &Built| matches!(built, Built::Lacks(name) if name == toolchain);
            let stale = report.built.iter().filter(|(_, built)| lacks(built)).count();
            println!("{toolchain} {reason} ({stale} stale modules stay as they are)");
        }
        summary(&report, check)
    }
}

fn tell(name: &str, built: &Built, check: bool) {
    match built {
        Built::Done { bytes, changed: false, .. } => println!("{name}: {bytes} bytes, as recorded"),
        Built::Done { bytes, varies: Some(why), .. } if check => {
            println!("{name}: {bytes} bytes, not as recorded: {why}")
        }
        Built::Done { bytes, .. } if check => println!("{name}: {bytes} bytes, NOT as recorded"),
        Built::Done { bytes, .. } => println!("{name}: {bytes} bytes"),
        Built::Failed(what) => println!("{name}: failed: {what}"),
        // Named together, by toolchain.
        Built::Lacks(_) => {}
    }
}

/// Counts, and what went wrong.
fn summary(report: &BuildReport, check: bool) -> Result<ExitCode> {
    let count = |wanted: fn(&Built) -> bool| report.built.iter().filter(|(_, built)| wanted(built)).count();
    let built = count(|built| matches!(built, Built::Done { .. }));
    let failed = count(|built| matches!(built, Built::Failed(_)));
    let lacking = count(|built| matches!(built, Built::Lacks(_)));
    let differ = count(|built| matches!(built, Built::Done { changed: true, varies: None, .. }));
    println!("{} up to date, {built} built, {lacking} without their toolchain, {failed} failed", report.current);
    for problem in &report.problems {
        eprintln!("{problem}");
    }
    if check && differ > 0 {
        bail!("{differ} modules are not what their sources give; run isobar build and commit them");
    }
    if failed > 0 || !report.problems.is_empty() {
        bail!("not everything could be built: the lines above say why");
    }
    Ok(ExitCode::SUCCESS)
}
