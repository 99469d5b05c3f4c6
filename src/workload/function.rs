//! The folders of functions, and the modules that each of them stands for.

use super::{
    Problem, check_name,
    family::FAMILIES,
    language::Language,
    manifest::{self, Families, MANIFEST, Manifest},
    recipe::{Recipe, Step, standard_variants},
};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

/// A function: its folder, its language and what its manifest says.
#[derive(Clone, Debug)]
pub(super) struct Function {
    /// `language/name`.
    pub(super) name: String,
    pub(super) folder: PathBuf,
    pub(super) language: Arc<Language>,
    pub(super) manifest: Manifest,
}

/// What the steps of a build give.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Product {
    /// A module.
    Module,
    /// An executable of this machine.
    Native,
    /// A shared library of this machine.
    Library,
    /// A component for `wasi:http`.
    Component,
}

/// A module of a function: the plain one, or a variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// `language/name` or `language/name+variant`; a library's is `language/name+library`.
    pub(super) name: String,
    pub(super) variant: Option<String>,
    pub(super) product: Product,
    /// The module's path below the folder of the functions, another product's below the folder of those.
    pub(super) module: String,
    /// The steps and what goes with them, everything inherited filled in.
    pub(super) recipe: Recipe,
}

impl Target {
    /// Whether the module is kept in the repository.
    pub(super) fn committed(&self) -> bool {
        self.recipe.committed.unwrap_or(true)
    }
}

/// All functions below a folder that can be used, ordered by language and name, and what is wrong with the others.
pub(super) struct Functions {
    pub(super) functions: Vec<Function>,
    pub(super) problems: Vec<Problem>,
    standard: BTreeMap<String, Recipe>,
}

impl Functions {
    /// Reads the manifests below `root` (the folder `workloads`).
    ///
    /// # Errors
    /// The folder itself cannot be read.
    pub(super) fn read(root: &Path) -> Result<Functions, Problem> {
        let mut all = Functions { functions: Vec::new(), problems: Vec::new(), standard: BTreeMap::new() };
        match standard_variants(root) {
            Ok(standard) => all.standard = standard,
            Err(problem) => all.problems.push(problem),
        }
        let mut families = Families::new(root);
        for (language, folder) in sub_folders(root)?.into_iter().filter(|(name, _)| name != FAMILIES) {
            all.read_language(&language, &folder, &mut families);
        }
        Ok(all)
    }

    fn read_language(&mut self, name: &str, folder: &Path, families: &mut Families) {
        let misplaced = folder.join(MANIFEST);
        if misplaced.exists() {
            let remedy = "a function lies two levels deep, in <language>/<name>: move its folder";
            self.problems.push(Problem::new(misplaced, "is in the folder of a language", remedy));
        }
        let folders = match sub_folders(folder) {
            Ok(folders) => folders,
            Err(problem) => return self.problems.push(problem),
        };
        let folders: Vec<_> = folders.into_iter().filter(|(_, path)| path.join(MANIFEST).exists()).collect();
        if folders.is_empty() {
            return;
        }
        let language = match Language::read(folder, name) {
            Ok(language) => Arc::new(language),
            Err(problem) => return self.problems.push(problem),
        };
        for (name, folder) in folders {
            match read_function(&language, &name, &folder, families) {
                Ok(function) => self.functions.push(function),
                Err(problem) => self.problems.push(problem),
            }
        }
    }

    /// The modules of a function: the plain one, then its variants by name.
    ///
    /// # Errors
    /// A variant without any steps.
    pub(super) fn targets(&self, function: &Function) -> Result<Vec<Target>, Problem> {
        let Function { name, language, manifest, .. } = function;
        let path = format!("{name}/{}", manifest.module);
        let mut plain = manifest.recipe.or(&language.recipe);
        plain.toolchains = both(&language.recipe.toolchains, &manifest.recipe.toolchains);
        let mut targets = vec![Target {
            name: name.clone(),
            variant: None,
            product: Product::Module,
            module: path.clone(),
            recipe: plain.clone(),
        }];
        for variant in self.variants(function)? {
            let own = manifest.variants.get(&variant).cloned().unwrap_or_default();
            let of_language = language.variants.get(&variant).cloned().unwrap_or_default();
            let standard = self.standard.get(&variant).cloned().unwrap_or_default();
            let mut recipe = own.or(&of_language);
            let standard_steps = recipe.build.is_empty();
            if standard_steps {
                recipe = recipe.or(&standard);
            }
            if recipe.build.is_empty() {
                let remedy =
                    format!("add [[variant.{variant}.build]] to the manifest, or the variant to variants.toml");
                let what = format!("the variant `{variant}` has no steps");
                return Err(Problem::new(function.folder.join(MANIFEST), what, remedy));
            }
            recipe.toolchains = recipe.toolchains.or_else(|| plain.toolchains.clone());
            recipe.proposals = recipe.proposals.or_else(|| plain.proposals.clone());
            recipe.committed = recipe.committed.or(plain.committed);
            let module = match path.strip_suffix(".wasm") {
                Some(stem) => format!("{stem}+{variant}.wasm"),
                None => format!("{path}+{variant}"),
            };
            let (name, variant) = (format!("{name}+{variant}"), Some(variant));
            targets.push(Target { name, variant, product: Product::Module, module, recipe });
        }
        Ok(targets)
    }

    fn variants(&self, function: &Function) -> Result<Vec<String>, Problem> {
        let Function { language, manifest, .. } = function;
        let known = || language.variants.keys().chain(manifest.variants.keys());
        let Some(only) = &manifest.only_variants else {
            let mut all: Vec<String> = known().cloned().collect();
            all.sort();
            all.dedup();
            return Ok(all);
        };
        if let Some(unknown) =
            only.iter().find(|name| !known().any(|k| k == *name) && !self.standard.contains_key(*name))
        {
            let what = format!("there is no variant `{unknown}`");
            return Err(Problem::new(function.folder.join(MANIFEST), what, "describe it in [variant.<name>]"));
        }
        let mut only = only.clone();
        only.sort();
        Ok(only)
    }
}

/// The toolchains of a language and those that a function needs beside them.
fn both(language: &Option<Vec<String>>, function: &Option<Vec<String>>) -> Option<Vec<String>> {
    let mut all: Vec<String> = language.iter().chain(function).flatten().cloned().collect();
    all.sort();
    all.dedup();
    (language.is_some() || function.is_some()).then_some(all)
}

fn read_function(
    language: &Arc<Language>,
    name: &str,
    folder: &Path,
    families: &mut Families,
) -> Result<Function, Problem> {
    for part in [language.name.as_str(), name] {
        check_name(part).map_err(|what| Problem::new(folder, what, "rename the folder"))?;
    }
    let manifest = manifest::read(folder, name, families)?;
    let name = format!("{}/{name}", language.name);
    Ok(Function { name, folder: folder.to_owned(), language: language.clone(), manifest })
}

impl Function {
    /// The executable, the library or the component that it can be built to, where its manifest or its language says how.
    pub(super) fn instead(&self, product: Product) -> Option<Target> {
        let of_language = self.language.instead(product);
        let own = match product {
            Product::Native => self.manifest.native.as_ref(),
            Product::Library => self.manifest.library.as_ref(),
            Product::Module | Product::Component => None,
        };
        let native = own.or(of_language).filter(|native| native.is_for(self.short_name()))?;
        let compilers = native.toolchains.as_ref().or(of_language.and_then(|native| native.toolchains.as_ref()));
        let compilers = compilers.or(self.language.recipe.toolchains.as_ref()).cloned();
        let recipe = Recipe {
            toolchains: both(&compilers, &self.manifest.recipe.toolchains),
            output: native.output.clone(),
            committed: Some(false),
            build: native.build.clone(),
            ..Recipe::default()
        };
        let (mark, ending) = match product {
            Product::Library => ("+library", ".so"),
            Product::Component => ("", ".wasm"),
            Product::Module | Product::Native => ("", ""),
        };
        let (name, module) = (format!("{}{mark}", self.name), format!("{}{ending}", self.name));
        Some(Target { name, variant: None, product, module, recipe })
    }

    /// Why its language does not build it so, where that is said.
    pub(super) fn without(&self, product: Product) -> Option<&str> {
        self.language.instead(product)?.without(self.short_name())
    }

    /// Steps that come once, before those of all functions of its language.
    pub(super) fn prepare(&self, product: Product) -> &[Step] {
        match product {
            Product::Module => &self.language.prepare,
            _ => self.language.instead(product).map_or(&[], |native| &native.prepare),
        }
    }

    /// The arguments that the language puts before those of an invocation; `@file` is the text of that file.
    pub(super) fn first_args(&self) -> Result<Vec<String>, Problem> {
        let expand = |arg: &String| match arg.strip_prefix('@') {
            None => Ok(arg.clone()),
            Some(file) => {
                let path = self.folder.join(file.replace("{name}", self.short_name()));
                let remedy = "`args` of the language names it: add it";
                fs::read_to_string(&path).map_err(|e| Problem::new(&path, format!("cannot be read: {e}"), remedy))
            }
        };
        self.language.args.iter().map(expand).collect()
    }

    /// The folder's name.
    pub(super) fn short_name(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or(&self.name)
    }
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
