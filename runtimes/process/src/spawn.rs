//! Starting a program as `posix_spawn` does, by `vfork` semantics: the child borrows this process' memory until it executes
//! the program, so that it costs the same however large this process is (`fork` copies its page tables). Beside that it sets
//! limits, and dies with the thread that started it. `std::process::Command` would not keep the order of the environment.

use isobar_core::Failure;
use rustix::fs::{CWD, Mode, OFlags, openat};
use std::cell::RefCell;
use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;
use std::sync::Arc;

/// What the child's few calls need of a stack, in bytes.
const STACK_BYTES: usize = 64 << 10;

/// A program with all that it is started with.
#[derive(Clone)]
pub(crate) struct Command {
    file: File,
    argv: Vec<CString>,
    env: Vec<CString>,
    /// Bounds what it may allocate, in bytes, by RLIMIT_DATA.
    pub(crate) data_bytes: Option<u64>,
    /// It stops when it ends, and its memory stays until it is let go.
    pub(crate) traced: bool,
}

/// An executable: open, or by its path.
#[derive(Clone)]
pub(crate) enum File {
    Open(Arc<OwnedFd>),
    Path(CString),
}

/// A child that runs, by its number and by its descriptor, which nobody else can come to have.
pub(crate) struct Child {
    pub(crate) id: i32,
    pub(crate) fd: OwnedFd,
}

impl File {
    /// Opens an executable, to be started any number of times.
    pub(crate) fn open(path: &Path) -> Result<File, Failure> {
        let file = openat(CWD, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty());
        let file =
            file.map_err(|e| Failure::host(format!("the executable {}: {}", path.display(), io::Error::from(e))))?;
        Ok(File::Open(Arc::new(file)))
    }

    pub(crate) fn path(path: &Path) -> Result<File, Failure> {
        Ok(File::Path(c_string(path.as_os_str().as_bytes())?))
    }
}

/// A text without NUL characters.
fn c_string(text: &[u8]) -> Result<CString, Failure> {
    CString::new(text).map_err(|_| Failure::host("an argument, a variable or a path holds a NUL character"))
}

impl Command {
    /// A program with these arguments (the first is its own name) and this environment, in this order.
    pub(crate) fn new<'a>(
        file: File,
        argv: impl IntoIterator<Item = &'a str>,
        env: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Command, Failure> {
        let argv = argv.into_iter().map(|arg| c_string(arg.as_bytes())).collect::<Result<_, _>>()?;
        let variable = |(name, value): (&str, &str)| c_string(format!("{name}={value}").as_bytes());
        let env = env.into_iter().map(variable).collect::<Result<_, _>>()?;
        Ok(Command { file, argv, env, data_bytes: None, traced: false })
    }

    /// Starts it with these standard streams, in a process group of its own.
    pub(crate) fn spawn(&self, stdio: [&OwnedFd; 3]) -> io::Result<Child> {
        let pointers = |texts: &[CString]| -> Vec<*const libc::c_char> {
            texts.iter().map(|text| text.as_ptr()).chain([ptr::null()]).collect()
        };
        let (argv, env) = (pointers(&self.argv), pointers(&self.env));
        let (directory, path, flags) = match &self.file {
            File::Open(file) => (file.as_raw_fd(), c"".as_ptr(), libc::AT_EMPTY_PATH),
            File::Path(path) => (libc::AT_FDCWD, path.as_ptr(), 0),
        };
        let mut start = Start {
            directory,
            path,
            flags,
            argv: argv.as_ptr(),
            env: env.as_ptr(),
            stdio: stdio.map(AsRawFd::as_raw_fd),
            data_bytes: self.data_bytes,
            traced: self.traced,
            error: 0,
        };
        let (id, fd) = start.clone_and_execute()?;
        if start.error != 0 {
            let mut status = 0;
            // SAFETY: waits for the child that was just made, which has ended.
            unsafe { libc::waitpid(id, &mut status, 0) };
            return Err(io::Error::from_raw_os_error(start.error));
        }
        Ok(Child { id, fd })
    }
}

/// What the child reads; it shares our memory.
struct Start {
    directory: RawFd,
    path: *const libc::c_char,
    flags: libc::c_int,
    argv: *const *const libc::c_char,
    env: *const *const libc::c_char,
    stdio: [RawFd; 3],
    data_bytes: Option<u64>,
    traced: bool,
    /// Why the program could not be executed.
    error: libc::c_int,
}

thread_local! {
    /// The child's stack. The thread waits while it is used.
    static STACK: RefCell<Vec<u128>> = RefCell::new(vec![0; STACK_BYTES / size_of::<u128>()]);
}

impl Start {
    /// The child's number and descriptor.
    fn clone_and_execute(&mut self) -> io::Result<(i32, OwnedFd)> {
        STACK.with_borrow_mut(|stack| {
            let top = stack.as_mut_ptr_range().end.cast::<libc::c_void>();
            let mut fd: libc::c_int = -1;
            let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_PIDFD | libc::SIGCHLD;
            let argument: *mut Start = self;
            // SAFETY: with CLONE_VFORK this thread waits until the child has executed the program or ended, so that the stack
            // and `self`, and all that it points to, outlive what the child does with them. All signals are blocked
            // meanwhile, so that no handler of ours runs in the child.
            let id = unsafe {
                let (mut all, mut before) = (std::mem::zeroed(), std::mem::zeroed());
                libc::sigfillset(&mut all);
                libc::pthread_sigmask(libc::SIG_BLOCK, &all, &mut before);
                let id = libc::clone(execute, top, flags, argument.cast(), &mut fd as *mut libc::c_int);
                let error = io::Error::last_os_error();
                libc::pthread_sigmask(libc::SIG_SETMASK, &before, ptr::null_mut());
                if id < 0 {
                    return Err(error);
                }
                id
            };
            // SAFETY: the kernel put a descriptor there that is ours alone.
            Ok((id, unsafe { OwnedFd::from_raw_fd(fd) }))
        })
    }
}

/// The child: from here to the program, in borrowed memory. It allocates nothing, takes no lock, and changes nothing of this
/// process but `error`.
extern "C" fn execute(start: *mut libc::c_void) -> libc::c_int {
    // SAFETY: the parent passed a `Start` and waits; every call is one that may be made between `vfork` and `execve`.
    unsafe {
        let start = &mut *start.cast::<Start>();
        libc::setpgid(0, 0);
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        for (target, source) in start.stdio.iter().enumerate() {
            if libc::dup2(*source, target as libc::c_int) < 0 {
                start.error = *libc::__errno_location();
                return 127;
            }
        }
        let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        libc::setrlimit(libc::RLIMIT_CORE, &none);
        if let Some(bytes) = start.data_bytes {
            let limit = libc::rlimit { rlim_cur: bytes, rlim_max: bytes };
            libc::setrlimit(libc::RLIMIT_DATA, &limit);
        }
        if start.traced {
            libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0);
        }
        // Rust programs ignore it, and what is ignored is inherited.
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &none, ptr::null_mut());
        libc::syscall(libc::SYS_execveat, start.directory, start.path, start.argv, start.env, start.flags);
        start.error = *libc::__errno_location();
        127
    }
}
