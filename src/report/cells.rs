//! What the page knows of every cell: for the table of all cells, and for a page of its own.

use super::summary::{Measured, Row};
use super::{detail, units, words};
use crate::experiment::CellStop;
use crate::record::{Cell, Record, Run};
use crate::stats;
use isobar_core::RuntimeInfo;
use isobar_core::measure::{Measurement, Unit, WarmUpEnd};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::Serialize;
use std::collections::BTreeMap;

/// What does not stand for itself between the commas of an address.
const RESERVED: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'`').add(b'%').add(b',').add(b'&').add(b'#');

/// The address of a cell's page, within the report: `#cell=wasm3/lazy,rust/hello,warm`.
pub(super) fn address(cell: &Cell) -> String {
    let parts = [cell.runtime.to_string(), cell.function.clone(), cell.scenario.to_string()];
    let parts: Vec<String> = parts.iter().map(|part| utf8_percent_encode(part, RESERVED).to_string()).collect();
    format!("#cell={}", parts.join(","))
}

/// All of it.
#[derive(Serialize)]
pub(super) struct Data<'a> {
    run: String,
    runtimes: BTreeMap<&'a str, Vec<(&'static str, String)>>,
    cells: Vec<Shown<'a>>,
}

#[derive(Serialize)]
struct Shown<'a> {
    runtime: &'a str,
    class: &'static str,
    function: &'a str,
    scenario: String,
    /// The scenario in words.
    title: String,
    /// Times can be drawn as times.
    unit: &'static str,
    direction: &'static str,
    stop: &'static str,
    #[serde(flatten)]
    outcome: Outcome<'a>,
    rounds: Vec<Round>,
    #[serde(skip_serializing_if = "Option::is_none")]
    artifact: Option<String>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Outcome<'a> {
    Failed { failed: &'a str, text: &'a str, failures: usize, processes: usize },
    Measured(Box<Numbers<'a>>),
}

#[derive(Serialize)]
struct Numbers<'a> {
    /// `median` or `slope`.
    number: &'static str,
    value: f64,
    low: f64,
    high: f64,
    ratio: f64,
    shown: String,
    interval: String,
    times: String,
    within: String,
    processes: usize,
    samples: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    mad: Option<String>,
    percentiles: Vec<(String, String)>,
    /// The tail, to sort by.
    #[serde(skip_serializing_if = "Option::is_none")]
    p99: Option<f64>,
    parts: Vec<(&'static str, f64, String)>,
    readings: Vec<(String, String)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    histogram: Option<&'a str>,
    /// Of the throughput of a server: what its requests took.
    #[serde(skip_serializing_if = "Option::is_none")]
    latencies: Option<&'a str>,
    /// Of what is no time: the values of each process.
    #[serde(skip_serializing_if = "Option::is_none")]
    values: Option<Vec<Vec<f64>>>,
}

/// One measurement.
#[derive(Serialize)]
struct Round {
    round: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    median: Option<f64>,
    shown: String,
    samples: usize,
    warm_up: String,
    noise: String,
}

/// What the page knows of the run's cells.
pub(super) fn data<'a>(run: &'a Run, rows: &'a [Row]) -> Data<'a> {
    let mut records: BTreeMap<&Cell, Vec<&Record>> = BTreeMap::new();
    for record in &run.records {
        records.entry(&record.cell).or_default().push(record);
    }
    records.values_mut().for_each(|records| records.sort_by_key(|record| (record.machine, record.round)));
    let runtimes = run.header.runtimes.iter().map(|info| (info.id.as_str(), settings(info))).collect();
    let cell = |row: &'a Row| shown(row, records.get(&row.cell).map_or(&[][..], Vec::as_slice));
    let name =
        format!("{} {}", units::date(run.header.started_at_s), run.header.plan_sha256.get(..8).unwrap_or_default());
    Data { run: name, runtimes, cells: rows.iter().map(cell).collect() }
}

/// What a runtime says of itself.
fn settings(info: &RuntimeInfo) -> Vec<(&'static str, String)> {
    let settings: Vec<String> = info.settings.iter().map(|(key, value)| format!("{key}: {value}")).collect();
    let told = [
        ("Class", words::class(info.class).to_owned()),
        ("Version", info.version.clone()),
        ("WASI", info.wasi.clone()),
        ("Execution", words::execution(info.execution).to_owned()),
        ("Settings", settings.join("; ")),
    ];
    told.into_iter().filter(|(_, text)| !text.is_empty()).collect()
}

fn shown<'a>(row: &'a Row, records: &[&Record]) -> Shown<'a> {
    let outcome = match &row.outcome {
        Ok(measured) => Outcome::Measured(Box::new(numbers(row, measured, records))),
        Err(failed) => Outcome::Failed {
            failed: &failed.kind,
            text: &failed.text,
            failures: failed.failures,
            processes: failed.processes,
        },
    };
    let artifact = row
        .artifact
        .map(|made| format!("{}, compiled in {}", units::bytes(made.bytes), units::time(made.compile_ns as f64)));
    Shown {
        runtime: row.cell.runtime.as_str(),
        class: words::class(row.class),
        function: &row.cell.function,
        scenario: row.cell.scenario.to_string(),
        title: words::capitalised(&words::scenario(row.cell.scenario)),
        unit: match row.cell.scenario.scenario().unit() {
            Unit::Nanoseconds => "ns",
            Unit::PerSecond => "per second",
            Unit::Bytes => "bytes",
            Unit::Instructions => "instructions",
        },
        direction: row.quantity().direction(),
        stop: stop(row.stop),
        outcome,
        rounds: records.iter().map(|record| round(row, record)).collect(),
        artifact,
    }
}

fn numbers<'a>(row: &Row, measured: &'a Measured, records: &[&Record]) -> Numbers<'a> {
    let (summary, quantity, scenario) = (&measured.summary, row.quantity(), row.cell.scenario);
    let percentiles = super::PERCENTILES.iter().zip(measured.percentiles.unwrap_or_default());
    let is_time = scenario.scenario().unit() == Unit::Nanoseconds;
    let samples = || records.iter().filter_map(|record| Some(&record.result.as_ref().ok()?.samples));
    Numbers {
        number: words::number(scenario.scenario()),
        value: summary.median,
        low: summary.low,
        high: summary.high,
        ratio: measured.ratio,
        shown: quantity.show(summary.median),
        interval: quantity.show_interval(summary),
        times: units::ratio(measured.ratio),
        within: units::percent(summary.relative_half_width()),
        processes: summary.processes,
        samples: summary.samples,
        mad: scenario.scenario().slope().is_none().then(|| quantity.show(summary.mad)),
        percentiles: percentiles.filter_map(|(p, ns)| Some((format!("p{p}"), units::time(ns?)))).collect(),
        p99: measured.percentiles.and_then(|percentiles| percentiles[1]),
        parts: measured.parts.iter().map(|part| (part.name, part.median, part.show())).collect(),
        readings: measured.readings.iter().map(|(n, v)| (words::measure(n), detail::figure(n, *v))).collect(),
        histogram: measured.histogram.as_deref().filter(|_| is_time),
        latencies: measured.histogram.as_deref().filter(|_| !is_time),
        values: (!is_time).then(|| samples().map(|s| scenario.values(s)).collect()),
    }
}

fn round(row: &Row, record: &Record) -> Round {
    let (median, samples, warm_up) = match &record.result {
        Ok(measurement) => {
            let mut values = row.cell.scenario.values(&measurement.samples);
            (stats::median(&mut values), values.len(), warm_up(measurement))
        }
        Err(_) => (None, 0, "-".to_owned()),
    };
    let noise = record.noise.unwrap_or_default();
    let share = |name: &str, share: Option<f64>| Some(format!("{name} {}", units::percent(share?)));
    let noise = [share("pressure", noise.cpu_pressure), share("steal", noise.steal)];
    Round {
        round: record.round,
        median,
        shown: median.map_or_else(|| "failed".to_owned(), |median| row.quantity().show(median)),
        samples,
        warm_up,
        noise: noise.into_iter().flatten().collect::<Vec<_>>().join(", "),
    }
}

fn warm_up(measurement: &Measurement) -> String {
    let warm_up = &measurement.warm_up;
    let end = match warm_up.end {
        WarmUpEnd::Stationary => "until stationary",
        WarmUpEnd::Samples => "until as many as allowed",
        WarmUpEnd::Time => "until its time was up",
        WarmUpEnd::None => return "-".to_owned(),
    };
    format!("{} in {}, {end}", warm_up.samples, units::time(warm_up.elapsed_ns as f64))
}

/// Why a cell was not measured in more processes, in words that stand alone.
fn stop(stop: CellStop) -> &'static str {
    match stop {
        CellStop::Precision => "precision: its interval is as narrow as wanted",
        CellStop::Processes => "processes: as many as planned",
        CellStop::Time => "time: that of the cell or of the run was up",
        CellStop::Failed => "failure",
        CellStop::CutOff => "the run was cut off",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_can_be_taken_apart() {
        let cell = |function: &str| Cell {
            runtime: "wasmtime/cranelift+pooling".parse().unwrap(),
            function: function.to_owned(),
            scenario: "throughput/2".parse().unwrap(),
        };
        assert_eq!(address(&cell("rust/hello")), "#cell=wasmtime/cranelift+pooling,rust/hello,throughput/2");
        assert_eq!(
            address(&cell("a,b <\"é\"> (machine 2)")),
            "#cell=wasmtime/cranelift+pooling,a%2Cb%20%3C%22%C3%A9%22%3E%20(machine%202),throughput/2"
        );
    }
}
