//! What an invocation leaves behind, and the next one may find.

use std::{
    hint::black_box,
    sync::atomic::{AtomicU8, Ordering::Relaxed},
};

/// Begins what is left. Kept masked, so that whoever looks for it does not find its own wish.
const PREFIX: [u8; 14] = masked(*b"isobar-marker:");
const MASK: u8 = 0xa5;
/// A token is so many hexadecimal digits.
const DIGITS: usize = 32;
const LENGTH: usize = PREFIX.len() + DIGITS;

static KEPT: [AtomicU8; LENGTH] = [const { AtomicU8::new(0) }; LENGTH];

const fn masked(mut text: [u8; 14]) -> [u8; 14] {
    let mut at = 0;
    while at < text.len() {
        text[at] ^= MASK;
        at += 1;
    }
    text
}

/// In a static, all over the heap, and on the stack.
pub(crate) fn leave(token: &str) -> String {
    const COPIES: usize = 1000;
    let mask = black_box(MASK);
    let mut marker: Vec<u8> = PREFIX.iter().map(|byte| byte ^ mask).collect();
    marker.extend(token.bytes());
    for (kept, byte) in KEPT.iter().zip(&marker) {
        kept.store(*byte, Relaxed);
    }
    black_box(marker.repeat(COPIES).leak());
    let mut on_stack = [0_u8; LENGTH];
    marker.resize(LENGTH, b'0');
    on_stack.copy_from_slice(&marker);
    black_box(&on_stack);
    "left".to_owned()
}

pub(crate) fn look() -> Result<String, String> {
    let kept: Vec<u8> = KEPT.iter().map(|byte| byte.load(Relaxed)).collect();
    if let Some(token) = marker_at(kept.as_ptr(), kept.len()) {
        return Ok(format!("found {token} in a static variable"));
    }
    let (place, start, length) = memory();
    for at in 0..length.saturating_sub(LENGTH) {
        if let Some(token) = marker_at(start.wrapping_add(at), LENGTH) {
            return Ok(format!("found {token} in {place}"));
        }
    }
    Err(format!("nothing of another invocation's in a static variable nor in {} KiB of {place}", length >> 10))
}

/// The token, if a marker begins there.
fn marker_at(start: *const u8, length: usize) -> Option<String> {
    // SAFETY: the callers have as many bytes there; they are read as what they are, whoever wrote them.
    let byte = |at: usize| unsafe { start.wrapping_add(at).read_volatile() };
    if length < LENGTH || PREFIX.iter().enumerate().any(|(at, masked)| byte(at) ^ MASK != *masked) {
        return None;
    }
    let token: Vec<u8> = (PREFIX.len()..LENGTH).map(byte).collect();
    token.iter().all(u8::is_ascii_hexdigit).then(|| String::from_utf8_lossy(&token).into_owned())
}

/// All of the linear memory, with a mebibyte that it did not have before.
#[cfg(target_os = "wasi")]
fn memory() -> (&'static str, *const u8, usize) {
    use std::arch::wasm32::{memory_grow, memory_size};
    const FIRST: usize = 16;
    memory_grow::<0>(16);
    ("its memory", FIRST as *const u8, memory_size::<0>() * 65_536 - FIRST)
}

/// Memory that the system gives and nobody has written to.
#[cfg(not(target_os = "wasi"))]
fn memory() -> (&'static str, *const u8, usize) {
    use std::alloc::{Layout, alloc};
    const LENGTH_BYTES: usize = 8 << 20;
    match Layout::from_size_align(LENGTH_BYTES, 4096) {
        // SAFETY: the layout has a size.
        Ok(layout) => match unsafe { alloc(layout) } {
            start if start.is_null() => ("fresh memory", start, 0),
            start => ("fresh memory", start, LENGTH_BYTES),
        },
        Err(_) => ("fresh memory", std::ptr::null(), 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_found_where_it_is_and_nowhere_else() {
        let token = "0123456789abcdef0123456789abcdef";
        let marker = format!("isobar-marker:{token}");
        assert_eq!(marker_at(marker.as_ptr(), marker.len()).as_deref(), Some(token));
        assert_eq!(marker_at(marker[1..].as_ptr(), marker.len() - 1), None);
        let other = marker.replace('f', "g");
        assert_eq!(marker_at(other.as_ptr(), other.len()), None);
        assert!(look().unwrap_err().starts_with("nothing of another"));
        assert_eq!(leave(token), "left");
        assert_eq!(look().unwrap(), format!("found {token} in a static variable"));
    }
}
