//! Waiting for sockets and for the next moment at once: epoll counts milliseconds, a timer of the kernel nanoseconds.

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

/// The token of the timer.
pub(super) const TIMER: Token = Token(usize::MAX);
/// The token of answered lookups.
pub(super) const LOOKUP: Token = Token(usize::MAX - 1);

/// To sleep for less takes longer than that.
const SHORTEST_NS: u64 = 10_000;
/// Nothing is waited for longer: time-outs are looked for that often.
pub(super) const TICK_NS: u64 = 20_000_000;

/// Sockets and a timer.
pub(super) struct Wait {
    pub(super) poll: Poll,
    timer: OwnedFd,
    /// The moment that the timer is set to.
    set_to_ns: u64,
}

impl Wait {
    pub(super) fn new() -> io::Result<Self> {
        let poll = Poll::new()?;
        let timer =
            rustix::time::timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        poll.registry().register(&mut SourceFd(&timer.as_raw_fd()), TIMER, Interest::READABLE)?;
        Ok(Wait { poll, timer, set_to_ns: 0 })
    }

    /// Waits for events, but not beyond `until_ns`, nor longer than a tick.
    pub(super) fn wait(&mut self, events: &mut Events, now_ns: u64, until_ns: Option<u64>) -> io::Result<()> {
        let left_ns = until_ns.map_or(TICK_NS, |until| until.saturating_sub(now_ns));
        let timeout = if left_ns < SHORTEST_NS {
            Duration::ZERO
        } else {
            if left_ns < TICK_NS && until_ns != Some(self.set_to_ns) {
                self.set(left_ns)?;
                self.set_to_ns = until_ns.unwrap_or(0);
            }
            Duration::from_nanos(TICK_NS)
        };
        match self.poll.poll(events, Some(timeout)) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {
                events.clear();
                Ok(())
            }
            result => result,
        }
    }

    fn set(&self, ns: u64) -> io::Result<()> {
        let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
        // Less than a tick, so less than a second.
        let spec = Itimerspec { it_interval: zero, it_value: Timespec { tv_sec: 0, tv_nsec: ns as _ } };
        rustix::time::timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &spec)?;
        Ok(())
    }
}
