//! What goes wrong while measuring: broken runners, a parent that is killed, a full disk, two runs in one folder. Nothing
//! that was measured may be lost, and what failed must be on record.

#[path = "support/script.rs"]
mod script;

use isobar::experiment::{CellStop, stops};
use isobar::record::{Record, Run};
use rustix::process::{Pid, Signal, kill_process};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The runtimes of a runner that are what can go wrong; the last one works.
const FAULTS: [&str; 8] = ["crashes", "hangs", "garbage", "wrong", "exits", "floods", "shouts", "works"];

/// What that runner does behind its head, by the name of the runtime in the request.
const FAULTY: &str = r#"
while read -r request; do
    case "$request" in
    *'"op":"describe"'*) describe ;;
    *faulty/crashes*) echo 'about to crash' >&2; kill -SEGV $$ ;;
    *faulty/hangs*) sleep 1000 ;;
    *faulty/garbage*) echo 'what?' ;;
    *faulty/wrong*'"op":"run"'* | *'"op":"run"'*faulty/wrong*)
        echo '{"reply":"executed","outcome":{"exit_code":0,"stdout":"d3Jvbmc=","stderr":""},"elapsed_ns":1}' ;;
    *faulty/wrong*) echo '{"reply":"failed","error":{"wrong-answer":"\"wrong\" instead of \"\""}}' ;;
    *faulty/exits*) exit 0 ;;
    *faulty/floods*) exec cat /dev/zero ;;
    *faulty/shouts*) cat /dev/zero >&2 ;;
    *'"op":"run"'*) echo '{"reply":"executed","outcome":{"exit_code":0,"stdout":"","stderr":""},"elapsed_ns":1}' ;;
    *) echo '{"reply":"measured","measurement":{"samples":{"instantiate_ns":[10,20],"execute_ns":[1,2],
        "teardown_ns":[5,5]},"warm_up":{"samples":1,"elapsed_ns":9,"end":"samples"},"stop":"samples"}}' | tr -d '\n'; echo ;;
    esac
done
"#;

/// A runner, behind its head, that reads the beginning of its request and no more.
const DEAF: &str = r#"
request=$(dd bs=17 count=1 2> /dev/null)
case "$request" in
*describe*) describe ;;
*measure*) sleep 1000 ;;
esac
"#;

/// Ends at once.
const EMPTY: &str = r#"(module (memory (export "memory") 1) (func (export "_start")))"#;

/// Never ends.
const FOREVER: &str = r#"(module (memory (export "memory") 1) (func (export "_start") (loop (br 0))))"#;

/// A place of one's own: functions, the faulty runner, and runner programs whose processes can be told from others'.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    /// With one function, `wat/function`, that may take so long.
    fn new(text: &str, wall_time_ms: u32) -> Place {
        let place = Place { folder: tempfile::tempdir().unwrap() };
        let function = place.path("root/workloads/wat/function");
        for folder in [&function, &place.path("runners"), &place.path("programs")] {
            fs::create_dir_all(folder).unwrap();
        }
        let wasm = wat::parse_str(text).unwrap();
        let sum = isobar_core::measure::sha256_hex(&wasm);
        fs::write(function.join("function.wasm"), wasm).unwrap();
        let manifest = format!(
            "description = \"x\"\nstands_for = \"x\"\nquick = true\n[limits]\nwall_time_ms = {wall_time_ms}\n[expected]\nstdout = \"\"\n"
        );
        fs::write(function.join("workload.toml"), manifest).unwrap();
        fs::write(place.path("root/workloads/SHA256SUMS"), format!("{sum}  wat/function/function.wasm\n")).unwrap();
        script::install(&place.path("runners"), "faulty", &(script::head("faulty", &FAULTS) + FAULTY));
        script::install(&place.path("runners"), "deaf", &(script::head("deaf", &["sh"]) + DEAF));
        for program in fs::read_dir(isobar_program().parent().unwrap()).unwrap() {
            let (program, name) = program.map(|p| (p.path(), p.file_name())).unwrap();
            let name = name.to_string_lossy();
            if name.starts_with("isobar-runner-") && !name.ends_with(".d") {
                symlink(&program, place.path("programs").join(&*name)).unwrap();
            }
        }
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run_folder(&self) -> PathBuf {
        self.path("run")
    }

    /// isobar with these arguments; a run goes into [`Place::run_folder`].
    fn isobar(&self, args: &[&str]) -> Command {
        let mut command = Command::new(isobar_program());
        command.args(["--root", self.path("root").to_str().unwrap(), "--runners"]).arg(self.path("runners"));
        command.env("ISOBAR_RUNNER_DIR", self.path("programs")).args(args).stdin(Stdio::null());
        match args[0] {
            "run" => command.args(["--quick", "--seed", "7", "--into"]).arg(self.run_folder()),
            _ => command.arg(self.run_folder()),
        };
        command
    }

    fn output(&self, args: &[&str]) -> Output {
        self.isobar(args).output().unwrap()
    }

    fn start(&self, args: &[&str]) -> Child {
        self.isobar(args).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// How many records are stored whole.
    fn stored(&self) -> usize {
        fs::read(self.run_folder().join("records.jsonl"))
            .map_or(0, |bytes| bytes.iter().filter(|byte| **byte == b'\n').count())
    }

    fn wait_for_records(&self, count: usize, child: &mut Child) {
        wait_until("no record was written", || self.stored() >= count || child.try_wait().unwrap().is_some());
    }

    /// The processes of the runner programs of this place.
    fn runners(&self) -> Vec<String> {
        let own = self.folder.path().to_str().unwrap().to_owned();
        let processes = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok());
        let command_lines = processes.filter_map(|process| fs::read(process.path().join("cmdline")).ok());
        let texts = command_lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
        texts.filter(|line| line.contains(&own) && line.contains("runner") && !line.contains("--root")).collect()
    }

    fn assert_no_orphans(&self) {
        wait_until("a runner outlived isobar", || self.runners().is_empty());
    }
}

fn isobar_program() -> PathBuf {
    assert_cmd::cargo::cargo_bin("isobar")
}

fn wait_until(otherwise: &str, mut condition: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(120);
    while !condition() {
        assert!(Instant::now() < until, "{otherwise}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn kill(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What became of each runtime: its failures' kinds, or "measured", process by process.
fn outcomes(run: &Run) -> BTreeMap<String, Vec<String>> {
    let mut outcomes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for Record { cell, result, .. } in &run.records {
        let outcome = result.as_ref().map_or_else(ToString::to_string, |_| "measured".to_owned());
        outcomes.entry(cell.runtime.to_string()).or_default().push(outcome);
    }
    outcomes
}

/// That a run has all that its schedule asks for, and nothing twice.
fn assert_complete(folder: &Path) -> Run {
    let run = Run::read(folder).unwrap();
    let unique: BTreeSet<_> = run.records.iter().map(|record| (&record.cell, record.round)).collect();
    assert_eq!(unique.len(), run.records.len(), "a measurement is there twice");
    let stops = stops(&run.header, &run.records);
    assert!(stops.len() == run.header.cells.len() && !stops.values().any(|s| *s == CellStop::CutOff), "{stops:?}");
    run
}

#[test]
fn what_a_runner_does_wrong_is_a_record_and_the_others_are_measured() {
    let place = Place::new(EMPTY, 300);
    let filters = ["crashes", "hangs", "garbage", "wrong", "exits", "works"].map(|name| format!("faulty/{name}"));
    let filters = filters.iter().map(String::as_str).chain(["wasmi/eager", "warm"]).flat_map(|f| ["--filter", f]);
    let args: Vec<&str> = ["run", "--processes", "3"].into_iter().chain(filters).collect();
    let output = place.output(&args);
    assert_eq!(output.status.code(), Some(0), "a failure is a result: {}", stderr(&output));
    let run = assert_complete(&place.run_folder());
    let outcomes = outcomes(&run);
    for (runtime, said) in [
        ("faulty/crashes", "runtime crashed: the runner was ended by SIGSEGV: about to crash"),
        ("faulty/hangs", "timeout: did not end within 0.300 s"),
        ("faulty/garbage", "the runner's reply makes no sense"),
        ("faulty/wrong", "wrong answer: \"wrong\" instead of \"\""),
        ("faulty/exits", "runtime crashed: the runner ended with code 0"),
    ] {
        let failures = &outcomes[runtime];
        assert!(failures.len() == 2 && failures.iter().all(|text| text.starts_with(said)), "{runtime}: {failures:?}");
    }
    for runtime in ["faulty/works", "wasmi/eager"] {
        assert!(outcomes[runtime].len() >= 3 && outcomes[runtime].iter().all(|o| o == "measured"), "{outcomes:?}");
    }
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(printed.contains("10 measurements failed") && place.run_folder().join("report.html").exists(), "{printed}");
    place.assert_no_orphans();

    let complete = place.output(&["resume", "--strict"]);
    assert!(stderr(&complete).contains("is complete: nothing is left to measure"), "{}", stderr(&complete));
    assert_eq!(complete.status.code(), Some(3), "asked for, failures are told by the exit code");
}

#[test]
fn endless_output_is_cut_off_and_a_wrong_answer_is_seen_by_isobar_itself() {
    let place = Place::new(EMPTY, 60_000);
    let filters = ["faulty/floods", "faulty/shouts", "faulty/wrong", "faulty/works", "process-cold"];
    let filters = filters.into_iter().flat_map(|f| ["--filter", f]);
    let output = place.output(&["run", "--processes", "2"].into_iter().chain(filters).collect::<Vec<_>>());
    assert!(output.status.success(), "{}", stderr(&output));
    let outcomes = outcomes(&assert_complete(&place.run_folder()));
    let flood = "runtime crashed: the runner was killed, for it wrote more than 64 MiB to standard ";
    for (runtime, said) in [
        ("faulty/floods", format!("{flood}output without ending a line")),
        ("faulty/shouts", format!("{flood}error")),
        ("faulty/wrong", "wrong answer: ".to_owned()),
        ("faulty/works", "measured".to_owned()),
    ] {
        let texts = &outcomes[runtime];
        assert!(texts.len() >= 2 && texts.iter().all(|text| text.starts_with(&said)), "{runtime}: {texts:?}");
    }
    place.assert_no_orphans();
}

/// A request that is larger than a pipe must not keep isobar waiting for ever.
#[test]
fn a_runner_that_does_not_listen_is_given_up() {
    let place = Place::new(EMPTY, 300);
    let function = place.path("root/workloads/wat/function");
    let manifest = fs::read_to_string(function.join("workload.toml")).unwrap();
    fs::write(function.join("workload.toml"), format!("stdin_file = \"large\"\n{manifest}")).unwrap();
    fs::write(function.join("large"), vec![b'x'; 1 << 20]).unwrap();
    let output = place.output(&["run", "--filter", "deaf/sh", "--filter", "warm"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let outcomes = outcomes(&assert_complete(&place.run_folder()));
    assert_eq!(outcomes["deaf/sh"], ["timeout: did not end within 0.300 s"; 2]);
    place.assert_no_orphans();
}

/// Killed without a chance to clean up, 20 times, each time somewhere else.
#[test]
fn a_run_that_is_killed_twenty_times_is_complete_in_the_end() {
    let place = Place::new(EMPTY, 10_000);
    let filters = ["wasmi/lazy", "wasmtime/winch-aot", "cold", "warm", "throughput/1"].map(|f| ["--filter", f]);
    let processes = ["run", "--processes", "60", "--max-processes", "60"];
    let run: Vec<&str> = processes.into_iter().chain(filters.iter().flatten().copied()).collect();
    let mut random = fastrand::Rng::with_seed(20);
    let (mut before, mut kills) = (Vec::new(), 0);
    let mut child = place.start(&run);
    wait_until("the run does not start", || place.run_folder().join("run.json").exists());
    loop {
        place.wait_for_records(place.stored() + random.usize(0..4), &mut child);
        std::thread::sleep(Duration::from_millis(random.u64(0..80)));
        if child.try_wait().unwrap().is_some() {
            break;
        }
        kill(&child, Signal::KILL);
        child.wait().unwrap();
        kills += 1;
        place.assert_no_orphans();
        let after = fs::read(place.run_folder().join("records.jsonl")).unwrap();
        let whole = after.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        assert!(after.starts_with(&before), "what was measured was lost");
        before = after[..whole].to_vec();
        if kills == 20 {
            break;
        }
        child = place.start(&["resume"]);
    }
    assert_eq!(kills, 20, "the run was over too early to be killed so often");
    let output = place.output(&["resume"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let run = assert_complete(&place.run_folder());
    assert_eq!(run.records.len(), 2 * 3 * 60);
    assert!(run.records.iter().all(|record| record.result.is_ok()));
    assert!(fs::read(place.run_folder().join("records.jsonl")).unwrap().starts_with(&before));
}

#[test]
fn a_runner_in_an_endless_function_ends_with_its_parent() {
    let place = Place::new(FOREVER, 100_000);
    let mut child = place.start(&["run", "--filter", "wasmi/eager", "--filter", "warm"]);
    let measures = || place.run_folder().join("run.json").exists() && !place.runners().is_empty();
    wait_until("no runner was started", measures);
    kill(&child, Signal::KILL);
    child.wait().unwrap();
    place.assert_no_orphans();
}

#[test]
fn a_folder_takes_one_run_at_a_time_and_ctrl_c_says_how_to_go_on() {
    let place = Place::new(EMPTY, 10_000);
    let run = ["run", "--filter", "wasmi/*", "--filter", "warm", "--processes", "2000", "--max-processes", "2000"];
    let mut child = place.start(&run);
    place.wait_for_records(1, &mut child);
    let refused = place.output(&["resume"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("another isobar is measuring into "), "{}", stderr(&refused));
    let refused = place.output(&run);
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("is not empty"), "{}", stderr(&refused));

    kill(&child, Signal::INT);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "it was not disturbed by the others: {}", stderr(&output));
    let said = format!("To go on: isobar resume {}", place.run_folder().display());
    assert!(stderr(&output).contains(&said), "{}", stderr(&output));
    place.assert_no_orphans();
}

#[test]
fn a_run_goes_on_where_it_began_and_nowhere_else() {
    let place = Place::new(EMPTY, 10_000);
    let run = ["run", "--filter", "wasmi/eager", "--filter", "warm", "--processes", "3", "--max-processes", "3"];
    assert!(place.output(&run).status.success());
    let (records, header) = (place.run_folder().join("records.jsonl"), place.run_folder().join("run.json"));
    let whole = fs::read(&records).unwrap();
    fs::write(&records, &whole[..whole.len() - 20]).unwrap();
    let text = fs::read_to_string(&header).unwrap();
    for (from, to, said) in [
        ("\"kernel\": \"", "\"kernel\": \"not ", "the machine: kernel: \"not "),
        ("\"module_sha256\": \"", "\"module_sha256\": \"0", "the module of wat/function: \"0"),
        ("\"version\": \"", "\"version\": \"0.", "wasmi/eager: version: \"0."),
    ] {
        fs::write(&header, text.replace(from, to)).unwrap();
        let refused = place.output(&["resume"]);
        let complaint = stderr(&refused);
        let complaint = complaint.lines().last().unwrap_or_default();
        assert_eq!(refused.status.code(), Some(2));
        assert!(complaint.contains("cannot go on") && complaint.contains(said), "{complaint}");
    }
    fs::write(&header, text).unwrap();
    let output = place.output(&["resume"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_complete(&place.run_folder());
    let torn = fs::read(place.run_folder().join("records.torn")).unwrap();
    assert!(!torn.is_empty() && whole.windows(torn.len() - 1).any(|part| part == &torn[..torn.len() - 1]));
}

/// In a file system of its own in memory, which another file fills while isobar measures.
const FULL_DISK: &str = r#"
set -u
disk=$1 out=$2 isobar=$3 root=$4
mount -t tmpfs -o size=80m tmpfs "$disk" || exit 77
"$isobar" --root "$root" run --quick --filter wasmi/eager --filter warm --processes 400 --max-processes 400 \
    --into "$disk/run" > "$out/stdout" 2> "$out/stderr" &
tries=0
until [ "$(wc -l < "$disk/run/records.jsonl" 2> /dev/null || echo 0)" -ge 3 ]; do
    tries=$((tries + 1)); [ $tries -lt 6000 ] || exit 1
    sleep 0.01
done
# Stopped, so that it cannot finish before the disk is full.
kill -STOP $!
cat /dev/zero > "$disk/ballast" 2> /dev/null
kill -CONT $!
wait $!; echo $? > "$out/code"
cp "$disk/run/records.jsonl" "$out/before"
"$isobar" --root "$root" run --quick --into "$disk/another" > /dev/null 2> "$out/another"; echo $? > "$out/another-code"
rm "$disk/ballast"
"$isobar" --root "$root" resume "$disk/run" > /dev/null 2> "$out/resume"; echo $? > "$out/resume-code"
mkdir "$out/run" && cp "$disk/run/records.jsonl" "$disk/run/run.json" "$out/run"
"#;

#[test]
fn a_full_disk_ends_the_run_and_loses_nothing() {
    let place = Place::new(EMPTY, 10_000);
    let (disk, out) = (place.path("disk"), place.path("out"));
    for folder in [&disk, &out] {
        fs::create_dir(folder).unwrap();
    }
    let mut command = Command::new("unshare");
    command.args(["-rm", "sh", "-c", FULL_DISK, "sh"]).args([&disk, &out, &isobar_program(), &place.path("root")]);
    let said = |name: &str| fs::read_to_string(out.join(name)).unwrap_or_default();
    match command.output() {
        Ok(output) if output.status.success() => {}
        Ok(output) if output.status.code() != Some(77) && !said("code").is_empty() => panic!("{}", stderr(&output)),
        failed => {
            let why = failed.map_or_else(|e| e.to_string(), |output| stderr(&output));
            eprintln!("skipped: no tmpfs of one's own by `unshare -rm` here (run as root to have it): {}", why.trim());
            return;
        }
    }
    assert_eq!(said("code").trim(), "2", "{}", said("stderr"));
    let (text, remedy) = (said("stderr"), "free some space, then go on with `isobar resume ");
    let last = text.lines().last().unwrap_or_default();
    assert!(last.contains("cannot write to ") && last.contains(remedy) && last.contains("No space left"), "{text}");
    assert_eq!(said("another-code").trim(), "2", "no run starts on a full disk");
    assert!(said("another").contains("free some space"), "{}", said("another"));
    assert_eq!(said("resume-code").trim(), "0", "{}", said("resume"));

    let before = fs::read(out.join("before")).unwrap();
    assert!(before.ends_with(b"\n") && before.iter().filter(|byte| **byte == b'\n').count() >= 3);
    let run = assert_complete(&out.join("run"));
    assert!(fs::read(out.join("run/records.jsonl")).unwrap().starts_with(&before), "what was stored is still there");
    assert!(run.records.len() == 400 && run.records.iter().all(|record| record.result.is_ok()));
}
