//! Where functions come from, and how a change is noticed.

use super::ServeError;
use super::capability::Grants;
use super::function::{EnvNames, Function, FunctionLimits, Spec};
use super::manifest::{FUNCTIONS_MANIFEST, plain_text, read_list, read_one};
use super::platform::Table;
use crate::workload::{Catalogue, Workload};
use actix_web::http::header::HeaderValue;
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Which languages win when several have a function of one name; the others follow by name.
const LANGUAGES: [&str; 2] = ["rust", "assemblyscript"];

/// What workloads answer with exit code 2: they refuse their input.
const REFUSED: (i32, u16) = (2, 400);

/// How deep modules may lie in a folder of functions.
const DEPTH: usize = 2;

/// Where functions come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The functions that are measured, in the folder `workloads`.
    Workloads(PathBuf),
    /// A folder of modules, each with its manifest beside it.
    Folder(PathBuf),
    /// A manifest that lists functions.
    Manifest(PathBuf),
}

/// The state of all files of a source: another stamp means that something has changed.
pub(super) type Stamp = Vec<(PathBuf, u64, i128, u64)>;

impl Source {
    /// What a path that a person gives means.
    pub fn at(path: &Path) -> Source {
        let list = path.join(FUNCTIONS_MANIFEST);
        match path.is_dir() {
            true if list.is_file() => Source::Manifest(list),
            true => Source::Folder(path.to_owned()),
            false => Source::Manifest(path.to_owned()),
        }
    }

    /// Reads what every function declares.
    ///
    /// # Errors
    /// The first manifest that is broken.
    pub fn read(&self) -> Result<Vec<Spec>, ServeError> {
        match self {
            Source::Workloads(root) => Ok(Catalogue::load(root)?.workloads().iter().map(of_workload).collect()),
            Source::Manifest(path) => read_list(path),
            Source::Folder(root) => {
                let mut specs: Vec<Spec> = Vec::new();
                for file in files(root, DEPTH) {
                    let is_module = file.extension().is_some_and(|e| e == "wasm" || e == "wat");
                    if let Some(name) = is_module.then(|| name_below(root, &file)).flatten() {
                        specs.push(read_one(name, file)?);
                    }
                }
                Ok(specs)
            }
        }
    }

    pub(super) fn table(&self, by_name: BTreeMap<String, Arc<Function>>) -> Table {
        match self {
            Source::Workloads(_) => Table::new(by_name, &LANGUAGES),
            _ => Table::exact(by_name),
        }
    }

    pub(super) fn stamp(&self) -> Stamp {
        let files = match self {
            Source::Workloads(root) => files(root, DEPTH),
            Source::Folder(root) => files(root, DEPTH),
            Source::Manifest(path) => {
                let modules = read_list(path).unwrap_or_default().into_iter().map(|spec| spec.module);
                std::iter::once(path.clone()).chain(modules).collect()
            }
        };
        let state = |file: PathBuf| {
            let metadata = file.metadata().ok()?;
            let modified_ns = i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec());
            Some((file, metadata.len(), modified_ns, metadata.ino()))
        };
        files.into_iter().filter_map(state).collect()
    }
}

/// The manifests, sums and modules below a folder, ordered by path.
fn files(root: &Path, depth: usize) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = std::fs::read_dir(root) else { return found };
    for entry in entries.flatten() {
        let path = entry.path();
        // What a link leads to counts, as for whoever made it.
        if path.is_dir() {
            if depth > 0 {
                found.extend(files(&path, depth - 1));
            }
        } else if path.extension().is_some_and(|e| e == "wasm" || e == "wat" || e == "toml")
            || path.file_name().is_some_and(|name| name == crate::workload::SUMS)
        {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn name_below(root: &Path, module: &Path) -> Option<String> {
    let name = module.with_extension("");
    Some(name.strip_prefix(root).ok()?.to_str()?.to_owned())
}

/// The committed functions are ours and trusted: they have clocks and randomness, as when they are measured, unless their
/// manifest says that they need none.
fn of_workload(workload: &Workload) -> Spec {
    let (invocation, serving) = (&workload.invocation, &workload.serving);
    let given = invocation.env.iter().map(|(name, _)| name.clone());
    let declared = workload.family.iter().flat_map(|family| family.variables.iter().map(|(name, _)| name.clone()));
    let declared_type = serving.content_type.as_deref();
    let reads = !invocation.stdin.is_empty() || workload.cases().any(|(_, given, _)| !given.stdin.is_empty());
    Spec {
        name: workload.name.clone(),
        description: workload.description.clone(),
        module: workload.module_path.clone(),
        env: EnvNames::Named(given.chain(declared).chain(serving.example.keys().cloned()).collect()),
        set: BTreeMap::new(),
        args: invocation.args.clone(),
        stdin: reads,
        grants: Grants {
            clock: serving.clock.unwrap_or(Grants::ALL.clock),
            random: serving.random.unwrap_or(Grants::ALL.random),
        },
        cgi: serving.cgi.unwrap_or_default(),
        // The catalogue has refused what cannot be one.
        content_type: declared_type.and_then(|text| HeaderValue::from_str(text).ok()).unwrap_or_else(plain_text),
        exit_status: BTreeMap::from([REFUSED]),
        limits: FunctionLimits::default(),
        example: invocation.env.iter().cloned().chain(serving.example.clone()).collect(),
    }
}
