//! isobar's platform beside other servers of the same function, all loaded by the same external tool: the tables of
//! docs/HTTP.md. `scripts/http-peers` sets up what it needs and runs it.
//!
//! Servers take turns, round by round and in an order that a seed shuffles, each in a new process; ratios are formed within
//! a round. The bare handler that the others are compared with is this program itself, in another process.

mod constant;
mod phases;
mod servers;
mod tools;

use anyhow::{Context, Result};
use isobar::stats::median;
use servers::{Kind, Peer};
use std::collections::BTreeMap;
use std::time::Duration;
use tools::{Load, Tool};

/// What every server must answer.
const TARGET: &str = "/hello?NAME=World";
const ANSWER: &str = "Hello, World!\n";

const CONNECTIONS: [u32; 2] = [1, 64];

/// Requests per second at which isobar's own driver must keep its schedule.
const RATE: u32 = 20_000;

/// How long and how often is measured.
struct Effort {
    rounds: u32,
    warm_up: Duration,
    measured: Duration,
}

/// The results of each round, by server and number of connections.
type Results = BTreeMap<(String, u32), Vec<Load>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, listen] = &arguments[..]
        && flag == constant::FLAG
    {
        return constant::serve(listen);
    }
    // Started as a test it has nothing to say.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return Ok(());
    }
    let quick = arguments.iter().any(|argument| argument == "quick");
    let seconds = Duration::from_secs;
    let effort = match quick {
        true => Effort { rounds: 1, warm_up: seconds(1), measured: seconds(1) },
        false => Effort { rounds: 7, warm_up: seconds(1), measured: seconds(2) },
    };
    let (peers, absent) = servers::peers();
    let (tools, without): (Vec<_>, Vec<_>) = Tool::ALL.into_iter().partition(|tool| tool.is_here());
    for tool in &tools {
        let results = measure(*tool, &peers, &effort)?;
        println!("\n## Loaded by {}\n", tool.version()?);
        print_table(&peers, &results);
    }
    absent.iter().for_each(|reason| println!("\nNot here: {reason}."));
    without.iter().for_each(|tool| println!("\nNot here: {}", tool.remedy()));
    println!("\n## A request by phase\n");
    phases::print(&effort)?;
    if tools.contains(&Tool::Wrk) {
        println!("\n## isobar's own driver\n");
        print_driver(&effort)?;
    }
    Ok(())
}

fn measure(tool: Tool, peers: &[Peer], effort: &Effort) -> Result<Results> {
    let mut results = Results::new();
    let mut random = fastrand::Rng::with_seed(1);
    for round in 0..effort.rounds {
        let mut order: Vec<&Peer> = peers.iter().collect();
        random.shuffle(&mut order);
        for peer in order {
            eprintln!("{} · round {} of {} · {}", tool.name(), round + 1, effort.rounds, peer.name);
            let server = peer.start().with_context(|| format!("{} does not start", peer.name))?;
            server.check(TARGET, ANSWER)?;
            for connections in CONNECTIONS {
                tool.load(&server.url(TARGET), connections, effort.warm_up)?;
                let load = tool.load(&server.url(TARGET), connections, effort.measured)?;
                results.entry((peer.name.clone(), connections)).or_default().push(load);
            }
            server.check(TARGET, ANSWER)?;
        }
    }
    Ok(results)
}

fn print_table(peers: &[Peer], results: &Results) {
    println!("| server | connections | requests/s | of the bare handler [least, most] | p50 | p99 | p99.9 | failed |");
    println!("| --- | ---: | ---: | --- | ---: | ---: | ---: | ---: |");
    for connections in CONNECTIONS {
        let of = |peer: &Peer| results.get(&(peer.name.clone(), connections)).map_or(&[][..], Vec::as_slice);
        let bare = peers.iter().find(|peer| matches!(peer.kind, Kind::Constant)).map_or(&[][..], of);
        for peer in peers {
            let loads = of(peer);
            let shares = loads.iter().zip(bare).map(|(load, bare)| 100.0 * load.per_second / bare.per_second);
            println!(
                "| {} | {connections} | {:.0} | {} | {} | {} | {} | {} |",
                peer.name,
                middle(loads.iter().map(|load| load.per_second)),
                spread(shares.collect(), "%"),
                duration(middle(loads.iter().map(|load| load.p50_us))),
                duration(middle(loads.iter().map(|load| load.p99_us))),
                duration(middle(loads.iter().map(|load| load.p999_us))),
                loads.iter().map(|load| load.failed).sum::<u64>(),
            );
        }
    }
}

/// How isobar's driver keeps a schedule, and what it finds beside wrk: against the bare handler, where what a tool itself
/// takes of the processors decides, and where the server is the limit.
fn print_driver(effort: &Effort) -> Result<()> {
    let (bare, limit) = (servers::constant(), servers::one_thread());
    let (mut late, mut ratios) = (Vec::new(), [Vec::new(), Vec::new()]);
    for round in 0..effort.rounds {
        for (peer, ratios) in [&bare, &limit].into_iter().zip(&mut ratios) {
            let server = peer.start()?;
            let url = server.url(TARGET);
            let both = [Tool::Wrk, Tool::Isobar];
            let mut found = BTreeMap::new();
            for at in 0..both.len() {
                let tool = both[(at + round as usize) % both.len()];
                tool.load(&url, 64, effort.warm_up)?;
                found.insert(tool.name(), tool.load(&url, 64, effort.measured)?.per_second);
            }
            ratios.push(100.0 * found[Tool::Isobar.name()] / found[Tool::Wrk.name()]);
        }
        let server = bare.start()?;
        late.push(100.0 * tools::late_share(&server.url(TARGET), RATE, effort.measured)?);
    }
    let answers = "answers/s in a closed loop with 64 connections, of those that wrk gets of";
    println!("| what | median [least, most] |\n| --- | --- |");
    for (peer, ratios) in [&limit, &bare].into_iter().zip(ratios.into_iter().rev()) {
        println!("| {answers} {} | {} |", peer.name, spread(ratios, "%"));
    }
    println!("| requests that are sent more than 1 ms late at {RATE} requests/s | {} |", spread(late, "%"));
    Ok(())
}

fn middle(values: impl Iterator<Item = f64>) -> f64 {
    median(&mut values.collect::<Vec<_>>()).unwrap_or(f64::NAN)
}

/// The median with the least and the largest.
fn spread(mut values: Vec<f64>, unit: &str) -> String {
    let Some(middle) = median(&mut values) else { return "-".to_owned() };
    let (least, most) =
        values.iter().fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(*value), high.max(*value)));
    let digits = if most < 10.0 { 2 } else { 0 };
    format!("{middle:.digits$} {unit} [{least:.digits$}, {most:.digits$}]")
}

fn duration(us: f64) -> String {
    if us < 1000.0 { format!("{us:.0} µs") } else { format!("{:.2} ms", us / 1000.0) }
}
