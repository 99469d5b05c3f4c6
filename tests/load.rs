//! `isobar load` against servers that are well, slow, frozen, wrong, broken, and not there.

mod support {
    pub mod server;
}

use assert_cmd::Command;
use isobar::record::{Fault, LoadResult, LoadStop, Loop, Run};
use isobar::stats::Histogram;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use support::server::{Act, Server, answer, ok};

const MS: u64 = 1_000_000;

fn isobar() -> Command {
    let mut command = Command::cargo_bin("isobar").expect("the program is built");
    command.current_dir(env!("CARGO_MANIFEST_DIR")).timeout(Duration::from_secs(120));
    command
}

/// Loads without warming up, and reads what was stored.
fn load(url: &str, options: &[&str]) -> Run {
    let folder = tempfile::tempdir().unwrap();
    let into = folder.path().join("run");
    isobar().args(["load", url, "--warm-up=0s"]).args(options).arg("--into").arg(&into).assert().success();
    Run::read(&into).unwrap()
}

fn result(run: &Run) -> &LoadResult {
    run.records[0].load.as_ref().unwrap()
}

fn latency(run: &Run) -> Histogram {
    Histogram::decode(run.records[0].histogram.as_ref().unwrap()).unwrap()
}

fn faults(run: &Run, fault: Fault) -> u64 {
    result(run).faults.get(&fault).map_or(0, |faults| faults.count)
}

/// Standard error of a call that must fail, which must be one line.
fn complaint(args: &[&str]) -> String {
    let output = isobar().arg("load").args(args).assert().code(2).get_output().clone();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(text.trim_end().lines().count(), 1, "{text}");
    text
}

/// A server that stops answering once for a second, after half a second of work.
fn freezing() -> Server {
    let start: Mutex<Option<Instant>> = Mutex::new(None);
    let frozen: Arc<Mutex<bool>> = Arc::default();
    Server::start(move |_, _, _| {
        let first = *start.lock().unwrap().get_or_insert_with(Instant::now);
        // Whoever holds the lock while it sleeps holds up everybody.
        let mut frozen = frozen.lock().unwrap();
        if !*frozen && first.elapsed() > Duration::from_millis(500) {
            *frozen = true;
            std::thread::sleep(Duration::from_secs(1));
        }
        ok("hi")
    })
}

#[test]
fn an_open_loop_sees_a_frozen_second_and_a_closed_one_does_not() {
    let open = load(&freezing().url("/"), &["--rate=200", "--requests=500", "--connections=4"]);
    let closed = load(&freezing().url("/"), &["--duration=2500ms", "--connections=4"]);
    assert_eq!(
        (open.header.load.as_ref().unwrap().r#loop, closed.header.load.as_ref().unwrap().r#loop),
        (Loop::Constant, Loop::Closed)
    );
    let slow = |run: &Run| {
        // How many took longer than 100 ms, by the histogram's percentiles.
        let histogram = latency(run);
        let share = (0..=10_000).filter(|at| histogram.percentile(f64::from(*at) / 100.0) > 100 * MS).count();
        (histogram.count(), histogram.count() as f64 * share as f64 / 10_000.0)
    };
    let (open_slow, closed_slow) = (slow(&open), slow(&closed));
    // 200 requests were due in that second, all but the last 20 of them waited for more than 100 ms.
    assert!(open_slow.0 == 500 && open_slow.1 > 150.0, "{open_slow:?}");
    assert!(latency(&open).percentile(99.0) > 800 * MS);
    // Four connections: four requests; and a few that a busy machine held up.
    assert!(closed_slow.0 > 100 && closed_slow.1 < 30.0, "{closed_slow:?}");
    assert!(latency(&closed).percentile(100.0) > 800 * MS);
    // The requests that the open loop could not send are late because of the server.
    let result = result(&open);
    assert!(result.late >= 100 && result.late_for_a_connection >= 100, "{result:?}");
    let service = Histogram::decode(result.service_histogram.as_ref().unwrap()).unwrap();
    assert!(service.percentile(90.0) < 100 * MS, "the service time alone would hide it");
}

#[test]
fn the_report_says_which_loop_it_was() {
    let server = Server::start(|_, _, _| ok("hi"));
    let text = |options: &[&str]| {
        let output =
            isobar().args(["load", &server.url("/x?y=1"), "--warm-up=0s", "--requests=50"]).args(options).assert();
        String::from_utf8(output.success().get_output().stdout.clone()).unwrap()
    };
    let closed = text(&["--connections=3"]);
    assert!(
        closed.contains("closed loop, 3 connections") && closed.contains("counts from the actual sending"),
        "{closed}"
    );
    assert!(closed.contains("50 requests, 50 answered as expected, 0 failed"), "{closed}");
    let open = text(&["--rate=1000", "--arrivals=poisson", "--seed=7"]);
    assert!(open.contains("open loop, Poisson arrivals, 1000 requests/s, 64 connections, seed 7"), "{open}");
    assert!(open.contains("from the moment when a request was due"), "{open}");
    let markdown = text(&["--format=markdown"]);
    assert!(markdown.starts_with("## GET http") && markdown.contains("| latency |"), "{markdown}");
    let json: serde_json::Value = serde_json::from_str(&text(&["--format=json"])).unwrap();
    assert_eq!(json["records"][0]["load"]["answered"], 50);
    assert_eq!(json["header"]["load"]["loop"], "closed");
}

#[test]
fn what_is_stored_is_an_ordinary_run() {
    let server = Server::start(|_, _, _| ok("hi"));
    let folder = tempfile::tempdir().unwrap();
    let into = folder.path().join("run");
    let into_text = into.to_str().unwrap();
    let load = |into: &str| {
        let mut command = isobar();
        command.args([
            "load",
            &server.url("/f"),
            "--warm-up=200ms",
            "--duration=1200ms",
            "--rate=500",
            "--name=my/server",
        ]);
        command.args(["--into", into]).assert()
    };
    load(into_text).success();
    let run = Run::read(&into).unwrap();
    let record = &run.records[0];
    assert_eq!(record.cell.to_string(), "my/server /f http-open/500");
    let samples = &record.result.as_ref().unwrap().samples;
    assert_eq!(samples.column("elapsed_ns"), [1_000_000_000, 200_000_000]);
    assert_eq!(samples.column("requests").iter().sum::<u64>(), 600, "warming up does not count");
    assert_eq!((result(&run).due, result(&run).stop), (600, LoadStop::Time));
    assert!(server.requests() >= 701, "100 requests of warming up, and the first one");
    let report = std::fs::read_to_string(into.join("report.md")).unwrap();
    assert!(report.contains("my/server"), "{report}");
    for args in [&["report", into_text][..], &["export", into_text], &["rank", into_text]] {
        isobar().args(args).assert().success();
    }
    let before = std::fs::read(into.join("report.html")).unwrap();
    isobar().args(["report", into_text]).assert().success();
    assert!(before == std::fs::read(into.join("report.html")).unwrap(), "the same records give the same bytes");
    assert!(String::from_utf8_lossy(&load(into_text).code(2).get_output().stderr).contains("is not empty"));
}

#[test]
fn wrong_bodies_are_a_failed_measurement() {
    let server = Server::start(|_, _, n| ok(if n % 10 == 9 { "wrong" } else { "right" }));
    let run = load(&server.url("/"), &["--requests=100", "--connections=1"]);
    assert_eq!(faults(&run, Fault::Body), 10);
    let error = run.records[0].result.as_ref().unwrap_err().to_string();
    assert!(error.contains("10 of 100 answers") && error.contains("\"wrong\" instead of \"right\""), "{error}");
    let args = ["load", &server.url("/"), "--requests=100", "--warm-up=0s", "--strict"];
    isobar().args(args).args(["--expect", "right"]).assert().code(3);
    isobar().args(args).arg("--expect-any").assert().success();
    let server = Server::start(|_, _, _| ok("right"));
    let url = server.url("/");
    let said = complaint(&[&url, "--expect", "left"]);
    assert!(said.contains("the first answer") && said.contains("\"right\" instead of \"left\""), "{said}");
    let sha256 = isobar_core::measure::sha256_hex(b"right");
    isobar()
        .args(["load", &url, "--requests=10", "--warm-up=0s", "--strict", "--expect-sha256", &sha256])
        .assert()
        .success();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("body");
    std::fs::write(&file, "right").unwrap();
    isobar()
        .args(["load", &url, "--requests=10", "--warm-up=0s", "--strict", "--expect-file"])
        .arg(&file)
        .assert()
        .success();
}

#[test]
fn faults_have_classes() {
    const USUAL: [&str; 2] = ["--requests=20", "--connections=2"];
    let load_of = |act: fn(u64) -> Act, options: &[&str]| {
        let server = Server::start(move |_, _, n| if n == 0 { ok("hi") } else { act(n) });
        load(&server.url("/"), options)
    };
    let closes = load_of(|_| Act::Close, &USUAL);
    assert_eq!(faults(&closes, Fault::Closed) + faults(&closes, Fault::Reset), 20, "{:?}", result(&closes));
    assert!(closes.records[0].result.is_err(), "nothing was answered");
    let half = load_of(|_| Act::Last(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf".into()), &USUAL);
    assert_eq!(faults(&half, Fault::Closed), 20);
    let other = load_of(|_| Act::Answer(b"SSH-2.0-OpenSSH_9.2\r\n".into()), &USUAL);
    assert_eq!(faults(&other, Fault::Malformed), 20);
    let busy = load_of(
        |n| if n % 2 == 0 { ok("hi") } else { Act::Answer(answer(503, "", "full")) },
        &["--requests=20", "--connections=1"],
    );
    assert_eq!(
        (faults(&busy, Fault::Status), result(&busy).statuses[&503], result(&busy).statuses[&200]),
        (10, 10, 10)
    );
    assert!(busy.records[0].result.is_ok(), "a server may be full; that is counted");
    let silent = load_of(|_| Act::Silence, &["--requests=4", "--connections=2", "--timeout=300ms"]);
    assert_eq!(faults(&silent, Fault::Timeout), 4);
    // An open loop: two connections are stuck, so that the other requests were never sent.
    let stuck = load_of(|_| Act::Silence, &["--rate=1000", "--requests=200", "--connections=2", "--timeout=500ms"]);
    assert_eq!(faults(&stuck, Fault::Timeout) + faults(&stuck, Fault::NotSent), 200);
    assert!(faults(&stuck, Fault::NotSent) > 0 && result(&stuck).late_for_a_connection > 0);
}

#[test]
fn connections_that_are_closed_are_opened_again() {
    let server = Server::start(|_, _, n| match n % 3 {
        0 => Act::Last(answer(200, "Connection: close\r\n", "hi")),
        1 => Act::Last(answer(200, "", "hi")),
        _ => ok("hi"),
    });
    let run = load(&server.url("/"), &["--requests=60", "--connections=2"]);
    assert_eq!((result(&run).answered, result(&run).faults.len()), (60, 0), "{:?}", result(&run));
}

#[test]
fn fresh_connections_have_parts() {
    let server = Server::start(|_, _, n| {
        let start = if n < 4 { "cold" } else { "warm" };
        Act::Answer(answer(
            200,
            &format!("Server-Timing: load;dur=1.5, execute;dur=0.25\r\nx-isobar-start: {start}\r\n"),
            "hi",
        ))
    });
    let url = format!("http://localhost:{}/", server.address.port());
    for options in [&["--requests=30", "--connections=2"][..], &["--requests=30", "--rate=200"]] {
        let run = load(&url, &[options, &["--fresh"]].concat());
        let result = result(&run);
        assert_eq!(result.answered, 30, "{result:?}");
        let part = |name: &str| Histogram::decode(&result.timing[name]).unwrap();
        let median = |name: &str| part(name).percentile(50.0);
        assert_eq!(part("server").count(), 30);
        assert!(median("name_lookup") > 0 && median("connect") >= median("name_lookup"));
        assert!(median("first_byte") >= median("connect") && median("total") >= median("first_byte"));
        assert!(median("server") <= median("first_byte"));
        let told = Histogram::decode(&result.server_timing["load"]).unwrap();
        assert!(told.count() == 30 && told.percentile(50.0).abs_diff(1_500_000) < 1500);
        assert!(result.starts.warm >= 27 && result.starts.cold <= 3, "{:?}", result.starts);
        assert!(run.records[0].cell.scenario.name().ends_with("-fresh"));
    }
}

#[test]
fn requests_have_methods_fields_and_bodies() {
    let server = Server::start(|line, body, _| ok(&format!("{line} {}", String::from_utf8_lossy(body))));
    let args = ["load", &server.url("/f?x=%20"), "--requests=5", "--warm-up=0s", "--strict"];
    isobar().args(args).args(["--expect", "GET /f?x=%20 HTTP/1.1 "]).assert().success();
    isobar().args(args).args(["--data", "in", "--expect", "POST /f?x=%20 HTTP/1.1 in"]).assert().success();
    let fields = Server::start(|_, _, _| Act::Answer(answer(404, "", "no")));
    isobar()
        .args(["load", &fields.url("/"), "--requests=5", "--warm-up=0s", "--status=404", "--strict"])
        .assert()
        .success();
}

#[test]
fn a_sweep_finds_the_knee() {
    // One request at a time, 4 ms each: at most 250 in a second.
    let lock = Mutex::new(());
    let server = Server::start(move |_, _, _| {
        let _one = lock.lock().unwrap();
        std::thread::sleep(Duration::from_millis(4));
        ok("hi")
    });
    let folder = tempfile::tempdir().unwrap();
    let into = folder.path().join("run");
    let mut command = isobar();
    command.args([
        "load",
        &server.url("/"),
        "--sweep",
        "--p99-below=500ms",
        "--rate=20",
        "--duration=1s",
        "--warm-up=0s",
    ]);
    let output = command.arg("--into").arg(&into).assert().success().get_output().stdout.clone();
    let text = String::from_utf8(output).unwrap();
    assert!(text.contains("The highest rate with a p99 below 500 ms"), "{text}");
    let run = Run::read(&into).unwrap();
    let steps = isobar::load::sweep::steps(&run);
    let knee = isobar::load::sweep::knee(&steps, 500 * MS).unwrap();
    assert!((1..=400).contains(&knee.rate), "{text}");
    assert!(steps.iter().any(|step| step.rate > knee.rate), "{text}");
    assert!(into.join("charts/latency-over-load.svg").is_file());
    let never = Server::start(|_, _, _| {
        std::thread::sleep(Duration::from_millis(30));
        ok("hi")
    });
    let args = ["load", &never.url("/"), "--sweep", "--p99-below=1ms", "--rate=10", "--duration=300ms", "--warm-up=0s"];
    isobar().args(args).assert().code(1);
}

#[test]
fn a_trace_is_made_and_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let (file, into) = (folder.path().join("trace.csv"), folder.path().join("run"));
    let make = |seed: &str| {
        isobar().args(["trace", "--functions=30", "--minutes=5", "--seed", seed]).arg(&file).assert().success();
        std::fs::read_to_string(&file).unwrap()
    };
    assert!(make("1") == make("1") && make("1") != make("2"));
    // What a minute holds is known here: 60 + 0 + 120 requests by two functions.
    std::fs::write(&file, "HashOwner,HashApp,HashFunction,Trigger,1,2,3\no,a,f,http,60,0,60\no,a,g,timer,0,0,60\n")
        .unwrap();
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let told = seen.clone();
    let server = Server::start(move |line, _, _| {
        let mut seen = told.lock().unwrap();
        let start = if seen.iter().any(|known| known == line) { "warm" } else { "cold" };
        seen.push(line.to_owned());
        // The answer says which function it was: each has its own right one.
        Act::Answer(answer(200, &format!("x-isobar-start: {start}\r\n"), line))
    });
    let mut command = isobar();
    command.args(["load", &server.url(""), "--functions=one,two?x=1", "--speed=60", "--seed=3", "--strict", "--trace"]);
    let output = command.arg(&file).arg("--into").arg(&into).assert().success().get_output().stdout.clone();
    let text = String::from_utf8(output).unwrap();
    assert!(text.contains("open loop, arrivals of a trace") && text.contains("180 requests, 180 answered"), "{text}");
    let run = Run::read(&into).unwrap();
    let due: Vec<(&str, u64)> =
        run.records.iter().map(|r| (r.cell.function.as_str(), r.load.as_ref().unwrap().due)).collect();
    assert_eq!(due[0], ("*", 180));
    let mut of_functions = vec![due[1].1, due[2].1];
    of_functions.sort_unstable();
    assert_eq!(of_functions, [60, 120], "{due:?}");
    let seconds = &run.records[0].result.as_ref().unwrap().samples;
    assert_eq!(seconds.column("requests"), [60, 0, 120], "a minute in a second");
    // Both were asked once before the trace began: nothing is cold any more.
    assert_eq!((result(&run).starts.cold, result(&run).starts.warm), (0, 180));
    let plan = run.header.load.as_ref().unwrap();
    assert!(plan.trace_sha256.is_some() && plan.speed == Some(60.0) && plan.r#loop == Loop::Trace);
    isobar().arg("report").arg(&into).assert().success();

    let url = server.url("");
    assert!(complaint(&[&url, "--trace", "missing.csv"]).contains("cannot read the trace missing.csv"));
    std::fs::write(&file, "HashOwner,HashApp,HashFunction,Trigger,1\no,a,f,http,x\n").unwrap();
    let said = complaint(&[&url, "--trace", file.to_str().unwrap()]);
    assert!(said.contains("trace.csv:2: 'x' in minute 1 is no number"), "{said}");
    isobar().args(["load", &url, "--speed=2"]).assert().code(2);
}

#[test]
fn what_cannot_be_loaded_is_one_line() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{closed}/");
    assert!(complaint(&[&url]).contains("is the server running?"));
    assert!(complaint(&["http://no-such-host.invalid/"]).contains("no answer from no-such-host.invalid:80"));
    let silent = Server::start(|_, _, _| Act::Silence);
    assert!(complaint(&[&silent.url("/"), "--timeout=200ms"]).contains("no complete answer in time"));
    let server = Server::start(|_, _, _| ok("hi"));
    let url = server.url("/");
    assert!(complaint(&[&url, "--expect-file", "missing"]).contains("cannot read missing"));
    assert!(complaint(&[&url, "--method", "HEAD"]).contains("no body to be checked"));
    for args in [
        &["https://x/"][..],
        &[&url, "--rate=0"],
        &[&url, "--header=x"],
        &[&url, "--sweep"],
        &[&url, "--expect-sha256=12"],
    ] {
        isobar().arg("load").args(args).assert().code(2);
    }
}

#[test]
fn ctrl_c_shows_what_was_seen() {
    use std::io::Read;
    use std::process::{Command, Stdio};
    let server = Server::start(|_, _, _| ok("hi"));
    let mut child = Command::new(assert_cmd::cargo::cargo_bin("isobar"))
        .args(["load", &server.url("/"), "--warm-up=0s", "--duration=100s"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    while server.requests() < 100 && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(10));
    }
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let mut text = String::new();
    child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    assert!(text.contains("answered as expected"), "{text}");
}
