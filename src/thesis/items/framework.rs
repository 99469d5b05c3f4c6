//! 10: the platform's time against that of the web framework alone.

use super::{NONE, Section, Table, missing, sources, strings};
use crate::report::units::{self, Quantity};
use crate::stats::Histogram;
use crate::thesis::evidence::{Evidence, Missing};
use crate::thesis::figures;
use crate::thesis::number::Number;
use crate::thesis::published::Published;
use crate::thesis::servers::{BARE, FRAMEWORK, HELLO};

pub(crate) const PART: &str = "10-framework";

const HEADER: [&str; 8] = [
    "platform",
    "a request",
    "95 % interval",
    "the framework alone",
    "its share",
    "published: a request",
    "the framework alone",
    "its share",
];

const LOADS: [&str; 8] = [
    "platform",
    "connections",
    "answers/s",
    "p50",
    "p99",
    "published: answers/s",
    "p50, p99",
    "answers/s, here / published",
];

/// What a request takes, and what the framework alone takes.
pub(crate) fn times(evidence: &Evidence, server: &str) -> Result<(Number, Number), Missing> {
    // The framework alone is measured once, beside the first of the strategies.
    let bare = evidence.server(PART, FRAMEWORK[0].name, BARE);
    evidence.server(PART, server, HELLO).and_then(|times| Ok((times.total, bare?.total)))
}

/// The published times of whoever did it.
pub(crate) fn published_times(published: &Published, who: &str) -> Option<(f64, f64)> {
    let ns = |what| published.value(10, what, who).and_then(|value| value.ns);
    ns("platform").zip(ns("framework"))
}

pub(super) fn section(evidence: &Evidence, published: &Published) -> Section {
    let mut table = Table { header: strings(&HEADER), rows: Vec::new() };
    for served in &FRAMEWORK {
        let strategy = served.name.rsplit('/').next().unwrap_or(served.name);
        let names = strings(&[&format!("`isobar serve --strategy {strategy}`")]);
        let mut row = match times(evidence, served.name) {
            Err(why) => missing(names, &why, HEADER.len() - 3),
            Ok((all, bare)) => {
                let numbers = [all.time(), all.time_interval(), bare.time(), units::percent(bare.value / all.value)];
                names.into_iter().chain(numbers).collect()
            }
        };
        row.extend(published_columns(published, strategy));
        table.rows.push(row);
    }
    let mut article = missing(strings(&["the article's platform"]), NONE, HEADER.len() - 3);
    article.extend(published_columns(published, "article"));
    table.rows.push(article);
    Section {
        item: 10,
        title: "The platform's time against the bare web framework".to_owned(),
        words: vec![
            format!(
                "`{HELLO}` over a new connection for each request, from the sending to the last byte; the framework alone is \
                 what the same server (actix-web) answers to `{BARE}`, without any function. The strategy `naive` compiles at \
                 each request, as the thesis' and the article's platforms do; `cached` and `pooled` are what they could do."
            ),
            "The second table has closed loops over kept connections, on as many processors as the load generator uses, too."
                .to_owned(),
            sources(published, 10),
        ],
        tables: vec![table, loads(evidence, published)],
        drawings: figures::framework(evidence, published).into_iter().collect(),
    }
}

fn published_columns(published: &Published, who: &str) -> [String; 3] {
    let none = || NONE.to_owned();
    let times = published_times(published, who);
    let share = times.map_or_else(none, |(all, bare)| units::percent(bare / all));
    let shown = |what| published.value(10, what, who).and_then(|value| value.show_time()).unwrap_or_else(none);
    [shown("platform"), shown("framework"), share]
}

fn loads(evidence: &Evidence, published: &Published) -> Table {
    let mut table = Table { header: strings(&LOADS), rows: Vec::new() };
    for served in &FRAMEWORK {
        for connections in [1, 8, 64] {
            let strategy = served.name.rsplit('/').next().unwrap_or(served.name);
            let names = strings(&[&format!("`{}`", served.name), &connections.to_string()]);
            let scenario = format!("http-closed/{connections}");
            let cell = (served.name, HELLO, scenario.as_str());
            let value = published.value(10, &format!("closed-{connections}"), strategy);
            let rate = value.and_then(|value| value.per_second);
            let mut row = match evidence.number(PART, cell) {
                Err(why) => missing(names, &why, 5),
                Ok(number) => {
                    let [p50, p99] = percentiles(evidence, cell);
                    names.into_iter().chain([Quantity::Rate.show(number.value), p50, p99]).collect()
                }
            };
            let quantiles = value.and_then(|v| Some([Some(v.ns?), v.p99_ns].into_iter().flatten().map(units::time)));
            let quantiles = quantiles.map(|all| all.collect::<Vec<_>>().join(", "));
            let compared =
                evidence.number(PART, cell).ok().zip(rate).map(|(ours, theirs)| units::ratio(ours.value / theirs));
            let shown = rate.map(|rate| Quantity::Rate.show(rate));
            row.extend([shown, quantiles, compared].map(|text| text.unwrap_or_else(|| NONE.to_owned())));
            table.rows.push(row);
        }
    }
    table
}

/// The median and the 99th percentile of all requests of a cell.
fn percentiles(evidence: &Evidence, cell: (&str, &str, &str)) -> [String; 2] {
    let mut all = Histogram::new();
    let records = evidence.records(PART, cell);
    let histograms = records.iter().filter_map(|record| Histogram::decode(record.histogram.as_ref()?).ok());
    histograms.for_each(|histogram| all.merge(&histogram));
    [50.0, 99.0].map(|percentile| units::time(all.percentile(percentile) as f64))
}
