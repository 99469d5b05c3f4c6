use super::{
    Case, FORMAT, Family, Problem, Work, WorkloadError,
    function::{Function, Functions, Target},
    sums::{Sums, run_build},
};
use crate::names::nearest;
use isobar_core::{
    Invocation,
    measure::{Expectation, sha256_hex},
};
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

/// The language that a bare name means.
const DEFAULT_LANGUAGE: &str = "rust";

/// A function that can be measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workload {
    /// `language/name`, or `language/name+variant`.
    pub name: String,
    /// The language that it is written in: the folder's name.
    pub language: String,
    /// The language's name for people.
    pub language_title: String,
    /// How the module differs from the one that the toolchain gives by itself (`mvp`, `wizer`).
    pub variant: Option<String>,
    /// What it does, in one line.
    pub description: String,
    /// Which work of real functions it stands for, in one line.
    pub stands_for: String,
    /// What is particular to this function, in one line.
    pub note: Option<String>,
    /// The module, a WebAssembly binary.
    pub module_path: PathBuf,
    /// The SHA-256 of the module, in lower-case hexadecimal; it was compared with `SHA256SUMS`.
    pub module_sha256: String,
    /// The size of the module, in bytes.
    pub module_bytes: u64,
    /// What an invocation gives, in the size `default`.
    pub invocation: Invocation,
    /// What must come back, in the size `default`.
    pub expectation: Expectation,
    /// The module is kept in the repository, not only built on demand.
    pub committed: bool,
    /// Belongs to the quick set.
    pub quick: bool,
    /// Belongs to the set that is measured when nothing else is said.
    pub default: bool,
    /// What it does in every language, where it is of a family.
    pub family: Option<Arc<Family>>,
    sizes: BTreeMap<String, Work>,
    instead: BTreeMap<String, String>,
    own_cases: Vec<Case>,
    skip: BTreeMap<String, String>,
    first_args: Vec<String>,
}

impl Workload {
    /// The names of its sizes, ordered by name; `default` is always among them.
    pub fn sizes(&self) -> impl Iterator<Item = &str> {
        self.sizes.keys().map(String::as_str)
    }

    /// What an invocation of this size gives, and what must come back; large inputs are made here.
    pub fn size(&self, name: &str) -> Option<(Invocation, Expectation)> {
        let work = self.sizes.get(name)?;
        Some((work.invocation(&self.first_args), work.expectation.clone()))
    }

    /// Why a size is not the family's.
    pub fn size_note(&self, name: &str) -> Option<&str> {
        self.instead.get(name).map(String::as_str)
    }

    /// The test cases of the family and its own, what each gives to this function, and why it is not asked of it, if it is
    /// not.
    pub fn cases(&self) -> impl Iterator<Item = (&Case, Invocation, Option<&str>)> {
        let cases = self.family.iter().flat_map(|family| &family.cases).chain(&self.own_cases);
        cases.map(|case| (case, case.invocation(&self.first_args), self.skip.get(&case.name).map(String::as_str)))
    }
}

/// A module that is not here, though its source is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unbuilt {
    /// The name that the function would have.
    pub name: String,
    /// Why it is not here, and what to do.
    pub reason: String,
}

/// Every function of a folder, ordered by language and name.
#[derive(Clone, Debug)]
pub struct Catalogue {
    workloads: Vec<Workload>,
    unbuilt: Vec<Unbuilt>,
}

impl Catalogue {
    /// Reads all functions below `root` (the folder `workloads`) and checks their modules.
    ///
    /// # Errors
    /// [`WorkloadError::Broken`] with a problem for every function that cannot be used.
    pub fn load(root: &Path) -> Result<Catalogue, WorkloadError> {
        let mut all = Functions::read(root).map_err(|problem| WorkloadError::Broken(vec![problem]))?;
        let mut problems = std::mem::take(&mut all.problems);
        let mut catalogue = Catalogue { workloads: Vec::new(), unbuilt: Vec::new() };
        let sums = Sums::read(root).map_err(|problem| problems.push(problem)).ok();
        for function in &all.functions {
            match all.targets(function) {
                Err(problem) => problems.push(problem),
                Ok(targets) => {
                    for target in targets {
                        catalogue.add(root, function, target, sums.as_ref()).unwrap_or_else(|e| problems.push(e));
                    }
                }
            }
        }
        if all.functions.is_empty() && problems.is_empty() {
            problems.push(Problem::new(root, "holds no function", format!("see {FORMAT}")));
        }
        if problems.is_empty() { Ok(catalogue) } else { Err(WorkloadError::Broken(problems)) }
    }

    /// All functions, ordered by language and name.
    pub fn workloads(&self) -> &[Workload] {
        &self.workloads
    }

    /// The functions whose modules are not here: never built, or too large to be kept in the repository.
    pub fn unbuilt(&self) -> &[Unbuilt] {
        &self.unbuilt
    }

    /// The function of this name; a name without a language means the one in Rust.
    ///
    /// # Errors
    /// [`WorkloadError::Unbuilt`], or [`WorkloadError::Unknown`] with the nearest names.
    pub fn find(&self, name: &str) -> Result<&Workload, WorkloadError> {
        let full = if name.contains('/') { name.to_owned() } else { format!("{DEFAULT_LANGUAGE}/{name}") };
        if let Some(unbuilt) = self.unbuilt.iter().find(|unbuilt| unbuilt.name == full) {
            return Err(WorkloadError::Unbuilt(unbuilt.clone()));
        }
        self.workloads.iter().find(|workload| workload.name == full).ok_or_else(|| {
            let nearest = nearest(&full, self.workloads.iter().map(|workload| workload.name.as_str()));
            WorkloadError::Unknown { name: name.to_owned(), nearest: nearest.into_iter().map(str::to_owned).collect() }
        })
    }

    fn add(&mut self, root: &Path, function: &Function, target: Target, sums: Option<&Sums>) -> Result<(), Problem> {
        let module_path = root.join(&target.module);
        let pinned = sums.is_some_and(|sums| sums.sha256(&target.module).is_some());
        let bytes = match fs::read(&module_path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound && !(pinned && target.committed()) => {
                let reason = format!("its module is not here; run isobar build {}", target.name);
                self.unbuilt.push(Unbuilt { name: target.name, reason });
                return Ok(());
            }
            read => read.map_err(|e| missing_module(&module_path, &e))?,
        };
        let broken = |what: String| Problem::new(&module_path, what, run_build());
        if !bytes.starts_with(b"\0asm") {
            return Err(broken("not a WebAssembly binary".to_owned()));
        }
        let module_sha256 = sha256_hex(&bytes);
        match sums.map_or(Ok(()), |sums| sums.check(&target.module, &module_sha256)) {
            // What is built on demand may be older than its source.
            Err(what) if !target.committed() => {
                let reason = format!("{what}; run isobar build {}", target.name);
                self.unbuilt.push(Unbuilt { name: target.name, reason });
                return Ok(());
            }
            checked => checked.map_err(broken)?,
        }
        self.workloads.push(workload(function, target, module_path.clone(), module_sha256, bytes.len() as u64)?);
        Ok(())
    }
}

fn workload(
    function: &Function,
    target: Target,
    module_path: PathBuf,
    module_sha256: String,
    module_bytes: u64,
) -> Result<Workload, Problem> {
    let manifest = function.manifest.clone();
    let committed = target.committed();
    let first_args = function.first_args()?;
    let default = &manifest.sizes["default"];
    Ok(Workload {
        name: target.name,
        language: function.language.name.clone(),
        language_title: function.language.title.clone(),
        variant: target.variant,
        description: manifest.description,
        stands_for: manifest.stands_for,
        note: manifest.note,
        module_path,
        module_sha256,
        module_bytes,
        invocation: default.invocation(&first_args),
        expectation: default.expectation.clone(),
        committed,
        quick: manifest.quick,
        default: manifest.default,
        family: manifest.family,
        sizes: manifest.sizes,
        instead: manifest.instead,
        own_cases: manifest.cases,
        skip: manifest.skip,
        first_args,
    })
}

fn missing_module(path: &Path, error: &io::Error) -> Problem {
    let what = match error.kind() {
        io::ErrorKind::NotFound => "the module is not built".to_owned(),
        _ => format!("cannot be read: {error}"),
    };
    Problem::new(path, what, run_build())
}
