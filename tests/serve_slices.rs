//! Functions that were always fast run on the thread that read their request, until one time they are not fast.

mod serving;

use serving::{Answer, Functions, PATIENCE, Server, prints};
use std::time::Instant;

/// Prints `done`; with a variable in its environment only after `detour`.
fn detour(detour: &str) -> String {
    let imports = r#"
        (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "environ_sizes_get" (func $sizes (param i32 i32) (result i32))) (memory"#;
    let asks = format!(
        "(drop (call $sizes (i32.const 2000) (i32.const 2004)))
         (if (i32.load (i32.const 2000)) (then {detour}))
         (i32.store"
    );
    prints("done").replacen("(memory", imports, 1).replacen("(i32.store", &asks, 1)
}

const ENDLESSLY: &str = "(loop $again (br $again))";

/// 100 ms: many slices.
const ASLEEP: &str = "(i32.store (i32.const 1016) (i32.const 1)) (i64.store (i32.const 1024) (i64.const 100000000))
    (drop (call $poll (i32.const 1000) (i32.const 2000) (i32.const 1) (i32.const 3000)))";

const ANY: &str = "env = [\"*\"]\nclock = true";

/// A platform with one thread for requests: whatever holds that up holds up everything.
fn platform(functions: &Functions, more: &[&str]) -> Server {
    Server::with(functions, &[&["--strategy", "pooled", "--io-threads", "1"], more].concat())
}

/// Whether it ran on a worker.
fn was_queued(answer: &Answer) -> bool {
    answer.header("server-timing").contains("queue")
}

fn overruns(server: &Server, function: &str) -> u64 {
    let name = format!("isobar_slice_overruns_total{{function=\"{function}\"}} ");
    let metrics = server.get("/metrics").text();
    metrics.lines().find_map(|line| line.strip_prefix(&name)?.parse().ok()).unwrap_or(0)
}

/// Calls it until it was fast often enough.
fn becomes_fast(server: &Server, path: &str) {
    let since = Instant::now();
    while was_queued(&server.get(path)) {
        assert!(since.elapsed() < PATIENCE, "{path} is never fast");
    }
}

#[test]
fn a_fast_function_needs_no_worker_and_one_that_is_not_fast_any_more_gets_one() {
    let functions = Functions::new();
    functions.copy("fibonacci", "rust/fibonacci/fibonacci.wasm", "env = [\"N\"]").put("nap", &detour(ASLEEP), ANY);
    let server = platform(&functions, &[]);
    assert!(was_queued(&server.get("/fibonacci?N=1")), "nobody knows yet how fast it is");
    becomes_fast(&server, "/fibonacci?N=1");
    let before = overruns(&server, "fibonacci");
    let answer = server.get("/fibonacci?N=35");
    assert_eq!((answer.status, answer.text().trim()), (200, "9227465"));
    assert!(was_queued(&answer), "{answer:?}");
    assert!(overruns(&server, "fibonacci") > before);
    assert!(was_queued(&server.get("/fibonacci?N=1")), "it has to earn the next slice");
    becomes_fast(&server, "/fibonacci?N=1");
    // Sleeping takes no processor, and the thread all the same.
    becomes_fast(&server, "/nap");
    let answer = server.get("/nap?LONG=1");
    assert_eq!((answer.status, answer.text()), (200, "done".to_owned()));
    assert!(was_queued(&answer) && overruns(&server, "nap") > 0, "{answer:?}");
}

#[test]
fn what_never_ends_holds_up_nobody() {
    let functions = Functions::new();
    functions.put("f", &detour(ENDLESSLY), ANY).put("other", &prints("other"), "");
    let server = platform(&functions, &["--wall-time", "3s", "--workers", "2"]);
    becomes_fast(&server, "/f");
    std::thread::scope(|scope| {
        let endless = scope.spawn(|| server.get("/f?LONG=1"));
        let mut answered = 0;
        while !endless.is_finished() {
            assert_eq!(server.get("/other").text(), "other");
            answered += 1;
        }
        let answer = endless.join().unwrap();
        assert_eq!((answer.status, answer.error().as_str()), (504, "timeout"));
        assert!(answered > 10, "{answered} answers in three seconds");
    });
    assert_eq!(server.get("/f").text(), "done");
}

#[test]
fn without_slices_every_function_runs_on_a_worker() {
    let functions = Functions::new();
    functions.put("f", &prints("f"), "");
    for options in [&["--strategy", "pooled", "--slice", "0s"][..], &["--strategy", "cached"]] {
        let server = Server::with(&functions, options);
        for _ in 0..100 {
            let answer = server.get("/f");
            assert!(answer.text() == "f" && was_queued(&answer), "{options:?}: {answer:?}");
        }
    }
}
