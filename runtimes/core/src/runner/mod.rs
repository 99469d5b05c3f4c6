//! The runner program: a loop around the runtimes of one family, spoken to over standard input and output.

mod protocol;
mod state;

pub use protocol::{NotHere, PROTOCOL, Reply, Request};

use crate::contract::Failure;
use crate::runtime::Runtime;
use crate::settings::NATIVE_STACK_BYTES;
use rustix::event::{PollFd, PollFlags, poll};
use state::State;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// All of a runner's `main`: answers requests until standard input ends.
///
/// Called with `--describe`, it prints the reply to that request and ends; with any other argument, a line that says
/// what it is.
pub fn main(runtimes: Vec<Box<dyn Runtime>>) -> ExitCode {
    main_with(runtimes, Vec::new())
}

/// As [`main`], for a runner whose runtimes are not on every machine: `absent` names the others.
pub fn main_with(runtimes: Vec<Box<dyn Runtime>>, absent: Vec<NotHere>) -> ExitCode {
    // Some runtimes capture a backtrace with every error when told to: that would be measured. No other thread runs yet.
    // SAFETY: the process has one thread.
    unsafe {
        std::env::remove_var("RUST_BACKTRACE");
        std::env::remove_var("RUST_LIB_BACKTRACE");
    }
    let replies = match private_stdout() {
        Ok(replies) => replies,
        Err(e) => return complain(&format!("cannot take standard output: {e}")),
    };
    match std::env::args().nth(1).as_deref() {
        None => {}
        Some("--describe") => {
            let reply = State::new(&runtimes, &absent).answer(Request::Describe);
            return finish(send(&mut &replies, &reply));
        }
        Some(_) => {
            return complain("a runner program of isobar: it speaks docs/RUNNER.md on standard input and output");
        }
    }
    end_with_parent();
    // Functions run on this thread: its stack is ours to choose, the main thread's is not.
    let serve = move || serve(&runtimes, &absent, std::io::stdin().lock(), &replies);
    match std::thread::scope(|s| {
        Ok(std::thread::Builder::new().stack_size(NATIVE_STACK_BYTES).spawn_scoped(s, serve)?.join())
    }) {
        Ok(Ok(result)) => finish(result),
        Ok(Err(_)) => ExitCode::FAILURE,
        Err::<_, std::io::Error>(e) => complain(&format!("cannot start a thread: {e}")),
    }
}

/// How long a runner that is told to end may take. It would go on for ever if isobar was gone before it looked for it.
const FAREWELL: Duration = Duration::from_secs(10);

/// Ends this process when isobar is gone, even in the middle of a function that never ends.
fn end_with_parent() {
    let parent = rustix::process::getppid();
    let watch = move || {
        // Nothing is asked for but to be told that the other end was closed: no wake-up before.
        let mut stdin = [PollFd::from_borrowed_fd(rustix::stdio::stdin(), PollFlags::empty())];
        let _ = poll(&mut stdin, None);
        let since = Instant::now();
        while rustix::process::getppid() == parent && since.elapsed() < FAREWELL {
            std::thread::sleep(Duration::from_millis(200));
        }
        std::process::exit(1);
    };
    // Without the thread the runner works all the same.
    let _ = std::thread::Builder::new().name("watch".to_owned()).stack_size(64 << 10).spawn(watch);
}

/// Keeps the pipe to isobar for replies alone: whatever a runtime prints goes to standard error.
fn private_stdout() -> std::io::Result<File> {
    let replies: OwnedFd = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdout(), 3)?;
    rustix::stdio::dup2_stdout(rustix::stdio::stderr())?;
    Ok(File::from(replies))
}

fn serve(
    runtimes: &[Box<dyn Runtime>],
    absent: &[NotHere],
    requests: impl BufRead,
    mut replies: &File,
) -> std::io::Result<()> {
    let mut state = State::new(runtimes, absent);
    let mut line = String::new();
    let mut requests = BufReader::new(requests);
    loop {
        line.clear();
        if requests.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let reply = match serde_json::from_str(&line) {
            Ok(request) => {
                let answer = std::panic::AssertUnwindSafe(|| state.answer(request));
                std::panic::catch_unwind(answer).unwrap_or_else(|panic| Failure::crashed(panic_message(&panic)).into())
            }
            Err(e) => Failure::host(format!("the runner does not understand a request: {e}")).into(),
        };
        send(&mut replies, &reply)?;
    }
}

fn send(replies: &mut &File, reply: &Reply) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(reply)?;
    line.push(b'\n');
    replies.write_all(&line)
}

/// What a panic said.
pub fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panicked: {}", text.unwrap_or("(no message)"))
}

fn finish(result: std::io::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // The parent is gone, or wants no more: nobody to tell.
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(e) => complain(&e.to_string()),
    }
}

fn complain(message: &str) -> ExitCode {
    eprintln!("isobar runner: {message}");
    ExitCode::FAILURE
}
