//! What Criterion with its default settings (3 s of warming up, 5 s of measuring, 100 samples for each benchmark) needs for
//! the cells of isobar's quick plan: the other side of docs/SPEED.md. `scripts/speed` runs this.
//!
//! Cells that are no times (density) are left out. What Criterion cannot help here is not counted against it: compiling
//! ahead of time, starting runner programs, loading modules.

use criterion::Criterion;
use isobar::experiment::{FunctionSet, Plan};
use isobar::record::{Cell, cores};
use isobar::registry::Registry;
use isobar::remote::RemoteRuntime;
use isobar::workload::{Catalogue, Workload};
use isobar_core::measure::{Budget, MeasureError, Task, Unit, measure};
use isobar_core::runtime::Execution;
use isobar_core::{Module, Runtime};
use std::path::Path;
use std::time::{Duration, Instant};

/// Globs, separated by spaces, that choose cells as `isobar run --filter` does.
const FILTERS: &str = "ISOBAR_SPEED_FILTERS";

/// How many cells, drawn at random, stand for all.
const SAMPLE: &str = "ISOBAR_SPEED_SAMPLE";

/// The seed of that draw.
const SEED: u64 = 1;

fn main() {
    // Started as a test it has nothing to say.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let catalogue = Catalogue::load(&root.join("workloads")).expect("the committed functions are sound");
    let registry = Registry::discover(None).expect("there are no manifests to be broken");
    let (cells, planned) = cells(&registry, &catalogue);
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let mut criterion = Criterion::default().configure_from_args();
    let (mut seconds, mut failed) = (0.0, 0);
    for cell in &cells {
        let runtime = registry.find(cell.runtime.as_str()).expect("the plan names runtimes that are there");
        let workload = catalogue.find(&cell.function).expect("the plan names functions that are there");
        match task(runtime, workload, folder.path()).and_then(|task| bench(&mut criterion, cell, runtime, &task)) {
            Ok(needed) => seconds += needed.as_secs_f64(),
            Err(error) => {
                eprintln!("skipped {cell}: {error}");
                failed += 1;
            }
        }
    }
    println!("isobar-speed planned={planned} cells={} failed={failed} seconds={seconds:.1}", cells.len() - failed);
}

/// The cells of the quick plan that are times, or a sample of them; and how many there are in all.
fn cells(registry: &Registry, catalogue: &Catalogue) -> (Vec<Cell>, usize) {
    let filters = std::env::var(FILTERS).unwrap_or_default();
    let filters: Vec<String> = filters.split_whitespace().map(str::to_owned).collect();
    let plan = Plan::new(&registry.runtimes, catalogue.workloads(), cores(), FunctionSet::Quick, false, &filters, &[])
        .unwrap_or_else(|error| panic!("{FILTERS}: {error}"));
    let time = |cell: &Cell| matches!(cell.scenario.scenario().unit(), Unit::Nanoseconds | Unit::PerSecond);
    let mut cells: Vec<Cell> = plan.cells.into_iter().filter(time).collect();
    let planned = cells.len();
    fastrand::Rng::with_seed(SEED).shuffle(&mut cells);
    if let Ok(sample) = std::env::var(SAMPLE) {
        cells.truncate(sample.parse().unwrap_or_else(|_| panic!("{SAMPLE} is '{sample}': give a number of cells")));
    }
    (cells, planned)
}

fn task(runtime: &RemoteRuntime, workload: &Workload, folder: &Path) -> Result<Task, MeasureError> {
    let mut artifact = workload.form(runtime.info().form).map_err(|e| isobar_core::Failure::host(e.to_string()))?;
    if runtime.info().execution == Execution::Aot {
        artifact = folder.join(format!("{}-{}", runtime.info().id, workload.name).replace('/', "-"));
        if !artifact.is_file() {
            runtime.engine()?.compile(&workload.module_path, &artifact)?;
        }
    }
    Ok(Task {
        module: workload.module_path.clone(),
        artifact,
        invocation: workload.invocation.clone(),
        expectation: workload.expectation.clone(),
    })
}

/// Runs Criterion over a cell and says how long it took, but for what is not its own.
fn bench(
    criterion: &mut Criterion,
    cell: &Cell,
    runtime: &RemoteRuntime,
    task: &Task,
) -> Result<Duration, MeasureError> {
    // What fails in isobar has no number here either.
    measured(cell, runtime, task, 1)?;
    let resident = matches!(cell.scenario.name(), "warm" | "throughput");
    let modules: Vec<Box<dyn Module>> = if resident {
        let load = |_| runtime.engine()?.load(&task.artifact);
        (0..cell.scenario.threads()).map(load).collect::<Result<_, _>>()?
    } else {
        Vec::new()
    };
    let (start, mut boundary) = (Instant::now(), Duration::ZERO);
    criterion.bench_function(&cell.to_string(), |bencher| {
        bencher.iter_custom(|iterations| {
            let start = Instant::now();
            let time = if resident {
                invoked(&modules, task, iterations)
            } else {
                measured(cell, runtime, task, iterations).expect("it just worked")
            };
            boundary += start.elapsed().saturating_sub(time);
            time
        });
    });
    Ok(start.elapsed().saturating_sub(boundary))
}

/// So many samples of a scenario that starts from nothing, taken by isobar's own loop; the time is that of the samples.
fn measured(cell: &Cell, runtime: &RemoteRuntime, task: &Task, iterations: u64) -> Result<Duration, MeasureError> {
    let samples = iterations.try_into().unwrap_or(u32::MAX);
    let budget = Budget {
        warm_up_samples: 0,
        warm_up_ns: 0,
        min_samples: samples,
        max_samples: samples,
        time_ns: 0,
        precision: 0.0,
    };
    let measurement = measure(runtime, cell.scenario, task, &budget)?;
    Ok(Duration::from_nanos(cell.scenario.values(&measurement.samples).iter().sum::<f64>() as u64))
}

/// So many invocations, shared out to a thread for each of the modules, each in a runner of its own.
fn invoked(modules: &[Box<dyn Module>], task: &Task, iterations: u64) -> Duration {
    let each = iterations.div_ceil(modules.len().max(1) as u64);
    let start = Instant::now();
    std::thread::scope(|scope| {
        for module in modules {
            scope.spawn(move || {
                for _ in 0..each {
                    let mut instance = module.instantiate(&task.invocation).expect("it just worked");
                    let outcome = instance.execute().expect("it just worked");
                    task.expectation.check(&outcome).expect("it just was right");
                }
            });
        }
    });
    // Rounded up to whole rounds of all threads: Criterion is told the share that it asked for.
    start.elapsed().mul_f64(iterations as f64 / (each * modules.len().max(1) as u64) as f64)
}
