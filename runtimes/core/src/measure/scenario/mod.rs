//! The scenarios: what can be measured of a runtime and a function. Each is one file with one [`Scenario`]; naming it in
//! the list below is all that isobar needs to plan, measure, store and report it.

use super::{Budget, MeasureError, Measurement, Samples, Task};
use crate::runtime::{Runtime, RuntimeInfo};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Declares the scenarios, in the order of plans and reports: one for each file, then several of one file.
macro_rules! scenarios {
    ($($file:ident :: $name:ident),* ; $($further:path),* $(,)?) => {
        $(mod $file;)*
        /// All scenarios, in the order of plans and reports.
        pub static SCENARIOS: &[&dyn Scenario] = &[$(&$file::$name,)* $(&$further),*];
    };
}

mod http;
mod server;

pub use server::KNEE_P99_BELOW_NS;

scenarios![
    cold::Cold,
    process_cold::ProcessCold,
    deploy::Deploy,
    warm::Warm,
    throughput::Throughput,
    density::Density,
    instructions::Instructions,
    instantiate::Instantiate,
    load_instantiate::LoadInstantiate,
    isolation::Isolation;
    server::Start,
    http::CLOSED,
    server::Knee,
    http::CLOSED_FRESH,
    http::OPEN,
    http::OPEN_FRESH,
    http::TRACE,
];

/// Something that is measured of a function in a runtime.
pub trait Scenario: Sync {
    /// Its name in filters and records: `process-cold`.
    fn name(&self) -> &'static str;

    /// Its name for people, in the middle of a sentence: `process cold start`.
    fn title(&self) -> &'static str;

    /// What its number means, for the reader of a report.
    fn meaning(&self) -> &'static str;

    /// What its number is.
    fn unit(&self) -> Unit;

    /// The numbers of threads that it is measured with on this many cores. `None` for a scenario that knows no threads.
    fn threads(&self, cores: u32) -> Option<Vec<u32>> {
        let _ = cores;
        None
    }

    /// What the number of "threads" counts, for a scenario that has one.
    fn scale(&self) -> Scale {
        Scale::Threads
    }

    /// Whether it belongs to the plans of `isobar run`: what another command measures does not.
    fn planned(&self) -> bool {
        true
    }

    /// Where it is measured.
    fn place(&self) -> Place {
        Place::Runner
    }

    /// What `isobar run --measure` calls it, if it is left out of a plan that does not ask for it.
    fn opt_in(&self) -> Option<&'static str> {
        None
    }

    /// Whether it gives verdicts and no number. Its functions are those that try what they must not do, and no others, and
    /// they are for no other scenario.
    fn verdicts(&self) -> bool {
        false
    }

    /// The names of scenarios of which a runtime that says what it offers must offer one.
    fn implied_by(&self) -> &'static [&'static str] {
        &[]
    }

    /// How many processes per cell are enough, if the schedule's are more than it needs.
    fn max_processes(&self) -> Option<u32> {
        None
    }

    /// How many instances are live at once: a process that bounds their memory allows so many times as much.
    fn live_instances(&self, threads: u32) -> u32 {
        threads
    }

    /// Why it cannot be measured in a runtime, if so.
    fn obstacle(&self, runtime: &RuntimeInfo, threads: u32) -> Option<String> {
        let _ = (runtime, threads);
        None
    }

    /// What one measurement may take, in one process.
    fn budget(&self, effort: Effort) -> Budget;

    /// Measures, in a process of its own or, by [`Place::Parent`], in isobar.
    ///
    /// # Errors
    /// The first invocation that fails or answers wrongly ends the measurement: its samples would count something else.
    fn measure(
        &self,
        runtime: &dyn Runtime,
        threads: u32,
        task: &Task,
        budget: &Budget,
    ) -> Result<Measurement, MeasureError>;

    /// The number of every sample, in the unit of [`Scenario::unit`].
    fn values(&self, threads: u32, samples: &Samples) -> Vec<f64>;

    /// For a number that is a slope: the columns of x and y that it is the slope of. Reports then find one slope through
    /// the points of all processes, each with an intercept of its own, instead of the median of the processes' slopes.
    fn slope(&self) -> Option<(&'static str, &'static str)> {
        None
    }

    /// What is shown beside the number, in nanoseconds or bytes as the names end, with its words: the median of
    /// [`Scenario::part_values`].
    fn parts(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    /// The values of a part: by default those of the column of its name.
    fn part_values(&self, name: &str, samples: &Samples) -> Vec<f64> {
        samples.column(name).iter().map(|value| *value as f64).collect()
    }
}

/// What a scenario's number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Nanoseconds; less is better.
    Nanoseconds,
    /// Invocations per second; more is better.
    PerSecond,
    /// Bytes; less is better.
    Bytes,
    /// Instructions; less is better.
    Instructions,
}

/// What the number in a scenario's name counts: `throughput/2`, `http-closed/64`, `http-open/1000`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Threads that run functions.
    Threads,
    /// Connections to a server.
    Connections,
    /// Requests per second.
    Rate,
}

#[cfg(feature = "schema")]
impl Scale {
    /// The name of the number in records.
    fn field(self) -> &'static str {
        match self {
            Scale::Threads => "threads",
            Scale::Connections => "connections",
            Scale::Rate => "rate",
        }
    }
}

/// Where a scenario is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the runner, beside the runtime: the boundary costs nothing inside a measurement.
    Runner,
    /// In isobar: the process itself is part of what is measured. Where every invocation starts one, in the runner.
    Parent,
    /// In isobar, whatever the runtime is: it must live on when the runner does not.
    Outside,
    /// In isobar, by its load driver: the runtime is a server, and says in its description that it offers the scenario.
    Server,
}

/// How much time a measurement may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// Enough for a first look.
    Quick,
    /// Enough for intervals that tell neighbours apart on a quiet machine.
    Full,
}

/// A scenario with its number of threads, as plans and records name it: `warm`, `throughput/2`.
#[derive(Clone, Copy)]
pub struct ScenarioId {
    position: usize,
    threads: u32,
}

/// A text or a record that names no scenario of this isobar.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no scenario; there are {list}", list = names().collect::<Vec<_>>().join(", "))]
pub struct UnknownScenario(String);

/// The names of all scenarios.
pub fn names() -> impl Iterator<Item = &'static str> {
    SCENARIOS.iter().map(|scenario| scenario.name())
}

impl ScenarioId {
    /// Every scenario of a plan with every number of threads that it is measured with on this many cores.
    pub fn all(cores: u32) -> Vec<ScenarioId> {
        let with = |(position, scenario): (usize, &&dyn Scenario)| {
            let threads = scenario.threads(cores).unwrap_or_else(|| vec![1]);
            threads.into_iter().map(move |threads| ScenarioId { position, threads }).collect::<Vec<_>>()
        };
        SCENARIOS.iter().enumerate().filter(|(_, scenario)| scenario.planned()).flat_map(with).collect()
    }

    /// The scenario of this name with this number of threads, which must be there just for scenarios that know threads.
    ///
    /// # Errors
    /// There is no such scenario.
    pub fn new(name: &str, threads: Option<u32>) -> Result<Self, UnknownScenario> {
        let unknown = || UnknownScenario(threads.map_or(name.to_owned(), |threads| format!("{name}/{threads}")));
        let position = names().position(|known| known == name).ok_or_else(unknown)?;
        match (SCENARIOS[position].threads(1), threads) {
            (Some(_), Some(threads)) if threads > 0 => Ok(ScenarioId { position, threads }),
            (None, None) => Ok(ScenarioId { position, threads: 1 }),
            _ => Err(unknown()),
        }
    }

    /// The scenario.
    pub fn scenario(self) -> &'static dyn Scenario {
        SCENARIOS[self.position]
    }

    /// The scenario's name, the number of threads left out.
    pub fn name(self) -> &'static str {
        self.scenario().name()
    }

    /// How many threads run functions; or connections or requests per second, as [`Scenario::scale`] says.
    pub fn threads(self) -> u32 {
        self.threads
    }

    /// The number of every sample.
    pub fn values(self, samples: &Samples) -> Vec<f64> {
        self.scenario().values(self.threads, samples)
    }

    fn named_threads(self) -> Option<u32> {
        self.scenario().threads(1).map(|_| self.threads)
    }

    fn key(self) -> (usize, u32) {
        (self.position, self.threads)
    }
}

impl PartialEq for ScenarioId {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for ScenarioId {}

impl std::hash::Hash for ScenarioId {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl PartialOrd for ScenarioId {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ScenarioId {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

impl fmt::Debug for ScenarioId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for ScenarioId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.named_threads() {
            Some(threads) => f.pad(&format!("{}/{threads}", self.name())),
            None => f.pad(self.name()),
        }
    }
}

impl FromStr for ScenarioId {
    type Err = UnknownScenario;

    fn from_str(text: &str) -> Result<Self, UnknownScenario> {
        match text.split_once('/') {
            None => ScenarioId::new(text, None),
            Some((name, threads)) => {
                let threads = threads.parse().map_err(|_| UnknownScenario(text.to_owned()))?;
                ScenarioId::new(name, Some(threads))
            }
        }
    }
}

/// `{"scenario":"throughput","threads":2}`, `{"scenario":"http-open","rate":1000}`.
#[derive(Serialize, Deserialize)]
#[serde(rename = "Scenario")]
struct Named<'a> {
    #[serde(borrow)]
    scenario: std::borrow::Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    threads: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    connections: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rate: Option<u32>,
}

impl Serialize for ScenarioId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let of = |scale| self.named_threads().filter(|_| self.scenario().scale() == scale);
        let (threads, connections, rate) = (of(Scale::Threads), of(Scale::Connections), of(Scale::Rate));
        Named { scenario: self.name().into(), threads, connections, rate }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ScenarioId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let named = Named::deserialize(deserializer)?;
        let number = named.threads.or(named.connections).or(named.rate);
        ScenarioId::new(&named.scenario, number).map_err(serde::de::Error::custom)
    }
}

/// An object like the one that `Named` makes, to be flattened into another one: `scenario` is one of the names, and
/// `threads` is there just for scenarios that know threads.
#[cfg(feature = "schema")]
impl schemars::JsonSchema for ScenarioId {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ScenarioId".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let rule = |scale: Scale| {
            let with = |s: &&&dyn Scenario| s.threads(1).is_some() && s.scale() == scale;
            let named: Vec<_> = SCENARIOS.iter().filter(with).map(|s| s.name()).collect();
            serde_json::json!({
                "if": { "properties": { "scenario": { "enum": named } } },
                "then": { "required": [scale.field()] },
                "else": { "not": { "required": [scale.field()] } },
            })
        };
        schemars::json_schema!({
            "type": "object",
            "properties": {
                "scenario": { "description": "What was measured.", "enum": names().collect::<Vec<_>>() },
                "threads": { "description": "How many threads ran functions.", "type": "integer", "minimum": 1 },
                "connections": { "description": "How many connections were used.", "type": "integer", "minimum": 1 },
                "rate": { "description": "How many requests per second were due.", "type": "integer", "minimum": 1 },
            },
            "required": ["scenario"],
            "allOf": [rule(Scale::Threads), rule(Scale::Connections), rule(Scale::Rate)],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_parsed_and_shown_alike() {
        for text in
            "cold process-cold deploy warm throughput/1 throughput/64 density instructions http-open/1000 http-trace"
                .split(' ')
        {
            let id: ScenarioId = text.parse().unwrap();
            assert_eq!(id.to_string(), text);
            assert_eq!(serde_json::from_str::<ScenarioId>(&serde_json::to_string(&id).unwrap()).unwrap(), id);
        }
        assert_eq!(
            serde_json::to_string(&"http-closed/64".parse::<ScenarioId>().unwrap()).unwrap(),
            r#"{"scenario":"http-closed","connections":64}"#
        );
        for text in ["", "hot", "http-open", "warm/1", "throughput", "throughput/0", "throughput/x", "cold/"] {
            let error = text.parse::<ScenarioId>().unwrap_err().to_string();
            assert!(error.contains("there are cold, process-cold"), "{error}");
        }
    }

    #[test]
    fn every_scenario_is_told_apart_and_says_what_it_is() {
        let mut seen = std::collections::BTreeSet::new();
        for scenario in SCENARIOS {
            assert!(seen.insert(scenario.name()) && !scenario.title().is_empty() && scenario.meaning().ends_with('.'));
        }
        assert_eq!(ScenarioId::all(2).iter().filter(|id| id.name() == "throughput").count(), 2);
        let of_servers = ScenarioId::all(2).into_iter().filter(|id| id.name().starts_with("http"));
        let of_servers: Vec<String> = of_servers.map(|id| id.to_string()).collect();
        assert_eq!(of_servers, ["http-start", "http-closed/1", "http-closed/64", "http-knee"]);
    }
}
