use super::{Effort, Place, Scenario, ScenarioId, Unit};
use crate::contract::Failure;
use crate::measure::budget::Stop;
use crate::measure::{Budget, MS, MeasureError, Measurement, Samples, Task, WarmUp};
use crate::process::on_path;
use crate::runtime::{Class, Execution, Remote, Runtime, RuntimeInfo};
use rustix::fs::{MemfdFlags, memfd_create};
use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Seek};
use std::os::fd::AsRawFd;
use std::path::Path;

/// How many times as long as its limit an invocation may take under valgrind, which slows programs down that much.
const SLOWER: u64 = 50;

/// The function whose instructions are counted, with all that it calls: one warm invocation.
const COUNTED: &str = "*scenario::warm::sample*";

/// Just-in-time compilers write the code that they run.
const SELF_MODIFYING: &str = "--smc-check=all-non-file";

/// The instructions of a warm invocation, counted by callgrind in two runs of different length.
pub(super) struct Instructions;

impl Scenario for Instructions {
    fn name(&self) -> &'static str {
        "instructions"
    }

    fn title(&self) -> &'static str {
        "instructions per warm invocation"
    }

    fn meaning(&self) -> &'static str {
        "How many instructions of the processor a warm invocation takes (make a sandbox, run the function, release it), \
         the kernel's left out, as valgrind's callgrind counts them: two runs of different length, their difference per \
         invocation. Interpreters take the same number in every run, however busy the machine: a change that shows here is \
         one of the program, not of the weather. It is no measure of time."
    }

    fn unit(&self) -> Unit {
        Unit::Instructions
    }

    fn place(&self) -> Place {
        Place::Parent
    }

    fn opt_in(&self) -> Option<&'static str> {
        Some("callgrind")
    }

    fn max_processes(&self) -> Option<u32> {
        Some(1)
    }

    fn obstacle(&self, runtime: &RuntimeInfo, _threads: u32) -> Option<String> {
        if runtime.class != Class::Wasm {
            return Some("instructions are counted in WebAssembly runtimes".to_owned());
        }
        runtime.id.has("pooling").then(|| "valgrind does not let it reserve that much address space".to_owned())
    }

    /// `min_samples` and `max_samples` are the lengths of the two runs; their times are bounds that must not be reached.
    fn budget(&self, _effort: Effort) -> Budget {
        let bound_ns = 120_000 * MS;
        Budget {
            warm_up_samples: 3,
            warm_up_ns: bound_ns,
            min_samples: 1,
            max_samples: 3,
            time_ns: bound_ns,
            precision: 0.0,
        }
    }

    fn measure(
        &self,
        runtime: &dyn Runtime,
        _threads: u32,
        task: &Task,
        budget: &Budget,
    ) -> Result<Measurement, MeasureError> {
        let no_program = || Failure::host("instructions are counted in runner programs: this runtime lives in isobar itself");
        let remote = runtime.remote().ok_or_else(no_program)?;
        let valgrind = on_path("valgrind").ok_or_else(|| Failure::host("valgrind is not on the PATH; install valgrind"))?;
        let own_artifact = task.artifact.with_extension(format!("callgrind-{}", std::process::id()));
        let mut task = task.clone();
        if runtime.info().execution == Execution::Aot {
            compile(remote, &valgrind, &task.module, &own_artifact)?;
            task.artifact.clone_from(&own_artifact);
        }
        let limits = &mut task.invocation.limits;
        limits.wall_time_ns = limits.wall_time_ns.saturating_mul(SLOWER);
        let lengths = [budget.min_samples.max(1), budget.max_samples.max(budget.min_samples.max(1) + 1)];
        let count = |length| {
            let fixed = Budget { min_samples: length, max_samples: length, ..*budget };
            count(remote, &valgrind, &task, &fixed)
        };
        let instructions: Result<Vec<u64>, MeasureError> = lengths.into_iter().map(count).collect();
        if task.artifact == own_artifact {
            // Nobody needs it any more; that it cannot be removed changes no number.
            let _ = std::fs::remove_file(&own_artifact);
        }
        let instructions = instructions?;
        let invocations = lengths.map(u64::from).to_vec();
        let readings = [("invocations".to_owned(), invocations.iter().sum())].into();
        let samples = Samples::of([("invocations", invocations), ("instructions", instructions)]);
        Ok(Measurement { samples, warm_up: WarmUp::NONE, stop: Stop::Samples, readings, attempts: Vec::new() })
    }

    fn values(&self, _threads: u32, samples: &Samples) -> Vec<f64> {
        match (samples.column("invocations"), samples.column("instructions")) {
            ([few, many], [less, more]) if many > few => vec![(*more as f64 - *less as f64) / (many - few) as f64],
            _ => Vec::new(),
        }
    }
}

/// Compiles ahead of time under valgrind: the processor that it shows has fewer extensions than the real one.
fn compile(remote: &dyn Remote, valgrind: &Path, module: &Path, artifact: &Path) -> Result<(), MeasureError> {
    let launcher = [valgrind.into(), "--tool=none".into(), "--quiet".into(), SELF_MODIFYING.into()];
    let engine = remote.under(&launcher).engine().map_err(|failure| under_valgrind(failure.into()))?;
    engine.compile(module, artifact).map_err(|failure| under_valgrind(failure.into()))
}

/// The instructions of all warm invocations of one run, those of warming up among them.
fn count(remote: &dyn Remote, valgrind: &Path, task: &Task, budget: &Budget) -> Result<u64, MeasureError> {
    let io = |e: std::io::Error| Failure::host(format!("cannot read what callgrind wrote: {e}"));
    // A file in memory that callgrind finds by the number of our process: nothing is left behind, whatever happens.
    let mut out = File::from(memfd_create("callgrind.out", MemfdFlags::CLOEXEC).map_err(|e| io(e.into()))?);
    let launcher: Vec<OsString> = vec![
        valgrind.into(),
        "--tool=callgrind".into(),
        "--quiet".into(),
        SELF_MODIFYING.into(),
        format!("--toggle-collect={COUNTED}").into(),
        format!("--callgrind-out-file=/proc/{}/fd/{}", std::process::id(), out.as_raw_fd()).into(),
    ];
    let under = remote.under(&launcher);
    let remote = under.remote().ok_or_else(|| Failure::host("the runner cannot be started by valgrind"))?;
    let warm = ScenarioId::new("warm", None).map_err(|e| Failure::host(e.to_string()))?;
    let measured = remote.measure(warm, task, budget).map_err(under_valgrind)?;
    if measured.warm_up.samples != budget.warm_up_samples {
        return Err(Failure::host("the function takes too long under valgrind: its invocations were not all counted").into());
    }
    let mut text = String::new();
    out.rewind().and_then(|()| out.read_to_string(&mut text)).map_err(io)?;
    match totals(&text) {
        Some(0) => Err(Failure::host("callgrind finds no warm::sample: the runner is not one of isobar_core's").into()),
        Some(instructions) => Ok(instructions),
        None => Err(Failure::host("callgrind wrote no totals: valgrind ended before the runner did").into()),
    }
}

/// Says that a runtime failed under valgrind, which may not be its own fault.
fn under_valgrind(error: MeasureError) -> MeasureError {
    match error {
        MeasureError::Failure(Failure::Crashed { message, signal }) => {
            Failure::Crashed { message: format!("under valgrind, {message}"), signal }.into()
        }
        MeasureError::Failure(Failure::Host { message }) => Failure::host(format!("under valgrind, {message}")).into(),
        other => other,
    }
}

/// The number of instructions in a file of callgrind's ("Callgrind Format Specification", valgrind's manual): the first of
/// the `totals`, the first of the `events` being `Ir`, instructions read.
fn totals(file: &str) -> Option<u64> {
    let line = |key| file.lines().rev().find_map(|line: &str| line.strip_prefix(key)).map(str::split_whitespace);
    let first = |key| line(key).and_then(|mut words| words.next());
    (first("events:") == Some("Ir")).then(|| first("totals:")?.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_found_where_instructions_come_first() {
        let file = "# callgrind format\nversion: 1\nevents: Ir Dr\nsummary: 9 1\n\nfn=(1) main\n16 400\n\ntotals: 1234 5\n";
        assert_eq!(totals(file), Some(1234));
        assert_eq!(totals(&file.replace("Ir Dr", "Dr Ir")), None);
        assert_eq!(totals("events: Ir\n"), None);
        assert_eq!(totals(""), None);
    }

    #[test]
    fn the_value_is_the_difference_per_invocation() {
        let samples = |invocations: &[u64], instructions: &[u64]| {
            Samples::of([("invocations", invocations.to_vec()), ("instructions", instructions.to_vec())])
        };
        assert_eq!(Instructions.values(1, &samples(&[1, 3], &[1000, 1201])), [100.5]);
        assert!(Instructions.values(1, &samples(&[3, 3], &[1, 2])).is_empty());
        assert!(Instructions.values(1, &samples(&[1], &[1])).is_empty());
    }
}
