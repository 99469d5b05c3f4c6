//! The first and only program of a guest: it runs the function and tells isobar's runner what came of it. Built by
//! `scripts/setup-microvm`, linked statically; it is no part of isobar's own crates.
//!
//! It is given files: `/function`, `/stdin`, and `/invocation`, whose texts end with NUL: the bytes that the function may
//! allocate, the number of its arguments, those, and then its variables. It answers through a port, byte by byte as they are,
//! no terminal being between: frames of a kind (0 is standard output, 1 standard error, 2 the end), a length of four bytes,
//! least first, and so many bytes. The end has the status that `waitpid` gives.

use std::arch::asm;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, Stdio};
use std::sync::Mutex;

/// QEMU's isa-debugcon, and isa-debug-exit.
const ANSWERS: u16 = 0xe9;
const END: u16 = 0xf4;

const RLIMIT_DATA: i32 = 2;
const RLIMIT_CORE: i32 = 4;
const SIGPIPE: i32 = 13;

#[repr(C)]
struct Limit {
    current: u64,
    maximum: u64,
}

unsafe extern "C" {
    fn ioperm(from: u64, count: u64, on: i32) -> i32;
    fn setrlimit(resource: i32, limit: *const Limit) -> i32;
    fn signal(number: i32, handler: usize) -> usize;
}

/// One frame at a time.
static PORT: Mutex<()> = Mutex::new(());

fn main() {
    // SAFETY: a plain system call; this program is root, and the machine its own.
    let allowed = unsafe { ioperm(0, 0x400, 1) } == 0;
    if allowed {
        let status = run().unwrap_or_else(|e| {
            frame(1, format!("the guest: {e}\n").as_bytes());
            -1
        });
        frame(2, &status.to_le_bytes());
        // SAFETY: the machine ends here.
        unsafe { asm!("out dx, al", in("dx") END, in("al") 0_u8) };
    }
    // The kernel gives up when its first program ends, and the machine with it.
}

fn run() -> io::Result<i32> {
    let text = fs::read_to_string("/invocation")?;
    let mut words = text.split_terminator('\0');
    let mut number = || words.next().and_then(|word| word.parse::<u64>().ok()).ok_or(io::ErrorKind::InvalidData);
    let (bytes, arguments) = (number()?, number()? as usize);
    let mut command = Command::new("/function");
    command.arg0("function").args(words.by_ref().take(arguments)).env_clear();
    command.envs(words.filter_map(|variable| variable.split_once('=')));
    command.stdin(File::open("/stdin")?).stdout(Stdio::piped()).stderr(Stdio::piped());
    let limit = move || {
        let limits = [(RLIMIT_DATA, bytes), (RLIMIT_CORE, 0)];
        // SAFETY: plain system calls. Rust programs ignore SIGPIPE, and what is ignored is inherited.
        unsafe {
            signal(SIGPIPE, 0);
            for (resource, bytes) in limits {
                setrlimit(resource, &Limit { current: bytes, maximum: bytes });
            }
        }
        Ok(())
    };
    // SAFETY: it calls nothing that may not be called between `fork` and `execve`.
    unsafe { command.pre_exec(limit) };
    let mut child = command.spawn()?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let errors = std::thread::spawn(move || stderr.map(|pipe| pass(1, pipe)));
    if let Some(pipe) = stdout {
        pass(0, pipe);
    }
    let _ = errors.join();
    Ok(child.wait()?.into_raw())
}

fn pass(kind: u8, mut pipe: impl Read) {
    let mut chunk = vec![0; 1 << 16];
    while let Ok(length @ 1..) = pipe.read(&mut chunk) {
        frame(kind, &chunk[..length]);
    }
}

fn frame(kind: u8, bytes: &[u8]) {
    let _alone = PORT.lock();
    let head = [&[kind][..], &(bytes.len() as u32).to_le_bytes()].concat();
    for part in [&head[..], bytes] {
        // SAFETY: the port was allowed; it reads `part` and nothing else.
        unsafe {
            asm!("rep outsb", in("dx") ANSWERS, inout("rsi") part.as_ptr() => _, inout("rcx") part.len() => _,
                options(nostack, preserves_flags))
        };
    }
}
