//! A process that has done its work and is held as it ends, with all its memory: what a live instance of a function weighs.
//! It is traced, and stops at `PTRACE_EVENT_EXIT`. Where another program starts the function, both are traced, and weigh.

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

    /// The proportional set size of all of them, in bytes. This process holds nothing of theirs, and what it shares with other
    /// runners comes and goes.
    pub(crate) fn pss_bytes(&self) -> Option<u64> {
        self.lock().iter().map(|id| memory_of(*id).pss_bytes).sum()
    }
}

/// A process that is held, with those around it. It is let go by the thread that started it.
pub(crate) struct Staying {
    child: Child,
    held: Held,
    /// The processes that are traced, by their numbers: the child first.
    traced: Vec<libc::pid_t>,
    /// The name of the function's executable, where another program starts it.
    behind: Option<&'static str>,
}

/// What a traced process did.
enum Seen {
    /// It runs.
    Nothing,
    /// It started another one, which is traced, too.
    Started(libc::pid_t),
    /// It is about to end, so.
    Ending(Status),
    /// It is gone.
    Gone,
}

impl Staying {
    /// Starts a program and holds it as it ends; or, where the function is `behind` it, that one's process.
    pub(crate) fn start(
        command: &Command,
        streams: Streams,
        limits: &Limits,
        held: &Held,
        behind: Option<&'static str>,
    ) -> Result<(Staying, Finished), Failure> {
        let mut command = command.clone();
        command.traced = true;
        let start = Instant::now();
        let until = start.checked_add(Duration::from_nanos(limits.wall_time_ns));
        let (child, mut listening) = streams.start(&command)?;
        let traced = vec![child.id];
        let mut staying = Staying { child, held: held.clone(), traced, behind };
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
        held.lock().extend(staying.traced.iter().map(|id| *id as u32));
        let (stdout, stderr) = listening.rest();
        end_of(if listening.flooded() { Stopped::OutputLimit } else { Stopped::Ended }, limits)?;
        let elapsed_ns = isobar_core::measure::nanoseconds(start.elapsed());
        let silent = last.elapsed();
        Ok((staying, Finished { status, stdout, stderr, max_rss_bytes: 0, elapsed_ns, silent }))
    }

    /// Lets the processes go on from wherever they stopped; how the function ends, once it is about to.
    fn look(&mut self) -> Result<Option<Status>, Failure> {
        let mut at = 0;
        while let Some(&id) = self.traced.get(at) {
            at += 1;
            match seen(id, self.behind.is_some())? {
                Seen::Nothing => {}
                Seen::Started(other) => self.traced.push(other),
                Seen::Ending(status) if self.behind.is_none_or(|name| is_of(id, name)) => return Ok(Some(status)),
                Seen::Ending(_) => go_on(id, 0)?,
                Seen::Gone if id == self.child.id => {
                    return Err(Failure::host("the process ended without being held"));
                }
                Seen::Gone => {
                    at -= 1;
                    self.traced.remove(at);
                }
            }
        }
        Ok(None)
    }
}

/// Whether a process executes a file of this name.
fn is_of(id: libc::pid_t, name: &str) -> bool {
    std::fs::read_link(format!("/proc/{id}/exe")).is_ok_and(|exe| exe.file_name().is_some_and(|file| file == name))
}

fn failed() -> Failure {
    Failure::host(format!("cannot hold a process as it ends: {}", io::Error::last_os_error()))
}

fn go_on(id: libc::pid_t, signal: libc::c_int) -> Result<(), Failure> {
    let nothing = std::ptr::null_mut::<libc::c_void>();
    // SAFETY: a request about a process that this thread traces and that has stopped.
    match unsafe { libc::ptrace(libc::PTRACE_CONT, id, nothing, libc::c_long::from(signal)) } {
        // It was killed meanwhile: the next look sees that.
        -1 if io::Error::last_os_error().raw_os_error() != Some(libc::ESRCH) => Err(failed()),
        _ => Ok(()),
    }
}

/// Looks at a traced process, and lets it go on unless it is about to end. With `all`, what it starts is traced, too.
fn seen(id: libc::pid_t, all: bool) -> Result<Seen, Failure> {
    let (nothing, mut status, mut message) = (std::ptr::null_mut::<libc::c_void>(), 0, 0 as libc::c_ulong);
    // SAFETY: waits for a process that this thread traces.
    match unsafe { libc::waitpid(id, &mut status, libc::WNOHANG | libc::__WALL) } {
        0 => return Ok(Seen::Nothing),
        -1 => return Ok(Seen::Gone),
        _ if !libc::WIFSTOPPED(status) => return Ok(Seen::Gone),
        _ => {}
    }
    // SAFETY: requests about a process that this thread traces and that has stopped; the message is written to a variable of
    // its size.
    let asked = unsafe {
        let mut options = libc::PTRACE_O_TRACEEXIT | libc::PTRACE_O_EXITKILL;
        if all {
            options |= libc::PTRACE_O_TRACEFORK | libc::PTRACE_O_TRACEVFORK | libc::PTRACE_O_TRACECLONE;
        }
        libc::ptrace(libc::PTRACE_GETEVENTMSG, id, nothing, &mut message) == 0
            && libc::ptrace(libc::PTRACE_SETOPTIONS, id, nothing, libc::c_long::from(options)) == 0
    };
    if !asked {
        // One that was killed says no more.
        return if io::Error::last_os_error().raw_os_error() == Some(libc::ESRCH) {
            Ok(Seen::Nothing)
        } else {
            Err(failed())
        };
    }
    let (event, signal) = (status >> 16, libc::WSTOPSIG(status));
    match event {
        libc::PTRACE_EVENT_EXIT => return Ok(Seen::Ending(Status::of(message as libc::c_int))),
        libc::PTRACE_EVENT_FORK | libc::PTRACE_EVENT_VFORK | libc::PTRACE_EVENT_CLONE => {
            go_on(id, 0)?;
            return Ok(Seen::Started(message as libc::pid_t));
        }
        _ => {}
    }
    // The stop of `execve`, and that of a process that was just started; any other is a signal, which is its own.
    go_on(id, if [libc::SIGTRAP, libc::SIGSTOP].contains(&signal) { 0 } else { signal })?;
    Ok(Seen::Nothing)
}

impl Drop for Staying {
    fn drop(&mut self) {
        for id in &self.traced {
            self.held.lock().remove(&(*id as u32));
        }
        let (nothing, mut status) = (std::ptr::null_mut::<libc::c_void>(), 0);
        if self.traced.contains(&self.child.id) {
            // SAFETY: a signal to the group of a child that was not waited for yet.
            unsafe { libc::kill(-self.child.id, libc::SIGKILL) };
        }
        // The last one first: the first process of a namespace ends when all others of it were waited for.
        for id in self.traced.iter().rev().copied() {
            // SAFETY: ends a process that this thread traces and that was not waited for yet. It may stop on its way.
            unsafe {
                libc::kill(id, libc::SIGKILL);
                libc::ptrace(libc::PTRACE_CONT, id, nothing, 0);
                while libc::waitpid(id, &mut status, libc::__WALL) == id && libc::WIFSTOPPED(status) {
                    libc::ptrace(libc::PTRACE_CONT, id, nothing, 0);
                }
            }
        }
    }
}
