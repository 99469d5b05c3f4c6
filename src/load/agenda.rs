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
