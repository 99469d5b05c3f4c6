use crate::record::{Artifact, Cell, Loaded, Record};
use crate::remote::RemoteRuntime;
use crate::workload::Workload;
use isobar_core::measure::{nanoseconds, sha256_hex};
use isobar_core::runtime::Execution;
use isobar_core::{Failure, Form, Runtime};
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
    /// Those in `folder`, as far as they were made before these records were.
    pub(super) fn new(folder: PathBuf, records: &[Record]) -> Self {
        let mut made = HashMap::new();
        for Record { cell, artifact, .. } in records {
            let Some(artifact) = *artifact else { continue };
            let path = path_of(&folder, cell);
            // What a later power cut took away is made again.
            if std::fs::metadata(&path).is_ok_and(|metadata| metadata.len() == artifact.bytes) {
                made.insert(key_of(cell), Ok(Prepared { path, artifact: Some(artifact) }));
            }
        }
        Artifacts { folder, made }
    }

    /// Where isobar's platform keeps what it compiles itself.
    pub(super) fn of_platform(&self) -> PathBuf {
        self.folder.join("platform")
    }

    /// The artifact of a cell: compiled ahead of time in a runner process of its own, or the file of the form that the
    /// runtime loads.
    pub(super) fn of(
        &mut self,
        cell: &Cell,
        runtime: &RemoteRuntime,
        workload: &Workload,
    ) -> &Result<Prepared, Failure> {
        let folder = &self.folder;
        self.made.entry(key_of(cell)).or_insert_with(|| {
            let info = runtime.info();
            let path = workload.form(info.form).map_err(|e| Failure::host(e.to_string()))?;
            // A script is bundled when it is deployed, as a module is compiled; the platform compiles for itself.
            let deployed = info.execution == Execution::Aot || info.form == Form::Javascript;
            if !deployed || runtime.served().is_some() {
                return Ok(Prepared { path, artifact: None });
            }
            compile(runtime, &path, &path_of(folder, cell))
        })
    }
}

/// What runtimes of a form load of a function.
///
/// # Errors
/// There is nothing, or it cannot be read: why, in one line.
pub fn loaded(workload: &Workload, form: Form) -> Result<Loaded, String> {
    let path = workload.form(form).map_err(|e| e.reason())?;
    let bytes = std::fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(Loaded { sha256: sha256_hex(&bytes), bytes: bytes.len() as u64 })
}

fn key_of(cell: &Cell) -> (String, String) {
    (cell.runtime.to_string(), cell.function.clone())
}

fn path_of(folder: &Path, cell: &Cell) -> PathBuf {
    folder.join(format!("{}-{}", cell.runtime, cell.function).replace('/', "-"))
}

fn compile(runtime: &RemoteRuntime, module: &Path, path: &Path) -> Result<Prepared, Failure> {
    let engine = runtime.engine()?;
    let start = Instant::now();
    engine.compile(module, path)?;
    let compile_ns = nanoseconds(start.elapsed());
    let metadata = std::fs::metadata(path).map_err(|e| Failure::host(format!("{}: {e}", path.display())))?;
    Ok(Prepared { path: path.to_owned(), artifact: Some(Artifact { compile_ns, bytes: metadata.len() }) })
}
