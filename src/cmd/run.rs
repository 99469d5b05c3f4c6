use super::Places;
use super::report::derive;
use crate::experiment::{self, Observer, Plan};
use crate::record::{self, Cell, Header, Machine, Record, RunFolder, SCHEMA, Schedule};
use crate::registry::Registry;
use crate::workload::Workload;
use anyhow::{Context, Result};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use isobar_core::Runtime;
use isobar_core::measure::Effort;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The exit code of a program that was ended by Ctrl-C.
const INTERRUPTED: i32 = 130;

/// Measure functions in runtimes: cold start, warm latency, throughput; then write the report and the charts
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  isobar run --quick\n  isobar run --filter 'wasmtime/*' --filter hello --filter warm"
)]
pub struct Run {
    /// A first look within five minutes: every runtime and mode, a few functions, fewer samples
    #[arg(long)]
    quick: bool,
    /// Only what this glob matches: runtimes ('wasmtime/*'), functions (hello, 'rust/*') or scenarios (warm); repeatable
    #[arg(short, long = "filter", value_name = "GLOB")]
    filters: Vec<String>,
    /// All variants too (+pooling, +shared-wasi, +limits, ...), not only the plain modes
    #[arg(long)]
    variants: bool,
    /// How often each cell is measured, each time in a new process
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rounds: Option<u32>,
    /// The seed of the cells' order and of the resampling; by default one of the clock's
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Where runs are kept
    #[arg(long, value_name = "FOLDER")]
    results: Option<PathBuf>,
}

impl Run {
    pub fn run(self, places: &Places) -> Result<ExitCode> {
        let catalogue = places.catalogue()?;
        let registry = places.registry()?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let seed = self.seed.unwrap_or(now.subsec_nanos().into());
        let effort = if self.quick { Effort::Quick } else { Effort::Full };
        let processes = self.rounds.unwrap_or(5);
        let schedule = Schedule { min_processes: processes, max_processes: processes, precision: 0.02 };
        let cores = record::cores();
        let plan =
            Plan::new(&registry.runtimes, catalogue.workloads(), cores, self.quick, self.variants, &self.filters)?;
        let header = self.header(&plan, &registry, catalogue.workloads(), seed, schedule, now);
        let results = match self.results {
            Some(results) => results,
            None => places.root()?.join("results"),
        };
        let mut folder = RunFolder::create(&results, &folder_name(now), &header)?;
        for absent in &registry.absent {
            eprintln!("absent: {}: {}", absent.family, absent.reason);
        }
        eprintln!("{} cells, {} rounds, seed {seed}, into {}", plan.cells.len(), processes, folder.path().display());
        let mut progress = Progress::new(plan.cells.len() as u64 * u64::from(processes));
        end_on_interrupt(folder.path().to_owned())?;
        let (runtimes, workloads) = (&registry.runtimes, catalogue.workloads());
        let records = experiment::run(&plan, effort, &schedule, seed, runtimes, workloads, &mut folder, &mut progress)?;
        progress.bar.finish_and_clear();
        derive(&record::Run { header, records }, folder.path(), folder.path())?;
        Ok(ExitCode::SUCCESS)
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
            started_at_s: now.as_secs(),
            quick: self.quick,
            seed,
            schedule,
            shard: None,
            merged: Vec::new(),
            plan_sha256: String::new(),
            machines: vec![Machine::this()],
            pinned: false,
            warnings: Vec::new(),
            runtimes: registry.runtimes.iter().filter(planned).map(|runtime| runtime.info().clone()).collect(),
            absent: registry.absent.clone(),
            functions: workloads.iter().filter(measured).map(function).collect(),
            cells: plan.cells.clone(),
            elsewhere: Vec::new(),
            skipped: plan.skipped.clone(),
        }
    }
}

fn function(workload: &Workload) -> record::Function {
    record::Function {
        name: workload.name.clone(),
        description: workload.description.clone(),
        stands_for: workload.stands_for.clone(),
        module_sha256: workload.module_sha256.clone(),
        module_bytes: workload.module_bytes,
    }
}

/// `2026-11-20T17-25-42Z`: sorts by time, and every file system takes it.
fn folder_name(now: Duration) -> String {
    humantime::format_rfc3339_seconds(UNIX_EPOCH + now).to_string().replace(':', "-")
}

/// Ctrl-C ends the run at once: every finished record is on the disk, and the runners end with their parent.
fn end_on_interrupt(folder: PathBuf) -> Result<()> {
    ctrlc::set_handler(move || {
        eprintln!("\nstopped; what is measured is in {0}: isobar report {0}", folder.display());
        std::process::exit(INTERRUPTED);
    })
    .context("cannot listen for Ctrl-C")
}

/// A bar on a terminal; elsewhere a line now and then.
struct Progress {
    bar: ProgressBar,
    lines: bool,
    done: AtomicU64,
}

impl Progress {
    fn new(cells: u64) -> Self {
        let bar = ProgressBar::new(cells);
        let template = "{bar:30} {pos}/{len}  {eta} left  {wide_msg}";
        bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(Duration::from_secs(1));
        Progress { bar, lines: !std::io::stderr().is_terminal(), done: AtomicU64::new(0) }
    }
}

impl Observer for Progress {
    fn begins(&mut self, cell: &Cell) {
        self.bar.set_message(cell.to_string());
    }

    fn ended(&mut self, record: &Record) {
        if let Err(error) = &record.result {
            self.bar.suspend(|| eprintln!("failed: {}: {error}", record.cell));
        }
        self.bar.inc(1);
        let (done, of) = (self.done.fetch_add(1, Ordering::Relaxed) + 1, self.bar.length().unwrap_or(1));
        if self.lines && (done % 50 == 0 || done == of) {
            eprintln!("{done}/{of} measured, {:.0?} so far", self.bar.elapsed());
        }
    }
}
