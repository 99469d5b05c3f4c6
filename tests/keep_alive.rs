//! Keep-alive policies of the platform, and traces that are replayed under them.

mod serving;

use isobar::record::{LoadResult, Run};
use serving::{Answer, Functions, Server, prints};
use std::io::Write;
use std::time::{Duration, Instant};

fn start_of(server: &Server, path: &str) -> String {
    let answer = server.get(path);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.header("x-isobar-start").to_owned()
}

fn metric(metrics: &Answer, name: &str) -> f64 {
    let text = metrics.text();
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
    value.unwrap_or_else(|| panic!("no {name} in {text}"))
}

/// Ends if it has a variable, and never without one.
const ENDLESS_WITHOUT_VARIABLE: &str = r#"(module
    (import "wasi_snapshot_preview1" "environ_sizes_get" (func $sizes (param i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "_start")
        (drop (call $sizes (i32.const 0) (i32.const 4)))
        (if (i32.eqz (i32.load (i32.const 0))) (then (loop $ever (br $ever))))))"#;

#[test]
fn without_keep_alive_each_request_is_cold_unless_another_is_in_flight() {
    let functions = Functions::new();
    functions.put("f", &prints("f"), "").put("g", ENDLESS_WITHOUT_VARIABLE, "env = [\"A\"]\n");
    for strategy in ["cached", "pooled"] {
        let cache = tempfile::tempdir().unwrap();
        let cache = cache.path().join("artifacts");
        let options = ["--keep-alive", "none", "--strategy", strategy, "--cache-dir", cache.to_str().unwrap()];
        let server = Server::with(&functions, &[&options[..], &["--wall-time", "10m", "--workers", "4"]].concat());
        for _ in 0..5 {
            assert_eq!(start_of(&server, "/f"), "cold", "{strategy}");
        }
        let metrics = server.get("/metrics");
        assert!(metrics.text().contains("isobar_keep_alive{policy=\"none\"} 1"), "{metrics:?}");
        let told = ["isobar_evictions_total", "isobar_resident_modules", "isobar_idle_module_seconds_total"];
        assert_eq!(told.map(|name| metric(&metrics, name)), [5.0, 0.0, 0.0]);
        // One that does not end holds its module.
        let mut endless = server.connect();
        endless.write_all(b"GET /g HTTP/1.1\r\nHost: t\r\n\r\n").unwrap();
        server.until("/metrics", |metrics| metric(metrics, "isobar_live_instances") == 1.0);
        for _ in 0..5 {
            assert_eq!(start_of(&server, "/g?A=1"), "warm", "{strategy}");
        }
        assert_eq!(metric(&server.get("/metrics"), "isobar_evictions_total"), 5.0);
    }
}

#[test]
fn a_fixed_time_keeps_what_is_called_within_it() {
    let functions = Functions::new();
    functions.put("f", &prints("f"), "").put("g", &prints("g"), "");
    let server = Server::with(&functions, &["--keep-alive", "fixed:1day"]);
    for path in ["/f", "/g"] {
        assert_eq!([start_of(&server, path), start_of(&server, path)], ["cold", "warm"], "{path}");
    }
    let metrics = server.until("/metrics", |metrics| metric(metrics, "isobar_idle_module_seconds_total") > 0.0);
    assert_eq!((metric(&metrics, "isobar_resident_modules"), metric(&metrics, "isobar_evictions_total")), (2.0, 0.0));
    // A new version is kept as the old one was: it is there before anybody calls it.
    functions.put("f", &prints("new"), "");
    let answer = server.until("/f", |answer| answer.text() == "new");
    assert_eq!(answer.header("x-isobar-start"), "warm");

    // A day in a tenth of a second.
    let options = ["--keep-alive", "fixed:1day", "--clock-speed", "864000"];
    let server = Server::with(&functions, &options);
    assert_eq!(start_of(&server, "/f"), "cold");
    let metrics = server.until("/metrics", |metrics| metric(metrics, "isobar_evictions_total") == 1.0);
    assert_eq!(metric(&metrics, "isobar_resident_modules"), 0.0);
    assert!(metric(&metrics, "isobar_idle_module_seconds_total") >= 86_400.0);
    assert_eq!(start_of(&server, "/f"), "cold");
}

#[test]
fn runner_programs_release_and_load_their_modules_too() {
    let functions = Functions::new();
    functions.put("f", &prints("f"), "");
    let server = Server::with(&functions, &["--keep-alive", "none", "--runtime", "wasm3/lazy", "--workers", "2"]);
    for _ in 0..4 {
        assert_eq!(start_of(&server, "/f"), "cold");
    }
    assert_eq!(metric(&server.get("/metrics"), "isobar_evictions_total"), 4.0);
}

#[test]
fn a_histogram_of_idle_times_loads_a_module_before_it_is_called() {
    let functions = Functions::new();
    functions.put("f", &prints("f"), "");
    // Ten minutes in a tenth of a second.
    let server = Server::with(&functions, &["--keep-alive", "histogram", "--clock-speed", "6000"]);
    let since = Instant::now();
    let loaded = |server: &Server| metric(&server.get("/metrics"), "isobar_prewarm_loads_total") > 0.0;
    while !loaded(&server) {
        assert!(since.elapsed() < serving::PATIENCE, "{}", server.get("/metrics").text());
        start_of(&server, "/f");
        std::thread::sleep(Duration::from_millis(100));
    }
    // Nobody calls it any more.
    server.until("/metrics", |metrics| metric(metrics, "isobar_resident_modules") == 0.0);
}

#[test]
fn what_cannot_be_kept_is_said() {
    for (args, said) in [
        (&["--keep-alive", "10m"][..], "forever, none, fixed:10m or histogram"),
        (&["--keep-alive", "none", "--strategy", "naive"], "naive keeps none"),
        (&["--clock-speed", "0"], "a positive number"),
    ] {
        let output = Server::command(args).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && stderr.contains(said), "{args:?}: {stderr}");
    }
}

#[test]
fn a_trace_compares_policies_and_its_first_starts_count() {
    let folder = tempfile::tempdir().unwrap();
    let (file, into) = (folder.path().join("trace.csv"), folder.path().join("run"));
    let trace =
        "HashOwner,HashApp,HashFunction,Trigger,1,2,3\no,a,f,http,1,0,1\no,a,g,timer,1,1,1\no,a,never,http,0,0,0\n";
    std::fs::write(&file, trace).unwrap();
    let isobar = || {
        let mut command = assert_cmd::Command::cargo_bin("isobar").expect("the program is built");
        command
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env_remove("ISOBAR_RUNNERS")
            .args(["load", "--trace"])
            .arg(&file);
        command
    };
    let mut command = isobar();
    command.args(["--serve=rust/hello", "--functions=assemblyscript/hello", "--speed=60", "--seed=1", "--strict"]);
    let output = command.args(["--keep-alive=none", "--keep-alive=fixed:1day"]).arg("--into").arg(&into).assert();
    let text = String::from_utf8(output.success().get_output().stdout.clone()).unwrap();
    assert!(
        text.contains("Cold share") && text.lines().any(|line| line.trim_start().starts_with("fixed:1day")),
        "{text}"
    );
    let run = Run::read(&into).unwrap();
    let of = |name: &str| -> &LoadResult {
        let found = run.records.iter().find(|r| r.cell.runtime.to_string() == name && r.cell.function == "*");
        found.unwrap_or_else(|| panic!("no {name}")).load.as_ref().unwrap()
    };
    let (none, fixed) = (of("isobar/cached+keep-none"), of("isobar/cached+keep-fixed-1day"));
    for result in [none, fixed] {
        assert_eq!((result.due, result.answered, result.starts_by_function.len()), (5, 5, 2));
        assert_eq!((result.starts.cold + result.starts.warm, result.first_request_ns), (5, None));
    }
    assert_eq!((fixed.starts.cold, fixed.starts.warm), (2, 3), "nobody asked before the trace did");
    assert_eq!(fixed.starts_by_function.iter().map(|starts| starts.cold).collect::<Vec<u64>>(), [1, 1]);
    assert!(none.starts.cold >= fixed.starts.cold && none.start_histograms.contains_key("cold"), "{none:?}");
    let (kept_none, kept) = (none.kept.as_ref().unwrap(), fixed.kept.as_ref().unwrap());
    assert_eq!((kept_none.policy.as_str(), kept_none.idle_module_seconds), ("none", 0.0));
    assert_eq!((kept.evictions, kept.prewarm_loads, kept.resident_modules), (0, 0, 2));
    // Two modules that are called in the first of three minutes, and are idle for most of the other two.
    assert!(kept.idle_module_seconds > 60.0 && kept_none.evictions >= 2, "{kept:?} {kept_none:?}");
    let report = std::fs::read_to_string(into.join("report.md")).unwrap();
    assert!(report.contains("## Keep-alive") && report.contains("| fixed:1day |"), "{report}");

    for (args, said) in [
        (&["--serve=rust/hello", "--keep-alive=10m"][..], "fixed:10m"),
        (&["--serve=rust/hello", "--keep-alive=none", "--", "--keep-alive", "none"], "give it once"),
        (&["http://127.0.0.1:1", "--keep-alive=none"], "--serve"),
    ] {
        let output = isobar().args(args).assert().code(2).get_output().stderr.clone();
        assert!(String::from_utf8_lossy(&output).contains(said), "{args:?}: {}", String::from_utf8_lossy(&output));
    }
}
