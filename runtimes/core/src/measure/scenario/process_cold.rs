use super::{Effort, Place, Scenario, Unit};
use crate::measure::budget::Sampler;
use crate::measure::measures::Whose;
use crate::measure::samples::Columns;
use crate::measure::{Budget, MS, MeasureError, Measurement, Samples, Task, WarmUp};
use crate::runtime::Runtime;

/// Every sample starts a process.
pub(super) struct ProcessCold;

impl Scenario for ProcessCold {
    fn name(&self) -> &'static str {
        "process-cold"
    }

    fn title(&self) -> &'static str {
        "process cold start"
    }

    fn meaning(&self) -> &'static str {
        "What an invocation costs when not even a process is there: from spawning the program that holds the runtime to \
         the last byte of the function's output. What scaling from zero costs, and the only cold start that can be \
         compared with a container or an interpreter that is started for each request. Where an invocation is such a \
         process itself (an executable, a container), it is that process: from its spawning to its end."
    }

    fn unit(&self) -> Unit {
        Unit::Nanoseconds
    }

    fn place(&self) -> Place {
        Place::Parent
    }

    fn budget(&self, effort: Effort) -> Budget {
        let (min_samples, max_samples, time_ns) = match effort {
            Effort::Quick => (1, 30, 60 * MS),
            Effort::Full => (2, 200, 1000 * MS),
        };
        Budget { warm_up_samples: 0, warm_up_ns: 0, min_samples, max_samples, time_ns, precision: 0.02 }
    }

    fn measure(
        &self,
        runtime: &dyn Runtime,
        _threads: u32,
        task: &Task,
        budget: &Budget,
    ) -> Result<Measurement, MeasureError> {
        let mut columns = Columns::new(["elapsed_ns"], budget.max_samples);
        let mut peak_rss_bytes = None;
        let mut sampler = Sampler::counting(budget, Whose::Children);
        while sampler.goes_on() {
            let once = runtime.run_once(&task.artifact, &task.invocation)?;
            task.expectation.check(&once.outcome).map_err(MeasureError::WrongAnswer)?;
            peak_rss_bytes = peak_rss_bytes.max(once.peak_rss_bytes);
            sampler.push(columns.push([once.elapsed_ns]));
        }
        let (stop, mut readings) = sampler.finish();
        readings.extend(peak_rss_bytes.map(|bytes| ("peak_rss_bytes".to_owned(), bytes)));
        Ok(Measurement { samples: columns.finish(), warm_up: WarmUp::NONE, stop, readings, attempts: Vec::new() })
    }

    fn values(&self, _threads: u32, samples: &Samples) -> Vec<f64> {
        samples.sums(&["elapsed_ns"])
    }
}
