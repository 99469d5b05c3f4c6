//! Running the steps of one module.

use super::super::{
    function::{Function, Product, Target},
    language::Language,
    recipe::Step,
    toolchain,
};
use super::synthetic;
use isobar_core::inspect::read_module;
use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// What would change a compiler's output from outside.
const REMOVED: [&str; 10] = [
    "RUSTFLAGS",
    "CFLAGS",
    "CXXFLAGS",
    "CPPFLAGS",
    "LDFLAGS",
    "GOFLAGS",
    "GOROOT",
    "CARGO_TARGET_DIR",
    "CARGO_BUILD_TARGET",
    "CARGO_INCREMENTAL",
];
/// How much of a program's standard error is shown, in characters.
const SHOWN: usize = 300;

/// Where a build happens, and what the names in braces stand for.
pub(super) struct Place<'a> {
    /// isobar's own folder, absolute.
    pub(super) root: &'a Path,
    /// Kept between builds.
    pub(super) cache: &'a Path,
    /// Programs and folders by name.
    pub(super) toolchains: BTreeMap<String, PathBuf>,
    /// Variables that they want.
    pub(super) env: BTreeMap<String, String>,
}

impl Place<'_> {
    /// Builds a module and gives its bytes. `out` is a file that may be written, `module` the plain module of a variant.
    ///
    /// # Errors
    /// Which step failed, and how, in one line.
    pub(super) fn build(
        &self,
        function: &Function,
        target: &Target,
        out: &Path,
        module: Option<&Path>,
    ) -> Result<Vec<u8>, String> {
        let names = Names { place: self, language: &function.language.name, name: function.short_name(), out, module };
        let folder = out.parent().unwrap_or(out);
        fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        remove(out)?;
        let output = match &target.recipe.output {
            Some(output) => PathBuf::from(names.expand(output)?),
            None => out.to_owned(),
        };
        if output != out {
            remove(&output)?;
        }
        for step in &target.recipe.build {
            names.step(step, &function.folder)?;
        }
        let bytes = fs::read(&output).map_err(|e| format!("the steps left no module at {}: {e}", output.display()))?;
        if output != out {
            fs::write(out, &bytes).map_err(|e| format!("{}: {e}", out.display()))?;
        }
        Ok(bytes)
    }

    /// Runs the steps that come before all functions of a language.
    pub(super) fn prepare(&self, function: &Function, product: Product) -> Result<(), String> {
        let folder = function.folder.parent().unwrap_or(&function.folder);
        self.in_language(&function.language, "", function.prepare(product), folder)
    }

    /// Runs steps in the folder of a language.
    fn in_language(&self, language: &Language, name: &str, steps: &[Step], folder: &Path) -> Result<(), String> {
        let out = self.cache.join(&language.name);
        fs::create_dir_all(&out).map_err(|e| format!("{}: {e}", out.display()))?;
        let names = Names { place: self, language: &language.name, name, out: &out, module: None };
        steps.iter().try_for_each(|step| names.step(step, folder))
    }
}

/// Runs the steps that a language wants when the function `name` was made. `root` is isobar's own folder, absolute.
///
/// # Errors
/// The toolchain that is missing, or the step that failed, in one line.
pub(in super::super) fn after_new(root: &Path, language: &Language, name: &str) -> Result<(), String> {
    if language.new.is_empty() {
        return Ok(());
    }
    let workloads = root.join("workloads");
    let all = toolchain::read(&workloads).map_err(|problem| problem.to_string())?;
    let cache = root.join("target/workloads/cache");
    let mut place = Place { root, cache: &cache, toolchains: BTreeMap::new(), env: BTreeMap::new() };
    for needed in language.recipe.toolchains.iter().flatten() {
        let toolchain = all.get(needed).ok_or_else(|| format!("nobody describes the toolchain `{needed}`"))?;
        let found = toolchain.find(root).map_err(|reason| format!("{needed} {reason}"))?;
        place.toolchains.insert(needed.clone(), found);
        place.env.extend(toolchain.env.clone());
    }
    place.in_language(language, name, &language.new, &workloads.join(&language.name))
}

fn remove(path: &Path) -> Result<(), String> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(format!("{}: {e}", path.display())),
        _ => Ok(()),
    }
}

struct Names<'a> {
    place: &'a Place<'a>,
    language: &'a str,
    name: &'a str,
    out: &'a Path,
    module: Option<&'a Path>,
}

impl Names<'_> {
    fn step(&self, step: &Step, folder: &Path) -> Result<(), String> {
        let at = |path: &str| Ok::<PathBuf, String>(folder.join(self.expand(path)?));
        let write = |bytes: &[u8]| fs::write(self.out, bytes).map_err(|e| format!("{}: {e}", self.out.display()));
        if let Some(run) = &step.run {
            return self.run(run, step, folder);
        }
        if let Some(file) = &step.wat {
            return write(&read_module(&at(file)?).map_err(|failure| failure.to_string())?);
        }
        if let Some(knobs) = step.synthetic {
            return write(&synthetic::module(knobs)?);
        }
        if let Some(file) = &step.copy {
            let path = at(file)?;
            return write(&fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?);
        }
        Ok(())
    }

    fn run(&self, run: &[String], step: &Step, folder: &Path) -> Result<(), String> {
        let words: Vec<String> = run.iter().map(|word| self.expand(word)).collect::<Result<_, _>>()?;
        let (program, args) = words.split_first().ok_or("an empty `run`")?;
        // A relative program is one of the function's folder.
        let program = if program.contains('/') { folder.join(program) } else { PathBuf::from(program) };
        let mut command = Command::new(&program);
        command.args(args).current_dir(folder).stdin(Stdio::null());
        REMOVED.iter().for_each(|name| _ = command.env_remove(name));
        command.envs([("LC_ALL", "C"), ("TZ", "UTC"), ("SOURCE_DATE_EPOCH", "0")]);
        command.env("CARGO_ENCODED_RUSTFLAGS", rust_flags(self.place.root));
        for (name, value) in self.place.env.iter().chain(&step.env) {
            command.env(name, self.expand(value)?);
        }
        let shown = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let output = command.output().map_err(|e| format!("{shown} cannot be started: {e}"))?;
        if !output.status.success() {
            return Err(format!("{shown} ended with {}: {}", output.status, excerpt(&output.stderr)));
        }
        if let Some(file) = &step.stdout {
            let path = folder.join(self.expand(file)?);
            fs::write(&path, &output.stdout).map_err(|e| format!("{}: {e}", path.display()))?;
        }
        Ok(())
    }

    /// Replaces the names in braces.
    fn expand(&self, text: &str) -> Result<String, String> {
        let mut expanded = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, behind)) = after.split_once('}') else { break };
            expanded += before;
            expanded += &self.value(name).ok_or_else(|| {
                format!("{{{name}}} stands for nothing here: see the names in docs/ADD-A-WORKLOAD.md")
            })?;
            rest = behind;
        }
        Ok(expanded + rest)
    }

    fn value(&self, name: &str) -> Option<String> {
        let path = |path: &Path| Some(path.to_string_lossy().into_owned());
        match name {
            "name" => Some(self.name.to_owned()),
            // What compilers make of a name that is no identifier.
            "identifier" => Some(self.name.replace('-', "_")),
            "language" => Some(self.language.to_owned()),
            "out" => path(self.out),
            "module" => self.module.and_then(path),
            "cache" => path(self.place.cache),
            "root" => path(self.place.root),
            "arch" => Some(env::consts::ARCH.to_owned()),
            _ => self.place.toolchains.get(name).and_then(|found| path(found)),
        }
    }
}

/// The part of a program's complaints that most likely says what is wrong, in one line.
fn excerpt(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    let telling = lines().find(|line| line.to_lowercase().contains("error")).or_else(|| lines().next_back());
    let rest = telling.map_or(0, |telling| lines().position(|line| line == telling).unwrap_or(0));
    let said = lines().skip(rest).take(4).collect::<Vec<_>>().join(" | ");
    said.chars().filter(|c| !c.is_control()).take(SHOWN).collect()
}

/// A panic's message carries the path of its source: none of this machine may get into a module.
fn rust_flags(root: &Path) -> String {
    let mut flags = vec![format!("--remap-path-prefix={}=/workloads", root.join("workloads").display())];
    let registries = cargo_home().map(|home| home.join("registry/src")).and_then(|path| fs::read_dir(path).ok());
    let mut registries: Vec<PathBuf> =
        registries.into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())).collect();
    registries.sort();
    flags.extend(registries.iter().map(|path| format!("--remap-path-prefix={}=/crates", path.display())));
    flags.join("\x1f")
}

/// Where cargo keeps the sources of crates.
pub(super) fn cargo_home() -> Option<PathBuf> {
    env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")))
}
