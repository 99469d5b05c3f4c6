//! Where the time of a request goes, strategy by strategy: the server's own phases by its header `Server-Timing`, within
//! the latency that a client sees over one connection.

use super::servers::{self, Kind, Peer};
use super::{Effort, TARGET, duration, tools};
use anyhow::{Context, Result};
use isobar::stats::Histogram;
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::Command;

/// The phases in the order in which they come.
const PHASES: [&str; 6] = ["queue", "engine", "load", "instantiate", "execute", "teardown"];

pub(super) fn print(effort: &Effort) -> Result<()> {
    let strategies = servers::STRATEGIES
        .map(|(name, arguments)| Peer { name: name.to_owned(), kind: Kind::Isobar(arguments.to_vec()) });
    println!("| server | latency | {} | of it the bare handler's latency |", PHASES.join(" | "));
    println!("| --- | ---: |{} ---: |", " ---: |".repeat(PHASES.len()));
    let bare = row(&servers::constant(), effort)?;
    println!("| {} | {} |{} |", servers::constant().name, duration(bare.latency_us), " |".repeat(PHASES.len()));
    for peer in strategies {
        let row = row(&peer, effort)?;
        let phases = PHASES.map(|phase| row.phases_us.get(phase).map_or("-".to_owned(), |us| duration(*us)));
        let share = 100.0 * bare.latency_us / row.latency_us;
        println!("| {} | {} | {} | {share:.0} % |", peer.name, duration(row.latency_us), phases.join(" | "));
    }
    Ok(())
}

/// Medians, in microseconds.
struct Row {
    latency_us: f64,
    phases_us: BTreeMap<String, f64>,
}

fn row(peer: &Peer, effort: &Effort) -> Result<Row> {
    let server = peer.start()?;
    server.check(TARGET, super::ANSWER)?;
    let seconds = |time: std::time::Duration| format!("{}s", time.as_secs());
    let mut isobar = Command::new(env!("CARGO_BIN_EXE_isobar"));
    isobar.args(["load", &server.url(TARGET), "--format", "json", "--connections", "1"]);
    isobar.args(["--warm-up", &seconds(effort.warm_up), "--duration", &seconds(effort.measured)]);
    let record = tools::from_isobar(&tools::said(isobar.output()?)?)?;
    let phases = record["load"]["server_timing"].as_object();
    let of = |(name, text): (&String, &Value)| Ok((name.clone(), median_us(text)?));
    let phases_us = phases.into_iter().flatten().map(of).collect::<Result<_>>()?;
    Ok(Row { latency_us: median_us(&record["histogram"])?, phases_us })
}

fn median_us(histogram: &Value) -> Result<f64> {
    let text = histogram.as_str().context("there is no histogram")?;
    Ok(Histogram::decode(text)?.percentile(50.0) as f64 / 1000.0)
}
