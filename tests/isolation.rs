//! What functions that try to get out of their sandbox meet, with the program as its users meet it.

mod support;

use isobar::workload::Catalogue;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use support::isobar;

/// By function and runtime, then by attempt.
type Verdicts = BTreeMap<(String, String), BTreeMap<String, Value>>;

/// What must not reach a function in any WebAssembly sandbox.
const DENIED: [&str; 9] =
    ["environment", "passwd", "file", "folder", "write", "connect", "previous", "neighbour", "spawn"];
/// What must be refused, or end the function.
const LIMITED: [&str; 6] = ["memory", "output", "spin", "stack", "crash", "signal"];

fn tried(folder: &Path, filters: &[&str]) -> (Verdicts, String) {
    let run = folder.join("run");
    let filters: Vec<&str> = filters.iter().flat_map(|filter| ["--filter", filter]).collect();
    let mut command = isobar();
    command.args(["run", "--scenario", "isolation", "--strict"]).args(filters).arg("--into").arg(&run);
    let output = command.assert().success().get_output().clone();
    let mut verdicts = Verdicts::new();
    for line in fs::read_to_string(run.join("records.jsonl")).unwrap().lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| record[key].as_str().unwrap().to_owned();
        assert_eq!(text("scenario"), "isolation");
        let attempts = record["result"]["Ok"]["attempts"].as_array().unwrap();
        let by_name = attempts.iter().map(|attempt| (attempt["attempt"].as_str().unwrap().to_owned(), attempt.clone()));
        let known = verdicts.insert((text("function"), text("runtime")), by_name.collect());
        assert!(known.is_none(), "a cell needs one process: {line}");
    }
    (verdicts, String::from_utf8(output.stdout).unwrap())
}

fn verdict(attempt: &Value) -> &str {
    attempt["verdict"].as_str().unwrap()
}

/// Wasmi in this form enforces all limits by itself; Wasmtime and Wasm3 leave the wall time to the process.
#[test]
fn sandboxes_of_webassembly_deny_what_they_must() {
    let folder = tempfile::tempdir().unwrap();
    let runtimes = ["wasmi/eager", "wasmi/eager+limits", "wasmtime/winch", "wasm3/lazy"];
    let filters: Vec<&str> = runtimes.iter().copied().chain(["rust/hostile", "c/hostile"]).collect();
    let (verdicts, table) = tried(folder.path(), &filters);
    assert_eq!(verdicts.len(), 8, "{verdicts:?}");
    for ((function, runtime), attempts) in &verdicts {
        for name in DENIED {
            let attempt = &attempts[name];
            assert_eq!(verdict(attempt), "denied", "{function} in {runtime}: {name}: {attempt}");
            assert_eq!(attempt["host_survived"], true, "{function} in {runtime}: {name}: {attempt}");
        }
        for name in LIMITED {
            let attempt = &attempts[name];
            assert!(["denied", "ended"].contains(&verdict(attempt)), "{function} in {runtime}: {name}: {attempt}");
        }
        // An endless loop takes the process along where no engine ends it.
        let engine_ends_it = runtime.ends_with("+limits");
        assert_eq!(verdict(&attempts["spin"]), "ended");
        assert_eq!(attempts["spin"]["host_survived"], engine_ends_it, "{runtime}: {}", attempts["spin"]);
        assert!(table.contains(runtime), "{table}");
    }
    for name in ["report.md", "report.html"] {
        let report = fs::read_to_string(folder.path().join("run").join(name)).unwrap();
        assert!(report.contains("✓ denied") && report.contains("ended, host lost"), "{name}");
        assert!(report.contains("path") && report.contains("errno 8"), "the evidence is in {name}");
        assert!(!report.contains("Nothing was measured"), "{name}");
    }
    // Nothing to compare, and nothing that pretends to be.
    let compared = isobar().arg("rank").arg(folder.path().join("run")).assert().code(2).get_output().clone();
    let said = String::from_utf8(compared.stderr).unwrap();
    assert!(said.contains("nothing is left to compare"), "{said}");
}

/// A table that only says "denied" would prove nothing.
#[test]
fn a_process_is_allowed_what_a_process_may() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let catalogue = Catalogue::load(&root.join("workloads")).unwrap();
    if let Err(e) = catalogue.find("c/hostile").unwrap().native() {
        return eprintln!("skipped: {e}");
    }
    let listed = isobar().args(["list", "--names"]).assert().success().get_output().stdout.clone();
    if !String::from_utf8(listed).unwrap().lines().any(|name| name == "native/process") {
        return eprintln!("skipped: there is no native/process: cargo build --release --workspace");
    }
    let folder = tempfile::tempdir().unwrap();
    let (verdicts, table) = tried(folder.path(), &["native/process", "c/hostile"]);
    let attempts = &verdicts[&("c/hostile".to_owned(), "native/process".to_owned())];
    for name in ["passwd", "file", "folder", "write", "connect", "spawn"] {
        let attempt = &attempts[name];
        assert_eq!((verdict(attempt), &attempt["host_survived"]), ("allowed", &true.into()), "{name}: {attempt}");
    }
    let line = fs::read_to_string("/etc/passwd").unwrap().lines().next().unwrap_or("root").to_owned();
    let records = fs::read_to_string(folder.path().join("run/records.jsonl")).unwrap();
    assert!(!records.contains(&line), "what is in the file is nobody's business");
    // Its memory is its own, and its crash is nobody else's.
    for name in ["previous", "neighbour"] {
        assert_eq!(verdict(&attempts[name]), "denied", "{}", attempts[name]);
    }
    assert_eq!((verdict(&attempts["crash"]), &attempts["crash"]["host_survived"]), ("ended", &true.into()));
    assert!(table.contains('✗'), "{table}");
}

#[test]
fn ordinary_plans_do_not_try_it() {
    let folder = tempfile::tempdir().unwrap();
    let said = |args: &[&str], code: i32| {
        let mut command = isobar();
        let assert =
            command.arg("run").args(args).args(["--into", folder.path().join("no").to_str().unwrap()]).assert();
        String::from_utf8(assert.code(code).get_output().stderr.clone()).unwrap()
    };
    for filters in [["--filter=rust/hostile", "--filter=warm"], ["--filter=hello", "--filter=isolation"]] {
        assert!(said(&filters, 2).contains("for the scenario isolation"), "{filters:?}");
    }
    assert!(said(&["--scenario", "solitude"], 2).contains("possible values: cold,"));
    let run = support::tiny_run(folder.path(), &[]);
    let header: Value = serde_json::from_slice(&fs::read(run.join("run.json")).unwrap()).unwrap();
    let cells = header["cells"].as_array().unwrap();
    assert!(!cells.is_empty() && cells.iter().all(|cell| cell["scenario"] != "isolation"), "{cells:?}");
}
