//! One request over a kept connection: to an actix handler that answers with a constant, and to isobar's platform in each
//! strategy. The last lines print how much of a request each part is: the framework, the phases of the function, the
//! platform between them.
//!
//! cargo bench --bench http; with -- --test each is asked a few times and nothing is measured.

use actix_web::{App, HttpResponse, HttpServer, web};
use criterion::Criterion;
use isobar::load::{Platform, Url};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

/// With this argument the program is the server with the constant.
const CONSTANT: &str = "serve-constant";

/// What every server answers.
const BODY: &str = "Hello, World!\n";

const PATH: &str = "/hello?NAME=World";

/// How long a server may take to start, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// What requests to a server took in all.
#[derive(Default)]
struct Total {
    elapsed: Duration,
    requests: u64,
    /// What the server said of its phases, in milliseconds.
    phases: BTreeMap<String, f64>,
}

impl Total {
    fn mean_us(&self) -> f64 {
        self.elapsed.as_secs_f64() * 1e6 / self.requests.max(1) as f64
    }

    /// Of an invocation, but for the time in the queue, which is the platform's.
    fn function_us(&self) -> f64 {
        let phases = self.phases.iter().filter(|(name, _)| *name != "queue");
        (phases.map(|(_, ms)| ms * 1e3).sum::<f64>() + 0.0) / self.requests.max(1) as f64
    }
}

fn main() {
    if std::env::args().nth(1).as_deref() == Some(CONSTANT) {
        return serve_constant().expect("a server can be started");
    }
    let mut criterion = Criterion::default().configure_from_args();
    let cache = tempfile::tempdir().expect("a temporary folder can be made");
    let mut totals = Vec::new();
    let exe = std::env::current_exe().expect("this program has a path");
    let mut constant = Command::new(exe);
    constant.arg(CONSTANT);
    totals.push(("actix, a constant", bench(&mut criterion, "http/actix-constant", constant)));
    for strategy in ["naive", "cached", "pooled"] {
        let mut platform = Command::new(env!("CARGO_BIN_EXE_isobar-platform"));
        platform.current_dir(env!("CARGO_MANIFEST_DIR")).env("ISOBAR_ROOT", env!("CARGO_MANIFEST_DIR"));
        platform.args(["serve", "--listen", "127.0.0.1:0", "--log", "error", "--strategy", strategy]);
        platform.arg("--cache-dir").arg(cache.path());
        totals.push((strategy, bench(&mut criterion, &format!("http/platform-{strategy}"), platform)));
    }
    criterion.final_summary();
    if std::env::args().any(|argument| argument == "--bench") {
        print(&totals);
    }
}

/// The framework's share of a request is what it takes with a handler that does nothing.
fn print(totals: &[(&str, Total)]) {
    let Some((_, constant)) = totals.first() else { return };
    let framework = constant.mean_us();
    println!("\n| server | one request | actix and the client | the function's phases | the platform between them |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    for (name, total) in totals {
        let (whole, function) = (total.mean_us(), total.function_us());
        let share = |part: f64| format!("{part:.1} µs ({:.0} %)", 100.0 * part / whole.max(f64::MIN_POSITIVE));
        let between = whole - function - framework;
        let parts = [framework.min(whole), function, between].map(share);
        println!("| {name} | {whole:.1} µs | {} | {} | {} |", parts[0], parts[1], parts[2]);
    }
}

/// Starts a server and asks it as often as Criterion wants to know.
fn bench(criterion: &mut Criterion, name: &str, command: Command) -> Total {
    let platform = Platform::start(command, PATIENCE).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut client = Client::connect(&platform.url);
    let mut total = Total::default();
    // Each worker has its module before anything counts.
    (0..50).for_each(|_| {
        client.ask();
    });
    criterion.bench_function(name, |bencher| {
        bencher.iter_custom(|iterations| {
            let mut phases = Vec::with_capacity(iterations as usize);
            let start = Instant::now();
            for _ in 0..iterations {
                phases.push(client.ask());
            }
            let elapsed = start.elapsed();
            total.elapsed += elapsed;
            total.requests += iterations;
            for (name, ms) in phases.iter().flatten().flat_map(|text| text.split(", ")).filter_map(phase) {
                *total.phases.entry(name.to_owned()).or_default() += ms;
            }
            elapsed
        });
    });
    total
}

/// `execute;dur=0.012`.
fn phase(text: &str) -> Option<(&str, f64)> {
    let (name, ms) = text.split_once(";dur=")?;
    Some((name, ms.parse().ok()?))
}

/// A connection that is kept.
struct Client {
    stream: TcpStream,
    request: Vec<u8>,
    buffer: Vec<u8>,
}

impl Client {
    fn connect(url: &Url) -> Client {
        let stream = TcpStream::connect((url.server.host.as_str(), url.server.port)).expect("the server listens");
        stream.set_nodelay(true).expect("a socket takes options");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket takes options");
        let request = format!("GET {PATH} HTTP/1.1\r\nHost: {}\r\n\r\n", url.server.authority()).into_bytes();
        Client { stream, request, buffer: Vec::with_capacity(4096) }
    }

    /// Sends the request and reads the answer, which must be the right one. Returns what it says of its phases.
    fn ask(&mut self) -> Option<String> {
        self.stream.write_all(&self.request).expect("the server reads");
        self.buffer.clear();
        let mut chunk = [0; 4096];
        loop {
            let mut headers = [httparse::EMPTY_HEADER; 32];
            let mut response = httparse::Response::new(&mut headers);
            let parsed = response.parse(&self.buffer).expect("the answer is HTTP");
            if let httparse::Status::Complete(head) = parsed {
                let field = |name: &str| {
                    let field = response.headers.iter().find(|field| field.name.eq_ignore_ascii_case(name))?;
                    std::str::from_utf8(field.value).ok()
                };
                let length: usize = field("content-length").and_then(|text| text.parse().ok()).expect("a length");
                if self.buffer.len() >= head + length {
                    assert_eq!(response.code, Some(200));
                    assert_eq!(&self.buffer[head..head + length], BODY.as_bytes());
                    return field("server-timing").map(str::to_owned);
                }
            }
            let count = self.stream.read(&mut chunk).expect("the server answers");
            assert!(count > 0, "the server keeps the connection");
            self.buffer.extend_from_slice(&chunk[..count]);
        }
    }
}

/// The least that actix-web does for a request, with as many threads as the platform has for input and output.
fn serve_constant() -> std::io::Result<()> {
    actix_web::rt::System::new().block_on(async {
        let app = || App::new().default_service(web::to(|| async { HttpResponse::Ok().body(BODY) }));
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let server = HttpServer::new(app).workers(threads).bind("127.0.0.1:0")?;
        for address in server.addrs() {
            println!("listening on http://{address}");
        }
        server.run().await
    })
}
