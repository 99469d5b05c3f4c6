use super::Places;
use super::answer::precision;
use super::brought::{Call, Expected, Guest, observed};
use super::progress::{disturbances, measure};
use crate::experiment::{self, FunctionSet, Plan, keep, plan_sha256};
use crate::record::{self, Formless, Header, Machine, RunFolder, SCHEMA, Schedule, Shard};
use crate::registry::Registry;
use crate::workload::{Catalogue, Workload};
use anyhow::{Result, bail};
use clap::Args;
use isobar_core::measure::{Effort, SCENARIOS, available, nanoseconds};
use isobar_core::{Form, Runtime, RuntimeId};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Measure functions in runtimes: cold start, warm latency, throughput; then write the report and the charts
#[derive(Debug, Args)]
#[command(
    after_help = "Every cell (a runtime, a function, a scenario) is measured in several processes; then those go on whose \
                  95 % interval is still too wide. A measurement that fails is recorded and reported and does not end the \
                  run.\n\nExamples:\n  isobar run --quick\n  isobar run --filter 'wasmtime/*' --filter hello --filter warm\n  \
                  isobar run --filter warm --precision 0.5% --max-processes 40\n  \
                  isobar run --filter 'wasmi/*' --filter instructions\n  isobar run --quick --languages\n  \
                  isobar run --filter 'wasmtime/*' --filter 'http-*' --quick\n  \
                  isobar run --scenario isolation\n  \
                  isobar run --module mine.wasm --env N=30 --expect 832040 --quick"
)]
pub struct Run {
    /// A first look within five minutes: every runtime and mode, a few functions, fewer samples
    #[arg(long)]
    quick: bool,
    /// Only what this glob matches: runtimes ('wasmtime/*'), functions (hello, 'rust/*') or scenarios (warm); repeatable
    #[arg(short, long = "filter", value_name = "GLOB")]
    filters: Vec<String>,
    /// Only this scenario: the same as a filter with its name; repeatable
    #[arg(long = "scenario", value_name = "NAME", value_parser = planned_names())]
    scenarios: Vec<String>,
    /// Every function in every language, not only the few of the default set
    #[arg(long, conflicts_with = "module")]
    all_functions: bool,
    /// Compare languages: a few functions in every language that has them, in one report
    #[arg(long, conflicts_with_all = ["all_functions", "module"])]
    languages: bool,
    /// All variants too (+pooling, +shared-wasi, +limits, ...), not only the plain modes
    #[arg(long)]
    variants: bool,
    /// In how many processes each cell is measured at least
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), default_value_t = 5)]
    processes: u32,
    /// In how many processes a cell is measured at most; by default 15, with --quick 5
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_processes: Option<u32>,
    /// A cell is done when half of its 95 % interval is at most this share of its median
    #[arg(long, value_name = "SHARE", value_parser = precision, default_value = "2%")]
    precision: f64,
    /// A cell that was measured in --processes is done after this time whatever its interval; by default 30s, with
    /// --quick 2s
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    cell_time: Option<Duration>,
    /// No further round starts that would end after this time; by default there is no such limit, with --quick
    /// 300s, with --languages, too, 600s
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    total_time: Option<Duration>,
    /// Measure this too, which is not measured by default: callgrind counts instructions, where valgrind is installed;
    /// http starts and loads servers, isobar's own platform among them; isolation tries what a function must not do
    #[arg(long = "measure", value_name = "NAME", value_parser = opt_in_names())]
    measures: Vec<String>,
    /// Bind runners to the last processors, and isobar to the others
    #[arg(long)]
    pin: bool,
    /// The seed of the cells' order and of the resampling; by default one of the clock's
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Only this part of the plan: 2/5 for the second of five, whose runs `isobar merge` joins (docs/SCALE.md). All of them
    /// need the same options and --seed
    #[arg(long, value_name = "I/N", requires = "seed")]
    shard: Option<Shard>,
    /// Where runs are kept
    #[arg(long, value_name = "FOLDER")]
    results: Option<PathBuf>,
    /// Into this folder, which must be new or empty, instead of one below --results that is named by the time
    #[arg(long, value_name = "FOLDER", conflicts_with = "results")]
    into: Option<PathBuf>,
    /// Exit with code 3 when a measurement failed
    #[arg(long)]
    strict: bool,
    #[command(flatten, next_help_heading = "A module of yours")]
    call: Call,
    #[command(flatten, next_help_heading = "A module of yours")]
    expected: Expected,
}

impl Run {
    pub fn run(mut self, places: &Places) -> Result<ExitCode> {
        self.filters.append(&mut self.scenarios);
        let mut guest = Guest::of(&self.call)?;
        let (mut workloads, unbuilt) = match &guest {
            Some(guest) => (vec![guest.workload.clone()], Vec::new()),
            None => places.catalogue().map(|catalogue| (catalogue.workloads().to_vec(), self.unbuilt(&catalogue)))?,
        };
        let registry = places.registry()?.with_platform();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let seed = self.seed.unwrap_or(now.subsec_nanos().into());
        let schedule = self.schedule()?;
        let cores = record::cores();
        let mut plan = Plan::new(
            &registry.runtimes,
            &workloads,
            cores,
            self.functions(),
            self.variants,
            &self.filters,
            &self.measures,
        )?;
        let brought = guest.as_mut().map(|guest| guest.try_out(&mut plan, &registry, &self.expected)).transpose()?;
        let mut header = self.header(&plan, &registry, &workloads, seed, schedule, now);
        header.unbuilt = unbuilt;
        header.warnings = disturbances();
        if let (Some(brought), [function]) = (brought, header.functions.as_mut_slice()) {
            header.warnings.extend(observed(&function.name, &brought));
            function.brought = Some(brought);
        }
        header.plan_sha256 = plan_sha256(&header);
        if let Some(shard) = self.shard {
            keep(shard, &mut header)?;
        }
        let folder = match (&self.into, &self.results) {
            (Some(into), _) => RunFolder::create_in(into, &header)?,
            (None, Some(results)) => RunFolder::create(results, &folder_name(now), &header)?,
            (None, None) => RunFolder::create(&self.default_results(places)?, &folder_name(now), &header)?,
        };
        if let Some(guest) = &mut guest {
            guest.keep(&folder, &header)?;
            workloads = vec![guest.workload.clone()];
        }
        header.warnings.iter().for_each(|warning| eprintln!("warning: {warning}"));
        for absent in &registry.absent {
            eprintln!("absent: {}: {}", absent.family, absent.reason);
        }
        for unbuilt in &header.unbuilt {
            eprintln!("absent: {}: {}", unbuilt.function, unbuilt.reason);
        }
        // A module that was brought is nothing else, which whoever brings it knows.
        for Formless { function, runtimes, reason, .. } in header.formless.iter().filter(|_| guest.is_none()) {
            eprintln!("skipped: {function} in {}: {reason}", names(runtimes));
        }
        let Schedule { min_processes, max_processes, precision, .. } = schedule;
        let (cells, percent) = (header.cells.len(), precision * 100.0);
        let processes = if min_processes == max_processes {
            format!("{min_processes} processes each")
        } else {
            format!("{min_processes} to {max_processes} processes each, to within {percent} %")
        };
        eprintln!("{cells} cells, {processes}, seed {seed}, into {}", folder.path().display());
        eprintln!("{}", estimate(&header));
        measure(header, Vec::new(), &registry, &workloads, folder, self.strict)
    }

    /// Below isobar's own folder; a module of one's own can be measured from anywhere, and then it is the current one.
    fn default_results(&self, places: &Places) -> Result<PathBuf> {
        match places.root() {
            Err(_) if self.call.module.is_some() && places.root.is_none() => Ok(PathBuf::from("results")),
            root => Ok(root?.join("results")),
        }
    }

    fn functions(&self) -> FunctionSet {
        match (self.all_functions || self.call.module.is_some(), self.quick) {
            _ if self.languages => FunctionSet::Languages,
            (true, _) => FunctionSet::All,
            (false, true) => FunctionSet::Quick,
            (false, false) => FunctionSet::Default,
        }
    }

    /// Those that a comparison of languages lacks.
    fn unbuilt(&self, catalogue: &Catalogue) -> Vec<record::Unbuilt> {
        let missing = catalogue.unbuilt().iter().filter(|unbuilt| self.languages && unbuilt.compared);
        missing.map(|u| record::Unbuilt { function: u.name.clone(), reason: u.reason.clone() }).collect()
    }

    fn schedule(&self) -> Result<Schedule> {
        let (most, cell_s, total_s) = if self.quick { (5, 2, Some(300)) } else { (15, 30, None) };
        let max_processes = self.max_processes.unwrap_or(most.max(self.processes));
        if max_processes < self.processes {
            bail!("--max-processes {max_processes} is less than --processes {}: raise it", self.processes);
        }
        let total_s = total_s.map(|limit| if self.languages { 2 * limit } else { limit });
        let total_time = self.total_time.or(total_s.map(Duration::from_secs));
        Ok(Schedule {
            min_processes: self.processes,
            max_processes,
            precision: self.precision,
            cell_time_ns: Some(nanoseconds(self.cell_time.unwrap_or(Duration::from_secs(cell_s)))),
            total_time_ns: total_time.map(nanoseconds),
        })
    }

    fn header(
        &self,
        plan: &Plan,
        registry: &Registry,
        workloads: &[Workload],
        seed: u64,
        schedule: Schedule,
        now: Duration,
    ) -> Header {
        let planned =
            |runtime: &&crate::remote::RemoteRuntime| plan.cells.iter().any(|cell| cell.runtime == runtime.info().id);
        let measured = |workload: &&Workload| plan.cells.iter().any(|cell| cell.function == workload.name);
        Header {
            schema: SCHEMA,
            isobar: env!("CARGO_PKG_VERSION").to_owned(),
            arguments: typed(std::env::args().skip(1)),
            started_at_s: now.as_secs(),
            quick: self.quick,
            seed,
            schedule,
            shard: None,
            merged: Vec::new(),
            plan_sha256: String::new(),
            machines: vec![Machine::this()],
            pinned: self.pin,
            measures: available(),
            warnings: Vec::new(),
            runtimes: registry.runtimes.iter().filter(planned).map(|runtime| runtime.info().clone()).collect(),
            absent: registry.absent.clone(),
            functions: workloads.iter().filter(measured).map(|w| self.function(plan, registry, w)).collect(),
            cells: plan.cells.clone(),
            elsewhere: Vec::new(),
            skipped: plan.skipped.clone(),
            load: None,
            unbuilt: Vec::new(),
            formless: plan.formless.clone(),
        }
    }

    /// A function with all forms in which the plan loads it.
    fn function(&self, plan: &Plan, registry: &Registry, workload: &Workload) -> record::Function {
        let of_function = plan.cells.iter().filter(|cell| cell.function == workload.name);
        let runtimes: BTreeSet<&RuntimeId> = of_function.map(|cell| &cell.runtime).collect();
        let infos = registry.runtimes.iter().map(Runtime::info).filter(|info| runtimes.contains(&info.id));
        let forms: BTreeSet<Form> = infos.map(|info| info.form).filter(|form| *form != Form::Wasm).collect();
        let loaded = |form| Some((form, experiment::loaded(workload, form).ok()?));
        record::Function { forms: forms.into_iter().filter_map(loaded).collect(), ..function(workload, self.languages) }
    }
}

/// The first of many runtimes, and how many more there are.
fn names(runtimes: &[RuntimeId]) -> String {
    match runtimes {
        [] => String::new(),
        [one] => one.to_string(),
        [first, others @ ..] => format!("{first} and {} more", others.len()),
    }
}

/// What of the arguments belongs to the plan: not where the run is kept, nor which part of it is measured.
pub(super) fn typed(arguments: impl Iterator<Item = String>) -> Vec<String> {
    const LEFT_OUT: [&str; 3] = ["--into", "--results", "--shard"];
    let mut kept = Vec::new();
    let mut is_value = false;
    for argument in arguments {
        let (name, has_value) = argument.split_once('=').map_or((&argument[..], false), |(name, _)| (name, true));
        let left_out = is_value || LEFT_OUT.contains(&name);
        is_value = left_out && !is_value && !has_value;
        if !left_out {
            kept.push(argument);
        }
    }
    kept
}

/// How long a run takes, judged by the budgets of its cells.
fn estimate(header: &Header) -> String {
    /// Starting a runner, loading a module, and what else there is around the budget.
    const AROUND_NS: u64 = 50_000_000;
    let effort = if header.quick { Effort::Quick } else { Effort::Full };
    let of_cell = |cell: &record::Cell| {
        let scenario = cell.scenario.scenario();
        let budget = scenario.budget(effort);
        let processes = scenario.max_processes().unwrap_or(u32::MAX).min(header.schedule.min_processes);
        let once_ns = budget.warm_up_ns.saturating_add(budget.time_ns).saturating_add(AROUND_NS);
        once_ns.saturating_mul(processes.into())
    };
    let all_ns = header.cells.iter().map(of_cell).fold(0, u64::saturating_add);
    let show = |ns: u64| humantime::format_duration(Duration::from_secs(ns.div_ceil(1_000_000_000)));
    let limit = header.schedule.total_time_ns.map_or_else(String::new, |limit| {
        format!("; after the first round none starts that would end after {}", show(limit))
    });
    format!("about {} if every cell keeps to its budget; slow ones take longer{limit}", show(all_ns))
}

/// The scenarios that can be planned.
fn planned_names() -> Vec<&'static str> {
    SCENARIOS.iter().filter(|scenario| scenario.planned()).map(|scenario| scenario.name()).collect()
}

/// What scenarios that are left out by default are called.
fn opt_in_names() -> Vec<&'static str> {
    let mut names: Vec<_> = SCENARIOS.iter().filter_map(|scenario| scenario.opt_in()).collect();
    names.dedup();
    names
}

pub(super) fn function(workload: &Workload, languages: bool) -> record::Function {
    let size = workload.comparison().filter(|_| languages).map(|comparison| comparison.size.clone());
    record::Function {
        name: workload.name.clone(),
        description: workload.description.clone(),
        stands_for: workload.stands_for.clone(),
        module_sha256: workload.module_sha256.clone(),
        module_bytes: workload.module_bytes,
        forms: BTreeMap::new(),
        brought: None,
        language: workload.compared_as().map(str::to_owned),
        family: workload.family.as_ref().map(|family| family.name.clone()),
        size: size.filter(|size| size != "default"),
    }
}

/// `2026-11-20T17-25-42Z`: sorts by time, and every file system takes it.
fn folder_name(now: Duration) -> String {
    humantime::format_rfc3339_seconds(UNIX_EPOCH + now).to_string().replace(':', "-")
}

#[cfg(test)]
mod tests {
    use super::typed;

    #[test]
    fn where_a_run_is_kept_is_not_noted() {
        let typed = |line: &str| typed(line.split(' ').map(str::to_owned)).join(" ");
        assert_eq!(typed("run --into /a --quick --shard 1/2 --filter --into=b x"), "run --quick --filter x");
        assert_eq!(typed("run --results=/a --seed 3"), "run --seed 3");
    }
}
