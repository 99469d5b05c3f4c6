use serde::{Deserialize, Serialize};

/// One thing that a function must not do, and what came of trying it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Attempt {
    /// Which: the name of an [`AttemptKind`].
    pub attempt: String,
    /// What came of it.
    pub verdict: Verdict,
    /// How that is known, in one line.
    pub evidence: String,
    /// Whether the process that ran the function still gave the right answer to the next, harmless invocation.
    pub host_survived: bool,
    /// What that invocation met instead.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub host_evidence: String,
}

/// What came of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The function did not get what it wanted, and went on.
    Denied,
    /// The function was ended: it trapped, crashed, or met a limit.
    Ended,
    /// The function got what it wanted.
    Allowed,
    /// There is nothing to try.
    NotApplicable,
}

/// A kind of attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptKind {
    /// Its name in records: `environment`.
    pub name: &'static str,
    /// Its name for people, as the head of a column.
    pub title: &'static str,
    /// The same where there is little room: at most six letters.
    pub short: &'static str,
    /// What the function tries, and what tells that it succeeded.
    pub meaning: &'static str,
}

const fn kind(name: &'static str, title: &'static str, short: &'static str, meaning: &'static str) -> AttemptKind {
    AttemptKind { name, title, short, meaning }
}

/// All kinds, in the order in which they are tried and shown.
pub static ATTEMPTS: [AttemptKind; 15] = [
    kind(
        "environment",
        "host's variables",
        "env",
        "Finds a variable that the runner's process has and the function was not given, in its own environment or in that of \
         the process which started it. Allowed if it prints the variable's random value.",
    ),
    kind("passwd", "/etc/passwd", "passwd", "Reads /etc/passwd. Allowed if it prints how long the host's file is."),
    kind(
        "file",
        "file",
        "file",
        "Reads a file with random content that the runner could read. Allowed if it prints that content.",
    ),
    kind(
        "folder",
        "folder",
        "folder",
        "Lists a folder of the host's. Allowed if it prints the random name of a file in it.",
    ),
    kind(
        "write",
        "write",
        "write",
        "Writes a file into a folder of the host's. Allowed if that file is there afterwards.",
    ),
    kind(
        "connect",
        "socket",
        "net",
        "Connects to a port of the host's on which isobar listens. Allowed if what it sends arrives there.",
    ),
    kind(
        "previous",
        "invocation before",
        "before",
        "Looks for the random text that the invocation before it left in static variables and all over its memory. Allowed if \
         it prints that text.",
    ),
    kind(
        "neighbour",
        "neighbour",
        "beside",
        "The same while the other invocation's sandbox is still there, as when both are served at once.",
    ),
    kind(
        "memory",
        "memory",
        "memory",
        "Takes and touches four times as much memory as it may. Allowed if it gets all of it.",
    ),
    kind(
        "output",
        "output",
        "output",
        "Writes eight times as much to standard output as it may. Allowed if more than that comes back.",
    ),
    kind("spin", "endless loop", "loop", "Never ends. Allowed if nobody ends it, and it does so itself after 20 s."),
    kind("spawn", "processes", "fork", "Starts processes. Allowed if it can start eight, at which it stops by itself."),
    kind("stack", "stack", "stack", "Calls itself. Allowed if it comes back from ten million calls."),
    kind(
        "crash",
        "wild pointer",
        "crash",
        "Reads and writes far outside of its memory. In JavaScript, it aborts the process.",
    ),
    kind(
        "signal",
        "signal",
        "signal",
        "Asks for permission to send signals to the process that started it; in a module, raises one in the host's process: allowed if that ends by it.",
    ),
];

impl Attempt {
    /// Its kind, if this isobar knows it.
    pub fn kind(&self) -> Option<&'static AttemptKind> {
        ATTEMPTS.iter().find(|kind| kind.name == self.attempt)
    }
}

impl Verdict {
    /// Its name in records.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Denied => "denied",
            Verdict::Ended => "ended",
            Verdict::Allowed => "allowed",
            Verdict::NotApplicable => "not-applicable",
        }
    }
}
