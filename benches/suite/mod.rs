//! What the benches of runtimes share: a Criterion benchmark for every runtime that is here, in every plain mode, and every
//! function of a set, measured by isobar's own scenarios in the runner programs. Criterion is told the sum of the samples,
//! so the process boundary costs nothing in its figures.
//!
//! Names are `bench/runtime/mode/language/function`, so that `cargo bench wasmtime` and `cargo bench -- fibonacci` choose.

use criterion::{BenchmarkId, Criterion, Throughput};
use isobar::experiment::FunctionSet;
use isobar::registry::{RUNNERS_VARIABLE, Registry};
use isobar::remote::RemoteRuntime;
use isobar::workload::{Catalogue, Workload};
use isobar_core::Runtime;
use isobar_core::measure::{Budget, MeasureError, Measurement, ScenarioId, Task, Unit, measure};
use isobar_core::runtime::Execution;
use std::cell::OnceCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Duration;

/// Measured one by one up to so many; what Criterion asks for beyond that is these, scaled up.
const MOST_SAMPLES: u64 = 20_000;

/// Runs the benchmarks of these scenarios, one group for each, and ends the process: with 1 if a function failed.
pub fn run(bench: &str, scenarios: &[&str], set: FunctionSet) -> ! {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let catalogue = Catalogue::load(&root.join("workloads")).expect("the committed functions are sound");
    let manifests = std::env::var_os(RUNNERS_VARIABLE);
    let registry = Registry::discover(manifests.as_deref().map(Path::new)).expect("the manifests are sound");
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    let mut failed = 0;
    // A benchmark that fails says so in one line, and the others go on.
    std::panic::set_hook(Box::new(|panic| eprintln!("{}", panic.payload_as_str().unwrap_or("a panic"))));
    for scenario in scenarios {
        let scenario: ScenarioId = scenario.parse().expect("the scenario is one of isobar's");
        let named = if scenarios.len() > 1 { format!("{bench}/{scenario}") } else { bench.to_owned() };
        let mut group = criterion.benchmark_group(named);
        if scenario.scenario().unit() == Unit::PerSecond {
            group.throughput(Throughput::Elements(1));
        }
        for runtime in registry.runtimes.iter().filter(|runtime| offers(runtime, scenario)) {
            for workload in catalogue.workloads().iter().filter(|w| set.holds(w) && w.variant.is_none()) {
                // What a runtime cannot load is no failure of it.
                if workload.form(runtime.info().form).is_err() {
                    continue;
                }
                let made = OnceCell::new();
                let id = BenchmarkId::new(runtime.info().id.as_str(), &workload.name);
                let benchmark = AssertUnwindSafe(|| {
                    group.bench_function(id, |bencher| {
                        // Criterion calls this for each sample, and never for what its filter leaves out.
                        let task = made.get_or_init(|| task(runtime, workload, folder.path()));
                        bencher.iter_custom(|iterations| {
                            match task.as_ref().map(|task| time(runtime, scenario, task, iterations)) {
                                Ok(Ok(time)) => time,
                                Ok(Err(error)) => panic!("failed: {} {}: {error}", runtime.info().id, workload.name),
                                Err(error) => panic!("failed: {} {}: {error}", runtime.info().id, workload.name),
                            }
                        });
                    });
                });
                failed += u32::from(catch_unwind(benchmark).is_err());
            }
        }
        group.finish();
    }
    criterion.final_summary();
    drop(folder);
    std::process::exit(i32::from(failed > 0))
}

/// Plain modes, in the scenarios that they can be measured in.
fn offers(runtime: &RemoteRuntime, scenario: ScenarioId) -> bool {
    let info = runtime.info();
    let obstacle = info.refusal(scenario.name()).or_else(|| scenario.scenario().obstacle(info, scenario.threads()));
    info.id.variants().next().is_none() && obstacle.is_none()
}

fn task(runtime: &RemoteRuntime, workload: &Workload, folder: &Path) -> Result<Task, MeasureError> {
    let info = runtime.info();
    let module = workload.form(info.form).map_err(|e| isobar_core::Failure::host(e.to_string()))?;
    let mut artifact = module.clone();
    if info.execution == Execution::Aot {
        artifact = folder.join(format!("{}-{}", info.id, workload.name).replace('/', "-"));
        if !artifact.is_file() {
            runtime.engine()?.compile(&module, &artifact)?;
        }
    }
    Ok(Task { module, artifact, invocation: workload.invocation.clone(), expectation: workload.expectation.clone() })
}

/// How long so many invocations took.
fn time(runtime: &RemoteRuntime, scenario: ScenarioId, task: &Task, iterations: u64) -> Result<Duration, MeasureError> {
    let samples = iterations.min(MOST_SAMPLES);
    let per_second = scenario.scenario().unit() == Unit::PerSecond;
    let count = if per_second { 1 } else { samples as u32 };
    let budget = Budget {
        warm_up_samples: if per_second { 0 } else { 20 },
        warm_up_ns: 20_000_000,
        min_samples: count,
        max_samples: count,
        time_ns: if per_second { 20_000_000 } else { 0 },
        precision: 0.0,
    };
    let Measurement { samples: taken, .. } = measure(runtime, scenario, task, &budget)?;
    let values = scenario.values(&taken);
    let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
    let each_ns = if per_second { 1e9 / mean } else { mean };
    Ok(Duration::from_nanos((each_ns * iterations as f64) as u64))
}
