use crate::record::{Artifact, Cell};
use crate::remote::RemoteRuntime;
use crate::workload::Workload;
use isobar_core::measure::nanoseconds;
use isobar_core::runtime::Execution;
use isobar_core::{Failure, Runtime};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What there is to load for a runtime and a function, and what it took to make it.
pub(super) struct Prepared {
    pub(super) path: PathBuf,
    pub(super) artifact: Option<Artifact>,
}

/// The artifacts of a run, each made once, when a cell first asks for it.
pub(super) struct Artifacts {
    folder: PathBuf,
    made: HashMap<(String, String), Result<Prepared, Failure>>,
}

impl Artifacts {
    pub(super) fn new(folder: &Path) -> Self {
        Artifacts { folder: folder.join("artifacts"), made: HashMap::new() }
    }

    /// The artifact of a cell: compiled ahead of time in a runner process of its own, or the module itself.
    pub(super) fn of(
        &mut self,
        cell: &Cell,
        runtime: &RemoteRuntime,
        workload: &Workload,
    ) -> &Result<Prepared, Failure> {
        let key = (cell.runtime.to_string(), cell.function.clone());
        let folder = &self.folder;
        self.made.entry(key).or_insert_with(|| {
            if runtime.info().execution != Execution::Aot {
                return Ok(Prepared { path: workload.module_path.clone(), artifact: None });
            }
            let name = format!("{}-{}", cell.runtime, cell.function).replace('/', "-");
            compile(runtime, &workload.module_path, &folder.join(name))
        })
    }
}

fn compile(runtime: &RemoteRuntime, module: &Path, path: &Path) -> Result<Prepared, Failure> {
    let engine = runtime.engine()?;
    let start = Instant::now();
    engine.compile(module, path)?;
    let compile_ns = nanoseconds(start.elapsed());
    let metadata = std::fs::metadata(path).map_err(|e| Failure::host(format!("{}: {e}", path.display())))?;
    Ok(Prepared { path: path.to_owned(), artifact: Some(Artifact { compile_ns, bytes: metadata.len() }) })
}
