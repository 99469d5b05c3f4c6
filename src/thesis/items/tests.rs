use super::*;
use crate::record::{Absent, Cell, Function, LoadResult, LoadStop, Record, Run, Starts};
use crate::report::synthetic;
use crate::stats::Histogram;
use crate::thesis::page;
use crate::thesis::parts::PARTS;
use isobar_core::RuntimeInfo;
use isobar_core::measure::{Measurement, Samples, Stop, WarmUp};

/// Runs that hold just what a test puts in.
#[derive(Default)]
struct Made {
    evidence: Evidence,
}

/// A run without cells.
fn empty() -> Run {
    let mut run = synthetic::run(1, 1, 1, 1, false);
    run.records.clear();
    run.header.cells.clear();
    run.header.functions.clear();
    run.header.absent = vec![Absent { family: "wasmer/cranelift".into(), reason: "no runner; build it".into() }];
    run
}

/// Five samples around a time, in two processes.
fn around(ns: f64) -> [Vec<u64>; 2] {
    [0.98, 1.0].map(|pace| [0.99, 1.0, 1.0, 1.01, 1.02].iter().map(|share| (ns * share * pace) as u64).collect())
}

fn add(run: &mut Run, (runtime, function, scenario): (&str, &str, &str), columns: &[(&str, f64)]) {
    let cell =
        Cell { runtime: runtime.parse().unwrap(), function: function.to_owned(), scenario: scenario.parse().unwrap() };
    if run.header.functions.iter().all(|known| known.name != function) {
        let bytes = if function.contains("wizer") { 30_000 } else { 3_000 };
        run.header.functions.push(Function { module_bytes: bytes, ..crate::load::function(function, "GET", "x") });
    }
    if run.header.runtimes.iter().all(|known| known.id != cell.runtime) {
        run.header.runtimes.push(RuntimeInfo { version: "9.9".into(), ..RuntimeInfo::wasm(cell.runtime.clone()) });
    }
    run.header.cells.push(cell.clone());
    for round in 0..2 {
        let mut samples = serde_json::Map::new();
        for (name, ns) in columns {
            samples.insert((*name).to_owned(), around(*ns)[round].clone().into());
        }
        let samples: Samples = serde_json::from_value(samples.into()).unwrap();
        let (warm_up, readings, attempts) = (WarmUp::NONE, [].into(), Vec::new());
        let measured = Measurement { samples, warm_up, stop: Stop::Samples, readings, attempts };
        run.records.push(Record {
            cell: cell.clone(),
            round: round as u32,
            machine: 0,
            elapsed_ns: 1,
            cpus: vec![],
            noise: None,
            histogram: None,
            artifact: None,
            load: None,
            result: Ok(measured),
        });
    }
}

fn warm(run: &mut Run, runtime: &str, function: &str, ns: f64) {
    add(run, (runtime, function, "warm"), &[("instantiate_ns", 0.0), ("execute_ns", ns), ("teardown_ns", 0.0)]);
}

/// A server whose first request takes so long, and later ones so long.
fn served(run: &mut Run, server: &str, function: &str, scenario: &str, [first_ms, ms]: [u64; 2]) {
    add(run, (server, function, scenario), &[]);
    let mut histogram = Histogram::new();
    (0..50).for_each(|n| histogram.record(ms * 1_000_000 + n * 1000));
    let histogram = histogram.encode();
    for record in run.records.iter_mut().rev().take(2) {
        record.histogram = Some(histogram.clone());
        record.load = Some(Box::new(LoadResult {
            due: 50,
            answered: 50,
            late: 0,
            late_for_a_connection: 0,
            retried: 0,
            statuses: [(200, 50)].into(),
            faults: [].into(),
            service_histogram: None,
            timing: ["server", "total"].map(|name| (name.to_owned(), histogram.clone())).into(),
            server_timing: [].into(),
            starts: Starts::default(),
            starts_by_function: vec![],
            start_histograms: [].into(),
            kept: None,
            first_request_ns: Some(first_ms * 1_000_000),
            driver_cpu_ns: 0,
            stop: LoadStop::Requests,
        }));
        let seconds = Samples::of([("elapsed_ns", vec![1_000_000_000]), ("completed", vec![1000 / ms])]);
        record.result.as_mut().unwrap().samples = seconds;
    }
}

impl Made {
    fn part(mut self, name: &str, fill: impl FnOnce(&mut Run)) -> Self {
        let part = PARTS.iter().find(|part| part.name == name).unwrap();
        let mut run = empty();
        fill(&mut run);
        self.evidence.add(part, run);
        self
    }

    /// A table of an item.
    fn table(&self, item: u8, at: usize) -> Table {
        sections(&[item], &self.evidence, &Published::load())[0].tables[at].clone()
    }
}

/// All ten, as a machine would have them that has no Wasmer, no workerd and no containers.
fn all() -> Made {
    let mut made = Made::default();
    for (part, function) in
        [("1-small-memory", "wat/empty"), ("2-hello", "rust/hello"), ("3-large-data", "wat/large-data")]
    {
        made = made.part(part, |run| {
            for (runtime, ns) in [("wasmtime/cranelift", 9e3), ("wasmtime/cranelift+pooling", 3e3)] {
                for threads in [1.0, 2.0] {
                    let columns = [("instantiate_ns", ns * threads), ("teardown_ns", 1e3)];
                    add(run, (runtime, function, &format!("instantiate/{threads}")), &columns);
                }
            }
        });
    }
    made = made.part("4-from-file", |run| {
        for function in ["wat/empty", "rust/hello"] {
            let columns = [("load_ns", 40e3), ("instantiate_ns", 9e3)];
            add(run, ("wasmtime/cranelift-aot", function, "load-instantiate"), &columns);
        }
    });
    made = made.part("6-fibonacci", |run| {
        for (runtime, ns) in [("native/process", 400e6), ("wasmtime/cranelift", 540e6), ("wasm3/lazy", 2000e6)] {
            warm(run, runtime, "rust/fibonacci:forty", ns);
            warm(run, runtime, "rust/fibonacci", 1e6 + ns / 40.0);
            warm(run, runtime, "rust/fibonacci:repeated", 1e6 + 6.0 * ns / 40.0);
        }
    });
    made = made.part("7-blake3", |run| {
        for (runtime, ns) in [("native/in-process", 100.0), ("native/process", 90.0), ("wasmtime/cranelift", 150.0)] {
            warm(run, runtime, "rust/blake3:once", 1e6);
            warm(run, runtime, "rust/blake3:repeated", 1e6 + 1e5 * ns);
        }
    });
    made = made.part("8-platforms", |run| {
        served(run, "isobar/pooled", "rust/fibonacci", "http-closed-fresh/1", [12, 10]);
        served(run, "isobar/pooled", "javascript/fibonacci", "http-closed-fresh/1", [900, 800]);
    });
    made = made.part("8-processes", |run| {
        add(run, ("native/process", "rust/fibonacci", "process-cold"), &[("elapsed_ns", 10e6)]);
        warm(run, "native/process", "rust/fibonacci", 10e6);
    });
    made = made.part("9-wizer", |run| {
        for (function, ns) in [("rust/browsers", 50e6), ("rust/browsers+wizer", 10e6)] {
            warm(run, "wasmtime/cranelift-aot", function, ns);
        }
    });
    made.part("10-framework", |run| {
        served(run, "isobar/naive", "assemblyscript/hello", "http-closed-fresh/1", [12, 10]);
        served(run, "isobar/naive", "assemblyscript/hello", "http-closed/8", [12, 10]);
        served(run, "isobar/naive", "/healthz", "http-closed-fresh/1", [6, 5]);
        served(run, "isobar/pooled", "assemblyscript/hello", "http-closed-fresh/1", [12, 6]);
    })
}

#[test]
fn instantiation_has_a_line_for_each_strategy_and_number_of_threads() {
    let table = all().table(1, 0);
    assert_eq!(table.rows.len(), 4);
    assert_eq!(table.rows[0][..3], strings(&["on-demand", "0", "9.95 µs"]));
    assert_eq!(table.rows[1][1], "1");
    assert_eq!(table.rows[2][5..], strings(&["5.00 µs to 40.0 µs", "0.80x of its lower end"]));
    let empty = Made::default().table(1, 0);
    assert_eq!(empty.rows[0][2], "not measured here: this part was left out");
}

#[test]
fn ratios_to_native_code_are_beside_the_published_ones() {
    let made = all();
    let forty = made.table(6, 0);
    let wasmtime = &forty.rows[1];
    assert_eq!(wasmtime[1], "`wasmtime/cranelift`");
    assert!(wasmtime[4].starts_with("1.35x [") && wasmtime[5] == "535 ms ± 2.24 ms" && wasmtime[6] == "1.35x");
    assert_eq!(wasmtime[8], "1.00x");
    let wasmer = &forty.rows[2];
    assert_eq!(wasmer[1], "not measured here: no runner; build it");
    assert_eq!(wasmer[5..7], strings(&["547 ms ± 2.61 ms", "1.38x"]));
    // What an invocation costs besides falls out.
    let thirty_two = made.table(6, 1);
    assert!(thirty_two.rows[0][2].starts_with("9.9") || thirty_two.rows[0][2].starts_with("10.0"), "{thirty_two:?}");
    let hash = made.table(7, 0);
    assert_eq!(hash.rows[0][1], "`native/in-process`");
    assert!(hash.rows[1][4].starts_with("1.5"), "{hash:?}");
    let m1 = made.table(7, 1);
    assert_eq!(m1.rows[1][5], "94.3 ns ± 2.61 ns");
}

#[test]
fn a_cold_start_is_the_first_request_less_a_warm_one() {
    let table = all().table(8, 0);
    let of = |name: &str| table.rows.iter().find(|row| row[0] == name).unwrap();
    let pooled = of("`isobar/pooled`");
    assert_eq!(pooled[2..5], strings(&["Rust", "12.0 ms", "10.0 ms"]));
    assert!(pooled[6].starts_with("1.9") && pooled[7] == "50.0 µs to 350 µs", "{pooled:?}");
    assert!(pooled[8].ends_with("of its upper end"), "{pooled:?}");
    assert_eq!(of("`native/process`")[6], "none: each request starts it");
    assert!(of("`workerd/isolate`")[3].starts_with("not measured here"));
    assert!(of("`container/crun`")[3].starts_with("not measured here"));
}

#[test]
fn snapshots_and_the_framework() {
    let made = all();
    let wizer = made.table(9, 0);
    let browsers = wizer.rows.iter().find(|row| row[0] == "`rust/browsers`").unwrap();
    assert!(
        browsers[4].starts_with("5.00x [") && browsers[7] == "10.0x" && browsers[8] == "14.0x, 11.5x",
        "{browsers:?}"
    );
    let framework = made.table(10, 0);
    assert_eq!(framework.rows[0][4..], strings(&["50 %", "9.90 ms ± 1.49 ms", "5.60 ms ± 560 µs", "57 %"]));
    assert!(framework.rows[1][1].starts_with("not measured here"));
    let loads = made.table(10, 1);
    assert_eq!(loads.rows[1][1..3], strings(&["8", "100 /s"]));
    assert_eq!(loads.rows[1][7], "0.45x");
}

#[test]
fn every_item_has_its_figure_and_the_page_is_the_same_twice() {
    let made = all();
    let page = || {
        let published = Published::load();
        let sections = sections(&(1..=ITEMS).collect::<Vec<_>>(), &made.evidence, &published);
        for section in &sections {
            assert!(!section.drawings.is_empty(), "{}", section.item);
            assert!(
                section.tables.iter().all(|t| t.rows.iter().all(|row| row.len() == t.header.len())),
                "{}",
                section.item
            );
        }
        page(&made.evidence, &published, &sections, "charts")
    };
    let once = page();
    assert_eq!(once, page());
    insta::assert_snapshot!(once);
}

#[test]
fn without_records_there_is_a_page_that_says_so() {
    let (evidence, published) = (Evidence::default(), Published::load());
    let sections = sections(&(1..=ITEMS).collect::<Vec<_>>(), &evidence, &published);
    assert!(sections.iter().all(|section| section.drawings.is_empty() && !section.tables.is_empty()));
    let page = page(&evidence, &published, &sections, "charts");
    assert!(page.contains("Nothing was measured.") && page.matches("| not measured here |").count() == 5, "{page}");
}
