//! Replaying a trace.

use super::{Load, Target};
use crate::load::trace::{self, Trace};
use crate::load::{self, Cells, Options, Pace};
use crate::noise::{self, System};
use crate::record::{Cell, Header, Run};
use anyhow::{Context, Result};
use clap::Args;
use isobar_core::measure::{nanoseconds, sha256_hex};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

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
    speed: f64,
    /// Of a trace: so many times as many requests
    #[arg(long, value_name = "FACTOR", value_parser = factor, default_value = "1", requires = "trace")]
    scale: f64,
    /// Of a trace: only its first minutes
    #[arg(long, value_name = "N", requires = "trace", value_parser = clap::value_parser!(u32).range(1..))]
    minutes: Option<u32>,
}

impl Load {
    /// Replays a trace: a record for everything together, and one for each function.
    pub(super) fn replay(
        &self,
        file: &Path,
        trace: &Trace,
        target: &Target,
        seed: u64,
        stop: &AtomicBool,
    ) -> Result<Run> {
        let Replay { speed, scale, minutes, .. } = self.replay;
        let how = trace::Replay { speed, scale, minutes: minutes.map(|minutes| minutes as usize), seed };
        let duration = how.duration(trace);
        let header = self.trace_header(file, target, duration, seed)?;
        eprintln!(
            "{} functions of the trace by {} of the server, for {}",
            trace.functions.len(),
            target.requests.len(),
            humantime::format_duration(Duration::from_secs(duration.as_secs_f64().ceil() as u64))
        );
        let options = Options {
            pace: Pace::Open(trace::replay(trace, target.requests.len(), how)),
            connections: self.connections as usize,
            fresh: false,
            warm_up: Duration::ZERO,
            duration: Some(duration),
            requests: None,
            timeout: self.timeout,
            give_up_behind: None,
        };
        let system = System::this();
        let before = noise::Load::now(&system);
        let mut outcome = load::load(&target.server, &target.addresses, &target.requests, options, stop)?;
        outcome.result.first_request_ns = Some(target.first_request_ns);
        let noise = noise::Load::now(&system).noise_since(&before);
        let (elapsed_ns, kinds) = (outcome.elapsed_ns, std::mem::take(&mut outcome.kinds));
        let mut records = vec![load::record(header.cells[0].clone(), outcome, noise)];
        let functions = header.cells[1..].iter().zip(&kinds).filter(|(_, kind)| kind.due > 0);
        records.extend(functions.map(|(cell, kind)| load::record_of_kind(cell.clone(), kind, elapsed_ns, noise)));
        let mut run = Run { header, records };
        // A function that the trace never calls is no cell.
        let measured: Vec<Cell> = run.records.iter().map(|record| record.cell.clone()).collect();
        run.header.cells.retain(|cell| measured.contains(cell));
        run.header.plan_sha256 = crate::experiment::plan_sha256(&run.header);
        Ok(run)
    }

    fn trace_header(&self, file: &Path, target: &Target, duration: Duration, seed: u64) -> Result<Header> {
        let cells = Cells { server: target.name.clone(), function: load::ALL.to_owned() };
        let all = cells.trace(load::ALL);
        // One function alone is all of them.
        let each = if target.requests.len() > 1 { &target.requests[..] } else { &[] };
        let each = each.iter().map(|request| cells.trace(&request.name));
        let mut header = self.run_header(target, std::iter::once(all).chain(each).collect(), seed);
        let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        header.functions.insert(0, load::function(load::ALL, "All requests of a trace to", &target.url));
        if let Some(plan) = &mut header.load {
            plan.trace_sha256 = Some(sha256_hex(&bytes));
            (plan.speed, plan.scale) = (Some(self.replay.speed), Some(self.replay.scale));
            (plan.duration_ns, plan.warm_up_ns) = (Some(nanoseconds(duration)), 0);
        }
        Ok(header)
    }
}

/// A positive number.
fn factor(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite() && *number > 0.0 && *number <= 1e6);
    number.ok_or_else(|| "write a positive number, at most a million".to_owned())
}
