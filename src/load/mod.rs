//! The HTTP load driver: closed and open loops against a server, and what they find. `docs/LOAD.md` says how it measures.

mod agenda;
mod connection;
mod driver;
mod kept;
mod lookup;
mod platform;
mod probe;
mod response;
pub mod schedule;
mod show;
mod store;
pub mod sweep;
mod tally;
mod target;
pub mod trace;
mod wait;

pub use driver::{Options, Pace};
pub use kept::kept;
pub use platform::{Platform, PlatformError, end_platforms, invocation, request};
pub use probe::{Probe, probe};
pub use show::{Form, show};
pub use store::{ALL, Cells, function, header, record, record_of_kind, server_name};
pub use tally::LATE_NS;
pub use target::{Check, Request, Server, Url};

use crate::record::{Fault, Faults, LoadResult, Starts};
use crate::stats::Histogram;
use isobar_core::measure::Samples;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::AtomicBool;

/// Why a server cannot be loaded. Displayed, with its source, as one line.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A text is no URL that can be loaded.
    #[error("'{url}' is no address: {why}; write http://host:port/path")]
    Url {
        /// The text.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// The first request got no answer.
    #[error("no answer from {server}: {what}; is the server running?")]
    Unreachable {
        /// Host and port.
        server: String,
        /// What happened.
        what: String,
    },
    /// The first answer is not the expected one.
    #[error("the first answer of {url} is wrong: {what}; see --expect and --status")]
    Wrong {
        /// The request.
        url: String,
        /// What came instead of what.
        what: String,
    },
    /// The system lacks something.
    #[error("the load driver cannot wait for sockets")]
    System(#[source] std::io::Error),
}

/// What a load found.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// From when requests were due to the last byte of their answers.
    pub latency: Histogram,
    /// The seconds, a sample each.
    pub seconds: Samples,
    /// How long requests counted, in nanoseconds.
    pub elapsed_ns: u64,
    /// For how long requests were sent before any counted, in nanoseconds.
    pub warm_up_ns: u64,
    /// What else was seen.
    pub result: LoadResult,
    /// By request, where there are several kinds.
    pub kinds: Vec<KindOutcome>,
}

/// What a load found of one of several kinds of requests.
#[derive(Clone, Debug)]
pub struct KindOutcome {
    /// Requests that were due.
    pub due: u64,
    /// From when requests were due to the last byte of their answers.
    pub latency: Histogram,
    /// What went wrong.
    pub faults: BTreeMap<Fault, Faults>,
    /// How the server started it.
    pub starts: Starts,
}

/// Loads a server with requests. `addresses` are its addresses, as [`probe`] found them; `stop` ends the load early.
///
/// # Errors
/// The system lacks what the driver needs. What happens to requests is counted.
pub fn load(
    server: &Server,
    addresses: &[SocketAddr],
    requests: &[Request],
    options: Options,
    stop: &AtomicBool,
) -> Result<Outcome, LoadError> {
    let warm_up_ns = isobar_core::measure::nanoseconds(options.warm_up);
    let driver::Driven { mut tally, end_ns, stop, cpu_ns } = driver::drive(server, addresses, requests, options, stop)?;
    let encode = |histograms: BTreeMap<&str, Histogram>| -> BTreeMap<String, String> {
        histograms.into_iter().map(|(name, histogram)| (name.to_owned(), histogram.encode())).collect()
    };
    let server_timing = std::mem::take(&mut tally.server_timing);
    let kinds = std::mem::take(&mut tally.kinds).into_iter().map(KindOutcome::of).collect();
    Ok(Outcome {
        seconds: tally.seconds(end_ns),
        elapsed_ns: end_ns.saturating_sub(warm_up_ns),
        warm_up_ns,
        kinds,
        result: LoadResult {
            due: tally.due,
            answered: tally.answered,
            late: tally.late,
            late_for_a_connection: tally.late_for_a_connection,
            retried: tally.retried,
            service_histogram: Some(tally.service.encode()),
            timing: encode(tally.timing),
            server_timing: encode(server_timing.iter().map(|(name, h)| (name.as_str(), h.clone())).collect()),
            statuses: tally.statuses,
            faults: tally.faults,
            starts: tally.starts,
            starts_by_function: Vec::new(),
            start_histograms: if tally.starts.cold > 0 { encode(tally.by_start) } else { BTreeMap::new() },
            kept: None,
            first_request_ns: None,
            driver_cpu_ns: cpu_ns,
            stop,
        },
        latency: tally.latency,
    })
}

impl KindOutcome {
    /// Of several kinds that are one in a report.
    pub fn merged<'a>(kinds: impl Iterator<Item = &'a KindOutcome>) -> KindOutcome {
        let (due, latency) = (0, Histogram::new());
        let mut all = KindOutcome { due, latency, faults: BTreeMap::new(), starts: Starts::default() };
        for KindOutcome { due, latency, faults, starts } in kinds {
            all.due += due;
            all.latency.merge(latency);
            for (fault, faults) in faults {
                let known =
                    all.faults.entry(*fault).or_insert_with(|| Faults { count: 0, first: faults.first.clone() });
                known.count += faults.count;
            }
            all.starts.cold += starts.cold;
            all.starts.warm += starts.warm;
            all.starts.unknown += starts.unknown;
        }
        all
    }

    fn of(kind: tally::Kind) -> Self {
        let mut latency = Histogram::new();
        kind.latencies_ns.iter().for_each(|ns| latency.record(*ns));
        KindOutcome { due: kind.due, latency, faults: kind.faults, starts: kind.starts }
    }
}
