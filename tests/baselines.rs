//! What runs beside WebAssembly: native processes, sandboxes and containers, as far as this machine has them.

use isobar::registry::Registry;
use isobar::workload::{BuildOptions, Builder, Catalogue};
use isobar_core::runtime::{Class, Form};
use isobar_core::{Runtime, RuntimeInfo};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long what must come may take on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);

fn isobar() -> assert_cmd::Command {
    let mut command = assert_cmd::Command::cargo_bin("isobar").expect("the program is built");
    command.current_dir(env!("CARGO_MANIFEST_DIR")).env_remove("ISOBAR_RUNNERS").timeout(Duration::from_secs(240));
    command
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < end, "{what} within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The baselines that are here; nothing, with a line that says so, where the function has no executable.
fn baselines(function: &str) -> Vec<RuntimeInfo> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let options = BuildOptions { filters: vec![function.to_owned()], ..BuildOptions::default() };
    let _ = Builder::native(root).and_then(|builder| builder.build(&options, &|_, _| ()));
    let catalogue = Catalogue::load(&root.join("workloads")).unwrap();
    if let Err(why) = catalogue.find(function).unwrap().native() {
        eprintln!("skipped: {why}");
        return Vec::new();
    }
    let registry = Registry::discover(None).unwrap();
    registry.absent.iter().for_each(|absent| eprintln!("absent: {}: {}", absent.family, absent.reason));
    let infos = registry.runtimes.iter().map(|runtime| runtime.info().clone());
    infos.filter(|info| info.form == Form::Native).collect()
}

#[test]
fn every_baseline_gives_the_function_s_answer() {
    for info in baselines("rust/hello") {
        let output = isobar().args(["invoke", info.id.as_str(), "rust/hello", "--env", "NAME=you"]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {said}", info.id);
        assert_eq!(String::from_utf8_lossy(&output.stdout), "Hello, you!\n", "{}: {said}", info.id);
    }
}

#[test]
fn native_processes_are_measured_beside_a_runtime_and_what_has_no_executable_is_skipped() {
    if baselines("rust/hello").is_empty() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let filters = ["native/process", "wasmi/eager", "rust/hello", "wat/empty", "process-cold", "warm"];
    let mut command = isobar();
    command.args(["run", "--quick", "--processes=1", "--max-processes=1", "--cell-time=1ms", "--strict", "--into"]);
    command.arg(&run).args(filters.iter().flat_map(|filter| ["--filter", filter]));
    command.assert().success();
    let header: serde_json::Value = serde_json::from_slice(&std::fs::read(run.join("run.json")).unwrap()).unwrap();
    assert_eq!(header["formless"][0]["function"], "wat/empty");
    assert_eq!(header["formless"][0]["runtimes"][0], "native/process");
    let hello = header["functions"].as_array().unwrap().iter().find(|f| f["name"] == "rust/hello").unwrap();
    assert_eq!(hello["forms"]["native"]["sha256"].as_str().unwrap().len(), 64, "{hello}");
    let records = std::fs::read_to_string(run.join("records.jsonl")).unwrap();
    let of = |runtime: &str| records.lines().filter(|line| line.contains(&format!("\"{runtime}\""))).count();
    assert_eq!((of("native/process"), of("wasmi/eager")), (2, 4), "{records}");
    let report = std::fs::read_to_string(run.join("report.md")).unwrap();
    assert!(report.contains("no executable: ") && report.contains("native/process"), "{report}");
}

#[test]
fn a_module_of_somebody_is_nothing_for_a_native_process() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("m.wat"), "(module (memory (export \"memory\") 1) (func (export \"_start\")))")
        .unwrap();
    let module = folder.path().join("m.wat");
    let output = isobar().args(["invoke", "native/process"]).arg(&module).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("native/process loads no modules"), "{said}");
}

#[test]
fn what_an_idle_function_weighs_is_measured_of_each_class() {
    let offers = |info: &RuntimeInfo| info.scenarios.iter().flatten().any(|name| name == "density");
    let weighed: Vec<_> = baselines("rust/hello").into_iter().filter(offers).collect();
    if weighed.is_empty() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let mut command = isobar();
    command.args(["run", "--quick", "--processes=1", "--max-processes=1", "--cell-time=1ms", "--strict", "--into"]);
    command.arg(&run).args(["--filter", "rust/hello", "--filter", "density"]);
    command.args(weighed.iter().flat_map(|info| ["--filter", info.id.as_str()]));
    command.assert().success();
    let records = std::fs::read_to_string(run.join("records.jsonl")).unwrap();
    for line in records.lines() {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        let pss = record["result"]["Ok"]["samples"]["instances_pss_bytes"].as_array();
        let pss: Vec<u64> = pss.unwrap_or_else(|| panic!("{record}")).iter().filter_map(|v| v.as_u64()).collect();
        assert!(pss.len() >= 3 && pss.last() > pss.first(), "{record}");
    }
    assert_eq!(records.lines().count(), weighed.len());
}

#[test]
fn an_emulated_machine_answers_exactly_and_is_measured_only_by_its_whole_name() {
    const TCG: &str = "microvm/qemu-tcg";
    if !baselines("rust/hello").iter().any(|info| info.id.as_str() == TCG) {
        return;
    }
    let bytes: Vec<u8> = (0..=255).cycle().take(20_000).collect();
    let mut echo = isobar();
    echo.args(["build", "--native", "rust/echo"]).assert().success();
    echo = isobar();
    let answered =
        echo.args(["invoke", TCG, "rust/echo", "--stdin", "-"]).write_stdin(bytes.clone()).assert().success();
    assert!(answered.get_output().stdout == bytes);
    // A refusal is exit code 2, and what standard error says is apart.
    let refused = isobar().args(["invoke", TCG, "rust/fibonacci", "--env", "N=x"]).assert().code(2);
    let said = String::from_utf8_lossy(&refused.get_output().stderr).into_owned();
    assert!(refused.get_output().stdout.is_empty() && said.contains("N: \"x\" is not a whole number"), "{said}");
    let folder = tempfile::tempdir().unwrap();
    let run = |filter: &str, into: &str| {
        let mut command = isobar();
        command.args([
            "run",
            "--quick",
            "--strict",
            "--processes=1",
            "--max-processes=1",
            "--cell-time=1ms",
            "--filter",
            filter,
        ]);
        command.args(["--filter", "rust/hello", "--filter", "process-cold", "--into"]).arg(folder.path().join(into));
        command.assert()
    };
    let refused = run("microvm/*-tcg", "glob").code(2);
    let said = String::from_utf8_lossy(&refused.get_output().stderr).into_owned();
    assert!(
        said.contains("microvm/qemu-tcg is emulated, and measured only where a filter is its whole name"),
        "{said}"
    );
    let told = run(TCG, "named").success();
    let told = String::from_utf8_lossy(&told.get_output().stdout).into_owned();
    assert!(told.contains("microvm/qemu-tcg: emulated, not comparable: rust/hello, process cold start: "), "{told}");
    assert!(!told.contains("failed"), "{told}");
}

/// Libraries that are right, and wrong from their second call on, and that crash, and never end.
const LIBRARIES: [(&str, &str); 4] = [
    ("right", "return 0;"),
    ("wrong", "static int calls; return calls++;"),
    ("crash", "__builtin_trap();"),
    ("endless", "for (;;) { __asm__ volatile(\"\"); }"),
];

#[test]
fn a_library_that_answers_wrongly_crashes_or_never_ends_is_a_failure_and_the_run_goes_on() {
    if !Command::new("cc").arg("--version").output().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: no C compiler; scripts/setup");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let workloads = folder.path().join("workloads");
    let interface = Path::new(env!("CARGO_MANIFEST_DIR")).join("workloads/libraries").display().to_string();
    let module = wat::parse_str("(module (memory (export \"memory\") 1) (func (export \"_start\")))").unwrap();
    let mut sums = String::new();
    for (name, body) in LIBRARIES {
        let function = workloads.join("c").join(name);
        std::fs::create_dir_all(&function).unwrap();
        std::fs::write(function.join(format!("{name}.wasm")), &module).unwrap();
        sums += &format!("{}  c/{name}/{name}.wasm\n", isobar_core::measure::sha256_hex(&module));
        let source = "#include \"isobar.h\"\nint32_t isobar_call_v1(const struct isobar_call *call) { (void)call; ";
        std::fs::write(function.join(format!("{name}.c")), format!("{source}{body} }}\n")).unwrap();
        let manifest =
            "description = \"x\"\nstands_for = \"x\"\n[limits]\nwall_time_ms = 300\n[expected]\nstdout = \"\"\n";
        std::fs::write(function.join("workload.toml"), manifest).unwrap();
    }
    std::fs::write(workloads.join("SHA256SUMS"), sums).unwrap();
    let language = format!(
        "title = \"C\"\n[[build]]\nrun = [\"false\"]\n[library]\n[[library.build]]\nrun = [\"cc\", \"-O1\", \"-shared\", \
         \"-fPIC\", \"-I{interface}\", \"-o\", \"{{out}}\", \"{{name}}.c\"]\n"
    );
    std::fs::write(workloads.join("c/language.toml"), language).unwrap();
    let here = |command: &mut assert_cmd::Command| _ = command.arg("--root").arg(folder.path());
    let mut build = isobar();
    here(build.args(["build", "--native"]));
    build.assert().success();
    let run = folder.path().join("run");
    let mut command = isobar();
    here(command.args(["run", "--quick", "--all-functions", "--processes=1", "--max-processes=1", "--cell-time=1ms"]));
    command.args(["--filter", "native/in-process", "--filter", "warm", "--into"]).arg(&run);
    let ended = command.output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    let records = std::fs::read_to_string(run.join("records.jsonl")).unwrap_or_else(|e| panic!("{e}: {said}"));
    let records: Vec<serde_json::Value> = records.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let result = |name: &str| {
        let of = |record: &&serde_json::Value| record["function"] == format!("c/{name}");
        records.iter().find(of).unwrap_or_else(|| panic!("{name}: {said}"))["result"].clone()
    };
    assert!(result("right")["Ok"]["samples"]["execute_ns"].is_array(), "{}", result("right"));
    for (name, wanted) in [("wrong", "wrong-answer"), ("crash", "crashed"), ("endless", "timeout")] {
        let result = result(name);
        assert!(result["Ok"].is_null() && result["Err"].to_string().contains(wanted), "{name}: {result}");
    }
}

/// The folder that the runner of an isobar made.
fn folder_of(isobar: &Child) -> Option<PathBuf> {
    let children = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", isobar.id())).ok()?;
    let runner = children.split_whitespace().filter_map(|id| id.parse::<u32>().ok()).find(|id| {
        std::fs::read_to_string(format!("/proc/{id}/comm")).is_ok_and(|name| name.starts_with("isobar-runner-p"))
    })?;
    let prefix = format!("isobar-process-{runner}-");
    let folders = std::fs::read_dir(std::env::temp_dir()).ok()?.flatten();
    folders
        .map(|entry| entry.path())
        .find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&prefix)))
}

/// The processes whose command line or root is below a folder, or that run in a control group of its name.
fn processes_of(folder: &Path) -> Vec<u32> {
    let name = folder.file_name().unwrap().to_string_lossy().into_owned();
    let numbers = std::fs::read_dir("/proc").unwrap().flatten();
    let numbers = numbers.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let holds = |id: &u32| {
        ["cmdline", "cgroup"].iter().any(|file| {
            std::fs::read(format!("/proc/{id}/{file}")).is_ok_and(|text| String::from_utf8_lossy(&text).contains(&name))
        })
    };
    numbers.filter(holds).collect()
}

/// A child that does not outlive a test, however that ends.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Kills an isobar in the middle of a function that does not end, and looks for what it left.
fn killed_in_mid_run(info: &RuntimeInfo, signal: rustix::process::Signal) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_isobar"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).stdout(Stdio::null()).stderr(Stdio::null());
    let isobar = command.args(["invoke", info.id.as_str(), "rust/fibonacci", "--env", "N=90"]).spawn().unwrap();
    let mut isobar = Killed(isobar);
    let mut folder = PathBuf::new();
    until(&format!("{} makes its folder", info.id), || {
        folder = folder_of(&isobar.0).unwrap_or_default();
        folder.exists()
    });
    let running = || {
        let processes = processes_of(&folder);
        let is_function = |id: &u32| {
            let command = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&command).contains("/function")
        };
        // gVisor's processes do not have the function's name.
        let machine = |id: &u32| {
            std::fs::read_to_string(format!("/proc/{id}/comm")).is_ok_and(|name| name.starts_with("qemu-system"))
        };
        processes.iter().any(|id| is_function(id) || machine(id))
            || (info.id.mode().starts_with("runsc") && processes.len() >= 3)
    };
    until(&format!("{} starts the function", info.id), running);
    let pid = rustix::process::Pid::from_raw(isobar.0.id() as i32).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
    isobar.0.wait().unwrap();
    until(&format!("{} leaves no folder {}", info.id, folder.display()), || !folder.exists());
    until(&format!("{} leaves no process", info.id), || processes_of(&folder).is_empty());
    let name = folder.file_name().unwrap();
    let groups = std::fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten();
    let left: Vec<_> = groups.map(|entry| entry.path().join(name)).filter(|path| path.exists()).collect();
    assert!(left.is_empty(), "{}: {left:?}", info.id);
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(!mounts.contains(&*name.to_string_lossy()), "{}: {mounts}", info.id);
}

#[test]
fn nothing_is_left_when_isobar_is_killed_or_interrupted_in_mid_run() {
    let contained: Vec<_> =
        baselines("rust/fibonacci").into_iter().filter(|info| info.class != Class::Process).collect();
    for info in &contained {
        killed_in_mid_run(info, rustix::process::Signal::KILL);
    }
    if let Some(info) = contained.first() {
        killed_in_mid_run(info, rustix::process::Signal::INT);
    }
}
