//! What is counted while a load runs.

use super::response::server_timing;
use crate::record::{Fault, Faults, Starts};
use crate::stats::Histogram;
use isobar_core::measure::Samples;
use std::collections::{BTreeMap, VecDeque};

/// A second, in nanoseconds.
const SECOND_NS: u64 = 1_000_000_000;

/// A request that was sent later than so long after it was due was late, in nanoseconds.
pub const LATE_NS: u64 = 1_000_000;

/// No server has more parts than are kept.
const MOST_PARTS: usize = 16;

/// Moments of a request, in nanoseconds from the driver's start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moments {
    /// When it was due.
    pub due_ns: u64,
    /// When the driver began with it.
    pub sent_ns: u64,
    /// When the server's address was known.
    pub looked_up_ns: u64,
    /// When it was connected.
    pub connected_ns: u64,
    /// When the first byte of the answer was there.
    pub first_byte_ns: u64,
    /// When the last one was.
    pub done_ns: u64,
}

/// What a head says about the server's own work.
#[derive(Clone, Copy, Debug, Default)]
pub struct Told<'a> {
    /// The field `Server-Timing`.
    pub server_timing: Option<&'a str>,
    /// The field `x-isobar-start`.
    pub start: Option<&'a str>,
}

/// What was counted; nothing of warming up.
pub struct Tally {
    /// From when on requests count.
    pub from_ns: u64,
    /// Requests that were due.
    pub due: u64,
    /// Requests that got the expected answer.
    pub answered: u64,
    /// Requests that were sent late.
    pub late: u64,
    /// Those for which no connection was free.
    pub late_for_a_connection: u64,
    /// Requests that were sent again.
    pub retried: u64,
    /// By status.
    pub statuses: BTreeMap<u16, u64>,
    /// By class.
    pub faults: BTreeMap<Fault, Faults>,
    /// From when requests were due to their last bytes.
    pub latency: Histogram,
    /// From when requests were sent.
    pub service: Histogram,
    /// The parts of requests with fresh connections.
    pub timing: BTreeMap<&'static str, Histogram>,
    /// What the server told.
    pub server_timing: BTreeMap<String, Histogram>,
    /// How it started functions.
    pub starts: Starts,
    /// From when requests were due to their last bytes, by that.
    pub by_start: BTreeMap<&'static str, Histogram>,
    seconds: Seconds,
    /// Latencies and starts by request, if there are several kinds.
    pub kinds: Vec<Kind>,
}

/// What was counted of one kind of requests.
#[derive(Clone, Debug, Default)]
pub struct Kind {
    /// Requests that were due.
    pub due: u64,
    /// From when requests were due to their last bytes, in nanoseconds, of those that got the expected answer.
    pub latencies_ns: Vec<u64>,
    /// By class.
    pub faults: BTreeMap<Fault, Faults>,
    /// How the server started it.
    pub starts: Starts,
}

impl Tally {
    /// Counts what is due from `from_ns` on. `patience_ns` after it was due nothing comes any more. With more than one kind
    /// of requests each is counted by itself, too.
    pub fn new(from_ns: u64, patience_ns: u64, kinds: usize) -> Self {
        Tally {
            from_ns,
            due: 0,
            answered: 0,
            late: 0,
            late_for_a_connection: 0,
            retried: 0,
            statuses: BTreeMap::new(),
            faults: BTreeMap::new(),
            latency: Histogram::new(),
            service: Histogram::new(),
            timing: BTreeMap::new(),
            server_timing: BTreeMap::new(),
            starts: Starts::default(),
            by_start: BTreeMap::new(),
            seconds: Seconds::new(from_ns, patience_ns),
            kinds: if kinds > 1 { vec![Kind::default(); kinds] } else { Vec::new() },
        }
    }

    fn counts(&self, due_ns: u64) -> bool {
        due_ns >= self.from_ns
    }

    /// A request was due, and was or was not sent; whether it waited for a connection.
    pub fn due(&mut self, kind: u32, due_ns: u64, sent_ns: Option<u64>, waited: bool) {
        if !self.counts(due_ns) {
            return;
        }
        self.due += 1;
        if let Some(kind) = self.kinds.get_mut(kind as usize) {
            kind.due += 1;
        }
        if sent_ns.is_none_or(|sent| sent.saturating_sub(due_ns) > LATE_NS) {
            self.late += 1;
            self.late_for_a_connection += u64::from(waited);
            self.seconds.of(due_ns).late += 1;
        }
    }

    /// The expected answer came.
    pub fn answer(&mut self, kind: u32, status: u16, moments: &Moments, fresh: bool, told: Told) {
        self.seconds.completed(moments.done_ns);
        if !self.counts(moments.due_ns) {
            return;
        }
        let latency = moments.done_ns.saturating_sub(moments.due_ns);
        let service = moments.done_ns.saturating_sub(moments.sent_ns);
        self.answered += 1;
        *self.statuses.entry(status).or_default() += 1;
        self.latency.record(latency);
        self.service.record(service);
        self.seconds.answered(moments.due_ns, latency);
        if fresh {
            for (name, ns) in parts(moments) {
                self.timing.entry(name).or_default().record(ns);
            }
        }
        for (name, ms) in told.server_timing.into_iter().flat_map(server_timing) {
            self.told(name, ms);
        }
        start(&mut self.starts, told.start);
        if let Some(start) = ["cold", "warm"].into_iter().find(|start| told.start == Some(start)) {
            self.by_start.entry(start).or_default().record(latency);
        }
        if let Some(kind) = self.kinds.get_mut(kind as usize) {
            kind.latencies_ns.push(latency);
            start(&mut kind.starts, told.start);
        }
    }

    fn told(&mut self, name: &str, ms: f64) {
        let ns = (ms * 1e6).round() as u64;
        if let Some(part) = self.server_timing.get_mut(name) {
            part.record(ns);
        } else if self.server_timing.len() < MOST_PARTS {
            self.server_timing.entry(name.to_owned()).or_default().record(ns);
        }
    }

    /// Something else happened.
    pub fn fault(&mut self, kind: u32, status: Option<u16>, due_ns: u64, fault: Fault, text: &str) {
        if !self.counts(due_ns) {
            return;
        }
        if let Some(status) = status {
            *self.statuses.entry(status).or_default() += 1;
        }
        self.seconds.of(due_ns).errors += 1;
        count(&mut self.faults, fault, text);
        if let Some(kind) = self.kinds.get_mut(kind as usize) {
            count(&mut kind.faults, fault, text);
        }
    }

    /// A request was sent again.
    pub fn retry(&mut self, due_ns: u64) {
        self.retried += u64::from(self.counts(due_ns));
    }

    /// The seconds, a sample each, up to the end of the load, which is in nanoseconds from the driver's start.
    pub fn seconds(&mut self, end_ns: u64) -> Samples {
        self.seconds.finish(end_ns)
    }
}

fn count(faults: &mut BTreeMap<Fault, Faults>, fault: Fault, text: &str) {
    let faults = faults.entry(fault).or_insert_with(|| Faults { count: 0, first: crate::report::one_line(text) });
    faults.count += 1;
}

fn start(starts: &mut Starts, told: Option<&str>) {
    match told {
        Some("cold") => starts.cold += 1,
        Some("warm") => starts.warm += 1,
        _ => starts.unknown += 1,
    }
}

/// The parts of a request with a connection of its own, as curl's variables of the same names count them, from the sending
/// on; and the server's time as the thesis derives it: without a round trip for the handshake.
fn parts(moments: &Moments) -> [(&'static str, u64); 5] {
    let since = |ns: u64| ns.saturating_sub(moments.sent_ns);
    let (lookup, connect) = (since(moments.looked_up_ns), since(moments.connected_ns));
    let first_byte = since(moments.first_byte_ns);
    let server = first_byte.saturating_sub(connect.saturating_sub(lookup));
    [
        ("name_lookup", lookup),
        ("connect", connect),
        ("first_byte", first_byte),
        ("total", since(moments.done_ns)),
        ("server", server),
    ]
}

/// A second of the time line.
#[derive(Clone, Debug, Default)]
struct Second {
    requests: u64,
    completed: u64,
    errors: u64,
    late: u64,
    latency: Histogram,
}

/// What a second came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Line {
    requests: u64,
    completed: u64,
    errors: u64,
    late: u64,
    p50_ns: u64,
    p99_ns: u64,
    max_ns: u64,
}

/// The time line. Requests belong to the second in which they were due; `completed` counts answers in the second in which
/// they came.
struct Seconds {
    from_ns: u64,
    patience_ns: u64,
    lines: Vec<Line>,
    /// Those that can still change.
    open: VecDeque<Second>,
    spare: Vec<Second>,
}

impl Seconds {
    fn new(from_ns: u64, patience_ns: u64) -> Self {
        Seconds { from_ns, patience_ns, lines: Vec::new(), open: VecDeque::new(), spare: Vec::new() }
    }

    /// The second of a moment.
    fn of(&mut self, at_ns: u64) -> &mut Second {
        let at = (at_ns.saturating_sub(self.from_ns) / SECOND_NS) as usize;
        while self.lines.len() + self.open.len() <= at {
            self.open.push_back(self.spare.pop().unwrap_or_default());
        }
        // A moment that is long past belongs to the first one that is still open.
        let place = at.saturating_sub(self.lines.len());
        &mut self.open[place]
    }

    fn answered(&mut self, due_ns: u64, latency_ns: u64) {
        let second = self.of(due_ns);
        second.requests += 1;
        second.latency.record(latency_ns);
    }

    fn completed(&mut self, at_ns: u64) {
        if at_ns < self.from_ns {
            return;
        }
        self.of(at_ns).completed += 1;
        while self.open.len() > 1
            && at_ns > self.from_ns + (self.lines.len() as u64 + 1) * SECOND_NS + self.patience_ns + SECOND_NS
        {
            self.close();
        }
    }

    fn close(&mut self) {
        let Some(mut second) = self.open.pop_front() else { return };
        let latency = &second.latency;
        self.lines.push(Line {
            requests: second.requests,
            completed: second.completed,
            errors: second.errors,
            late: second.late,
            p50_ns: latency.percentile(50.0),
            p99_ns: latency.percentile(99.0),
            max_ns: latency.percentile(100.0),
        });
        second.latency.clear();
        self.spare.push(Second { latency: second.latency, ..Second::default() });
    }

    fn finish(&mut self, end_ns: u64) -> Samples {
        while !self.open.is_empty() {
            self.close();
        }
        let length_ns = end_ns.saturating_sub(self.from_ns);
        // Seconds in which nothing happened are seconds, too; what was answered after the end belongs to none.
        self.lines.resize(length_ns.div_ceil(SECOND_NS) as usize, Line::default());
        let elapsed = (0..self.lines.len() as u64).map(|at| (length_ns - at * SECOND_NS).min(SECOND_NS)).collect();
        let column = |of: fn(&Line) -> u64| self.lines.iter().map(of).collect::<Vec<u64>>();
        Samples::of([
            ("elapsed_ns", elapsed),
            ("requests", column(|line| line.requests)),
            ("completed", column(|line| line.completed)),
            ("errors", column(|line| line.errors)),
            ("late", column(|line| line.late)),
            ("p50_ns", column(|line| line.p50_ns)),
            ("p99_ns", column(|line| line.p99_ns)),
            ("max_ns", column(|line| line.max_ns)),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(due_ns: u64, done_ns: u64) -> Moments {
        Moments {
            due_ns,
            sent_ns: due_ns + 10,
            looked_up_ns: due_ns + 20,
            connected_ns: due_ns + 50,
            first_byte_ns: due_ns + 100,
            done_ns,
        }
    }

    #[test]
    fn requests_belong_to_the_second_in_which_they_were_due() {
        let mut tally = Tally::new(SECOND_NS, 5 * SECOND_NS, 1);
        // Warming up.
        tally.due(0, 0, Some(0), false);
        tally.answer(0, 200, &moments(0, 900), false, Told::default());
        tally.fault(0, None, 5, Fault::Reset, "x");
        // Due in the second 0, answered in the second 2, after it was sent late.
        tally.due(0, SECOND_NS + 5, Some(SECOND_NS + LATE_NS + 6), true);
        tally.answer(0, 200, &moments(SECOND_NS + 5, 3 * SECOND_NS + 5), false, Told::default());
        tally.due(0, 2 * SECOND_NS, Some(2 * SECOND_NS), false);
        tally.fault(0, Some(503), 2 * SECOND_NS, Fault::Status, "a\nb");
        let samples = tally.seconds(3 * SECOND_NS + SECOND_NS / 2);
        assert_eq!(samples.column("elapsed_ns"), [SECOND_NS, SECOND_NS, SECOND_NS / 2]);
        assert_eq!(samples.column("requests"), [1, 0, 0]);
        assert_eq!(samples.column("completed"), [0, 0, 1]);
        assert_eq!(samples.column("errors"), [0, 1, 0]);
        assert_eq!(samples.column("late"), [1, 0, 0]);
        assert!(samples.column("max_ns")[0].abs_diff(2 * SECOND_NS) < SECOND_NS / 500);
        assert_eq!((tally.due, tally.answered, tally.late, tally.late_for_a_connection), (2, 1, 1, 1));
        assert_eq!(tally.faults[&Fault::Status], Faults { count: 1, first: "a b".into() });
        assert_eq!(tally.statuses, BTreeMap::from([(200, 1), (503, 1)]));
        assert_eq!((tally.latency.count(), tally.service.count()), (1, 1));
    }

    #[test]
    fn seconds_close_when_nothing_can_come_any_more() {
        let mut tally = Tally::new(0, SECOND_NS, 1);
        for second in 0..100 {
            tally.answer(0, 200, &moments(second * SECOND_NS, second * SECOND_NS + 1000), false, Told::default());
        }
        assert!(tally.seconds.open.len() <= 4 && tally.seconds.lines.len() >= 96);
        let samples = tally.seconds(100 * SECOND_NS);
        assert_eq!(samples.column("requests"), vec![1; 100]);
        assert_eq!(samples.column("p50_ns"), vec![1000; 100]);
    }

    #[test]
    fn the_server_s_time_is_without_the_handshake() {
        let parts: BTreeMap<_, _> = parts(&moments(1000, 2010)).into_iter().collect();
        assert_eq!((parts["name_lookup"], parts["connect"], parts["first_byte"], parts["total"]), (10, 40, 90, 1000));
        assert_eq!(parts["server"], 90 - (40 - 10));
    }

    #[test]
    fn kinds_and_starts_are_told_apart() {
        let mut tally = Tally::new(0, 0, 2);
        let told = |start| Told { server_timing: Some("load;dur=0.5"), start: Some(start) };
        tally.due(1, 0, Some(0), false);
        tally.answer(1, 200, &moments(0, 500), true, told("cold"));
        tally.answer(1, 200, &moments(1, 500), true, told("warm"));
        tally.answer(0, 200, &moments(2, 500), true, told("tepid"));
        assert_eq!(tally.starts, Starts { cold: 1, warm: 1, unknown: 1 });
        assert_eq!(
            (tally.kinds[1].starts, tally.kinds[1].latencies_ns.len()),
            (Starts { cold: 1, warm: 1, unknown: 0 }, 2)
        );
        let by_start: Vec<(&str, u64)> =
            tally.by_start.iter().map(|(start, latency)| (*start, latency.count())).collect();
        assert_eq!(by_start, [("cold", 1), ("warm", 1)]);
        assert_eq!((tally.kinds[1].due, tally.kinds[0].due), (1, 0));
        assert_eq!(tally.server_timing["load"].count(), 3);
        assert!(tally.server_timing["load"].percentile(50.0).abs_diff(500_000) < 1000);
        assert_eq!(tally.timing["server"].count(), 3);
    }
}
