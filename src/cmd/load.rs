mod replay;
mod target;
mod what;

use super::Places;
use crate::load::trace::Trace;
use crate::load::{self, Cells, Form, Options, Outcome, Pace, Url, schedule, sweep};
use crate::noise::{self, System};
use crate::record::{Cell, Header, LoadPlan, Loop, Record, Run, RunFolder, StoreError};
use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use isobar_core::RuntimeId;
use isobar_core::measure::nanoseconds;
use replay::Replay;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use target::Target;
use what::What;

/// The exit code of a program that was ended by Ctrl-C.
const INTERRUPTED: u8 = 130;

/// The exit code of a load with failures, when they are asked for; as `isobar run` has it.
const FAILURES: u8 = 3;

/// Of a sweep, a step ends when the server is so far behind.
const BEHIND: Duration = Duration::from_secs(1);

/// Load an HTTP server and say how long its answers take: closed or open loop, or the highest rate that it holds
#[derive(Debug, Args)]
#[command(
    after_help = "Without --rate the loop is closed: each connection sends its next request when its last one is answered. \
                  With --rate it is open: requests are due by a schedule, and latency counts from then, so that a stall of \
                  the server shows in full (docs/LOAD.md).\n\nExamples:\n  isobar load http://127.0.0.1:8080/hello\n  \
                  isobar load http://127.0.0.1:8080/hello --rate 1000 --arrivals poisson --duration 30s\n  \
                  isobar load http://127.0.0.1:8080/hello --fresh --connections 1 --requests 100\n  \
                  isobar load http://127.0.0.1:8080/hello --sweep --p99-below 5ms --into results/hello-knee\n  \
                  isobar load --serve hello --rate 1000 -- --strategy pooled\n  \
                  isobar load http://127.0.0.1:8080 --trace trace.csv --functions hello,fibonacci?N=20 --speed 60\n  \
                  isobar load --serve hello --trace trace.csv --speed 60 --keep-alive fixed:10m --keep-alive histogram"
)]
pub struct Load {
    /// What to ask for: http://host:port/path?query
    #[arg(required_unless_present = "serve")]
    url: Option<Url>,
    /// Start `isobar serve` and load this function of it, with the input and the answer that its manifest declares; what
    /// follows -- are options of `isobar serve`
    #[arg(long, value_name = "FUNCTION", conflicts_with = "url")]
    serve: Option<String>,
    /// At most so many connections at once
    #[arg(short, long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    connections: u32,
    /// Open loop: so many requests per second are due, whatever the server does. Of a sweep, the first rate
    #[arg(short, long, value_name = "PER_SECOND", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    rate: Option<u32>,
    /// When they are due: at equal intervals, or at random moments (a Poisson process)
    #[arg(long, value_enum, default_value = "constant", value_name = "KIND")]
    arrivals: Arrivals,
    /// How long requests count
    #[arg(short, long, value_name = "TIME", value_parser = humantime::parse_duration)]
    duration: Option<Duration>,
    /// How many requests count at most; then no --duration is needed
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), conflicts_with = "sweep")]
    requests: Option<u64>,
    /// For so long requests are sent first that do not count
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, default_value = "2s")]
    warm_up: Duration,
    /// A request that is not answered so long after it was due failed
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, default_value = "10s")]
    timeout: Duration,
    /// A new connection for each request, with the parts of its time: name lookup, connect, first byte, total
    #[arg(long)]
    fresh: bool,
    #[command(flatten)]
    what: What,
    #[command(flatten)]
    sweep: Sweep,
    #[command(flatten)]
    replay: Replay,
    /// What the server is called in records and charts (runtime/mode); by default its address
    #[arg(long, value_name = "NAME")]
    name: Option<RuntimeId>,
    /// The seed of Poisson arrivals; by default one of the clock's
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// The form of the answer
    #[arg(long, value_enum, default_value = "table", value_name = "FORMAT")]
    format: Form,
    /// Store the records in this folder, which must be new or empty, with report and charts
    #[arg(long, value_name = "FOLDER")]
    into: Option<PathBuf>,
    /// Exit with code 3 when a request failed
    #[arg(long)]
    strict: bool,
    /// Options of `isobar serve`, after `--`
    #[arg(last = true, requires = "serve")]
    serve_options: Vec<String>,
}

/// How to look for the highest rate.
#[derive(Debug, Args)]
struct Sweep {
    /// Look for the highest rate whose 99th percentile stays below a limit
    #[arg(long, requires = "p99_below")]
    sweep: bool,
    /// The limit of a sweep
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, requires = "sweep")]
    p99_below: Option<Duration>,
    /// No higher rate is tried
    #[arg(long, value_name = "PER_SECOND", default_value_t = 200_000, value_parser = clap::value_parser!(u32).range(1..))]
    max_rate: u32,
}

/// When requests of an open loop are due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Arrivals {
    /// At equal intervals
    Constant,
    /// At random moments that do not depend on each other
    Poisson,
}

impl Load {
    pub fn run(self, places: &Places) -> Result<ExitCode> {
        let seed = self
            .seed
            .unwrap_or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().subsec_nanos().into());
        let stop = stop_on_interrupt()?;
        self.check_into()?;
        // What is wrong with a file is said before a server is asked.
        let trace = self.replay.trace.as_ref().map(|file| Trace::read(file)).transpose()?;
        let warn = || noise::before_run(&System::this()).iter().for_each(|warning| eprintln!("warning: {warning}"));
        let run = if let Some((file, trace)) = self.replay.trace.as_ref().zip(trace) {
            warn();
            self.replay(file, trace, places, seed, &stop)?
        } else if self.sweep.sweep {
            let target = Target::of(&self, places)?;
            warn();
            self.find_knee(&target, seed, &stop)?
        } else {
            let target = Target::of(&self, places)?;
            warn();
            let cell = self.cell(&target, self.rate);
            let mut run = Run { header: self.run_header(&target, vec![cell.clone()], seed), records: Vec::new() };
            run.records.push(self.one(&target, cell, self.rate, seed, &stop)?);
            run
        };
        super::print(&load::show(&run, self.format))?;
        self.store(&run)?;
        if stop.load(Ordering::Relaxed) {
            return Ok(ExitCode::from(INTERRUPTED));
        }
        Ok(self.exit_code(&run))
    }

    fn cell(&self, target: &Target, rate: Option<u32>) -> Cell {
        let cells = Cells { server: target.name.clone(), function: target.requests[0].name.clone() };
        match rate {
            Some(rate) => cells.open(rate, self.fresh),
            None => cells.closed(self.connections, self.fresh),
        }
    }

    /// How long requests count: without any limit on them, ten seconds; a step of a sweep, five.
    fn time(&self) -> Option<Duration> {
        let default = Duration::from_secs(if self.sweep.sweep { 5 } else { 10 });
        self.duration.or_else(|| self.requests.is_none().then_some(default))
    }

    fn run_header(&self, target: &Target, cells: Vec<Cell>, seed: u64) -> Header {
        let open = self.rate.is_some() || self.sweep.sweep;
        let plan = LoadPlan {
            url: target.url.clone(),
            method: target.requests[0].method.clone(),
            r#loop: match self.arrivals {
                _ if self.replay.trace.is_some() => Loop::Trace,
                _ if !open => Loop::Closed,
                Arrivals::Constant => Loop::Constant,
                Arrivals::Poisson => Loop::Poisson,
            },
            connections: self.connections,
            fresh: self.fresh,
            warm_up_ns: nanoseconds(self.warm_up),
            duration_ns: self.time().map(nanoseconds),
            requests: self.requests,
            timeout_ns: nanoseconds(self.timeout),
            p99_below_ns: self.sweep.p99_below.map(nanoseconds),
            trace_sha256: None,
            speed: None,
            scale: None,
            sample: None,
        };
        let mut header = load::header(plan, cells, target.functions.clone(), seed);
        header.arguments = super::run::typed(std::env::args().skip(1));
        header.runtimes.extend(target.runtime.clone());
        header.warnings = noise::before_run(&System::this()).iter().map(ToString::to_string).collect();
        header
    }

    /// Loads at one rate, or in a closed loop.
    fn one(&self, target: &Target, cell: Cell, rate: Option<u32>, seed: u64, stop: &AtomicBool) -> Result<Record> {
        let system = System::this();
        let before = noise::Load::now(&system);
        // Without a time the schedule is as long as it takes: the number of requests ends it.
        let end = self.time().map_or(Duration::from_secs(365 * 86_400), |time| self.warm_up.saturating_add(time));
        let pace = match (rate, self.arrivals) {
            (None, _) => Pace::Closed,
            (Some(rate), Arrivals::Constant) => Pace::Open(Box::new(schedule::constant(rate, end))),
            (Some(rate), Arrivals::Poisson) => Pace::Open(Box::new(schedule::poisson(rate, end, seed))),
        };
        let options = Options {
            pace,
            connections: self.connections as usize,
            fresh: self.fresh,
            warm_up: self.warm_up,
            duration: self.time(),
            requests: self.requests,
            timeout: self.timeout,
            give_up_behind: self.sweep.sweep.then_some(BEHIND),
        };
        let mut outcome: Outcome = load::load(&target.server, &target.addresses, &target.requests, options, stop)?;
        outcome.result.first_request_ns = target.first_request_ns;
        Ok(load::record(cell, outcome, noise::Load::now(&system).noise_since(&before)))
    }

    fn find_knee(&self, target: &Target, seed: u64, stop: &AtomicBool) -> Result<Run> {
        const PRECISION: f64 = 0.05;
        let limit_ns = self.sweep.p99_below.map_or(u64::MAX, nanoseconds);
        let mut run = Run { header: self.run_header(target, Vec::new(), seed), records: Vec::new() };
        while let Some(rate) =
            sweep::next_rate(&sweep::steps(&run), limit_ns, self.rate.unwrap_or(100), self.sweep.max_rate, PRECISION)
        {
            let cell = self.cell(target, Some(rate));
            let record = self.one(target, cell.clone(), Some(rate), seed, stop)?;
            if stop.load(Ordering::Relaxed) {
                break;
            }
            if let Some(step) = sweep::Step::of(&record) {
                eprintln!("{rate} requests/s: {}", step.verdict(limit_ns).words());
            }
            run.header.cells.push(cell);
            run.records.push(record);
        }
        run.header.plan_sha256 = crate::experiment::plan_sha256(&run.header);
        Ok(run)
    }

    /// Said before the load rather than after it.
    fn check_into(&self) -> Result<()> {
        let Some(folder) = self.into.clone() else { return Ok(()) };
        let occupied = folder.read_dir().is_ok_and(|mut entries| entries.next().is_some());
        if occupied { Err(StoreError::Occupied { folder }.into()) } else { Ok(()) }
    }

    fn store(&self, run: &Run) -> Result<()> {
        let Some(into) = &self.into else { return Ok(()) };
        let mut folder = RunFolder::create_in(into, &run.header)?;
        for record in &run.records {
            folder.append(record)?;
        }
        for file in crate::report::write(run, &crate::report::rows(run), into)? {
            eprintln!("written {}", file.display());
        }
        Ok(())
    }

    fn exit_code(&self, run: &Run) -> ExitCode {
        let loads = || run.records.iter().filter_map(|record| record.load.as_ref());
        if let Some(limit) = self.sweep.p99_below {
            let found = sweep::knee(&sweep::steps(run), nanoseconds(limit)).is_some();
            return if found { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        }
        let failed = loads().any(|load| !load.faults.is_empty()) || run.records.iter().any(|r| r.result.is_err());
        if self.strict && failed { ExitCode::from(FAILURES) } else { ExitCode::SUCCESS }
    }
}

/// Ctrl-C ends the load; what was seen is shown.
fn stop_on_interrupt() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let set = stop.clone();
    ctrlc::set_handler(move || {
        // The second time at once.
        if set.swap(true, Ordering::Relaxed) {
            load::end_platforms();
            std::process::exit(INTERRUPTED.into());
        }
    })
    .context("cannot listen for Ctrl-C")?;
    Ok(stop)
}
