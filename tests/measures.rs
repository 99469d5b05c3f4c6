//! What is recorded beside the samples: the system's own counts, where a runner ran, how busy the machine was.

use assert_cmd::Command;
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

/// Runs `isobar run --quick` on hello, one process per cell: the header and the records.
fn run(args: &[&str]) -> (Value, Vec<Value>) {
    let results = tempfile::tempdir().unwrap();
    let mut command = Command::cargo_bin("isobar").expect("the program is built");
    command.current_dir(env!("CARGO_MANIFEST_DIR")).env_remove("ISOBAR_RUNNERS").timeout(Duration::from_secs(240));
    let given = ["run", "--quick", "--processes", "1", "--max-processes", "1", "--filter", "rust/hello", "--results"];
    command.args(given).arg(results.path()).args(args).assert().success();
    let folder = std::fs::read_dir(results.path()).unwrap().next().unwrap().unwrap().path();
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let records = read("records.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (serde_json::from_str(&read("run.json")).unwrap(), records)
}

fn readings<'a>(records: &'a [Value], scenario: &str) -> &'a Value {
    let record = records.iter().find(|record| record["scenario"] == scenario).unwrap();
    &record["result"]["Ok"]["readings"]
}

#[test]
fn what_the_system_counts_is_recorded() {
    let (header, records) =
        run(&["--filter", "wasm3/lazy", "--filter", "wasmi/eager", "--filter", "warm", "--filter", "process-cold"]);
    assert_eq!(records.len(), 4);
    for scenario in ["warm", "process-cold"] {
        let readings = readings(&records, scenario);
        let read = |name: &str| readings[name].as_u64().unwrap_or_else(|| panic!("no {name} in {readings}"));
        assert!(read("invocations") > 0 && read("minor_faults") > 0 && read("peak_rss_bytes") > 100_000, "{readings}");
        assert!(read("user_ns") + read("system_ns") > 0, "{readings}");
        let _ = (read("major_faults"), read("voluntary_context_switches"), read("involuntary_context_switches"));
        assert_eq!(readings["pss_bytes"].is_u64(), scenario == "warm", "{readings}");
        let present = readings.as_object().unwrap().keys().filter(|name| *name != "invocations");
        let listed = |name: &String| {
            let mut measures = header["measures"].as_array().unwrap().iter();
            measures.any(|measure| measure["name"] == **name && measure["available"] == true)
        };
        assert!(present.clone().all(listed), "{readings} has more than {}", header["measures"]);
    }
    for record in &records {
        assert_eq!(record["noise"]["cpu_pressure"].is_number(), Path::new("/proc/pressure/cpu").exists(), "{record}");
        // Within less than a tick of the kernel nothing can be told.
        assert!(record["noise"]["steal"].as_f64().is_none_or(|share| (0.0..=1.0).contains(&share)), "{record}");
        assert!(record.get("cpus").is_none(), "nothing was bound: {record}");
    }
}

#[test]
fn pinned_runners_get_the_last_processors() {
    let (header, records) = run(&["--pin", "--filter", "wasmi/eager", "--filter", "warm", "--filter", "throughput"]);
    assert_eq!(header["pinned"], true);
    let cores = header["machines"][0]["cores"].as_u64().unwrap();
    let last = |record: &Value| record["cpus"].as_array().unwrap().iter().map(|cpu| cpu.as_u64().unwrap()).max();
    for record in &records {
        let threads = record["threads"].as_u64().unwrap_or(1);
        assert_eq!(record["cpus"].as_array().unwrap().len() as u64, threads.min(cores), "{record}");
        assert_eq!(last(record), last(&records[0]), "{record}");
        assert!(record["result"]["Ok"].is_object(), "{record}");
    }
    assert!(records.len() as u64 > cores);
}

#[test]
fn instructions_are_the_same_in_every_run() {
    let valgrind = std::process::Command::new("valgrind").arg("--version").output();
    if !valgrind.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: valgrind is not here; install it to test --measure callgrind");
        return;
    }
    let count = || {
        let (_, mut records) = run(&["--filter", "wasm3/lazy", "--filter", "wasmi/eager", "--filter", "instructions"]);
        records.sort_by_key(|record| record["runtime"].to_string());
        let samples = |record: &Value| record["result"]["Ok"]["samples"]["instructions"].clone();
        let runs = records.iter().map(samples).map(|runs| serde_json::from_value(runs).unwrap());
        runs.collect::<Vec<[u64; 2]>>()
    };
    let (first, again) = (count(), count());
    assert_eq!(first.len(), 2);
    for (name, (first, again)) in ["wasm3", "wasmi"].iter().zip(first.iter().zip(&again)) {
        let (first, again) = (first[1] - first[0], again[1] - again[0]);
        // Wasmi's hash tables are seeded anew in every process, as Rust's are; Wasm3 has none.
        let allowed = if *name == "wasm3" { 0 } else { first / 500 };
        assert!(first > 100_000 && first.abs_diff(again) <= allowed, "{name}: {first} and {again}");
    }
}
