use super::Places;
use super::progress::{disturbances, finish, measure};
use crate::experiment::{Round, differences, restore_brought};
use crate::record::{Header, Machine, Opened, RunFolder};
use crate::workload::Workload;
use anyhow::{Context, Result, bail};
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// Go on with a run that was cut off, then write its report and charts
#[derive(Debug, Args)]
#[command(
    after_help = "A run that was stopped, killed or ran out of disk lost at most the measurement that was being taken. \
                  The machine, the runtimes and the functions must be the same as when it began.\n\n\
                  Example:\n  isobar resume results/2026-11-20T17-25-42Z"
)]
pub struct Resume {
    /// The run's folder, as `isobar run` named it
    run: PathBuf,
    /// Exit with code 3 when a measurement failed
    #[arg(long)]
    strict: bool,
}

impl Resume {
    pub fn run(self, places: &Places) -> Result<ExitCode> {
        let Opened { folder, run, torn } = RunFolder::open(&self.run)?;
        if let Some(torn) = torn {
            eprintln!("the last line of records.jsonl was cut off while it was written: moved to {}", torn.display());
        }
        let Some(round) = Round::current(&run.header, &run.records) else {
            eprintln!("{} is complete: nothing is left to measure", self.run.display());
            return finish(&run, &folder, self.strict);
        };
        let registry = places.registry()?.with_platform();
        let workloads = self.workloads(&run.header, places)?;
        let found = differences(&run.header, &Machine::this(), &registry.runtimes, &workloads);
        if !found.is_empty() {
            bail!("{} cannot go on, for it is not as it was: {}", self.run.display(), found.join("; "));
        }
        let (measured, left) = (run.records.len(), round.left(&run.header, &run.records).len());
        eprintln!("{measured} measurements are there; round {} has {left} left", round.number + 1);
        disturbances().iter().for_each(|warning| eprintln!("warning: {warning}"));
        measure(run.header, run.records, &registry, &workloads, folder, self.strict)
    }

    /// A module that was brought is in the run's folder; other functions are in isobar's.
    fn workloads(&self, header: &Header, places: &Places) -> Result<Vec<Workload>> {
        let mut brought = Vec::new();
        for function in &header.functions {
            let restored = restore_brought(&self.run, function);
            brought.extend(restored.with_context(|| format!("{} cannot go on", self.run.display()))?);
        }
        if !brought.is_empty() {
            return Ok(brought);
        }
        let catalogue = places.catalogue()?;
        let sized = header.functions.iter().filter_map(|function| catalogue.sized(&function.name));
        Ok(catalogue.workloads().iter().cloned().chain(sized).collect())
    }
}
