use super::{Effort, Scenario, Unit};
use crate::contract::Failure;
use crate::measure::budget::Sampler;
use crate::measure::samples::Columns;
use crate::measure::{Budget, MS, MeasureError, Measurement, Samples, Task, WarmUp, elapsed_ns};
use crate::runtime::{Execution, Runtime, RuntimeInfo};
use std::path::Path;
use std::time::Instant;

/// Every sample compiles the module ahead of time, with an engine of its own.
pub(super) struct Deploy;

impl Scenario for Deploy {
    fn name(&self) -> &'static str {
        "deploy"
    }

    fn title(&self) -> &'static str {
        "deployment"
    }

    fn meaning(&self) -> &'static str {
        "What a platform pays once per deployed function in modes that compile ahead of time: from the module's file to \
         the artifact's file, on one thread, the engine being there. Every artifact is run once, and its answer checked."
    }

    fn unit(&self) -> Unit {
        Unit::Nanoseconds
    }

    fn obstacle(&self, runtime: &RuntimeInfo, _threads: u32) -> Option<String> {
        (runtime.execution != Execution::Aot).then(|| "the runtime does not compile ahead of time".to_owned())
    }

    fn budget(&self, effort: Effort) -> Budget {
        let (max_samples, time_ns) = match effort {
            Effort::Quick => (10, 60 * MS),
            Effort::Full => (50, 1000 * MS),
        };
        Budget { warm_up_samples: 0, warm_up_ns: 0, min_samples: 1, max_samples, time_ns, precision: 0.02 }
    }

    fn measure(
        &self,
        runtime: &dyn Runtime,
        _threads: u32,
        task: &Task,
        budget: &Budget,
    ) -> Result<Measurement, MeasureError> {
        let artifact = task.artifact.with_extension(format!("deploy-{}", std::process::id()));
        let measured = compile_repeatedly(runtime, task, &artifact, budget);
        // Nobody needs it any more; that it cannot be removed changes no number.
        let _ = std::fs::remove_file(&artifact);
        measured
    }

    fn values(&self, _threads: u32, samples: &Samples) -> Vec<f64> {
        samples.sums(&["compile_ns"])
    }

    fn parts(&self) -> &'static [(&'static str, &'static str)] {
        &[("artifact_bytes", "artifact")]
    }
}

fn compile_repeatedly(
    runtime: &dyn Runtime,
    task: &Task,
    artifact: &Path,
    budget: &Budget,
) -> Result<Measurement, MeasureError> {
    let mut columns = Columns::new(["compile_ns", "artifact_bytes"], budget.max_samples);
    let mut sampler = Sampler::start(budget);
    while sampler.goes_on() {
        let engine = runtime.engine()?;
        let start = Instant::now();
        engine.compile(&task.module, artifact)?;
        let compile_ns = elapsed_ns(start, Instant::now());
        let bytes = std::fs::metadata(artifact)
            .map_err(|e| Failure::host(format!("the artifact {}: {e}", artifact.display())))?
            .len();
        let outcome = engine.load(artifact)?.instantiate(&task.invocation)?.execute()?;
        task.expectation.check(&outcome).map_err(MeasureError::WrongAnswer)?;
        columns.push([compile_ns, bytes]);
        sampler.push(compile_ns);
    }
    let (stop, readings) = sampler.finish();
    Ok(Measurement { samples: columns.finish(), warm_up: WarmUp::NONE, stop, readings, attempts: Vec::new() })
}
