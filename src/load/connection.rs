//! One connection: bytes out, bytes in. What they mean for the load is the driver's part.

use super::response::Response;
use super::tally::Moments;
use crate::record::Fault;
use mio::net::TcpStream;
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Closed,
    LookingUp,
    Connecting,
    Ready,
    Busy,
}

/// A request on its way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exchange {
    pub(super) request: u32,
    pub(super) moments: Moments,
    /// Over a connection that was used before: the server may have closed it meanwhile.
    pub(super) reused: bool,
    pub(super) retried: bool,
}

/// How far an answer is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Progress {
    Pending,
    Complete,
    Failed(Fault, String),
}

/// A place for a connection; while it is closed it has no stream.
pub(super) struct Connection {
    pub(super) stream: Option<TcpStream>,
    pub(super) phase: Phase,
    /// Where it has not been tried yet to connect to.
    pub(super) addresses: Vec<SocketAddr>,
    pub(super) exchange: Option<Exchange>,
    pub(super) response: Response,
    written: usize,
    pub(super) used: bool,
    /// Counts streams, so that what was asked for an older one is told apart.
    pub(super) generation: u64,
}

impl Connection {
    pub(super) fn new() -> Self {
        Connection {
            stream: None,
            phase: Phase::Closed,
            addresses: Vec::new(),
            exchange: None,
            response: Response::default(),
            written: 0,
            used: false,
            generation: 0,
        }
    }

    /// Drops the stream. One whose answer is complete is reset: nothing is lost, and its port is free at once.
    pub(super) fn close(&mut self, complete: bool) {
        if let Some(stream) = self.stream.take()
            && complete
        {
            let _ = rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO));
        }
        self.phase = Phase::Closed;
        self.used = false;
        self.generation += 1;
    }

    /// Prepares for a request over the open stream.
    pub(super) fn begin(&mut self) {
        self.phase = Phase::Busy;
        self.written = 0;
        self.used = true;
        self.response.clear();
    }

    /// Whether connecting succeeded, or `None` if it still takes.
    pub(super) fn connected(&mut self) -> Option<std::io::Result<()>> {
        let stream = self.stream.as_ref()?;
        if let Ok(Some(error)) | Err(error) = stream.take_error() {
            return Some(Err(error));
        }
        match stream.peer_addr() {
            Ok(_) => Some(Ok(())),
            Err(e) if e.kind() == ErrorKind::NotConnected => None,
            Err(e) => Some(Err(e)),
        }
    }

    /// Writes as much of a request as the system takes.
    pub(super) fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        let Some(stream) = &mut self.stream else { return Ok(()) };
        while self.written < bytes.len() {
            match stream.write(&bytes[self.written..]) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => self.written += count,
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    /// Reads until the answer is complete or nothing is left; `ended` says that the server sends no more, which is told only
    /// once. `first` is called when the first byte is there.
    pub(super) fn read(&mut self, buffer: &mut [u8], ended: bool, mut first: impl FnMut() -> u64) -> Progress {
        let Some(stream) = &mut self.stream else { return Progress::Pending };
        loop {
            match stream.read(buffer) {
                Ok(0) if self.response.end() => return Progress::Complete,
                Ok(0) => {
                    return Progress::Failed(
                        Fault::Closed,
                        "the connection was closed before the answer was complete".into(),
                    );
                }
                Ok(count) => {
                    if let Some(exchange) =
                        self.exchange.as_mut().filter(|exchange| exchange.moments.first_byte_ns == 0)
                    {
                        exchange.moments.first_byte_ns = first();
                    }
                    match self.response.feed(&buffer[..count]) {
                        Ok(true) => return Progress::Complete,
                        // Fewer than there was room for: nothing is left, and further bytes will be told.
                        Ok(false) if count < buffer.len() && !ended => return Progress::Pending,
                        Ok(false) => {}
                        Err(e) => return Progress::Failed(Fault::Malformed, e.to_string()),
                    }
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Progress::Pending,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Progress::Failed(Fault::Reset, e.to_string()),
            }
        }
    }
}

/// The class of an error of connecting.
pub(super) fn connect_fault(error: &std::io::Error) -> (Fault, String) {
    match error.kind() {
        ErrorKind::ConnectionRefused => (Fault::Refused, error.to_string()),
        ErrorKind::ConnectionReset => (Fault::Reset, error.to_string()),
        ErrorKind::AddrNotAvailable => {
            (Fault::Connect, format!("{error}: no local port is free; use fewer new connections per second"))
        }
        _ if error.raw_os_error() == Some(rustix::io::Errno::MFILE.raw_os_error()) => {
            (Fault::Connect, format!("{error}: raise the limit (ulimit -n) or use fewer --connections"))
        }
        _ => (Fault::Connect, error.to_string()),
    }
}
