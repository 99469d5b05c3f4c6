//! Servers: started, asked once, and loaded with one request after another. The records are those of `isobar load`, several
//! servers in one run.

use crate::load::{self, Check, Options, Outcome, Pace, Platform, Request, Server, Url, probe};
use crate::noise::{Load, System};
use crate::record::{Cell, Header, Record, RunFolder, StoreError};
use crate::registry::Registry;
use crate::remote::RemoteRuntime;
use crate::workload::Workload;
use isobar_core::measure::{MeasureError, ScenarioId, nanoseconds};
use isobar_core::runtime::Server as Running;
use isobar_core::{Execution, Failure, Form, Runtime, RuntimeId};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A server and what it is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Served {
    /// What records call it.
    pub name: &'static str,
    /// How it is started.
    pub how: How,
    /// The functions, or paths that begin with a slash.
    pub functions: &'static [&'static str],
    /// What it is loaded with, each time it is started.
    pub loads: &'static [Loaded],
}

/// How a server is started.
#[derive(Clone, Copy, Debug)]
pub enum How {
    /// `isobar serve` with these options.
    Platform(&'static [&'static str]),
    /// By the runner of the runtime that has the record's name.
    Runner,
}

/// A closed loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loaded {
    /// One request after another, each over a connection of its own.
    Fresh,
    /// Over so many connections.
    Connections(u32),
}

const LANGUAGES: [&str; 3] = ["rust/fibonacci", "javascript/fibonacci", "go/fibonacci"];

/// The platforms that are compared by the time of Fibonacci 32.
pub const PLATFORMS: [Served; 8] = [
    one_by_one("isobar/pooled", How::Platform(&["--strategy", "pooled"]), &LANGUAGES),
    one_by_one("isobar/cached", How::Platform(&["--strategy", "cached"]), &LANGUAGES),
    one_by_one("wasmer/cranelift+cached", How::Platform(&["--runtime", "wasmer/cranelift"]), &LANGUAGES),
    one_by_one(
        "wasmedge/aot+pooled",
        How::Platform(&["--runtime", "wasmedge/aot", "--strategy", "pooled"]),
        &["rust/fibonacci"],
    ),
    one_by_one("wasm3/lazy+cached", How::Platform(&["--runtime", "wasm3/lazy"]), &["rust/fibonacci"]),
    // These load the family's JavaScript, for which the function in Rust stands.
    one_by_one("node/http", How::Runner, &["rust/fibonacci"]),
    one_by_one("workerd/isolate", How::Runner, &["rust/fibonacci"]),
    one_by_one("workerd/cached", How::Runner, &["rust/fibonacci"]),
];

/// What the framework answers by itself, without any function.
pub const BARE: &str = "/healthz";

/// The function whose time is compared with the framework's own.
pub const HELLO: &str = "assemblyscript/hello";

const ALL_LOADS: [Loaded; 4] = [Loaded::Fresh, Loaded::Connections(1), Loaded::Connections(8), Loaded::Connections(64)];

/// isobar's platform in its strategies, and the framework that it is built on.
pub const FRAMEWORK: [Served; 3] = [
    Served {
        name: "isobar/naive",
        how: How::Platform(&["--strategy", "naive"]),
        functions: &[HELLO, BARE],
        loads: &ALL_LOADS,
    },
    Served {
        name: "isobar/cached",
        how: How::Platform(&["--strategy", "cached"]),
        functions: &[HELLO],
        loads: &ALL_LOADS,
    },
    Served {
        name: "isobar/pooled",
        how: How::Platform(&["--strategy", "pooled"]),
        functions: &[HELLO],
        loads: &ALL_LOADS,
    },
];

const fn one_by_one(name: &'static str, how: How, functions: &'static [&'static str]) -> Served {
    Served { name, how, functions, loads: &[Loaded::Fresh] }
}

impl Served {
    /// What records call it.
    pub fn id(&self) -> RuntimeId {
        self.name.parse().expect("a server's name is a runtime's")
    }
}

impl Loaded {
    /// The scenario of its records.
    pub fn scenario(self) -> ScenarioId {
        let (name, connections) = match self {
            Loaded::Fresh => ("http-closed-fresh", 1),
            Loaded::Connections(connections) => ("http-closed", connections),
        };
        ScenarioId::new(name, Some(connections)).expect("these scenarios are in isobar's own list")
    }

    fn options(self, effort: Effort) -> Options {
        let connections = if let Loaded::Connections(connections) = self { connections } else { 1 };
        Options {
            pace: Pace::Closed,
            connections: connections as usize,
            fresh: self == Loaded::Fresh,
            // Sent one by one, the first of all was enough; a slow function is not to be over before any counts.
            warm_up: if self == Loaded::Fresh { Duration::ZERO } else { effort.warm_up },
            duration: Some(effort.duration),
            requests: (self == Loaded::Fresh).then_some(effort.requests),
            timeout: TIMEOUT,
            give_up_behind: None,
        }
    }
}

/// How much is sent.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// For so long requests do not count.
    pub warm_up: Duration,
    /// For so long they do.
    pub duration: Duration,
    /// At most so many, where they are sent one by one.
    pub requests: u64,
}

impl Effort {
    /// For a first look, or for numbers to rely on.
    pub fn of(quick: bool) -> Effort {
        let ms = Duration::from_millis;
        match quick {
            true => Effort { warm_up: ms(50), duration: ms(400), requests: 20 },
            false => Effort { warm_up: ms(300), duration: ms(2500), requests: 200 },
        }
    }
}

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(60);

/// How long a server may take until it listens.
const START: Duration = Duration::from_secs(120);

/// A server that failed so often is not tried again.
const FAILURES: usize = 2;

/// With what servers are started.
pub struct Starter<'a> {
    /// isobar itself.
    pub exe: PathBuf,
    /// Its folder, with the functions.
    pub root: PathBuf,
    /// The folder of further runners.
    pub runners: Option<PathBuf>,
    /// Where a platform keeps what it compiled.
    pub cache: PathBuf,
    /// The runtimes.
    pub registry: &'a Registry,
    /// The functions.
    pub workloads: &'a [Workload],
}

/// A server that runs; it ends when this is dropped.
#[derive(Default)]
struct Started {
    _platform: Option<Platform>,
    _server: Option<Box<dyn Running>>,
}

impl Starter<'_> {
    fn start(&self, served: &Served, function: &str) -> Result<(Started, Server, Request), Failure> {
        let host = |e: &dyn std::fmt::Display| Failure::host(e.to_string());
        match served.how {
            How::Platform(options) => {
                let mut command = Command::new(&self.exe);
                command
                    .arg("serve")
                    .args(["--listen", "127.0.0.1:0", "--wall-time", "60s", "--log", "warn"])
                    .args(options);
                command.arg("--cache-dir").arg(&self.cache).env("ISOBAR_ROOT", &self.root);
                if let Some(runners) = &self.runners {
                    command.arg("--runners").arg(runners);
                }
                let platform = Platform::start(command, START).map_err(|e| host(&e))?;
                let server = platform.url.server.clone();
                let started = Started { _platform: Some(platform), ..Started::default() };
                Ok((started, server, self.request(function)?))
            }
            How::Runner => {
                let runtime = self.registry.find(served.name).map_err(Failure::host)?;
                let workload = self.workload(function)?;
                let running = runtime.serve(&self.artifact(runtime, workload)?, &workload.invocation)?;
                let url: Url = running.url().parse().map_err(|e| host(&e))?;
                let request = load::invocation(workload);
                let query = request.path.split_once('?').map_or_else(String::new, |(_, query)| format!("?{query}"));
                let request = Request { path: format!("{}{query}", url.path), ..request };
                Ok((Started { _server: Some(running), ..Started::default() }, url.server, request))
            }
        }
    }

    /// What a server loads of a function: a script is bundled when it is deployed, as a module is compiled.
    fn artifact(&self, runtime: &RemoteRuntime, workload: &Workload) -> Result<PathBuf, Failure> {
        let info = runtime.info();
        let path = workload.form(info.form).map_err(|e| Failure::host(e.to_string()))?;
        if info.form != Form::Javascript && info.execution != Execution::Aot {
            return Ok(path);
        }
        let artifact = self.cache.join(format!("{}-{}", info.id, workload.name).replace('/', "-"));
        runtime.engine()?.compile(&path, &artifact)?;
        Ok(artifact)
    }

    fn workload(&self, function: &str) -> Result<&Workload, Failure> {
        let found = self.workloads.iter().find(|workload| workload.name == function);
        found.ok_or_else(|| Failure::host(format!("there is no function {function}")))
    }

    fn request(&self, function: &str) -> Result<Request, Failure> {
        if !function.starts_with('/') {
            return Ok(load::invocation(self.workload(function)?));
        }
        Ok(Request {
            name: function.to_owned(),
            method: "GET".to_owned(),
            path: function.to_owned(),
            fields: Vec::new(),
            body: Vec::new(),
            check: Check { status: Some(200), body: None },
        })
    }
}

/// The servers that can be measured, as cells.
pub fn cells(servers: &[Served], is_here: impl Fn(&Served, &str) -> bool) -> Vec<Cell> {
    let mut cells = Vec::new();
    for served in servers {
        for function in served.functions.iter().filter(|function| is_here(served, function)) {
            cells.extend(served.loads.iter().map(|loaded| cell(served, function, *loaded)));
        }
    }
    cells
}

fn cell(served: &Served, function: &str, loaded: Loaded) -> Cell {
    Cell { runtime: served.id(), function: function.to_owned(), scenario: loaded.scenario() }
}

/// Who is told what is measured next.
pub type Tell<'a> = dyn FnMut(&Served, &str) + 'a;

/// Measures the servers of a run as far as it lacks records, in its rounds; in each every server is started anew for every
/// function, in an order that the seed shuffles. `stop` ends it early.
///
/// # Errors
/// A record cannot be stored.
pub fn measure(
    servers: &[Served],
    header: &Header,
    mut records: Vec<Record>,
    starter: &Starter,
    folder: &mut RunFolder,
    stop: &AtomicBool,
    tell: &mut Tell,
) -> Result<Vec<Record>, StoreError> {
    let effort = Effort::of(header.quick);
    let all = servers.iter().flat_map(|served| served.functions.iter().map(move |function| (served, *function)));
    let all: Vec<(&Served, &str)> =
        all.filter(|(served, function)| header.cells.contains(&cell(served, function, served.loads[0]))).collect();
    for round in 0..header.schedule.min_processes {
        let mut order: Vec<usize> = (0..all.len()).collect();
        fastrand::Rng::with_seed(header.seed.wrapping_add(round.into())).shuffle(&mut order);
        for (served, function) in order.into_iter().map(|at| all[at]) {
            let missing: Vec<Loaded> = served
                .loads
                .iter()
                .copied()
                .filter(|loaded| needs(&records, &cell(served, function, *loaded), round))
                .collect();
            if missing.is_empty() || stop.load(Ordering::Relaxed) {
                continue;
            }
            tell(served, function);
            for mut record in one_start(served, function, &missing, starter, effort, stop) {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                record.round = round;
                folder.append(&record)?;
                records.push(record);
            }
        }
    }
    Ok(records)
}

/// Whether a cell has to be measured in a round.
fn needs(records: &[Record], cell: &Cell, round: u32) -> bool {
    let own = || records.iter().filter(|record| record.cell == *cell);
    let failures = own().filter(|record| record.result.is_err()).count();
    failures < FAILURES && own().all(|record| record.round != round)
}

/// Whether a run of servers has all of its records.
pub fn is_complete(header: &Header, records: &[Record]) -> bool {
    let rounds = 0..header.schedule.min_processes;
    header.cells.iter().all(|cell| rounds.clone().all(|round| !needs(records, cell, round)))
}

/// How often a server has yet to be started, if none fails.
pub fn starts(servers: &[Served], header: &Header, records: &[Record]) -> u64 {
    let functions = servers.iter().flat_map(|served| served.functions.iter().map(move |function| (served, *function)));
    let lacks = |(served, function): &(&Served, &str), round: u32| {
        let cells = served.loads.iter().map(|loaded| cell(served, function, *loaded));
        cells.filter(|cell| header.cells.contains(cell)).any(|cell| needs(records, &cell, round))
    };
    let rounds = 0..header.schedule.min_processes;
    functions.map(|started| rounds.clone().filter(|round| lacks(&started, *round)).count() as u64).sum()
}

/// Starts a server, asks it once, and loads it; a record for each load.
fn one_start(
    served: &Served,
    function: &str,
    loads: &[Loaded],
    starter: &Starter,
    effort: Effort,
    stop: &AtomicBool,
) -> Vec<Record> {
    let begun = Instant::now();
    let asked = starter.start(served, function).and_then(|(started, server, request)| {
        let (request, first) = ask(&server, request)?;
        Ok((started, server, request, first))
    });
    let (_started, server, request, first) = match asked {
        Ok(asked) => asked,
        Err(failure) => {
            let failed = |loaded: &Loaded| failed(cell(served, function, *loaded), &failure, begun);
            return loads.iter().map(failed).collect();
        }
    };
    let system = System::this();
    let mut records = Vec::new();
    for loaded in loads {
        let before = Load::now(&system);
        let requests = std::slice::from_ref(&request);
        let outcome = load::load(&server, &first.addresses, requests, loaded.options(effort), stop);
        let cell = cell(served, function, *loaded);
        records.push(match outcome {
            Ok(mut outcome) => {
                outcome.result.first_request_ns = Some(first.elapsed_ns);
                load::record(cell, Outcome { kinds: Vec::new(), ..outcome }, Load::now(&system).noise_since(&before))
            }
            Err(error) => failed(cell, &Failure::host(error.to_string()), begun),
        });
    }
    records
}

struct First {
    elapsed_ns: u64,
    addresses: Vec<SocketAddr>,
}

/// The first request, whose answer must be right, too.
fn ask(server: &Server, mut request: Request) -> Result<(Request, First), Failure> {
    let first = probe(server, &request, TIMEOUT).map_err(|e| Failure::host(e.to_string()))?;
    let mut scratch = isobar_core::Outcome { exit_code: 0, stdout: Vec::new(), stderr: Vec::new() };
    let checked = request.check.check(first.status, &first.body, &mut scratch);
    checked.map_err(|(_, what)| Failure::host(format!("the first answer is wrong: {what}")))?;
    request.check.body.get_or_insert_with(|| first.same_body());
    Ok((request, First { elapsed_ns: first.elapsed_ns, addresses: first.addresses }))
}

fn failed(cell: Cell, failure: &Failure, begun: Instant) -> Record {
    Record {
        cell,
        round: 0,
        machine: 0,
        elapsed_ns: nanoseconds(begun.elapsed()),
        cpus: vec![],
        noise: None,
        histogram: None,
        artifact: None,
        load: None,
        result: Err(MeasureError::Failure(failure.clone())),
    }
}

/// Lets platforms compile ahead of time what they keep on disk, as a deployment does: no first request is to pay for it.
pub fn deploy(servers: &[Served], header: &Header, starter: &Starter) {
    for served in servers.iter().filter(|served| matches!(served.how, How::Platform(o) if o.contains(&"pooled"))) {
        for function in served.functions {
            if header.cells.contains(&cell(served, function, served.loads[0])) {
                // What fails here fails again where it is recorded.
                let _ = starter.start(served, function).and_then(|(_started, server, request)| ask(&server, request));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_have_names_and_cells() {
        let all = cells(&FRAMEWORK, |_, _| true);
        assert_eq!(all.len(), 16);
        assert!(all.iter().any(|cell| cell.to_string() == "isobar/pooled assemblyscript/hello http-closed/64"));
        let here = cells(&PLATFORMS, |served, _| matches!(served.how, How::Platform(_)));
        assert_eq!(here.len(), 11);
        assert!(here.iter().all(|cell| cell.scenario.to_string() == "http-closed-fresh/1"));
    }

    #[test]
    fn a_cell_is_measured_once_in_a_round_and_not_after_two_failures() {
        let cell = cell(&PLATFORMS[0], "rust/fibonacci", Loaded::Fresh);
        let record = |round| Record { round, ..failed(cell.clone(), &Failure::host("no"), Instant::now()) };
        assert!(needs(&[], &cell, 0));
        assert!(!needs(&[record(0)], &cell, 0) && needs(&[record(0)], &cell, 1));
        assert!(!needs(&[record(0), record(1)], &cell, 2));
    }
}
