//! 8: platforms by the response time of a function, cold and warm.

use super::{NONE, Section, Table, beside, beside_nothing, missing, sources, strings};
use crate::thesis::evidence::{Evidence, Missing};
use crate::thesis::figures;
use crate::thesis::number::Number;
use crate::thesis::parts::{INVOKED, Invoked, LANGUAGES};
use crate::thesis::published::Published;
use crate::thesis::servers::{How, PLATFORMS, Served};
use isobar_core::Form;

const SERVERS: &str = "8-platforms";
const STARTED: &str = "8-processes";

/// What a container is beside.
const PROCESS: &str = "native/process";

/// A platform with a function in one language.
#[derive(Clone, Debug)]
pub struct Platform {
    /// What it is in records.
    pub name: &'static str,
    /// What stands between functions: the word that `published.toml` has for it, where it has one.
    pub wall: &'static str,
    /// The function's language: a key of [`LANGUAGES`].
    pub language: &'static str,
    /// The very first request, and further ones.
    pub times: Result<(Number, Number), Missing>,
    /// What of the first request is no cold start. `None` where every request starts what answers it.
    pub running: Option<Number>,
}

impl Platform {
    /// The first request less what it would take of what runs already. `None` if nothing is left, nothing was measured, or
    /// nothing runs already.
    pub fn cold_start(&self) -> Option<Number> {
        let (first, _) = self.times.as_ref().ok()?;
        first.less(self.running?)
    }

    fn cold_words(&self) -> String {
        match (self.cold_start(), self.running) {
            (Some(cold), _) => cold.time(),
            (None, Some(_)) => "none: not above warm".to_owned(),
            (None, None) => "none: each request starts it".to_owned(),
        }
    }

    /// What a further request takes.
    pub fn warm(&self) -> Option<Number> {
        self.times.as_ref().ok().map(|(_, warm)| *warm)
    }
}

/// All platforms, with every language that they were to run; those without any number by the first one only.
pub fn platforms(evidence: &Evidence) -> Vec<Platform> {
    let mut all = Vec::new();
    for served in &PLATFORMS {
        all.extend(served.functions.iter().map(|function| server(evidence, served, function)));
    }
    for Invoked { name, wall, first, warm } in INVOKED {
        // What loads JavaScript loads the family's, which the function in Rust stands for.
        let is_script = name.starts_with("node/") || evidence.form(STARTED, name) == Some(Form::Javascript);
        let of_runtime: Vec<(&'static str, &'static str)> = match is_script {
            true => vec![("javascript", "rust/fibonacci")],
            false => LANGUAGES.iter().filter(|(key, ..)| *key != "javascript").map(|(key, _, f)| (*key, *f)).collect(),
        };
        let of_runtime = of_runtime.into_iter().map(|(language, function)| {
            let first = evidence.number(STARTED, (name, function, first));
            let warm_of = |runtime| evidence.number(STARTED, (runtime, function, "warm"));
            let times = first.and_then(|first| Ok((first, warm_of(warm)?)));
            let running = match wall {
                "process" => None,
                // A container that runs has to start a process in it, too: its cold start is what it adds to one.
                "container" => warm_of(PROCESS).or_else(|_| warm_of(warm)).ok(),
                _ => warm_of(warm).ok(),
            };
            Platform { name, wall, language, times, running }
        });
        let of_runtime: Vec<Platform> = of_runtime.collect();
        // One line says that it is not here.
        let none = of_runtime.iter().all(|platform| platform.times.is_err());
        all.extend(of_runtime.into_iter().take(if none { 1 } else { usize::MAX }));
    }
    all
}

fn server(evidence: &Evidence, served: &'static Served, function: &str) -> Platform {
    let language = match served.how {
        How::Runner => "javascript",
        How::Platform(_) => LANGUAGES.iter().find(|(.., known)| *known == function).map_or("rust", |(key, ..)| *key),
    };
    let times = evidence.server(SERVERS, served.name, function).map(|times| (times.first, times.warm));
    let running = times.as_ref().ok().map(|(_, warm)| *warm);
    Platform { name: served.name, wall: wall(served.name), language, times, running }
}

/// What a server puts between functions: isolates, a process that they share, or a sandbox.
fn wall(server: &str) -> &'static str {
    match server.split('/').next().unwrap_or(server) {
        "workerd" => "isolate",
        "node" => "process",
        _ => "wasm",
    }
}

fn wall_name(wall: &str) -> &'static str {
    match wall {
        "isolate" => "V8 isolate",
        "container" => "container or microVM",
        "process" => "process",
        _ => "WebAssembly sandbox",
    }
}

/// Those that were measured, the shortest time first.
pub fn fastest_first(platforms: &[Platform], time: fn(&Platform) -> Option<Number>) -> Vec<(&Platform, Number)> {
    let mut found: Vec<(&Platform, Number)> = platforms.iter().filter_map(|p| Some((p, time(p)?))).collect();
    found.sort_by(|(_, a), (_, b)| a.value.total_cmp(&b.value));
    found
}

const HEADER: [&str; 10] = [
    "platform",
    "between functions",
    "language",
    "first request",
    "warm",
    "95 % interval",
    "cold start",
    "thesis, cold start",
    "cold start, here / thesis",
    "thesis, warm",
];

pub(super) fn section(evidence: &Evidence, published: &Published) -> Section {
    let platforms = platforms(evidence);
    let title = |key: &str| LANGUAGES.iter().find(|(known, ..)| *known == key).map_or("", |(_, title, _)| *title);
    let row = |platform: &Platform| {
        let names = strings(&[&format!("`{}`", platform.name), wall_name(platform.wall), title(platform.language)]);
        let value = published.value(8, "cold", platform.wall);
        let value_warm = published.value(8, "warm", platform.wall);
        let (first, warm) = match &platform.times {
            Err(why) => {
                let row = beside_nothing(missing(names, why, HEADER.len()), 7, value);
                return beside_nothing(row, 9, value_warm);
            }
            Ok(times) => times,
        };
        let cold = platform.cold_words();
        let [theirs, compared] = beside(value, platform.cold_start().unwrap_or(Number::exact(f64::NAN)));
        let theirs_warm = value_warm.and_then(|value| value.show_time());
        let numbers = [first.time(), warm.time(), warm.time_interval(), cold, theirs];
        let compared = if platform.cold_start().is_some() { compared } else { NONE.to_owned() };
        names.into_iter().chain(numbers).chain([compared, theirs_warm.unwrap_or_else(|| NONE.to_owned())]).collect()
    };
    Section {
        item: 8,
        title: "Serverless platforms: response time of Fibonacci 32".to_owned(),
        words: vec![
            "Servers are started anew in each round, asked once (the first request), and then one request after another, each \
             over a connection of its own; warm is the median of first byte - (connect - name lookup), the thesis' formula. The \
             cold start is the first request less a warm one. isobar's platforms have compiled before where they keep artifacts \
             (`pooled`, and runtimes that compile ahead of time), and compile at the first request elsewhere. What has no server \
             is invoked directly: the first request is then `process-cold`, from starting it to the last byte (`cold` for an isolate \
             in a process that runs), and warm is `warm`, for a container an invocation in the one that runs. As such an \
             invocation starts a process, a container's cold start is its first request less that of a process without a \
             container. What starts a process for each invocation has no cold start: every one is."
                .to_owned(),
            "The thesis measured clouds from afar: Fastly Compute stands beside WebAssembly here, Cloudflare Workers beside V8 \
             isolates, AWS Lambda beside containers and microVMs. Here there is no network, and no fleet."
                .to_owned(),
            sources(published, 8),
        ],
        tables: vec![Table { header: strings(&HEADER), rows: platforms.iter().map(row).collect() }],
        drawings: figures::platforms(&platforms, evidence, published).into_iter().collect(),
    }
}
