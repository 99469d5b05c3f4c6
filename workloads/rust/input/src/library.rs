//! What a function that is a library has in place of a process: its variables, its input and its output are those of one
//! call. The interface is that of `workloads/libraries/isobar.h`; docs/BASELINES.md describes it.

use std::{
    cell::Cell,
    ffi::{CStr, c_char, c_int, c_void},
    process::ExitCode,
    ptr, slice,
};

/// `struct isobar_call`.
#[repr(C)]
pub struct Call {
    argc: c_int,
    argv: *const *const c_char,
    env: *const *const c_char,
    input: *const u8,
    input_len: usize,
    host: *mut c_void,
    write: unsafe extern "C" fn(*mut c_void, c_int, *const u8, usize),
}

thread_local! {
    /// The call that is answered on this thread.
    static CALL: Cell<*const Call> = const { Cell::new(ptr::null()) };
    /// How much of its input was read, in bytes.
    static READ: Cell<usize> = const { Cell::new(0) };
}

/// Answers a call by a program's `main`, and gives its exit code.
///
/// # Safety
/// `call` is what `isobar.h` says, until this returns.
pub unsafe fn answer(call: *const Call, main: fn() -> ExitCode) -> i32 {
    READ.set(0);
    CALL.set(call);
    let code = main();
    CALL.set(ptr::null());
    // The standard library does not tell.
    (0..=u8::MAX).find(|known| ExitCode::from(*known) == code).unwrap_or(u8::MAX).into()
}

/// Exports a program's `main` as the function of `isobar.h`.
#[macro_export]
macro_rules! library {
    ($main:path) => {
        /// Answers a call.
        ///
        /// # Safety
        /// `call` is what `isobar.h` says, until this returns.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn isobar_call_v1(call: *const $crate::library::Call) -> i32 {
            // SAFETY: the caller's word.
            unsafe { $crate::library::answer(call, $main) }
        }
    };
}

/// The call that is answered.
fn call() -> &'static Call {
    // SAFETY: it lives as long as the function's `main` runs, which all that follows is called by, on this thread.
    unsafe { CALL.get().as_ref() }.expect("a function runs in a call")
}

/// Writes to standard output (1) or standard error (2).
pub(crate) fn write(stream: c_int, bytes: &[u8]) {
    let call = call();
    // SAFETY: the caller takes these bytes while it is called.
    unsafe { (call.write)(call.host, stream, bytes.as_ptr(), bytes.len()) };
}

/// A line on standard error.
macro_rules! eprintln {
    ($($what:tt)*) => { $crate::library::write(2, format!("{}\n", format_args!($($what)*)).as_bytes()) };
}

pub(crate) use eprintln;

/// As [`std::env`].
pub(crate) mod env {
    use super::{CStr, call};
    use std::{ffi::OsString, os::unix::ffi::OsStringExt};

    pub(crate) fn var_os(variable: &str) -> Option<OsString> {
        let mut at = call().env;
        loop {
            // SAFETY: an array of strings that ends with a null pointer.
            let text = unsafe { (!(*at).is_null()).then(|| CStr::from_ptr(*at)) }?.to_bytes();
            let value = text.strip_prefix(variable.as_bytes()).and_then(|rest| rest.strip_prefix(b"="));
            if let Some(value) = value {
                return Some(OsString::from_vec(value.to_vec()));
            }
            // SAFETY: that was not the last one.
            at = unsafe { at.add(1) };
        }
    }
}

/// As [`std::io`].
pub(crate) mod io {
    use super::{READ, call, slice};
    use std::io::{Read, Result, Write};

    pub(crate) struct Stdin;
    pub(crate) struct Stdout;

    pub(crate) fn stdin() -> Stdin {
        Stdin
    }

    pub(crate) fn stdout() -> Stdout {
        Stdout
    }

    impl Stdin {
        pub(crate) fn lock(self) -> Stdin {
            self
        }
    }

    impl Stdout {
        pub(crate) fn lock(self) -> Stdout {
            self
        }
    }

    impl Read for Stdin {
        fn read(&mut self, bytes: &mut [u8]) -> Result<usize> {
            let call = call();
            // A slice of nothing has a pointer, too, which the caller need not give.
            let all = match call.input_len {
                0 => &[],
                // SAFETY: the caller gives so many bytes.
                length => unsafe { slice::from_raw_parts(call.input, length) },
            };
            let mut rest = &all[READ.get()..];
            let read = rest.read(bytes)?;
            READ.set(READ.get() + read);
            Ok(read)
        }
    }

    impl Write for Stdout {
        fn write(&mut self, bytes: &[u8]) -> Result<usize> {
            super::write(1, bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> Result<()> {
            Ok(())
        }
    }
}
