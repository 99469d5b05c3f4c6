use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What `isobar load` sent, and by which rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoadPlan {
    /// The address, with path and query; of a trace without them.
    pub url: String,
    /// The method.
    pub method: String,
    /// The rule by which requests were sent.
    pub r#loop: Loop,
    /// Over at most so many connections at once.
    pub connections: u32,
    /// Whether every request had a connection of its own.
    pub fresh: bool,
    /// For so long requests were sent and not counted, in nanoseconds.
    pub warm_up_ns: u64,
    /// For so long requests were counted, in nanoseconds; of a trace, how long it lasts as it was replayed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ns: Option<u64>,
    /// At most so many requests were counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests: Option<u64>,
    /// A request that was not answered so long after it was due failed, in nanoseconds.
    pub timeout_ns: u64,
    /// Of a sweep: the limit of the 99th percentile, in nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p99_below_ns: Option<u64>,
    /// Of a trace: its file's SHA-256, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_sha256: Option<String>,
    /// Of a trace: so many times as fast.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed: Option<f64>,
    /// Of a trace: so many times as many requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<f64>,
    /// Of a trace: so many of its functions, drawn by the seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<u64>,
}

/// By which rule requests were sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Loop {
    /// Each connection sends its next request when its last one is answered: a server that stalls is not asked meanwhile.
    Closed,
    /// At equal intervals, whatever the server does.
    Constant,
    /// At random moments that do not depend on each other, whatever the server does.
    Poisson,
    /// As a trace has them, whatever the server does.
    Trace,
}

impl Loop {
    /// Whether latency counts from the moment when a request should have been sent, so that a stall shows.
    pub fn is_open(self) -> bool {
        self != Loop::Closed
    }
}

/// What was seen of a load beside its seconds. Warming up is not in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoadResult {
    /// Requests that were due.
    pub due: u64,
    /// Requests that got the expected answer.
    pub answered: u64,
    /// Requests that were sent more than a millisecond after they were due.
    pub late: u64,
    /// Those of them for which no connection was free: the server's doing, not the driver's.
    pub late_for_a_connection: u64,
    /// Requests that were sent again because the server had closed a connection that was used before.
    pub retried: u64,
    /// How often each status came.
    pub statuses: BTreeMap<u16, u64>,
    /// What went wrong.
    pub faults: BTreeMap<Fault, Faults>,
    /// Times from the actual sending to the last byte, as [`super::Record::histogram`] has those from the moment when the
    /// requests were due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_histogram: Option<String>,
    /// Of fresh connections, the parts by name, each from the actual sending on: `name_lookup`, `connect`, `first_byte`,
    /// `total`; and `server`, which is `first_byte` - (`connect` - `name_lookup`). Histograms as in
    /// [`super::Record::histogram`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub timing: BTreeMap<String, String>,
    /// The parts that the server told in the header `Server-Timing`, by name. Histograms as in
    /// [`super::Record::histogram`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub server_timing: BTreeMap<String, String>,
    /// How the server started the function, as far as it told.
    pub starts: Starts,
    /// Of all requests of a trace: the same by function, those that were called, in the trace's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub starts_by_function: Vec<Starts>,
    /// Where any start was cold: latencies by start, `cold` and `warm`, from the moment when the requests were due.
    /// Histograms as in [`super::Record::histogram`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub start_histograms: BTreeMap<String, String>,
    /// What isobar's platform told of its keep-alive policy when the trace was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<Kept>,
    /// How long the very first request took, before warming up, over a connection of its own, in nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_request_ns: Option<u64>,
    /// The processor time of the driver, in nanoseconds.
    pub driver_cpu_ns: u64,
    /// Why it ended.
    pub stop: LoadStop,
}

/// How a server started a function, by its header `x-isobar-start`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Starts {
    /// Answers with `cold`.
    pub cold: u64,
    /// Answers with `warm`.
    pub warm: u64,
    /// Answers that do not tell.
    pub unknown: u64,
}

/// What a keep-alive policy came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Kept {
    /// The policy, as `isobar serve --keep-alive` takes it.
    pub policy: String,
    /// Modules that it released.
    pub evictions: u64,
    /// Modules that it loaded before they were called.
    pub prewarm_loads: u64,
    /// How long modules were in memory with no invocation in flight, in seconds of the trace.
    pub idle_module_seconds: f64,
    /// Modules that were in memory in the end.
    pub resident_modules: u64,
}

/// Faults of one class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Faults {
    /// How many.
    pub count: u64,
    /// What happened the first time, in one line.
    pub first: String,
}

/// What may happen to a request instead of the expected answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// The server's name was not found.
    Lookup,
    /// Nobody listens.
    Refused,
    /// There was no connection for another reason.
    Connect,
    /// The connection was reset.
    Reset,
    /// The connection was closed before the answer was complete.
    Closed,
    /// There was no complete answer in time.
    Timeout,
    /// No connection was free in time, so it was not even sent.
    NotSent,
    /// The answer is not HTTP, or larger than is read.
    Malformed,
    /// Another status than the expected one.
    Status,
    /// Another body than the expected one.
    Body,
}

impl Fault {
    /// Its name, as in records.
    pub fn name(self) -> &'static str {
        match self {
            Fault::Lookup => "lookup",
            Fault::Refused => "refused",
            Fault::Connect => "connect",
            Fault::Reset => "reset",
            Fault::Closed => "closed",
            Fault::Timeout => "timeout",
            Fault::NotSent => "not-sent",
            Fault::Malformed => "malformed",
            Fault::Status => "status",
            Fault::Body => "body",
        }
    }
}

/// Why a load ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LoadStop {
    /// The time was up, or the schedule over.
    Time,
    /// There were as many requests as were asked for.
    Requests,
    /// The server was too far behind to go on (of a sweep).
    Behind,
    /// It was interrupted.
    Interrupted,
}
