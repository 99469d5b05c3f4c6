//! A process that has done its work and is held as it ends, with all its memory: what a live instance of a function weighs.
//! It is traced, and stops at `PTRACE_EVENT_EXIT`.

use crate::collect::{Finished, Status, Stopped, Streams, end_of};
use crate::spawn::{Child, Command};
use isobar_core::process::memory_of;
use isobar_core::{Failure, Limits};
use std::collections::BTreeSet;
use std::io;
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long the streams of a process are listened to before it is asked after again.
const LOOK: Duration = Duration::from_millis(1);

/// The processes that are held, by their numbers.
#[derive(Clone, Default)]
pub(crate) struct Held(Arc<Mutex<BTreeSet<u32>>>);

impl Held {
    fn lock(&self) -> MutexGuard<'_, BTreeSet<u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The proportional set size of all of them and this process, in bytes.
    pub(crate) fn pss_bytes(&self) -> Option<u64> {
        let held = self.lock();
        let all = [std::process::id()].into_iter().chain(held.iter().copied());
        all.map(|id| memory_of(id).pss_bytes).sum()
    }
}

/// A process that is held. It is let go by the thread that started it.
pub(crate) struct Staying {
    child: Child,
    held: Held,
}

impl Staying {
    /// Starts a program and holds it as it ends.
    pub(crate) fn start(
        command: &Command,
        streams: Streams,
        limits: &Limits,
        held: &Held,
    ) -> Result<(Staying, Finished), Failure> {
        let mut command = command.clone();
        command.traced = true;
        let start = Instant::now();
        let until = start.checked_add(Duration::from_nanos(limits.wall_time_ns));
        let (child, mut listening) = streams.start(&command)?;
        let staying = Staying { child, held: held.clone() };
        let mut last = start;
        let status = loop {
            if let Some(status) = staying.look()? {
                break status;
            }
            let soon = Instant::now() + LOOK;
            let stopped = listening.until_end(staying.child.fd.as_fd(), Some(soon), &mut last);
            if stopped == Stopped::OutputLimit || until.is_some_and(|until| Instant::now() >= until) {
                end_of(stopped, limits)?;
            }
        };
        held.lock().insert(staying.child.id as u32);
        let (stdout, stderr) = listening.rest();
        end_of(if listening.flooded() { Stopped::OutputLimit } else { Stopped::Ended }, limits)?;
        let elapsed_ns = isobar_core::measure::nanoseconds(start.elapsed());
        let silent = last.elapsed();
        Ok((staying, Finished { status, stdout, stderr, max_rss_bytes: 0, elapsed_ns, silent }))
    }

    /// Lets the process go on from wherever it stopped; how it ends, once it is about to.
    fn look(&self) -> Result<Option<Status>, Failure> {
        const EXIT: libc::c_int = libc::PTRACE_EVENT_EXIT;
        let failed = || Failure::host(format!("cannot hold a process as it ends: {}", io::Error::last_os_error()));
        let (id, nothing) = (self.child.id, std::ptr::null_mut::<libc::c_void>());
        let mut status = 0;
        // SAFETY: requests about a child that this thread traces; the message is written to a variable of its size.
        unsafe {
            if libc::waitpid(id, &mut status, libc::WNOHANG | libc::__WALL) == 0 {
                return Ok(None);
            }
            if !libc::WIFSTOPPED(status) {
                return Err(Failure::host("the process ended without being held"));
            }
            if status >> 16 == EXIT {
                let mut code: libc::c_ulong = 0;
                if libc::ptrace(libc::PTRACE_GETEVENTMSG, id, nothing, &mut code) < 0 {
                    return Err(failed());
                }
                return Ok(Some(Status::of(code as libc::c_int)));
            }
            let options = libc::PTRACE_O_TRACEEXIT | libc::PTRACE_O_EXITKILL;
            if libc::ptrace(libc::PTRACE_SETOPTIONS, id, nothing, libc::c_long::from(options)) < 0 {
                return Err(failed());
            }
            // The first stop is that of `execve`; any other is a signal, which is the function's own.
            let signal = match libc::WSTOPSIG(status) {
                libc::SIGTRAP => 0,
                signal => signal,
            };
            if libc::ptrace(libc::PTRACE_CONT, id, nothing, libc::c_long::from(signal)) < 0 {
                return Err(failed());
            }
        }
        Ok(None)
    }
}

impl Drop for Staying {
    fn drop(&mut self) {
        self.held.lock().remove(&(self.child.id as u32));
        let (id, nothing, mut status) = (self.child.id, std::ptr::null_mut::<libc::c_void>(), 0);
        // SAFETY: ends a child that this thread traces and that was not waited for yet. It may stop on its way.
        unsafe {
            libc::ptrace(libc::PTRACE_CONT, id, nothing, 0);
            libc::kill(-id, libc::SIGKILL);
            while libc::waitpid(id, &mut status, libc::__WALL) == id && libc::WIFSTOPPED(status) {
                libc::ptrace(libc::PTRACE_CONT, id, nothing, 0);
            }
        }
    }
}
