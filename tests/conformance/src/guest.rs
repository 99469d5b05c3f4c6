//! The functions that the suite runs.

use isobar_core::measure::{Expectation, Task};
use isobar_core::{Engine, Failure, Form, Invocation, Limits, Runtime, RuntimeInfo};
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

/// `probe.wat`: does what its first argument says.
pub(crate) static PROBE: LazyLock<Vec<u8>> = LazyLock::new(|| assemble(PROBE_TEXT));

/// The same as text.
pub(crate) const PROBE_TEXT: &str = include_str!("probe.wat");

/// `probe.c`, which does the same as an executable.
const PROBE_SOURCE: &str = include_str!("probe.c");

/// Why the suite has no guest for a runtime, if so.
pub fn obstacle(info: &RuntimeInfo) -> Option<String> {
    match info.form {
        Form::Wasm => None,
        Form::Javascript => Some("the suite has no probe in JavaScript".to_owned()),
        Form::Library => Some("the suite has no probe as a library".to_owned()),
        Form::Component => Some("the suite has no probe for wasi:http".to_owned()),
        Form::Native => {
            let works = Command::new("cc").arg("--version").output().is_ok_and(|output| output.status.success());
            (!works).then(|| "its probe needs a C compiler; scripts/setup".to_owned())
        }
    }
}

/// Makes the artifact of the probe: a module, compiled where the runtime does that ahead of time, or an executable.
pub(crate) fn make_probe(info: &RuntimeInfo, engine: &dyn Engine, wasm: &Path, artifact: &Path) -> Result<(), Failure> {
    let failed = |e: std::io::Error| Failure::host(format!("the probe: {e}"));
    if info.form == Form::Wasm {
        std::fs::write(wasm, &*PROBE).map_err(failed)?;
        return engine.compile(wasm, artifact);
    }
    let source = artifact.with_extension("c");
    std::fs::write(&source, PROBE_SOURCE).map_err(failed)?;
    let mut compiler = Command::new("cc");
    compiler.args(["-std=gnu17", "-O1", "-w", "-static", "-o"]).arg(artifact).arg(&source);
    let output = compiler.output().map_err(failed)?;
    if output.status.success() {
        return Ok(());
    }
    Err(Failure::host(format!("the probe: {}", String::from_utf8_lossy(&output.stderr))))
}

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
    make_probe(runtime.info(), &*runtime.engine()?, &wasm, &artifact)?;
    let invocation = Invocation { env: vec![("NAME".to_owned(), "value".to_owned())], ..ask(&["echo"]) };
    let expectation = Expectation::exact(echo_of(&invocation));
    Ok(Task { module: wasm, artifact, invocation, expectation })
}
