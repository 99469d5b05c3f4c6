use super::{
    Problem, Work,
    family::{Case, CaseTable, FAMILIES, Family, read_cases},
    language::{checked, checked_native},
    recipe::{Native, Recipe, Step},
    serving::{ServeTable, Serving},
    source::Source,
    work::{ExpectedTable, Given, LimitsTable},
};
use crate::names::nearest;
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    num::NonZeroU32,
    path::{Path, PathBuf},
    sync::Arc,
};
use toml::Spanned;

/// The file that makes a folder a function.
pub const MANIFEST: &str = "workload.toml";
/// The size that every function has.
const DEFAULT_SIZE: &str = "default";

/// What a manifest says, checked, the files that it names, read, and what its family says filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Manifest {
    pub(super) description: String,
    pub(super) stands_for: String,
    pub(super) note: Option<String>,
    pub(super) quick: bool,
    pub(super) default: bool,
    pub(super) family: Option<Arc<Family>>,
    /// The path of the module below the function's folder.
    pub(super) module: String,
    /// By name; `default` is always there.
    pub(super) sizes: BTreeMap<String, Work>,
    /// Sizes that are not the family's, and why.
    pub(super) instead: BTreeMap<String, String>,
    /// Tests of its own, beside those of the family.
    pub(super) cases: Vec<Case>,
    /// Cases of the family that this function cannot do, and why.
    pub(super) skip: BTreeMap<String, String>,
    pub(super) recipe: Recipe,
    pub(super) variants: BTreeMap<String, Recipe>,
    /// The only variants that it has, where it says so.
    pub(super) only_variants: Option<Vec<String>>,
    /// How it becomes an executable of this machine, if not as its language says.
    pub(super) native: Option<Native>,
    /// How it becomes a library, if not as its language says.
    pub(super) library: Option<Native>,
    /// How it is served, what its family says filled in.
    pub(super) serving: Serving,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    description: Option<Spanned<String>>,
    stands_for: Option<Spanned<String>>,
    family: Option<Spanned<String>>,
    note: Option<Spanned<String>>,
    #[serde(default)]
    quick: bool,
    #[serde(default)]
    default: bool,
    module: Option<Spanned<String>>,
    #[serde(default)]
    args: Vec<Spanned<String>>,
    stdin: Option<String>,
    stdin_file: Option<Spanned<String>>,
    stdin_times: Option<NonZeroU32>,
    #[serde(default)]
    env: BTreeMap<Spanned<String>, Spanned<String>>,
    #[serde(default)]
    limits: LimitsTable,
    expected: Option<Spanned<ExpectedTable>>,
    #[serde(default)]
    sizes: BTreeMap<Spanned<String>, SizeTable>,
    #[serde(default)]
    case: Vec<CaseTable>,
    #[serde(default)]
    skip: BTreeMap<Spanned<String>, String>,
    toolchains: Option<Vec<String>>,
    proposals: Option<Vec<String>>,
    output: Option<String>,
    committed: Option<bool>,
    build: Option<Spanned<Vec<Step>>>,
    variants: Option<Vec<String>>,
    #[serde(default)]
    variant: BTreeMap<String, Spanned<Recipe>>,
    native: Option<Spanned<Native>>,
    library: Option<Spanned<Native>>,
    #[serde(default)]
    serve: ServeTable,
}

/// With a family, another size in place of one that the language cannot do; without one, a size.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SizeTable {
    like: Option<String>,
    reason: Option<String>,
    #[serde(default)]
    args: Vec<Spanned<String>>,
    stdin: Option<String>,
    stdin_file: Option<Spanned<String>>,
    stdin_times: Option<NonZeroU32>,
    #[serde(default)]
    env: BTreeMap<Spanned<String>, Spanned<String>>,
    expected: Option<Spanned<ExpectedTable>>,
}

impl SizeTable {
    fn given(&self) -> Given {
        Given {
            args: self.args.clone(),
            stdin: self.stdin.clone(),
            stdin_file: self.stdin_file.clone(),
            stdin_times: self.stdin_times,
            env: self.env.clone(),
        }
    }
}

/// The families that were read so far: a function whose name is a family's belongs to it.
pub(super) struct Families {
    workloads: PathBuf,
    read: BTreeMap<String, Result<Arc<Family>, Problem>>,
}

impl Families {
    pub(super) fn new(workloads: &Path) -> Families {
        Families { workloads: workloads.to_owned(), read: BTreeMap::new() }
    }

    fn exists(&self, name: &str) -> bool {
        self.workloads.join(FAMILIES).join(format!("{name}.toml")).is_file()
    }

    fn get(&mut self, name: &str) -> Result<Arc<Family>, Problem> {
        let workloads = &self.workloads;
        self.read.entry(name.to_owned()).or_insert_with(|| Family::read(workloads, name).map(Arc::new)).clone()
    }
}

/// Reads the manifest in a function's folder; `name` is the folder's own name.
pub(super) fn read(folder: &Path, name: &str, families: &mut Families) -> Result<Manifest, Problem> {
    manifest(&Source::read(folder.join(MANIFEST), folder)?, name, families)
}

fn manifest(source: &Source, name: &str, families: &mut Families) -> Result<Manifest, Problem> {
    let document: Document = source.parse()?;
    for (key, line) in
        [("description", &document.description), ("stands_for", &document.stands_for), ("note", &document.note)]
    {
        line.as_ref().map_or(Ok(()), |line| source.check_line(key, line))?;
    }
    let family = match &document.family {
        Some(family) if !families.exists(family.as_ref()) => {
            let what = format!("there is no family `{}`", family.as_ref());
            return Err(source.problem(
                family.span(),
                what,
                format!("add workloads/{FAMILIES}/{}.toml", family.as_ref()),
            ));
        }
        Some(family) => Some(families.get(family.as_ref())?),
        None if families.exists(name) => Some(families.get(name)?),
        None => None,
    };
    let module = match &document.module {
        Some(module) => source.check_path(module)?.to_owned(),
        None => format!("{name}.wasm"),
    };
    let (sizes, instead) = match &family {
        Some(family) => sizes_of(source, &document, family)?,
        None => (own_sizes(source, &document)?, BTreeMap::new()),
    };
    let skip = skipped(source, &document, family.as_deref())?;
    let line = |own: Option<Spanned<String>>, key, inherited: Option<&String>| {
        own.map(Spanned::into_inner).or_else(|| inherited.cloned()).ok_or_else(|| source.missing(key))
    };
    let cases = read_cases(source, document.case, document.limits)?;
    let steps = document.build.as_ref().map_or(0..0, Spanned::span);
    let recipe = Recipe {
        description: None,
        title: None,
        toolchains: document.toolchains,
        proposals: document.proposals,
        output: document.output,
        committed: document.committed,
        build: document.build.map(Spanned::into_inner).unwrap_or_default(),
    };
    recipe.check(source, steps)?;
    let serving = document.serve.serving(source)?.or(family.as_ref().map(|family| &family.serving));
    Ok(Manifest {
        description: line(document.description, "description", family.as_ref().map(|family| &family.description))?,
        stands_for: line(document.stands_for, "stands_for", family.as_ref().map(|family| &family.stands_for))?,
        note: document.note.map(Spanned::into_inner),
        quick: document.quick,
        default: document.default,
        family,
        module,
        sizes,
        instead,
        cases,
        skip,
        recipe,
        variants: checked(source, document.variant)?,
        only_variants: document.variants,
        native: document.native.map(|native| checked_native(source, native, "native")).transpose()?,
        library: document.library.map(|library| checked_native(source, library, "library")).transpose()?,
        serving,
    })
}

/// The sizes of a function without a family: those under `[sizes]`, or one that the manifest itself is.
fn own_sizes(source: &Source, document: &Document) -> Result<BTreeMap<String, Work>, Problem> {
    if document.description.is_none() {
        return Err(source.missing("description"));
    }
    if document.stands_for.is_none() {
        return Err(source.missing("stands_for"));
    }
    if document.sizes.is_empty() {
        let expected = document.expected.as_ref().ok_or_else(|| source.missing("expected"))?;
        let work = given(document).work(source, document.limits, expected)?;
        return Ok(BTreeMap::from([(DEFAULT_SIZE.to_owned(), work)]));
    }
    if let Some(expected) = &document.expected {
        let remedy = format!("move it to `[sizes.{DEFAULT_SIZE}]`");
        return Err(source.problem(expected.span(), "`expected` beside `[sizes]`", remedy));
    }
    if !given(document).is_empty() {
        let remedy = "say in each size what it gives";
        return Err(Problem::new(&source.file, "an invocation beside `[sizes]`", remedy));
    }
    let mut sizes = BTreeMap::new();
    for (name, size) in &document.sizes {
        if size.like.is_some() || size.reason.is_some() {
            let remedy = "say what the size gives and expects, or name the family";
            return Err(source.problem(name.span(), "`like` without a family", remedy));
        }
        let missing = || source.problem(name.span(), "a size without `expected`", "say what it must answer");
        let expected = size.expected.as_ref().ok_or_else(missing)?;
        sizes.insert(name.as_ref().clone(), size.given().work(source, document.limits, expected)?);
    }
    if !sizes.contains_key(DEFAULT_SIZE) {
        return Err(source.missing(&format!("sizes.{DEFAULT_SIZE}")));
    }
    Ok(sizes)
}

fn given(document: &Document) -> Given {
    Given {
        args: document.args.clone(),
        stdin: document.stdin.clone(),
        stdin_file: document.stdin_file.clone(),
        stdin_times: document.stdin_times,
        env: document.env.clone(),
    }
}

/// Work by the size's name, and the reasons for sizes that are not the family's.
type Sizes = (BTreeMap<String, Work>, BTreeMap<String, String>);

/// The family's sizes, some in place of others, and the reasons for that.
fn sizes_of(source: &Source, document: &Document, family: &Family) -> Result<Sizes, Problem> {
    let remedy = "what a function of a family gets and answers stands in the family's file: remove it here";
    if let Some(expected) = &document.expected {
        return Err(source.problem(expected.span(), "`expected` beside a family", remedy));
    }
    if !given(document).is_empty() {
        return Err(Problem::new(&source.file, "an invocation beside a family", remedy));
    }
    let mut sizes = family.sizes.clone();
    let mut reasons = BTreeMap::new();
    for (size, instead) in &document.sizes {
        if !instead.given().is_empty() || instead.expected.is_some() {
            return Err(source.problem(size.span(), "a size of its own beside a family", remedy));
        }
        let (Some(like), Some(reason)) = (&instead.like, &instead.reason) else {
            let what = "a size of a family without `like` and `reason`";
            return Err(source.problem(size.span(), what, "say which size it takes instead, and why"));
        };
        let known = || family.sizes.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        let Some(work) = family.sizes.get(like).filter(|_| family.sizes.contains_key(size.as_ref())) else {
            let what = format!("the family `{}` has no such size", family.name);
            return Err(source.problem(size.span(), what, format!("its sizes are {}", known())));
        };
        sizes.insert(size.as_ref().clone(), work.clone());
        reasons.insert(size.as_ref().clone(), format!("like {like}: {reason}"));
    }
    Ok((sizes, reasons))
}

fn skipped(source: &Source, document: &Document, family: Option<&Family>) -> Result<BTreeMap<String, String>, Problem> {
    let cases: Vec<&str> = family.iter().flat_map(|family| &family.cases).map(|case| case.name.as_str()).collect();
    for name in document.skip.keys() {
        if !cases.contains(&name.as_ref().as_str()) {
            let remedy = match nearest(name.as_ref(), cases.iter().copied()).first() {
                Some(near) => format!("did you mean {near:?}?"),
                None => "copy its name from the family's file".to_owned(),
            };
            return Err(source.problem(name.span(), format!("there is no case {:?}", name.as_ref()), remedy));
        }
    }
    Ok(document.skip.iter().map(|(name, reason)| (name.as_ref().clone(), reason.clone())).collect())
}

#[cfg(test)]
pub(super) fn parse(folder: &Path, text: &str) -> Result<Manifest, Problem> {
    let source = Source { folder: folder.to_owned(), file: PathBuf::from(MANIFEST), text: text.to_owned() };
    manifest(&source, "example", &mut Families::new(folder))
}
