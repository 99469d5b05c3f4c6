use super::load::{HIGH_PRESSURE, HIGH_STEAL};
use super::{Warning, percent};
use crate::record::{Cell, Record, Run};
use crate::stats::{Bimodality, severe_outliers};
use isobar_core::measure::{Measurement, Place, WarmUpEnd};
use std::collections::BTreeMap;

/// An interval of a median of fewer values is as wide as the values are.
const FEW_VALUES: usize = 5;

/// Where more than this share of the values are severe outliers, something else ran at times.
const MANY_OUTLIERS: f64 = 0.05;

/// A cell as it was measured: its records without failure, and the values of each process.
struct Measured<'a> {
    cell: &'a Cell,
    machine: u32,
    records: Vec<&'a Record>,
    processes: Vec<Vec<f64>>,
}

impl Measured<'_> {
    fn measurements(&self) -> impl Iterator<Item = &Measurement> {
        self.records.iter().filter_map(|record| record.result.as_ref().ok())
    }
}

/// A look at a cell: how bad it is, from what one may be content with to the worst, and that in words; `None` for a cell
/// that is as it should be.
type Check = fn(&Run, &Measured) -> Option<(f64, String)>;

/// The checks: what is said of the cells that they find, how the values of the worst are introduced, and the remedy.
const CHECKS: [(&str, Check, &str); 6] = [
    ("too few values for an interval", few, "measure in more processes: --processes 5"),
    ("severe outliers", outliers, "end what else runs, or wait for it, and measure again"),
    ("two modes", bimodal, "look at the raw samples; --pin, and a fixed frequency, often make one of them"),
    ("warm-ups that ended while the invocations still changed", unsettled, "measure without --quick"),
    ("waits for processors (pressure)", pressure, "end what else runs, or use --pin"),
    ("processors taken by the hypervisor (steal)", steal, "use a dedicated machine, or measure at a quieter time"),
];

/// What the records themselves say against their figures: one line for each kind of trouble, the worst cell named. Depends
/// on nothing but the run.
pub fn of_cells(run: &Run) -> Vec<Warning> {
    let cells = measured(run);
    let warning = |(what, check, remedy): &(&str, Check, &'static str)| {
        let found: Vec<_> = cells.iter().filter_map(|cell| Some((check(run, cell)?, cell.cell))).collect();
        let ((_, worst), cell) = found.iter().reduce(|worst, next| if next.0.0 > worst.0.0 { next } else { worst })?;
        let finding = match found.len() {
            1 => format!("1 cell has {what}: {cell}, {worst}"),
            count => format!("{count} of {} cells have {what}, the worst: {cell}, {worst}", cells.len()),
        };
        Some(Warning::new(finding, remedy))
    };
    CHECKS.iter().filter_map(warning).collect()
}

fn measured(run: &Run) -> Vec<Measured<'_>> {
    let mut cells: BTreeMap<(u32, &Cell), Vec<&Record>> = BTreeMap::new();
    // What has no number is not disturbed.
    let has_number = |record: &&Record| record.result.is_ok() && !record.cell.scenario.scenario().verdicts();
    for record in run.records.iter().filter(has_number) {
        cells.entry((record.machine, &record.cell)).or_default().push(record);
    }
    let mut all = Vec::new();
    for ((machine, cell), mut records) in cells {
        records.sort_by_key(|record| record.round);
        let samples = records.iter().filter_map(|record| Some(&record.result.as_ref().ok()?.samples));
        let processes = samples.map(|samples| cell.scenario.values(samples)).collect();
        all.push(Measured { cell, machine, records, processes });
    }
    all
}

fn few(run: &Run, cell: &Measured) -> Option<(f64, String)> {
    let values: usize = cell.processes.iter().map(Vec::len).sum();
    let allowed = run.header.schedule.max_processes;
    let most = cell.cell.scenario.scenario().max_processes().map(|most| most.min(allowed));
    let enough = most.is_some_and(|most| cell.processes.len() >= most as usize);
    let words = || format!("{values} from {} processes", cell.processes.len());
    (values < FEW_VALUES && !enough).then(|| (-(values as f64), words()))
}

/// The median process' share: one process that was disturbed is what the others are there for.
fn outliers(_: &Run, cell: &Measured) -> Option<(f64, String)> {
    let share = median(cell.processes.iter().filter_map(|values| severe_outliers(values)))?;
    (share > MANY_OUTLIERS).then(|| (share, percent(share)))
}

fn bimodal(_: &Run, cell: &Measured) -> Option<(f64, String)> {
    let looked: Vec<Bimodality> = cell.processes.iter().filter_map(|values| Bimodality::of(values)).collect();
    let bimodal = looked.iter().filter(|process| process.is_bimodal()).count();
    let words = || format!("in {bimodal} of {} processes", looked.len());
    (bimodal * 2 > looked.len()).then(|| (bimodal as f64 / looked.len() as f64, words()))
}

fn unsettled(_: &Run, cell: &Measured) -> Option<(f64, String)> {
    let ends = cell.measurements().map(|measurement| measurement.warm_up.end);
    let capped = ends.filter(|end| matches!(end, WarmUpEnd::Samples | WarmUpEnd::Time)).count();
    let words = || format!("in {capped} of {} processes", cell.processes.len());
    (capped * 2 > cell.processes.len()).then(|| (capped as f64 / cell.processes.len() as f64, words()))
}

/// Functions on all processors wait for each other, and so do a server and its load: that is no disturbance.
fn pressure(run: &Run, cell: &Measured) -> Option<(f64, String)> {
    let machine = run.header.machines.get(cell.machine as usize)?;
    let share = median(cell.records.iter().filter_map(|record| record.noise?.cpu_pressure))?;
    let scenario = cell.cell.scenario;
    let crowded = scenario.threads() >= machine.cores || scenario.scenario().place() == Place::Server;
    (share > HIGH_PRESSURE && !crowded).then(|| (share, format!("in {} of the time", percent(share))))
}

fn steal(_: &Run, cell: &Measured) -> Option<(f64, String)> {
    let share = median(cell.records.iter().filter_map(|record| record.noise?.steal))?;
    (share > HIGH_STEAL).then(|| (share, format!("{} of their time", percent(share))))
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    crate::stats::median(&mut values.collect::<Vec<f64>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Noise;
    use crate::report::synthetic;
    use isobar_core::measure::{Samples, WarmUp};

    /// One cell, warm, in three processes, each with these execution times.
    fn run(times: impl Fn(u64) -> u64) -> Run {
        let mut run = synthetic::run(1, 1, 1, 3, false);
        run.records.retain(|record| record.cell.scenario.name() == "warm");
        for record in &mut run.records {
            let column: Vec<u64> = (0..200).map(&times).collect();
            let zero = vec![0; 200];
            let samples = [("instantiate_ns", zero.clone()), ("execute_ns", column), ("teardown_ns", zero)];
            record.result.as_mut().unwrap().samples = Samples::of(samples);
        }
        run
    }

    /// Bell-shaped about 1000: sums of digits.
    fn steady(at: u64) -> u64 {
        1000 + at % 7 + at * 13 % 11 + at * 29 % 17
    }

    fn lines(run: &Run) -> Vec<String> {
        of_cells(run).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_sound_run_has_no_warning() {
        let mut sound = run(steady);
        for record in &mut sound.records {
            record.noise = Some(Noise { cpu_pressure: Some(0.01), steal: Some(0.0) });
        }
        assert_eq!(lines(&sound), Vec::<String>::new());
    }

    #[test]
    fn outliers_and_two_modes_are_told_apart() {
        let outliers = lines(&run(|at| if at % 16 == 0 { 2000 + 37 * at } else { steady(at) }));
        assert!(outliers.len() == 1 && outliers[0].contains("severe outliers"), "{outliers:?}");
        assert!(outliers[0].contains("warm, 6.5 %; end what"), "{outliers:?}");
        let modes = lines(&run(|at| steady(at) + if at % 2 == 0 { 0 } else { 500 }));
        assert!(modes.len() == 1 && modes[0].contains("two modes"), "{modes:?}");
        assert!(modes[0].contains("in 3 of 3 processes"), "{modes:?}");
    }

    #[test]
    fn few_values_unsettled_warm_ups_and_noise() {
        let mut run = run(steady);
        run.records.truncate(1);
        let cell = run.records[0].cell.clone();
        let measurement = run.records[0].result.as_mut().unwrap();
        let three = vec![1_u64, 2, 3];
        measurement.samples =
            Samples::of([("instantiate_ns", three.clone()), ("execute_ns", three.clone()), ("teardown_ns", three)]);
        measurement.warm_up = WarmUp { samples: 9, elapsed_ns: 1, end: WarmUpEnd::Time };
        run.records[0].noise = Some(Noise { cpu_pressure: Some(0.25), steal: Some(0.5) });
        run.header.machines[0].cores = 4;
        let text = lines(&run).join("\n");
        for part in
            ["too few values", "3 from 1 processes", "still changed", "in 25 % of the time", "50 % of their time"]
        {
            assert!(text.contains(part), "{part} is not in:\n{text}");
        }
        assert_eq!(text.matches(&cell.to_string()).count(), 4);
        run.header.machines[0].cores = 1;
        assert!(!lines(&run).join("\n").contains("pressure"), "one thread on one core waits for itself");
    }

    #[test]
    fn many_cells_are_one_line_with_the_worst() {
        let mut run = run(steady);
        for (function, steal) in [("a/b", 0.1), ("c/d", 0.3), ("e/f", 0.2)] {
            let mut record = run.records[0].clone();
            record.cell.function = function.to_owned();
            record.noise = Some(Noise { cpu_pressure: None, steal: Some(steal) });
            run.records.push(record);
        }
        let lines = lines(&run);
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].contains("3 of 4 cells have") && lines[0].contains("c/d warm, 30 %"), "{lines:?}");
        run.records.reverse();
        assert_eq!(of_cells(&run).len(), 1);
        assert_eq!(of_cells(&run)[0].to_string(), lines[0]);
    }
}
