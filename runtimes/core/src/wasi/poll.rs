//! `poll_oneoff`: sleeping, and waiting for streams, which are always ready.

use super::clocks::Clock;
use super::errno::{Errno, Refusal, answer};
use super::memory::{address, bytes, load_u8, load_u16, load_u32, load_u64, store};
use super::streams::Stream;
use super::{Stop, Wasi};
use std::time::{Duration, Instant};

const SUBSCRIPTION_BYTES: u64 = 48;
const EVENT_BYTES: u64 = 32;

const CLOCK: u8 = 0;
const FD_READ: u8 = 1;
const FD_WRITE: u8 = 2;

const ABSOLUTE: u16 = 1;
const HANGUP: u16 = 1;

/// The event that a subscription waits for.
struct Awaited {
    /// When it comes, on the monotonic clock; 0 for what is ready.
    due_ns: u64,
    /// The event as the guest gets it.
    event: [u8; EVENT_BYTES as usize],
}

impl Awaited {
    fn new(userdata: u64, kind: u8, due_ns: u64, available_bytes: u64, flags: u16) -> Self {
        let mut event = [0; EVENT_BYTES as usize];
        event[0..8].copy_from_slice(&userdata.to_le_bytes());
        // 8..10: the error, none.
        event[10] = kind;
        event[16..24].copy_from_slice(&available_bytes.to_le_bytes());
        event[24..26].copy_from_slice(&flags.to_le_bytes());
        Awaited { due_ns, event }
    }
}

/// The time at which a poll began.
#[derive(Clone, Copy)]
struct Began {
    monotonic_ns: u64,
    realtime_ns: u64,
}

impl Wasi {
    fn awaited(&self, memory: &[u8], at: u64, began: Began) -> Result<Awaited, Errno> {
        let userdata = load_u64(memory, at)?;
        let contents = at + 16;
        match load_u8(memory, at + 8)? {
            CLOCK => Ok(Awaited::new(userdata, CLOCK, due_ns(memory, contents, began)?, 0, 0)),
            FD_READ => {
                let Stream::Stdin = self.stream(load_u32(memory, contents)?.cast_signed())? else {
                    return Err(Errno::Badf);
                };
                let unread = self.unread().len() as u64;
                Ok(Awaited::new(userdata, FD_READ, 0, unread, if unread == 0 { HANGUP } else { 0 }))
            }
            FD_WRITE => {
                let written = match self.stream(load_u32(memory, contents)?.cast_signed())? {
                    Stream::Stdin => return Err(Errno::Badf),
                    Stream::Stdout => self.stdout.bytes().len(),
                    Stream::Stderr => self.stderr.bytes().len(),
                };
                Ok(Awaited::new(userdata, FD_WRITE, 0, self.output_limit_bytes.saturating_sub(written as u64), 0))
            }
            _ => Err(Errno::Inval),
        }
    }

    fn sleep_until(&self, due_ns: u64) -> Result<(), Stop> {
        loop {
            let now_ns = self.time_ns(Clock::Monotonic);
            if now_ns >= due_ns {
                return Ok(());
            }
            let wait = Duration::from_nanos(due_ns - now_ns);
            match self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
                Some(left) if left < wait => {
                    std::thread::sleep(left);
                    return Err(Stop::Timeout);
                }
                _ => std::thread::sleep(wait),
            }
        }
    }

    fn poll(&self, memory: &mut [u8], [from, to, count]: [u64; 3], nevents: u64) -> Result<(), Refusal> {
        if count == 0 {
            return Err(Errno::Inval.into());
        }
        bytes(memory, from, count * SUBSCRIPTION_BYTES)?;
        bytes(memory, to, count * EVENT_BYTES)?;
        bytes(memory, nevents, 4)?;
        let began = Began { monotonic_ns: self.time_ns(Clock::Monotonic), realtime_ns: self.time_ns(Clock::Realtime) };
        let mut first_ns = u64::MAX;
        for index in 0..count {
            first_ns = first_ns.min(self.awaited(memory, from + index * SUBSCRIPTION_BYTES, began)?.due_ns);
        }
        self.sleep_until(first_ns)?;
        let now_ns = self.time_ns(Clock::Monotonic);
        let mut written = 0;
        for index in 0..count {
            // Read a second time, which needs no memory of ours for any number of subscriptions.
            let awaited = self.awaited(memory, from + index * SUBSCRIPTION_BYTES, began)?;
            if awaited.due_ns <= now_ns {
                store(memory, to + written * EVENT_BYTES, &awaited.event)?;
                written += 1;
            }
        }
        store(memory, nevents, &(written as u32).to_le_bytes())?;
        Ok(())
    }

    /// Waits for the first of `nsubscriptions` events, and writes all that have come. As in wasmtime-wasi, a
    /// subscription to a closed descriptor or to a CPU-time clock refuses the whole call.
    ///
    /// # Errors
    /// [`Stop::Timeout`] when the deadline comes first.
    pub fn poll_oneoff(
        &mut self,
        memory: &mut [u8],
        subscriptions: i32,
        events: i32,
        nsubscriptions: i32,
        nevents: i32,
    ) -> Result<i32, Stop> {
        answer(self.poll(memory, [subscriptions, events, nsubscriptions].map(address), address(nevents)))
    }
}

/// When a clock's subscription is over, on the monotonic clock.
fn due_ns(memory: &[u8], contents: u64, began: Began) -> Result<u64, Errno> {
    let clock = Clock::new(load_u32(memory, contents)?)?;
    let timeout_ns = load_u64(memory, contents + 8)?;
    // 16..24: the precision, a permission to be late that is not needed.
    let flags = load_u16(memory, contents + 24)?;
    match (clock, flags) {
        (Clock::Realtime | Clock::Monotonic, 0) => Ok(began.monotonic_ns.saturating_add(timeout_ns)),
        (Clock::Monotonic, ABSOLUTE) => Ok(timeout_ns),
        (Clock::Realtime, ABSOLUTE) => {
            Ok(began.monotonic_ns.saturating_add(timeout_ns.saturating_sub(began.realtime_ns)))
        }
        _ => Err(Errno::Inval),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{Invocation, Limits};

    const REALTIME: u32 = 0;
    const MONOTONIC: u32 = 1;
    const HOUR_NS: u64 = 3_600_000_000_000;
    const EVENTS: i32 = 200;
    const NEVENTS: i32 = 400;

    fn wasi(stdin: &[u8]) -> Wasi {
        let limits = Limits { output_bytes: 10, ..Limits::default() };
        Wasi::new(&Invocation { stdin: stdin.to_vec(), limits, ..Invocation::default() })
    }

    fn clock(userdata: u64, id: u32, timeout_ns: u64, flags: u16) -> [u8; 48] {
        let mut subscription = [0; 48];
        subscription[0..8].copy_from_slice(&userdata.to_le_bytes());
        subscription[16..20].copy_from_slice(&id.to_le_bytes());
        subscription[24..32].copy_from_slice(&timeout_ns.to_le_bytes());
        subscription[40..42].copy_from_slice(&flags.to_le_bytes());
        subscription
    }

    fn stream(userdata: u64, kind: u8, fd: u32) -> [u8; 48] {
        let mut subscription = clock(userdata, fd, 0, 0);
        subscription[8] = kind;
        subscription
    }

    /// Userdata, error, type, bytes, flags.
    type Event = (u64, u16, u8, u64, u16);

    /// What the call says, and its events.
    fn poll(wasi: &mut Wasi, subscriptions: &[[u8; 48]]) -> (Result<i32, Stop>, Vec<Event>) {
        let mut memory = vec![0; 404];
        memory[..subscriptions.len() * 48].copy_from_slice(subscriptions.as_flattened());
        let said = wasi.poll_oneoff(&mut memory, 0, EVENTS, subscriptions.len() as i32, NEVENTS);
        let events = memory[EVENTS as usize..NEVENTS as usize].chunks_exact(32).map(|event| {
            (
                load_u64(event, 0).unwrap(),
                load_u16(event, 8).unwrap(),
                event[10],
                load_u64(event, 16).unwrap(),
                load_u16(event, 24).unwrap(),
            )
        });
        let count = load_u32(&memory, NEVENTS as u64).unwrap() as usize;
        (said, events.take(count).collect())
    }

    #[test]
    fn a_sleep_ends_when_its_clock_says_so() {
        for (id, flags) in [(MONOTONIC, 0), (REALTIME, 0), (MONOTONIC, ABSOLUTE), (REALTIME, ABSOLUTE)] {
            let mut wasi = wasi(b"");
            let clock_of = if id == REALTIME { Clock::Realtime } else { Clock::Monotonic };
            let due_ns = wasi.time_ns(Clock::Monotonic) + 2_000_000;
            let timeout_ns = 2_000_000 + if flags == ABSOLUTE { wasi.time_ns(clock_of) } else { 0 };
            let answer = poll(&mut wasi, &[clock(7, id, timeout_ns, flags)]);
            assert_eq!(answer, (Ok(0), vec![(7, 0, CLOCK, 0, 0)]));
            // The real-time clock may be set meanwhile, the monotonic one may not.
            assert!((id, flags) == (REALTIME, ABSOLUTE) || wasi.time_ns(Clock::Monotonic) >= due_ns);
        }
    }

    #[test]
    fn times_in_the_past_are_over_at_once_and_others_are_left_out() {
        let subscriptions = [
            clock(1, MONOTONIC, HOUR_NS, 0),
            clock(2, MONOTONIC, 0, 0),
            clock(3, REALTIME, u64::MAX, 0),
            clock(4, REALTIME, 1, ABSOLUTE),
        ];
        let answer = poll(&mut wasi(b""), &subscriptions);
        assert_eq!(answer, (Ok(0), vec![(2, 0, CLOCK, 0, 0), (4, 0, CLOCK, 0, 0)]));
    }

    #[test]
    fn streams_are_ready_at_once() {
        let mut wasi = wasi(b"abc");
        wasi.stdout.write(b"1234").unwrap();
        let subscriptions =
            [stream(1, FD_READ, 0), clock(2, MONOTONIC, HOUR_NS, 0), stream(3, FD_WRITE, 1), stream(4, FD_WRITE, 2)];
        let events = vec![(1, 0, FD_READ, 3, 0), (3, 0, FD_WRITE, 6, 0), (4, 0, FD_WRITE, 10, 0)];
        assert_eq!(poll(&mut wasi, &subscriptions), (Ok(0), events));
        wasi.stdin_position = 3;
        assert_eq!(poll(&mut wasi, &subscriptions[..1]), (Ok(0), vec![(1, 0, FD_READ, 0, HANGUP)]));
    }

    #[test]
    fn what_cannot_be_waited_for_is_refused() {
        let mut wasi = wasi(b"");
        let ready = clock(1, MONOTONIC, 0, 0);
        for (bad, errno) in [
            (clock(2, 2, 0, 0), Errno::Inval),
            (clock(2, 3, 0, 0), Errno::Inval),
            (clock(2, 4, 0, 0), Errno::Inval),
            (clock(2, MONOTONIC, 0, 2), Errno::Inval),
            (stream(2, 3, 0), Errno::Inval),
            (stream(2, FD_READ, 1), Errno::Badf),
            (stream(2, FD_WRITE, 0), Errno::Badf),
            (stream(2, FD_READ, 3), Errno::Badf),
            (stream(2, FD_WRITE, u32::MAX), Errno::Badf),
        ] {
            assert_eq!(poll(&mut wasi, &[ready, bad]), (Ok(errno as i32), vec![]));
        }
        assert_eq!(poll(&mut wasi, &[]), (Ok(Errno::Inval as i32), vec![]));
    }

    #[test]
    fn arrays_outside_of_memory_are_a_fault() {
        let mut memory = [0; 100];
        memory[0] = 9;
        let before = memory;
        for (from, to, count, result) in [
            (53, 0, 1, 0),
            (0, 69, 1, 0),
            (0, 40, 2, 0),
            (0, 0, 3, 0),
            (0, 0, -1, 0),
            (-1, 0, 1, 0),
            (0, -32, 1, 0),
            (0, 0, 1, 97),
        ] {
            let said = wasi(b"").poll_oneoff(&mut memory, from, to, count, result);
            assert_eq!(said, Ok(Errno::Fault as i32), "{from} {to} {count} {result}");
        }
        assert_eq!(memory, before);
    }

    #[test]
    fn the_deadline_ends_a_sleep() {
        let mut wasi = wasi(b"");
        wasi.set_deadline(Instant::now() + Duration::from_millis(2));
        assert_eq!(poll(&mut wasi, &[clock(1, MONOTONIC, u64::MAX, 0)]), (Err(Stop::Timeout), vec![]));
        // Nothing is slept for here, so the deadline, which is past, does not matter.
        assert_eq!(poll(&mut wasi, &[clock(1, MONOTONIC, 0, 0)]).0, Ok(0));
    }
}
