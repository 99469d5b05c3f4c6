//! Ending a function in the middle of its own code, at no cost until then.
//!
//! A signal stops the function's thread. If it was in the function's compiled code, and nowhere else, the handler hands
//! the place to Wasmer's own handler as if the function had overflowed its stack there: the function traps. Anywhere
//! else, locks may be held: the signal is ignored and sent again later. A function that spends its time elsewhere meets a
//! flag when it is back: see [`crate::checkpoints`].
//!
//! Wasmer's `experimental-host-interrupt` does the like, but looks in a table at every call of a host function, in all
//! modes once it is compiled in, and traps wherever the thread is on the function's stack, be it in Wasmer's libraries.

use crate::bounded::Flag;
use isobar_core::Failure;
use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{NonNull, null, null_mut};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, OnceLock};

/// Handled by this module alone.
const SIGNAL: c_int = libc::SIGUSR1;

/// What a signal handler may look at: where the function's code is, and whether its time is over.
pub(crate) struct Aim {
    code: Range<usize>,
    expired: AtomicBool,
}

impl Aim {
    pub fn new(code: Range<usize>) -> Arc<Self> {
        Arc::new(Aim { code, expired: AtomicBool::new(false) })
    }

    /// Whether the time is over.
    pub fn expired(&self) -> bool {
        self.expired.load(Ordering::Relaxed)
    }
}

/// What wakes a function where it sleeps.
pub(crate) type Wake = Box<dyn Fn() + Send + Sync>;

/// A function that can be interrupted, on its thread.
pub(crate) struct Target {
    thread: libc::pthread_t,
    aim: Arc<Aim>,
    flag: Option<Flag>,
    wake: Option<Wake>,
}

impl Target {
    /// On this thread. `flag` is raised for what looks at it, `wake` called for who sleeps.
    pub fn here(aim: Arc<Aim>, flag: Option<Flag>, wake: Option<Wake>) -> Self {
        // SAFETY: it cannot fail.
        Target { thread: unsafe { libc::pthread_self() }, aim, flag, wake }
    }

    /// Says that its time is over.
    ///
    /// # Safety
    /// Its thread must live, and so must the instance that has the flag.
    pub unsafe fn interrupt(&self) {
        if !self.aim.expired.swap(true, Ordering::Relaxed)
            && let Some(wake) = &self.wake
        {
            // A panic in wasmer-wasix must not end the thread that calls this.
            let _ = catch_unwind(AssertUnwindSafe(wake));
        }
        if let Some(flag) = self.flag.as_ref().and_then(|flag| NonNull::new(flag.load(Ordering::Acquire))) {
            // SAFETY: the instance lives; the function only reads its flag, an `i32` at the start of the definition.
            unsafe { AtomicI32::from_ptr(flag.as_ptr().cast()) }.store(1, Ordering::Relaxed);
        }
        // SAFETY: the thread lives.
        unsafe { libc::pthread_kill(self.thread, SIGNAL) };
    }
}

thread_local! {
    /// The function on this thread that can be interrupted. Constant and without a destructor: a signal handler may
    /// read it at any time.
    static CURRENT: Cell<*const Aim> = const { Cell::new(null()) };
}

type Handler = unsafe extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);

/// Wasmer's handler of faults.
static WASMER: OnceLock<Handler> = OnceLock::new();

/// Makes the process ready for interrupts. It must be called before [`aimed`].
pub(crate) fn install() -> Result<(), Failure> {
    static INSTALLED: OnceLock<Result<(), Failure>> = OnceLock::new();
    let install = || {
        wasmer::sys::vm::init_traps();
        let wasmer = handler_of(libc::SIGSEGV)?;
        WASMER.get_or_init(|| wasmer);
        // SAFETY: all zeroes is a valid `sigaction`, completed below; the handler keeps to what signals allow.
        let installed = unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = on_signal as *const () as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_RESTART;
            libc::sigaction(SIGNAL, &action, null_mut())
        };
        if installed == 0 { Ok(()) } else { Err(refused()) }
    };
    INSTALLED.get_or_init(install).clone()
}

fn refused() -> Failure {
    Failure::host(format!("cannot handle signals: {}", std::io::Error::last_os_error()))
}

fn handler_of(signal: c_int) -> Result<Handler, Failure> {
    // SAFETY: all zeroes is a valid `sigaction`, overwritten by the call.
    let (read, action) = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        (libc::sigaction(signal, null(), &mut action), action)
    };
    if read != 0 {
        return Err(refused());
    }
    if action.sa_flags & libc::SA_SIGINFO == 0 || action.sa_sigaction <= libc::SIG_IGN {
        return Err(Failure::host("Wasmer has no handler for faults: functions cannot be interrupted"));
    }
    // SAFETY: with SA_SIGINFO and neither SIG_DFL nor SIG_IGN, this is a function of that type.
    Ok(unsafe { std::mem::transmute::<usize, Handler>(action.sa_sigaction) })
}

/// Runs `body`, interruptible by who has this aim.
pub(crate) fn aimed<R>(aim: &Arc<Aim>, body: impl FnOnce() -> R) -> R {
    struct Reset(*const Aim);
    impl Drop for Reset {
        fn drop(&mut self) {
            CURRENT.set(self.0);
        }
    }
    let _reset = Reset(CURRENT.replace(Arc::as_ptr(aim)));
    body()
}

/// A fault as the kernel tells it: the start of `siginfo_t` on 64-bit Linux, and its size.
#[repr(C)]
struct Fault {
    signal: c_int,
    errno: c_int,
    code: c_int,
    address: usize,
    rest: [usize; 13],
}

const _: () = assert!(size_of::<Fault>() == size_of::<libc::siginfo_t>());

unsafe extern "C" fn on_signal(_signal: c_int, _info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: an aim is current only while `aimed` borrows it.
    let Some(aim) = (unsafe { CURRENT.get().as_ref() }) else { return };
    // SAFETY: the kernel passes the interrupted thread's context.
    let (pc, sp) = registers(unsafe { &*context.cast::<libc::ucontext_t>() });
    if !aim.expired() || !aim.code.contains(&pc) {
        return;
    }
    let Some(wasmer) = WASMER.get() else { return };
    // An address on the function's stack: its overflow is the one fault that Wasmer does not walk the stack for, and
    // this could be in the middle of a frame's making.
    let mut fault = Fault { signal: libc::SIGSEGV, errno: 0, code: 0, address: sp, rest: [0; 13] };
    // SAFETY: the thread is in compiled code, hence on the function's stack and under Wasmer's care: just as if the
    // instruction at `pc` had faulted.
    unsafe { wasmer(libc::SIGSEGV, (&raw mut fault).cast(), context) };
}

#[cfg(target_arch = "x86_64")]
fn registers(context: &libc::ucontext_t) -> (usize, usize) {
    let registers = &context.uc_mcontext.gregs;
    (registers[libc::REG_RIP as usize] as usize, registers[libc::REG_RSP as usize] as usize)
}

#[cfg(target_arch = "aarch64")]
fn registers(context: &libc::ucontext_t) -> (usize, usize) {
    (context.uc_mcontext.pc as usize, context.uc_mcontext.sp as usize)
}
