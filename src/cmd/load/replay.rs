//! Replaying a trace: on a server, or on platforms that are started for it, one for each keep-alive policy.

use super::target::option;
use super::{Load, Places, Target};
use crate::load::trace::{self, Trace};
use crate::load::{self, Cells, Check, KindOutcome, Options, Pace, Request};
use crate::noise::{self, System};
use crate::record::{Header, Kept, Record, Run};
use crate::workload::Workload;
use anyhow::{Context, Result, bail};
use clap::Args;
use isobar_core::measure::{nanoseconds, sha256_hex};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How to replay a trace.
#[derive(Debug, Args)]
pub(super) struct Replay {
    /// Replay a trace: a CSV file in the format of the Azure Functions trace of 2019 (`isobar trace` makes one)
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["rate", "requests", "duration", "sweep", "fresh", "warm_up"]
    )]
    pub(super) trace: Option<PathBuf>,
    /// Of a trace: what its functions stand for, as paths below the URL, or as further functions with --serve. They are
    /// dealt out in turn, in an order that the seed shuffles
    #[arg(long, value_name = "NAME,...", value_delimiter = ',', requires = "trace")]
    pub(super) functions: Vec<String>,
    /// Of a trace: so many times as fast
    #[arg(long, value_name = "FACTOR", value_parser = factor, default_value = "1", requires = "trace")]
    pub(super) speed: f64,
    /// Of a trace: so many times as many requests
    #[arg(long, value_name = "FACTOR", value_parser = factor, default_value = "1", requires = "trace")]
    scale: f64,
    /// Of a trace: only its first minutes
    #[arg(long, value_name = "N", requires = "trace", value_parser = clap::value_parser!(u32).range(1..))]
    minutes: Option<u32>,
    /// Of a trace: only so many of its functions, drawn by the seed
    #[arg(long, value_name = "N", requires = "trace", value_parser = clap::value_parser!(u32).range(1..))]
    sample: Option<u32>,
    /// Of a trace with --serve: how long the platform keeps modules, as `isobar serve --keep-alive` takes it, its clock as
    /// fast as the trace; repeatable, the policies are compared, one after the other
    #[arg(long, value_name = "POLICY", requires = "trace", value_parser = policy)]
    keep_alive: Vec<String>,
}

/// A trace that is ready to be replayed.
struct Scene {
    trace: Trace,
    how: trace::Replay,
    /// The request that calls a function of the trace.
    calls: Vec<u32>,
    /// For each request what it is in reports, by its position among those names.
    kinds: Vec<usize>,
    names: Vec<String>,
}

impl Load {
    /// Replays a trace: for each policy a record for everything together, and one for each function that stands for some.
    pub(super) fn replay(
        &self,
        file: &Path,
        trace: Trace,
        places: &Places,
        seed: u64,
        stop: &AtomicBool,
    ) -> Result<Run> {
        let Replay { speed, scale, minutes, sample, .. } = self.replay;
        let how = trace::Replay { speed, scale, minutes: minutes.map(|minutes| minutes as usize), seed };
        let trace = match sample {
            Some(functions) => trace.sampled(functions as usize, seed),
            None => trace,
        };
        let mut run = match &self.serve {
            Some(function) => self.replay_served(file, function, trace, how, places, stop)?,
            None if !self.replay.keep_alive.is_empty() => {
                bail!("--keep-alive is for a platform that isobar starts: give a function with --serve, not an address")
            }
            None => {
                let target = Target::of(self, places)?;
                let names: Vec<String> = target.requests.iter().map(|request| request.name.clone()).collect();
                let calls = trace::dealt(trace.functions.len(), names.len(), seed);
                let scene = Scene { trace, how, calls, kinds: (0..names.len()).collect(), names };
                let header = self.trace_header(file, &target, &scene)?;
                Run { header, records: self.replay_on(&target, &scene, None, stop)? }
            }
        };
        // A function that the trace never calls is no cell.
        run.header.cells = run.records.iter().map(|record| record.cell.clone()).collect();
        run.header.plan_sha256 = crate::experiment::plan_sha256(&run.header);
        Ok(run)
    }

    /// On a platform for each policy, which has a function of its own for each of the trace.
    fn replay_served(
        &self,
        file: &Path,
        function: &str,
        trace: Trace,
        how: trace::Replay,
        places: &Places,
        stop: &AtomicBool,
    ) -> Result<Run> {
        let policies = self.policies()?;
        let workloads = Target::workloads(self, function, places)?;
        let stands_for = trace::dealt(trace.functions.len(), workloads.len(), how.seed);
        let folder = tempfile::tempdir().context("cannot make a folder for the functions of a trace")?;
        let manifest = folder.path().join("functions.toml");
        let all: Vec<&Workload> = workloads.iter().collect();
        let (requests, calls, kinds) = trace::copies(&trace, how.minutes, &all, &stands_for, &manifest)
            .with_context(|| format!("cannot write {}", manifest.display()))?;
        if requests.is_empty() {
            bail!("{}: no function is called in that part of the trace; take more --minutes", file.display());
        }
        let names = workloads.iter().map(|workload| workload.name.clone()).collect();
        let scene = Scene { trace, how, calls, kinds, names };
        let mut run: Option<Run> = None;
        for policy in policies {
            let target = Target::of_trace(self, places, &workloads, &requests, &manifest, policy.as_deref())?;
            let records = self.replay_on(&target, &scene, policy.as_deref(), stop)?;
            match &mut run {
                None => run = Some(Run { header: self.trace_header(file, &target, &scene)?, records }),
                Some(run) => {
                    run.header.runtimes.extend(target.runtime.clone());
                    run.records.extend(records);
                }
            }
            if stop.load(Ordering::Relaxed) {
                break;
            }
        }
        run.context("no policy was named")
    }

    /// The policies to compare; nothing stands for a platform that has none.
    fn policies(&self) -> Result<Vec<Option<String>>> {
        match (&self.replay.keep_alive[..], option(&self.serve_options, "--keep-alive")) {
            ([], policy) => Ok(vec![policy.map(str::to_owned)]),
            (policies, None) => Ok(policies.iter().cloned().map(Some).collect()),
            (_, Some(_)) => bail!("--keep-alive stands before and after --; give it once"),
        }
    }

    /// Replays the trace on one server.
    fn replay_on(
        &self,
        target: &Target,
        scene: &Scene,
        policy: Option<&str>,
        stop: &AtomicBool,
    ) -> Result<Vec<Record>> {
        let duration = scene.how.duration(&scene.trace);
        let by = policy.map_or_else(String::new, |policy| format!(", keep-alive {policy}"));
        eprintln!(
            "{} functions of the trace by {} of the server, for {}{by}",
            scene.trace.functions.len(),
            target.requests.len(),
            humantime::format_duration(Duration::from_secs(duration.as_secs_f64().ceil() as u64))
        );
        let options = Options {
            pace: Pace::Open(trace::replay(&scene.trace, &scene.calls, scene.how)),
            connections: self.connections as usize,
            fresh: false,
            warm_up: Duration::ZERO,
            duration: Some(duration),
            requests: None,
            timeout: self.timeout,
            give_up_behind: None,
        };
        let system = System::this();
        let (before, start) = (noise::Load::now(&system), Instant::now());
        let mut outcome = load::load(&target.server, &target.addresses, &target.requests, options, stop)?;
        outcome.result.first_request_ns = target.first_request_ns;
        let noise = noise::Load::now(&system).noise_since(&before);
        if policy.is_some() {
            outcome.result.kept = self.kept(target, start + duration, stop)?;
        }
        let (elapsed_ns, kinds) = (outcome.elapsed_ns, std::mem::take(&mut outcome.kinds));
        let called = kinds.iter().filter(|kind| kind.due > 0).map(|kind| kind.starts);
        outcome.result.starts_by_function = called.collect();
        if kinds.is_empty() {
            // One request alone is not told apart.
            outcome.result.starts_by_function = vec![outcome.result.starts];
        }
        let cells = Cells { server: target.name.clone(), function: load::ALL.to_owned() };
        let mut records = vec![load::record(cells.trace(load::ALL), outcome, noise)];
        // One function alone is all of them.
        let names = if scene.names.len() > 1 { &scene.names[..] } else { &[] };
        for (at, name) in names.iter().enumerate() {
            let own = kinds.iter().zip(&scene.kinds).filter(|(_, kind)| **kind == at).map(|(outcome, _)| outcome);
            let all = KindOutcome::merged(own);
            if all.due > 0 {
                records.push(load::record_of_kind(cells.trace(name), &all, elapsed_ns, noise));
            }
        }
        Ok(records)
    }

    /// What the platform tells when the trace is over, and not only its last request: what is idle until then counts. Nothing
    /// when it was interrupted, as the platform was with it.
    fn kept(&self, target: &Target, over: Instant, stop: &AtomicBool) -> Result<Option<Kept>> {
        while Instant::now() < over && !stop.load(Ordering::Relaxed) {
            std::thread::sleep(over.saturating_duration_since(Instant::now()).min(Duration::from_millis(50)));
        }
        if stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let request = Request {
            name: "metrics".to_owned(),
            method: "GET".to_owned(),
            path: "/metrics".to_owned(),
            fields: Vec::new(),
            body: Vec::new(),
            check: Check { status: Some(200), body: None },
        };
        let told = load::probe(&target.server, &request, self.timeout)?;
        let kept = load::kept(&String::from_utf8_lossy(&told.body));
        kept.map(Some).context("the platform tells nothing of its keep-alive policy at /metrics")
    }

    fn trace_header(&self, file: &Path, target: &Target, scene: &Scene) -> Result<Header> {
        let mut header = self.run_header(target, Vec::new(), scene.how.seed);
        let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        header.functions.insert(0, load::function(load::ALL, "All requests of a trace to", &target.url));
        if let Some(plan) = &mut header.load {
            plan.trace_sha256 = Some(sha256_hex(&bytes));
            (plan.speed, plan.scale) = (Some(self.replay.speed), Some(self.replay.scale));
            plan.sample = self.replay.sample.map(u64::from);
            (plan.duration_ns, plan.warm_up_ns) = (Some(nanoseconds(scene.how.duration(&scene.trace))), 0);
        }
        Ok(header)
    }
}

/// A positive number.
fn factor(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite() && *number > 0.0 && *number <= 1e6);
    number.ok_or_else(|| "write a positive number, at most a million".to_owned())
}

/// A keep-alive policy, which the platform reads; here only so far that a mistake is not found after the first replay.
fn policy(text: &str) -> Result<String, String> {
    let time = text.strip_prefix("fixed:").map(humantime::parse_duration);
    match (text, time) {
        ("forever" | "none" | "histogram", _) | (_, Some(Ok(_))) => Ok(text.to_owned()),
        (_, Some(Err(error))) => Err(error.to_string()),
        _ => Err("write forever, none, fixed:10m or histogram".to_owned()),
    }
}
