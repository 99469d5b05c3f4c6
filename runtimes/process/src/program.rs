//! Programs that run a function for one invocation and end: JavaScript engines, and the command line of a WebAssembly runtime.

use crate::collect::{Finished, Status, Streams, run_with};
use crate::native::once;
use crate::place::Place;
use crate::spawn::Command;
use crate::stay::{Held, Staying};
use crate::tool::{Tool, last_line};
use isobar_core::contract::PROGRAM_NAME;
use isobar_core::runner::NotHere;
use isobar_core::settings::proposals;
use isobar_core::{
    Class, Enforcement, Enforcer, Engine, Execution, Failure, Form, Instance, Invocation, Limits, Module, Once,
    Outcome, Runtime, RuntimeId, RuntimeInfo, TrapKind,
};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// isobar's part in JavaScript, below its own folder: by it that folder is known.
const BUNDLER: &str = "runtimes/node/bundle.mjs";

/// The program that runs a module in Node.js.
const NODE_WASI: &str = "runtimes/node/hosts/process-wasi.mjs";

/// Where the packages of npm are, below isobar's own folder.
const PACKAGES: &str = ".tools/baselines/node_modules";

/// The packages with the programs; of Deno there is none for other processors.
const DENO: &str = "@deno/linux-x64-glibc";
const BUN: &str = if cfg!(target_arch = "aarch64") { "@oven/bun-linux-aarch64" } else { "@oven/bun-linux-x64" };

/// What JavaScript engines reserve and do not use counts, too, in bytes.
const RESERVED_BYTES: u64 = 2 << 30;

/// How long compiling or bundling a function may take.
const COMPILING: Duration = Duration::from_secs(300);

/// How a bundle begins; a source does not.
const BANNER: &str = "// isobar: a bundle for ";

/// What starts the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Node,
    NodeWasi,
    Deno,
    Bun,
    Wasmtime,
    WasmtimeWinch,
    WasmtimeAot,
}

impl Kind {
    const ALL: [Kind; 7] =
        [Kind::Node, Kind::NodeWasi, Kind::Deno, Kind::Bun, Kind::Wasmtime, Kind::WasmtimeWinch, Kind::WasmtimeAot];

    fn id(self) -> RuntimeId {
        let (family, mode) = match self {
            Kind::Node => ("node", "process-js"),
            Kind::NodeWasi => ("node", "process-wasi"),
            Kind::Deno => ("deno", "process-js"),
            Kind::Bun => ("bun", "process-js"),
            Kind::Wasmtime => ("wasmtime-cli", "run"),
            Kind::WasmtimeWinch => ("wasmtime-cli", "run-winch"),
            Kind::WasmtimeAot => ("wasmtime-cli", "run-aot"),
        };
        RuntimeId::new(family, mode, &[])
    }

    /// The host that scripts are bundled for.
    fn host(self) -> Option<&'static str> {
        match self {
            Kind::Node => Some("node"),
            Kind::Deno => Some("deno"),
            Kind::Bun => Some("bun"),
            _ => None,
        }
    }

    fn is_wasmtime(self) -> bool {
        matches!(self, Kind::Wasmtime | Kind::WasmtimeWinch | Kind::WasmtimeAot)
    }

    /// Its program, or what to do to have it.
    fn tool(self, root: &Path) -> Result<Tool, &'static str> {
        let package = |path: &str| Tool::at(&root.join(PACKAGES).join(path)).ok_or("scripts/setup --baselines");
        match self {
            // Scripts are bundled first.
            Kind::Node if !root.join(PACKAGES).join("esbuild").is_dir() => Err("scripts/setup --baselines"),
            Kind::Node | Kind::NodeWasi => Tool::find("node").ok_or("apt-get install nodejs"),
            Kind::Deno => package(&format!("{DENO}/deno")),
            Kind::Bun => package(&format!("{BUN}/bin/bun")),
            Kind::Wasmtime | Kind::WasmtimeWinch | Kind::WasmtimeAot => {
                Tool::at(&root.join(".tools/wasmtime-cli/bin/wasmtime")).ok_or("scripts/setup --wasmtime-cli")
            }
        }
    }

    fn settings(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Kind::Node => &[
                ("memory limit", "V8's heap by --max-old-space-size; RLIMIT_DATA, 2 GiB more"),
                ("walls", "none: a user's process"),
            ],
            Kind::NodeWasi => &[
                ("memory limit", "V8's --wasm-max-mem-pages"),
                ("walls", "WebAssembly's; node:wasi is no sandbox, says Node.js"),
            ],
            Kind::Deno => &[
                ("memory limit", "V8's heap by --max-old-space-size; RLIMIT_DATA, 2 GiB more"),
                ("walls", "Deno's permissions: the environment, and nothing else"),
                ("code cache", "off: it would be written outside of isobar's folder"),
            ],
            Kind::Bun => &[("memory limit", "RLIMIT_DATA, 2 GiB more"), ("walls", "none: a user's process")],
            Kind::Wasmtime => &[("memory limit", "-W max-memory-size"), ("compiler", "Cranelift"), ("cache", "off")],
            Kind::WasmtimeWinch => &[("memory limit", "-W max-memory-size"), ("compiler", "Winch"), ("cache", "off")],
            Kind::WasmtimeAot => &[("memory limit", "-W max-memory-size"), ("compiled by", "wasmtime compile")],
        }
    }
}

/// What is here of them, and what is not, with the reason and the remedy.
pub(crate) fn all() -> (Vec<Box<dyn Runtime>>, Vec<NotHere>) {
    let Some(root) = root() else {
        let reason = format!("{BUNDLER} is not here: start isobar in its own folder");
        return (Vec::new(), vec![NotHere { runtime: "node/process-js".to_owned(), reason }]);
    };
    let (mut here, mut absent) = (Vec::<Box<dyn Runtime>>::new(), Vec::new());
    let mut versions = BTreeMap::new();
    for kind in Kind::ALL {
        match kind.tool(&root) {
            Ok(tool) => {
                let version = versions.entry(tool.path().to_owned()).or_insert_with(|| version_of(kind, &tool, &root));
                here.push(Box::new(Program::new(kind, tool, version.clone(), &root)));
            }
            Err(remedy) => {
                let runtime = kind.id().to_string();
                absent.push(NotHere { reason: format!("its program is not here; {remedy}"), runtime });
            }
        }
    }
    (here, absent)
}

/// isobar's own folder.
pub(crate) fn root() -> Option<PathBuf> {
    let (here, exe) = (std::env::current_dir().unwrap_or_default(), std::env::current_exe().unwrap_or_default());
    let mut above = here.ancestors().chain(exe.ancestors());
    above.find(|folder| folder.join(BUNDLER).is_file())?.canonicalize().ok()
}

/// One of them.
#[derive(Clone)]
struct Program {
    info: RuntimeInfo,
    kind: Kind,
    tool: Tool,
    root: PathBuf,
    held: Held,
}

impl Program {
    fn new(kind: Kind, tool: Tool, version: String, root: &Path) -> Program {
        let script = kind.host().is_some();
        let engine = Enforcer::Engine;
        // What a WebAssembly runtime's instances weigh is measured inside of one process.
        let scenarios = ["process-cold", "cold", "warm"].into_iter().chain(script.then_some("density"));
        let info = RuntimeInfo {
            version,
            wasi: if script { "none" } else { "its own" }.to_owned(),
            execution: if kind == Kind::WasmtimeAot { Execution::Aot } else { Execution::Jit },
            concurrent: true,
            enforcement: Enforcement { wall_time: engine, memory: engine, stack: engine },
            proposals: if script { Vec::new() } else { proposals(&["simd"]) },
            settings: kind.settings().iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            class: Class::Process,
            form: if script { Form::Javascript } else { Form::Wasm },
            scenarios: Some(scenarios.map(str::to_owned).collect()),
            own_process: true,
            ..RuntimeInfo::wasm(kind.id())
        };
        Program { info, kind, tool, root: root.to_owned(), held: Held::default() }
    }

    /// Makes what is loaded of what a function is: a bundle of a script, machine code of a module.
    fn make(&self, source: &Path, artifact: &Path) -> Result<(), Failure> {
        let path = |path: &'_ Path| path.to_string_lossy().into_owned();
        let (source, artifact) = (path(source), path(artifact));
        match (self.kind.host(), self.kind) {
            (Some(host), _) => {
                let node =
                    Tool::find("node").ok_or_else(|| Failure::host("esbuild needs node; apt-get install nodejs"))?;
                let bundler = path(&self.root.join(BUNDLER));
                node.call_for(COMPILING, &[&bundler, host, &source, &artifact]).map(drop)
            }
            (None, Kind::WasmtimeAot) => {
                self.tool.call_for(COMPILING, &["compile", &source, "-o", &artifact]).map(drop)
            }
            (None, _) => {
                let bytes = fs::read(&source).map_err(|e| Failure::host(format!("{source}: {e}")))?;
                isobar_core::runtime::write_artifact(Path::new(&artifact), &bytes)
            }
        }
    }

    fn load(&self, artifact: &Path) -> Result<Loaded, Failure> {
        let bytes =
            fs::read(artifact).map_err(|e| Failure::host(format!("cannot read {}: {e}", artifact.display())))?;
        if self.kind.host().is_none() || bytes.starts_with(BANNER.as_bytes()) {
            return Ok(Loaded { program: self.clone(), file: artifact.to_owned() });
        }
        let file = Place::get()?.new_folder("bundle")?.join("function.js");
        self.make(artifact, &file)?;
        Ok(Loaded { program: self.clone(), file })
    }

    fn command(&self, file: &Path, invocation: &Invocation) -> Result<Command, Failure> {
        let Limits { memory_bytes, .. } = invocation.limits;
        let (file, mib) = (file.to_string_lossy().into_owned(), memory_bytes >> 20);
        let own = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let mut first = match self.kind {
            Kind::Node => vec![format!("--max-old-space-size={mib}"), file],
            Kind::NodeWasi => {
                let pages = (memory_bytes >> 16).min(1 << 16);
                let host = self.root.join(NODE_WASI).to_string_lossy().into_owned();
                vec!["--no-warnings".to_owned(), format!("--wasm-max-mem-pages={pages}"), host, file]
            }
            Kind::Deno => {
                let heap = format!("--v8-flags=--max-old-space-size={mib}");
                let offline = ["--no-config", "--no-lock", "--no-remote", "--no-npm", "--no-prompt", "--no-code-cache"];
                [own(&["run", "--allow-env"]), own(&offline), vec![heap, file]].concat()
            }
            Kind::Bun => vec![file],
            Kind::Wasmtime | Kind::WasmtimeWinch | Kind::WasmtimeAot => {
                let mut first = own(&["run", "-C", "cache=n", "-W", &format!("max-memory-size={memory_bytes}")]);
                first.extend(own(&["--argv0", PROGRAM_NAME]));
                first.extend(match self.kind {
                    Kind::WasmtimeAot => own(&["--allow-precompiled"]),
                    Kind::WasmtimeWinch => own(&["-C", "compiler=winch"]),
                    _ => Vec::new(),
                });
                first.extend(invocation.env.iter().map(|(name, value)| format!("--env={name}={value}")));
                first.push(file);
                first
            }
        };
        first.extend(invocation.args.iter().cloned());
        let env = invocation
            .env
            .iter()
            .filter(|_| !self.kind.is_wasmtime())
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let mut command = self.tool.command_with(first.iter().map(String::as_str), env)?;
        // What reserves address space for its own cages is bounded by its own options alone.
        command.data_bytes = self.kind.host().map(|_| memory_bytes.saturating_add(RESERVED_BYTES));
        Ok(command)
    }
}

/// By the package, where there is one: asking the program would cost each `isobar list` its start.
fn version_of(kind: Kind, tool: &Tool, root: &Path) -> String {
    let package = |name: &str| {
        let file = root.join(PACKAGES).join(name).join("package.json");
        let value: serde_json::Value = serde_json::from_slice(&fs::read(file).ok()?).ok()?;
        Some(value.get("version")?.as_str()?.to_owned())
    };
    let known = match kind {
        Kind::Deno => package(DENO),
        Kind::Bun => package(BUN),
        _ => tool.call(&["--version"]).ok().map(|said| crate::tool::version(&said)),
    };
    known.unwrap_or_else(|| "unknown".to_owned())
}

impl Runtime for Program {
    fn info(&self) -> &RuntimeInfo {
        &self.info
    }

    fn engine(&self) -> Result<Box<dyn Engine>, Failure> {
        Ok(Box::new(Program { held: Held::default(), ..self.clone() }))
    }

    fn run_once(&self, artifact: &Path, invocation: &Invocation) -> Result<Once, Failure> {
        let mut prepared = self.load(artifact)?.prepare(invocation)?;
        let finished = prepared.finish()?;
        once(finished, &prepared.limits)
    }
}

impl Engine for Program {
    fn compile(&self, wasm: &Path, artifact: &Path) -> Result<(), Failure> {
        self.make(wasm, artifact)
    }

    fn load(&self, artifact: &Path) -> Result<Box<dyn Module>, Failure> {
        Ok(Box::new(Program::load(self, artifact)?))
    }

    fn pss_bytes(&self) -> Option<u64> {
        self.held.pss_bytes()
    }
}

/// A file that the program is given.
struct Loaded {
    program: Program,
    file: PathBuf,
}

impl Loaded {
    fn prepare(&self, invocation: &Invocation) -> Result<Prepared, Failure> {
        let command = self.program.command(&self.file, invocation)?;
        let streams = Some(Streams::open(&invocation.stdin, &invocation.limits)?);
        let (limits, kind, held) = (invocation.limits, self.program.kind, self.program.held.clone());
        Ok(Prepared { command, streams, limits, kind, held, staying: None })
    }
}

impl Module for Loaded {
    fn instantiate(&self, invocation: &Invocation) -> Result<Box<dyn Instance>, Failure> {
        Ok(Box::new(self.prepare(invocation)?))
    }
}

/// A process that was not started yet.
struct Prepared {
    command: Command,
    streams: Option<Streams>,
    limits: Limits,
    kind: Kind,
    held: Held,
    /// The process, if it stays.
    staying: Option<Staying>,
}

impl Prepared {
    fn finish(&mut self) -> Result<Finished, Failure> {
        let streams = self.streams.take().ok_or_else(|| Failure::host("the process was started already"))?;
        let finished = run_with(&self.command, streams, &self.limits)?;
        failure_of(self.kind, &finished, &self.limits).map_or(Ok(finished), Err)
    }
}

/// The failure that a program's last words stand for; most have none, and what they end with is the function's.
fn failure_of(kind: Kind, finished: &Finished, limits: &Limits) -> Option<Failure> {
    let said = String::from_utf8_lossy(&finished.stderr);
    let says = |words: &[&str]| words.iter().any(|words| said.contains(words));
    let memory = || Some(Failure::Memory { limit_bytes: limits.memory_bytes });
    let line = || last_line(&finished.stderr).trim_start_matches(": ").to_owned();
    match finished.status {
        Status::Signal(_) if says(&["out of memory", "memory allocation of"]) => memory(),
        Status::Exit(GAVE_UP)
            if kind == Kind::NodeWasi && says(&["RangeError: WebAssembly.Instance(): Out of memory"]) =>
        {
            memory()
        }
        Status::Exit(GAVE_UP) if kind == Kind::NodeWasi && says(&["CompileError: "]) => Some(Failure::rejected(line())),
        Status::Exit(GAVE_UP) if kind == Kind::NodeWasi && says(&["LinkError: ", "TypeError: "]) => {
            Some(Failure::link(line()))
        }
        Status::Exit(GAVE_UP) if !said.is_empty() => {
            let trap = TRAPS.iter().find(|(words, _)| said.contains(words)).map_or(TrapKind::Other, |(_, kind)| *kind);
            Some(Failure::trap(trap, line(), &finished.stderr))
        }
        Status::Exit(1) if kind.is_wasmtime() && says(&["Error: failed to "]) => {
            if says(&["exceeds memory limits"]) {
                memory()
            } else if says(&["unknown import", "incompatible import type", "no function exported"]) {
                Some(Failure::link(line()))
            } else {
                Some(Failure::rejected(line()))
            }
        }
        _ => None,
    }
}

/// The exit code of wasmtime and of process-wasi.mjs for a function that trapped.
const GAVE_UP: i32 = 134;

/// What wasmtime and V8 say of traps.
const TRAPS: [(&str, TrapKind); 9] = [
    ("unreachable", TrapKind::Unreachable),
    ("divide by zero", TrapKind::IntegerDivideByZero),
    ("integer overflow", TrapKind::IntegerOverflow),
    ("divide result unrepresentable", TrapKind::IntegerOverflow),
    ("out of bounds memory", TrapKind::MemoryOutOfBounds),
    ("memory access out of bounds", TrapKind::MemoryOutOfBounds),
    ("call stack exhausted", TrapKind::StackOverflow),
    ("Maximum call stack", TrapKind::StackOverflow),
    ("indirect call type mismatch", TrapKind::BadSignature),
];

impl Instance for Prepared {
    fn execute(&mut self) -> Result<Outcome, Failure> {
        crate::collect::outcome(self.finish()?, &self.limits)
    }

    fn execute_and_stay(&mut self) -> Result<Outcome, Failure> {
        let streams = self.streams.take().ok_or_else(|| Failure::host("the process was started already"))?;
        let (staying, finished) = Staying::start(&self.command, streams, &self.limits, &self.held, None)?;
        self.staying = Some(staying);
        failure_of(self.kind, &finished, &self.limits).map_or(Ok(()), Err)?;
        crate::collect::outcome(finished, &self.limits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(status: Status, stderr: &str) -> Finished {
        Finished {
            status,
            stdout: Vec::new(),
            stderr: stderr.as_bytes().to_vec(),
            max_rss_bytes: 0,
            elapsed_ns: 1,
            silent: Duration::ZERO,
        }
    }

    #[test]
    fn last_words_are_failures_only_where_they_are_the_programs() {
        let limits = Limits::default();
        let of = |kind, status, stderr: &str| failure_of(kind, &ended(status, stderr), &limits).map(|f| f.name());
        for (kind, status, stderr, wanted) in [
            (Kind::Node, Status::Exit(1), "Error: failed to run main module", None),
            (Kind::Node, Status::Exit(GAVE_UP), "", None),
            (Kind::Node, Status::Signal(6), "FATAL ERROR: JavaScript heap out of memory", Some("memory")),
            (Kind::NodeWasi, Status::Exit(GAVE_UP), "x\nRuntimeError: unreachable\n", Some("trap")),
            (Kind::NodeWasi, Status::Exit(GAVE_UP), "CompileError: WebAssembly.Module(): bad", Some("rejected")),
            (Kind::NodeWasi, Status::Exit(GAVE_UP), "LinkError: WebAssembly.Instance(): x", Some("link")),
            (Kind::Wasmtime, Status::Exit(1), "the function's own words", None),
            (
                Kind::Wasmtime,
                Status::Exit(1),
                "Error: failed to run main module `x`\n1: unknown import: `a::b`",
                Some("link"),
            ),
            (Kind::Wasmtime, Status::Exit(1), "Error: failed to parse WebAssembly module", Some("rejected")),
            (
                Kind::WasmtimeAot,
                Status::Exit(1),
                "Error: failed to run main module\n1: memory minimum size of 17 pages exceeds memory limits",
                Some("memory"),
            ),
            (Kind::Wasmtime, Status::Exit(GAVE_UP), "wasm trap: integer divide by zero", Some("trap")),
        ] {
            assert_eq!(of(kind, status, stderr), wanted, "{kind:?} {status:?} {stderr}");
        }
    }

    /// Wherever the tests run, isobar's folder is above.
    #[test]
    fn every_program_is_here_or_absent_with_a_remedy() {
        let (here, absent) = all();
        assert_eq!(here.len() + absent.len(), Kind::ALL.len());
        for NotHere { runtime, reason } in absent {
            assert!(reason.contains("; ") && !reason.contains('\n'), "{runtime}: {reason}");
        }
        for runtime in here {
            let info = runtime.info();
            assert!(info.own_process && info.class == Class::Process && info.version != "unknown", "{info:?}");
        }
    }
}
