//! Clocks, randomness, and what a process does to itself.

use super::errno::{Errno, answer};
use super::memory::{address, bytes_mut, store};
use super::{Stop, Wasi};
use rustix::time::{ClockId, Timespec, clock_getres, clock_gettime};
use std::time::{Duration, SystemTime};

/// `$clockid` of the specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clock {
    Realtime,
    Monotonic,
    ProcessCputime,
    ThreadCputime,
}

impl Clock {
    pub(super) fn new(id: u32) -> Result<Self, Errno> {
        match id {
            0 => Ok(Clock::Realtime),
            1 => Ok(Clock::Monotonic),
            2 => Ok(Clock::ProcessCputime),
            3 => Ok(Clock::ThreadCputime),
            _ => Err(Errno::Inval),
        }
    }

    fn resolution_ns(self) -> u64 {
        nanoseconds(clock_getres(match self {
            Clock::Realtime => ClockId::Realtime,
            Clock::Monotonic => ClockId::Monotonic,
            Clock::ProcessCputime | Clock::ThreadCputime => ClockId::ThreadCPUTime,
        }))
    }
}

fn nanoseconds(time: Timespec) -> u64 {
    let [seconds, rest] = [time.tv_sec, time.tv_nsec].map(|n| u64::try_from(n).unwrap_or(0));
    seconds.saturating_mul(1_000_000_000).saturating_add(rest)
}

fn saturated_ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

impl Wasi {
    pub(super) fn time_ns(&self, clock: Clock) -> u64 {
        match clock {
            Clock::Realtime => saturated_ns(SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default()),
            // Counted from when the host was made, so that a guest does not learn how long the machine is up; and
            // never 0, which Go's runtime takes for a broken clock.
            Clock::Monotonic => saturated_ns(self.start.elapsed()).saturating_add(1),
            // An invocation is one thread of a process that may serve others: both are this thread's time.
            // wasmtime-wasi has neither clock (`badf`).
            Clock::ProcessCputime | Clock::ThreadCputime => nanoseconds(clock_gettime(ClockId::ThreadCPUTime)),
        }
    }

    /// Writes the resolution of a clock, in nanoseconds.
    pub fn clock_res_get(&mut self, memory: &mut [u8], id: i32, resolution: i32) -> Result<i32, Stop> {
        answer(
            Clock::new(id.cast_unsigned())
                .and_then(|clock| store(memory, address(resolution), &clock.resolution_ns().to_le_bytes())),
        )
    }

    /// Writes the time of a clock, in nanoseconds.
    pub fn clock_time_get(&mut self, memory: &mut [u8], id: i32, _precision: i64, time: i32) -> Result<i32, Stop> {
        answer(
            Clock::new(id.cast_unsigned())
                .and_then(|clock| store(memory, address(time), &self.time_ns(clock).to_le_bytes())),
        )
    }

    /// Fills a buffer with random bytes of the operating system.
    pub fn random_get(&mut self, memory: &mut [u8], buf: i32, buf_len: i32) -> Result<i32, Stop> {
        answer(
            bytes_mut(memory, address(buf), address(buf_len))
                .and_then(|target| getrandom::fill(target).map_err(|_| Errno::Io)),
        )
    }

    /// Does nothing, successfully: a guest has one thread.
    pub fn sched_yield(&mut self, _memory: &mut [u8]) -> Result<i32, Stop> {
        Ok(0)
    }

    /// Always refused: there are no signals.
    pub fn proc_raise(&mut self, _memory: &mut [u8], _sig: i32) -> Result<i32, Stop> {
        answer(Err(Errno::Notsup))
    }

    /// Ends the run. Unlike wasmtime-wasi, which traps at 126 and above, every exit code is taken.
    ///
    /// # Errors
    /// Always [`Stop::Exit`].
    pub fn proc_exit(&mut self, _memory: &mut [u8], code: i32) -> Result<(), Stop> {
        Err(Stop::Exit(code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Invocation;
    use crate::wasi::memory::load_u64;

    const FAULT: Result<i32, Stop> = Ok(Errno::Fault as i32);
    const INVAL: Result<i32, Stop> = Ok(Errno::Inval as i32);

    #[test]
    fn clocks_go_forward_and_the_monotonic_one_is_never_0() {
        let mut wasi = Wasi::new(&Invocation::default());
        let mut memory = [0; 16];
        for id in 0..4 {
            assert_eq!(wasi.clock_res_get(&mut memory, id, 0), Ok(0));
            assert_ne!(load_u64(&memory, 0), Ok(0), "resolution of {id}");
            assert_eq!(wasi.clock_time_get(&mut memory, id, 0, 0), Ok(0));
            assert_eq!(wasi.clock_time_get(&mut memory, id, -1, 8), Ok(0));
            let [first, second] = [0, 8].map(|at| load_u64(&memory, at).unwrap());
            assert!(0 < first && (first <= second || id == 0), "{id}: {first} {second}");
        }
    }

    #[test]
    fn realtime_counts_from_1970() {
        let mut wasi = Wasi::new(&Invocation::default());
        let mut memory = [0; 8];
        assert_eq!(wasi.clock_time_get(&mut memory, 0, 0, 0), Ok(0));
        let seconds = load_u64(&memory, 0).unwrap() / 1_000_000_000;
        assert!((1_700_000_000..10_000_000_000).contains(&seconds), "{seconds}");
    }

    #[test]
    fn unknown_clocks_and_bad_pointers_are_refused() {
        let mut wasi = Wasi::new(&Invocation::default());
        let mut memory = [7; 8];
        for id in [4, -1, i32::MIN] {
            assert_eq!(wasi.clock_res_get(&mut memory, id, 0), INVAL);
            assert_eq!(wasi.clock_time_get(&mut memory, id, 0, 0), INVAL);
        }
        for pointer in [1, 8, -1] {
            assert_eq!(wasi.clock_res_get(&mut memory, 0, pointer), FAULT);
            assert_eq!(wasi.clock_time_get(&mut memory, 0, 0, pointer), FAULT);
        }
        assert_eq!(memory, [7; 8]);
    }

    #[test]
    fn random_bytes_fill_the_buffer_and_nothing_else() {
        let mut wasi = Wasi::new(&Invocation::default());
        let mut memory = [0; 64];
        assert_eq!(wasi.random_get(&mut memory, 16, 32), Ok(0));
        assert_ne!(memory[16..48], [0; 32]);
        assert_eq!((&memory[..16], &memory[48..]), (&[0; 16][..], &[0; 16][..]));
        let before = memory;
        assert_eq!(wasi.random_get(&mut memory, 64, 0), Ok(0));
        for (buf, len) in [(0, 65), (0, -1), (-1, 1), (64, 1)] {
            assert_eq!(wasi.random_get(&mut memory, buf, len), FAULT);
        }
        assert_eq!(memory, before);
    }

    #[test]
    fn every_exit_code_stops_the_guest() {
        let mut wasi = Wasi::new(&Invocation::default());
        for code in [0, 1, 125, 126, 255, -1] {
            assert_eq!(wasi.proc_exit(&mut [], code), Err(Stop::Exit(code)));
        }
        assert_eq!(wasi.proc_raise(&mut [], 6), Ok(Errno::Notsup as i32));
        assert_eq!(wasi.sched_yield(&mut []), Ok(0));
    }
}
