//! The one place that knows which runtimes there are: the families, and where their runner programs are found.

use crate::record::Absent;
use crate::remote::{Program, RemoteRuntime, behind_platform};
use isobar_core::Runtime;
use isobar_core::runner::NotHere;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// The environment variable that names a folder of manifests of further runners.
pub const RUNNERS_VARIABLE: &str = "ISOBAR_RUNNERS";

/// The environment variable that names the folder where the runner programs are, when they are not beside isobar.
pub const RUNNER_DIR_VARIABLE: &str = "ISOBAR_RUNNER_DIR";

/// A family of runtimes: what one runner program offers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Family {
    /// Its name, the first part of its runtimes' names.
    pub family: String,
    /// The runner program: a name that is looked up, or a path (relative to the manifest).
    pub program: String,
    /// The program's arguments.
    #[serde(default)]
    pub args: Vec<String>,
    /// What to do when the program is not there.
    pub remedy: String,
}

/// The families that come with isobar.
const BUILT_IN: &[(&str, &str, &str)] = &[
    ("wasmtime", "isobar-runner-wasmtime", "cargo build --release --workspace"),
    ("wasmer", "isobar-runner-wasmer", "cargo build --release --manifest-path runtimes/wasmer/Cargo.toml"),
    ("wasmer-llvm", "isobar-runner-wasmer-llvm", "scripts/setup --llvm"),
    ("wasmedge", "isobar-runner-wasmedge", "scripts/setup"),
    ("wasm3", "isobar-runner-wasm3", "cargo build --release --workspace"),
    ("wasmi", "isobar-runner-wasmi", "cargo build --release --workspace"),
    ("native", "isobar-runner-process", "cargo build --release --workspace"),
];

/// The runner in JavaScript, below isobar's own folder.
const NODE_RUNNER: &str = "runtimes/node/runner.mjs";

/// V8's own WebAssembly and isolates, in Node.js.
fn node(root: Option<&Path>) -> Family {
    let runner = own_folder(root).map_or_else(|| PathBuf::from(NODE_RUNNER), |root| root.join(NODE_RUNNER));
    let args = ["--no-warnings", "--expose-gc", "--no-node-snapshot", &runner.to_string_lossy()].map(str::to_owned);
    Family {
        family: "node".to_owned(),
        program: "node".to_owned(),
        args: args.into(),
        remedy: "apt-get install nodejs, then scripts/setup --baselines".to_owned(),
    }
}

/// isobar's own folder: the one that was named, or the nearest one with that runner above the current folder or above
/// isobar itself.
fn own_folder(named: Option<&Path>) -> Option<PathBuf> {
    let here = std::env::current_dir().unwrap_or_default();
    let exe = std::env::current_exe().unwrap_or_default();
    let candidates = named.into_iter().chain(here.ancestors()).chain(exe.ancestors());
    candidates.filter(|folder| folder.join(NODE_RUNNER).is_file()).find_map(|folder| folder.canonicalize().ok())
}

/// What is on this machine.
#[derive(Default)]
pub struct Registry {
    /// Every runtime of every runner that answers.
    pub runtimes: Vec<RemoteRuntime>,
    /// The families whose runner is missing or does not work.
    pub absent: Vec<Absent>,
    /// The folder with the manifests of further runners.
    runners: Option<PathBuf>,
}

/// The program of the platform, as a family that may be absent.
const PLATFORM: (&str, &str) = ("isobar-platform", "cargo build --release --workspace");

/// A manifest of a further runner that is broken.
#[derive(Debug, thiserror::Error)]
#[error("{}: {message}", path.display())]
pub struct ManifestError {
    path: PathBuf,
    message: String,
}

impl Registry {
    /// Looks for every family's runner and asks it what it offers. `manifests` names a folder with a `*.toml` for each
    /// further runner.
    ///
    /// # Errors
    /// Only for a broken manifest: a runner that is missing or does not work is listed as absent.
    pub fn discover(manifests: Option<&Path>) -> Result<Registry, ManifestError> {
        Registry::discover_below(None, manifests)
    }

    /// The same, isobar's own folder being this one: runners that are no executables lie in it.
    ///
    /// # Errors
    /// As [`Registry::discover`].
    pub fn discover_below(root: Option<&Path>, manifests: Option<&Path>) -> Result<Registry, ManifestError> {
        let mut registry = Registry { runners: manifests.map(Path::to_owned), ..Registry::default() };
        let built_in = BUILT_IN.iter().map(|&(family, program, remedy)| Family {
            family: family.to_owned(),
            program: program.to_owned(),
            args: Vec::new(),
            remedy: remedy.to_owned(),
        });
        let families = built_in.into_iter().chain([node(root)]);
        let families = families.chain(manifests.map(read_manifests).transpose()?.unwrap_or_default());
        // Starting a runner takes from 1 to 50 ms, most of it waiting for the disk: all at once.
        let answers: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = families.map(|family| scope.spawn(|| ask(family))).collect();
            threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
        });
        for answer in answers {
            match answer {
                Ok((runtimes, absent)) => {
                    registry.runtimes.extend(runtimes);
                    let absent = absent.into_iter().map(|a| Absent { family: a.runtime, reason: a.reason });
                    registry.absent.extend(absent);
                }
                Err(absent) => registry.absent.push(absent),
            }
        }
        Ok(registry)
    }

    /// Adds each runtime behind isobar's own platform, once for each strategy. Without the platform's program there is one
    /// family more that is absent.
    pub fn with_platform(mut self) -> Registry {
        let (program, remedy) = PLATFORM;
        match find_program(program) {
            Some(path) => {
                let runners = self.runners.as_ref().and_then(|runners| std::path::absolute(runners).ok());
                self.runtimes.extend(behind_platform(&self.runtimes, &path, runners.as_deref()));
            }
            None => {
                let reason = format!("{program} was not found; {remedy}");
                self.absent.push(Absent { family: program.to_owned(), reason });
            }
        }
        self
    }

    /// The runtime with this name, or a line with the nearest names.
    pub fn find(&self, name: &str) -> Result<&RemoteRuntime, String> {
        let known = |runtime: &&RemoteRuntime| runtime.info().id.as_str() == name;
        self.runtimes.iter().find(known).ok_or_else(|| {
            // `wasmer/llvm-aot` is of the family `wasmer-llvm`.
            let dashed = name.replace('/', "-");
            let of_family = self.absent.iter().filter(|absent| dashed.starts_with(&absent.family.replace('/', "-")));
            match of_family.max_by_key(|absent| absent.family.len()) {
                Some(absent) => format!("the runtime {name} is not here: {}", absent.reason),
                None => {
                    let known = self.runtimes.iter().map(|runtime| runtime.info().id.as_str());
                    let near = crate::names::did_you_mean(name, known);
                    format!("there is no runtime {name}{near}; `isobar list` shows them all")
                }
            }
        })
    }
}

fn ask(family: Family) -> Result<(Vec<RemoteRuntime>, Vec<NotHere>), Absent> {
    let Family { family, program, args, remedy } = family;
    let absent = |reason| Absent { family, reason };
    match find_program(&program) {
        None => Err(absent(format!("{program} was not found; {remedy}"))),
        Some(path) => RemoteRuntime::discover(Program { path, args, launcher: Vec::new(), cpus: Vec::new() })
            .map_err(|failure| absent(format!("{program} does not work: {failure}; {remedy}"))),
    }
}

/// Where a runner program is: in the folder that the environment names, beside isobar, or on the PATH.
fn find_program(program: &str) -> Option<PathBuf> {
    if program.contains('/') {
        return Some(PathBuf::from(program)).filter(|path| path.is_file());
    }
    let named = std::env::var_os(RUNNER_DIR_VARIABLE).map(PathBuf::from);
    let exe = std::env::current_exe().ok();
    let beside = exe.iter().flat_map(|exe| exe.ancestors().skip(1).take(2)).map(Path::to_owned);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let candidates = named.into_iter().chain(beside).chain(std::env::split_paths(&path));
    candidates.map(|folder| folder.join(program)).find(|path| path.is_file())
}

fn read_manifests(folder: &Path) -> Result<Vec<Family>, ManifestError> {
    let io = |e: std::io::Error| ManifestError { path: folder.to_owned(), message: e.to_string() };
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).map_err(io)?.map(|e| e.map(|e| e.path())).collect::<Result<_, _>>().map_err(io)?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    paths.iter().map(|path| read_manifest(path)).collect()
}

fn read_manifest(path: &Path) -> Result<Family, ManifestError> {
    let broken = |message: String| ManifestError { path: path.to_owned(), message };
    let text = std::fs::read_to_string(path).map_err(|e| broken(e.to_string()))?;
    let mut family: Family = toml::from_str(&text).map_err(|e| {
        let line = e.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
        broken(format!("line {line}: {}", e.message()))
    })?;
    if family.program.contains('/') {
        let folder = path.parent().unwrap_or(Path::new("."));
        family.program = folder.join(&family.program).to_string_lossy().into_owned();
    }
    Ok(family)
}

/// The adapters that are linked into this library, for tests, benches and embedders.
pub fn in_process() -> Vec<Box<dyn Runtime>> {
    let mut runtimes: Vec<Box<dyn Runtime>> = Vec::new();
    #[cfg(feature = "wasmtime")]
    runtimes.extend(isobar_wasmtime::runtimes());
    #[cfg(feature = "wasm3")]
    runtimes.extend(isobar_wasm3::runtimes());
    #[cfg(feature = "wasmi")]
    runtimes.extend(isobar_wasmi::runtimes());
    runtimes
}
