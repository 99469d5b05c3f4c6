//! What is counted, and the text that Prometheus reads.

use super::backend::{Phases, Start};
use super::keep_alive::{Account, KeepAlive};
use super::striped::{Striped, StripedCount};
use prometheus::local::{LocalHistogram, LocalIntCounter};
use prometheus::{
    Counter, Encoder, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, Registry, TextEncoder,
};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

/// From a microsecond to ten seconds.
const BUCKETS_SECONDS: [f64; 22] = [
    1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1, 0.2, 0.5, 1.0, 2.0,
    5.0, 10.0,
];

/// The platform's own metrics. Names of functions become labels only when there is such a function.
pub(super) struct Metrics {
    registry: Registry,
    by_function: Arc<ByFunction>,
    failures: IntCounterVec,
    reloads: IntCounterVec,
    /// Sandboxes that are there.
    pub(super) live: StripedCount,
    live_instances: IntGauge,
    queued: IntGauge,
    running: IntGauge,
    resident: IntGauge,
    kept: Option<Mutex<Kept>>,
}

/// What a rule for keeping modules comes to.
struct Kept {
    evictions: IntCounter,
    prewarmed: IntCounter,
    idle_seconds: Counter,
}

/// What the metrics ask for when they are read.
pub(super) struct Now {
    /// Requests that wait.
    pub(super) queued: usize,
    /// Requests that a worker is busy with.
    pub(super) running: usize,
    /// Modules in memory.
    pub(super) resident: usize,
    /// What the rule for keeping modules came to, where there is one.
    pub(super) account: Option<Account>,
}

/// What is told apart by function.
struct ByFunction {
    requests: IntCounterVec,
    starts: IntCounterVec,
    overruns: IntCounterVec,
    phases: HistogramVec,
    seconds: HistogramVec,
    /// What was counted of each function that was called, and is not in the above yet.
    called: Mutex<Vec<Weak<Striped<Counted>>>>,
}

/// The metrics of one function, looked up when it is first called: what nobody calls is no line for Prometheus.
pub(super) struct FunctionMetrics {
    name: String,
    by_function: Arc<ByFunction>,
    counted: OnceLock<Arc<Striped<Counted>>>,
}

/// What was counted on some of the threads since it was last asked for. Of counters that all share, each thread would wait for
/// the others' caches, several times in a request.
struct Counted {
    cold: LocalIntCounter,
    warm: LocalIntCounter,
    answered: LocalIntCounter,
    phases: [LocalHistogram; Phases::NAMES.len()],
    seconds: LocalHistogram,
}

impl Metrics {
    pub(super) fn new(policy: Option<KeepAlive>) -> Metrics {
        let registry = Registry::new();
        let counter = |name: &str, help: &str, labels: &[&str]| {
            let counter = IntCounterVec::new(Opts::new(name, help), labels).expect("the name is one of ours");
            registry.register(Box::new(counter.clone())).expect("names are there once");
            counter
        };
        let histogram = |name: &str, help: &str, labels: &[&str]| {
            let options = HistogramOpts::new(name, help).buckets(BUCKETS_SECONDS.to_vec());
            let histogram = HistogramVec::new(options, labels).expect("the name is one of ours");
            registry.register(Box::new(histogram.clone())).expect("names are there once");
            histogram
        };
        let gauge = |name: &str, help: &str| {
            let gauge = IntGauge::new(name, help).expect("the name is one of ours");
            registry.register(Box::new(gauge.clone())).expect("names are there once");
            gauge
        };
        let by_function = ByFunction {
            requests: counter(
                "isobar_requests_total",
                "Answered requests by function and status; those that name no function have the label -",
                &["function", "status"],
            ),
            starts: counter("isobar_starts_total", "Invocations by what they found", &["function", "start"]),
            overruns: counter(
                "isobar_slice_overruns_total",
                "Invocations that were begun on the thread of their request and, not fast enough, anew on a worker",
                &["function"],
            ),
            phases: histogram("isobar_phase_seconds", "Time of a request by phase", &["function", "phase"]),
            seconds: histogram("isobar_request_seconds", "Time of a request with its body", &["function"]),
            called: Mutex::default(),
        };
        Metrics {
            by_function: Arc::new(by_function),
            failures: counter("isobar_failures_total", "Failed requests by kind", &["kind"]),
            reloads: counter("isobar_reloads_total", "Changes of functions that were seen", &["result"]),
            live: StripedCount::default(),
            live_instances: gauge("isobar_live_instances", "Sandboxes that are there"),
            queued: gauge("isobar_queue_length", "Requests that wait for a worker"),
            running: gauge("isobar_running", "Requests that a worker is busy with"),
            resident: gauge("isobar_resident_modules", "Modules in memory; in each runner program that has one"),
            kept: policy.map(|policy| Mutex::new(Kept::new(&registry, policy))),
            registry,
        }
    }

    pub(super) fn function(&self, name: &str) -> FunctionMetrics {
        FunctionMetrics { name: name.to_owned(), by_function: self.by_function.clone(), counted: OnceLock::new() }
    }

    /// A request was answered; `function` is nothing where it names none.
    pub(super) fn answered(&self, function: Option<&FunctionMetrics>, status: u16, seconds: f64) {
        if function.is_none() || status != 200 {
            let name = function.map_or("-", |function| function.name.as_str());
            self.by_function.requests.with_label_values(&[name, status.to_string().as_str()]).inc();
        }
        if let Some(function) = function {
            function.counted().with(|counted| {
                counted.seconds.observe(seconds);
                if status == 200 {
                    counted.answered.inc();
                }
            });
        }
    }

    pub(super) fn failed(&self, kind: &str) {
        self.failures.with_label_values(&[kind]).inc();
    }

    pub(super) fn reloaded(&self, result: &str) {
        self.reloads.with_label_values(&[result]).inc();
    }

    /// The text format of Prometheus, version 0.0.4.
    pub(super) fn text(&self, now: Now) -> String {
        self.by_function.collect();
        self.live_instances.set(self.live.get());
        self.queued.set(now.queued as i64);
        self.running.set(now.running as i64);
        self.resident.set(now.resident as i64);
        if let Some((kept, account)) = self.kept.as_ref().zip(now.account) {
            kept.lock().unwrap_or_else(PoisonError::into_inner).raise(account);
        }
        let mut text = Vec::new();
        // Writing to memory cannot fail, and the names were checked.
        let _ = TextEncoder::new().encode(&self.registry.gather(), &mut text);
        String::from_utf8_lossy(&text).into_owned()
    }
}

impl Kept {
    fn new(registry: &Registry, policy: KeepAlive) -> Kept {
        let counter = |name: &str, help: &str| {
            let counter = IntCounter::new(name, help).expect("the name is one of ours");
            registry.register(Box::new(counter.clone())).expect("names are there once");
            counter
        };
        let info = Opts::new("isobar_keep_alive", "The rule by which modules leave memory, as a label");
        let info =
            IntGauge::with_opts(info.const_label("policy", policy.to_string())).expect("the name is one of ours");
        info.set(1);
        registry.register(Box::new(info)).expect("names are there once");
        let idle =
            "Seconds that modules were in memory while nobody called them, each copy by itself, by --clock-speed";
        let idle_seconds = Counter::new("isobar_idle_module_seconds_total", idle).expect("the name is one of ours");
        registry.register(Box::new(idle_seconds.clone())).expect("names are there once");
        Kept {
            evictions: counter("isobar_evictions_total", "Modules that the rule released"),
            prewarmed: counter("isobar_prewarm_loads_total", "Modules that the rule loaded before they were called"),
            idle_seconds,
        }
    }

    /// Counters never fall: whoever is behind another reader raises nothing.
    fn raise(&self, account: Account) {
        self.evictions.inc_by(account.evictions.saturating_sub(self.evictions.get()));
        self.prewarmed.inc_by(account.prewarmed.saturating_sub(self.prewarmed.get()));
        self.idle_seconds.inc_by((account.idle_ns as f64 / 1e9 - self.idle_seconds.get()).max(0.0));
    }
}

impl ByFunction {
    /// Takes over what was counted. Of functions that are gone it was when they went.
    fn collect(&self) {
        self.called
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|called| called.upgrade().inspect(|called| called.each(|counted| counted.flush())).is_some());
    }
}

impl Counted {
    fn new(name: &str, all: &ByFunction) -> Counted {
        Counted {
            cold: all.starts.with_label_values(&[name, "cold"]).local(),
            warm: all.starts.with_label_values(&[name, "warm"]).local(),
            answered: all.requests.with_label_values(&[name, "200"]).local(),
            phases: Phases::NAMES.map(|phase| all.phases.with_label_values(&[name, phase]).local()),
            seconds: all.seconds.with_label_values(&[name]).local(),
        }
    }

    fn flush(&self) {
        [&self.cold, &self.warm, &self.answered].into_iter().for_each(LocalIntCounter::flush);
        self.phases.iter().chain([&self.seconds]).for_each(LocalHistogram::flush);
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.flush();
    }
}

impl FunctionMetrics {
    fn counted(&self) -> &Striped<Counted> {
        self.counted.get_or_init(|| {
            let counted = Arc::new(Striped::new(|| Counted::new(&self.name, &self.by_function)));
            let mut called = self.by_function.called.lock().unwrap_or_else(PoisonError::into_inner);
            called.push(Arc::downgrade(&counted));
            // Named before it happens for the first time, for those who plot its rate.
            self.by_function.overruns.with_label_values(&[&self.name]);
            counted.clone()
        })
    }

    pub(super) fn overran(&self) {
        self.by_function.overruns.with_label_values(&[&self.name]).inc();
    }

    pub(super) fn invoked(&self, start: Start, phases: &Phases) {
        self.counted().with(|counted| {
            match start {
                Start::Cold => counted.cold.inc(),
                Start::Warm => counted.warm.inc(),
            }
            for (histogram, (_, ns)) in counted.phases.iter().zip(phases.named()) {
                if let Some(ns) = ns {
                    histogram.observe(ns as f64 / 1e9);
                }
            }
        });
    }
}
