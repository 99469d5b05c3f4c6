//! A runner whose runtime is an HTTP server: a Python script, brought by a manifest.

mod support {
    pub mod servers;
}

use isobar::remote::{Program, RemoteRuntime};
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
