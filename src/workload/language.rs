//! A language: `workloads/<language>/language.toml`.

use super::{
    Problem,
    function::Product,
    recipe::{Native, Recipe, Step},
    source::Source,
};
use serde::Deserialize;
use std::{collections::BTreeMap, path::Path};
use toml::Spanned;

/// The file that makes a folder a language.
pub const LANGUAGE: &str = "language.toml";

/// What the functions of a language have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Language {
    /// The folder's name.
    pub(super) name: String,
    /// The name for people.
    pub(super) title: String,
    /// Files and folders that belong to the source of every function.
    pub(super) shared: Vec<String>,
    /// Arguments before those of an invocation; `@file` is the text of a file.
    pub(super) args: Vec<String>,
    /// Steps that come once, before those of the functions.
    pub(super) prepare: Vec<Step>,
    /// Steps that come once, after a function was made from the template.
    pub(super) new: Vec<Step>,
    /// Why its compiler gives other bytes in another folder, if it does.
    pub(super) varies: Option<String>,
    pub(super) recipe: Recipe,
    /// By name; one without steps takes the standard ones.
    pub(super) variants: BTreeMap<String, Recipe>,
    /// How its functions become executables of this machine, if they do.
    pub(super) native: Option<Native>,
    /// How they become libraries that somebody else's process calls, if they do.
    pub(super) library: Option<Native>,
    /// How they become components for `wasi:http`, if they do.
    pub(super) component: Option<Native>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    title: Spanned<String>,
    toolchains: Option<Vec<String>>,
    #[serde(default)]
    shared: Vec<Spanned<String>>,
    proposals: Option<Vec<String>>,
    #[serde(default)]
    args: Vec<String>,
    output: Option<String>,
    committed: Option<bool>,
    varies: Option<Spanned<String>>,
    #[serde(default)]
    prepare: Vec<Step>,
    #[serde(default)]
    new: Vec<Step>,
    #[serde(default)]
    build: Vec<Step>,
    #[serde(default)]
    variant: BTreeMap<String, Spanned<Recipe>>,
    native: Option<Spanned<Native>>,
    library: Option<Spanned<Native>>,
    component: Option<Spanned<Native>>,
}

impl Language {
    /// Reads the manifest of a language; a folder without one has no build, and its name as the title.
    pub(super) fn read(folder: &Path, name: &str) -> Result<Language, Problem> {
        let file = folder.join(LANGUAGE);
        if !file.exists() {
            return Ok(Language { name: name.to_owned(), title: name.to_owned(), ..Language::default() });
        }
        let source = Source::read(file, folder)?;
        let document: Document = source.parse()?;
        source.check_line("title", &document.title)?;
        let path = |path| source.check_path(path).map(str::to_owned);
        let shared = document.shared.iter().map(path).collect::<Result<Vec<String>, Problem>>()?;
        if let Some(varies) = &document.varies {
            source.check_line("varies", varies)?;
        }
        let native = document.native.map(|native| checked_native(&source, native, "native")).transpose()?;
        let library = document.library.map(|library| checked_native(&source, library, "library")).transpose()?;
        let component =
            document.component.map(|component| checked_native(&source, component, "component")).transpose()?;
        let Document {
            title,
            toolchains,
            proposals,
            args,
            output,
            committed,
            varies,
            prepare,
            new,
            build,
            variant,
            ..
        } = document;
        let varies = varies.map(Spanned::into_inner);
        let recipe = Recipe { description: None, title: None, toolchains, proposals, output, committed, build };
        recipe.check(&source, title.span())?;
        for steps in [&prepare, &new] {
            Recipe { build: steps.clone(), ..Recipe::default() }.check(&source, title.span())?;
        }
        let variants = checked(&source, variant)?;
        let title = title.into_inner();
        let name = name.to_owned();
        Ok(Language { name, title, shared, args, prepare, new, varies, recipe, variants, native, library, component })
    }

    /// How functions become something else than modules.
    pub(super) fn instead(&self, product: Product) -> Option<&Native> {
        match product {
            Product::Module => None,
            Product::Native => self.native.as_ref(),
            Product::Library => self.library.as_ref(),
            Product::Component => self.component.as_ref(),
        }
    }
}

/// The variants of a manifest.
pub(super) fn checked(
    source: &Source,
    variants: BTreeMap<String, Spanned<Recipe>>,
) -> Result<BTreeMap<String, Recipe>, Problem> {
    let check = |(name, recipe): (String, Spanned<Recipe>)| {
        recipe.as_ref().check(source, recipe.span())?;
        super::check_name(&name)
            .map_err(|what| source.problem(recipe.span(), what, "give the variant another name"))?;
        Ok((name, recipe.into_inner()))
    };
    variants.into_iter().map(check).collect()
}

/// A manifest's build of something else than modules, from the table of this name.
pub(super) fn checked_native(source: &Source, native: Spanned<Native>, table: &str) -> Result<Native, Problem> {
    native.as_ref().check(source, native.span(), table)?;
    Ok(native.into_inner())
}
