//! Snapshots by Wizer: that they answer as their functions do, and that the two can be compared.

use assert_cmd::Command;
use isobar::registry::in_process;
use isobar::workload::{Catalogue, Workload};
use isobar_core::{Invocation, Module, Outcome};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

const RUNTIME: &str = "wasmtime/cranelift";
const SNAPSHOT: &str = "wizer";

fn run(module: &dyn Module, invocation: &Invocation) -> Result<Outcome, String> {
    let run = || module.instantiate(invocation)?.execute();
    run().map_err(|failure| failure.to_string())
}

/// What a function gets in its smallest size and in all cases of its family, with the names of these.
fn invocations(workload: &Workload) -> Vec<(String, Invocation)> {
    let size = ["small", "default"].into_iter().find_map(|size| Some((size.to_owned(), workload.size(size)?.0)));
    let cases = workload.cases().filter(|(_, _, skipped)| skipped.is_none());
    size.into_iter().chain(cases.map(|(case, invocation, _)| (case.name.clone(), invocation))).collect()
}

/// Not only what is expected: everything that can be seen, the words on standard error too. Those that are not built are
/// not tested; two of them are in the repository.
#[test]
fn a_snapshot_does_what_its_function_does() {
    let catalogue = Catalogue::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("workloads")).unwrap();
    let Some(runtime) = in_process().into_iter().find(|runtime| runtime.info().id.as_str() == RUNTIME) else {
        eprintln!("skipped: {RUNTIME} is not linked into isobar: build with the feature wasmtime");
        return;
    };
    let engine = runtime.engine().unwrap();
    let mut compared = Vec::new();
    for snapshot in catalogue.workloads().iter().filter(|workload| workload.variant.as_deref() == Some(SNAPSHOT)) {
        let name = snapshot.name.split('+').next().unwrap();
        let Ok(plain) = catalogue.find(name) else { continue };
        let modules = [plain, snapshot].map(|workload| engine.load(&workload.module_path).unwrap());
        for (case, invocation) in invocations(plain) {
            let [plain, snapshot] = modules.each_ref().map(|module| run(&**module, &invocation));
            assert!(plain.is_ok(), "{name}, {case}: {plain:?}");
            assert_eq!(plain, snapshot, "{name}, {case}");
        }
        compared.push(name);
    }
    assert!(["javascript/hello", "lua/hello"].iter().all(|name| compared.contains(name)), "{compared:?}");
}

fn isobar(args: &[&str]) -> Vec<u8> {
    let mut command = Command::cargo_bin("isobar").expect("the program is built");
    command.current_dir(env!("CARGO_MANIFEST_DIR")).env_remove("ISOBAR_RUNNERS").timeout(Duration::from_secs(240));
    command.args(args).assert().success().get_output().stdout.clone()
}

#[test]
fn a_run_of_a_function_and_its_snapshot_is_compared_by_variant() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let run = run.to_str().expect("temporary paths are UTF-8");
    let few = ["--quick", "--processes", "2", "--max-processes", "2", "--cell-time=1ms", "--into", run];
    let what = ["wasmi/eager", "lua/hello", "lua/hello+wizer", "cold"].map(|filter| format!("--filter={filter}"));
    let what: Vec<&str> = what.iter().map(String::as_str).collect();
    isobar(&[&["run"][..], &few[..], &what[..]].concat());
    let answer = isobar(&["cmp", run, "--by", "variant", "--format", "json"]);
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    let rows = answer["rows"].as_array().unwrap();
    let parts: Vec<&str> = rows.iter().map(|row| row["part"].as_str().unwrap()).collect();
    assert_eq!(parts, ["all", "engine", "load", "instantiate", "execute"]);
    for row in rows {
        let named = |key: &str, value: &str| row[key].as_str() == Some(value);
        assert!(
            named("function", "lua/hello") && named("variant", SNAPSHOT) && named("runtime", "wasmi/eager"),
            "{row}"
        );
        assert!(row["ratio"].as_f64().is_some_and(|ratio| ratio > 0.0) && row["failure"].is_null(), "{row}");
        assert!(row["varied_bytes"].as_u64() > row["plain_bytes"].as_u64(), "{row}");
    }
    let table = String::from_utf8(isobar(&["cmp", run, "--by", "variant"])).unwrap();
    assert!(table.contains("as expected in all 2 cells"), "{table}");
    let mut wrong = Command::cargo_bin("isobar").expect("the program is built");
    let wrong = wrong.args(["cmp", run, "--by", "variant", "--baseline", "wasmi/eager"]).assert().code(2);
    assert!(String::from_utf8_lossy(&wrong.get_output().stderr).contains("--by runtime"));
}
