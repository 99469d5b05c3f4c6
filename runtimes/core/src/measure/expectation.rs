use crate::contract::Outcome;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The answer that a function must give for a measurement to count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expectation {
    /// The exit code.
    pub exit_code: i32,
    /// What standard output must be.
    pub stdout: StdoutRule,
}

/// A rule for standard output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StdoutRule {
    /// These bytes.
    Exact(#[serde(with = "crate::contract::base64_bytes")] Vec<u8>),
    /// Bytes with this SHA-256, in lower-case hexadecimal.
    Sha256(String),
    /// Bytes that start with these.
    Prefix(#[serde(with = "crate::contract::base64_bytes")] Vec<u8>),
    /// Anything.
    Any,
}

impl Expectation {
    /// Exit code 0 and exactly this on standard output.
    pub fn exact(stdout: impl Into<Vec<u8>>) -> Self {
        Expectation { exit_code: 0, stdout: StdoutRule::Exact(stdout.into()) }
    }

    /// Compares an answer with the expected one.
    ///
    /// # Errors
    /// What was expected and what came instead, in one line.
    pub fn check(&self, outcome: &Outcome) -> Result<(), String> {
        let fits = match &self.stdout {
            StdoutRule::Exact(bytes) => outcome.stdout == *bytes,
            StdoutRule::Prefix(bytes) => outcome.stdout.starts_with(bytes),
            StdoutRule::Sha256(hex) => *hex == sha256_hex(&outcome.stdout),
            StdoutRule::Any => true,
        };
        if fits && outcome.exit_code == self.exit_code {
            return Ok(());
        }
        Err(self.mismatch(outcome))
    }

    #[cold]
    fn mismatch(&self, outcome: &Outcome) -> String {
        if outcome.exit_code != self.exit_code {
            let said = excerpt(&outcome.stderr);
            return format!("exit code {} instead of {}, standard error {said}", outcome.exit_code, self.exit_code);
        }
        let got = excerpt(&outcome.stdout);
        match &self.stdout {
            StdoutRule::Exact(bytes) => format!("{got} instead of {}", excerpt(bytes)),
            StdoutRule::Prefix(bytes) => format!("{got} instead of something that starts with {}", excerpt(bytes)),
            StdoutRule::Sha256(hex) => {
                format!("{got} with SHA-256 {} instead of {hex}", sha256_hex(&outcome.stdout))
            }
            StdoutRule::Any => got,
        }
    }
}

/// The SHA-256 of `bytes` in lower-case hexadecimal.
pub fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn excerpt(bytes: &[u8]) -> String {
    const SHOWN: usize = 60;
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(SHOWN)]).into_owned();
    let more = if bytes.len() > SHOWN { format!("... ({} bytes)", bytes.len()) } else { String::new() };
    format!("{text:?}{more}")
}
