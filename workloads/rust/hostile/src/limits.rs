//! What ought to have an end, or to be ended.

use std::{
    alloc::{Layout, alloc},
    hint::black_box,
    io::{Write, stdout},
    process::ExitCode,
    time::{Duration, Instant},
};

const MIB: usize = 1 << 20;
const PAGE: usize = 4096;

pub(crate) fn memory(most_mib: u32) -> Result<String, String> {
    let layout = Layout::from_size_align(MIB, 16).map_err(|e| e.to_string())?;
    for taken in 0..most_mib {
        // SAFETY: the layout has a size.
        let block = unsafe { alloc(layout) };
        if block.is_null() {
            return Err(format!("refused after {taken} MiB"));
        }
        for at in (0..MIB).step_by(PAGE) {
            // SAFETY: it is in the block.
            unsafe { block.add(at).write_volatile(1) };
        }
    }
    Ok(format!("took {most_mib} MiB"))
}

/// Nothing can be said where everything is full: how much came through tells.
pub(crate) fn output(most_mib: u32) -> ExitCode {
    let (mut out, chunk) = (stdout().lock(), [b'x'; 1 << 16]);
    for _ in 0..most_mib as usize * MIB / chunk.len() {
        if let Err(e) = out.write_all(&chunk) {
            eprintln!("refused: {e}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

pub(crate) fn spin() -> Result<String, String> {
    const AT_MOST: Duration = Duration::from_secs(20);
    let since = Instant::now();
    while since.elapsed() < AT_MOST {
        for turn in 0..1_u32 << 22 {
            black_box(turn);
        }
    }
    Ok(format!("ran for {} s and was not stopped", AT_MOST.as_secs()))
}

pub(crate) fn stack() -> Result<String, String> {
    const MOST_CALLS: u64 = 10_000_000;
    match call(black_box(0), MOST_CALLS) {
        calls if calls >= MOST_CALLS => Ok(format!("called itself {MOST_CALLS} times")),
        calls => Err(format!("came back after {calls} calls")),
    }
}

#[inline(never)]
fn call(depth: u64, most: u64) -> u64 {
    if depth >= most { depth } else { black_box(call(black_box(depth + 1), most)) }
}

/// Far from everything that it has: in a module beyond its memory, in a process where no address leads.
pub(crate) fn crash() -> Result<String, String> {
    let far = black_box(usize::MAX / 2 - 7) as *mut u64;
    // SAFETY: none. This is the point of it: somebody must stop it.
    unsafe {
        let there = far.read_volatile();
        far.write_volatile(there ^ 1);
    }
    Ok("read and wrote far outside of its memory".to_owned())
}
