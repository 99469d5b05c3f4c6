//! Comparing runs through the program: what it prints, and its exit codes.

use assert_cmd::Command;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;

fn isobar(args: &[&str]) -> assert_cmd::assert::Assert {
    let mut command = Command::cargo_bin("isobar").expect("the program is built");
    command.current_dir(env!("CARGO_MANIFEST_DIR")).env_remove("ISOBAR_RUNNERS").timeout(Duration::from_secs(240));
    command.args(args).assert()
}

fn stdout(assert: assert_cmd::assert::Assert) -> String {
    String::from_utf8(assert.get_output().stdout.clone()).expect("answers are UTF-8")
}

/// Standard error of a call that must end with code 2, which must be one line.
fn complaint(args: &[&str]) -> String {
    let output = isobar(args).code(2).get_output().clone();
    let text = String::from_utf8(output.stderr).expect("messages are UTF-8");
    assert!(text.trim_end().lines().count() == 1 && output.stdout.is_empty(), "{text}");
    text
}

/// A run of three runtimes and one function, as isobar stores it, with warm times of about `times_ns`.
fn write_run(folder: &Path, times_ns: [u64; 3], seed: u64) -> PathBuf {
    let run = folder.join(format!("run-{seed}"));
    std::fs::create_dir(&run).unwrap();
    let ids = ["wasm3/lazy", "wasmi/eager", "wasmi/lazy"];
    let header = json!({
        "schema": isobar::record::SCHEMA, "isobar": "0.1.0", "started_at_s": 1_795_196_789, "quick": false, "seed": seed,
        "schedule": {"min_processes": 5, "max_processes": 5, "precision": 0.02}, "plan_sha256": "", "pinned": false,
        "machines": [isobar::record::Machine::this()], "warnings": [], "absent": [], "functions": [], "skipped": [],
        "runtimes": ids.map(|id| json!({
            "id": id, "version": "1.0.0", "wasi": "own", "execution": "interpreter", "concurrent": true, "proposals": [],
            "enforcement": {"wall_time": "process", "memory": "engine", "stack": "engine"},
        })),
        "cells": ids.map(|id| json!({"runtime": id, "function": "rust/hello", "scenario": "warm"})),
    });
    std::fs::write(run.join("run.json"), serde_json::to_vec_pretty(&header).unwrap()).unwrap();
    let mut noise = seed;
    let mut next = |ns: u64| {
        noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ns + ns * (noise >> 58) / 2000
    };
    let mut records = String::new();
    for round in 0..5 {
        for (id, ns) in ids.iter().zip(times_ns) {
            let samples: Vec<u64> = (0..40).map(|_| next(ns)).collect();
            let record = json!({
                "runtime": id, "function": "rust/hello", "scenario": "warm", "round": round,
                "result": {"Ok": {
                    "samples": {"instantiate_ns": vec![0; 40], "execute_ns": samples, "teardown_ns": vec![0; 40]},
                    "warm_up": {"samples": 0, "elapsed_ns": 0, "end": "none"}, "stop": "precision",
                }},
            });
            records.push_str(&format!("{record}\n"));
        }
    }
    std::fs::write(run.join("records.jsonl"), records).unwrap();
    run
}

fn text(path: &Path) -> &str {
    path.to_str().expect("temporary paths are UTF-8")
}

#[test]
fn cmp_says_which_runtime_is_how_many_times_worse() {
    let folder = tempfile::tempdir().unwrap();
    let run = write_run(folder.path(), [20_000, 10_000, 10_000], 1);
    let table = stdout(isobar(&["cmp", text(&run), "--baseline", "wasmi/eager"]).success());
    assert!(table.contains("slower") && table.contains("no significant difference"), "{table}");
    let answer: Value =
        serde_json::from_str(&stdout(isobar(&["cmp", text(&run), "--format", "json"]).success())).unwrap();
    let of = |name: &str| answer["rows"].as_array().unwrap().iter().find(|row| row["runtime"] == name).unwrap().clone();
    let slow = of("wasm3/lazy");
    assert!(slow["verdict"] == "slower" && (slow["ratio"].as_f64().unwrap() - 2.0).abs() < 0.05, "{slow}");
    let csv = isobar(&["cmp", text(&run), "--format", "csv", "--filter", "wasmi/*"]).success();
    assert!(String::from_utf8_lossy(&csv.get_output().stderr).contains("times worse"));
    let csv = stdout(csv);
    assert!(csv.starts_with("run,machine,function,scenario,runtime,baseline,unit,median,ratio,"), "{csv}");
    assert_eq!(csv.lines().count(), 3, "a header and two runtimes: {csv}");
    assert!(complaint(&["cmp", text(&run), "--baseline", "wasmi/eagr"]).contains("did you mean wasmi/eager"));
    assert!(complaint(&["cmp", text(&run), "--filter", "helo"]).contains("did you mean rust/hello"));
}

#[test]
fn rank_puts_equal_runtimes_on_the_same_place() {
    let folder = tempfile::tempdir().unwrap();
    let run = write_run(folder.path(), [20_000, 10_000, 10_000], 1);
    let answer = stdout(isobar(&["rank", text(&run), "--format", "json", "--intersection"]).success());
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let ranks: Vec<_> = answer["rows"].as_array().unwrap().iter().map(|r| (&r["rank"], &r["rank_worst"])).collect();
    assert_eq!(ranks, [(&json!(1), &json!(2)), (&json!(1), &json!(2)), (&json!(3), &json!(3))]);
    let markdown = stdout(isobar(&["rank", text(&run), "--format", "markdown"]).success());
    assert!(markdown.contains("| 1-2 | ") && markdown.contains("| 3 | wasm3/lazy | 2.0"), "{markdown}");
}

#[test]
fn the_exit_code_of_diff_is_for_ci() {
    let folder = tempfile::tempdir().unwrap();
    let old = write_run(folder.path(), [20_000, 10_000, 10_000], 1);
    let same = write_run(folder.path(), [20_000, 10_000, 10_000], 2);
    let slower = write_run(folder.path(), [20_000, 10_800, 10_000], 3);
    let diff = |new: &Path, more: &[&str]| isobar(&[&["diff", text(&old), text(new)], more].concat());
    diff(&same, &["--fail-above", "1%"]).code(0);
    let told = stdout(diff(&slower, &["--fail-above", "5%"]).code(1));
    assert!(told.contains("Worse: 1 cell") && told.contains("--fail-above 5%: 1 cell"), "{told}");
    diff(&slower, &["--fail-above", "10%"]).code(0);
    diff(&slower, &[]).code(0);
    diff(&slower, &["--fail-above", "5%", "--filter", "wasm3/*"]).code(0);
    diff(&slower, &["--fail-above", "5"]).code(2);
    isobar(&["diff", text(&old)]).code(2);
    assert!(complaint(&["diff", text(&old), "missing"]).contains("missing/run.json"));
}

#[test]
fn a_run_of_another_machine_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let old = write_run(folder.path(), [20_000, 10_000, 10_000], 1);
    let new = write_run(folder.path(), [20_000, 10_000, 10_000], 2);
    let header = new.join("run.json");
    let mut changed: Value = serde_json::from_str(&std::fs::read_to_string(&header).unwrap()).unwrap();
    changed["machines"][0]["cpu"] = json!("Another CPU");
    std::fs::write(&header, serde_json::to_vec_pretty(&changed).unwrap()).unwrap();
    let refused = complaint(&["diff", text(&old), text(&new)]);
    assert!(refused.contains("different machines") && refused.contains("Another CPU"), "{refused}");
    let forced = stdout(isobar(&["diff", text(&old), text(&new), "--force"]).code(0));
    assert!(forced.contains("different machines"), "{forced}");
}

#[test]
fn chart_draws_cells_over_runs_and_their_samples() {
    let folder = tempfile::tempdir().unwrap();
    let [old, new] = [(100_000, 1), (120_000, 2)].map(|(ns, seed)| write_run(folder.path(), [ns, ns, ns], seed));
    let into = folder.path().join("pictures");
    let draw = |args: &[&str]| {
        let args = [&["chart"], args, &["--into", text(&into)]].concat();
        let named = stdout(isobar(&args).code(0));
        let files: Vec<PathBuf> = named.lines().map(|line| line.split_whitespace().nth(1).unwrap().into()).collect();
        assert_eq!(files.len(), 3, "{named}");
        let svg = std::fs::read_to_string(&files[0]).unwrap();
        let pngs = [&files[1], &files[2]].map(|file| std::fs::read(file).unwrap());
        assert!(pngs.iter().all(|png| png.starts_with(b"\x89PNG")) && pngs[0] != pngs[1], "{named}");
        svg
    };
    let svg = draw(&["history", text(&new), text(&old)]);
    for word in ["wasmi/lazy rust/hello warm", "run-1", "run-2", "µs", "2 runs"] {
        assert!(svg.contains(word), "{word}");
    }
    // 100 µs and then 120 µs: 1.2 times, beyond doubt.
    assert!(svg.contains("1.20") || svg.contains("1.19"), "{svg}");
    assert_eq!(svg, draw(&["history", text(&old), text(&new)]), "in the order of their starts");
    let svg = draw(&["distribution", text(&old), "--filter", "wasmi/*"]);
    assert!(
        svg.contains("wasmi/eager: mean 10") && svg.contains("200 samples in 5 processes") && !svg.contains("wasm3")
    );
    let svg = draw(&["regression", text(&old), "--filter", "wasm3/lazy"]);
    assert!(svg.contains("per invocation, 95 % interval"), "{svg}");
    let pictures = text(&into);
    assert!(complaint(&["chart", "regression", text(&old), text(&new), "--into", pictures]).contains("give one run"));
    assert!(complaint(&["chart", "history", text(&old), "--filter", "wasmi/eagr"]).contains("did you mean"));
}

/// Whether the machine is quiet is not for this test to say: it must come to a verdict, and its exit code must fit.
#[test]
fn selftest_comes_to_a_verdict() {
    let assert = isobar(&["selftest", "--quick", "--runtime", "wasmi/eager", "--function", "wat/empty"]);
    let code = assert.get_output().status.code();
    let text = stdout(assert);
    for line in ["clock", "jitter", "harness", "noise", "cell", "drift", "A/A", "verdict"] {
        assert!(text.lines().any(|told| told.starts_with(line)), "{line} is missing in {text}");
    }
    let trusted = text.contains("this machine can be trusted");
    assert_eq!((code, text.contains("not to be trusted")), (Some(i32::from(!trusted)), !trusted), "{text}");
    assert!(complaint(&["selftest", "--runtime", "wasmi/eagr"]).contains("did you mean wasmi/eager"));
    assert!(complaint(&["selftest", "--runtime", "wasmi/eager", "--function", "helo"]).contains("did you mean"));
}
