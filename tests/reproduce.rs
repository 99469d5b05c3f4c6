//! `isobar reproduce thesis`: the smallest parts of it, measured, drawn, gone on with.

mod support;

use isobar::record::Run;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use support::isobar;

/// Item 1 in Wasmtime, as quickly as can be; what was said on standard output and standard error.
fn reproduce(into: &Path, options: &[&str]) -> (String, String) {
    let output = isobar().args(["reproduce", "thesis"]).args(options).arg("--into").arg(into).assert().success();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.get_output().stdout), text(&output.get_output().stderr))
}

fn read(path: PathBuf) -> String {
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

#[test]
fn an_item_is_measured_once_drawn_and_put_beside_what_was_published() {
    let folder = tempfile::tempdir().unwrap();
    let into = folder.path().join("thesis");
    let (said, told) = reproduce(&into, &["--quick", "--only", "1", "--seed", "1"]);
    assert!(told.contains("1-small-memory: ") && said.contains("THESIS.md"), "{told}{said}");
    assert!(said.contains("1. What is the start-up time of a simple WebAssembly module?: "), "{said}");
    let run = Run::read(&into.join("1-small-memory")).unwrap();
    let cores = std::thread::available_parallelism().unwrap().get();
    assert_eq!(run.header.cells.len(), 2 * cores, "two strategies on 1 to {cores} threads");
    assert!(run.records.iter().all(|record| record.result.is_ok()), "{:?}", run.records);
    let page = read(into.join("THESIS.md"));
    for part in
        ["### 1. Instantiation of the module with a small memory", "5.00 µs to 40.0 µs", "charts/1-instantiation.svg"]
    {
        assert!(page.contains(part), "{part} is missing in {page}");
    }
    assert!(read(into.join("charts/1-instantiation.svg")).contains("in the background") || cores == 1);
    assert!(into.join("charts/1-instantiation.png").is_file() && into.join("1-small-memory/report.md").is_file());
    // Nothing is measured again, and the same records give the same page.
    let (_, told) = reproduce(&into, &["--quick", "--only", "1"]);
    assert!(told.contains(" 0 of them now"), "{told}");
    assert_eq!(page, read(into.join("THESIS.md")));
    reproduce(&into, &["--records-only", "--only", "1"]);
    assert_eq!(page, read(into.join("THESIS.md")));
    // Without --quick it is another run.
    let refused = isobar().args(["reproduce", "thesis", "--only", "1", "--into"]).arg(&into).assert().code(2);
    let refused = String::from_utf8_lossy(&refused.get_output().stderr).into_owned();
    assert!(refused.contains("with --quick: call it so again"), "{refused}");
}

#[test]
fn a_part_that_was_cut_off_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let into = folder.path().join("thesis");
    reproduce(&into, &["--quick", "--only", "4", "--seed", "2"]);
    let records = into.join("4-from-file/records.jsonl");
    let all = read(records.clone());
    let kept: Vec<&str> = all.lines().take(5).collect();
    std::fs::write(&records, kept.join("\n") + "\n").unwrap();
    let (_, told) = reproduce(&into, &["--quick", "--only", "4"]);
    let measured = all.lines().count();
    assert!(told.contains(&format!("{measured} measurements, {} of them now", measured - 5)), "{told}");
    assert!(read(records).starts_with(&kept.join("\n")));
    // Item 5 is made of the same records.
    let page = read(into.join("THESIS.md"));
    assert!(page.contains("### 5. Regression") && page.contains("charts/5-regression.svg"), "{page}");
}

#[test]
fn an_item_that_there_is_not_is_refused() {
    for only in ["0", "11", "x"] {
        isobar().args(["reproduce", "thesis", "--only", only]).assert().code(2);
    }
    isobar().args(["reproduce", "article"]).assert().code(2);
}

/// The processes whose command line names a folder.
fn processes_of(folder: &Path) -> Vec<String> {
    let name = folder.to_string_lossy().into_owned();
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines.filter(|line| line.contains(&name)).collect()
}

#[cfg(feature = "serve")]
#[test]
fn ctrl_c_leaves_no_server_behind_and_the_next_call_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let into = folder.path().join("thesis");
    let arguments = ["reproduce", "thesis", "--quick", "--only", "10", "--seed", "3", "--into"];
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("isobar"));
    command.args(arguments).arg(&into).current_dir(env!("CARGO_MANIFEST_DIR")).env_remove("ISOBAR_RUNNERS");
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let records = into.join("10-framework/records.jsonl");
    let until = Instant::now() + Duration::from_secs(200);
    while std::fs::read_to_string(&records).is_ok_and(|text| text.is_empty()) || !records.exists() {
        assert!(Instant::now() < until && child.try_wait().unwrap().is_none(), "it does not measure");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(!processes_of(folder.path()).is_empty());
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(processes_of(folder.path()), Vec::<String>::new());
    let before = read(records.clone()).lines().count();
    let (_, told) = reproduce(&into, &["--quick", "--only", "10"]);
    let run = Run::read(&into.join("10-framework")).unwrap();
    assert!(before < run.records.len() && run.records.len() == 2 * run.header.cells.len(), "{told}");
    assert!(run.records.iter().all(|record| record.result.is_ok()), "{told}");
    let page = read(into.join("THESIS.md"));
    assert!(page.contains("9.90 ms ± 1.49 ms") && page.contains("charts/10-framework.svg"), "{page}");
}
