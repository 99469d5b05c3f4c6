//! Runs that nobody measured, with numbers of the magnitudes that real ones have.

use crate::record::*;
use isobar_core::measure::{MeasureError, Measurement, Samples, ScenarioId, Stop, WarmUp};
use isobar_core::{Enforcement, Enforcer, Execution, Failure, RuntimeId, RuntimeInfo};

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

/// Name, MiB, µs in machine code.
const FUNCTIONS: [(&str, f64, f64); 6] = [
    ("rust/hello", 0.08, 4.0),
    ("rust/fibonacci", 0.08, 130_000.0),
    ("rust/blake3", 0.11, 9.0),
    ("rust/sudoku", 0.2, 240.0),
    ("wat/empty", 0.0001, 0.3),
    ("wat/data", 1.0, 0.5),
];

/// A run of `runtimes` of 25 runtimes and `functions` of 6 functions, with throughput on up to `threads` threads, in
/// `rounds` rounds; `failures` says whether some cells fail.
pub(crate) fn run(runtimes: usize, functions: usize, threads: u32, rounds: u32, failures: bool) -> Run {
    let modes: Vec<Mode> = (0..runtimes).map(|i| MODES[i * MODES.len() / runtimes]).collect();
    let mut run = Run { header: header(&modes, &FUNCTIONS[..functions], rounds), records: vec![] };
    let mut rng = fastrand::Rng::with_seed(7);
    for round in 0..rounds {
        for mode in &modes {
            for function in &FUNCTIONS[..functions] {
                let most = if mode.0 == "wasm3" { 1 } else { threads };
                for name in
                    ["cold", "warm"].map(str::to_owned).into_iter().chain((1..=most).map(|n| format!("throughput/{n}")))
                {
                    let scenario: ScenarioId = name.parse().unwrap();
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
                    run.records.push(Record {
                        cell,
                        round,
                        machine: 0,
                        elapsed_ns: 0,
                        cpus: vec![],
                        noise: None,
                        histogram: None,
                        artifact,
                        result,
                    });
                }
            }
        }
    }
    run
}

fn header(modes: &[Mode], functions: &[(&str, f64, f64)], rounds: u32) -> Header {
    let function = |(name, mib, _): &(&str, f64, f64)| Function {
        name: (*name).into(),
        description: format!("Does what {name} does"),
        stands_for: "a small function".into(),
        module_sha256: "8f43c6d1".repeat(8),
        module_bytes: (mib * 1048576.0) as u64,
    };
    Header {
        schema: SCHEMA,
        isobar: "0.1.0".into(),
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
        id: id(mode),
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
        settings: [("stack".into(), "1 MiB".into()), ("compile threads".into(), "1".into())].into(),
    }
}

fn failure(cell: &Cell, round: u32) -> Option<MeasureError> {
    let failure = match (cell.runtime.as_str(), cell.function.as_str(), cell.scenario.to_string().as_str()) {
        ("wasmedge/interpreter", "rust/fibonacci", _) => Failure::Timeout { limit_ns: 5_000_000_000 },
        ("wasmedge/jit", "rust/hello" | "wat/data", _) => Failure::crashed("signal 11\nin |libwasmedge| <jit>"),
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
    let samples = if scenario.name() == "throughput" {
        let threads = scenario.threads() as usize;
        let time = |_| sample(100_000.0 * (1.0 + 0.04 * threads as f64));
        let elapsed_ns: Vec<u64> = (0..5 * threads).map(time).collect();
        let completed = (1e5 / (instantiate_us + execute_us)).ceil() as u64;
        Samples::of([("completed", vec![completed; 5 * threads]), ("elapsed_ns", elapsed_ns)])
    } else {
        let cold = scenario.name() == "cold";
        let count = if cold { 12 } else { 60 };
        let mut column = |us: f64| (0..count).map(|_| sample(us)).collect::<Vec<u64>>();
        let instance = [
            ("instantiate_ns", column(instantiate_us + 200.0 * function.1)),
            ("execute_ns", column(execute_us)),
            ("teardown_ns", column(instantiate_us / 4.0)),
        ];
        let [a, b, c] = instance;
        if cold {
            let load_us = 25.0 + load_ms * 1e3 * function.1;
            Samples::of([("engine_ns", column(engine_us)), ("load_ns", column(load_us)), a, b, c])
        } else {
            Samples::of([a, b, c])
        }
    };
    Measurement { samples, warm_up: WarmUp::NONE, stop: Stop::Time, readings: [].into() }
}
