//! `wasmtime serve`: Wasmtime's own server for components of `wasi:http`, in a process of its own.

use crate::collect::{Status, run};
use crate::program::root;
use crate::spawn::Child;
use crate::tool::{Tool, last_line, version};
use isobar_core::runner::NotHere;
use isobar_core::runtime::Server;
use isobar_core::settings::proposals;
use isobar_core::{
    Class, Enforcement, Enforcer, Engine, Execution, Failure, Form, Invocation, Limits, Module, Runtime, RuntimeId,
    RuntimeInfo,
};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

/// Its program, below isobar's own folder.
const PROGRAM: &str = ".tools/wasmtime-cli/bin/wasmtime";

/// What it says when it listens, before the address.
const LISTENING: &str = "Serving HTTP on ";

/// How long it may take until it listens: it compiles the component before.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long compiling a component may take.
const COMPILING: Duration = Duration::from_secs(300);

/// So many requests are answered by one instance where instances are used again: as good as all.
const REUSED: &str = "1000000000";

/// One of them.
#[derive(Clone)]
struct Serve {
    info: RuntimeInfo,
    tool: Tool,
    reuse: bool,
}

/// What is here of them, and what is not, with the reason and the remedy.
pub(crate) fn all() -> (Vec<Box<dyn Runtime>>, Vec<NotHere>) {
    let absent = |reason: String| (Vec::new(), vec![NotHere { runtime: "wasmtime-serve".to_owned(), reason }]);
    let Some(tool) = root().and_then(|root| Tool::at(&root.join(PROGRAM))) else {
        return absent("its program is not here; scripts/setup --wasmtime-cli".to_owned());
    };
    let said = match tool.call(&["--version"]) {
        Ok(said) => said,
        Err(failure) => return absent(format!("{failure}; scripts/setup --wasmtime-cli")),
    };
    let serve = |mode, variants: &[&str]| -> Box<dyn Runtime> {
        Box::new(Serve::new(&tool, &version(&said), RuntimeId::new("wasmtime-serve", mode, variants)))
    };
    (vec![serve("run", &[]), serve("aot", &[]), serve("aot", &["reuse"])], Vec::new())
}

impl Serve {
    fn new(tool: &Tool, version: &str, id: RuntimeId) -> Serve {
        let (aot, reuse) = (id.mode() == "aot", id.has("reuse"));
        let isolation =
            if reuse { "none between requests: instances are used again" } else { "a fresh instance for each request" };
        let settings = [
            ("isolation", isolation),
            ("allocator", "pooling, as it comes"),
            ("memory limit", "-W max-memory-size"),
            ("time limit", "none"),
            (if aot { "compiled by" } else { "cache" }, if aot { "wasmtime compile" } else { "off" }),
        ];
        let info = RuntimeInfo {
            version: version.to_owned(),
            wasi: "its own, preview 2".to_owned(),
            execution: if aot { Execution::Aot } else { Execution::Jit },
            concurrent: true,
            enforcement: Enforcement {
                wall_time: Enforcer::Process,
                memory: Enforcer::Engine,
                stack: Enforcer::Engine,
            },
            proposals: proposals(&["simd"]),
            settings: settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            class: Class::Server,
            form: Form::Component,
            scenarios: Some(["http-start", "http-closed", "http-knee"].map(str::to_owned).into()),
            ..RuntimeInfo::wasm(id)
        };
        Serve { info, tool: tool.clone(), reuse }
    }

    /// What it is called with, but for the file.
    fn options(&self, limits: &Limits) -> Vec<String> {
        let memory = format!("max-memory-size={}", limits.memory_bytes);
        let mut options = vec!["serve", "--addr", "127.0.0.1:0", "-S", "cli=y", "-O", POOLING, "-W", &memory];
        match self.info.execution {
            Execution::Aot => options.push("--allow-precompiled"),
            _ => options.extend(["-C", "cache=n"]),
        }
        if self.reuse {
            options.extend(["--max-instance-reuse-count", REUSED]);
        }
        options.into_iter().map(str::to_owned).collect()
    }
}

/// What it would choose itself where there is the address space; what is compiled has to fit it.
const POOLING: &str = "pooling-allocator=y";

impl Runtime for Serve {
    fn info(&self) -> &RuntimeInfo {
        &self.info
    }

    fn engine(&self) -> Result<Box<dyn Engine>, Failure> {
        Ok(Box::new(self.clone()))
    }

    fn serve(&self, artifact: &Path, invocation: &Invocation) -> Result<Box<dyn Server>, Failure> {
        let file = artifact.to_str().ok_or_else(|| Failure::host("the component's path is no UTF-8"))?;
        let options = self.options(&invocation.limits);
        let command = self.tool.command(options.iter().map(String::as_str).chain([file]))?;
        let null = || File::options().read(true).write(true).open("/dev/null").map(OwnedFd::from);
        let io = |e: io::Error| Failure::host(format!("cannot start wasmtime serve: {e}"));
        let (said, theirs) = io::pipe().map_err(io)?;
        let (stdin, stdout, stderr) = (null().map_err(io)?, null().map_err(io)?, OwnedFd::from(theirs));
        let start = Instant::now();
        let child = Running(command.spawn([&stdin, &stdout, &stderr]).map_err(io)?);
        drop(stderr);
        let (url, said) = listening(said, start + PATIENCE)?;
        let listening_ns = isobar_core::measure::nanoseconds(start.elapsed());
        // What it says later must not make it wait.
        std::thread::spawn(move || io::copy(&mut { said }, &mut io::sink()));
        Ok(Box::new(Listening { url, listening_ns, _child: child }))
    }
}

/// Waits until a server says where it listens.
fn listening(mut said: io::PipeReader, until: Instant) -> Result<(String, io::PipeReader), Failure> {
    let mut text = Vec::new();
    loop {
        let line =
            String::from_utf8_lossy(&text).lines().find_map(|line| line.strip_prefix(LISTENING).map(str::to_owned));
        if let Some(url) = line.filter(|_| text.ends_with(b"\n")) {
            return Ok((url.trim().to_owned(), said));
        }
        let left = until.saturating_duration_since(Instant::now());
        let time = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() };
        let ready = poll(&mut [PollFd::from_borrowed_fd(said.as_fd(), PollFlags::IN)], Some(&time));
        let mut chunk = [0; 4096];
        let length = match ready {
            Ok(0) => 0,
            _ => said.read(&mut chunk).unwrap_or(0),
        };
        if length == 0 {
            let why = if left.is_zero() { format!("within {PATIENCE:?}") } else { "and ended".to_owned() };
            return Err(Failure::crashed(format!("wasmtime serve does not listen {why}{}", last_line(&text))));
        }
        text.extend_from_slice(&chunk[..length]);
    }
}

/// A server's process, ended when this is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.reap();
    }
}

/// A server that listens.
struct Listening {
    url: String,
    listening_ns: u64,
    _child: Running,
}

impl Server for Listening {
    fn url(&self) -> &str {
        &self.url
    }

    fn listening_ns(&self) -> u64 {
        self.listening_ns
    }
}

impl Engine for Serve {
    fn compile(&self, component: &Path, artifact: &Path) -> Result<(), Failure> {
        let [component, artifact] = [component, artifact].map(|path| path.to_string_lossy().into_owned());
        let limits = Limits { wall_time_ns: isobar_core::measure::nanoseconds(COMPILING), ..Limits::default() };
        let command = self.tool.command(["compile", "-O", POOLING, &component, "-o", &artifact])?;
        let finished = run(&command, b"", &limits)?;
        match finished.status {
            Status::Exit(0) => Ok(()),
            _ => Err(Failure::rejected(last_line(&finished.stderr).trim_start_matches(": "))),
        }
    }

    fn load(&self, _: &Path) -> Result<Box<dyn Module>, Failure> {
        Err(Failure::host(format!("{} is a server: it is measured over HTTP only", self.info.id)))
    }
}
