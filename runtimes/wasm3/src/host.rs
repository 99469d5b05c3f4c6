//! The shared WASI host as host functions of wasm3.

use crate::raw::{self, RawCall};
use isobar_core::wasi::{Stop, Wasi};
use std::ffi::{CStr, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// [`isobar_core::wasi::MODULE`] for C.
pub const MODULE: &CStr = c"wasi_snapshot_preview1";

/// What the host functions of one sandbox work on.
pub struct State {
    /// The host.
    pub wasi: Wasi,
    /// Why a host function ended the run, if one did: wasm3 can only carry a text through.
    pub stop: Option<Stopped>,
}

/// Why a host function ended the run.
pub enum Stopped {
    /// As the host says.
    Stop(Stop),
    /// It panicked.
    Panic,
}

/// A function that a module may import from [`MODULE`].
pub struct HostFunction {
    /// Its name.
    pub name: &'static CStr,
    /// Its type, in wasm3's notation.
    pub signature: &'static CStr,
    /// The function.
    pub function: RawCall,
}

/// The function of preview 1 with this name.
pub fn find(name: &str) -> Option<&'static HostFunction> {
    FUNCTIONS.iter().find(|f| f.name.to_bytes() == name.as_bytes())
}

/// The slots of one call: results first, then arguments.
struct Slots(*mut u64);

impl Slots {
    /// # Safety
    /// There is a next slot, and it holds a `T`.
    unsafe fn next<T: Value>(&mut self) -> T {
        // SAFETY: promised by the caller.
        unsafe {
            let slot = *self.0;
            self.0 = self.0.add(1);
            T::of(slot)
        }
    }
}

trait Value {
    fn of(slot: u64) -> Self;
}

impl Value for i32 {
    fn of(slot: u64) -> i32 {
        slot as i32
    }
}

impl Value for i64 {
    fn of(slot: u64) -> i64 {
        slot as i64
    }
}

/// What a function of preview 1 answers.
trait Answer {
    const SLOTS: usize;
    /// The value for the first slot, if there is one.
    fn value(self) -> u64;
}

impl Answer for i32 {
    const SLOTS: usize = 1;
    fn value(self) -> u64 {
        u64::from(self as u32)
    }
}

impl Answer for () {
    const SLOTS: usize = 0;
    fn value(self) -> u64 {
        0
    }
}

/// Runs one host function and writes its answer to the first slot.
///
/// # Safety
/// wasm3 called a host function with this runtime and these slots, and `A` is its result.
unsafe fn serve<A: Answer>(
    runtime: wasm3::IM3Runtime,
    slots: *mut u64,
    function: impl FnOnce(&mut Wasi, &mut [u8], Slots) -> Result<A, Stop>,
) -> *const c_void {
    // SAFETY: promised by the caller; both views end with this function.
    let (state, memory) = unsafe { raw::caller(runtime) };
    // SAFETY: the arguments follow the results.
    let arguments = Slots(unsafe { slots.add(A::SLOTS) });
    // A panic must not unwind into C.
    match catch_unwind(AssertUnwindSafe(|| function(&mut state.wasi, memory, arguments))) {
        Ok(Ok(answer)) => {
            if A::SLOTS > 0 {
                // SAFETY: there is a slot for the result.
                unsafe { *slots = answer.value() };
            }
            return std::ptr::null();
        }
        Ok(Err(stop)) => state.stop = Some(Stopped::Stop(stop)),
        Err(_) => state.stop = Some(Stopped::Panic),
    }
    c"ended by the host".as_ptr().cast()
}

macro_rules! result {
    () => {
        ()
    };
    ($ty:ident) => {
        $ty
    };
}

macro_rules! letter {
    () => {
        "v"
    };
    (i32) => {
        "i"
    };
    (i64) => {
        "I"
    };
}

macro_rules! host_functions {
    ([] $(fn $name:ident($($arg:ident: $ty:ident),*) $(-> $result:ident)?;)*) => {
        const FUNCTIONS: &[HostFunction] = &[$(HostFunction {
            name: terminated(concat!(stringify!($name), "\0")),
            signature: terminated(concat!(letter!($($result)?), "(", $(letter!($ty),)* ")\0")),
            function: {
                unsafe extern "C" fn $name(
                    runtime: wasm3::IM3Runtime,
                    _: wasm3::IM3ImportContext,
                    slots: *mut u64,
                    _: *mut c_void,
                ) -> *const c_void {
                    // SAFETY: wasm3 calls this with the arguments of the signature beside it.
                    unsafe {
                        serve::<result!($($result)?)>(runtime, slots, |wasi, memory, mut _arguments| {
                            wasi.$name(memory, $(_arguments.next::<$ty>()),*)
                        })
                    }
                }
                $name
            },
        }),*];
    };
}

isobar_core::preview1!(host_functions,);

const fn terminated(text: &'static str) -> &'static CStr {
    match CStr::from_bytes_with_nul(text.as_bytes()) {
        Ok(text) => text,
        Err(_) => panic!("a nul at the end, and nowhere else"),
    }
}
