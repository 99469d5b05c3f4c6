//! The functions that the suite runs.

use isobar_core::measure::{Expectation, Task};
use isobar_core::{Failure, Invocation, Limits, Runtime};
use std::path::Path;
use std::sync::LazyLock;

/// `probe.wat`: does what its first argument says.
pub(crate) static PROBE: LazyLock<Vec<u8>> = LazyLock::new(|| assemble(PROBE_TEXT));

/// The same as text.
pub(crate) const PROBE_TEXT: &str = include_str!("probe.wat");

/// The binary of a text that is part of the suite.
pub(crate) fn assemble(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap_or_else(|e| panic!("the suite's own module is malformed: {e}\n{text}"))
}

/// Limits that no case meets by accident, and that bound what a broken runtime costs.
pub(crate) fn ample() -> Limits {
    Limits { wall_time_ns: 20_000_000_000, ..Limits::default() }
}

/// An invocation that asks the probe for this action.
pub(crate) fn ask(args: &[&str]) -> Invocation {
    Invocation { args: args.iter().map(|arg| (*arg).to_owned()).collect(), limits: ample(), ..Invocation::default() }
}

/// What the probe prints when it is asked to echo: `argv` and the environment, each text behind its length.
pub(crate) fn echo_of(invocation: &Invocation) -> Vec<u8> {
    let args = invocation.argv().map(str::to_owned).collect::<Vec<_>>();
    let env = invocation.env.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
    let number = |n: usize| (n as u32).to_le_bytes();
    let mut bytes = Vec::new();
    for texts in [args, env] {
        bytes.extend(number(texts.len()));
        for text in texts {
            bytes.extend(number(text.len()));
            bytes.extend(text.as_bytes());
        }
    }
    bytes
}

/// The probe's echo as a task to be measured, its artifact compiled into `folder`.
///
/// # Errors
/// Those of [`isobar_core::Engine::compile`].
pub fn task(runtime: &dyn Runtime, folder: &Path) -> Result<Task, Failure> {
    let (wasm, artifact) = (folder.join("probe.wasm"), folder.join("probe.artifact"));
    std::fs::write(&wasm, &*PROBE).map_err(|e| Failure::host(e.to_string()))?;
    runtime.engine()?.compile(&wasm, &artifact)?;
    let invocation = Invocation { env: vec![("NAME".to_owned(), "value".to_owned())], ..ask(&["echo"]) };
    let expectation = Expectation::exact(echo_of(&invocation));
    Ok(Task { module: wasm, artifact, invocation, expectation })
}
