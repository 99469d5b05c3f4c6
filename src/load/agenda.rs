//! What is still to be sent.

use super::driver::{Options, Pace};
use super::schedule::{Due, Schedule};
use isobar_core::measure::nanoseconds;
use std::collections::VecDeque;

/// A schedule, or the rule of a closed loop, as it is being worked off.
pub(super) struct Agenda {
    pub(super) schedule: Option<std::iter::Peekable<Schedule>>,
    /// Due and not sent.
    pub(super) queue: VecDeque<Due>,
    /// So many of them have waited for a connection.
    pub(super) waited: usize,
    pub(super) end_ns: Option<u64>,
    from_ns: u64,
    /// How many requests may still be counted.
    pub(super) left: Option<u64>,
}

impl Agenda {
    pub(super) fn new(options: Options) -> Self {
        let from_ns = nanoseconds(options.warm_up);
        let end_ns = options.duration.map(|duration| from_ns.saturating_add(nanoseconds(duration)));
        let schedule = match options.pace {
            Pace::Closed => None,
            Pace::Open(schedule) => Some(schedule.peekable()),
        };
        Agenda { schedule, queue: VecDeque::new(), waited: 0, end_ns, from_ns, left: options.requests }
    }

    /// Whether a request at this moment belongs to the load; it is then one fewer.
    pub(super) fn takes(&mut self, at_ns: u64) -> bool {
        if self.end_ns.is_some_and(|end| at_ns >= end) || self.left == Some(0) {
            return false;
        }
        if at_ns >= self.from_ns {
            self.left = self.left.map(|left| left - 1);
        }
        true
    }

    /// Queues what is due.
    pub(super) fn advance(&mut self, now_ns: u64) {
        while let Some(due) = self.schedule.as_mut().and_then(|schedule| schedule.next_if(|due| due.at_ns <= now_ns)) {
            if !self.takes(due.at_ns) {
                self.schedule = None;
                return;
            }
            self.queue.push_back(due);
        }
        if self.schedule.as_mut().is_some_and(|schedule| schedule.peek().is_none()) {
            self.schedule = None;
        }
    }

    /// When the next request is due.
    pub(super) fn next_ns(&mut self) -> Option<u64> {
        self.schedule.as_mut()?.peek().map(|due| due.at_ns)
    }

    pub(super) fn pop(&mut self) -> Option<(Due, bool)> {
        let due = self.queue.pop_front()?;
        let waited = self.waited > 0;
        self.waited = self.waited.saturating_sub(1);
        Some((due, waited))
    }
}

#[cfg(test)]
mod tests {
    use super::super::schedule::constant;
    use super::*;
    use std::time::Duration;

    fn agenda(pace: Pace, warm_up_ms: u64, duration_ms: Option<u64>, requests: Option<u64>) -> Agenda {
        Agenda::new(Options {
            pace,
            connections: 1,
            fresh: false,
            warm_up: Duration::from_millis(warm_up_ms),
            duration: duration_ms.map(Duration::from_millis),
            requests,
            timeout: Duration::from_secs(1),
            give_up_behind: None,
        })
    }

    fn open(rate: u32) -> Pace {
        Pace::Open(Box::new(constant(rate, Duration::from_secs(3600))))
    }

    #[test]
    fn what_is_due_is_queued_up_to_the_end() {
        let mut agenda = agenda(open(10), 100, Some(1000), None);
        assert_eq!(agenda.next_ns(), Some(0));
        agenda.advance(250_000_000);
        assert_eq!((agenda.queue.len(), agenda.next_ns()), (3, Some(300_000_000)));
        agenda.advance(u64::MAX);
        // Warming up, and a second: 11 requests.
        assert_eq!((agenda.queue.len(), agenda.next_ns(), agenda.schedule.is_none()), (11, None, true));
    }

    #[test]
    fn requests_of_warming_up_are_not_among_those_that_were_asked_for() {
        let mut agenda = agenda(open(10), 500, None, Some(3));
        agenda.advance(u64::MAX);
        assert_eq!((agenda.queue.len(), agenda.left), (5 + 3, Some(0)));
        let mut closed = super::tests::agenda(Pace::Closed, 500, None, Some(2));
        assert_eq!(
            [1, 2, 500_000_000, 500_000_001, 500_000_002].map(|at| closed.takes(at)),
            [true, true, true, true, false]
        );
    }

    #[test]
    fn those_that_waited_for_a_connection_are_known() {
        let mut agenda = agenda(open(10), 0, None, None);
        agenda.advance(100_000_000);
        agenda.waited = agenda.queue.len();
        agenda.advance(200_000_000);
        let waited: Vec<bool> = std::iter::from_fn(|| agenda.pop()).map(|(_, waited)| waited).collect();
        assert_eq!(waited, [true, true, false]);
    }
}
