//! A load in words and tables: a pure function of its run.

use super::sweep;
use crate::record::{LoadPlan, LoadResult, Record, Run};
use crate::report::{escape, keep_alive, units};
use crate::stats::Histogram;
use comfy_table::{CellAlignment, Table, presets};
use isobar_core::measure::Samples;
use std::fmt::Write;

/// The form of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Form {
    /// Tables for the terminal
    Table,
    /// Tables as GitHub's Markdown has them
    Markdown,
    /// The header and the records, in one object
    Json,
}

/// Longer time lines are left to the records.
const MOST_SECONDS: usize = 60;

/// Of a trace on a server that isobar did not start.
const ASKED: &str = "Each function was asked once before the trace began, to learn its right answer: that cold start is not \
                     among these. With --serve the manifests name the answers, and it is.";

/// What is shown of distributions.
const PERCENTILES: [(&str, f64); 6] =
    [("p50", 50.0), ("p90", 90.0), ("p99", 99.0), ("p99.9", 99.9), ("p99.99", 99.99), ("max", 100.0)];

enum Piece {
    Title(String),
    Line(String),
    Table(Vec<String>, Vec<Vec<String>>),
}

/// What a load found.
pub fn show(run: &Run, form: Form) -> String {
    if form == Form::Json {
        let whole = serde_json::json!({ "header": run.header, "records": run.records });
        return format!("{whole:#}\n");
    }
    let mut text = String::new();
    for piece in pieces(run) {
        // Writing to a string cannot fail.
        let _ = match (piece, form) {
            (Piece::Title(title), Form::Markdown) => write!(text, "## {}\n\n", escape(&title)),
            (Piece::Title(title), _) => writeln!(text, "{title}"),
            (Piece::Line(line), Form::Markdown) => write!(text, "{}\n\n", escape(&line)),
            (Piece::Line(line), _) => writeln!(text, "{line}"),
            (Piece::Table(header, rows), Form::Markdown) => writeln!(text, "{}", markdown(&header, &rows)),
            (Piece::Table(header, rows), _) => writeln!(text, "{}\n", terminal(header, rows)),
        };
    }
    text
}

fn terminal(header: Vec<String>, rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).force_no_tty();
    table.set_header(header);
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.trim_fmt()
}

fn markdown(header: &[String], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| {
        let cells: Vec<String> = cells.iter().map(|cell| escape(cell)).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let rule: Vec<&str> = (0..header.len()).map(|at| if at == 0 { "---" } else { "---:" }).collect();
    format!("{}| {} |\n{}", line(header), rule.join(" | "), rows.iter().map(|row| line(row)).collect::<String>())
}

fn pieces(run: &Run) -> Vec<Piece> {
    let Some(plan) = &run.header.load else { return Vec::new() };
    let mut pieces = vec![Piece::Title(title(run, plan)), Piece::Line(plan.r#loop.meaning().to_owned())];
    if plan.p99_below_ns.is_some() {
        pieces.extend(sweep_pieces(run, plan));
        return pieces;
    }
    if let Some((header, rows)) = keep_alive::rows(run) {
        pieces.push(Piece::Table(header, rows));
        pieces.push(Piece::Line(keep_alive::WORDS.to_owned()));
        if run.records.iter().any(|record| record.load.as_ref().is_some_and(|load| load.first_request_ns.is_some())) {
            pieces.push(Piece::Line(ASKED.to_owned()));
        }
    }
    let replays: Vec<&[Record]> = run.records.chunk_by(|a, b| a.cell.runtime == b.cell.runtime).collect();
    for records in &replays {
        let [all, each @ ..] = records else { continue };
        if replays.len() > 1 {
            pieces.push(Piece::Title(all.cell.runtime.to_string()));
        }
        pieces.extend(load_pieces(all, replays.len() == 1));
        if !each.is_empty() {
            pieces.push(by_function(each));
        }
    }
    pieces
}

/// Of a trace.
fn by_function(records: &[Record]) -> Piece {
    let header = ["function", "requests", "failed", "cold", "warm", "p50", "p99", "max"];
    let row = |record: &Record| {
        let result = record.load.as_ref()?;
        let histogram = Histogram::decode(record.histogram.as_ref()?).ok()?;
        let failed: u64 = result.faults.values().map(|faults| faults.count).sum();
        let mut row = vec![record.cell.function.clone()];
        row.extend([result.due, failed, result.starts.cold, result.starts.warm].map(|count| count.to_string()));
        let time = |percentile| {
            if result.answered > 0 { units::time(histogram.percentile(percentile) as f64) } else { "-".to_owned() }
        };
        row.extend([50.0, 99.0, 100.0].map(time));
        Some(row)
    };
    Piece::Table(header.map(str::to_owned).into(), records.iter().filter_map(row).collect())
}

/// `GET http://127.0.0.1:8080/ · closed loop, 64 connections, ...`
fn title(run: &Run, plan: &LoadPlan) -> String {
    let mut title = format!("{} {} · {}", plan.method, plan.url, plan.r#loop.words());
    if let [cell] = &run.header.cells[..]
        && cell.scenario.name().starts_with("http-open")
    {
        let _ = write!(title, ", {} requests/s", cell.scenario.threads());
    }
    let kind = if plan.fresh { ", a new one for each request" } else { "" };
    let _ = write!(title, ", {}{kind}", units::count(plan.connections as usize, "connection"));
    if plan.r#loop.is_open() {
        let _ = write!(title, ", seed {}", run.header.seed);
    }
    title
}

fn sweep_pieces(run: &Run, plan: &LoadPlan) -> Vec<Piece> {
    let limit_ns = plan.p99_below_ns.unwrap_or(u64::MAX);
    let steps = sweep::steps(run);
    let header = ["requests/s", "answered/s", "p50", "p99", "p99.9", "max", "failed", "late", "verdict"];
    let row = |step: &sweep::Step| {
        let mut row = vec![step.rate.to_string(), format!("{:.0}", step.throughput)];
        row.extend([step.p50_ns, step.p99_ns, step.p999_ns, step.max_ns].map(|ns| units::time(ns as f64)));
        row.push(step.failures.to_string());
        row.push(units::percent(step.late));
        row.push(step.verdict(limit_ns).words().to_owned());
        row
    };
    let limit = units::time(limit_ns as f64);
    let line = match sweep::knee(&steps, limit_ns) {
        Some(knee) => format!(
            "The highest rate with a p99 below {limit}: {} requests/s (p99 {}).",
            knee.rate,
            units::time(knee.p99_ns as f64)
        ),
        None => format!("No rate had a p99 below {limit} with all requests answered."),
    };
    vec![Piece::Table(header.map(str::to_owned).into(), steps.iter().map(row).collect()), Piece::Line(line)]
}

fn load_pieces(record: &Record, with_seconds: bool) -> Vec<Piece> {
    let Some(result) = &record.load else { return Vec::new() };
    let mut pieces = Vec::new();
    pieces.push(Piece::Table(
        std::iter::once(String::new()).chain(PERCENTILES.iter().map(|(name, _)| (*name).to_owned())).collect(),
        distributions(record, result),
    ));
    pieces.extend(facts(record, result).into_iter().map(Piece::Line));
    if with_seconds
        && let Ok(measurement) = &record.result
        && measurement.samples.column("elapsed_ns").len() <= MOST_SECONDS
    {
        pieces.push(time_line(&measurement.samples));
    }
    pieces
}

fn distributions(record: &Record, result: &LoadResult) -> Vec<Vec<String>> {
    let mut named: Vec<(String, Option<&String>)> = vec![
        ("latency".to_owned(), record.histogram.as_ref()),
        ("service time".to_owned(), result.service_histogram.as_ref()),
    ];
    let order = ["name_lookup", "connect", "first_byte", "total", "server"];
    named.extend(order.iter().filter_map(|name| Some((name.replace('_', " "), Some(result.timing.get(*name)?)))));
    named.extend(result.server_timing.iter().map(|(name, text)| (format!("told: {name}"), Some(text))));
    let row = |(name, text): (String, Option<&String>)| {
        let histogram = Histogram::decode(text?).ok().filter(|histogram| histogram.count() > 0)?;
        let at = PERCENTILES.iter().map(|(_, percentile)| units::time(histogram.percentile(*percentile) as f64));
        Some(std::iter::once(name).chain(at).collect())
    };
    named.into_iter().filter_map(row).collect()
}

fn facts(record: &Record, result: &LoadResult) -> Vec<String> {
    let mut lines = Vec::new();
    if let Err(error) = &record.result {
        lines.push(format!("FAILED: {error}"));
    }
    let throughput = record.result.as_ref().ok().map(|measurement| throughput(&measurement.samples));
    let rate = throughput.map_or_else(String::new, |rate| format!("{rate:.1} answers/s; "));
    let failed: u64 = result.faults.values().map(|faults| faults.count).sum();
    lines.push(format!("{rate}{} requests, {} answered as expected, {failed} failed", result.due, result.answered));
    let share = |count: u64| units::percent(count as f64 / result.due.max(1) as f64);
    if result.late > 0 {
        lines.push(format!(
            "sent more than 1 ms late: {} ({}), {} of them because no connection was free",
            result.late,
            share(result.late),
            result.late_for_a_connection
        ));
    }
    let own = result.late.saturating_sub(result.late_for_a_connection) as f64 / result.due.max(1) as f64;
    if own > sweep::LATE {
        lines.push(format!(
            "warning: the driver itself was late with {} of the requests: the machine is too busy, or the rate too high for it",
            units::percent(own)
        ));
    }
    for (fault, faults) in &result.faults {
        lines.push(format!(
            "failed, {}: {} ({}), first: {}",
            fault.name(),
            faults.count,
            share(faults.count),
            faults.first
        ));
    }
    let statuses: Vec<String> = result.statuses.iter().map(|(status, count)| format!("{status}: {count}")).collect();
    lines.push(format!("statuses {}", if statuses.is_empty() { "-".to_owned() } else { statuses.join(", ") }));
    if result.retried > 0 {
        lines.push(format!("{} sent again, as the server had closed the connection meanwhile", result.retried));
    }
    if result.starts.cold + result.starts.warm > 0 {
        let starts = result.starts;
        lines.push(format!("starts: {} cold, {} warm, {} unknown", starts.cold, starts.warm, starts.unknown));
    }
    let busy = result.driver_cpu_ns as f64 / record.elapsed_ns.max(1) as f64;
    let first = result
        .first_request_ns
        .map_or_else(String::new, |ns| format!("; the very first request took {}", units::time(ns as f64)));
    lines.push(format!("the driver was busy for {} of the time{first}", units::percent(busy.min(1.0))));
    lines
}

/// Answers per second, of those that came in the time that counts.
pub(super) fn throughput(samples: &Samples) -> f64 {
    let sum = |name: &str| samples.column(name).iter().sum::<u64>() as f64;
    sum("completed") * 1e9 / sum("elapsed_ns").max(1.0)
}

fn time_line(samples: &Samples) -> Piece {
    let header = ["second", "due and answered", "completed", "failed", "late", "p50", "p99", "max"];
    let at = |name: &str, second: usize| samples.column(name).get(second).copied().unwrap_or(0);
    let row = |second: usize| {
        let mut row = vec![second.to_string()];
        row.extend(["requests", "completed", "errors", "late"].map(|name| at(name, second).to_string()));
        let known = at("requests", second) > 0;
        let time = |name| if known { units::time(at(name, second) as f64) } else { "-".to_owned() };
        row.extend(["p50_ns", "p99_ns", "max_ns"].map(time));
        row
    };
    Piece::Table(header.map(str::to_owned).into(), (0..samples.column("elapsed_ns").len()).map(row).collect())
}
