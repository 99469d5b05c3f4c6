use super::Places;
use super::answer::share;
use crate::compare::selftest::{Aa, Clock, Design, Gaps, NOMINAL, driver_ns, pairs, reasons};
use crate::noise::{Load, System};
use crate::record::Noise;
use crate::registry::Registry;
use crate::remote::RemoteRuntime;
use crate::report::units;
use crate::workload::Workload;
use anyhow::{Context, Result, anyhow};
use clap::Args;
use indicatif::ProgressBar;
use isobar_core::Runtime;
use isobar_core::measure::{Effort, ScenarioId, Task};
use isobar_core::runtime::Execution;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// Say whether this machine can be trusted: measure one cell as if it were two, and see how often they seem to differ
#[derive(Debug, Args)]
#[command(
    after_help = "The same function in the same runtime is measured as two cells, A and B, pair after pair, their processes \
                  taking turns as in a run. A comparison that holds what it says calls about 5 % of these pairs different. \
                  Also printed: what the clock and the harness cost, the time that a busy loop loses, and how busy the \
                  machine is with other things.\n\n\
                  Exit code: 0; 1 with the reasons if the machine is too noisy for the target precision, if more equal cells \
                  are called different than should be, or if the machine drifts; 2 for errors. It takes less than a minute.\n\n\
                  Examples:\n  isobar selftest --quick\n  isobar selftest --runtime wasmtime/cranelift-aot --precision 1%"
)]
pub struct Selftest {
    /// Fewer pairs, within 15 seconds: enough to see that something is badly wrong
    #[arg(long)]
    quick: bool,
    /// The runtime, as `isobar list` names it; by default the smallest that is there
    #[arg(long)]
    runtime: Option<String>,
    /// The function
    #[arg(long, default_value = "rust/hello")]
    function: String,
    /// The target: half the width of a cell's 95 % interval, as a share of its median
    #[arg(long, value_name = "PERCENT", default_value = "2%", value_parser = share)]
    precision: f64,
    /// How many processes make a cell
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(2..=100))]
    processes: u32,
    /// The seed of the processes' order and of the resampling
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

/// Quick to start, and so the first choice.
const SMALL: [&str; 2] = ["wasm3/lazy", "wasmi/eager"];

impl Selftest {
    pub fn run(self, places: &Places) -> Result<ExitCode> {
        let (registry, catalogue) = (places.registry()?, places.catalogue()?);
        let (runtime, workload) = (self.runtime(&registry)?, catalogue.find(&self.function)?);
        let clock = Clock::this();
        let source = if clock.source.is_empty() { String::new() } else { format!("{}, ", clock.source) };
        println!("clock    {source}steps of {} ns, {:.0} ns a reading", clock.resolution_ns, clock.cost_ns);
        let gaps = Gaps::watch(Duration::from_millis(500));
        let longest = units::time(gaps.longest_ns as f64);
        println!("jitter   a busy loop lost {:.2} % of its time, {longest} at most at once", gaps.share() * 100.0);
        let driver_ns = driver_ns(200_000, 9)?;
        println!("harness  {driver_ns:.0} ns for each warm sample");
        let system = System::this();
        let before = Load::now(&system);
        let aa = self.aa(runtime, workload)?;
        println!("noise    {}", noise(Load::now(&system).noise_since(&before).unwrap_or_default()));
        self.report(&aa, runtime, workload, driver_ns);
        let reasons = reasons(&aa, self.precision);
        if reasons.is_empty() {
            println!("verdict  this machine can be trusted to {:.1} %", self.precision * 100.0);
            return Ok(ExitCode::SUCCESS);
        }
        for reason in reasons {
            println!("verdict  not to be trusted: {reason}");
        }
        Ok(ExitCode::FAILURE)
    }

    fn runtime<'a>(&self, registry: &'a Registry) -> Result<&'a RemoteRuntime> {
        if let Some(name) = &self.runtime {
            return registry.find(name).map_err(|line| anyhow!(line));
        }
        let small = SMALL.iter().find_map(|name| registry.find(name).ok());
        small.or(registry.runtimes.first()).context("no runtime is present; `isobar doctor` says what is missing")
    }

    /// Measures the pairs and looks at them.
    fn aa(&self, runtime: &RemoteRuntime, workload: &Workload) -> Result<Aa> {
        let failed = || format!("{} in {}", workload.name, runtime.info().id);
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let task = task(runtime, workload, folder.path()).with_context(failed)?;
        let scenario: ScenarioId = "warm".parse()?;
        let (pairs_wanted, seconds, splits) = if self.quick { (40, 8, 100) } else { (200, 35, 400) };
        let design = Design {
            scenario,
            budget: scenario.scenario().budget(Effort::Quick),
            processes: self.processes as usize,
            pairs: pairs_wanted,
            time: Duration::from_secs(seconds),
            seed: self.seed,
        };
        let bar = ProgressBar::new((design.pairs * design.processes * 2) as u64);
        let processes = pairs(runtime, &task, &design, || bar.inc(1)).with_context(failed)?;
        bar.finish_and_clear();
        Aa::of(&processes, splits, self.seed).with_context(|| {
            format!(
                "not one pair of {} ended within {seconds} s; take a function that is quicker (--function)",
                failed()
            )
        })
    }

    fn report(&self, aa: &Aa, runtime: &RemoteRuntime, workload: &Workload, driver_ns: f64) {
        let percent = |share: f64| format!("{:.1} %", share * 100.0);
        let median = units::time(aa.median);
        println!(
            "cell     {} {} warm: {median} ±{} after {} processes (target ±{}); the harness is {} of it",
            runtime.info().id,
            workload.name,
            percent(aa.half_width),
            aa.per_cell,
            percent(self.precision),
            percent(driver_ns / aa.median),
        );
        if let Some(drift) = aa.drift {
            println!(
                "drift    {:.3} [{:.3}, {:.3}] times as long in the last third of {} processes as in the first",
                drift.ratio, drift.low, drift.high, aa.processes
            );
        }
        let called = aa.called;
        println!(
            "A/A      {} of {} pairs of equal cells called different: {} [{}, {}], nominal {}; {} of {} random splits",
            called.happened,
            called.trials,
            percent(called.share()),
            percent(called.low),
            percent(called.high),
            percent(NOMINAL),
            percent(aa.called_of_splits),
            aa.splits,
        );
    }
}

/// `CPU pressure 3.1 %, steal 0.4 %`: the runners' own waiting is in it.
fn noise(noise: Noise) -> String {
    let share = |name: &str, share: Option<f64>| match share {
        Some(share) => format!("{name} {:.1} %", share * 100.0),
        None => format!("{name} not told by this system"),
    };
    format!("{}, {}, meanwhile", share("CPU pressure", noise.cpu_pressure), share("steal", noise.steal))
}

fn task(runtime: &RemoteRuntime, workload: &Workload, folder: &Path) -> Result<Task> {
    let mut artifact = workload.form(runtime.info().form)?;
    if runtime.info().execution == Execution::Aot {
        artifact = folder.join("artifact");
        runtime.engine()?.compile(&workload.module_path, &artifact)?;
    }
    Ok(Task {
        module: workload.module_path.clone(),
        artifact,
        invocation: workload.invocation.clone(),
        expectation: workload.expectation.clone(),
    })
}
