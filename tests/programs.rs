//! JavaScript engines and the command line of Wasmtime, as users meet them: a function in each that is here.

use assert_cmd::Command;

/// What is run; which of them are here, `isobar list` says.
const PROGRAMS: [&str; 7] = [
    "node/process-js",
    "node/process-wasi",
    "deno/process-js",
    "bun/process-js",
    "wasmtime-cli/run",
    "wasmtime-cli/run-winch",
    "wasmtime-cli/run-aot",
];

fn isobar(args: &[&str]) -> assert_cmd::assert::Assert {
    let mut command = Command::cargo_bin("isobar").unwrap();
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(args).assert()
}

/// The programs that are here; of the others, a line.
fn present() -> Vec<&'static str> {
    let listed = isobar(&["list", "--names"]).success().get_output().stdout.clone();
    let listed = String::from_utf8(listed).unwrap();
    let (here, absent): (Vec<_>, Vec<_>) = PROGRAMS.iter().partition(|id| listed.lines().any(|line| line == **id));
    if !absent.is_empty() {
        eprintln!("skipped: {}: not here, `isobar doctor` says why", absent.join(", "));
    }
    here
}

#[test]
fn a_function_answers_in_each_program() {
    for id in present() {
        isobar(&["invoke", id, "rust/hello", "--env", "NAME=Wörld"]).success().stdout("Hello, Wörld!\n");
        let failed = isobar(&["invoke", id, "rust/blake3", "--env", "ITERATIONS=x"]).code(2);
        assert!(failed.get_output().stdout.is_empty(), "{id}");
    }
}

#[test]
fn a_process_cold_start_is_a_record_with_a_checked_answer() {
    let here = present();
    let Some(id) = here.first() else { return };
    let results = tempfile::tempdir().unwrap();
    let filters = ["run", "--quick", "--filter", id, "--filter", "rust/hello", "--filter", "process-cold", "--results"];
    isobar(&[&filters[..], &[results.path().to_str().unwrap()]].concat()).success();
    let run = std::fs::read_dir(results.path()).unwrap().next().unwrap().unwrap().path();
    let records = std::fs::read_to_string(run.join("records.jsonl")).unwrap();
    assert!(records.contains("\"elapsed_ns\":[") && !records.contains("\"failure\""), "{records}");
}

/// Node that exits while V8 compiles a function once more in the background crashes one time in four.
#[test]
fn a_function_that_exits_while_it_is_compiled_is_no_crash() {
    if !present().contains(&"node/process-wasi") {
        return;
    }
    for _ in 0..30 {
        isobar(&["invoke", "node/process-wasi", "zig/fibonacci", "--env", "N=27"]).success().stdout("196418\n");
    }
}
