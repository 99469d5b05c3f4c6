use super::Places;
use crate::workload::{Catalogue, Workload};
use anyhow::Result;
use clap::Args;
use comfy_table::{ContentArrangement, Table, presets};
use isobar_core::Runtime;
use isobar_core::measure::SCENARIOS;
use std::process::ExitCode;

/// Show the runtimes, the functions and the scenarios that can be measured
#[derive(Debug, Args)]
pub struct List {
    /// Only names, one a line
    #[arg(long)]
    names: bool,
}

impl List {
    pub fn run(self, places: &Places) -> Result<ExitCode> {
        let (registry, catalogue) = (places.registry()?, places.catalogue()?);
        if self.names {
            registry.runtimes.iter().for_each(|runtime| println!("{}", runtime.info().id));
            catalogue.workloads().iter().for_each(|workload| println!("{}", workload.name));
            return Ok(ExitCode::SUCCESS);
        }
        let mut table = table(["runtime", "version", "WASI", "variants"]);
        for runtime in registry.runtimes.iter().filter(|runtime| runtime.info().id.variants().next().is_none()) {
            let info = runtime.info();
            let variants: Vec<&str> = registry
                .runtimes
                .iter()
                .filter_map(|other| other.info().id.as_str().strip_prefix(info.id.as_str())?.strip_prefix('+'))
                .collect();
            let variants: String = variants.iter().map(|variant| format!("+{variant} ")).collect();
            let version = format!("{}{}", info.version, if info.emulated { ", emulated" } else { "" });
            table.add_row([info.id.as_str(), &version, &info.wasi, variants.trim_end()]);
        }
        println!("{table}\n");
        println!("{}\n", functions(&catalogue));
        let mut scenarios = self::table(["scenario", "what is measured", ""]);
        for scenario in SCENARIOS {
            let when = match scenario.opt_in() {
                _ if !scenario.planned() => "by isobar load".to_owned(),
                Some(name) => format!("only with --measure {name}"),
                None => String::new(),
            };
            scenarios.add_row([scenario.name(), scenario.title(), &when]);
        }
        println!("{scenarios}");
        for absent in &registry.absent {
            println!("absent: {} ({})", absent.family, absent.reason);
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The functions, each with its variants, and how many are not built.
fn functions(catalogue: &Catalogue) -> String {
    let all = catalogue.workloads();
    let mut table = self::table(["function", "set", "bytes", "variants", "native", "sizes", "what it does"]);
    for workload in all.iter().filter(|workload| workload.variant.is_none()) {
        let set = match (workload.quick, workload.default) {
            (true, _) => "quick",
            (false, true) => "default",
            (false, false) => "",
        };
        let of_this =
            |other: &&Workload| other.name.strip_prefix(&workload.name).is_some_and(|rest| rest.starts_with('+'));
        let variants = all.iter().filter(of_this).filter_map(|other| other.variant.as_deref());
        let variants: String = variants.map(|variant| format!("+{variant} ")).collect();
        let sizes: Vec<&str> = workload.sizes().collect();
        let bytes = workload.module_bytes.to_string();
        let native = match [workload.has_native(), workload.has_library()] {
            [None, None] => "",
            both if both.contains(&Some(false)) => "not built",
            _ => "built",
        };
        let cells = [&workload.name, set, &bytes, variants.trim_end(), native, &sizes.join(" "), &workload.description];
        table.add_row(cells);
    }
    match catalogue.unbuilt().len() {
        0 => table.to_string(),
        count => format!("{table}\nnot built: {count} modules; `isobar build` builds those whose toolchains are here"),
    }
}

/// A table that fits the terminal.
pub(super) fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_header(header);
    table
}
