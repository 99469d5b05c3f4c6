//! What an instance has in its store: a WASI host, its own or the shared one, and the memory limiter.

use bytes::Bytes;
use isobar_core::capture::{Capture, End, Overflow};
use isobar_core::contract::Invocation;
use isobar_core::wasi::{self, Stop, Wasi};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use wasmtime::{Caller, Linker, Memory, ResourceLimiter};
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p1::{self, WasiP1Ctx};
use wasmtime_wasi::p2::pipe::MemoryInputPipe;
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError};
use wasmtime_wasi::{I32Exit, WasiCtxBuilder};

/// A WASI library.
pub(crate) trait Host: Send + Sized + 'static {
    /// The state of one invocation.
    fn new(invocation: &Invocation) -> Self;

    /// Defines preview 1. `interruptible` says whether a sleeping function must end at its deadline.
    fn link(linker: &mut Linker<State<Self>>, interruptible: bool) -> wasmtime::Result<()>;

    /// Whether the function wrote more than it may.
    fn overflowed(&self) -> bool;

    /// Standard output and standard error.
    fn take_output(&mut self) -> (Vec<u8>, Vec<u8>);

    /// The shared host that serves the calls which this one cannot interrupt.
    fn interruptible(&mut self) -> &mut Wasi;
}

/// The content of a store.
pub(crate) struct State<H> {
    pub(crate) host: H,
    pub(crate) limiter: Limiter,
    /// The function's memory, once it is instantiated.
    pub(crate) memory: Option<Memory>,
}

impl<H: Host> State<H> {
    pub(crate) fn new(invocation: &Invocation) -> Self {
        let limiter = Limiter { limit_bytes: invocation.limits.memory_bytes, refused: false };
        State { host: H::new(invocation), limiter, memory: None }
    }

    /// Ends sleeps when the invocation's wall time is over.
    pub(crate) fn start_clock(&mut self, wall_time_ns: u64) {
        if let Some(deadline) = Instant::now().checked_add(Duration::from_nanos(wall_time_ns)) {
            self.host.interruptible().set_deadline(deadline);
        }
    }
}

/// Refuses memory beyond the limit, and remembers that it did. Called when memory grows, never by compiled code.
pub(crate) struct Limiter {
    limit_bytes: u64,
    pub(crate) refused: bool,
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, _current: usize, desired: usize, _max: Option<usize>) -> wasmtime::Result<bool> {
        let granted = desired as u64 <= self.limit_bytes;
        self.refused |= !granted;
        Ok(granted)
    }

    fn table_growing(&mut self, _current: usize, desired: usize, _max: Option<usize>) -> wasmtime::Result<bool> {
        let granted = (desired as u64).saturating_mul(size_of::<usize>() as u64) <= self.limit_bytes;
        self.refused |= !granted;
        Ok(granted)
    }
}

/// wasmtime-wasi.
pub(crate) struct Own {
    wasi: WasiP1Ctx,
    stdout: Sink,
    stderr: Sink,
    clock: Option<Wasi>,
}

impl Host for Own {
    fn new(invocation: &Invocation) -> Self {
        let stdout = Sink::new(invocation.limits.output_bytes);
        let stderr = Sink::new(invocation.limits.output_bytes);
        let mut builder = WasiCtxBuilder::new();
        builder.stdout(stdout.clone()).stderr(stderr.clone()).envs(&invocation.env);
        for arg in invocation.argv() {
            builder.arg(arg);
        }
        if !invocation.stdin.is_empty() {
            builder.stdin(MemoryInputPipe::new(invocation.stdin.clone()));
        }
        Own { wasi: builder.build_p1(), stdout, stderr, clock: None }
    }

    fn link(linker: &mut Linker<State<Self>>, interruptible: bool) -> wasmtime::Result<()> {
        p1::add_to_linker_sync(linker, |state: &mut State<Self>| &mut state.host.wasi)?;
        linker.allow_shadowing(true);
        // wasmtime-wasi ends with an error of its own at exit codes above 125.
        linker
            .func_wrap(wasi::MODULE, "proc_exit", |code: i32| -> wasmtime::Result<()> { Err(I32Exit(code).into()) })?;
        if interruptible {
            // No epoch ends a sleep inside wasmtime-wasi.
            linker.func_wrap(wasi::MODULE, "poll_oneoff", poll_oneoff::<Self>)?;
        }
        Ok(())
    }

    fn overflowed(&self) -> bool {
        self.stdout.lock().overflowed() || self.stderr.lock().overflowed()
    }

    fn take_output(&mut self) -> (Vec<u8>, Vec<u8>) {
        (self.stdout.lock().take(), self.stderr.lock().take())
    }

    fn interruptible(&mut self) -> &mut Wasi {
        self.clock.get_or_insert_with(|| Wasi::new(&Invocation::default()))
    }
}

fn poll_oneoff<H: Host>(
    mut caller: Caller<'_, State<H>>,
    subscriptions: i32,
    events: i32,
    count: i32,
    ready: i32,
) -> wasmtime::Result<i32> {
    let (memory, state) = split(&mut caller);
    Ok(state.host.interruptible().poll_oneoff(memory, subscriptions, events, count, ready)?)
}

/// The function's memory and the store's content, at once.
fn split<'a, H: Host>(caller: &'a mut Caller<'_, State<H>>) -> (&'a mut [u8], &'a mut State<H>) {
    // A start section calls before the memory is known.
    let found = caller.data().memory.or_else(|| caller.get_export("memory")?.into_memory());
    match found {
        Some(memory) => memory.data_and_store_mut(caller),
        // Every pointer into a memory that is not there is out of bounds.
        None => (&mut [], caller.data_mut()),
    }
}

/// isobar's shared host.
pub(crate) struct Shared(Wasi);

macro_rules! define {
    ([$linker:ident] $(fn $name:ident($($arg:ident: $type:ty),*) $(-> $result:ty)?;)*) => {
        $($linker.func_wrap(
            wasi::MODULE,
            stringify!($name),
            |mut caller: Caller<'_, State<Shared>>, $($arg: $type),*| {
                let (memory, state) = split(&mut caller);
                state.host.0.$name(memory, $($arg),*).map_err(wasmtime::Error::from)
            },
        )?;)*
    };
}

impl Host for Shared {
    fn new(invocation: &Invocation) -> Self {
        Shared(Wasi::new(invocation))
    }

    fn link(linker: &mut Linker<State<Self>>, _interruptible: bool) -> wasmtime::Result<()> {
        isobar_core::preview1!(define, linker);
        Ok(())
    }

    fn overflowed(&self) -> bool {
        self.0.overflowed()
    }

    fn take_output(&mut self) -> (Vec<u8>, Vec<u8>) {
        self.0.take_output()
    }

    fn interruptible(&mut self) -> &mut Wasi {
        &mut self.0
    }
}

/// How a host call that ended the run wanted it to end.
pub(crate) fn end_of(error: &wasmtime::Error) -> Option<End> {
    if let Some(exit) = error.downcast_ref::<I32Exit>() {
        return Some(End::Exit(exit.0));
    }
    if error.downcast_ref::<Overflow>().is_some() {
        return Some(End::OutputLimit);
    }
    error.downcast_ref::<Stop>().map(|stop| stop.clone().into())
}

/// An output stream that collects in memory, and ends the run when it is full.
#[derive(Clone)]
struct Sink(Arc<Mutex<Capture>>);

impl Sink {
    fn new(limit_bytes: u64) -> Self {
        Sink(Arc::new(Mutex::new(Capture::new(limit_bytes))))
    }

    fn lock(&self) -> MutexGuard<'_, Capture> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl IsTerminal for Sink {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Sink {
    /// Preview 1 never asks for it.
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncWrite + Send + Sync> {
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl OutputStream for Sink {
    fn write(&mut self, bytes: Bytes) -> Result<(), StreamError> {
        self.lock().write(&bytes).map_err(|overflow| StreamError::Trap(overflow.into()))
    }

    fn flush(&mut self) -> Result<(), StreamError> {
        Ok(())
    }

    fn check_write(&mut self) -> Result<usize, StreamError> {
        Ok(1 << 20)
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Sink {
    async fn ready(&mut self) {}
}
