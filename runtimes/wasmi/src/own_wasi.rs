//! wasmi's own WASI, with captured output and nothing inherited.

use crate::host::{Host, State};
use async_trait::async_trait;
use isobar_core::capture::Capture;
use isobar_core::wasi::{MODULE, Stop};
use isobar_core::{Failure, Invocation};
use std::io::{self, IoSlice, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};
use wasmi::{Error, Linker};
use wasmi_wasi::WasiCtx;
use wasmi_wasi::wasi_common::pipe::{ReadPipe, WritePipe};
use wasmi_wasi::wasi_common::{self, Poll, Table, WasiSched};

/// wasi-common's host.
pub struct OwnWasi {
    context: WasiCtx,
    stdout: Arc<RwLock<Bounded>>,
    stderr: Arc<RwLock<Bounded>>,
    deadline: Arc<Deadline>,
}

impl Host for OwnWasi {
    fn link(linker: &mut Linker<State<Self>>) -> Result<(), Error> {
        wasmi_wasi::add_to_linker(linker, |state: &mut State<Self>| &mut state.host.context)
            .map_err(|e| Error::new(e.to_string()))?;
        // wasi-common takes exit codes below 126 only, and traps on others. This function alone is replaced.
        linker.allow_shadowing(true);
        linker.func_wrap(MODULE, "proc_exit", |code: i32| -> Result<(), Error> { Err(Error::i32_exit(code)) })?;
        linker.allow_shadowing(false);
        Ok(())
    }

    fn new(invocation: &Invocation, limits: bool) -> Result<Self, Failure> {
        let deadline = Arc::new(Deadline::default());
        let sched = match limits {
            true => Box::new(Sched(deadline.clone())),
            false => wasi_common::sync::sched_ctx(),
        };
        // Not the builder: it makes a second context, only to throw it away.
        let random = wasi_common::sync::random_ctx();
        let mut context = WasiCtx::new(random, wasi_common::sync::clocks_ctx(), sched, Table::new());
        let too_long = |e| Failure::host(format!("arguments or environment: {e}"));
        for arg in invocation.argv() {
            context.push_arg(arg).map_err(too_long)?;
        }
        for (name, value) in &invocation.env {
            context.push_env(name, value).map_err(too_long)?;
        }
        context.set_stdin(Box::new(ReadPipe::from(invocation.stdin.as_slice())));
        let stream = || Arc::new(RwLock::new(Bounded(Capture::new(invocation.limits.output_bytes))));
        let (stdout, stderr) = (stream(), stream());
        context.set_stdout(Box::new(WritePipe::from_shared(stdout.clone())));
        context.set_stderr(Box::new(WritePipe::from_shared(stderr.clone())));
        Ok(OwnWasi { context, stdout, stderr, deadline })
    }

    fn set_deadline(&mut self, deadline: Instant) {
        *self.deadline.at.lock().unwrap_or_else(PoisonError::into_inner) = Some(deadline);
    }

    fn stop(&self, error: &Error) -> Option<Stop> {
        if let Some(code) = error.i32_exit_status() {
            return Some(Stop::Exit(code));
        }
        let overflowed =
            |stream: &RwLock<Bounded>| stream.read().unwrap_or_else(PoisonError::into_inner).0.overflowed();
        if overflowed(&self.stdout) || overflowed(&self.stderr) {
            return Some(Stop::OutputLimit);
        }
        self.deadline.missed.load(Ordering::Relaxed).then_some(Stop::Timeout)
    }

    fn take_output(&mut self) -> (Vec<u8>, Vec<u8>) {
        let take = |stream: &RwLock<Bounded>| stream.write().unwrap_or_else(PoisonError::into_inner).0.take();
        (take(&self.stdout), take(&self.stderr))
    }
}

/// A captured stream. What does not fit is an error that wasi-common knows no number for, so that it ends the run.
struct Bounded(Capture);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn write_vectored(&mut self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        buffers.iter().map(|buffer| self.write(buffer)).sum()
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Default)]
struct Deadline {
    at: Mutex<Option<Instant>>,
    missed: AtomicBool,
}

/// wasi-common's scheduler, but no sleep outlasts the deadline.
struct Sched(Arc<Deadline>);

impl Sched {
    /// Whether a sleep ends in time. If not, it is slept up to the deadline.
    fn check(&self, sleep: Duration) -> Result<(), wasi_common::Error> {
        let Some(at) = *self.0.at.lock().unwrap_or_else(PoisonError::into_inner) else { return Ok(()) };
        let left = at.saturating_duration_since(Instant::now());
        if sleep < left {
            return Ok(());
        }
        std::thread::sleep(left);
        self.0.missed.store(true, Ordering::Relaxed);
        // An error that wasi-common knows no number for ends the run.
        Err(io::Error::other(Stop::Timeout).into())
    }
}

#[async_trait]
impl WasiSched for Sched {
    async fn poll_oneoff<'a>(&self, poll: &mut Poll<'a>) -> Result<(), wasi_common::Error> {
        if let Some(clock) = poll.earliest_clock_deadline() {
            self.check(clock.duration_until().unwrap_or_default())?;
        }
        wasi_common::sync::sched::poll_oneoff(poll).await
    }

    async fn sched_yield(&self) -> Result<(), wasi_common::Error> {
        std::thread::yield_now();
        Ok(())
    }

    async fn sleep(&self, duration: Duration) -> Result<(), wasi_common::Error> {
        self.check(duration)?;
        std::thread::sleep(duration);
        Ok(())
    }
}
