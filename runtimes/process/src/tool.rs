//! The programs that make sandboxes and containers: where they are, which version, and calling them.

use crate::collect::{Finished, Status, run};
use crate::spawn::{Command, File};
use isobar_core::{Failure, Limits};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where programs are looked for; a runner has no environment.
const FOLDERS: [&str; 6] = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// The function's executable, in the root of a sandbox or container.
pub(crate) const FUNCTION: &str = "function";

/// The executable that waits for ever, beside it.
pub(crate) const PAUSE: &str = "pause";

/// How long a program may take for what it does without a function.
const PATIENCE: Duration = Duration::from_secs(10);

/// A program, with what comes before the arguments of every call.
#[derive(Clone, Debug)]
pub(crate) struct Tool {
    path: PathBuf,
    first: Vec<String>,
    env: Vec<(String, String)>,
}

/// What programs may print, in bytes, and how long they may take.
fn limits(patience: Duration) -> Limits {
    Limits { wall_time_ns: isobar_core::measure::nanoseconds(patience), output_bytes: 1 << 20, ..Limits::default() }
}

impl Tool {
    /// The program of this name, if it is on the machine.
    pub(crate) fn find(name: &str) -> Option<Tool> {
        let path = FOLDERS.iter().map(|folder| Path::new(folder).join(name)).find(|path| path.is_file())?;
        let env = vec![("PATH".to_owned(), FOLDERS.join(":"))];
        Some(Tool { path, first: Vec::new(), env })
    }

    /// The program at this path, if there is one.
    pub(crate) fn at(path: &Path) -> Option<Tool> {
        path.is_file().then(|| Tool { path: path.to_owned(), first: Vec::new(), env: Vec::new() })
    }

    /// The same, called with these arguments first.
    pub(crate) fn with<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Tool {
        let mut tool = self.clone();
        tool.first.extend(arguments.into_iter().map(str::to_owned));
        tool
    }

    /// The same, with one more variable in its environment.
    pub(crate) fn with_env(&self, name: &str, value: &str) -> Tool {
        let mut tool = self.clone();
        tool.env.push((name.to_owned(), value.to_owned()));
        tool
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The command with these arguments.
    pub(crate) fn command<'a>(&'a self, arguments: impl IntoIterator<Item = &'a str>) -> Result<Command, Failure> {
        let env = self.env.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        self.command_with(arguments, env)
    }

    /// The command with these arguments and this environment in place of its own.
    pub(crate) fn command_with<'a>(
        &'a self,
        arguments: impl IntoIterator<Item = &'a str>,
        env: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Command, Failure> {
        let name = self.path.to_str().unwrap_or_default();
        let argv = [name].into_iter().chain(self.first.iter().map(String::as_str)).chain(arguments);
        Command::new(File::path(&self.path)?, argv, env)
    }

    /// Calls it, and takes what it prints.
    ///
    /// # Errors
    /// It takes too long, or exits with another code than 0: the last line that it said.
    pub(crate) fn call(&self, arguments: &[&str]) -> Result<String, Failure> {
        self.call_for(PATIENCE, arguments)
    }

    /// The same, within so much time.
    pub(crate) fn call_for(&self, patience: Duration, arguments: &[&str]) -> Result<String, Failure> {
        let what = || format!("{} {}", self.name(), arguments.first().unwrap_or(&""));
        match run(&self.command(arguments.iter().copied())?, b"", &limits(patience)) {
            Ok(Finished { status: Status::Exit(0), stdout, .. }) => Ok(String::from_utf8_lossy(&stdout).into_owned()),
            Ok(Finished { status, stderr, .. }) => {
                Err(Failure::host(format!("{} failed ({status}){}", what(), last_line(&stderr))))
            }
            Err(Failure::Timeout { .. }) => {
                Err(Failure::host(format!("{} did not end within {} s", what(), patience.as_secs())))
            }
            Err(failure) => Err(failure),
        }
    }

    /// Its name, as people call it.
    pub(crate) fn name(&self) -> &str {
        self.path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Status::Exit(code) => write!(f, "exit code {code}"),
            Status::Signal(signal) => write!(f, "signal {signal}"),
        }
    }
}

/// The last line of a message, after a colon.
pub(crate) fn last_line(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let line = text.lines().map(str::trim).rfind(|line| !line.is_empty());
    line.map_or_else(String::new, |line| format!(": {}", line.chars().take(300).collect::<String>()))
}

/// What comes first in a text and looks like a version.
pub(crate) fn version(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c == ',');
    let digit = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit());
    words
        .map(|word| word.trim_start_matches(['v', '(']))
        .find(digit)
        .unwrap_or("unknown")
        .trim_end_matches(')')
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_programs_say() {
        for (text, wanted) in [
            ("crun version 1.8.1\ncommit: f8a0", "1.8.1"),
            ("runsc version 0.0~20221219.0\nspec: 1.0.2-dev", "0.0~20221219.0"),
            ("unshare from util-linux 2.38.1", "2.38.1"),
            ("Docker version 28.2.2, build e6534b4", "28.2.2"),
            ("nothing", "unknown"),
        ] {
            assert_eq!(version(text), wanted);
        }
    }

    #[test]
    fn a_call_that_fails_says_what_was_said() {
        let shell = Tool::find("sh").unwrap();
        assert_eq!(shell.call(&["-c", "echo yes"]).unwrap(), "yes\n");
        let said = shell.call(&["-c", "echo why >&2; exit 3"]).unwrap_err().to_string();
        assert_eq!(said, "sh -c failed (exit code 3): why");
        assert!(shell.call(&["-c", "kill -9 $$"]).unwrap_err().to_string().contains("signal 9"));
    }
}
