//! The contract between a platform and a function: what an invocation gives, and what it may get back.
//!
//! A function is a WASI preview 1 command. It gets environment variables, arguments and standard input; it answers on
//! standard output and with its exit code. Nothing else exists for it: no files, no network, nothing inherited.

use serde::{Deserialize, Serialize};

/// What a function sees as its own name, `argv[0]`, in every runtime.
pub const PROGRAM_NAME: &str = "function";

/// The function that a library exports, for runtimes that load libraries: `workloads/libraries/isobar.h`.
pub const LIBRARY_CALL: &str = "isobar_call_v1";

/// How much of a function's standard error a [`Failure::Trap`] keeps, in bytes.
pub const STDERR_EXCERPT_BYTES: usize = 4096;

/// One call of a function.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invocation {
    /// The arguments after [`PROGRAM_NAME`].
    #[serde(default)]
    pub args: Vec<String>,
    /// The environment, in this order; nothing is inherited.
    #[serde(default)]
    pub env: Vec<(String, String)>,
    /// What the function can read on standard input.
    #[serde(default, with = "base64_bytes")]
    pub stdin: Vec<u8>,
    /// What the function may use at most.
    #[serde(default)]
    pub limits: Limits,
}

impl Invocation {
    /// An invocation with this environment and nothing else.
    pub fn with_env<K: Into<String>, V: Into<String>>(env: impl IntoIterator<Item = (K, V)>) -> Self {
        let env = env.into_iter().map(|(k, v)| (k.into(), v.into())).collect();
        Invocation { env, ..Invocation::default() }
    }

    /// `argv` as the function sees it: [`PROGRAM_NAME`], then the arguments.
    pub fn argv(&self) -> impl Iterator<Item = &str> + Clone {
        std::iter::once(PROGRAM_NAME).chain(self.args.iter().map(String::as_str))
    }

    /// Whether a function can be given this: arguments and variables end at a NUL character, and a variable's name at
    /// its first `=`.
    ///
    /// # Errors
    /// [`Failure::Host`], with the argument or variable.
    pub fn check(&self) -> Result<(), Failure> {
        if let Some(index) = self.args.iter().position(|arg| arg.contains('\0')) {
            return Err(Failure::host(format!("argument {} holds a NUL character", index + 1)));
        }
        for (name, value) in &self.env {
            if name.is_empty() || name.contains(['=', '\0']) {
                return Err(Failure::host(format!("{name:?} cannot name an environment variable")));
            }
            if value.contains('\0') {
                return Err(Failure::host(format!("the environment variable {name} holds a NUL character")));
            }
        }
        Ok(())
    }
}

/// What an invocation may use. Who enforces which limit differs by runtime: see [`crate::runtime::Enforcement`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Wall time from the start of `execute`, in nanoseconds.
    pub wall_time_ns: u64,
    /// Linear memory, all of an instance's memories together, in bytes.
    pub memory_bytes: u64,
    /// Standard output and standard error, each, in bytes.
    pub output_bytes: u64,
}

impl Default for Limits {
    /// One minute, 1 GiB of memory, 16 MiB of output.
    fn default() -> Self {
        Limits { wall_time_ns: 60_000_000_000, memory_bytes: 1 << 30, output_bytes: 16 << 20 }
    }
}

/// What a function that ran to its end gave back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The argument of `proc_exit`, or 0 when `_start` returned.
    pub exit_code: i32,
    /// All of standard output.
    #[serde(with = "base64_bytes")]
    pub stdout: Vec<u8>,
    /// All of standard error.
    #[serde(with = "base64_bytes")]
    pub stderr: Vec<u8>,
}

/// Why an invocation gave no [`Outcome`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "failure", rename_all = "kebab-case")]
pub enum Failure {
    /// The module is malformed, invalid, or needs what the runtime does not have.
    #[error("rejected: {message}{}", .proposals.is_empty().then(String::new).unwrap_or_else(|| format!(" (needs {})", .proposals.join(", "))))]
    Rejected {
        /// What is wrong.
        message: String,
        /// The WebAssembly proposals that the module needs and the runtime does not have.
        #[serde(default)]
        proposals: Vec<String>,
    },
    /// An import is missing or has another type, or `_start` is not exported.
    #[error("link: {message}")]
    Link {
        /// Which import or export.
        message: String,
    },
    /// The function trapped.
    #[error("trap: {kind}: {message}{}", last_line(.stderr))]
    Trap {
        /// Which trap.
        kind: TrapKind,
        /// What the runtime said.
        message: String,
        /// The start of what the function wrote to standard error (a panic's message, say).
        #[serde(default)]
        stderr: String,
    },
    /// The function did not end within [`Limits::wall_time_ns`].
    #[error("timeout: did not end within {:.3} s", *.limit_ns as f64 / 1e9)]
    Timeout {
        /// The limit, in nanoseconds.
        limit_ns: u64,
    },
    /// The function wanted more than [`Limits::memory_bytes`] and did not survive the refusal.
    #[error("memory: wanted more than {limit_bytes} bytes")]
    Memory {
        /// The limit, in bytes.
        limit_bytes: u64,
    },
    /// The function wrote more than [`Limits::output_bytes`].
    #[error("output limit: wrote more than {limit_bytes} bytes")]
    OutputLimit {
        /// The limit, in bytes.
        limit_bytes: u64,
    },
    /// The runtime itself died or panicked.
    #[error("runtime crashed: {message}")]
    Crashed {
        /// How.
        message: String,
        /// The signal that ended its process, if one did.
        #[serde(default)]
        signal: Option<i32>,
    },
    /// The platform's own fault: a file it could not read, a runner it could not start or understand.
    #[error("{message}")]
    Host {
        /// What happened, to which file or program.
        message: String,
    },
}

fn last_line(stderr: &str) -> String {
    match stderr.trim().lines().next_back() {
        Some(line) => format!(" (standard error: {line})"),
        None => String::new(),
    }
}

impl Failure {
    /// A module that is malformed or invalid, no proposal being to blame.
    pub fn rejected(message: impl Into<String>) -> Self {
        Failure::Rejected { message: message.into(), proposals: Vec::new() }
    }

    /// A missing or ill-typed import or export.
    pub fn link(message: impl Into<String>) -> Self {
        Failure::Link { message: message.into() }
    }

    /// A trap, with the start of what the function wrote to standard error.
    pub fn trap(kind: TrapKind, message: impl Into<String>, stderr: &[u8]) -> Self {
        let excerpt = &stderr[..stderr.len().min(STDERR_EXCERPT_BYTES)];
        Failure::Trap { kind, message: message.into(), stderr: String::from_utf8_lossy(excerpt).into_owned() }
    }

    /// A runtime that died or panicked, no signal being known.
    pub fn crashed(message: impl Into<String>) -> Self {
        Failure::Crashed { message: message.into(), signal: None }
    }

    /// The platform's own fault.
    pub fn host(message: impl Into<String>) -> Self {
        Failure::Host { message: message.into() }
    }

    /// The failure's name as results and metrics use it.
    pub fn name(&self) -> &'static str {
        match self {
            Failure::Rejected { .. } => "rejected",
            Failure::Link { .. } => "link",
            Failure::Trap { .. } => "trap",
            Failure::Timeout { .. } => "timeout",
            Failure::Memory { .. } => "memory",
            Failure::OutputLimit { .. } => "output-limit",
            Failure::Crashed { .. } => "crashed",
            Failure::Host { .. } => "host",
        }
    }
}

/// The traps of the WebAssembly specification. Runtimes differ in what they tell apart: a guest's exhausted stack is
/// [`TrapKind::StackOverflow`] in some and [`TrapKind::MemoryOutOfBounds`] in others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum TrapKind {
    /// The `unreachable` instruction (a panic or an abort, in most languages).
    Unreachable,
    /// Integer division or remainder by zero.
    IntegerDivideByZero,
    /// Integer division whose result does not fit.
    IntegerOverflow,
    /// Conversion of NaN, an infinity or a too large float to an integer.
    BadConversionToInteger,
    /// A load, store or bulk operation outside of linear memory.
    MemoryOutOfBounds,
    /// A table access outside of the table.
    TableOutOfBounds,
    /// `call_indirect` of an empty table slot.
    IndirectCallToNull,
    /// `call_indirect` of a function of another type.
    BadSignature,
    /// The call stack is exhausted.
    StackOverflow,
    /// Anything that the runtime does not tell apart.
    Other,
}

impl std::fmt::Display for TrapKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            TrapKind::Unreachable => "unreachable",
            TrapKind::IntegerDivideByZero => "integer divide by zero",
            TrapKind::IntegerOverflow => "integer overflow",
            TrapKind::BadConversionToInteger => "bad conversion to integer",
            TrapKind::MemoryOutOfBounds => "memory out of bounds",
            TrapKind::TableOutOfBounds => "table out of bounds",
            TrapKind::IndirectCallToNull => "indirect call to null",
            TrapKind::BadSignature => "bad signature",
            TrapKind::StackOverflow => "stack overflow",
            TrapKind::Other => "trap",
        })
    }
}

/// Bytes as base64 text, for JSON.
pub(crate) mod base64_bytes {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        STANDARD.decode(text.as_bytes()).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_function_would_read_differently_is_refused() {
        assert_eq!(Invocation::with_env([("A", "x=ü"), ("B", "")]).check(), Ok(()));
        for (name, value) in [("", "x"), ("A=B", "x"), ("A\0", "x"), ("A", "x\0y")] {
            assert!(Invocation::with_env([(name, value)]).check().is_err(), "{name:?}={value:?}");
        }
        let refused = Invocation { args: vec!["a=b".into(), "\0".into()], ..Invocation::default() }.check();
        assert_eq!(refused, Err(Failure::host("argument 2 holds a NUL character")));
    }
}
