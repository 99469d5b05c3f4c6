use crate::load::trace::{DAY_MINUTES, Shape, Trace, TraceError, synthetic};
use crate::report::units;
use anyhow::Result;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// Make a synthetic trace of function invocations for `isobar load --trace`
#[derive(Debug, Args)]
#[command(
    after_help = "The format is that of the Azure Functions trace of 2019; docs/LOAD.md says what the synthetic one is modelled \
                  on.\n\nExample:\n  isobar trace --functions 200 --minutes 60 --seed 1 trace.csv"
)]
pub struct Synthetic {
    /// The file to write
    file: PathBuf,
    /// How many functions
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    functions: u32,
    /// How many minutes; a day by default
    #[arg(long, value_name = "N", default_value_t = DAY_MINUTES as u32, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    minutes: u32,
    /// No function is invoked more often in the mean: what is called all the time is warm by any policy, and takes a machine
    /// of its own
    #[arg(long, value_name = "N", default_value_t = 100_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    most_per_day: u64,
    /// The same seed gives the same trace
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

impl Synthetic {
    pub fn run(self) -> Result<ExitCode> {
        let shape = Shape {
            functions: self.functions as usize,
            minutes: self.minutes as usize,
            most_per_day: self.most_per_day as f64,
            seed: self.seed,
        };
        let trace: Trace = synthetic(shape);
        let failed = |source| TraceError::Io { what: "write", path: self.file.clone(), source };
        let file = std::fs::File::create(&self.file).map_err(failed)?;
        trace.write(std::io::BufWriter::new(file)).map_err(failed)?;
        super::print(&format!(
            "{}, {}, {} invocations, seed {}: {}\n",
            units::count(shape.functions, "function"),
            units::count(shape.minutes, "minute"),
            trace.invocations(),
            self.seed,
            self.file.display()
        ))?;
        Ok(ExitCode::SUCCESS)
    }
}
