//! Keep-alive policies side by side: what a trace found under each of them.

use super::document::{Block, Entry, Table};
use super::units;
use crate::record::{LoadResult, Record, Run, Starts};
use crate::stats::Histogram;

const HEADER: [&str; 14] = [
    "Policy",
    "Requests",
    "Cold",
    "Warm",
    "Cold share",
    "Functions",
    "Theirs: 25 %",
    "50 %",
    "75 %",
    "Cold p50, p99",
    "Warm p50, p99",
    "Released",
    "Loaded ahead",
    "Idle in memory",
];

/// How the columns are to be read.
pub(crate) const WORDS: &str = "A start is cold if the request found no module in memory. Theirs are the \
     quartiles of the functions' own cold shares: a quarter of the functions had at most so much, half of them, three quarters. Latency counts from the \
     moment when a request was due. Idle in memory is how long modules were there while nobody called them, all together, by \
     the trace's clock.";

/// A row for each replay of a trace whose server told how it started functions: what it was, and the columns.
pub(crate) fn rows(run: &Run) -> Option<(Vec<String>, Vec<Vec<String>>)> {
    let rows: Vec<Vec<String>> = run.records.iter().filter_map(row).collect();
    if rows.is_empty() { None } else { Some((HEADER.map(str::to_owned).into(), rows)) }
}

/// The same as a part of a report.
pub(super) fn blocks(run: &Run) -> Vec<Block> {
    let Some((header, rows)) = rows(run) else { return Vec::new() };
    let entries = |row: Vec<String>| row.into_iter().map(Entry::text).collect();
    let table = Table { header, rows: rows.into_iter().map(entries).collect(), numbers: true };
    vec![Block::Heading(2, "Keep-alive".to_owned()), Block::Paragraph(WORDS.to_owned()), Block::Table(table)]
}

fn row(record: &Record) -> Option<Vec<String>> {
    let result = record.load.as_ref().filter(|result| !result.starts_by_function.is_empty())?;
    let Starts { cold, warm, .. } = result.starts;
    if cold + warm == 0 {
        return None;
    }
    let shares = shares(&result.starts_by_function);
    let policy = result.kept.as_ref().map_or_else(|| record.cell.runtime.to_string(), |kept| kept.policy.clone());
    let mut row = vec![policy];
    row.extend([result.due, cold, warm].map(|count| count.to_string()));
    row.push(units::percent(cold as f64 / (cold + warm) as f64));
    row.push(shares.len().to_string());
    row.extend([25, 50, 75].map(|percent| quantile(&shares, percent).map_or_else(|| "-".to_owned(), units::percent)));
    row.extend(["cold", "warm"].map(|start| latency(result, start)));
    let kept = result.kept.as_ref();
    let count = |count: Option<u64>| count.map_or_else(|| "-".to_owned(), |count| count.to_string());
    row.extend([count(kept.map(|kept| kept.evictions)), count(kept.map(|kept| kept.prewarm_loads))]);
    row.push(kept.map_or_else(|| "-".to_owned(), |kept| format!("{:.2} h", kept.idle_module_seconds / 3600.0)));
    Some(row)
}

/// The shares of cold starts of the functions that told any, the least first.
fn shares(starts: &[Starts]) -> Vec<f64> {
    let told = starts.iter().filter(|starts| starts.cold + starts.warm > 0);
    let mut shares: Vec<f64> = told.map(|starts| starts.cold as f64 / (starts.cold + starts.warm) as f64).collect();
    shares.sort_by(f64::total_cmp);
    shares
}

/// The least of these below or at which so many per cent of them are.
fn quantile(sorted: &[f64], percent: usize) -> Option<f64> {
    sorted.get((sorted.len() * percent).div_ceil(100).saturating_sub(1)).copied()
}

fn latency(result: &LoadResult, start: &str) -> String {
    let histogram = result.start_histograms.get(start).and_then(|text| Histogram::decode(text).ok());
    match histogram.filter(|histogram| histogram.count() > 0) {
        Some(histogram) => {
            [50.0, 99.0].map(|percentile| units::time(histogram.percentile(percentile) as f64)).join(", ")
        }
        None => "-".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_functions_and_not_of_requests() {
        let starts = |cold, warm| Starts { cold, warm, unknown: 0 };
        let shares = shares(&[starts(1, 999), starts(1, 0), starts(1, 1), starts(0, 0), starts(1, 3)]);
        assert_eq!(shares, [0.001, 0.25, 0.5, 1.0]);
        assert_eq!([25, 50, 75].map(|percent| quantile(&shares, percent)), [Some(0.001), Some(0.25), Some(0.5)]);
        assert_eq!((quantile(&shares[..1], 75), quantile(&[], 50)), (Some(0.001), None));
    }
}
