//! A small HTTP server that behaves as a test wants it to, each connection in a thread of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What becomes of a request.
pub enum Act {
    /// This answers it, byte for byte.
    Answer(Vec<u8>),
    /// This answers it, and the connection is closed.
    Last(Vec<u8>),
    /// The connection is closed without an answer.
    Close,
    /// Nothing, ever.
    Silence,
}

/// A server that runs until the test ends.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    requests: Arc<AtomicU64>,
}

impl Server {
    /// Starts a server that asks `act` what to do with each request: its first line and its body, and how many there were
    /// before it.
    pub fn start(act: impl Fn(&str, &[u8], u64) -> Act + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().unwrap();
        let (requests, act) = (Arc::new(AtomicU64::new(0)), Arc::new(act));
        let count = requests.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (act, count) = (act.clone(), count.clone());
                std::thread::spawn(move || serve(stream, &*act, &count));
            }
        });
        Server { address, requests }
    }

    /// An address for `isobar load`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// How many requests came.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::SeqCst)
    }
}

/// An answer with a body and further fields, each with its end of line.
pub fn answer(status: u16, fields: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} Said\r\nContent-Length: {}\r\n{fields}\r\n{body}", body.len()).into_bytes()
}

/// 200 with a body.
pub fn ok(body: &str) -> Act {
    Act::Answer(answer(200, "", body))
}

fn serve(stream: TcpStream, act: &(dyn Fn(&str, &[u8], u64) -> Act + Send + Sync), count: &AtomicU64) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut writer = stream.try_clone().ok()?;
    let mut reader = BufReader::new(stream);
    loop {
        let (mut first, mut length) = (String::new(), 0);
        reader.read_line(&mut first).ok().filter(|bytes| *bytes > 0)?;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok().filter(|bytes| *bytes > 0)?;
            match line.trim_end().split_once(':') {
                None => break,
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = value.trim().parse().ok()?
                }
                Some(_) => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        match act(first.trim_end(), &body, count.fetch_add(1, Ordering::SeqCst)) {
            Act::Answer(bytes) => writer.write_all(&bytes).ok()?,
            Act::Last(bytes) => return writer.write_all(&bytes).ok(),
            Act::Close => return None,
            Act::Silence => drop(reader.read_line(&mut String::new())),
        }
    }
}
