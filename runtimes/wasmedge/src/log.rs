//! What WasmEdge logs: never on this process's streams, but kept for the thread that caused it. Some things it only
//! logs: which import is missing, that memory was refused, that it interprets what it was told to compile.

use std::cell::{Cell, RefCell};
use std::sync::Once;
use wasmedge_sys::ffi;

const LINES_KEPT: usize = 8;
const LINE_BYTES_KEPT: usize = 400;

thread_local! {
    static LINES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    static MEMORY_REFUSED: Cell<bool> = const { Cell::new(false) };
    static INTERPRETS: Cell<bool> = const { Cell::new(false) };
}

/// Takes WasmEdge's log over. It must come before anything else that WasmEdge does.
pub fn take_over() {
    static ONCE: Once = Once::new();
    // SAFETY: the callback may be called on any thread at any time.
    ONCE.call_once(|| unsafe {
        ffi::WasmEdge_LogSetCallback(Some(keep));
        ffi::WasmEdge_LogSetLevel(ffi::WasmEdge_LogLevel_Warn);
    });
}

unsafe extern "C" fn keep(message: *const ffi::WasmEdge_LogMessage) {
    // SAFETY: WasmEdge gives a valid message, for the time of the call.
    let text = unsafe {
        let text = (*message).Message;
        std::slice::from_raw_parts(text.Buf.cast::<u8>(), text.Length as usize)
    };
    let text = String::from_utf8_lossy(&text[..text.len().min(LINE_BYTES_KEPT)]);
    // A thread that is ending has no log any more.
    if text.contains("Memory Instance:") && text.contains("imited ") {
        let _ = MEMORY_REFUSED.try_with(|refused| refused.set(true));
    }
    if text.contains("interpreter mode instead") || text.contains("falling back to interpreter") {
        let _ = INTERPRETS.try_with(|interprets| interprets.set(true));
    }
    let _ = LINES.try_with(|lines| {
        let mut lines = lines.borrow_mut();
        if lines.len() < LINES_KEPT {
            lines.push(text.into_owned());
        }
    });
}

/// Forgets what this thread's calls logged.
pub fn clear() {
    LINES.with_borrow_mut(Vec::clear);
    MEMORY_REFUSED.set(false);
    INTERPRETS.set(false);
}

/// What this thread's calls logged since [`clear`].
pub fn lines() -> Vec<String> {
    LINES.with_borrow(Vec::clone)
}

/// Whether WasmEdge refused memory beyond its configured limit since [`clear`].
pub fn memory_refused() -> bool {
    MEMORY_REFUSED.get()
}

/// Whether WasmEdge said since [`clear`] that it interprets, instead of running compiled code.
pub fn interprets() -> bool {
    INTERPRETS.get()
}
