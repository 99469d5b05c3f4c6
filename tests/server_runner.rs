//! A runner whose runtime is an HTTP server: a Python script, brought by a manifest.

mod support {
    pub mod servers;
}

use isobar::registry::Registry;
use isobar::remote::{Program, RemoteRuntime};
use isobar::workload::{BuildOptions, Builder, Catalogue};
use isobar_core::{Invocation, Runtime};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};
use support::servers;

fn discover(folder: &Path) -> Option<RemoteRuntime> {
    let program = servers::python(folder)?;
    let program = Program { path: program.0, args: program.1, launcher: Vec::new(), cpus: Vec::new() };
    let (runtimes, _) = RemoteRuntime::discover(program).expect("the runner says what it is");
    runtimes.into_iter().find(|runtime| runtime.info().id.as_str() == "mine/http")
}

fn get(address: &str, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[test]
fn a_server_is_started_asked_and_ended_with_its_handle() {
    let folder = tempfile::tempdir().unwrap();
    let Some(runtime) = discover(folder.path()) else { return };
    let server = runtime.serve(&folder.path().join("no-module"), &Invocation::default()).unwrap();
    assert!(server.listening_ns() > 0);
    let address = server.url().strip_prefix("http://").and_then(|rest| rest.strip_suffix("/greet")).unwrap().to_owned();
    let answer = get(&address, "/greet?NAME=you").unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("\r\n\r\nHello, you!\n"), "{answer}");
    drop(server);
    let since = Instant::now();
    while get(&address, "/greet").is_ok() {
        assert!(since.elapsed() < Duration::from_secs(60), "the server outlives its handle");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_runtime_that_is_no_server_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let Some(_) = discover(folder.path()) else { return };
    for runtime in isobar::registry::in_process() {
        let failure = runtime.serve(Path::new("x"), &Invocation::default()).err().unwrap();
        assert!(failure.to_string().contains("is no server"), "{failure}");
    }
}

/// The component of a function; nothing, with a line that says so, where it cannot be built.
fn component(function: &str) -> Option<std::path::PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let options = BuildOptions { filters: vec![function.to_owned()], ..BuildOptions::default() };
    let report = Builder::component(root).and_then(|builder| builder.build(&options, &|_, _| ())).unwrap();
    for (toolchain, reason) in &report.missing {
        eprintln!("skipped: {toolchain} {reason}");
    }
    let found = Catalogue::load(&root.join("workloads")).unwrap().find(function).unwrap().component();
    assert!(found.is_ok() || !report.missing.is_empty(), "{found:?} {report:?}");
    found.ok()
}

#[test]
fn components_answer_in_each_mode_of_wasmtime_serve() {
    let registry = Registry::discover(None).unwrap();
    let servers = registry.runtimes.iter().filter(|runtime| runtime.info().id.family() == "wasmtime-serve");
    let servers: Vec<&RemoteRuntime> = servers.filter(|runtime| runtime.served().is_none()).collect();
    if servers.is_empty() {
        let absent = registry.absent.iter().find(|absent| absent.family == "wasmtime-serve").unwrap();
        assert!(absent.reason.contains("scripts/setup --wasmtime-cli"), "{}", absent.reason);
        return eprintln!("skipped: {}", absent.reason);
    }
    let (Some(hello), Some(fibonacci)) = (component("rust/hello"), component("rust/fibonacci")) else { return };
    let folder = tempfile::tempdir().unwrap();
    for server in servers {
        let info = server.info();
        let loaded = |component: &Path| match info.execution {
            isobar_core::Execution::Aot => {
                let artifact = folder.path().join("function.cwasm");
                server.engine().unwrap().compile(component, &artifact).unwrap();
                artifact
            }
            _ => component.to_owned(),
        };
        let asked = |component: &Path, queries: &[(&str, &str, &str)]| {
            let running = server.serve(&loaded(component), &Invocation::default()).unwrap();
            let address = running.url().strip_prefix("http://").unwrap().trim_end_matches('/').to_owned();
            for (query, status, body) in queries {
                let answer = get(&address, &format!("/?{query}")).unwrap();
                let wanted = format!("HTTP/1.1 {status}");
                assert!(answer.starts_with(&wanted) && answer.contains(body), "{}: {query}: {answer}", info.id);
            }
            drop(running);
            assert!(get(&address, "/").is_err(), "{}: the server outlives its handle", info.id);
        };
        let greetings = [
            ("NAME=W%C3%B6rld", "200", "Hello, W\u{f6}rld!\n"),
            ("NAME=", "200", "Hello, !\n"),
            ("NAME=a+b%25", "200", "Hello, a b%!\n"),
            ("", "500", "NAME: is not set\n"),
        ];
        asked(&hello, &greetings);
        let numbers =
            [("N=20", "200", "6765\n"), ("N=21&ITERATIONS=3", "200", "10946\n"), ("N=x", "500", "N: \"x\" is")];
        asked(&fibonacci, &numbers);
    }
}
