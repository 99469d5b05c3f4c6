//! How a module is built, as languages, functions and `variants.toml` write it.

use super::{Problem, source::Source};
use isobar_core::inspect::PROPOSALS;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::Path};
use toml::Spanned;

/// The standard variants, beside the languages' folders.
const VARIANTS: &str = "variants.toml";

/// One step of a build: `run`, `wat`, `synthetic` or `copy`. Its serialised form is a part of what a module is built
/// from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    /// Program and arguments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) run: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) env: BTreeMap<String, String>,
    /// The file that takes the program's standard output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stdout: Option<String>,
    /// WebAssembly text that becomes the output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) wat: Option<String>,
    /// A module with a knob becomes the output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) synthetic: Option<Knobs>,
    /// A file that becomes the output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) copy: Option<String>,
}

/// What a synthetic module is made of, beyond an empty `_start` and one page of memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Knobs {
    /// Size of the code section, in bytes, with functions of about 1 kB; they are never called.
    pub(super) code_bytes: u64,
    /// Size of one data segment, in bytes; no page of it is all zeroes.
    pub(super) data_bytes: u64,
    /// Pages of memory beyond those that the data segment needs.
    pub(super) memory_pages: u64,
    /// Functions of a few bytes each; they are never called.
    pub(super) functions: u64,
    /// Imported functions of WASI preview 1, at most as many as there are; they are never called.
    pub(super) imports: u64,
}

/// The steps, and what goes with them. A part that is absent is inherited.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Recipe {
    /// For people.
    #[serde(default)]
    pub(super) description: Option<String>,
    /// Of a variant that is a language of its own where languages are compared: its name for people.
    pub(super) title: Option<String>,
    pub(super) toolchains: Option<Vec<String>>,
    pub(super) proposals: Option<Vec<String>>,
    pub(super) output: Option<String>,
    pub(super) committed: Option<bool>,
    #[serde(default)]
    pub(super) build: Vec<Step>,
}

/// How functions become executables or libraries of this machine, or components: `[native]`, `[library]`, `[component]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Native {
    pub(super) toolchains: Option<Vec<String>>,
    pub(super) output: Option<String>,
    /// Files and folders beside the language's own that count as sources, from the language's folder.
    #[serde(default)]
    pub(super) shared: Vec<String>,
    /// The functions that it is for, if not for all.
    only: Option<Vec<String>>,
    /// Those that it is not for, with the reason.
    #[serde(default)]
    without: BTreeMap<String, String>,
    /// Steps that come once, before those of the functions; of a language only.
    #[serde(default)]
    pub(super) prepare: Vec<Step>,
    #[serde(default)]
    pub(super) build: Vec<Step>,
}

impl Native {
    /// Whether a function is built so.
    pub(super) fn is_for(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only.iter().any(|one| one == name)) && self.without(name).is_none()
    }

    /// Why a function is not built so, where that is said.
    pub(super) fn without(&self, name: &str) -> Option<&str> {
        self.without.get(name).map(String::as_str)
    }

    /// Refuses a table that builds nothing, and steps that make modules; `at` is where it was said.
    pub(super) fn check(&self, source: &Source, at: std::ops::Range<usize>, table: &str) -> Result<(), Problem> {
        if self.build.is_empty() {
            let what = format!("`[{table}]` without steps");
            return Err(source.problem(at, what, format!("add [[{table}.build]]")));
        }
        let steps = || self.prepare.iter().chain(&self.build);
        if steps().any(|step| step.wat.is_some() || step.synthetic.is_some()) {
            return Err(source.problem(at, "a step that makes no executable", "use `run` or `copy`"));
        }
        Recipe { build: steps().cloned().collect(), ..Recipe::default() }.check(source, at)
    }
}

impl Recipe {
    /// Takes what is absent from another one; steps, toolchains and output go together.
    pub(super) fn or(&self, other: &Recipe) -> Recipe {
        let own = !self.build.is_empty();
        let both = |own: &Option<Vec<String>>, other: &Option<Vec<String>>| own.clone().or_else(|| other.clone());
        Recipe {
            description: self.description.clone().or_else(|| other.description.clone()),
            title: self.title.clone().or_else(|| other.title.clone()),
            toolchains: both(&self.toolchains, &other.toolchains),
            proposals: both(&self.proposals, &other.proposals),
            output: if own { self.output.clone() } else { self.output.clone().or_else(|| other.output.clone()) },
            committed: self.committed.or(other.committed),
            build: if own { self.build.clone() } else { other.build.clone() },
        }
    }

    /// Refuses steps that do nothing or several things, and proposals that do not exist; `at` is where they were said.
    pub(super) fn check(&self, source: &Source, at: std::ops::Range<usize>) -> Result<(), Problem> {
        for step in &self.build {
            let kinds = [step.run.is_some(), step.wat.is_some(), step.synthetic.is_some(), step.copy.is_some()];
            if kinds.iter().filter(|is| **is).count() != 1 || step.run.as_ref().is_some_and(Vec::is_empty) {
                let remedy = "a step has exactly one of `run`, `wat`, `synthetic`, `copy`";
                return Err(source.problem(at, "a step that does nothing, or several things", remedy));
            }
        }
        let unknown = |name: &&String| !PROPOSALS.iter().any(|(known, _)| known == name);
        if let Some(name) = self.proposals.iter().flatten().find(unknown) {
            let known = PROPOSALS.map(|(name, _)| name);
            let remedy = match crate::names::nearest(name, known).first() {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the names are {}", known.join(", ")),
            };
            return Err(source.problem(at, format!("there is no proposal `{name}`"), remedy));
        }
        Ok(())
    }
}

/// The variants that any language may offer.
pub(super) fn standard_variants(workloads: &Path) -> Result<BTreeMap<String, Recipe>, Problem> {
    let file = workloads.join(VARIANTS);
    if !file.exists() {
        return Ok(BTreeMap::new());
    }
    let source = Source::read(file, workloads)?;
    let recipes: BTreeMap<String, Spanned<Recipe>> = source.parse()?;
    recipes
        .into_iter()
        .map(|(name, recipe)| {
            recipe.as_ref().check(&source, recipe.span())?;
            Ok((name, recipe.into_inner()))
        })
        .collect()
}
