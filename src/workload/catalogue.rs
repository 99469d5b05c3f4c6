use super::{
    Case, Comparison, FORMAT, Family, Problem, Serving, Work, WorkloadError,
    build::{InsteadState, InsteadStore},
    function::{Function, Functions, Product, Target},
    sums::{Sums, run_build},
};
use crate::names::nearest;
use isobar_core::{
    Form, Invocation,
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

/// The language whose sources are loaded as they are.
const SCRIPTS: &str = "javascript";

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
    /// The variant's name for people, where it is a language of its own: `JavaScript + Wizer`.
    pub variant_title: Option<String>,
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
    /// How it is served over HTTP.
    pub serving: Serving,
    pub(super) sizes: BTreeMap<String, Work>,
    pub(super) instead: BTreeMap<String, String>,
    pub(super) own_cases: Vec<Case>,
    pub(super) skip: BTreeMap<String, String>,
    pub(super) first_args: Vec<String>,
    pub(super) native: Option<InsteadState>,
    /// Or why there is none.
    pub(super) library: Result<InsteadState, String>,
    pub(super) component: Option<InsteadState>,
    pub(super) javascript: Option<PathBuf>,
}

impl Workload {
    /// The file that runtimes of this form load: the module, its executable, its library, its source in JavaScript or its
    /// component.
    ///
    /// # Errors
    /// There is no such file; [`WorkloadError::NoExecutable`], [`WorkloadError::NoLibrary`], [`WorkloadError::NoScript`] or
    /// [`WorkloadError::NoComponent`] says why.
    pub fn form(&self, form: Form) -> Result<PathBuf, WorkloadError> {
        match form {
            Form::Wasm => Ok(self.module_path.clone()),
            Form::Native => self.native(),
            Form::Library => self.library(),
            Form::Javascript => self.javascript(),
            Form::Component => self.component(),
        }
    }

    /// The function in JavaScript: an ES module whose default export is called once, and which imports nothing but `input`,
    /// `../common/input.js`. That of a function in Rust, the language that stands for its family where languages are not
    /// compared, is its family's.
    ///
    /// # Errors
    /// [`WorkloadError::NoScript`].
    pub fn javascript(&self) -> Result<PathBuf, WorkloadError> {
        let none = |reason: String| WorkloadError::NoScript { name: self.name.clone(), reason };
        match (&self.javascript, &self.variant, &self.family) {
            (_, Some(_), _) => Err(none("a variant has none, its plain function may".to_owned())),
            (Some(path), ..) => Ok(path.clone()),
            (None, _, Some(family)) if self.language != DEFAULT_LANGUAGE => {
                Err(none(format!("if there is one, it is measured as {SCRIPTS}/{}", family.name)))
            }
            (None, ..) => Err(none("nobody wrote it in JavaScript".to_owned())),
        }
    }

    /// The function as an executable of this machine: built from the source of the module by `isobar build --native`,
    /// linked statically, and what it was when it was built. Started with the arguments, variables (no others) and
    /// standard input of an invocation it answers as the module does, with the same exit codes; nothing enforces an
    /// invocation's limits. It is not in the repository.
    ///
    /// # Errors
    /// [`WorkloadError::NoExecutable`]: the function has no native build, or the executable is not here, stale or changed.
    pub fn native(&self) -> Result<PathBuf, WorkloadError> {
        let none = |reason: String| WorkloadError::NoExecutable { name: self.name.clone(), reason };
        let state = self.native.as_ref().ok_or_else(|| match self.variant {
            Some(_) => none("a variant has none, its plain function may".to_owned()),
            None => none(format!("{} is not built natively", self.language_title)),
        })?;
        self.as_built(state, "--native").map_err(none)
    }

    /// The function as a shared library of this machine: built from the source of the module by `isobar build --native`, and
    /// what it was when it was built. It exports [`isobar_core::contract::LIBRARY_CALL`]. It is not in the repository.
    ///
    /// # Errors
    /// [`WorkloadError::NoLibrary`]: the function has none, or it is not here, stale or changed.
    pub fn library(&self) -> Result<PathBuf, WorkloadError> {
        let none = |reason: String| WorkloadError::NoLibrary { name: self.name.clone(), reason };
        let state = self.library.as_ref().map_err(|why| none(why.clone()))?;
        self.as_built(state, "--native").map_err(none)
    }

    /// The function as a component for `wasi:http`: built from the source of the module by `isobar build --component`. The
    /// query of a request is the environment, and the body of the answer is what the module would print. It is not in the
    /// repository.
    ///
    /// # Errors
    /// [`WorkloadError::NoComponent`]: the function has none, or it is not here, stale or changed.
    pub fn component(&self) -> Result<PathBuf, WorkloadError> {
        let none = |reason: String| WorkloadError::NoComponent { name: self.name.clone(), reason };
        let state = self.component.as_ref().ok_or_else(|| match self.variant {
            Some(_) => none("a variant has none, its plain function may".to_owned()),
            None => none("it is not built as one".to_owned()),
        })?;
        self.as_built(state, "--component").map_err(none)
    }

    /// Where something that was built is, if it is still what was built.
    fn as_built(&self, state: &InsteadState, option: &str) -> Result<PathBuf, String> {
        let sum = state.sha256.clone()?;
        let path = state.path.display();
        let bytes = fs::read(&state.path).map_err(|e| format!("{path}: {e}"))?;
        if sha256_hex(&bytes) != sum {
            return Err(format!("{path} is not what was built; run isobar build {option} --force {}", self.name));
        }
        Ok(state.path.clone())
    }

    /// Whether there is a native build: `Some(true)` if its executable is here and not stale. What [`Workload::native`]
    /// would say, without reading the executable.
    pub fn has_native(&self) -> Option<bool> {
        Some(self.native.as_ref()?.sha256.is_ok())
    }

    /// The same for its library.
    pub fn has_library(&self) -> Option<bool> {
        Some(self.library.as_ref().ok()?.sha256.is_ok())
    }

    /// The names of its sizes, ordered by name; `default` is always among them.
    pub fn sizes(&self) -> impl Iterator<Item = &str> {
        self.sizes.keys().map(String::as_str)
    }

    /// What an invocation of this size gives, and what must come back; large inputs are made here. What has no sizes, as it
    /// was brought without a manifest, has its one call as `default`.
    pub fn size(&self, name: &str) -> Option<(Invocation, Expectation)> {
        if self.sizes.is_empty() && name == "default" {
            return Some((self.invocation.clone(), self.expectation.clone()));
        }
        let work = self.sizes.get(name)?;
        Some((work.invocation(&self.first_args), work.expectation.clone()))
    }

    /// Why a size is not the family's.
    pub fn size_note(&self, name: &str) -> Option<&str> {
        self.instead.get(name).map(String::as_str)
    }

    /// Its name where languages are compared; a variant need not have one.
    pub fn compared_as(&self) -> Option<&str> {
        compared_as(&self.language_title, self.variant.as_deref(), self.variant_title.as_deref())
    }

    /// What is measured of it where languages are compared.
    pub fn comparison(&self) -> Option<&Comparison> {
        self.compared_as()?;
        self.family.as_ref()?.languages.as_ref()
    }

    /// Whether it tries what a function must not do: for the scenario `isolation`, and for no other.
    pub fn is_hostile(&self) -> bool {
        self.family.as_ref().is_some_and(|family| family.isolation)
    }

    /// The test cases of the family and its own, what each gives to this function, and why it is not asked of it, if it is
    /// not.
    pub fn cases(&self) -> impl Iterator<Item = (&Case, Invocation, Option<&str>)> {
        let cases = self.family.iter().flat_map(|family| &family.cases).chain(&self.own_cases);
        cases.map(|case| (case, case.invocation(&self.first_args), self.skip.get(&case.name).map(String::as_str)))
    }
}

fn compared_as<'a>(language: &'a str, variant: Option<&str>, title: Option<&'a str>) -> Option<&'a str> {
    title.or(variant.is_none().then_some(language))
}

/// A module that is not here, though its source is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unbuilt {
    /// The name that the function would have.
    pub name: String,
    /// Why it is not here, and what to do.
    pub reason: String,
    /// Languages are compared by it.
    pub compared: bool,
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
        let scripts = scripts(&all.functions);
        let mut store = |product| InsteadStore::read(root, product).map_err(|problem| problems.push(problem)).ok();
        let [natives, libraries, components] = [Product::Native, Product::Library, Product::Component].map(&mut store);
        for function in &all.functions {
            match all.targets(function) {
                Err(problem) => problems.push(problem),
                Ok(targets) => {
                    let [native, library, component] =
                        [&natives, &libraries, &components].map(|store| store.as_ref()?.of(function));
                    for target in targets {
                        let plain = target.variant.is_none();
                        let instead = Instead {
                            native: native.clone().filter(|_| plain),
                            library: own_library(function, &target, library.clone()),
                            component: component.clone().filter(|_| plain),
                            javascript: script(function, &scripts),
                        };
                        let added = catalogue.add(root, function, target, sums.as_ref(), instead);
                        added.unwrap_or_else(|e| problems.push(e));
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

    /// A function in one of its sizes as a function of its own, whose only size it is: `rust/fibonacci:large`. So one run can
    /// measure several. `None` if there is no such function or size.
    pub fn sized(&self, name: &str) -> Option<Workload> {
        let (function, size) = name.split_once(':')?;
        let workload = self.workloads.iter().find(|workload| workload.name == function)?;
        let work = workload.sizes.get(size)?.clone();
        let (invocation, expectation) = workload.size(size)?;
        let (sizes, instead) = (BTreeMap::from([("default".to_owned(), work)]), BTreeMap::new());
        Some(Workload { name: name.to_owned(), invocation, expectation, sizes, instead, ..workload.clone() })
    }

    fn add(
        &mut self,
        root: &Path,
        function: &Function,
        target: Target,
        sums: Option<&Sums>,
        Instead { native, library, component, javascript }: Instead,
    ) -> Result<(), Problem> {
        let module_path = root.join(&target.module);
        let pinned = sums.is_some_and(|sums| sums.sha256(&target.module).is_some());
        let bytes = match fs::read(&module_path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound && !(pinned && target.committed()) => {
                let reason = format!("its module is not here; run isobar build {}", target.name);
                self.unbuilt.push(unbuilt(function, target, reason));
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
                self.unbuilt.push(unbuilt(function, target, reason));
                return Ok(());
            }
            checked => checked.map_err(broken)?,
        }
        let workload = workload(function, target, module_path.clone(), module_sha256, bytes.len() as u64)?;
        self.workloads.push(Workload { native, library, component, javascript, ..workload });
        Ok(())
    }
}

/// What there is of a function in place of its module.
struct Instead {
    native: Option<InsteadState>,
    library: Result<InsteadState, String>,
    component: Option<InsteadState>,
    javascript: Option<PathBuf>,
}

/// The library of a plain function, or why there is none.
fn own_library(function: &Function, target: &Target, found: Option<InsteadState>) -> Result<InsteadState, String> {
    if target.variant.is_some() {
        return Err("a variant has none, its plain function may".to_owned());
    }
    let why = function.without(Product::Library).map(str::to_owned);
    found.ok_or_else(|| why.unwrap_or_else(|| format!("{} is not built to libraries", function.language.title)))
}

/// The sources in JavaScript, by family.
fn scripts(functions: &[Function]) -> BTreeMap<&str, PathBuf> {
    let script = |function: &&Function| function.folder.join(format!("{}.js", function.short_name()));
    let written = functions.iter().filter(|f| f.language.name == SCRIPTS && script(f).is_file());
    written.filter_map(|f| Some((f.manifest.family.as_ref()?.name.as_str(), script(&f)))).collect()
}

/// That of a function, where it stands for its family or is written so itself.
fn script(function: &Function, scripts: &BTreeMap<&str, PathBuf>) -> Option<PathBuf> {
    let stands = [SCRIPTS, DEFAULT_LANGUAGE].contains(&function.language.name.as_str());
    let family = function.manifest.family.as_ref().filter(|_| stands)?;
    scripts.get(family.name.as_str()).cloned()
}

fn unbuilt(function: &Function, target: Target, reason: String) -> Unbuilt {
    let title = compared_as(&function.language.title, target.variant.as_deref(), target.recipe.title.as_deref());
    let compared = function.manifest.family.as_ref().is_some_and(|family| family.languages.is_some());
    Unbuilt { name: target.name, reason, compared: compared && title.is_some() }
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
        variant_title: target.recipe.title,
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
        serving: manifest.serving,
        sizes: manifest.sizes,
        instead: manifest.instead,
        own_cases: manifest.cases,
        skip: manifest.skip,
        first_args,
        native: None,
        library: Err(String::new()),
        component: None,
        javascript: None,
    })
}

fn missing_module(path: &Path, error: &io::Error) -> Problem {
    let what = match error.kind() {
        io::ErrorKind::NotFound => "the module is not built".to_owned(),
        _ => format!("cannot be read: {error}"),
    };
    Problem::new(path, what, run_build())
}
