//! Building the modules: what is stale, in parallel, reproducibly.

mod inputs;
mod ledger;
mod native;
mod session;
mod steps;
mod synthetic;

pub use ledger::LEDGER;
use native::folder as store_of;
pub(super) use native::{State as InsteadState, Store as InsteadStore};
pub(super) use steps::after_new;

use super::{
    Problem, WorkloadError, check_filters,
    function::{Function, Functions, Product, Target},
    manifest::MANIFEST,
    toolchain::{self, Toolchain},
};
use isobar_core::{inspect::needed_proposals, measure::sha256_hex};
use ledger::{Entry, Ledger, write};
use session::Session;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// A larger module is not committed.
const LARGEST_COMMITTED_BYTES: u64 = 5_000_000;
/// What all committed modules may weigh together.
const ALL_COMMITTED_BYTES: u64 = 15_000_000;

/// What to build, and how.
#[derive(Clone, Debug, Default)]
pub struct BuildOptions {
    /// Globs over the names of functions and modules; none of them means all.
    pub filters: Vec<String>,
    /// Build what is not stale, too.
    pub force: bool,
    /// Build all anew elsewhere, compare, and change nothing.
    pub check: bool,
    /// How many modules are built at a time; 0 means as many as there are cores.
    pub jobs: usize,
}

/// What became of one module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Built {
    /// It was built; whether its bytes are others than before.
    Done {
        /// Its size, in bytes.
        bytes: u64,
        /// Its bytes are not those that were recorded.
        changed: bool,
        /// Why a compiler gives other bytes in another folder, if it does.
        varies: Option<String>,
    },
    /// It has to be built, and this toolchain is not here.
    Lacks(String),
    /// A step failed, or gave what is not accepted. One line.
    Failed(String),
}

/// What became of all modules that were to be built.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BuildReport {
    /// Modules that are what their sources say.
    pub current: usize,
    /// The others, by name.
    pub built: Vec<(String, Built)>,
    /// The toolchains that are not here: name, and why and what to do.
    pub missing: BTreeMap<String, String>,
    /// Manifests that cannot be used, and modules that weigh too much.
    pub problems: Vec<Problem>,
}

/// Everything that is known about the functions of a folder before one of them is built.
pub struct Builder {
    root: PathBuf,
    workloads: PathBuf,
    /// What the results' paths are below, and what is known of them.
    store: PathBuf,
    functions: Functions,
    /// The modules of each function, or their executables and libraries, or their components.
    targets: Vec<(Function, Vec<Target>)>,
    toolchains: BTreeMap<String, Toolchain>,
    problems: Vec<Problem>,
}

/// A module that was built and accepted.
struct Accepted<'a> {
    target: &'a Target,
    entry: Entry,
    sha256: String,
    bytes: Vec<u8>,
    varies: Option<String>,
}

impl Accepted<'_> {
    fn built(&self, ledger: &Ledger) -> Built {
        let changed = ledger.sums.sha256(&self.target.module) != Some(&self.sha256);
        Built::Done { bytes: self.entry.bytes, changed, varies: self.varies.clone().filter(|_| changed) }
    }
}

impl Builder {
    /// Reads the functions below `root`, isobar's own folder.
    ///
    /// # Errors
    /// A file that all functions need cannot be read; what is wrong with single functions is reported by
    /// [`Builder::build`].
    pub fn new(root: &Path) -> Result<Builder, WorkloadError> {
        Self::of(root, Product::Module)
    }

    /// The same for executables and libraries of this machine, of the functions that have such builds.
    ///
    /// # Errors
    /// As [`Builder::new`].
    pub fn native(root: &Path) -> Result<Builder, WorkloadError> {
        Self::of(root, Product::Native)
    }

    /// The same for components, of the functions that have them.
    ///
    /// # Errors
    /// As [`Builder::new`].
    pub fn component(root: &Path) -> Result<Builder, WorkloadError> {
        Self::of(root, Product::Component)
    }

    fn of(root: &Path, product: Product) -> Result<Builder, WorkloadError> {
        let broken = |problem| WorkloadError::Broken(vec![problem]);
        let absolute = |e| Problem::new(root, format!("cannot be found: {e}"), "name isobar's own folder");
        let root = fs::canonicalize(root).map_err(absolute).map_err(broken)?;
        let workloads = root.join("workloads");
        let mut functions = Functions::read(&workloads).map_err(broken)?;
        let toolchains = toolchain::read(&workloads).map_err(broken)?;
        let mut problems = std::mem::take(&mut functions.problems);
        let mut targets = Vec::new();
        for function in &functions.functions {
            let wanted = match product {
                Product::Module => functions.targets(function),
                Product::Native => {
                    let both = [Product::Native, Product::Library];
                    Ok(both.into_iter().filter_map(|product| function.instead(product)).collect())
                }
                _ => Ok(function.instead(product).into_iter().collect()),
            };
            match wanted.and_then(|found| check_toolchains(function, found, &toolchains)) {
                Ok(found) => targets.push((function.clone(), found)),
                Err(problem) => problems.push(problem),
            }
        }
        let store = store_of(&workloads, product);
        Ok(Builder { root, workloads, store, functions, targets, toolchains, problems })
    }

    /// Builds what is stale among what the filters choose, and records it. `told` hears of each module at once.
    ///
    /// # Errors
    /// A filter that chooses nothing, or records that cannot be read or written; whatever goes wrong with one module is
    /// in the report.
    pub fn build(
        &self,
        options: &BuildOptions,
        told: &(dyn Fn(&str, &Built) + Sync),
    ) -> Result<BuildReport, WorkloadError> {
        let broken = |problem| WorkloadError::Broken(vec![problem]);
        let ledger = Ledger::read(&self.store).map_err(broken)?;
        let mut report = BuildReport { problems: self.problems.clone(), ..BuildReport::default() };
        let mut work = self.chosen(options)?;
        report.current = self.leave_out_current(&mut work, &ledger, options).map_err(broken)?;
        let missing = self.missing(&work);
        let folder = self.build_folder(options).map_err(broken)?;
        let session = Session::new(self, &folder.path, &ledger, &missing, told);
        let accepted = session.build(&work, options.jobs);
        let mut new = Vec::new();
        for (name, result) in accepted {
            let built = match result {
                Ok(accepted) => {
                    let built = accepted.built(&ledger);
                    new.push(accepted);
                    built
                }
                Err(built) => built,
            };
            report.built.push((name, built));
        }
        report.missing.clone_from(&missing);
        if !options.check {
            self.record(new, &mut report).map_err(broken)?;
        }
        Ok(report)
    }

    fn known(&self) -> Vec<Target> {
        self.targets.iter().flat_map(|(_, targets)| targets.clone()).collect()
    }

    /// The functions and those of their modules that the filters choose.
    fn chosen(&self, options: &BuildOptions) -> Result<Vec<(&Function, Vec<&Target>)>, WorkloadError> {
        let names: Vec<&str> =
            self.targets.iter().flat_map(|(_, targets)| targets).map(|target| target.name.as_str()).collect();
        let chosen = check_filters(&options.filters, &names)?;
        let work = self.targets.iter().map(|(function, targets)| {
            (function, targets.iter().filter(|target| chosen.contains(&target.name.as_str())).collect())
        });
        Ok(work.filter(|(_, targets): &(_, Vec<&Target>)| !targets.is_empty()).collect())
    }

    /// Removes what need not be built, and counts it.
    fn leave_out_current(
        &self,
        work: &mut Vec<(&Function, Vec<&Target>)>,
        ledger: &Ledger,
        options: &BuildOptions,
    ) -> Result<usize, Problem> {
        let mut current = 0;
        if options.force || options.check {
            return Ok(0);
        }
        for (function, targets) in work.iter_mut() {
            let mut stale = Vec::new();
            for target in targets.iter() {
                if self.is_current(function, target, ledger)? { current += 1 } else { stale.push(*target) }
            }
            *targets = stale;
        }
        work.retain(|(_, targets)| !targets.is_empty());
        Ok(current)
    }

    fn is_current(&self, function: &Function, target: &Target, ledger: &Ledger) -> Result<bool, Problem> {
        let (Some(entry), Some(sum)) = (ledger.entries.get(&target.name), ledger.sums.sha256(&target.module)) else {
            return Ok(false);
        };
        let Ok(bytes) = fs::read(self.store.join(&target.module)) else { return Ok(false) };
        let declared = target.recipe.proposals.iter().flatten();
        let undeclared = entry.proposals.iter().any(|needed| !declared.clone().any(|name| name == needed));
        Ok(sha256_hex(&bytes) == sum && entry.inputs == self.inputs(function, target)? && !undeclared)
    }

    fn inputs(&self, function: &Function, target: &Target) -> Result<String, Problem> {
        let plain = match &target.variant {
            None => None,
            Some(_) => {
                let targets = self.functions.targets(function)?;
                Some(inputs::digest(function, &targets[0], &self.toolchains_of(&targets[0]), None)?)
            }
        };
        inputs::digest(function, target, &self.toolchains_of(target), plain.as_deref())
    }

    fn toolchains_of(&self, target: &Target) -> BTreeMap<String, &Toolchain> {
        toolchains_of(target, &self.toolchains)
    }

    /// The toolchains that this work needs and that are not here.
    fn missing(&self, work: &[(&Function, Vec<&Target>)]) -> BTreeMap<String, String> {
        let needed = work.iter().flat_map(|(_, targets)| targets).flat_map(|target| self.toolchains_of(target));
        let needed: BTreeMap<String, &Toolchain> = needed.collect();
        let find = |(name, toolchain): (String, &Toolchain)| Some((name, toolchain.find(&self.root).err()?));
        needed.into_iter().filter_map(find).collect()
    }

    /// Where modules are built: always the same place, or a new one for a comparison.
    fn build_folder(&self, options: &BuildOptions) -> Result<Folder, Problem> {
        let base = self.root.join("target/workloads");
        let made = |e| Problem::new(&base, format!("cannot be made: {e}"), "it must be a writable folder");
        fs::create_dir_all(&base).map_err(made)?;
        if !options.check {
            return Ok(Folder { path: base, _temporary: None });
        }
        let temporary = tempfile::Builder::new().prefix("check-").tempdir_in(&base).map_err(made)?;
        Ok(Folder { path: temporary.path().to_owned(), _temporary: Some(temporary) })
    }

    /// Looks whether a module is what its manifest says.
    fn accept<'a>(&self, target: &'a Target, function: &Function, bytes: Vec<u8>) -> Result<Accepted<'a>, String> {
        let proposals = match target.product {
            Product::Module => needed_proposals(&bytes).map_err(|e| format!("the steps gave no valid module: {e}"))?,
            Product::Native => native::check(&bytes).map(|()| Vec::new())?,
            Product::Library => native::check_library(&bytes).map(|()| Vec::new())?,
            Product::Component => native::check_component(&bytes).map(|()| Vec::new())?,
        };
        let declared = |name: &str| target.recipe.proposals.iter().flatten().any(|known| known == name);
        if let Some(undeclared) = proposals.iter().find(|name| !declared(name)) {
            return Err(format!(
                "the module needs {undeclared}, which is not among its `proposals`: add it, or build without"
            ));
        }
        if target.committed() && bytes.len() as u64 > LARGEST_COMMITTED_BYTES {
            return Err(format!("{} bytes are too many to be committed: say `committed = false`", bytes.len()));
        }
        let cargo_home = steps::cargo_home();
        for path in [Some(&self.root), cargo_home.as_ref()].into_iter().flatten() {
            let needle = path.as_os_str().as_encoded_bytes();
            if needle.len() > 1 && bytes.windows(needle.len()).any(|window| window == needle) {
                return Err(format!(
                    "the result contains the path {}, so another machine would build other bytes",
                    path.display()
                ));
            }
        }
        let toolchains = self.toolchains_of(target);
        let entry = Entry {
            inputs: self.inputs(function, target).map_err(|problem| problem.to_string())?,
            bytes: bytes.len() as u64,
            toolchains: toolchains.iter().map(|(name, toolchain)| format!("{name} {}", toolchain.version)).collect(),
            proposals: proposals.into_iter().map(str::to_owned).collect(),
        };
        let varies = function.language.varies.clone();
        Ok(Accepted { target, entry, sha256: sha256_hex(&bytes), bytes, varies })
    }

    /// Puts the modules where they belong and writes what is known of them.
    fn record(&self, new: Vec<Accepted>, report: &mut BuildReport) -> Result<(), Problem> {
        if new.is_empty() && !self.store.is_dir() {
            return Ok(());
        }
        for accepted in &new {
            let path = self.store.join(&accepted.target.module);
            if accepted.target.product != Product::Module {
                native::write(&path, &accepted.bytes)?;
            } else {
                write(&path, &accepted.bytes)?;
            }
        }
        let known = self.known();
        let entries = new.into_iter().map(|accepted| (accepted.target, accepted.entry, accepted.sha256)).collect();
        // A function that cannot be read now may be mended soon: its module is not forgotten.
        let unread = !self.problems.is_empty();
        let lock = self.root.join("target/workloads/lock");
        let ledger = Ledger::merge(&self.store, &lock, entries, (!unread).then_some(&known))?;
        if self.store != self.workloads {
            return Ok(());
        }
        let docs = self.root.join("docs");
        if docs.is_dir() {
            write(&docs.join("WORKLOADS.md"), ledger.table(&known).as_bytes())?;
        }
        let committed = known.iter().filter(|target| target.committed());
        let all: u64 = committed.filter_map(|target| ledger.entries.get(&target.name)).map(|entry| entry.bytes).sum();
        if all > ALL_COMMITTED_BYTES {
            let what = format!("the committed modules weigh {all} bytes, more than {ALL_COMMITTED_BYTES}");
            report.problems.push(Problem::new(&self.workloads, what, "say `committed = false` for the largest"));
        }
        Ok(())
    }
}

/// Those among all toolchains that a target needs, by name.
fn toolchains_of<'a>(target: &Target, all: &'a BTreeMap<String, Toolchain>) -> BTreeMap<String, &'a Toolchain> {
    let names = target.recipe.toolchains.iter().flatten();
    names.filter_map(|name| Some((name.clone(), all.get(name)?))).collect()
}

/// A folder, and what removes it.
struct Folder {
    path: PathBuf,
    _temporary: Option<tempfile::TempDir>,
}

/// A toolchain that nobody describes is a mistake in the manifest.
fn check_toolchains(
    function: &Function,
    targets: Vec<Target>,
    toolchains: &BTreeMap<String, Toolchain>,
) -> Result<Vec<Target>, Problem> {
    for target in &targets {
        if let Some(name) = target.recipe.toolchains.iter().flatten().find(|name| !toolchains.contains_key(*name)) {
            let what = format!("{} needs the toolchain `{name}`, which nobody describes", target.name);
            return Err(Problem::new(function.folder.join(MANIFEST), what, "add it to workloads/toolchains.toml"));
        }
        if target.recipe.build.is_empty() {
            let remedy = "add [[build]] to it, or to the language's language.toml";
            return Err(Problem::new(function.folder.join(MANIFEST), format!("{} has no steps", target.name), remedy));
        }
    }
    Ok(targets)
}

#[cfg(test)]
mod tests;
