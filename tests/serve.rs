//! `isobar serve` as its users meet it.

mod serving;

use serving::{ENDLESS, Functions, Server, prints};

#[test]
fn functions_answer_by_name_in_every_strategy() {
    for strategy in ["naive", "cached", "pooled"] {
        let cache = tempfile::tempdir().unwrap();
        let server = Server::start(&["--strategy", strategy, "--cache-dir", cache.path().to_str().unwrap()]);
        for path in ["/hello", "/rust/hello", "/assemblyscript/hello"] {
            for start in ["cold", "warm"] {
                let answer = server.get(&format!("{path}?NAME=J%C3%B6+%26"));
                assert_eq!((answer.status, answer.text()), (200, "Hello, Jö &!\n".to_owned()), "{strategy} {path}");
                assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
                // `/hello` and `/rust/hello` are one function.
                let wanted = if strategy == "naive" {
                    "cold"
                } else if path == "/rust/hello" {
                    "warm"
                } else {
                    start
                };
                assert_eq!(answer.header("x-isobar-start"), wanted, "{strategy} {path}");
                let timing = answer.header("server-timing");
                assert!(
                    timing.contains("execute;dur=") && timing.contains("load;dur=") == (wanted == "cold"),
                    "{timing}"
                );
            }
        }
        let answer = server.post("/base64?MODE=encode", b"foobar");
        assert_eq!((answer.status, answer.text().as_str()), (200, "Zm9vYmFy\n"), "{strategy}");
    }
}

#[test]
fn what_goes_wrong_has_a_status_and_a_word() {
    let functions = Functions::new();
    functions
        .put("plain", &prints("plain"), "")
        .put("endless", ENDLESS, "[limits]\nwall_time_ms = 200\n")
        .put("trap", r#"(module (func (export "_start") unreachable))"#, "")
        .put("exit", &exits(3), "[exit_status]\n3 = 422\n")
        .put("seven", &exits(7), "")
        .put("large", r#"(module (memory (export "memory") 9000) (func (export "_start")))"#, "")
        .put("long", &prints(&"x".repeat(5000)), "[limits]\noutput_bytes = 4999\n")
        .put("unlinked", r#"(module (import "env" "f" (func)) (func (export "_start") call 0))"#, "");
    let server = Server::with(&functions, &["--body-bytes", "1000"]);
    for (path, status, error) in [
        ("/nothing", 404, "not-found"),
        ("/endless", 504, "timeout"),
        ("/trap", 500, "trap"),
        ("/exit", 422, "exit"),
        ("/seven", 500, "exit"),
        ("/large", 507, "memory"),
        ("/long", 500, "output-limit"),
        ("/unlinked", 500, "link"),
        ("/plain?A=1", 400, "query"),
    ] {
        let answer = server.request("GET", path, &[("x-request-id", "mine-1")], b"");
        assert_eq!((answer.status, answer.error().as_str()), (status, error), "{path}: {answer:?}");
        assert_eq!(answer.header("content-type"), "application/json", "{path}");
        assert!(answer.text().contains("\"request_id\":\"mine-1\""), "{answer:?}");
        assert_eq!(answer.header("x-request-id"), "mine-1");
    }
    assert!(server.get("/seven").text().contains("\"exit_code\":7"));
    assert_eq!(server.post("/plain", b"x").error(), "no-body");
    assert_eq!(server.post("/plain", &[b'x'; 1001]).status, 413);
    assert_eq!(server.request("PUT", "/plain", &[], b"").header("allow"), "GET, POST");
    assert_eq!(server.get("/plain").text(), "plain");
}

fn exits(code: i32) -> String {
    format!(
        r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1) (func (export "_start") (call $exit (i32.const {code}))))"#
    )
}
