//! Changing, watching, setting and ending a platform.

mod serving;

use rustix::process::Signal;
use serving::{ENDLESS, Functions, PATIENCE, Server, prints};
use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

/// Sleeps for half a second, then prints `slept`.
fn sleeper() -> String {
    prints("slept")
        .replacen(
            "(memory",
            r#"(import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32))) (memory"#,
            1,
        )
        .replacen(
            "(i32.store",
            "(i32.store (i32.const 1016) (i32.const 1)) (i64.store (i32.const 1024) (i64.const 500000000))
             (drop (call $poll (i32.const 1000) (i32.const 2000) (i32.const 1) (i32.const 3000))) (i32.store",
            1,
        )
}

#[test]
fn a_changed_function_is_taken_over_and_no_request_fails() {
    for strategy in ["naive", "cached", "pooled"] {
        let functions = Functions::new();
        functions.put("f", &prints("one"), "").put("group/g", &prints("g"), "");
        let cache = tempfile::tempdir().unwrap();
        let options = ["--strategy", strategy, "--cache-dir", cache.path().to_str().unwrap()];
        let server = Server::with(&functions, &options);
        assert_eq!((server.get("/f").text(), server.get("/group/g").text()), ("one".to_owned(), "g".to_owned()));
        assert_eq!(server.get("/g").status, 404, "only workloads have shorter names");
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let asking = scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    let answer = server.get("/f");
                    assert!(
                        answer.status == 200 && ["one", "two"].contains(&&*answer.text()),
                        "{strategy}: {answer:?}"
                    );
                }
            });
            functions.put("f", &prints("two"), "");
            server.until("/f", |answer| answer.text() == "two");
            // What is broken in any way leaves what was there.
            for (wat, manifest, said) in [
                ("(module", "", "malformed WebAssembly text"),
                ("(module)", "", "_start"),
                (&*prints("three"), "envv = []", "unknown field `envv`"),
            ] {
                functions.put("f", wat, manifest);
                let since = std::time::Instant::now();
                while !server.log().contains(said) {
                    assert!(since.elapsed() < PATIENCE, "{said}: {}", server.log());
                    std::thread::sleep(std::time::Duration::from_millis(10));
                }
                assert_eq!(server.get("/f").text(), "two", "{strategy}");
            }
            functions.put("f", &prints("two"), "content_type = \"text/x-two\"");
            over.store(true, Ordering::Relaxed);
            asking.join().unwrap();
        });
        server.until("/f", |answer| answer.header("content-type") == "text/x-two");
        functions.put("new", &prints("new"), "");
        server.until("/new", |answer| answer.text() == "new");
        std::fs::remove_file(functions.path("f.wat")).unwrap();
        server.until("/f", |answer| answer.status == 404);
        let metrics = server.get("/metrics").text();
        assert!(metrics.contains("isobar_reloads_total{result=\"failed\"}"), "{metrics}");
    }
}

#[test]
fn a_cached_artifact_is_used_again_and_a_damaged_one_is_built_anew() {
    let cache = tempfile::tempdir().unwrap();
    let folder = cache.path().join("artifacts");
    let options = ["--strategy", "pooled", "--cache-dir", folder.to_str().unwrap()];
    let first = |damage: &dyn Fn(Vec<PathBuf>)| {
        damage(std::fs::read_dir(&folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect());
        let server = Server::start(&options);
        let answer = server.get("/hello?NAME=x");
        assert_eq!(answer.text(), "Hello, x!\n", "{}", server.log());
        assert_eq!(answer.header("x-isobar-start"), "cold");
        answer.header("server-timing").contains("compile;dur=")
    };
    assert!(first(&|files| assert!(files.is_empty())), "compiled");
    assert!(!first(&|files| assert_eq!(files.len(), 2)), "found");
    let artifact =
        |files: &[PathBuf]| files.iter().find(|file| file.extension().unwrap() == "artifact").unwrap().clone();
    let sum = |files: &[PathBuf]| files.iter().find(|file| file.extension().unwrap() == "sha256").unwrap().clone();
    let damaged = first(&|files| {
        let mut bytes = std::fs::read(artifact(&files)).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(artifact(&files), bytes).unwrap();
    });
    assert!(damaged, "a flipped bit");
    assert!(first(&|files| std::fs::write(artifact(&files), b"").unwrap()), "an empty file");
    assert!(first(&|files| std::fs::remove_file(sum(&files)).unwrap()), "no sum");
    // Whole, but not of this runtime.
    let foreign = first(&|files| {
        std::fs::write(artifact(&files), b"foreign").unwrap();
        std::fs::write(sum(&files), isobar_core::measure::sha256_hex(b"foreign")).unwrap();
    });
    assert!(foreign, "a foreign artifact");
    assert!(!first(&|_| {}), "repaired");
}

#[test]
fn health_metrics_and_the_list_of_functions() {
    let server = Server::start(&[]);
    assert_eq!(server.get("/healthz").text(), "ok\n");
    assert_eq!(server.get("/hello?NAME=x").status, 200);
    assert_eq!(server.get("/hello?NAME=x").status, 200);
    assert_eq!(server.get("/hello").status, 400);
    let answer = server.get("/metrics");
    assert!(answer.header("content-type").starts_with("text/plain; version=0.0.4"), "{answer:?}");
    let metrics = answer.text();
    for line in [
        "isobar_requests_total{function=\"rust/hello\",status=\"200\"} 2",
        "isobar_requests_total{function=\"rust/hello\",status=\"400\"} 1",
        "isobar_failures_total{kind=\"exit\"} 1",
        "isobar_starts_total{function=\"rust/hello\",start=\"cold\"} 1",
        "isobar_starts_total{function=\"rust/hello\",start=\"warm\"} 2",
        "isobar_phase_seconds_count{function=\"rust/hello\",phase=\"execute\"} 3",
        "isobar_request_seconds_count{function=\"rust/hello\"} 3",
        "isobar_live_instances 0",
        "isobar_queue_length 0",
    ] {
        assert!(metrics.lines().any(|metric| metric == line), "{line} is not in {metrics}");
    }
    let page = server.get("/");
    let text = page.text();
    assert!(page.header("content-security-policy").starts_with("default-src 'none'"), "{page:?}");
    assert!(text.contains("<form method=\"get\" action=\"/rust/hello\">"), "{text}");
    assert!(text.contains("also <code>/hello</code>") && text.contains("name=\"NAME\" value=\"World\""), "{text}");
}

#[test]
fn what_a_manifest_says_is_shown_as_text() {
    let functions = Functions::new();
    functions.put("f", &prints("x"), "description = '<script>alert(1)</script>'\nenv = ['\"><b>']\n");
    let text = Server::with(&functions, &[]).get("/").text();
    assert!(
        text.contains("&lt;script&gt;alert(1)") && !text.contains("<script>alert") && !text.contains("<b>"),
        "{text}"
    );
}

#[test]
fn cgi_functions_set_status_and_headers() {
    let functions = Functions::new();
    let manifest = "cgi = true\nenv = [\"A\"]\n";
    functions
        .put("page", &prints("Content-Type: text/html\nStatus: 404 No\nX-Mine: yes\n\n<p>body"), manifest)
        .put("away", &prints("Location: /page\r\n\r\n"), manifest)
        .put("smuggled", &prints("Content-Type: a/b\nContent-Length: 1\n\nxyz"), manifest)
        .put("none", &prints("just text"), manifest);
    let server = Server::with(&functions, &[]);
    let page = server.get("/page?A=1");
    assert_eq!((page.status, page.text().as_str()), (404, "<p>body"));
    assert_eq!((page.header("content-type"), page.header("x-mine")), ("text/html", "yes"));
    assert_eq!(server.get("/away").status, 302);
    assert_eq!(server.get("/smuggled").error(), "header-block");
    assert_eq!(server.get("/none").error(), "header-block");
}

#[test]
fn what_is_in_flight_is_finished_before_the_end() {
    for (signal, code) in [(Signal::TERM, 0), (Signal::INT, 130)] {
        let functions = Functions::new();
        functions.put("sleeper", &sleeper(), "clock = true\n");
        let mut server = Server::with(&functions, &["--workers", "4", "--per-function", "4"]);
        let calls: Vec<_> = (0..4)
            .map(|_| {
                let mut stream = server.connect();
                stream.write_all(b"GET /sleeper HTTP/1.1\r\nHost: t\r\n\r\n").unwrap();
                stream
            })
            .collect();
        server.until("/metrics", |metrics| metrics.text().contains("isobar_running 4"));
        server.signal(signal);
        for mut stream in calls {
            let mut answer = Vec::new();
            std::io::Read::read_to_end(&mut stream, &mut answer).unwrap();
            assert_eq!(serving::Answer::parse(&answer).text(), "slept", "{}", server.log());
        }
        assert_eq!(server.wait().code(), Some(code), "{}", server.log());
        assert!(std::net::TcpStream::connect(server.address).is_err());
    }
}

#[test]
fn options_come_from_the_command_line_then_the_environment_then_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("isobar.toml");
    std::fs::write(&config, "runtime = \"wasmi/lazy+limits\"\nworkers = 3\nlog-format = \"json\"\nlog = \"debug\"\n")
        .unwrap();
    let ready = |args: &[&str], env: &[(&str, &str)]| {
        let mut command = Server::command(args);
        command.arg("--config").arg(&config).envs(env.iter().copied());
        let server = Server::spawn(command);
        assert_eq!(server.request("GET", "/hello?NAME=x", &[("x-request-id", "mine")], b"").status, 200);
        let page = server.get("/").text();
        let since = std::time::Instant::now();
        while !server.log().contains("\"request_id\":\"mine\"") {
            assert!(since.elapsed() < PATIENCE, "no line of JSON: {}", server.log());
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        page.split(" functions in ").nth(1).unwrap().split(',').next().unwrap().to_owned()
    };
    assert_eq!(ready(&[], &[]), "wasmi/lazy+limits");
    let env = [("ISOBAR_RUNTIME", "wasmi/eager+limits")];
    assert_eq!(ready(&[], &env), "wasmi/eager+limits");
    assert_eq!(ready(&["--runtime", "wasmtime/winch+limits"], &env), "wasmtime/winch+limits");
    for (text, said) in [("workers = 0", "line 1"), ("\nwokers = 1", "line 2: unknown field `wokers`")] {
        std::fs::write(&config, text).unwrap();
        let output = Server::command(&["--config", config.to_str().unwrap()]).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && stderr.contains(said) && stderr.lines().count() == 1, "{stderr}");
    }
}

#[test]
fn what_keeps_it_from_starting_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    std::fs::write(folder.path().join("healthz.wat"), ENDLESS).unwrap();
    let server = Server::start(&[]);
    let taken = server.address.to_string();
    for (args, said) in [
        (&["--runtime", "wasmtime/cranelit"][..], "did you mean wasmtime/cranelift"),
        (&["--functions", "/nowhere/at/all"], "there is no /nowhere/at/all"),
        (&["--functions", path], "the platform's own"),
        (&["--listen", "nonsense"], "give another --listen"),
        (&["--listen", &taken], "give another --listen"),
        (&["--wall-time", "0s"], "--wall-time"),
    ] {
        let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin("isobar"));
        let output = command.current_dir(env!("CARGO_MANIFEST_DIR")).arg("serve").args(args).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {stderr}");
        assert!(stderr.contains(said) && stderr.trim_end().lines().count() == 1, "{args:?}: {stderr}");
    }
}
