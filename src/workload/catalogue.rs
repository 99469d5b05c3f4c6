use super::{
    FORMAT, Problem, WorkloadError,
    manifest::{self, MANIFEST, Manifest},
    sums::{Sums, run_build},
};
use crate::names::nearest;
use isobar_core::{
    Invocation,
    measure::{Expectation, sha256_hex},
};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The language that a bare name means.
const DEFAULT_LANGUAGE: &str = "rust";

/// A function that can be measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workload {
    /// `language/name`.
    pub name: String,
    /// The language that it is written in.
    pub language: String,
    /// What it does, in one line.
    pub description: String,
    /// Which work of real functions it stands for, in one line.
    pub stands_for: String,
    /// The module, a WebAssembly binary.
    pub module_path: PathBuf,
    /// The SHA-256 of the module, in lower-case hexadecimal; it was compared with `SHA256SUMS`.
    pub module_sha256: String,
    /// The size of the module, in bytes.
    pub module_bytes: u64,
    /// What an invocation gives.
    pub invocation: Invocation,
    /// What must come back.
    pub expectation: Expectation,
    /// Belongs to the quick set.
    pub quick: bool,
}

/// Every function of a folder, ordered by language and name.
#[derive(Clone, Debug)]
pub struct Catalogue {
    workloads: Vec<Workload>,
}

impl Catalogue {
    /// Reads all functions below `root` (the folder `workloads`) and checks their modules.
    ///
    /// # Errors
    /// [`WorkloadError::Broken`] with a problem for every function that cannot be used.
    pub fn load(root: &Path) -> Result<Catalogue, WorkloadError> {
        let mut problems = Vec::new();
        let folders = function_folders(root, &mut problems).map_err(|problem| WorkloadError::Broken(vec![problem]))?;
        let mut workloads = Vec::new();
        let sums = Sums::read(root).map_err(|problem| problems.push(problem)).ok();
        for folder in &folders {
            match folder.read(sums.as_ref()) {
                Ok(workload) => workloads.push(workload),
                Err(problem) => problems.push(problem),
            }
        }
        if folders.is_empty() && problems.is_empty() {
            problems.push(Problem::new(root, "holds no function", format!("see {FORMAT}")));
        }
        if problems.is_empty() { Ok(Catalogue { workloads }) } else { Err(WorkloadError::Broken(problems)) }
    }

    /// All functions, ordered by language and name.
    pub fn workloads(&self) -> &[Workload] {
        &self.workloads
    }

    /// The function of this name; a name without a language means the one in Rust.
    ///
    /// # Errors
    /// [`WorkloadError::Unknown`] with the nearest names.
    pub fn find(&self, name: &str) -> Result<&Workload, WorkloadError> {
        let full = if name.contains('/') { name.to_owned() } else { format!("{DEFAULT_LANGUAGE}/{name}") };
        self.workloads.iter().find(|workload| workload.name == full).ok_or_else(|| {
            let nearest = nearest(name, self.workloads.iter().map(|workload| workload.name.as_str()));
            WorkloadError::Unknown { name: name.to_owned(), nearest: nearest.into_iter().map(str::to_owned).collect() }
        })
    }
}

/// A folder with a manifest.
struct Folder {
    path: PathBuf,
    language: String,
    name: String,
}

impl Folder {
    fn read(&self, sums: Option<&Sums>) -> Result<Workload, Problem> {
        for part in [&self.language, &self.name] {
            check_name(part).map_err(|what| Problem::new(&self.path, what, "rename the folder"))?;
        }
        let Manifest { description, stands_for, quick, module, invocation, expectation } =
            manifest::read(&self.path, &self.name)?;
        let module_path = self.path.join(&module);
        let bytes = fs::read(&module_path).map_err(|e| missing_module(&module_path, &e))?;
        let broken = |what: String| Problem::new(&module_path, what, run_build());
        if !bytes.starts_with(b"\0asm") {
            return Err(broken("not a WebAssembly binary".to_owned()));
        }
        let module_sha256 = sha256_hex(&bytes);
        if let Some(sums) = sums {
            sums.check(&format!("{}/{}/{module}", self.language, self.name), &module_sha256).map_err(broken)?;
        }
        Ok(Workload {
            name: format!("{}/{}", self.language, self.name),
            language: self.language.clone(),
            description,
            stands_for,
            module_path,
            module_sha256,
            module_bytes: bytes.len() as u64,
            invocation,
            expectation,
            quick,
        })
    }
}

fn missing_module(path: &Path, error: &io::Error) -> Problem {
    let what = match error.kind() {
        io::ErrorKind::NotFound => "the module is not built".to_owned(),
        _ => format!("cannot be read: {error}"),
    };
    Problem::new(path, what, run_build())
}

/// The folders with a manifest, two levels below `root`; one at a wrong place is a problem.
fn function_folders(root: &Path, problems: &mut Vec<Problem>) -> Result<Vec<Folder>, Problem> {
    let mut folders = Vec::new();
    for (language, language_path) in sub_folders(root)? {
        let misplaced = language_path.join(MANIFEST);
        if misplaced.exists() {
            let remedy = "a function lies two levels deep, in <language>/<name>: move its folder";
            problems.push(Problem::new(misplaced, "is in the folder of a language", remedy));
        }
        for (name, path) in sub_folders(&language_path)? {
            if path.join(MANIFEST).exists() {
                folders.push(Folder { path, language: language.clone(), name });
            }
        }
    }
    Ok(folders)
}

/// The names and paths of the folders in a folder, ordered by name.
fn sub_folders(path: &Path) -> Result<Vec<(String, PathBuf)>, Problem> {
    let unreadable = |e| Problem::new(path, format!("cannot be read: {e}"), "it must be a readable folder");
    let mut found = Vec::new();
    for entry in fs::read_dir(path).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if entry.path().is_dir() {
            found.push((entry.file_name().to_string_lossy().into_owned(), entry.path()));
        }
    }
    found.sort();
    Ok(found)
}

/// Names become parts of filters, file names and command lines.
fn check_name(name: &str) -> Result<(), String> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let fits = name.bytes().all(|b| plain(b) || b == b'-' || b == b'_') && name.bytes().next().is_some_and(plain);
    if fits {
        return Ok(());
    }
    Err(format!("{name:?} is no name: lower-case letters, digits, `-` and `_`, a letter or digit first"))
}
