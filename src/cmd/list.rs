use super::Places;
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
            table.add_row([info.id.as_str(), &info.version, &info.wasi, variants.trim_end()]);
        }
        println!("{table}\n");
        let mut functions = self::table(["function", "bytes", "what it does", "what it stands for"]);
        for workload in catalogue.workloads() {
            let bytes = workload.module_bytes.to_string();
            functions.add_row([&workload.name, &bytes, &workload.description, &workload.stands_for]);
        }
        println!("{functions}\n");
        let mut scenarios = self::table(["scenario", "what is measured", ""]);
        for scenario in SCENARIOS {
            let when = scenario.opt_in().map_or_else(String::new, |name| format!("only with --measure {name}"));
            scenarios.add_row([scenario.name(), scenario.title(), &when]);
        }
        println!("{scenarios}");
        for absent in &registry.absent {
            println!("absent: {} ({})", absent.family, absent.reason);
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// A table that fits the terminal.
pub(super) fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_header(header);
    table
}
