use super::Places;
use super::list::table;
use crate::noise::{self, System};
use crate::record::Machine;
use crate::remote::RemoteRuntime;
use anyhow::Result;
use clap::Args;
use isobar_core::{Class, Runtime};
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
        let mut present = table(["", "family", "class", "version", "runtimes", "runner"]);
        let kind = |r: &RemoteRuntime| {
            let info = r.info();
            (info.id.family().to_owned(), info.version.clone(), info.emulated, r.program().clone())
        };
        for alike in registry.runtimes.chunk_by(|a, b| kind(a) == kind(b)) {
            let info = alike[0].info();
            // Several programs of one class are told apart by their modes: crun, runc.
            let family = if info.class == Class::Wasm { info.id.family() } else { info.id.as_str() };
            let (count, runner) = (alike.len().to_string(), alike[0].program().path.display().to_string());
            let class = format!("{}{}", info.class.name(), if info.emulated { ", emulated" } else { "" });
            present.add_row(["present", family, &class, &info.version, &count, &runner]);
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
