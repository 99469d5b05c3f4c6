//! The servers, and how each is started.

use anyhow::{Context, Result, ensure};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a server may take until it listens.
const PATIENCE: Duration = Duration::from_secs(30);

/// The variables by which `scripts/http-peers` says where these are.
const WASMTIME: &str = "ISOBAR_PEER_WASMTIME";
const COMPONENT: &str = "ISOBAR_PEER_COMPONENT";

pub(super) struct Peer {
    pub(super) name: String,
    pub(super) kind: Kind,
}

pub(super) enum Kind {
    /// This program.
    Constant,
    /// `isobar serve` with these arguments.
    Isobar(Vec<&'static str>),
    /// `wasmtime serve` with these arguments.
    Wasmtime { program: PathBuf, component: PathBuf, arguments: Vec<&'static str> },
}

/// A server that runs. It ends when this is dropped.
pub(super) struct Server {
    child: Child,
    address: SocketAddr,
}

pub(super) fn constant() -> Peer {
    Peer { name: "an actix-web handler that returns a constant".to_owned(), kind: Kind::Constant }
}

/// A server that is slower than a tool on a processor of its own.
pub(super) fn one_thread() -> Peer {
    let arguments = vec!["--strategy", "pooled", "--io-threads", "1"];
    Peer {
        name: "`isobar serve --strategy pooled --io-threads 1`, which is the limit".to_owned(),
        kind: Kind::Isobar(arguments),
    }
}

/// The strategies, each in the mode that it is shown with: the first two compile alike, so that only the strategy differs.
pub(super) const STRATEGIES: [(&str, &[&str]); 3] = [
    ("`isobar serve --strategy naive`", &["--strategy", "naive", "--runtime", "wasmtime/cranelift+limits"]),
    ("`isobar serve --strategy cached`", &["--strategy", "cached", "--runtime", "wasmtime/cranelift+limits"]),
    ("`isobar serve --strategy pooled`", &["--strategy", "pooled"]),
];

/// Those that are here, and why others are not.
pub(super) fn peers() -> (Vec<Peer>, Vec<String>) {
    let mut peers = vec![constant()];
    let isobar = |(name, arguments): (&str, &[&'static str])| Peer {
        name: name.to_owned(),
        kind: Kind::Isobar(arguments.to_vec()),
    };
    peers.extend(STRATEGIES.map(isobar));
    let mut absent = Vec::new();
    match (std::env::var_os(WASMTIME), std::env::var_os(COMPONENT)) {
        (Some(program), Some(component)) => {
            // As it comes, and as fast as its options make it with a fresh instance for each request.
            let ways: [(&str, &[&str]); 2] = [
                ("`wasmtime serve`", &[]),
                (
                    "`wasmtime serve`, pooling, a fresh instance for each request",
                    &["-O", "pooling-allocator=y", "--max-instance-reuse-count", "1"],
                ),
            ];
            peers.extend(ways.map(|(name, arguments)| Peer {
                name: name.to_owned(),
                kind: Kind::Wasmtime {
                    program: program.clone().into(),
                    component: component.clone().into(),
                    arguments: arguments.to_vec(),
                },
            }));
        }
        _ => absent.push("`wasmtime serve`; scripts/http-peers says how to get it".to_owned()),
    }
    (peers, absent)
}

impl Peer {
    pub(super) fn start(&self) -> Result<Server> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let listen = address.to_string();
        let mut command = match &self.kind {
            Kind::Constant => {
                let mut command = Command::new(std::env::current_exe()?);
                command.args([super::constant::FLAG, &listen]);
                command
            }
            Kind::Isobar(arguments) => {
                let mut command = Command::new(env!("CARGO_BIN_EXE_isobar"));
                command.args(["serve", "--listen", &listen, "--log", "error"]).args(arguments);
                command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")));
                command
            }
            Kind::Wasmtime { program, component, arguments } => {
                let mut command = Command::new(program);
                command.args(["serve", "--addr", &listen, "--allow-precompiled", "-S", "cli=y"]);
                command.args(arguments).arg(component);
                command
            }
        };
        command.env_remove("RUST_BACKTRACE").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let server = Server { child: command.spawn().context("cannot start it")?, address };
        let start = Instant::now();
        while TcpStream::connect(address).is_err() {
            ensure!(start.elapsed() < PATIENCE, "it does not listen within {PATIENCE:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(server)
    }
}

impl Server {
    pub(super) fn url(&self, target: &str) -> String {
        format!("http://{}{target}", self.address)
    }

    /// Asks once and compares the body.
    pub(super) fn check(&self, target: &str, body: &str) -> Result<()> {
        let answer = self.ask(target)?;
        let got = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        // A body without a length comes in chunks.
        ensure!(answer.starts_with("HTTP/1.1 200") && got.contains(body), "wrong answer: {answer}");
        Ok(())
    }

    /// The head and the body of an answer, over a connection of its own.
    pub(super) fn ask(&self, target: &str) -> Result<String> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(stream, "GET {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
