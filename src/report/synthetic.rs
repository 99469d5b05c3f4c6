//! Runs that nobody measured, with numbers of the magnitudes that real ones have.

use crate::record::*;
use crate::stats::Histogram;
use isobar_core::measure::{MeasureError, Measurement, Readings, Samples, ScenarioId, Stop, Unit, WarmUp, WarmUpEnd};
use isobar_core::{Class, Enforcement, Enforcer, Execution, Failure, RuntimeId, RuntimeInfo};

/// Family, mode with variants, engine µs, load ms for a module of 1 MiB, instantiate µs, slowdown.
type Mode = (&'static str, &'static str, f64, f64, f64, f64);

const MODES: [Mode; 25] = [
    ("wasmtime", "cranelift", 900.0, 210.0, 28.0, 1.0),
    ("wasmtime", "cranelift-aot", 150.0, 0.4, 28.0, 1.0),
    ("wasmtime", "cranelift-aot+limits", 160.0, 0.4, 31.0, 1.2),
    ("wasmtime", "cranelift-aot+no-cow", 150.0, 0.4, 90.0, 1.0),
    ("wasmtime", "cranelift-aot+pooling", 2800.0, 0.4, 6.0, 1.0),
    ("wasmtime", "cranelift-aot+shared-wasi", 150.0, 0.4, 12.0, 1.0),
    ("wasmtime", "winch", 300.0, 40.0, 28.0, 2.1),
    ("wasmtime", "winch-aot", 150.0, 0.6, 28.0, 2.1),
    ("wasmtime", "pulley", 700.0, 180.0, 27.0, 9.0),
    ("wasmtime", "pulley-aot", 120.0, 0.3, 27.0, 9.0),
    ("wasmer", "cranelift", 1500.0, 230.0, 75.0, 1.05),
    ("wasmer", "cranelift-aot", 1200.0, 2.0, 75.0, 1.05),
    ("wasmer", "singlepass", 1100.0, 60.0, 80.0, 2.4),
    ("wasmer", "singlepass-aot", 1100.0, 2.5, 80.0, 2.4),
    ("wasmer", "singlepass-aot+shared-wasi", 40.0, 2.5, 15.0, 2.4),
    ("wasmer", "llvm", 1900.0, 2600.0, 75.0, 0.9),
    ("wasmer", "llvm-aot", 1200.0, 1.9, 75.0, 0.9),
    ("wasmedge", "interpreter", 220.0, 9.0, 60.0, 45.0),
    ("wasmedge", "aot", 220.0, 3.0, 60.0, 1.0),
    ("wasmedge", "jit", 220.0, 3100.0, 60.0, 1.0),
    ("wasm3", "lazy", 4.0, 0.9, 18.0, 14.0),
    ("wasm3", "eager", 4.0, 6.0, 18.0, 13.5),
    ("wasmi", "lazy", 9.0, 1.1, 22.0, 11.0),
    ("wasmi", "eager", 9.0, 12.0, 22.0, 10.5),
    ("wasmi", "eager+shared-wasi", 9.0, 12.0, 9.0, 10.5),
];

/// What is no WebAssembly runtime: all that a full run has. The first four are one or two of each class.
const BASELINES: [Mode; 15] = [
    ("native", "process", 5.0, 0.01, 600.0, 1.0),
    ("native", "in-process", 5.0, 0.01, 1.0, 0.98),
    ("container", "crun", 900.0, 0.01, 90_000.0, 1.0),
    ("node", "vm-context", 28_000.0, 1.0, 900.0, 1.3),
    ("sandbox", "unshare", 300.0, 0.01, 2_000.0, 1.0),
    ("sandbox", "bubblewrap", 300.0, 0.01, 4_000.0, 1.0),
    ("container", "crun-exec", 90_000.0, 0.01, 8_000.0, 1.0),
    ("container", "runc", 900.0, 0.01, 50_000.0, 1.0),
    ("container", "runsc", 900.0, 0.01, 150_000.0, 1.4),
    ("container", "podman", 900.0, 0.01, 300_000.0, 1.0),
    ("node", "isolate", 28_000.0, 1.0, 1_400.0, 1.3),
    ("node", "process-js", 5.0, 1.0, 40_000.0, 1.3),
    ("deno", "process-js", 5.0, 1.0, 35_000.0, 1.3),
    ("bun", "process-js", 5.0, 1.0, 20_000.0, 1.3),
    ("workerd", "isolate", 30_000.0, 1.0, 1_000.0, 1.3),
];

/// Name, MiB, µs in machine code.
const FUNCTIONS: [(&str, f64, f64); 6] = [
    ("rust/hello", 0.08, 4.0),
    ("rust/fibonacci", 0.08, 130_000.0),
    ("rust/blake3", 0.11, 9.0),
    ("rust/sudoku", 0.2, 240.0),
    ("wat/empty", 0.0001, 0.3),
    ("wat/data", 1.0, 0.5),
];

/// Functions in several languages; one language lacks one of them.
const OF_LANGUAGES: [(&str, f64, f64); 11] = [
    ("c/fibonacci", 0.024, 900.0),
    ("c/hello", 0.023, 2.0),
    ("go/fibonacci", 2.4, 1400.0),
    ("go/hello", 2.4, 700.0),
    ("javascript/fibonacci", 0.7, 60_000.0),
    ("javascript/hello", 0.7, 1300.0),
    ("javascript/hello+wizer", 0.8, 90.0),
    ("lua/fibonacci", 0.27, 40_000.0),
    ("lua/hello", 0.27, 120.0),
    ("rust/fibonacci", 0.05, 850.0),
    ("rust/hello", 0.04, 4.0),
];

const LANGUAGES: [(&str, &str); 6] = [
    ("c", "C"),
    ("go", "Go"),
    ("javascript", "JavaScript"),
    ("javascript+wizer", "JavaScript + Wizer"),
    ("lua", "Lua"),
    ("rust", "Rust"),
];

/// A run that compares the first of six languages in `runtimes` of 25 runtimes, in one round; `failures` says whether some
/// cells fail.
pub(crate) fn languages(runtimes: usize, languages: usize, failures: bool) -> Run {
    let modes: Vec<Mode> = (0..runtimes).map(|i| MODES[i * MODES.len() / runtimes]).collect();
    let known = |function: &&(&str, f64, f64)| LANGUAGES[..languages].iter().any(|(key, _)| *key == key_of(function.0));
    let functions: Vec<_> = OF_LANGUAGES.iter().filter(known).copied().collect();
    let mut run = run_of(&modes, &functions, 1, 1, failures);
    for function in &mut run.header.functions {
        let title = LANGUAGES.iter().find(|(key, _)| *key == key_of(&function.name));
        function.language = title.map(|(_, title)| (*title).to_owned());
        let name = function.name.split(['/', '+']).nth(1).unwrap();
        function.family = Some(name.to_owned());
        function.size = Some("small".to_owned()).filter(|_| name != "hello");
    }
    let compared = |cell: &Cell| match cell.scenario.name() {
        "cold" => cell.function.contains("hello"),
        name => name == "warm",
    };
    run.header.cells.retain(compared);
    run.records.retain(|record| compared(&record.cell));
    run
}

/// `javascript+wizer` of `javascript/hello+wizer`.
fn key_of(function: &str) -> String {
    let variant = function.split_once('+').map_or_else(String::new, |(_, variant)| format!("+{variant}"));
    format!("{}{variant}", function.split('/').next().unwrap())
}

/// A run of `runtimes` of 25 runtimes and `functions` of 6 functions, with throughput on up to `threads` threads, in
/// `rounds` rounds; `failures` says whether some cells fail.
pub(crate) fn run(runtimes: usize, functions: usize, threads: u32, rounds: u32, failures: bool) -> Run {
    let modes: Vec<Mode> = (0..runtimes).map(|i| MODES[i * MODES.len() / runtimes]).collect();
    run_of(&modes, &FUNCTIONS[..functions], threads, rounds, failures)
}

/// A run of runtimes of several classes: WebAssembly, processes, containers, isolates.
pub(crate) fn classes() -> Run {
    let modes: Vec<Mode> = BASELINES[..4].iter().copied().chain((0..9).map(|i| MODES[i * MODES.len() / 9])).collect();
    run_of(&modes, &FUNCTIONS[..4], 2, 3, true)
}

/// A run of everything: 14 modes of WebAssembly runtimes and what stands beside them, six functions, every scenario of an
/// ordinary run, and loaded servers.
pub(crate) fn everything() -> Run {
    let wasm = (0..14).map(|i| MODES[i * MODES.len() / 14]);
    let modes: Vec<Mode> = wasm.chain(BASELINES).collect();
    let mut run = run_of(&modes, &FUNCTIONS, 2, 5, true);
    let of_servers = swept(&run, "rust/hello");
    run.header.cells.extend(of_servers.iter().filter(|record| record.round == 0).map(|record| record.cell.clone()));
    run.records.extend(of_servers);
    run
}

/// Sweeps of servers, made of a run's warm invocations of functions with this prefix: runtimes behind the platform in each
/// strategy, and by themselves.
pub(crate) fn swept(run: &Run, functions: &str) -> Vec<Record> {
    let mut swept = Vec::new();
    let own = |record: &&Record| {
        let cell = &record.cell;
        cell.scenario.name() == "warm"
            && cell.runtime.as_str().starts_with("wasm")
            && cell.function.starts_with(functions)
    };
    for (at, record) in run.records.iter().filter(own).enumerate() {
        for (strategy, pace) in [("+naive", 1), ("+cached", 20), ("+pooled", 40), ("", 30)] {
            let mut record = record.clone();
            record.cell.runtime = format!("{}{strategy}", record.cell.runtime).parse().unwrap();
            record.cell.scenario = "http-knee".parse().unwrap();
            record.histogram = None;
            if let Ok(measurement) = &mut record.result {
                let rates: Vec<u64> = (0..6).map(|step| (pace * (150 + at as u64 % 50)) << step).collect();
                let p99_ns: Vec<u64> = rates.iter().map(|rate| 200_000 + rate * rate * 20 / pace / pace).collect();
                let held = p99_ns.iter().map(|ns| u64::from(*ns < 12_000_000)).collect();
                measurement.samples = Samples::of([("rate", rates), ("p99_ns", p99_ns), ("held", held)]);
                measurement.readings = [("p99_below_ns".to_owned(), 12_000_000)].into();
            }
            swept.push(record);
        }
    }
    swept
}

fn run_of(modes: &[Mode], functions: &[(&str, f64, f64)], threads: u32, rounds: u32, failures: bool) -> Run {
    let mut run = Run { header: header(modes, functions, rounds), records: vec![] };
    let mut rng = fastrand::Rng::with_seed(7);
    for round in 0..rounds {
        for mode in modes {
            for function in functions {
                for scenario in scenarios(mode, threads) {
                    let cell = Cell { runtime: id(mode), function: function.0.into(), scenario };
                    let artifact = mode.1.contains("aot").then(|| Artifact {
                        compile_ns: (function.1 * 2.2e8) as u64 + 900_000,
                        bytes: (function.1 * 3e6) as u64 + 12_000,
                    });
                    let result = failure(&cell, round)
                        .filter(|_| failures)
                        .map_or_else(|| Ok(measurement(mode, function, scenario, &mut rng)), Err);
                    if round == 0 {
                        run.header.cells.push(cell.clone());
                    }
                    let noise = Some(Noise { cpu_pressure: Some(0.004 * f64::from(round)), steal: Some(0.0) });
                    let histogram = histogram(scenario, &result);
                    run.records.push(Record {
                        cell,
                        round,
                        machine: 0,
                        elapsed_ns: 0,
                        cpus: vec![],
                        noise,
                        histogram,
                        artifact,
                        load: None,
                        result,
                    });
                }
            }
        }
    }
    run
}

/// What is measured of a runtime: everything that it allows and that [`measurement`] has numbers for.
fn scenarios(mode: &Mode, threads: u32) -> Vec<ScenarioId> {
    const KNOWN: [&str; 6] = ["cold", "process-cold", "deploy", "warm", "throughput", "density"];
    let runtime = info(mode);
    let allowed = |id: &ScenarioId| id.scenario().obstacle(&runtime, id.threads()).is_none();
    ScenarioId::all(threads).into_iter().filter(|id| KNOWN.contains(&id.name()) && allowed(id)).collect()
}

fn histogram(scenario: ScenarioId, result: &Result<Measurement, MeasureError>) -> Option<String> {
    let times = result.as_ref().ok().filter(|_| scenario.scenario().unit() == Unit::Nanoseconds)?;
    let mut histogram = Histogram::new();
    scenario.values(&times.samples).into_iter().for_each(|ns| histogram.record(ns as u64));
    Some(histogram.encode())
}

fn header(modes: &[Mode], functions: &[(&str, f64, f64)], rounds: u32) -> Header {
    let function = |(name, mib, _): &(&str, f64, f64)| Function {
        name: (*name).into(),
        description: format!("Does what {name} does"),
        stands_for: "a small function".into(),
        module_sha256: "8f43c6d1".repeat(8),
        module_bytes: (mib * 1048576.0) as u64,
        forms: Default::default(),
        brought: None,
        language: None,
        family: None,
        size: None,
    };
    Header {
        schema: SCHEMA,
        isobar: "0.1.0".into(),
        arguments: vec![],
        started_at_s: 1_795_196_789,
        quick: false,
        seed: 42,
        schedule: Schedule {
            min_processes: rounds,
            max_processes: rounds,
            precision: 0.02,
            cell_time_ns: None,
            total_time_ns: None,
        },
        shard: None,
        merged: vec![],
        plan_sha256: "5c".repeat(32),
        pinned: false,
        measures: vec![],
        warnings: vec![],
        machines: vec![Machine {
            cpu: "Example CPU @ 2.50 GHz".into(),
            cores: 2,
            memory_bytes: 8 << 30,
            kernel: "6.1.0".into(),
            os: "Debian GNU/Linux 12 (bookworm)".into(),
            architecture: "x86_64".into(),
            virtual_machine: true,
            boot: None,
        }],
        runtimes: modes.iter().map(info).collect(),
        absent: vec![Absent { family: "nodejs".into(), reason: "not found; install it with scripts/setup".into() }],
        skipped: Vec::new(),
        load: None,
        unbuilt: Vec::new(),
        formless: Vec::new(),
        functions: functions.iter().map(function).collect(),
        cells: vec![],
        elsewhere: vec![],
    }
}

fn id(mode: &Mode) -> RuntimeId {
    format!("{}/{}", mode.0, mode.1).parse().unwrap()
}

fn info(mode: &Mode) -> RuntimeInfo {
    let execution = match mode.1 {
        m if m.contains("aot") => Execution::Aot,
        m if ["lazy", "eager", "interpreter"].iter().any(|i| m.starts_with(i)) => Execution::Interpreter,
        _ => Execution::Jit,
    };
    let wall_time = if mode.1.contains("+limits") { Enforcer::Engine } else { Enforcer::Process };
    RuntimeInfo {
        version: "1.2.3".into(),
        wasi: if mode.1.contains("shared-wasi") {
            "isobar-core 0.1.0".into()
        } else {
            format!("{}-wasi 1.2.3", mode.0)
        },
        execution,
        concurrent: mode.0 != "wasm3",
        enforcement: Enforcement { wall_time, memory: Enforcer::Engine, stack: Enforcer::Engine },
        proposals: isobar_core::settings::proposals(&["simd"]),
        class: match mode.0 {
            "native" => Class::Process,
            "container" => Class::Container,
            "sandbox" => Class::Sandbox,
            "node" | "workerd" if mode.1 != "process-js" => Class::Isolate,
            "node" | "deno" | "bun" => Class::Process,
            _ => Class::Wasm,
        },
        settings: [("stack".into(), "1 MiB".into()), ("compile threads".into(), "1".into())].into(),
        ..RuntimeInfo::wasm(id(mode))
    }
}

fn failure(cell: &Cell, round: u32) -> Option<MeasureError> {
    let failure = match (cell.runtime.as_str(), cell.function.as_str(), cell.scenario.to_string().as_str()) {
        ("wasmedge/interpreter", "rust/fibonacci", _) => Failure::Timeout { limit_ns: 5_000_000_000 },
        ("wasmedge/jit", "rust/hello" | "wat/data", _) => Failure::crashed("signal 11\nin |libwasmedge| <jit>"),
        ("wasm3/lazy", "go/hello" | "go/fibonacci", _) => {
            Failure::Rejected { message: "unknown opcode".into(), proposals: vec!["bulk-memory".into()] }
        }
        ("wasmer/llvm-aot", "rust/sudoku", "deploy") => Failure::host("no room for the artifact"),
        ("wasmer/llvm", _, "throughput/2") => Failure::host("out of *luck*"),
        ("wasmi/eager", "rust/blake3", "warm") if round == 1 => {
            return Some(MeasureError::WrongAnswer("\"\" instead of \"d749\"".into()));
        }
        _ => return None,
    };
    Some(MeasureError::Failure(failure))
}

fn measurement(mode: &Mode, function: &(&str, f64, f64), scenario: ScenarioId, rng: &mut fastrand::Rng) -> Measurement {
    let (_, _, engine_us, load_ms, instantiate_us, slowdown) = *mode;
    let execute_us = 2.0 + function.2 * slowdown;
    // A process has a pace of its own; a sample now and then is slow.
    let pace = 1.0 + 0.05 * rng.f64();
    let mut sample = |us: f64| {
        let slow = if rng.u8(..) < 8 { 3.0 * rng.f64() } else { 0.1 * rng.f64() };
        (us * 1e3 * pace * (1.0 + slow)) as u64
    };
    let mut column = |count: usize, us: f64| (0..count).map(|_| sample(us)).collect::<Vec<u64>>();
    let load_us = 25.0 + load_ms * 1e3 * function.1;
    let cold = [engine_us, load_us, instantiate_us + 200.0 * function.1, execute_us, instantiate_us / 4.0];
    let phases = ["engine_ns", "load_ns", "instantiate_ns", "execute_ns", "teardown_ns"];
    let mut invocations = if matches!(scenario.name(), "warm") { 250 } else { 12 };
    let samples = match scenario.name() {
        "throughput" => {
            let threads = scenario.threads() as usize;
            let elapsed_ns = column(5 * threads, 100_000.0 * (1.0 + 0.04 * threads as f64));
            let completed = (1e5 / (instantiate_us + execute_us)).ceil() as u64;
            invocations = completed * 5 * threads as u64;
            Samples::of([("completed", vec![completed; 5 * threads]), ("elapsed_ns", elapsed_ns)])
        }
        "warm" => Samples::of(std::array::from_fn::<_, 3, _>(|i| (phases[i + 2], column(250, cold[i + 2])))),
        "cold" => Samples::of(std::array::from_fn::<_, 5, _>(|i| (phases[i], column(12, cold[i])))),
        "process-cold" => {
            Samples::of([("elapsed_ns", column(12, 1200.0 + 3.0 * engine_us + cold.iter().sum::<f64>()))])
        }
        "deploy" => {
            let bytes = (function.1 * 3e6 * slowdown) as u64 + 12_000;
            Samples::of([("compile_ns", column(5, 900.0 + 2.2e5 * function.1)), ("artifact_bytes", vec![bytes; 5])])
        }
        _ => density(engine_us, load_ms, instantiate_us, &mut column),
    };
    let readings = readings(invocations, instantiate_us + execute_us);
    let warm_up = match scenario.name() {
        "warm" | "throughput" => WarmUp { samples: 60, elapsed_ns: 9_000_000, end: WarmUpEnd::Stationary },
        _ => WarmUp::NONE,
    };
    Measurement { samples, warm_up, stop: Stop::Time, readings, attempts: vec![] }
}

/// Memory that grows by some pages for each instance, and by the code for each module.
fn density(
    engine_us: f64,
    load_ms: f64,
    instantiate_us: f64,
    column: &mut impl FnMut(usize, f64) -> Vec<u64>,
) -> Samples {
    let counts: Vec<u64> = (0..7).map(|power| 1 << power).collect();
    let mut grown = |base: f64, each: f64| -> Vec<u64> {
        // A sample of a microsecond is some thousand nanoseconds: here as noise in bytes.
        counts
            .iter()
            .zip(column(counts.len(), 8.0))
            .map(|(n, noise)| (base + each * *n as f64) as u64 + noise)
            .collect()
    };
    let instances = grown(4e6 + 2e3 * engine_us, 1400.0 * instantiate_us);
    let modules = grown(5e6 + 2e3 * engine_us, 30_000.0 + 700.0 * load_ms);
    Samples::of([
        ("instances", counts.clone()),
        ("instances_pss_bytes", instances),
        ("modules", counts),
        ("modules_pss_bytes", modules),
    ])
}

fn readings(invocations: u64, us: f64) -> Readings {
    let each = |amount: f64| (invocations as f64 * amount) as u64;
    let readings = [
        ("invocations", invocations),
        ("user_ns", each(us * 900.0)),
        ("system_ns", each(us * 150.0)),
        ("minor_faults", each(21.0)),
        ("voluntary_context_switches", 3),
        ("peak_rss_bytes", 14 << 20),
    ];
    readings.map(|(name, value)| (name.to_owned(), value)).into()
}
