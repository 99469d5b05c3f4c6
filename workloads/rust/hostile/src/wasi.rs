//! The calls of WASI preview 1 themselves, past the library of the guest, which refuses much before the host is asked.

use crate::files::Attempt;
use std::{
    collections::BTreeSet,
    fs::File,
    io::{Read, Write},
    os::fd::FromRawFd,
};

/// Descriptors that may be a folder: no function here is given one.
const DESCRIPTORS: std::ops::Range<i32> = 0..8;

const O_CREATE: i32 = 1;
const O_DIRECTORY: i32 = 2;
const MAY_READ: i64 = 1 << 1;
const MAY_WRITE: i64 = 1 << 6;
const MAY_LIST: i64 = 1 << 14;

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn path_open(
        folder: i32,
        lookup: i32,
        path: *const u8,
        path_len: i32,
        options: i32,
        rights: i64,
        inheriting: i64,
        flags: i32,
        opened: *mut i32,
    ) -> i32;
    fn fd_readdir(fd: i32, buffer: *mut u8, len: i32, cookie: i64, used: *mut i32) -> i32;
    fn proc_raise(signal: i32) -> i32;
}

/// Tries it from every descriptor, by the path itself, without its first slash and through the folders above.
pub(crate) fn around(attempt: Attempt) -> Result<Vec<u8>, String> {
    let (path, options, rights) = match attempt {
        Attempt::Read(path) => (path, 0, MAY_READ),
        Attempt::List(path) => (path, O_DIRECTORY, MAY_READ | MAY_LIST),
        Attempt::Write(path, _) => (path, O_CREATE, MAY_WRITE),
    };
    let mut refusals = BTreeSet::new();
    for folder in DESCRIPTORS {
        for path in [path.to_owned(), path.trim_start_matches('/').to_owned(), format!("../../../../../..{path}")] {
            match open(folder, &path, options, rights) {
                Ok(fd) => return finish(fd, &attempt),
                Err(errno) => refusals.insert(errno),
            };
        }
    }
    let refusals: Vec<String> = refusals.iter().map(i32::to_string).collect();
    Err(format!("path_open from descriptors 0 to {}: errno {}", DESCRIPTORS.end - 1, refusals.join(", ")))
}

fn open(folder: i32, path: &str, options: i32, rights: i64) -> Result<i32, i32> {
    let mut opened = -1;
    // SAFETY: the path and the number live until the call returns.
    let errno =
        unsafe { path_open(folder, 0, path.as_ptr(), path.len() as i32, options, rights, rights, 0, &raw mut opened) };
    if errno == 0 { Ok(opened) } else { Err(errno) }
}

fn finish(fd: i32, attempt: &Attempt) -> Result<Vec<u8>, String> {
    let said = |e: std::io::Error| format!("path_open succeeds, but then: {e}");
    if let Attempt::List(_) = attempt {
        let (mut buffer, mut used) = (vec![0; 4096], 0);
        // SAFETY: the buffer is as long as it says, and outlives the call.
        let errno = unsafe { fd_readdir(fd, buffer.as_mut_ptr(), buffer.len() as i32, 0, &raw mut used) };
        buffer.truncate(used as usize);
        return if errno == 0 { Ok(buffer) } else { Err(format!("path_open succeeds, fd_readdir: errno {errno}")) };
    }
    // SAFETY: the descriptor was just opened, and nobody else has it.
    let mut file = unsafe { File::from_raw_fd(fd) };
    let mut bytes = Vec::new();
    match attempt {
        Attempt::Write(_, token) => file.write_all(token.as_bytes()).map_err(said)?,
        _ => drop(file.read_to_end(&mut bytes).map_err(said)?),
    }
    Ok(bytes)
}

/// Asks the host to raise a signal in its own process: SIGTERM.
pub(crate) fn raise() -> i32 {
    const TERM: i32 = 15;
    // SAFETY: it takes a number and nothing else.
    unsafe { proc_raise(TERM) }
}
