//! Loads as records: the same two files as every run, so that reports, charts, `cmp`, `diff` and `export` know them.

use super::{KindOutcome, Outcome};
use crate::experiment::plan_sha256;
use crate::record::{
    Cell, Fault, Function, Header, LoadPlan, LoadResult, LoadStop, Loop, Machine, Noise, Record, SCHEMA, Schedule,
};
use isobar_core::measure::{MeasureError, Measurement, Samples, ScenarioId, Stop, WarmUp, WarmUpEnd, available};
use isobar_core::{Failure, RuntimeId};
use std::time::{SystemTime, UNIX_EPOCH};

/// What stands for all functions of a trace together.
pub const ALL: &str = "*";

/// How the cells of a load are called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cells {
    /// The server: for one that isobar did not start, its address as a name.
    pub server: RuntimeId,
    /// What was asked for: a function, or a path.
    pub function: String,
}

impl Cells {
    /// The cell of a closed loop over so many connections.
    pub fn closed(&self, connections: u32, fresh: bool) -> Cell {
        self.cell(if fresh { "http-closed-fresh" } else { "http-closed" }, Some(connections))
    }

    /// The cell of an open loop at so many requests per second.
    pub fn open(&self, rate: u32, fresh: bool) -> Cell {
        self.cell(if fresh { "http-open-fresh" } else { "http-open" }, Some(rate))
    }

    /// The cell of a function in a trace.
    pub fn trace(&self, function: &str) -> Cell {
        Cell { function: function.to_owned(), ..self.cell("http-trace", None) }
    }

    fn cell(&self, scenario: &str, number: Option<u32>) -> Cell {
        let scenario = ScenarioId::new(scenario, number.map(|number| number.max(1)));
        let scenario = scenario.expect("these scenarios are in isobar's own list");
        Cell { runtime: self.server.clone(), function: self.function.clone(), scenario }
    }
}

/// A server's address as the name of a runtime: `http/127-0-0-1-8080`.
pub fn server_name(authority: &str) -> RuntimeId {
    let word: String =
        authority.to_ascii_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    RuntimeId::new("http", word.trim_matches('-'), &[])
}

/// The header of a load.
pub fn header(plan: LoadPlan, cells: Vec<Cell>, functions: Vec<Function>, seed: u64) -> Header {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut header = Header {
        schema: SCHEMA,
        isobar: env!("CARGO_PKG_VERSION").to_owned(),
        arguments: Vec::new(),
        started_at_s: now.as_secs(),
        quick: false,
        seed,
        schedule: Schedule {
            min_processes: 1,
            max_processes: 1,
            precision: 0.02,
            cell_time_ns: None,
            total_time_ns: None,
        },
        shard: None,
        merged: Vec::new(),
        plan_sha256: String::new(),
        machines: vec![Machine::this()],
        pinned: false,
        measures: available(),
        warnings: Vec::new(),
        runtimes: Vec::new(),
        absent: Vec::new(),
        functions,
        cells,
        elsewhere: Vec::new(),
        skipped: Vec::new(),
        load: Some(plan),
        unbuilt: Vec::new(),
        formless: Vec::new(),
    };
    header.plan_sha256 = plan_sha256(&header);
    header
}

/// A function of a server of which isobar has no module.
pub fn function(name: &str, what: &str, url: &str) -> Function {
    Function {
        name: name.to_owned(),
        description: format!("{what} {url}"),
        stands_for: "what its server does".to_owned(),
        module_sha256: String::new(),
        module_bytes: 0,
        forms: Default::default(),
        brought: None,
        language: None,
        family: None,
        size: None,
    }
}

/// What a load found, as the record of its cell. Wrong bodies make it a failure, and so does a load without any answer;
/// requests that failed otherwise are counted in it.
pub fn record(cell: Cell, outcome: Outcome, noise: Option<Noise>) -> Record {
    let Outcome { latency, seconds, elapsed_ns, warm_up_ns, result, .. } = outcome;
    let wrong = result.faults.get(&Fault::Body);
    let first = result.faults.iter().max_by_key(|(_, faults)| faults.count);
    let measured = match (wrong, first) {
        (Some(wrong), _) => Err(MeasureError::WrongAnswer(format!(
            "{} of {} answers, the first of them {}",
            wrong.count,
            wrong.count + result.answered,
            wrong.first
        ))),
        (None, Some((fault, faults))) if result.answered == 0 => {
            let text = format!("no request of {} was answered: {}: {}", result.due, fault.name(), faults.first);
            Err(Failure::host(text).into())
        }
        _ if result.answered == 0 => Err(Failure::host("no request was due: the load was too short").into()),
        _ => Ok(Measurement {
            samples: seconds,
            warm_up: WarmUp { samples: 0, elapsed_ns: warm_up_ns, end: WarmUpEnd::None },
            stop: if result.stop == LoadStop::Requests { Stop::Samples } else { Stop::Time },
            readings: [].into(),
            attempts: Vec::new(),
        }),
    };
    Record {
        cell,
        round: 0,
        machine: 0,
        elapsed_ns,
        cpus: vec![],
        noise,
        histogram: Some(latency.encode()),
        artifact: None,
        load: Some(Box::new(result)),
        result: measured,
    }
}

/// What a trace found of one function: one sample for all of its requests.
pub fn record_of_kind(cell: Cell, kind: &KindOutcome, elapsed_ns: u64, noise: Option<Noise>) -> Record {
    let count = kind.latency.count();
    let at = |percentile| vec![kind.latency.percentile(percentile)];
    let seconds = Samples::of([
        ("elapsed_ns", vec![elapsed_ns]),
        ("requests", vec![count]),
        ("completed", vec![count]),
        ("errors", vec![kind.faults.values().map(|faults| faults.count).sum()]),
        ("p50_ns", at(50.0)),
        ("p99_ns", at(99.0)),
        ("max_ns", at(100.0)),
    ]);
    let result = LoadResult {
        due: kind.due,
        answered: count,
        late: 0,
        late_for_a_connection: 0,
        retried: 0,
        statuses: [].into(),
        faults: kind.faults.clone(),
        service_histogram: None,
        timing: [].into(),
        server_timing: [].into(),
        starts: kind.starts,
        starts_by_function: vec![],
        start_histograms: [].into(),
        kept: None,
        first_request_ns: None,
        driver_cpu_ns: 0,
        stop: LoadStop::Time,
    };
    record(
        cell,
        Outcome { latency: kind.latency.clone(), seconds, elapsed_ns, warm_up_ns: 0, result, kinds: vec![] },
        noise,
    )
}

impl Loop {
    /// In words.
    pub(super) fn words(self) -> &'static str {
        match self {
            Loop::Closed => "closed loop",
            Loop::Constant => "open loop, constant arrivals",
            Loop::Poisson => "open loop, Poisson arrivals",
            Loop::Trace => "open loop, arrivals of a trace",
        }
    }

    /// What that means for its latencies.
    pub(super) fn meaning(self) -> &'static str {
        if self.is_open() {
            "Latency counts from the moment when a request was due: requests that a stall holds up show it in full."
        } else {
            "Latency counts from the actual sending: while the server stalls nothing is sent, so a stall shows only once for \
             each connection."
        }
    }
}
