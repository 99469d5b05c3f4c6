//! The scenarios of servers: a server is started, asked and loaded, by the rules of `isobar load`, and ended.

mod server;

use crate::load::{self, Cells, Options, Pace, schedule, sweep};
use crate::record::{Cell, LoadResult, Record};
use crate::remote::RemoteRuntime;
use isobar_core::Failure;
use isobar_core::measure::{
    Budget, KNEE_P99_BELOW_NS, MeasureError, Measurement, Samples, Stop, Task, WarmUp, WarmUpEnd, nanoseconds,
};
use server::Running;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

/// The connections of an open loop, at most: those of the larger closed loop.
const CONNECTIONS: usize = 64;

/// A sweep has about so many steps, of equal time.
const STEPS: u32 = 10;

/// A step of a sweep lasts so long that so many requests are due, or four times as long as others: of fewer there is no
/// 99th percentile.
const ENOUGH: f64 = 200.0;

/// A sweep begins at this share of the throughput of a closed loop.
const FIRST: f64 = 0.125;

/// No higher rate is tried.
const MOST: u32 = 1_000_000;

/// A step of a sweep ends when the server is so far behind.
const BEHIND: Duration = Duration::from_secs(1);

/// What is measured, and where.
pub(super) struct Subject<'a> {
    pub(super) cell: &'a Cell,
    pub(super) runtime: &'a RemoteRuntime,
    pub(super) task: &'a Task,
    /// Where the platform keeps what it compiles.
    pub(super) cache: &'a Path,
}

/// What was found: what a record has of a load.
pub(super) struct Found {
    pub(super) result: Result<Measurement, MeasureError>,
    pub(super) histogram: Option<String>,
    pub(super) load: Option<Box<LoadResult>>,
}

impl From<Result<Measurement, MeasureError>> for Found {
    fn from(result: Result<Measurement, MeasureError>) -> Found {
        Found { result, histogram: None, load: None }
    }
}

/// Measures a cell of a server.
pub(super) fn measure(subject: &Subject, budget: &Budget) -> Found {
    let found = match subject.cell.scenario.name() {
        "http-start" => starts(subject, budget).map(|measurement| Found::from(Ok(measurement))),
        "http-closed" => closed(subject, budget),
        "http-knee" => knee(subject, budget),
        other => Err(Failure::host(format!("{other} is measured by `isobar load`")).into()),
    };
    found.unwrap_or_else(|error| Found::from(Err(error)))
}

/// Starts servers one after the other, and asks each once.
fn starts(subject: &Subject, budget: &Budget) -> Result<Measurement, MeasureError> {
    let before = Instant::now();
    for _ in 0..budget.warm_up_samples {
        drop(Running::start(subject)?);
    }
    let (samples, elapsed_ns) = (budget.warm_up_samples, nanoseconds(before.elapsed()));
    let warm_up = WarmUp { samples, elapsed_ns, end: WarmUpEnd::None };
    let (mut listen_ns, mut first_request_ns) = (Vec::new(), Vec::new());
    let since = Instant::now();
    let stop = loop {
        let running = Running::start(subject)?;
        listen_ns.push(running.listen_ns);
        first_request_ns.push(running.first_request_ns);
        let samples = listen_ns.len() as u32;
        if samples >= budget.max_samples {
            break Stop::Samples;
        }
        if samples >= budget.min_samples && nanoseconds(since.elapsed()) >= budget.time_ns {
            break Stop::Time;
        }
    };
    let samples = Samples::of([("listen_ns", listen_ns), ("first_request_ns", first_request_ns)]);
    Ok(Measurement { samples, warm_up, stop, readings: [].into(), attempts: Vec::new() })
}

/// Loads a server over so many connections, each of which sends its next request when its last one is answered.
fn closed(subject: &Subject, budget: &Budget) -> Result<Found, MeasureError> {
    let running = Running::start(subject)?;
    let connections = subject.cell.scenario.threads() as usize;
    let time = Duration::from_nanos(budget.time_ns);
    let record = load(&running, subject.cell.clone(), (Pace::Closed, connections), budget.warm_up_ns, time)?;
    Ok(whole(record))
}

/// A record of a load in which no request failed.
fn whole(record: Record) -> Found {
    let Record { load, histogram, mut result, .. } = record;
    let worst = load.as_ref().and_then(|load| load.faults.iter().max_by_key(|(_, faults)| faults.count));
    if let (Ok(_), Some((fault, faults)), Some(load)) = (&result, worst, &load) {
        let (failed, due) = (load.faults.values().map(|faults| faults.count).sum::<u64>(), load.due);
        let text = format!("{failed} of {due} requests failed: {}: {}", fault.name(), faults.first);
        result = Err(Failure::host(text).into());
    }
    Found { result, histogram, load }
}

/// Looks for the highest rate that a server holds.
fn knee(subject: &Subject, budget: &Budget) -> Result<Found, MeasureError> {
    let running = Running::start(subject)?;
    let cells = Cells { server: subject.cell.runtime.clone(), function: subject.cell.function.clone() };
    let step = Duration::from_nanos(budget.time_ns) / STEPS;
    // How fast it is at all, so that the sweep begins near; that warms it up, too.
    let pace = (Pace::Closed, CONNECTIONS);
    let warm_up = whole(load(&running, cells.closed(CONNECTIONS as u32, false), pace, budget.warm_up_ns, step)?);
    let fastest = warm_up.load.as_ref().map_or(0.0, |load| load.answered as f64) / step.as_secs_f64();
    let warm_up_ns = budget.warm_up_ns + nanoseconds(step);
    warm_up.result?;
    let first = ((fastest * FIRST) as u32).max(1);
    let (mut steps, mut records) = (Vec::new(), Vec::new());
    while let Some(rate) = sweep::next_rate(&steps, KNEE_P99_BELOW_NS, first, MOST, budget.precision) {
        let time = step.max(Duration::from_secs_f64(ENOUGH / f64::from(rate)).min(step * 4));
        let schedule = schedule::constant(rate, step / 4 + time);
        let pace = (Pace::Open(Box::new(schedule)), CONNECTIONS);
        let record = load(&running, cells.open(rate, false), pace, nanoseconds(step / 4), time)?;
        // Wrong answers are no matter of the rate; a rate at which nothing is answered is just not held.
        if let Err(error @ MeasureError::WrongAnswer(_)) = record.result {
            return Err(error);
        }
        steps.extend(sweep::Step::of(&record));
        records.push(record);
        if records.len() as u32 >= budget.max_samples || steps.len() < records.len() {
            break;
        }
    }
    let found = sweep::knee(&steps, KNEE_P99_BELOW_NS).map(|knee| knee.rate);
    let Some(found) = found else { return Err(Failure::host(not_held(&steps)).into()) };
    let at_knee = records.into_iter().find(|record| record.cell.scenario.threads() == found);
    let warm_up = WarmUp { samples: 0, elapsed_ns: warm_up_ns, end: WarmUpEnd::None };
    let readings = [("p99_below_ns".to_owned(), KNEE_P99_BELOW_NS)].into();
    let samples = curve(&steps);
    let measurement = Measurement { samples, warm_up, stop: Stop::Samples, readings, attempts: Vec::new() };
    let (histogram, load) = at_knee.map_or((None, None), |record| (record.histogram, record.load));
    Ok(Found { result: Ok(measurement), histogram, load })
}

/// Why there is no knee, by the lowest rate that was tried.
fn not_held(steps: &[sweep::Step]) -> String {
    let limit = Duration::from_nanos(KNEE_P99_BELOW_NS);
    match steps.iter().min_by_key(|step| step.rate) {
        Some(step) => format!(
            "no rate had a p99 below {limit:?}: at {} requests/s it was {:.1?} ({})",
            step.rate,
            Duration::from_nanos(step.p99_ns),
            step.verdict(KNEE_P99_BELOW_NS).words()
        ),
        None => "no request of an open loop was answered".to_owned(),
    }
}

/// Latency over load: a sample for each rate that was tried, in the order of the sweep.
fn curve(steps: &[sweep::Step]) -> Samples {
    let column = |value: fn(&sweep::Step) -> u64| steps.iter().map(value).collect::<Vec<u64>>();
    Samples::of([
        ("rate", column(|step| step.rate.into())),
        ("throughput", column(|step| step.throughput.round() as u64)),
        ("errors", column(|step| step.failures)),
        ("late_ppm", column(|step| (step.late * 1e6).round() as u64)),
        ("p50_ns", column(|step| step.p50_ns)),
        ("p99_ns", column(|step| step.p99_ns)),
        ("p999_ns", column(|step| step.p999_ns)),
        ("max_ns", column(|step| step.max_ns)),
        ("held", column(|step| (step.verdict(KNEE_P99_BELOW_NS) == sweep::Verdict::Held).into())),
    ])
}

fn load(
    running: &Running,
    cell: Cell,
    (pace, connections): (Pace, usize),
    warm_up_ns: u64,
    time: Duration,
) -> Result<Record, MeasureError> {
    let give_up_behind = matches!(pace, Pace::Open(_)).then_some(BEHIND);
    let options = Options {
        pace,
        connections,
        fresh: false,
        warm_up: Duration::from_nanos(warm_up_ns),
        duration: Some(time),
        requests: None,
        timeout: running.timeout,
        give_up_behind,
    };
    let requests = std::slice::from_ref(&running.request);
    let never = AtomicBool::new(false);
    let outcome = load::load(&running.server, &running.addresses, requests, options, &never);
    let mut outcome = outcome.map_err(|e| Failure::host(e.to_string()))?;
    outcome.result.first_request_ns = Some(running.first_request_ns);
    Ok(load::record(cell, outcome, None))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(rate: u32, p99_ns: u64) -> sweep::Step {
        sweep::Step { late: 0.001, ..sweep::synthetic_step(rate, p99_ns) }
    }

    #[test]
    fn a_curve_has_the_knee_that_the_sweep_found() {
        let steps = [step(100, 1), step(400, KNEE_P99_BELOW_NS), step(200, 2)];
        let samples = curve(&steps);
        assert_eq!(samples.column("held"), [1, 0, 1]);
        assert_eq!(samples.column("late_ppm"), [1000, 1000, 1000]);
        let scenario: isobar_core::measure::ScenarioId = "http-knee".parse().unwrap();
        let knee = sweep::knee(&steps, KNEE_P99_BELOW_NS).unwrap();
        assert_eq!(scenario.values(&samples), [f64::from(knee.rate)]);
    }

    #[test]
    fn a_sweep_without_a_knee_says_what_was_tried() {
        let said = not_held(&[step(20, 80_000_000), step(2, 30_000_000)]);
        assert_eq!(said, "no rate had a p99 below 25ms: at 2 requests/s it was 30.0ms (p99 too long)");
    }
}
