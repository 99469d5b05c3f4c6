//! Looking names up without holding up the driver: the system's resolver blocks, so threads ask it.

use super::target::Server;
use mio::Waker;
use std::io;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

/// So many names are looked up at once.
const THREADS: usize = 8;

/// A connection's place and its generation.
pub(super) type Asker = (usize, u64);

/// Threads that look a server's name up.
pub(super) struct Lookups {
    ask: Sender<Asker>,
    answers: Receiver<(Asker, io::Result<Vec<SocketAddr>>)>,
}

impl Lookups {
    /// Starts the threads; they end when this is dropped. `waker` is called for every answer.
    pub(super) fn start(server: &Server, waker: Waker) -> io::Result<Self> {
        let (ask, asked) = channel::<Asker>();
        let (answer, answers) = channel();
        let (asked, waker) = (Arc::new(Mutex::new(asked)), Arc::new(waker));
        for _ in 0..THREADS {
            let (asked, waker, answer, server) = (asked.clone(), waker.clone(), answer.clone(), server.clone());
            std::thread::Builder::new().name("lookup".to_owned()).spawn(move || {
                loop {
                    let next = asked.lock().map(|asked| asked.recv());
                    let Ok(Ok(asker)) = next else { return };
                    if answer.send((asker, server.addresses())).is_err() || waker.wake().is_err() {
                        return;
                    }
                }
            })?;
        }
        Ok(Lookups { ask, answers })
    }

    /// Asks for the addresses.
    pub(super) fn ask(&self, asker: Asker) {
        // The threads live as long as this does.
        let _ = self.ask.send(asker);
    }

    /// An answer that is there.
    pub(super) fn answer(&self) -> Option<(Asker, io::Result<Vec<SocketAddr>>)> {
        self.answers.try_recv().ok()
    }
}
