//! Standard output and standard error as wasmer-wasix wants them: files that keep what is written, up to a limit.

use isobar_core::capture::Capture;
use std::io::{ErrorKind, Result, SeekFrom};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncSeek, AsyncWrite, ReadBuf};
use wasmer_wasix::virtual_fs::{FsError, VirtualFile};

/// What a write beyond the limit is thrown as. An error would only reach the function, which need not care, and
/// wasmer-wasix looks for a reason to stop in few of its calls.
pub(crate) struct OutputLimit;

/// One stream. Clones are the same stream.
#[derive(Clone, Debug)]
pub(crate) struct Sink(Arc<Mutex<Capture>>);

impl Sink {
    pub fn new(limit_bytes: u64) -> Self {
        Sink(Arc::new(Mutex::new(Capture::new(limit_bytes))))
    }

    pub fn take(&self) -> Vec<u8> {
        self.lock().take()
    }

    fn lock(&self) -> MutexGuard<'_, Capture> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsyncWrite for Sink {
    fn poll_write(self: Pin<&mut Self>, _cx: &mut Context<'_>, buf: &[u8]) -> Poll<Result<usize>> {
        let written = self.lock().write(buf);
        if written.is_err() {
            // Wasmer carries a panic over the function's frames; this one the hook does not print.
            std::panic::resume_unwind(Box::new(OutputLimit));
        }
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Sink {
    fn poll_read(self: Pin<&mut Self>, _cx: &mut Context<'_>, _buf: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        Poll::Ready(Err(ErrorKind::PermissionDenied.into()))
    }
}

impl AsyncSeek for Sink {
    fn start_seek(self: Pin<&mut Self>, _position: SeekFrom) -> Result<()> {
        Err(ErrorKind::NotSeekable.into())
    }

    fn poll_complete(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Result<u64>> {
        Poll::Ready(Ok(0))
    }
}

impl VirtualFile for Sink {
    fn last_accessed(&self) -> u64 {
        0
    }

    fn last_modified(&self) -> u64 {
        0
    }

    fn created_time(&self) -> u64 {
        0
    }

    fn size(&self) -> u64 {
        0
    }

    fn set_len(&mut self, _new_size: u64) -> std::result::Result<(), FsError> {
        Err(FsError::PermissionDenied)
    }

    fn unlink(&mut self) -> std::result::Result<(), FsError> {
        Err(FsError::PermissionDenied)
    }

    fn poll_read_ready(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Result<usize>> {
        Poll::Ready(Err(ErrorKind::PermissionDenied.into()))
    }

    fn poll_write_ready(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Result<usize>> {
        Poll::Ready(Ok(8192))
    }
}
