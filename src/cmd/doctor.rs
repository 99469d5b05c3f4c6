use super::Places;
use super::list::table;
use crate::noise::{self, System};
use crate::record::Machine;
use anyhow::Result;
use clap::Args;
use isobar_core::Runtime;
use std::process::ExitCode;

/// Say what is present, in which version, what is missing and what to do about it
#[derive(Debug, Args)]
pub struct Doctor {}

impl Doctor {
    pub fn run(self, places: &Places) -> Result<ExitCode> {
        let machine = Machine::this();
        let memory_gib = machine.memory_bytes as f64 / f64::from(1 << 30);
        println!("machine   {}, {} cores, {memory_gib:.1} GiB, {}", machine.cpu, machine.cores, machine.architecture);
        println!("system    {}, Linux {}", machine.os, machine.kernel);
        println!("isobar    {}", env!("CARGO_PKG_VERSION"));
        let functions = places.catalogue();
        match &functions {
            Ok(catalogue) => println!("functions {}, all as their sums say", catalogue.workloads().len()),
            Err(error) => println!("functions broken: {error:#}"),
        }
        let registry = places.registry()?;
        let mut present = table(["", "family", "version", "runtimes", "runner"]);
        let mut families: Vec<_> = registry.runtimes.iter().map(|r| (r.info().id.family(), r.program())).collect();
        families.dedup();
        for (family, program) in families {
            let of_program: Vec<_> = registry.runtimes.iter().filter(|r| r.program() == program).collect();
            let version = of_program.first().map_or("", |runtime| runtime.info().version.as_str());
            let runner = program.path.display().to_string();
            present.add_row(["present", family, version, &of_program.len().to_string(), &runner]);
        }
        println!("\n{present}");
        for absent in &registry.absent {
            println!("absent: {}: {}", absent.family, absent.reason);
        }
        println!();
        for measure in isobar_core::measure::available() {
            let state = if measure.available { "measured" } else { "not available" };
            let reason = measure.reason.map_or_else(String::new, |reason| format!(": {reason}"));
            println!("{}: {state}{reason}", measure.name);
        }
        for warning in noise::before_run(&System::this()) {
            println!("warning: {warning}");
        }
        let sound = functions.is_ok() && !registry.runtimes.is_empty();
        Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
