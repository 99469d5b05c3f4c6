//! The driver: one thread that sends requests when they are due and takes answers as they come.

mod connecting;

use super::LoadError;
use super::agenda::Agenda;
use super::connection::{Connection, Exchange, Phase, Progress, connect_fault};
use super::lookup::Lookups;
use super::schedule::{Due, Schedule};
use super::tally::{Moments, Tally, Told};
use super::target::{Request, Server};
use super::wait::{LOOKUP, TICK_NS, Wait};
use crate::record::{Fault, LoadStop};
use isobar_core::Outcome;
use isobar_core::measure::nanoseconds;
use mio::event::Event;
use mio::{Events, Token, Waker};
use rustix::time::{ClockId, clock_gettime};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// In a closed loop a connection that could not be opened is tried again after so long: a server that is not there is not
/// hammered at.
const REST_NS: u64 = 100_000_000;

/// When requests are sent.
pub enum Pace {
    /// When the last answer came.
    Closed,
    /// When they are due.
    Open(Schedule),
}

/// How to load.
pub struct Options {
    /// When requests are sent.
    pub pace: Pace,
    /// Over at most so many connections at once.
    pub connections: usize,
    /// Each over a connection of its own.
    pub fresh: bool,
    /// What is sent before that long does not count.
    pub warm_up: Duration,
    /// How long requests count, warming up not included. A schedule ends by itself, too.
    pub duration: Option<Duration>,
    /// How many requests count at most.
    pub requests: Option<u64>,
    /// A request that is not answered so long after it was due failed.
    pub timeout: Duration,
    /// An open loop ends when it is so far behind its schedule.
    pub give_up_behind: Option<Duration>,
}

/// What a driver did.
pub(super) struct Driven {
    pub(super) tally: Tally,
    /// When the load ended, in nanoseconds from its start.
    pub(super) end_ns: u64,
    pub(super) stop: LoadStop,
    pub(super) cpu_ns: u64,
}

struct Driver<'a> {
    server: &'a Server,
    /// Its addresses, the one that is tried first last.
    addresses: Vec<SocketAddr>,
    requests: &'a [Request],
    bytes: Vec<Vec<u8>>,
    fresh: bool,
    closed: bool,
    timeout_ns: u64,
    wait: Wait,
    lookups: Option<Lookups>,
    start: Instant,
    connections: Vec<Connection>,
    /// Places that can take a request: connected ones first, the one that waits longest first, so that all are used.
    ready: VecDeque<usize>,
    unconnected: VecDeque<usize>,
    /// Places that rest, and until when.
    resting: VecDeque<(u64, usize)>,
    busy: usize,
    /// When anything was answered last.
    last_ns: u64,
    tally: Tally,
    scratch: Outcome,
}

/// Loads a server. `addresses` are its addresses, the best first; `stop` ends it early.
///
/// # Errors
/// The system lacks what the driver needs. What happens to requests is counted.
pub(super) fn drive(
    server: &Server,
    addresses: &[SocketAddr],
    requests: &[Request],
    options: Options,
    stop: &AtomicBool,
) -> Result<Driven, LoadError> {
    raise_file_limit();
    let mut driver = Driver::new(server, addresses, requests, &options)?;
    let mut events = Events::with_capacity(1024);
    driver.connect_all(&mut events)?;
    driver.start = Instant::now();
    let cpu_before_ns = cpu_ns();
    let (stop, end_ns) = driver.run(options, &mut events, stop)?;
    Ok(Driven { tally: driver.tally, end_ns, stop, cpu_ns: cpu_ns().saturating_sub(cpu_before_ns) })
}

/// The processor time of this thread.
fn cpu_ns() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Every connection is a file: as many as the system allows.
fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // Where it cannot be raised, connections fail and say so.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}

impl<'a> Driver<'a> {
    fn new(
        server: &'a Server,
        addresses: &[SocketAddr],
        requests: &'a [Request],
        options: &Options,
    ) -> Result<Self, LoadError> {
        let wait = Wait::new().map_err(LoadError::System)?;
        let lookups = if options.fresh && server.has_name() {
            let waker = Waker::new(wait.poll.registry(), LOOKUP).map_err(LoadError::System)?;
            Some(Lookups::start(server, waker).map_err(LoadError::System)?)
        } else {
            None
        };
        let timeout_ns = nanoseconds(options.timeout);
        Ok(Driver {
            server,
            addresses: addresses.iter().rev().copied().collect(),
            requests,
            bytes: requests.iter().map(|request| request.bytes(server, options.fresh)).collect(),
            fresh: options.fresh,
            closed: matches!(options.pace, Pace::Closed),
            timeout_ns,
            wait,
            lookups,
            start: Instant::now(),
            connections: (0..options.connections).map(|_| Connection::new()).collect(),
            ready: VecDeque::new(),
            unconnected: (0..options.connections).collect(),
            resting: VecDeque::new(),
            busy: 0,
            last_ns: 0,
            tally: Tally::new(nanoseconds(options.warm_up), timeout_ns, requests.len()),
            scratch: Outcome { exit_code: 0, stdout: Vec::new(), stderr: Vec::new() },
        })
    }

    fn now_ns(&self) -> u64 {
        nanoseconds(self.start.elapsed())
    }

    fn run(
        &mut self,
        options: Options,
        events: &mut Events,
        interrupted: &AtomicBool,
    ) -> Result<(LoadStop, u64), LoadError> {
        let behind_ns = options.give_up_behind.map(nanoseconds);
        let mut buffer = vec![0; 64 << 10];
        let (mut agenda, mut next_tick_ns, mut early) = (Agenda::new(options), 0, None);
        loop {
            let now = self.now_ns();
            if interrupted.load(Ordering::Relaxed) {
                early = Some((LoadStop::Interrupted, now));
                break;
            }
            if now >= next_tick_ns {
                next_tick_ns = now + TICK_NS;
                self.expire(&mut agenda, now);
            }
            let front = agenda.queue.front().map(|due| due.at_ns);
            if early.is_none() && behind_ns.is_some_and(|most| front.is_some_and(|at| at.saturating_add(most) < now)) {
                early = Some((LoadStop::Behind, now));
                self.abandon(&mut agenda);
            }
            let more = if self.closed { self.fill_closed(&mut agenda) } else { self.fill_open(&mut agenda) };
            if !more && self.busy == 0 {
                break;
            }
            let until = if self.closed { None } else { agenda.next_ns() };
            let now = self.now_ns();
            self.wait.wait(events, now, until).map_err(LoadError::System)?;
            self.handle(events, &mut buffer);
        }
        let stop = if agenda.left == Some(0) { LoadStop::Requests } else { LoadStop::Time };
        // Without a time there is an end when the last answer came.
        let end_ns = agenda.end_ns.filter(|_| stop == LoadStop::Time).unwrap_or(self.last_ns);
        Ok(early.unwrap_or((stop, end_ns)))
    }

    /// Whether more requests will be sent.
    fn fill_closed(&mut self, agenda: &mut Agenda) -> bool {
        let now = self.now_ns();
        while let Some((_, place)) = self.resting.pop_front_if(|(until, _)| *until <= now) {
            self.unconnected.push_back(place);
        }
        while let Some(place) = self.free() {
            let at_ns = self.now_ns();
            if !agenda.takes(at_ns) {
                self.give_back(place);
                return false;
            }
            self.send(place, Due { at_ns, request: 0 }, false);
        }
        agenda.left != Some(0) && agenda.end_ns.is_none_or(|end| now < end)
    }

    /// Whether more requests will be sent.
    fn fill_open(&mut self, agenda: &mut Agenda) -> bool {
        loop {
            agenda.advance(self.now_ns());
            if agenda.queue.is_empty() {
                return agenda.schedule.is_some();
            }
            let Some(place) = self.free() else {
                agenda.waited = agenda.queue.len();
                return true;
            };
            if let Some((due, waited)) = agenda.pop() {
                self.send(place, due, waited);
            }
        }
    }

    /// What is not sent now never will be.
    fn abandon(&mut self, agenda: &mut Agenda) {
        agenda.schedule = None;
        while let Some((due, waited)) = agenda.pop() {
            self.not_sent(due, waited);
        }
    }

    fn not_sent(&mut self, due: Due, waited: bool) {
        self.tally.due(due.request, due.at_ns, None, waited);
        let text = "no connection was free in time; the server is too slow for the rate, or give more --connections";
        self.tally.fault(due.request, None, due.at_ns, Fault::NotSent, text);
    }

    /// Ends what took too long.
    fn expire(&mut self, agenda: &mut Agenda, now_ns: u64) {
        while agenda.queue.front().is_some_and(|due| due.at_ns.saturating_add(self.timeout_ns) < now_ns) {
            if let Some((due, waited)) = agenda.pop() {
                self.not_sent(due, waited);
            }
        }
        if self.busy == 0 {
            return;
        }
        for place in 0..self.connections.len() {
            let connection = &self.connections[place];
            let due = connection.exchange.map(|exchange| exchange.moments.due_ns);
            if due.is_some_and(|due| due.saturating_add(self.timeout_ns) < now_ns) {
                let doing = match connection.phase {
                    Phase::LookingUp => "looking the name up",
                    Phase::Connecting => "connecting",
                    _ if connection.response.begun() => "reading the answer",
                    _ => "waiting for the answer",
                };
                let text = format!("{doing} took longer than {:?}", Duration::from_nanos(self.timeout_ns));
                self.fail(place, Fault::Timeout, &text);
            }
        }
    }

    /// A place that can take a request.
    fn free(&mut self) -> Option<usize> {
        self.ready.pop_front().or_else(|| self.unconnected.pop_front())
    }

    fn give_back(&mut self, place: usize) {
        match self.connections[place].phase {
            Phase::Ready => self.ready.push_front(place),
            _ => self.unconnected.push_front(place),
        }
    }

    /// Sends a request that is due.
    fn send(&mut self, place: usize, due: Due, waited: bool) {
        let due_ns = due.at_ns;
        // In a closed loop, requests are due when they are sent.
        let sent_ns = if self.closed { due_ns } else { self.now_ns() };
        self.tally.due(due.request, due_ns, Some(sent_ns), waited);
        let connection = &mut self.connections[place];
        let moments = Moments { due_ns, sent_ns, ..Moments::default() };
        let reused = connection.used;
        connection.exchange = Some(Exchange { request: due.request, moments, reused, retried: false });
        self.busy += 1;
        match connection.phase {
            Phase::Ready => self.write_first(place),
            _ => self.connect(place),
        }
    }

    fn handle(&mut self, events: &Events, buffer: &mut [u8]) {
        for event in events.iter() {
            match event.token() {
                LOOKUP => self.lookups_answered(),
                Token(place) if place < self.connections.len() => self.on_event(place, event, buffer),
                _ => {}
            }
        }
    }

    fn on_event(&mut self, place: usize, event: &Event, buffer: &mut [u8]) {
        let connection = &mut self.connections[place];
        if connection.phase == Phase::Connecting {
            match connection.connected() {
                None => return,
                Some(Err(e)) => return self.connect_next(place, connect_fault(&e)),
                Some(Ok(())) => self.connected(place),
            }
        }
        let readable = event.is_readable() || event.is_read_closed() || event.is_error();
        match self.connections[place].phase {
            Phase::Busy => {
                if event.is_writable() {
                    self.write(place);
                }
                if readable && self.connections[place].phase == Phase::Busy {
                    self.read(place, buffer, event.is_read_closed() || event.is_error());
                }
            }
            // Nothing was asked: the server closes it, or says what nobody wants to know.
            Phase::Ready if readable => {
                self.ready.retain(|ready| *ready != place);
                self.connections[place].close(false);
                self.unconnected.push_back(place);
            }
            _ => {}
        }
    }

    fn write_first(&mut self, place: usize) {
        self.connections[place].begin();
        self.write(place);
    }

    fn write(&mut self, place: usize) {
        let connection = &mut self.connections[place];
        let Some(exchange) = connection.exchange else { return };
        if let Err(e) = connection.write(&self.bytes[exchange.request as usize]) {
            self.fail(place, Fault::Reset, &e.to_string());
        }
    }

    fn read(&mut self, place: usize, buffer: &mut [u8], ended: bool) {
        let start = self.start;
        match self.connections[place].read(buffer, ended, || nanoseconds(start.elapsed())) {
            Progress::Pending => {}
            Progress::Complete => self.complete(place),
            Progress::Failed(fault, text) => self.fail(place, fault, &text),
        }
    }

    /// An answer is there.
    fn complete(&mut self, place: usize) {
        let done_ns = self.now_ns();
        let connection = &mut self.connections[place];
        let (Some(mut exchange), Some(head)) = (connection.exchange.take(), connection.response.head()) else { return };
        exchange.moments.done_ns = done_ns;
        self.last_ns = done_ns;
        let check = &self.requests[exchange.request as usize].check;
        match check.check(head.status, connection.response.body(), &mut self.scratch) {
            Ok(()) => {
                let told = Told { server_timing: head.server_timing.as_deref(), start: head.start.as_deref() };
                self.tally.answer(exchange.request, head.status, &exchange.moments, self.fresh, told);
            }
            Err((fault, text)) => {
                self.tally.fault(exchange.request, Some(head.status), exchange.moments.due_ns, fault, &text);
            }
        }
        self.busy -= 1;
        if head.keep_alive && !self.fresh {
            connection.phase = Phase::Ready;
            self.ready.push_back(place);
        } else {
            connection.close(true);
            self.unconnected.push_back(place);
        }
    }

    /// A connection came to nothing, and its request, if it has one, with it; unless it can be sent again.
    fn fail(&mut self, place: usize, fault: Fault, text: &str) {
        let connection = &mut self.connections[place];
        let again = matches!(fault, Fault::Reset | Fault::Closed) && !connection.response.begun();
        connection.close(false);
        let Some(exchange) = &mut connection.exchange else {
            self.unconnected.push_back(place);
            return;
        };
        // The server may close a connection that nobody used at the very moment when somebody does: RFC 9112, 9.3.1, lets
        // clients send again what can be sent twice.
        let repeatable = self.requests[exchange.request as usize].method == "GET";
        if again && repeatable && exchange.reused && !exchange.retried {
            exchange.retried = true;
            self.tally.retry(exchange.moments.due_ns);
            return self.connect(place);
        }
        self.tally.fault(exchange.request, None, exchange.moments.due_ns, fault, text);
        self.last_ns = nanoseconds(self.start.elapsed());
        connection.exchange = None;
        self.busy -= 1;
        if self.closed && matches!(fault, Fault::Lookup | Fault::Refused | Fault::Connect) {
            self.resting.push_back((self.last_ns + REST_NS, place));
        } else {
            self.unconnected.push_back(place);
        }
    }
}
