//! What is outside of the function: the host's environment, its network, its processes.

use std::{
    env,
    io::Write,
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// The variable that the host has and the function was not given.
const CANARY: &str = "ISOBAR_CANARY";

/// In its own environment, then in that of the process that started it.
pub(crate) fn environment() -> Result<String, String> {
    if let Ok(canary) = env::var(CANARY) {
        return Ok(format!("{CANARY}={canary} in its own environment"));
    }
    let mut seen = format!("not among its own {} variables", env::vars_os().count());
    for path in environments() {
        match crate::files::read(&path) {
            Err(e) => seen += &format!("; {}: {e}", shown(&path)),
            Ok(bytes) => {
                let mut variables = bytes.split(|byte| *byte == 0).map(String::from_utf8_lossy);
                if let Some(canary) = variables.find(|variable| variable.starts_with(CANARY)) {
                    return Ok(format!("{canary} in {}", shown(&path)));
                }
                seen += &format!("; not in {}", shown(&path));
            }
        }
    }
    Err(seen)
}

#[cfg(unix)]
fn environments() -> Vec<String> {
    vec![format!("/proc/{}/environ", std::os::unix::process::parent_id())]
}

#[cfg(not(unix))]
fn environments() -> Vec<String> {
    vec!["/proc/self/environ".to_owned()]
}

/// The number of a process says nothing.
fn shown(path: &str) -> &str {
    if path.starts_with("/proc/self") { path } else { "/proc/<parent>/environ" }
}

pub(crate) fn connect(address: &str, token: &str) -> Result<String, String> {
    let address: SocketAddr = address.parse().map_err(|_| "the address is none".to_owned())?;
    let connected = TcpStream::connect_timeout(&address, Duration::from_secs(5));
    let mut stream = connected.map_err(|e| e.to_string())?;
    stream.write_all(token.as_bytes()).map_err(|e| format!("connected, but then: {e}"))?;
    Ok("connected and sent".to_owned())
}

/// Children that sleep and end; each is waited for. Not more, even where more were allowed.
#[cfg(unix)]
pub(crate) fn spawn() -> Result<String, String> {
    const MOST_CHILDREN: usize = 8;
    const NAP_US: u32 = 100_000;
    let mut children = Vec::new();
    let mut refused = None;
    while children.len() < MOST_CHILDREN && refused.is_none() {
        // SAFETY: this process has one thread; the child calls nothing but what is safe behind a fork, and ends.
        match unsafe { libc::fork() } {
            0 => unsafe {
                libc::usleep(NAP_US);
                libc::_exit(0)
            },
            -1 => refused = Some(std::io::Error::last_os_error()),
            child => children.push(child),
        }
    }
    for child in &children {
        // SAFETY: nobody asks how it ended.
        unsafe { libc::waitpid(*child, std::ptr::null_mut(), 0) };
    }
    match refused {
        None => Ok(format!("started {MOST_CHILDREN} processes and was not stopped")),
        Some(e) => Err(format!("after {} processes: {e}", children.len())),
    }
}

#[cfg(not(unix))]
pub(crate) fn spawn() -> Result<String, String> {
    match std::process::Command::new("/bin/true").spawn() {
        Ok(_) => Ok("started a process".to_owned()),
        Err(e) => Err(e.to_string()),
    }
}

/// Asks for permission only: nothing is sent.
#[cfg(unix)]
pub(crate) fn signal() -> Result<String, String> {
    let parent = std::os::unix::process::parent_id() as i32;
    if parent <= 0 {
        return Err("the process that started it cannot be seen".to_owned());
    }
    // SAFETY: the signal 0 is none.
    match unsafe { libc::kill(parent, 0) } {
        0 => Ok("may send signals to the process that started it".to_owned()),
        _ => Err(std::io::Error::last_os_error().to_string()),
    }
}

#[cfg(target_os = "wasi")]
pub(crate) fn signal() -> Result<String, String> {
    match crate::wasi::raise() {
        // It was raised where the function is, or nowhere: it would not get here if its host had ended.
        0 => Err("proc_raise(SIGTERM) was accepted, and the host went on".to_owned()),
        errno => Err(format!("proc_raise: errno {errno}; there is no call for another process")),
    }
}

/// What is needed of the C library, which is linked anyway.
#[cfg(unix)]
mod libc {
    unsafe extern "C" {
        pub(super) fn fork() -> i32;
        pub(super) fn waitpid(pid: i32, status: *mut i32, options: i32) -> i32;
        pub(super) fn kill(pid: i32, signal: i32) -> i32;
        pub(super) fn usleep(microseconds: u32) -> i32;
        pub(super) fn _exit(code: i32) -> !;
    }
}
