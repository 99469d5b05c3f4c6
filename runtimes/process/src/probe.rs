//! Whether a tool works on this machine, and not only is there: found by running a function in it. What was found is kept
//! in a file for as long as the system runs and the tool is the same; why one does not work, for some minutes.

use crate::elf::{GREETING, greeter};
use crate::tool::Tool;
use isobar_core::{Failure, Invocation, Limits, Runtime};
use serde_json::{Value, json};
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long it is believed that a tool does not work.
const REMEMBERED: Duration = Duration::from_secs(300);

/// What was found out of tools, by what they are.
pub(crate) struct Known {
    path: PathBuf,
    entries: Value,
}

impl Known {
    /// That of this user, unless somebody else could have written it.
    pub(crate) fn read() -> Known {
        let user = rustix::process::geteuid().as_raw();
        let path = std::env::temp_dir().join(format!(".isobar-tools-{user}.json"));
        let ours = fs::symlink_metadata(&path)
            .is_ok_and(|file| file.is_file() && file.uid() == user && file.permissions().mode() & 0o022 == 0);
        let text = if ours { fs::read(&path).unwrap_or_default() } else { Vec::new() };
        let entries = serde_json::from_slice(&text).ok().filter(Value::is_object).unwrap_or_else(|| json!({}));
        Known { path, entries }
    }

    /// The version of a tool that works, or why it does not.
    pub(crate) fn get(&self, key: &str) -> Option<Result<String, String>> {
        let entry = self.entries.get(key)?;
        let text = |name: &str| entry.get(name).and_then(Value::as_str).map(str::to_owned);
        let fresh = entry.get("at_s").and_then(Value::as_u64).is_some_and(|at| now_s() < at + REMEMBERED.as_secs());
        text("version").map(Ok).or_else(|| text("reason").filter(|_| fresh).map(Err))
    }

    /// Adds what was found out, and keeps it. A file that cannot be written costs time, and nothing else.
    pub(crate) fn add(mut self, found: &[(String, Result<String, String>)]) {
        for (key, result) in found {
            self.entries[key] = match result {
                Ok(version) => json!({ "version": version }),
                Err(reason) => json!({ "reason": reason, "at_s": now_s() }),
            };
        }
        let unfinished = self.path.with_extension(std::process::id().to_string());
        // A name that somebody else took is not written to.
        let create = || -> io::Result<()> {
            let mut file = fs::OpenOptions::new().write(true).create_new(true).open(&unfinished)?;
            file.set_permissions(fs::Permissions::from_mode(0o600))?;
            io::Write::write_all(&mut file, self.entries.to_string().as_bytes())?;
            fs::rename(&unfinished, &self.path)
        };
        if create().is_err() {
            let _ = fs::remove_file(&unfinished);
        }
    }
}

fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// What a tool's ability depends on: the runtime, the program's file, the files that it needs, this program, and the start of
/// the system.
pub(crate) fn key(runtime: &str, tool: &Tool, needed: &[PathBuf]) -> String {
    let stamp = |path: &Path| {
        let metadata = fs::metadata(path);
        metadata
            .map_or_else(|_| String::new(), |file| format!("{}-{}.{}", file.size(), file.mtime(), file.mtime_nsec()))
    };
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let own = stamp(Path::new("/proc/self/exe"));
    let needed: String = needed.iter().map(|path| format!(" {}", stamp(path))).collect();
    format!("{runtime} {} {} {own} {}{needed}", tool.path().display(), stamp(tool.path()), boot.trim())
}

/// Runs the smallest function in a runtime, within five seconds, and checks its answer.
///
/// # Errors
/// Why not, in one line.
pub(crate) fn try_out(runtime: &dyn Runtime) -> Result<(), String> {
    let works = || -> Result<Vec<u8>, Failure> {
        let folder = crate::place::Place::get()?.new_folder("probe")?;
        let program = folder.join("greeter");
        let io = |e: io::Error| Failure::host(format!("{}: {e}", program.display()));
        fs::write(&program, greeter()).map_err(io)?;
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).map_err(io)?;
        let limits = Limits { wall_time_ns: 5_000_000_000, ..Limits::default() };
        let invocation = Invocation { limits, ..Invocation::default() };
        let outcome = runtime.engine()?.load(&program)?.instantiate(&invocation)?.execute()?;
        if outcome.exit_code == 0 {
            return Ok(outcome.stdout);
        }
        let said = crate::tool::last_line(&outcome.stderr);
        Err(Failure::host(format!("exit code {}{said}", outcome.exit_code)))
    };
    match works() {
        Ok(stdout) if stdout == GREETING => Ok(()),
        Ok(stdout) => Err(format!("it ends with exit code 0, and printed {:?}", String::from_utf8_lossy(&stdout))),
        Err(failure) => Err(failure.to_string()),
    }
}
