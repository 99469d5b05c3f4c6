//! The runtime under test, with its engine and what it has loaded.

use crate::Boundary;
use crate::cases::{Problem, Verdict};
use crate::guest::{ask, make_probe};
use crate::process::Process;
use isobar_core::{Engine, Execution, Failure, Invocation, Module, Outcome, Runtime, RuntimeInfo};
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

/// The runtime under test. Its engine is started once, and again when its runner is dead.
pub(crate) struct Subject {
    runtime: Arc<dyn Runtime>,
    boundary: Boundary,
    folder: TempDir,
    started: RefCell<Option<Started>>,
}

#[derive(Clone)]
struct Started {
    probe: Arc<dyn Module>,
    engine: Arc<dyn Engine>,
    process: Process,
}

impl Subject {
    pub(crate) fn new(runtime: Arc<dyn Runtime>, boundary: Boundary) -> std::io::Result<Self> {
        Ok(Subject { runtime, boundary, folder: tempfile::tempdir()?, started: RefCell::new(None) })
    }

    pub(crate) fn info(&self) -> &RuntimeInfo {
        self.runtime.info()
    }

    /// Whether the engine is used through WebAssembly's JavaScript API, which tells less than engines do.
    pub(crate) fn has_javascript_api(&self) -> bool {
        self.info().settings.contains_key("JavaScript API")
    }

    pub(crate) fn boundary(&self) -> Boundary {
        self.boundary
    }

    /// A file in a folder that goes with the subject.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, Failure> {
        let path = self.path(name);
        std::fs::write(&path, bytes).map_err(|e| Failure::host(format!("cannot write {}: {e}", path.display())))?;
        Ok(path)
    }

    pub(crate) fn engine(&self) -> Result<Arc<dyn Engine>, Failure> {
        Ok(self.started()?.engine)
    }

    /// The probe, loaded.
    pub(crate) fn probe(&self) -> Result<Arc<dyn Module>, Failure> {
        Ok(self.started()?.probe)
    }

    /// The process that functions run in.
    pub(crate) fn process(&self) -> Result<Process, Failure> {
        Ok(self.started()?.process)
    }

    fn started(&self) -> Result<Started, Failure> {
        let mut slot = self.started.borrow_mut();
        match &*slot {
            Some(started) => Ok(started.clone()),
            None => Ok(slot.insert(self.start()?).clone()),
        }
    }

    fn start(&self) -> Result<Started, Failure> {
        let engine = self.runtime.engine()?;
        let process = Process(engine.process_id());
        let (wasm, artifact) = (self.path("probe.wasm"), self.path("probe.artifact"));
        if !artifact.exists() {
            make_probe(self.info(), &*engine, &wasm, &artifact)?;
        }
        Ok(Started { probe: engine.load(&artifact)?.into(), engine: engine.into(), process })
    }

    /// Asks the probe.
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        self.probe()?.instantiate(invocation)?.execute()
    }

    /// Asks the probe, which must exit with 0 and say nothing on standard error; its standard output.
    pub(crate) fn stdout(&self, invocation: &Invocation) -> Result<Vec<u8>, Problem> {
        let Outcome { exit_code, stdout, stderr } = self.run(invocation)?;
        if exit_code != 0 || !stderr.is_empty() {
            let stderr = String::from_utf8_lossy(&stderr);
            return Err(Problem::Wrong(format!("exit code {exit_code}, standard error {stderr:?}")));
        }
        Ok(stdout)
    }

    /// Brings a module from its bytes to its end, in whichever phase it fails.
    pub(crate) fn try_module(&self, bytes: &[u8], invocation: &Invocation) -> Result<Outcome, Failure> {
        let path = self.write("module", bytes)?;
        let engine = self.engine()?;
        let path = if self.info().execution == Execution::Aot { compiled(&*engine, &path)? } else { path };
        engine.load(&path)?.instantiate(invocation)?.execute()
    }

    /// Gives up the engine: the next invocation starts another.
    pub(crate) fn restart(&self) {
        *self.started.borrow_mut() = None;
    }

    /// After a failure: functions run as before. Where it took the process with it, in a new one.
    pub(crate) fn goes_on(&self, process_may_be_gone: bool) -> Verdict {
        let answers = || self.run(&ask(&["exit", "5"])).map(|outcome| outcome.exit_code);
        let mut answer = answers();
        if answer.is_err() && process_may_be_gone && self.boundary == Boundary::Runner {
            self.restart();
            answer = answers();
        }
        match answer {
            Ok(5) => Ok(()),
            other => Err(Problem::Wrong(format!("the next invocation gives {other:?} instead of exit code 5"))),
        }
    }
}

fn compiled(engine: &dyn Engine, wasm: &Path) -> Result<PathBuf, Failure> {
    let artifact = wasm.with_extension("artifact");
    engine.compile(wasm, &artifact)?;
    Ok(artifact)
}
