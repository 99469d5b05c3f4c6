//! What else the records of a cell say: percentiles, and what the system counted.

use crate::record::Record;
use crate::stats::Histogram;
use isobar_core::measure::{Scale, ScenarioId, Unit};
use std::collections::BTreeMap;

/// The percentiles that reports show beside the median.
pub const PERCENTILES: [f64; 3] = [90.0, 99.0, 99.9];

/// Values at [`PERCENTILES`]; `None` where there are too few samples to have any beyond it.
pub type Percentiles = [Option<f64>; PERCENTILES.len()];

/// The samples of all `records`, in nanoseconds: their histograms, and the samples themselves where a record has none or
/// one that cannot be read. Of the throughput of a server, its latencies. `None` for what is no time and has none beside it.
pub(super) fn histogram(scenario: ScenarioId, records: &[&Record]) -> Option<Histogram> {
    let is_time = scenario.scenario().unit() == Unit::Nanoseconds;
    if !is_time && scenario.scenario().scale() != Scale::Connections {
        return None;
    }
    let mut all = Histogram::new();
    for record in records {
        let Ok(measurement) = &record.result else { continue };
        match record.histogram.as_deref().map(Histogram::decode) {
            Some(Ok(histogram)) => all.merge(&histogram),
            _ if !is_time => {}
            // A float that is no time becomes 0 or the largest one.
            _ => scenario.values(&measurement.samples).into_iter().for_each(|ns| all.record(ns as u64)),
        }
    }
    Some(all)
}

/// The percentiles of a cell's samples, in nanoseconds.
pub(super) fn percentiles(all: &Histogram) -> Percentiles {
    let beyond = |percentile: f64| all.count() as f64 * (100.0 - percentile) / 100.0;
    // Counts are whole; the product of two floats is not always.
    let at = |percentile| (beyond(percentile) > 0.999).then(|| all.percentile(percentile) as f64);
    PERCENTILES.map(at)
}

/// What the system counted in all `records`, by the measures' names: sizes as their medians over processes, everything
/// else for each invocation.
pub(super) fn readings(records: &[&Record]) -> BTreeMap<String, f64> {
    let measured = || records.iter().filter_map(|record| Some(&record.result.as_ref().ok()?.readings));
    let mut columns: BTreeMap<&str, Vec<(f64, f64)>> = BTreeMap::new();
    for readings in measured() {
        let invocations = readings.get("invocations").copied().unwrap_or(0) as f64;
        for (name, value) in readings.iter().filter(|(name, _)| *name != "invocations") {
            columns.entry(name).or_default().push((*value as f64, invocations));
        }
    }
    let figure = |(name, values): (&str, Vec<(f64, f64)>)| {
        let figure = if name.ends_with("_bytes") {
            crate::stats::median(&mut values.iter().map(|(value, _)| *value).collect::<Vec<_>>())?
        } else {
            let (value, invocations) = values.iter().fold((0.0, 0.0), |sum, v| (sum.0 + v.0, sum.1 + v.1));
            value / invocations
        };
        figure.is_finite().then(|| (name.to_owned(), figure))
    };
    columns.into_iter().filter_map(figure).collect()
}
