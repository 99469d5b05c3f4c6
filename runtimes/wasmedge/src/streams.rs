//! The standard streams of one run, as files in memory, and the watch over how much is written.
//!
//! WasmEdge tells [`Watch`] after every call of a host function. Every now and then that compares the two write
//! positions with the limit, and beyond it sets the executor's stop token, so that the next call or (when interpreted)
//! branch of the function ends the run. However much is written between two looks, the files do not grow far beyond
//! the limit: they are sealed at a size a little above it.

use crate::raw::Function;
use isobar_core::contract::{Failure, Invocation};
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use std::ffi::c_void;
use std::fs::File;
use std::io::{Seek, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use wasmedge_sys::ffi;

/// How far one write may go beyond the limit, in bytes. More than the kernel writes at once, which refuses such a piece
/// as a whole when the seal is within it: the position is beyond the limit before a write is refused.
const SLACK_BYTES: u64 = 64 << 20;

/// A look takes two system calls, so it is taken after so many host calls only: a write takes 1 µs, a look 0.3 µs.
const HOST_CALLS_PER_LOOK: u32 = 16;

/// The three streams.
pub struct Streams {
    stdin: File,
    stdout: File,
    stderr: File,
    limit_bytes: u64,
}

impl Streams {
    /// Standard input with its content, and empty output.
    pub fn new(invocation: &Invocation) -> Result<Self, Failure> {
        let limit_bytes = invocation.limits.output_bytes;
        let streams = || -> std::io::Result<Self> {
            Ok(Streams {
                stdin: input(&invocation.stdin)?,
                stdout: output(limit_bytes)?,
                stderr: output(limit_bytes)?,
                limit_bytes,
            })
        };
        streams().map_err(|e| Failure::host(format!("cannot make a file in memory for a standard stream: {e}")))
    }

    /// The descriptors 0, 1 and 2.
    pub fn fds(&self) -> [BorrowedFd<'_>; 3] {
        [self.stdin.as_fd(), self.stdout.as_fd(), self.stderr.as_fd()]
    }

    /// Whether more was written than the limit allows.
    pub fn overflowed(&self) -> bool {
        written(&self.stdout) > self.limit_bytes || written(&self.stderr) > self.limit_bytes
    }

    /// What was written to standard output and standard error.
    pub fn collect(&self) -> Result<(Vec<u8>, Vec<u8>), Failure> {
        let both = || Ok((read(&self.stdout)?, read(&self.stderr)?));
        both().map_err(|e: std::io::Error| Failure::host(format!("cannot read a captured stream: {e}")))
    }
}

fn input(content: &[u8]) -> std::io::Result<File> {
    let mut file = File::from(memfd_create(c"stdin", MemfdFlags::CLOEXEC)?);
    if !content.is_empty() {
        file.write_all(content)?;
        file.rewind()?;
    }
    Ok(file)
}

fn output(limit_bytes: u64) -> std::io::Result<File> {
    let file = File::from(memfd_create(c"output", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?);
    file.set_len(limit_bytes.saturating_add(SLACK_BYTES).min(i64::MAX as u64 / 2))?;
    fcntl_add_seals(&file, SealFlags::GROW)?;
    Ok(file)
}

/// The write position: what was written, for a function that does not seek in its output.
fn written(mut file: &File) -> u64 {
    file.stream_position().unwrap_or(0)
}

fn read(file: &File) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![0; written(file) as usize];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}

/// Ends a run that writes too much.
pub struct Watch {
    streams: Arc<Streams>,
    executor: *mut ffi::WasmEdge_ExecutorContext,
    /// A function that does nothing.
    idle: Function,
    host_calls: AtomicU32,
    tripped: AtomicBool,
}

impl Watch {
    /// Watches what is run by `executor`. Both pointers must be valid until the watch is dropped; `idle` takes no
    /// parameters.
    pub fn new(streams: Arc<Streams>, executor: *mut ffi::WasmEdge_ExecutorContext, idle: Function) -> Box<Self> {
        let watch =
            Box::new(Watch { streams, executor, idle, host_calls: AtomicU32::new(0), tripped: AtomicBool::new(false) });
        let data: *const Watch = &*watch;
        // SAFETY: the watch does not move, and takes the callback back when it is dropped.
        unsafe {
            ffi::WasmEdge_ExecutorExperimentalRegisterPostHostFunction(
                executor,
                data.cast_mut().cast(),
                Some(after_host_call),
            );
        }
        watch
    }

    /// Sets the executor's stop token. Only a handle of an asynchronous call can, so it makes one: such a handle stops
    /// whatever the executor runs, and costs nothing in a run that stays within its limit.
    fn stop(&self) {
        // SAFETY: the executor and the idle function are valid; the call is over when its handle is used and deleted.
        unsafe {
            let call = ffi::WasmEdge_ExecutorAsyncInvoke(self.executor, self.idle.as_ptr(), std::ptr::null(), 0);
            if !call.is_null() {
                ffi::WasmEdge_AsyncWait(call);
                ffi::WasmEdge_AsyncCancel(call);
                ffi::WasmEdge_AsyncDelete(call);
            }
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // SAFETY: the executor is still valid.
        unsafe {
            ffi::WasmEdge_ExecutorExperimentalRegisterPostHostFunction(self.executor, std::ptr::null_mut(), None);
            if self.tripped.load(Ordering::Relaxed) {
                // Uses the stop token up, should the run have ended without.
                ffi::WasmEdge_ExecutorInvoke(
                    self.executor,
                    self.idle.as_ptr(),
                    std::ptr::null(),
                    0,
                    std::ptr::null_mut(),
                    0,
                );
            }
        }
    }
}

unsafe extern "C" fn after_host_call(data: *mut c_void) {
    // SAFETY: `data` is the watch that registered this; `stop` brings a second thread here, which only reads.
    let watch = unsafe { &*data.cast::<Watch>() };
    // Not `fetch_add`: a lost count does no harm.
    let calls = watch.host_calls.load(Ordering::Relaxed).wrapping_add(1);
    watch.host_calls.store(calls, Ordering::Relaxed);
    if !calls.is_multiple_of(HOST_CALLS_PER_LOOK) {
        return;
    }
    if watch.streams.overflowed() && !watch.tripped.swap(true, Ordering::Relaxed) {
        watch.stop();
    }
}
