//! What a runner program adds to what its runtime needs: time from spawning it until its engine is ready, and resident
//! memory then, beside the least program that links the same engine (`runtimes/*/examples/bare-*.rs`).
//!
//! Build those first: `scripts/overhead` does, and runs this.

use isobar::stats::{Summary, median};
use isobar_core::process::resident_bytes;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// The runtimes, by family and name.
const RUNTIMES: [&str; 5] =
    ["wasmtime/cranelift", "wasmer/cranelift", "wasmedge/interpreter", "wasm3/lazy", "wasmi/eager"];

const PAIRS: usize = 60;

/// One start of a program: until it was ready, and what was resident then.
struct Start {
    ready_us: f64,
    resident_bytes: u64,
}

fn main() {
    // Started as a test it has nothing to say.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let folder = programs();
    println!(
        "| runtime | bare: ready after | runner: ready after | adds [95 %] | bare: resident | runner: resident | adds |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    for runtime in RUNTIMES {
        let family = runtime.split('/').next().unwrap_or_default();
        let bare = folder.join("examples").join(format!("bare-{family}"));
        let runner = folder.join(format!("isobar-runner-{family}"));
        match [&bare, &runner].into_iter().find(|program| !program.is_file()) {
            Some(missing) => eprintln!("skipped {runtime}: {} is not built; run scripts/overhead", missing.display()),
            None => println!("{}", compare(runtime, &bare, &runner)),
        }
    }
}

/// The folder of the release programs: this one's is `deps` in it.
fn programs() -> PathBuf {
    let exe = std::env::current_exe().expect("this program has a path");
    exe.ancestors().nth(2).map(Path::to_owned).expect("a target folder has folders")
}

fn compare(runtime: &str, bare: &Path, runner: &Path) -> String {
    let request = format!("{{\"op\":\"engine\",\"runtime\":\"{runtime}\"}}\n");
    let (mut bares, mut runners, mut added) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..PAIRS {
        let (without, with) = (start(bare, ""), start(runner, &request));
        added.push(with.ready_us - without.ready_us);
        bares.push(without);
        runners.push(with);
    }
    let of = |starts: &[Start], value: fn(&Start) -> f64| {
        median(&mut starts.iter().map(value).collect::<Vec<_>>()).unwrap_or(0.0)
    };
    let time = |starts: &[Start]| of(starts, |start| start.ready_us) / 1e3;
    let memory = |starts: &[Start]| of(starts, |start| start.resident_bytes as f64) / f64::from(1 << 20);
    let added = Summary::of(&[added], 1).expect("there are pairs");
    format!(
        "| `{runtime}` | {:.2} ms | {:.2} ms | {:+.2} ms [{:+.2}, {:+.2}] | {:.1} MiB | {:.1} MiB | {:+.1} MiB |",
        time(&bares),
        time(&runners),
        added.median / 1e3,
        added.low / 1e3,
        added.high / 1e3,
        memory(&bares),
        memory(&runners),
        memory(&runners) - memory(&bares),
    )
}

/// Starts a program, asks, and waits for its first line.
fn start(program: &Path, request: &str) -> Start {
    let begin = Instant::now();
    let mut child = Command::new(program)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("standard input is a pipe");
    stdin.write_all(request.as_bytes()).expect("the program reads");
    let mut line = String::new();
    let stdout = child.stdout.take().expect("standard output is a pipe");
    BufReader::new(stdout).read_line(&mut line).expect("the program answers");
    let ready_us = begin.elapsed().as_nanos() as f64 / 1e3;
    assert!(line.starts_with("ready") || line.contains("\"done\""), "{} says {line}", program.display());
    let resident_bytes = resident_bytes(child.id()).expect("the program still runs, and the system tells");
    drop(stdin);
    child.wait().expect("the program ends");
    Start { ready_us, resident_bytes }
}
