//! How places get their connections.

use super::super::LoadError;
use super::super::connection::{Phase, connect_fault};
use super::super::lookup::Lookups;
use super::Driver;
use crate::record::Fault;
use mio::net::TcpStream;
use mio::{Events, Interest, Token};

impl Driver<'_> {
    /// Connects everything before the first request, unless requests make connections of their own.
    pub(super) fn connect_all(&mut self, events: &mut Events) -> Result<(), LoadError> {
        if self.fresh {
            return Ok(());
        }
        let mut buffer = vec![0; 64 << 10];
        for place in std::mem::take(&mut self.unconnected) {
            self.connect(place);
        }
        while self.connections.iter().any(|connection| connection.phase == Phase::Connecting)
            && self.now_ns() < self.timeout_ns
        {
            self.wait.wait(events, 0, None).map_err(LoadError::System)?;
            self.handle(events, &mut buffer);
        }
        self.resting.clear();
        self.unconnected.clear();
        for place in 0..self.connections.len() {
            if self.connections[place].phase != Phase::Ready {
                self.connections[place].close(false);
                self.unconnected.push_back(place);
            }
        }
        Ok(())
    }

    /// Connects a place, with or without a request for it.
    pub(super) fn connect(&mut self, place: usize) {
        let connection = &mut self.connections[place];
        if let Some(lookups) = &self.lookups {
            connection.phase = Phase::LookingUp;
            lookups.ask((place, connection.generation));
            return;
        }
        connection.addresses.clone_from(&self.addresses);
        self.looked_up(place);
    }

    fn looked_up(&mut self, place: usize) {
        let now = self.now_ns();
        if let Some(exchange) = &mut self.connections[place].exchange {
            // An address takes no looking up.
            exchange.moments.looked_up_ns = if self.lookups.is_some() { now } else { exchange.moments.sent_ns };
        }
        self.connect_next(place, (Fault::Connect, "the server has no address".to_owned()));
    }

    /// Tries the next address; `failure` is what is said if there is none.
    pub(super) fn connect_next(&mut self, place: usize, mut failure: (Fault, String)) {
        while let Some(address) = self.connections[place].addresses.pop() {
            let opened = TcpStream::connect(address).and_then(|mut stream| {
                stream.set_nodelay(true)?;
                let interest = Interest::READABLE | Interest::WRITABLE;
                self.wait.poll.registry().register(&mut stream, Token(place), interest)?;
                Ok(stream)
            });
            match opened {
                Ok(stream) => {
                    let connection = &mut self.connections[place];
                    connection.stream = Some(stream);
                    connection.phase = Phase::Connecting;
                    return;
                }
                Err(e) => failure = connect_fault(&e),
            }
        }
        self.fail(place, failure.0, &failure.1);
    }

    pub(super) fn lookups_answered(&mut self) {
        while let Some(((place, generation), found)) = self.lookups.as_ref().and_then(Lookups::answer) {
            let connection = &mut self.connections[place];
            if connection.generation != generation || connection.phase != Phase::LookingUp {
                continue;
            }
            match found {
                Ok(addresses) => {
                    connection.addresses = addresses.into_iter().rev().collect();
                    self.looked_up(place);
                }
                Err(e) => self.fail(place, Fault::Lookup, &format!("{}: {e}", self.server.host)),
            }
        }
    }

    pub(super) fn connected(&mut self, place: usize) {
        let now = self.now_ns();
        match &mut self.connections[place].exchange {
            Some(exchange) => {
                exchange.moments.connected_ns = now;
                self.write_first(place);
            }
            None => {
                self.connections[place].phase = Phase::Ready;
                self.ready.push_back(place);
            }
        }
    }
}
