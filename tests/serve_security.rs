//! What must not get through the platform: names, floods, slow and broken clients, functions that never end, and anything
//! of the host into a function.

mod serving;

use rustix::process::{Resource, getrlimit};
use serving::{Answer, ENDLESS, Functions, PATIENCE, Server, prints};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Instant;

/// Prints the environment, the arguments and standard input, and `!` for each further descriptor that is a folder which was
/// opened for it, or through which it can open a file of the host's.
const PROBE: &str = r#"(module
  (import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ_sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $environ (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_get" (func $prestat (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "|!etc/passwd")
  (func $print (param $at i32) (param $length i32)
    (i32.store (i32.const 0) (local.get $at)) (i32.store (i32.const 4) (local.get $length))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func (export "_start") (local $fd i32)
    (drop (call $environ_sizes (i32.const 100) (i32.const 104)))
    (drop (call $environ (i32.const 1000) (i32.const 8192)))
    (call $print (i32.const 8192) (i32.load (i32.const 104)))
    (call $print (i32.const 64) (i32.const 1))
    (drop (call $args_sizes (i32.const 100) (i32.const 104)))
    (drop (call $args (i32.const 1000) (i32.const 8192)))
    (call $print (i32.const 8192) (i32.load (i32.const 104)))
    (call $print (i32.const 64) (i32.const 1))
    (i32.store (i32.const 0) (i32.const 8192)) (i32.store (i32.const 4) (i32.const 4096))
    (i32.store (i32.const 8) (i32.const 0))
    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
    (call $print (i32.const 8192) (i32.load (i32.const 8)))
    (call $print (i32.const 64) (i32.const 1))
    (local.set $fd (i32.const 3))
    (loop $next
      (if (i32.or (i32.eqz (call $open (local.get $fd) (i32.const 0) (i32.const 66) (i32.const 10) (i32.const 0)
                    (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 1000)))
                  (i32.eqz (call $prestat (local.get $fd) (i32.const 1000))))
        (then (call $print (i32.const 65) (i32.const 1))))
      (local.set $fd (i32.add (local.get $fd) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $fd) (i32.const 100))))))"#;

/// Asks for the time, its resolution, random bytes and a short sleep; prints `0` for each that it gets, `1` for each
/// that it is told is not there, and `?` for anything else.
const GRANTS: &str = r#"(module
  (import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_res_get" (func $resolution (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (table 1 funcref) (elem (i32.const 0) $random)
  (type $random (func (param i32 i32) (result i32)))
  (func $say (param $errno i32)
    (i32.store8 (i32.const 16) (i32.const 63))
    (if (i32.eqz (local.get $errno)) (then (i32.store8 (i32.const 16) (i32.const 48))))
    (if (i32.eq (local.get $errno) (i32.const 52)) (then (i32.store8 (i32.const 16) (i32.const 49))))
    (i32.store (i32.const 0) (i32.const 16)) (i32.store (i32.const 4) (i32.const 1))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func (export "_start")
    (call $say (call $time (i32.const 0) (i64.const 1) (i32.const 200)))
    (call $say (call $resolution (i32.const 0) (i32.const 200)))
    (i64.store (i32.const 1000) (i64.const 1)) (i32.store8 (i32.const 1008) (i32.const 0))
    (i32.store (i32.const 1016) (i32.const 1)) (i64.store (i32.const 1024) (i64.const 1000000))
    (call $say (call $poll (i32.const 1000) (i32.const 2000) (i32.const 1) (i32.const 3000)))
    (call $say (call_indirect (type $random) (i32.const 200) (i32.const 8) (i32.const 0)))))"#;

/// Every mode of every runtime that is here, and those that run in the platform's own process.
fn runtimes() -> Vec<String> {
    let mut list = assert_cmd::Command::cargo_bin("isobar").unwrap();
    let output = list.current_dir(env!("CARGO_MANIFEST_DIR")).args(["list", "--names"]).output().unwrap().stdout;
    let names = String::from_utf8(output).unwrap();
    let families = ["wasmtime/", "wasmer/", "wasmer-llvm/", "wasmedge/", "wasm3/", "wasmi/"];
    let of_a_runtime = |name: &&str| families.iter().any(|family| name.starts_with(family));
    let chosen = |name: &&str| !name.contains('+') || name.ends_with("+limits");
    names.lines().filter(of_a_runtime).filter(chosen).map(str::to_owned).collect()
}

fn isolated(runtime: &str, strategy: &str) {
    let functions = Functions::new();
    functions
        .put("probe", PROBE, "env = [\"A\", \"B\"]\nargs = [\"one\"]\nstdin = true\n[set]\nC = \"3\"\n")
        .put("bare", PROBE, "")
        .put("granted", GRANTS, "clock = true\nrandom = true\n")
        .put("clock", GRANTS, "clock = true\n")
        .put("denied", GRANTS, "");
    let cache = tempfile::tempdir().unwrap();
    let (folder, cache) = (functions.folder.path().to_str().unwrap(), cache.path().to_str().unwrap());
    let mut command = Server::command(&["--runtime", runtime, "--strategy", strategy]);
    command.args(["--functions", folder, "--cache-dir", cache]).env("SECRET", "leaked");
    let server = Server::spawn(command);
    let said = |answer: Answer| {
        assert_eq!(answer.status, 200, "{runtime} {strategy}: {answer:?}\n{}", server.log());
        answer.text()
    };
    // Twice, as the second one finds what the first one left.
    for round in 0..2 {
        let probed = said(server.post(&format!("/probe?B=2&A={round}"), b"input"));
        assert_eq!(probed, format!("B=2\0A={round}\0C=3\0|function\0one\0|input|"), "{runtime} {strategy}");
        assert_eq!(said(server.get("/bare")), "|function\0||", "{runtime} {strategy}");
        assert_eq!(said(server.get("/granted")), "0000", "{runtime} {strategy}");
        assert_eq!(said(server.get("/clock")), "0001", "{runtime} {strategy}");
        assert_eq!(said(server.get("/denied")), "1111", "{runtime} {strategy}");
    }
}

#[test]
fn a_function_has_what_is_declared_and_nothing_of_the_host_in_any_runtime() {
    let runtimes = runtimes();
    assert!(runtimes.iter().any(|name| name == "wasmi/eager+limits"), "{runtimes:?}");
    for runtime in &runtimes {
        isolated(runtime, "cached");
    }
}

#[test]
fn a_function_has_what_is_declared_and_nothing_of_the_host_in_any_strategy() {
    for runtime in ["wasmtime/cranelift-aot+pooling+limits", "wasmi/eager+limits", "wasm3/lazy", "wasmtime/winch-aot"] {
        for strategy in ["naive", "pooled"] {
            isolated(runtime, strategy);
        }
    }
}

#[test]
fn names_are_an_allow_list() {
    let server = Server::start(&[]);
    let long = format!("/{}", "a".repeat(10_000));
    for path in [
        "/../Cargo.toml",
        "/../../../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/..%2f..%2fetc%2fpasswd",
        "/rust%2fhello",
        "/rust%2Fhello",
        "/%68ello",
        "//etc/passwd",
        "/etc/passwd",
        "/rust/../rust/hello",
        "/./hello",
        "/hello/",
        "//hello",
        "/hello%00",
        "/hello.wasm",
        "/rust/hello/hello.wasm",
        "/HELLO",
        "/rust\\hello",
        "/workloads/rust/hello/hello.wasm",
        "/file:///etc/passwd",
        "/con",
        &long,
    ] {
        let answer = server.get(path);
        assert_eq!(answer.status, 404, "{path}: {answer:?}");
        let text = answer.text();
        assert_eq!(answer.error(), "not-found", "{path}: {text}");
        assert!(!["root:", "/tmp", "workspace", "workloads"].iter().any(|word| text.contains(word)), "{path}: {text}");
        assert!(text.len() < 200, "{path}: {text}");
    }
    // No name: not even a request.
    for path in ["/hello\0", "/hello\x7f", "hello", "/\u{e4}"] {
        let answer = server.raw(format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").as_bytes());
        let text = String::from_utf8_lossy(&answer);
        assert!(text.is_empty() || text.starts_with("HTTP/1.1 4"), "{path:?}: {text}");
    }
    let metrics = server.get("/metrics").text();
    assert!(metrics.contains("function=\"-\",status=\"404\"") && !metrics.contains("passwd"), "{metrics}");
}

#[test]
fn floods_are_refused_and_the_rest_is_served() {
    let server = Server::start(&[]);
    let request = |path: &str, more: &str| format!("GET {path} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n{more}\r\n");
    let floods = [
        request("/hello?NAME=x", &"X-Flood: 1\r\n".repeat(2000)),
        request("/hello?NAME=x", &format!("X-Flood: {}\r\n", "x".repeat(1 << 20))),
        request(&format!("/hello?{}", "NAME=x&".repeat(2000)), ""),
        request(&format!("/hello?NAME={}", "x".repeat(1 << 20)), ""),
        format!("GET {}", "/".repeat(1 << 20)),
        "\r\n".repeat(1 << 19),
    ];
    for flood in floods {
        let answer = server.raw(flood.as_bytes());
        let text = String::from_utf8_lossy(&answer[..answer.len().min(100)]).into_owned();
        assert!(text.is_empty() || text.starts_with("HTTP/1.1 4"), "{text}");
        assert_eq!(server.get("/hello?NAME=x").text(), "Hello, x!\n");
    }
}

#[test]
fn what_is_not_http_is_refused_and_the_rest_is_served() {
    let server = Server::start(&["--head-time", "2s", "--body-time", "2s"]);
    let post = |headers: &str, body: &str| {
        format!("POST /echo HTTP/1.1\r\nHost: t\r\nConnection: close\r\n{headers}\r\n{body}").into_bytes()
    };
    for bytes in [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        b"GET\r\n\r\n".to_vec(),
        b"GET /hello HTTP/9.9\r\n\r\n".to_vec(),
        b"GET /hello HTTP/1.1\r\nno colon\r\n\r\n".to_vec(),
        b"GET /hello HTTP/1.1\r\nX\0: y\r\n\r\n".to_vec(),
        b"\0\0\0\0\r\n\r\n".to_vec(),
        vec![0xff; 4096],
        post("Content-Length: -1\r\n", "x"),
        post("Content-Length: x\r\n", "x"),
        post("Content-Length: 1\r\nContent-Length: 2\r\n", "xy"),
        post("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
        post("Transfer-Encoding: chunked\r\n", "zz\r\n"),
        post("Transfer-Encoding: nonsense\r\n", "x"),
        post("Transfer-Encoding: chunked\r\n", "ffffffffffffffffff\r\n"),
        post("Content-Length: 99999999999999999999999\r\n", "x"),
        post("Content-Length: 100\r\n", "not a hundred"),
    ] {
        let answer = server.raw(&bytes);
        let text = String::from_utf8_lossy(&answer[..answer.len().min(200)]).into_owned();
        let asked = String::from_utf8_lossy(&bytes[..bytes.len().min(100)]).into_owned();
        assert!(text.is_empty() || text.starts_with("HTTP/1.1 4"), "{asked:?}: {text}");
        assert_eq!(server.get("/hello?NAME=x").text(), "Hello, x!\n");
    }
}

#[test]
fn slow_clients_are_told_to_go_and_keep_nobody_waiting() {
    let server = Server::start(&["--head-time", "1s", "--body-time", "1s"]);
    let begun = |bytes: &[u8]| {
        let mut stream = server.connect();
        stream.write_all(bytes).unwrap();
        stream
    };
    let heads: Vec<TcpStream> = (0..200).map(|_| begun(b"GET /hello?NAME=x HTTP/1.1\r\nHost:")).collect();
    let bodies: Vec<TcpStream> =
        (0..50).map(|_| begun(b"POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\nslow")).collect();
    for _ in 0..20 {
        assert_eq!(server.get("/hello?NAME=x").text(), "Hello, x!\n");
    }
    for mut stream in heads.into_iter().chain(bodies) {
        let mut answer = Vec::new();
        // A connection may also be reset.
        if stream.read_to_end(&mut answer).is_ok() && !answer.is_empty() {
            assert_eq!(Answer::parse(&answer).status, 408);
        }
    }
}

#[test]
fn a_function_that_never_ends_leaves_the_others_their_share() {
    for runtime in ["wasmtime/cranelift+limits", "wasmi/eager+limits", "wasm3/lazy"] {
        let functions = Functions::new();
        functions.put("endless", ENDLESS, "").put("plain", &prints("plain"), "");
        let server = Server::with(&functions, &["--runtime", runtime, "--wall-time", "300ms"]);
        assert_eq!(server.get("/plain").text(), "plain", "{runtime}");
        let statuses = std::thread::scope(|scope| {
            let calls: Vec<_> = (0..100).map(|_| scope.spawn(|| server.get("/endless").status)).collect();
            let since = Instant::now();
            while !calls.iter().all(|call| call.is_finished()) {
                let answer = server.get("/plain");
                assert_eq!((answer.status, answer.text().as_str()), (200, "plain"), "{runtime}: {}", server.log());
                assert!(since.elapsed() < PATIENCE, "{runtime}");
            }
            calls.into_iter().map(|call| call.join().unwrap()).collect::<Vec<_>>()
        });
        // Those that waited for too long were told so.
        assert!(statuses.iter().all(|status| [504, 503].contains(status)), "{runtime}: {statuses:?}");
        assert!(statuses.iter().filter(|status| **status == 504).count() > 10, "{runtime}: {statuses:?}");
        assert_eq!(server.get("/plain").text(), "plain", "{runtime}");
    }
}

#[test]
fn ten_thousand_connections_at_once_are_all_answered() {
    let allowed = getrlimit(Resource::Nofile).current.map_or(u64::MAX, |soft| soft.saturating_sub(300)) as usize;
    let count = allowed.min(10_000);
    if count < 10_000 {
        eprintln!("{count} connections instead of 10,000: raise the limit of open files (ulimit -n)");
    }
    let server = Server::start(&["--queue", "20000", "--queue-wait", "120s", "--head-time", "120s"]);
    assert_eq!(server.get("/hello?NAME=x").status, 200);
    let mut streams: Vec<TcpStream> = (0..count).map(|_| server.connect()).collect();
    for stream in &mut streams {
        stream.write_all(b"GET /hello?NAME=many HTTP/1.1\r\nHost: t\r\n\r\n").unwrap();
    }
    for stream in &mut streams {
        let mut answer = Vec::new();
        let mut chunk = [0; 1024];
        while !answer.ends_with(b"Hello, many!\n") {
            let length = stream.read(&mut chunk).unwrap();
            assert!(length > 0, "{}", String::from_utf8_lossy(&answer));
            answer.extend_from_slice(&chunk[..length]);
        }
        assert_eq!(Answer::parse(&answer).status, 200);
    }
    assert_eq!(server.get("/hello?NAME=x").status, 200);
}

#[test]
fn a_full_queue_is_said_so() {
    let functions = Functions::new();
    functions.put("endless", ENDLESS, "");
    let server = Server::with(&functions, &["--queue", "2", "--workers", "1", "--wall-time", "1s"]);
    let answers = std::thread::scope(|scope| {
        let calls: Vec<_> = (0..20).map(|_| scope.spawn(|| server.get("/endless"))).collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect::<Vec<_>>()
    });
    let refused: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 503).collect();
    assert!(!refused.is_empty() && refused.len() < 20, "{answers:?}");
    for answer in refused {
        assert_eq!((answer.header("retry-after"), answer.error().as_str()), ("1", "busy"));
    }
}
