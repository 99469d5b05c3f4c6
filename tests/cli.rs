//! The program as its users meet it: what bad input gets, what a run leaves behind.

use assert_cmd::Command;
use isobar::record::{Record, Run};
use isobar::stats::Histogram;
use isobar_core::measure::Unit;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

fn isobar() -> Command {
    let mut command = Command::cargo_bin("isobar").expect("the program is built");
    command.current_dir(env!("CARGO_MANIFEST_DIR")).env_remove("ISOBAR_RUNNERS").timeout(Duration::from_secs(240));
    command
}

/// Standard error of a call that must fail, which must be one line.
fn complaint(args: &[&str]) -> String {
    let output = isobar().args(args).assert().failure().get_output().clone();
    let text = String::from_utf8(output.stderr).expect("messages are UTF-8");
    assert_eq!(text.trim_end().lines().count(), 1, "{text}");
    text
}

/// The one run below a folder.
fn run_in(results: &Path) -> PathBuf {
    let runs: Vec<_> = std::fs::read_dir(results).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(runs.len(), 1, "{runs:?}");
    runs[0].clone()
}

#[test]
fn unknown_names_get_the_nearest_ones() {
    assert!(complaint(&["invoke", "wasmi/lasy", "hello"]).contains("did you mean wasmi/lazy"));
    assert!(complaint(&["invoke", "wasmi/lazy", "helo"]).contains("did you mean rust/hello"));
    assert!(complaint(&["run", "--filter", "fibonaci"]).contains("did you mean fibonacci"));
    assert!(complaint(&["invoke", "wasmi/lazy", "missing.wasm"]).contains("missing.wasm: there is no such file"));
    assert!(complaint(&["invoke", "wasmi/lazy", "hello", "--env", "X"]).contains("--env KEY=VALUE"));
    assert!(complaint(&["resume", "missing"]).contains("cannot read missing/run.json (is it the folder of a run?)"));
    assert!(
        complaint(&["run", "--processes", "9", "--max-processes", "3"])
            .contains("is less than --processes 9: raise it")
    );
    assert!(complaint(&["report", "missing"]).contains("cannot read missing/run.json (is it the folder of a run?)"));
}

#[test]
fn invoke_passes_output_and_exit_code_on() {
    let run = |args: &[&str]| isobar().arg("invoke").arg("wasmi/eager").args(args).assert();
    run(&["hello", "--env", "NAME=Jo"]).success().stdout("Hello, Jo!\n").stderr("");
    run(&["rust/fibonacci", "--env", "N=10"]).success().stdout("55\n");
    run(&["fibonacci", "--env", "N=x"]).code(2).stdout("");
    let folder = tempfile::tempdir().unwrap();
    let seven = folder.path().join("seven.wat");
    let text = r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1) (func (export "_start") (call $exit (i32.const 7))))"#;
    std::fs::write(&seven, text).unwrap();
    run(&[seven.to_str().unwrap()]).code(7).stdout("");
}

#[test]
fn a_function_that_fails_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.wat");
    for (text, said) in [
        ("(module (func (export \"_start\") unreachable))", "unreachable"),
        ("(module (func (export \"_start\") (loop (br 0))))", "did not end within 0.300 s"),
        ("(module", "malformed WebAssembly text"),
        ("(module)", "_start"),
    ] {
        std::fs::write(&file, text).unwrap();
        let text = complaint(&["invoke", "wasmi/eager", file.to_str().unwrap(), "--timeout-ms", "300"]);
        assert!(text.contains(said), "{text}");
    }
}

#[test]
fn list_and_doctor_show_what_is_there() {
    let output = isobar().args(["list", "--names"]).assert().success().get_output().stdout.clone();
    let names = String::from_utf8(output).unwrap();
    for name in ["wasmtime/cranelift-aot+pooling", "wasm3/lazy", "wasmi/eager+shared-wasi", "rust/sudoku", "wat/empty"]
    {
        assert!(names.lines().any(|line| line == name), "{name} is not in {names}");
    }
    let output = isobar().arg("doctor").assert().success().get_output().stdout.clone();
    let text = String::from_utf8(output).unwrap();
    assert!(text.contains("present  wasmi"), "{text}");
}

#[test]
fn a_missing_runner_is_named_with_its_remedy_and_the_rest_works() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = "family = \"mine\"\nprogram = \"./mine\"\nremedy = \"install Mine\"\n";
    std::fs::write(folder.path().join("mine.toml"), manifest).unwrap();
    let output = isobar().arg("--runners").arg(folder.path()).arg("doctor").assert().success().get_output().clone();
    let text = String::from_utf8(output.stdout).unwrap();
    let line = text.lines().find(|line| line.starts_with("absent: mine:")).expect("the absent family is named");
    assert!(line.contains("was not found") && line.ends_with("install Mine"), "{line}");

    let args = ["--runners", folder.path().to_str().unwrap(), "invoke", "mine/fast", "hello"];
    let text = complaint(&args);
    assert!(text.contains("the runtime mine/fast is not here") && text.contains("not found; install Mine"), "{text}");

    std::fs::write(folder.path().join("mine.toml"), "family = \"mine\"\nprogam = \"./mine\"\n").unwrap();
    let folder = folder.path().to_str().unwrap();
    let text = complaint(&["--runners", folder, "list"]);
    assert!(text.contains("mine.toml: line 2: unknown field `progam`"), "{text}");
}

#[test]
fn a_broken_manifest_names_file_line_and_fault() {
    let root = tempfile::tempdir().unwrap();
    let function = root.path().join("workloads/rust/broken");
    std::fs::create_dir_all(&function).unwrap();
    std::fs::write(root.path().join("workloads/SHA256SUMS"), "").unwrap();
    std::fs::write(function.join("workload.toml"), "description = \"x\"\nquik = true\n").unwrap();
    let text = complaint(&["--root", root.path().to_str().unwrap(), "run"]);
    assert!(text.contains("workload.toml:2:") && text.contains("did you mean `quick`"), "{text}");
}

#[test]
fn a_run_leaves_records_and_charts_and_the_report_is_made_of_them_alone() {
    let results = tempfile::tempdir().unwrap();
    let filters = ["--filter", "wasmi/eager", "--filter", "wat/empty", "--quick", "--seed", "7"];
    let output = isobar().arg("run").args(filters).arg("--results").arg(results.path()).assert().success();
    let run = run_in(results.path());
    let printed = String::from_utf8(output.get_output().stdout.clone()).unwrap();
    for file in ["report.html", "charts/cold.svg", "charts/warm.png", "charts/throughput.svg"] {
        assert!(printed.contains(run.join(file).to_str().unwrap()), "{file} is not named in {printed}");
    }
    let records = std::fs::read_to_string(run.join("records.jsonl")).unwrap();
    let cores = std::thread::available_parallelism().unwrap().get();
    assert_eq!(
        records.lines().count(),
        5 * (4 + cores),
        "five processes of cold, process-cold, warm, each number of threads, density"
    );
    assert!(!records.contains("\"Err\""), "{records}");
    histograms_say_what_the_samples_say(&run);

    let files = ["report.html", "report.md", "charts/cold.svg", "charts/cold.png", "charts/warm.svg"];
    let before: Vec<_> = files.iter().map(|file| std::fs::read(run.join(file)).unwrap()).collect();
    std::fs::remove_dir_all(run.join("charts")).unwrap();
    isobar().arg("report").arg(&run).assert().success();
    let after: Vec<_> = files.iter().map(|file| std::fs::read(run.join(file)).unwrap()).collect();
    assert!(before == after, "the same records give the same bytes");
}

/// The largest sample of every time, to three digits; nothing for what is no time.
fn histograms_say_what_the_samples_say(run: &Path) {
    for Record { cell, histogram, result, .. } in Run::read(run).unwrap().records {
        let largest = cell.scenario.values(&result.unwrap().samples).into_iter().fold(0.0, f64::max);
        match histogram {
            Some(text) => {
                let counted = Histogram::decode(&text).unwrap().percentile(100.0) as f64;
                assert!((counted / largest - 1.0).abs() < 0.001, "{cell}: {counted} and {largest}");
            }
            None => assert_ne!(cell.scenario.scenario().unit(), Unit::Nanoseconds, "{cell}"),
        }
    }
}

#[test]
fn a_results_folder_that_cannot_be_written_is_said_before_anything_is_measured() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let start = Instant::now();
    let text = complaint(&["run", "--results", file.to_str().unwrap()]);
    assert!(text.contains("cannot make the folder") && text.contains("--results"), "{text}");
    assert!(start.elapsed() < Duration::from_secs(60), "nothing was measured");
}

#[test]
fn interrupting_a_run_keeps_what_was_measured() {
    use std::process::{Command, Stdio};
    let results = tempfile::tempdir().unwrap();
    let mut child = Command::new(assert_cmd::cargo::cargo_bin("isobar"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["run", "--filter", "wasmi/*", "--filter", "wat/empty", "--results"])
        .arg(results.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let until = Instant::now() + Duration::from_secs(120);
    let measured = || {
        let run = std::fs::read_dir(results.path()).ok()?.next()?.ok()?.path();
        let records = std::fs::read_to_string(run.join("records.jsonl")).ok()?;
        (records.lines().count() >= 2).then_some(run)
    };
    let run = loop {
        assert!(Instant::now() < until, "no record was written");
        match measured() {
            Some(run) => break run,
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    };
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    // What is there can still be reported.
    isobar().arg("report").arg(&run).assert().success();
}

#[test]
fn a_filter_chooses_a_function_in_every_language() {
    let functions = |options: &[&str]| {
        let results = tempfile::tempdir().unwrap();
        let tiny = ["--filter", "wasmtime/winch-aot", "--filter", "deploy", "--max-processes=1", "--processes=1"];
        let mut run = isobar();
        run.arg("run")
            .args(tiny)
            .args(["--cell-time=1ms", "--quick"])
            .args(options)
            .arg("--results")
            .arg(results.path());
        run.assert().success();
        let cells = Run::read(&run_in(results.path())).unwrap().header.cells;
        cells.into_iter().map(|cell| cell.function).collect::<Vec<_>>()
    };
    assert_eq!(functions(&[]), ["rust/fibonacci", "rust/hello", "wat/empty"]);
    let hello = functions(&["--filter", "hello"]);
    assert!(["c/hello", "go/hello", "lua/hello", "zig/hello"].iter().all(|name| hello.iter().any(|h| h == name)));
    assert!(hello.iter().all(|name| name.ends_with("/hello")), "{hello:?}");
    assert_eq!(functions(&["--filter", "c/fibonacci+mvp"]), ["c/fibonacci+mvp"]);
}

#[test]
fn all_functions_are_planned_when_they_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let into = folder.path().join("run");
    // One of many parts of the plan: few cells are measured, all are in the header.
    let options = ["--all-functions", "--filter", "wasmi/lazy", "--filter", "cold", "--shard", "1/5", "--seed", "1"];
    let tiny = ["--quick", "--processes=1", "--max-processes=1", "--cell-time=1ms"];
    isobar().arg("run").args(options).args(tiny).arg("--into").arg(&into).assert().success();
    let header = Run::read(&into).unwrap().header;
    let mut planned: Vec<&str> = header.cells.iter().chain(&header.elsewhere).map(|c| c.function.as_str()).collect();
    planned.sort_unstable();
    let catalogue =
        isobar::workload::Catalogue::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("workloads")).unwrap();
    let plain = catalogue.workloads().iter().filter(|w| w.variant.is_none() && !w.is_hostile());
    let mut names: Vec<&str> = plain.map(|w| w.name.as_str()).collect();
    names.sort_unstable();
    assert!(!header.cells.is_empty() && planned == names, "{planned:?}");
    let languages: std::collections::BTreeSet<&str> = names.iter().filter_map(|n| n.split('/').next()).collect();
    assert!(languages.len() >= 9, "{languages:?}");
}
