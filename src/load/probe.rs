//! The first request: whether there is a server, how long it takes to answer, and what the right answer is.

use super::LoadError;
use super::response::Response;
use super::target::{Request, Server};
use isobar_core::measure::{StdoutRule, nanoseconds, sha256_hex};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Longer answers are compared by their SHA-256.
const LONGEST_EXACT: usize = 1 << 20;

/// What the first request found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// The server's addresses, the one that answered first.
    pub addresses: Vec<SocketAddr>,
    /// From before connecting to the last byte of the answer, in nanoseconds.
    pub elapsed_ns: u64,
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

impl Probe {
    /// The rule that a body is the same as this one.
    pub fn same_body(&self) -> StdoutRule {
        if self.body.len() <= LONGEST_EXACT {
            StdoutRule::Exact(self.body.clone())
        } else {
            StdoutRule::Sha256(sha256_hex(&self.body))
        }
    }
}

/// Sends a request over a connection of its own.
///
/// # Errors
/// The server is not there, or does not answer.
pub fn probe(server: &Server, request: &Request, timeout: Duration) -> Result<Probe, LoadError> {
    let failed = |what: String| LoadError::Unreachable { server: server.authority(), what };
    let mut addresses = server.addresses().map_err(|e| failed(e.to_string()))?;
    let start = Instant::now();
    let mut last = String::new();
    for at in 0..addresses.len() {
        let connected = TcpStream::connect_timeout(&addresses[at], timeout).map_err(|e| e.to_string());
        match connected.and_then(|stream| exchange(stream, &request.bytes(server, true), start + timeout)) {
            Ok(response) => {
                addresses.swap(0, at);
                let elapsed_ns = nanoseconds(start.elapsed());
                let status = response.head().map_or(0, |head| head.status);
                return Ok(Probe { addresses, elapsed_ns, status, body: response.body().to_vec() });
            }
            Err(what) => last = what,
        }
    }
    Err(failed(last))
}

fn exchange(mut stream: TcpStream, bytes: &[u8], until: Instant) -> Result<Response, String> {
    let (mut response, mut buffer) = (Response::default(), vec![0; 64 << 10]);
    let left = |until: Instant| {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() { Err("no complete answer in time".to_owned()) } else { Ok(left) }
    };
    let said = |e: std::io::Error| match e.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => "no complete answer in time".to_owned(),
        _ => e.to_string(),
    };
    stream
        .set_nodelay(true)
        .and_then(|()| stream.set_write_timeout(Some(left(until).unwrap_or(Duration::from_millis(1)))))
        .map_err(said)?;
    stream.write_all(bytes).map_err(said)?;
    loop {
        stream.set_read_timeout(Some(left(until)?)).map_err(said)?;
        match stream.read(&mut buffer) {
            Ok(0) if response.end() => return Ok(response),
            Ok(0) => return Err("the connection was closed before the answer was complete".to_owned()),
            Ok(count) => {
                if response.feed(&buffer[..count]).map_err(|e| e.to_string())? {
                    return Ok(response);
                }
            }
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(said(e)),
        }
    }
}
