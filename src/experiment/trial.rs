//! One invocation before anything is measured: which runtimes can run a module at all, and what they answer.

use crate::remote::RemoteRuntime;
use isobar_core::measure::sha256_hex;
use isobar_core::runtime::Execution;
use isobar_core::{Failure, Invocation, Outcome, Runtime, RuntimeId};
use std::fmt::Write;
use std::path::Path;

/// How much of an answer a message shows, in bytes.
const SHOWN: usize = 60;

/// Invokes a module so many times in one engine, each time in a fresh sandbox; ahead of time modes compile it first.
///
/// # Errors
/// The first failure.
pub fn invoke(
    runtime: &RemoteRuntime,
    module: &Path,
    invocation: &Invocation,
    times: usize,
) -> Result<Vec<Outcome>, Failure> {
    let folder = tempfile::tempdir().map_err(|e| Failure::host(format!("cannot make a temporary folder: {e}")))?;
    let engine = runtime.engine()?;
    let compiled = folder.path().join("artifact");
    let artifact = match runtime.info().execution {
        Execution::Aot => {
            engine.compile(module, &compiled)?;
            &compiled
        }
        _ => module,
    };
    let loaded = engine.load(artifact)?;
    (0..times).map(|_| loaded.instantiate(invocation)?.execute()).collect()
}

/// What a runtime makes of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// Which runtime.
    pub runtime: RuntimeId,
    /// Its answers to equal invocations.
    pub answers: Result<Vec<Outcome>, Failure>,
}

impl Trial {
    /// Why the runtime cannot run the module, whatever it is called with: it lacks something that the module needs.
    pub fn refusal(&self) -> Option<&Failure> {
        self.answers.as_ref().err().filter(|f| matches!(f, Failure::Rejected { .. } | Failure::Link { .. }))
    }
}

/// Tries a module in a runtime; twice, where an answer which is never the same must be seen.
pub fn attempt(runtime: &RemoteRuntime, module: &Path, invocation: &Invocation, times: usize) -> Trial {
    Trial { runtime: runtime.info().id.clone(), answers: invoke(runtime, module, invocation, times) }
}

/// Why trials say nothing about the right answer. Displayed as a line, and a line for each different answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// All of them failed.
    #[error("no runtime answers, so there is nothing to compare with{0}")]
    Nobody(String),
    /// Two invocations in one runtime gave different answers.
    #[error(
        "two invocations in {0} gave different answers, so no measurement could be checked: let it answer the same every time"
    )]
    Restless(RuntimeId),
    /// The runtimes do not agree.
    #[error(
        "THE RUNTIMES DISAGREE, so somebody must say who is right: give --expect, --expect-file or --expect-sha256{0}"
    )]
    Disagreement(String),
    /// They agree on another exit code.
    #[error("exit code {got} instead of {wanted}{said}; if it is meant to, give --expect-exit {got}")]
    ExitCode {
        /// What it was.
        got: i32,
        /// What it should have been.
        wanted: i32,
        /// What was on standard error.
        said: String,
    },
}

/// The standard output that all runtimes agree on which answered at all, with this exit code.
///
/// # Errors
/// They do not agree, each with itself and all with each other, or none answered.
pub fn agreed(trials: &[Trial], exit_code: i32) -> Result<Vec<u8>, NoAnswer> {
    let mut groups: Vec<(&Outcome, Vec<&RuntimeId>)> = Vec::new();
    for Trial { runtime, answers } in trials {
        let Ok([first, others @ ..]) = answers.as_deref() else { continue };
        if others.iter().any(|other| !same(first, other)) {
            return Err(NoAnswer::Restless(runtime.clone()));
        }
        match groups.iter_mut().find(|(answer, _)| same(answer, first)) {
            Some((_, runtimes)) => runtimes.push(runtime),
            None => groups.push((first, vec![runtime])),
        }
    }
    match groups.as_slice() {
        [] => Err(NoAnswer::Nobody(failures(trials))),
        [(answer, _)] if answer.exit_code == exit_code => Ok(answer.stdout.clone()),
        [(answer, _)] => {
            let said = if answer.stderr.is_empty() { String::new() } else { format!(" ({})", excerpt(&answer.stderr)) };
            Err(NoAnswer::ExitCode { got: answer.exit_code, wanted: exit_code, said })
        }
        groups => Err(NoAnswer::Disagreement(groups.iter().map(|(answer, who)| line(answer, who)).collect())),
    }
}

fn same(a: &Outcome, b: &Outcome) -> bool {
    (a.exit_code, &a.stdout) == (b.exit_code, &b.stdout)
}

fn line(answer: &Outcome, who: &[&RuntimeId]) -> String {
    let Outcome { exit_code, stdout, .. } = answer;
    let who = who.iter().map(|id| id.as_str()).collect::<Vec<_>>().join(", ");
    let bytes = stdout.len();
    format!("\n  exit code {exit_code}, {bytes} bytes, SHA-256 {}, {}: {who}", sha256_hex(stdout), excerpt(stdout))
}

fn failures(trials: &[Trial]) -> String {
    let mut lines = String::new();
    for Trial { runtime, answers } in trials {
        if let Err(failure) = answers {
            let _ = write!(lines, "\n  {runtime}: {failure}");
        }
    }
    lines
}

/// The start of a text, on one line.
fn excerpt(bytes: &[u8]) -> String {
    let more = if bytes.len() > SHOWN { "..." } else { "" };
    format!("{:?}{more}", String::from_utf8_lossy(&bytes[..bytes.len().min(SHOWN)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(runtime: &str, answers: &[(i32, &str)]) -> Trial {
        let outcome = |(exit_code, stdout): &(i32, &str)| Outcome {
            exit_code: *exit_code,
            stdout: stdout.as_bytes().to_vec(),
            stderr: b"usage".to_vec(),
        };
        Trial { runtime: runtime.parse().unwrap(), answers: Ok(answers.iter().map(outcome).collect()) }
    }

    fn failed(runtime: &str, failure: Failure) -> Trial {
        Trial { runtime: runtime.parse().unwrap(), answers: Err(failure) }
    }

    #[test]
    fn all_that_answer_must_answer_the_same() {
        let ok = |name| trial(name, &[(0, "4"), (0, "4")]);
        let trapped = failed("c/c", Failure::Timeout { limit_ns: 1 });
        assert_eq!(agreed(&[ok("a/a"), ok("b/b"), trapped.clone()], 0), Ok(b"4".to_vec()));
        assert_eq!(
            agreed(&[ok("a/a")], 3).unwrap_err().to_string().split(';').next(),
            Some("exit code 0 instead of 3 (\"usage\")")
        );
        let restless = trial("b/b", &[(0, "4"), (0, "5")]);
        assert_eq!(agreed(&[ok("a/a"), restless], 0), Err(NoAnswer::Restless("b/b".parse().unwrap())));
        for other in [trial("b/b", &[(0, "5")]), trial("b/b", &[(1, "4")])] {
            let said = agreed(&[ok("a/a"), other, ok("d/d")], 0).unwrap_err().to_string();
            assert!(said.starts_with("THE RUNTIMES DISAGREE") && said.contains(": a/a, d/d\n"), "{said}");
            assert!(said.ends_with(": b/b"), "{said}");
        }
        let nobody = agreed(std::slice::from_ref(&trapped), 0).unwrap_err().to_string();
        assert!(nobody.ends_with("\n  c/c: timeout: did not end within 0.000 s"), "{nobody}");
    }

    #[test]
    fn a_refusal_is_about_the_module_and_not_about_its_call() {
        for failure in [Failure::rejected("x"), Failure::link("x")] {
            assert!(failed("a/a", failure).refusal().is_some());
        }
        for failure in [Failure::crashed("x"), Failure::host("x"), Failure::Memory { limit_bytes: 1 }] {
            assert!(failed("a/a", failure).refusal().is_none());
        }
    }
}
