//! `isobar run` with the scenarios of servers: isobar's own platform, and servers that a runner starts.

mod support {
    pub mod servers;
}

use assert_cmd::Command;
use isobar::record::{Record, RunFolder};
use rustix::process::{Pid, Signal, kill_process};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use support::servers;

/// Longer than anything takes, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(240);

fn isobar(args: &[&str]) -> Command {
    let mut command = Command::cargo_bin("isobar").unwrap();
    command.current_dir(env!("CARGO_MANIFEST_DIR")).env_remove("ISOBAR_RUNNERS").args(args).timeout(PATIENCE);
    command
}

/// Measures once what the filters choose of servers. Returns the run's folder.
fn run(folder: &Path, args: &[&str]) -> PathBuf {
    let run = folder.join("run");
    let once = ["run", "--quick", "--seed", "1", "--processes", "1", "--max-processes", "1", "--into"];
    isobar(&[&once[..], &[run.to_str().unwrap()], args].concat()).assert().success();
    run
}

fn records(run: &Path) -> Vec<Record> {
    RunFolder::open(run).unwrap().run.records
}

fn find<'a>(records: &'a [Record], runtime: &str, scenario: &str) -> &'a Record {
    let found = records
        .iter()
        .find(|record| record.cell.runtime.as_str() == runtime && record.cell.scenario.to_string() == scenario);
    found.unwrap_or_else(|| panic!("{runtime} {scenario} is not there: {records:?}"))
}

/// The processes whose command line names this path.
fn processes_with(path: &Path) -> Vec<i32> {
    let path = path.to_str().unwrap();
    let numbers = std::fs::read_dir("/proc").unwrap().flatten();
    let numbers = numbers.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let named = |number: &i32| {
        let line = std::fs::read(format!("/proc/{number}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).into_owned();
        line.contains("isobar-platform") && line.contains(path)
    };
    numbers.filter(named).collect()
}

/// Waits until something is so.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn the_platform_is_started_loaded_and_ended_for_each_strategy() {
    let folder = tempfile::tempdir().unwrap();
    let run = run(folder.path(), &["--filter", "wasmi/eager", "--filter", "http-*", "--filter", "rust/hello"]);
    let of_run = records(&run);
    assert_eq!(of_run.len(), 12, "three strategies, four cells of each: {of_run:?}");
    for strategy in ["naive", "cached", "pooled"] {
        let runtime = format!("wasmi/eager+{strategy}");
        let start = find(&of_run, &runtime, "http-start");
        let samples = &start.result.as_ref().unwrap().samples;
        assert!(!samples.column("listen_ns").is_empty() && samples.column("first_request_ns").iter().all(|ns| *ns > 0));
        for connections in [1, 64] {
            let closed = find(&of_run, &runtime, &format!("http-closed/{connections}"));
            let (load, result) = (closed.load.as_ref().unwrap(), closed.result.as_ref());
            assert!(result.is_ok() && load.answered > 0 && load.faults.is_empty(), "{closed:?}");
            assert!(closed.histogram.is_some() && load.first_request_ns.is_some());
            // The platform says itself which strategy it has.
            let (cold, warm) = (load.starts.cold, load.starts.warm);
            // A worker that is not needed before has its first module late.
            let told = if strategy == "naive" { cold > 0 && warm == 0 } else { warm > cold };
            assert!(told, "{closed:?}");
        }
    }
    assert!(processes_with(&run).is_empty(), "no platform is left");
    let report = std::fs::read_to_string(run.join("report.md")).unwrap();
    for text in ["Until it listens", "| 64 |", "p99.9", "Highest rate over HTTP", "wasmi/eager+naive"] {
        assert!(report.contains(text), "{text}: {report}");
    }
    let chart = std::fs::read_to_string(run.join("charts/latency-over-load-by-strategy.svg")).unwrap();
    assert!(chart.contains("wasmi/eager rust/hello") && chart.contains("pooled"), "{chart}");
}

#[test]
fn a_run_goes_on_where_it_was_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let filters =
        ["--filter", "wasm3/lazy", "--filter", "http-start", "--filter", "http-closed/1", "--filter", "rust/hello"];
    let run = run(folder.path(), &filters);
    let file = run.join("records.jsonl");
    let text = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 6, "{text}");
    std::fs::write(&file, format!("{}\n", lines[..2].join("\n"))).unwrap();
    isobar(&["resume", run.to_str().unwrap()]).assert().success();
    let resumed = records(&run);
    assert!(resumed.len() == 6 && resumed.iter().all(|record| record.result.is_ok()), "{resumed:?}");
    isobar(&["report", run.to_str().unwrap()]).assert().success();
}

/// Starts a run that loads the platform for long, ends it by a signal, and waits until its platform is gone.
fn ended_by(signal: Signal) -> std::process::ExitStatus {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin("isobar"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["run", "--filter", "wasmi/eager", "--filter", "http-knee", "--filter", "rust/hello", "--into"])
        .arg(&run)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    until("the platform runs", || {
        assert_eq!(child.try_wait().unwrap(), None, "the run goes on");
        !processes_with(&run).is_empty()
    });
    kill_process(Pid::from_child(&child), signal).unwrap();
    let status = child.wait().unwrap();
    until("the platform has ended", || processes_with(&run).is_empty());
    status
}

#[test]
fn an_interrupted_run_leaves_no_platform() {
    assert_eq!(ended_by(Signal::INT).code(), Some(130));
}

#[test]
fn a_killed_run_leaves_no_platform() {
    assert_eq!(ended_by(Signal::KILL).code(), None);
}

#[test]
fn a_server_of_a_runner_takes_part_and_a_wrong_one_fails() {
    let folder = tempfile::tempdir().unwrap();
    if servers::python(folder.path()).is_none() {
        return;
    }
    let runners = folder.path().to_str().unwrap();
    // Who names servers gets their scenarios without asking for them.
    let run = run(folder.path(), &["--runners", runners, "--filter", "mine/*"]);
    let of_run = records(&run);
    assert_eq!(of_run.len(), 12, "{of_run:?}");
    for scenario in ["http-start", "http-closed/1", "http-closed/64"] {
        let record = find(&of_run, "mine/http", scenario);
        assert!(record.result.is_ok(), "{record:?}");
        let wrong = find(&of_run, "mine/wrong", scenario).result.as_ref().unwrap_err().to_string();
        assert!(wrong.starts_with("wrong answer: ") && wrong.contains("nobody"), "{wrong}");
        let broken = find(&of_run, "mine/broken", scenario).result.as_ref().unwrap_err().to_string();
        assert!(broken.contains("status 500"), "{broken}");
    }
    let knee = find(&of_run, "mine/http", "http-knee");
    // On a busy machine no rate may be held: then it says what was tried.
    match &knee.result {
        Ok(measurement) => assert!(measurement.samples.column("rate").len() > 1, "{knee:?}"),
        Err(error) => assert!(error.to_string().contains("no rate had a p99 below 25ms"), "{error}"),
    }
}

#[test]
fn servers_are_measured_when_they_are_asked_for() {
    let plan = |args: &[&str]| {
        let folder = tempfile::tempdir().unwrap();
        let tiny = ["--filter", "wasm3/lazy", "--filter", "wat/empty"];
        let run = run(folder.path(), &[args, &tiny].concat());
        RunFolder::open(&run).unwrap().run.header
    };
    let plain = plan(&[]);
    assert!(plain.cells.iter().all(|cell| !cell.scenario.name().starts_with("http")), "{:?}", plain.cells);
    assert!(plain.runtimes.len() == 1 && plain.skipped.iter().all(|skip| !skip.scenario.name().starts_with("http")));
    let alone = isobar(&["run", "--filter", "wasm3/lazy+cached"]).assert().code(2);
    let said = String::from_utf8_lossy(&alone.get_output().stderr).into_owned();
    assert!(said.contains("--measure http"), "{said}");
}
