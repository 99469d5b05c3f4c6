//! What is verified: runtimes, functions and inputs.

use crate::names::did_you_mean;
use crate::remote::RemoteRuntime;
use crate::workload::{Catalogue, SIZES, Unbuilt, Workload};
use globset::{Glob, GlobMatcher};
use isobar_core::runtime::Execution;
use isobar_core::{Class, Form, Runtime};
use std::collections::BTreeSet;
use std::fmt;

/// What a function is given.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Input {
    /// Work of a size, by its name.
    Size(String),
    /// A case of its family, by its name.
    Case(String),
}

impl Input {
    /// The name of the size or case.
    pub fn name(&self) -> &str {
        let (Input::Size(name) | Input::Case(name)) = self;
        name
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Input::Size(name) => f.write_str(name),
            Input::Case(name) => write!(f, "case {name:?}"),
        }
    }
}

/// What somebody wants to be verified.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Globs over the names of runtimes and functions. Those of one kind add to each other, the two kinds narrow each
    /// other down.
    pub filters: Vec<String>,
    /// Globs over the names of sizes; without any, those that every family has.
    pub sizes: Vec<String>,
    /// Globs over the names of cases; `all` means all.
    pub cases: Vec<String>,
    /// Runtimes' variants too.
    pub variants: bool,
    /// Only functions whose modules are kept in the repository.
    pub committed: bool,
}

/// A wish that cannot be met. Displayed as one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChoiceError {
    /// The text is no glob.
    #[error("'{0}' is no glob: {1}")]
    BadGlob(String, String),
    /// A glob that chooses nothing: the glob, what it chooses from, and a hint.
    #[error("'{0}' matches no {1}{2}")]
    MatchesNothing(String, &'static str, String),
    /// There is nothing at all to verify with.
    #[error("no runtime is present; `isobar doctor` says what is missing")]
    NoRuntime,
    /// No function is left.
    #[error(
        "no function is left to verify; `isobar list` shows them all, `isobar build` builds those that are not here"
    )]
    NoFunction,
}

/// A function in a runtime, with all that it is given there.
pub struct Pair<'a> {
    /// The runtime.
    pub runtime: &'a RemoteRuntime,
    /// The function.
    pub workload: &'a Workload,
    /// Sizes from small to large, then cases.
    pub inputs: Vec<Input>,
}

/// All pairs.
pub struct Plan<'a> {
    /// By function and runtime, as they are listed.
    pub pairs: Vec<Pair<'a>>,
    /// The runtimes among them.
    pub runtimes: Vec<&'a RemoteRuntime>,
    /// Functions that were chosen and whose modules are not here.
    pub unbuilt: Vec<Unbuilt>,
}

impl<'a> Plan<'a> {
    /// What is wanted, of what is here.
    ///
    /// # Errors
    /// A glob that is none or chooses nothing; nothing is left.
    pub fn new(runtimes: &'a [RemoteRuntime], catalogue: &'a Catalogue, wanted: &Wanted) -> Result<Self, ChoiceError> {
        let kept = |workload: &&Workload| workload.committed || !wanted.committed;
        let workloads: Vec<&Workload> = catalogue.workloads().iter().filter(kept).collect();
        let unbuilt = if wanted.committed { &[] } else { catalogue.unbuilt() };
        let names = Names {
            runtimes: runtimes.iter().map(|runtime| runtime.info().id.as_str()).collect(),
            functions: workloads
                .iter()
                .map(|w| w.name.as_str())
                .chain(unbuilt.iter().map(|u| u.name.as_str()))
                .collect(),
        };
        let (of_runtimes, of_functions) = names.chosen(&wanted.filters)?;
        // An emulated machine takes seconds for what others do in milliseconds: only where its name is asked for.
        let plain = |runtime: &&RemoteRuntime| {
            let info = runtime.info();
            !info.emulated && (wanted.variants || info.id.variants().next().is_none())
        };
        let chosen = |runtime: &&RemoteRuntime| match &of_runtimes {
            Some(chosen) => chosen.contains(runtime.info().id.as_str()),
            None => plain(runtime),
        };
        let runtimes: Vec<&RemoteRuntime> = runtimes.iter().filter(chosen).collect();
        let is_chosen = |name: &str| of_functions.as_ref().is_none_or(|chosen| chosen.contains(name));
        let unbuilt: Vec<Unbuilt> = unbuilt.iter().filter(|unbuilt| is_chosen(&unbuilt.name)).cloned().collect();
        let workloads: Vec<&Workload> = workloads.iter().copied().filter(|w| is_chosen(&w.name)).collect();
        if runtimes.is_empty() {
            return Err(ChoiceError::NoRuntime);
        }
        if workloads.is_empty() && unbuilt.is_empty() {
            return Err(ChoiceError::NoFunction);
        }
        let inputs = inputs(&workloads, wanted)?;
        let mut pairs = Vec::new();
        for (workload, inputs) in workloads.iter().zip(&inputs) {
            let exists = |runtime: &&&RemoteRuntime| match runtime.info().form {
                // A server has no instances; its answers are checked where it is measured.
                _ if runtime.info().class == Class::Server => false,
                Form::Wasm => true,
                Form::Native => workload.has_native() == Some(true),
                Form::Library => workload.has_library() == Some(true),
                Form::Javascript => workload.javascript().is_ok(),
                Form::Component => workload.component().is_ok(),
            };
            let runtimes = runtimes.iter().filter(exists);
            pairs.extend(runtimes.map(|runtime| Pair { runtime, workload, inputs: inputs.clone() }));
        }
        if pairs.is_empty() && unbuilt.is_empty() {
            return Err(ChoiceError::NoFunction);
        }
        Ok(Plan { pairs, runtimes, unbuilt })
    }

    /// The order in which pairs are verified: what compiles first, for an interpreter may take the rest of the time.
    /// Shuffled, but always alike, so that what is left out when the time is up is not all of one language.
    pub fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.pairs.len()).collect();
        fastrand::Rng::with_seed(1).shuffle(&mut order);
        order.sort_by_key(|at| self.pairs[*at].runtime.info().execution == Execution::Interpreter);
        order
    }
}

fn glob(text: &str) -> Result<GlobMatcher, ChoiceError> {
    let wrong = |e: globset::Error| ChoiceError::BadGlob(text.to_owned(), e.kind().to_string());
    Glob::new(text).map(|glob| glob.compile_matcher()).map_err(wrong)
}

/// What filters choose from.
pub(super) struct Names<'a> {
    pub(super) runtimes: Vec<&'a str>,
    pub(super) functions: Vec<&'a str>,
}

type Chosen<'a> = Option<BTreeSet<&'a str>>;

impl<'a> Names<'a> {
    /// The names of runtimes and of functions that the filters choose; `None` for a kind that no filter is about.
    pub(super) fn chosen(&self, filters: &[String]) -> Result<(Chosen<'a>, Chosen<'a>), ChoiceError> {
        let (mut runtimes, mut functions) = (BTreeSet::new(), BTreeSet::new());
        for filter in filters {
            let glob = glob(filter)?;
            let variant = filter.contains('+');
            let of_runtimes: Vec<&str> =
                self.runtimes.iter().copied().filter(|id| variant == id.contains('+') && glob.is_match(id)).collect();
            // As in `isobar build`: a function with all its variants.
            let matches = |name: &&str| {
                let name = if filter.contains('/') { name } else { name.rsplit('/').next().unwrap_or(name) };
                glob.is_match(if variant { name } else { name.split('+').next().unwrap_or(name) })
            };
            let of_functions: Vec<&str> = self.functions.iter().copied().filter(matches).collect();
            if of_runtimes.is_empty() && of_functions.is_empty() {
                let known = self.runtimes.iter().chain(&self.functions).copied();
                let hint = did_you_mean(filter, known);
                return Err(ChoiceError::MatchesNothing(filter.clone(), "runtime or function", hint));
            }
            runtimes.extend(of_runtimes);
            functions.extend(of_functions);
        }
        let some = |chosen: BTreeSet<&'a str>| (!chosen.is_empty()).then_some(chosen);
        Ok((some(runtimes), some(functions)))
    }
}

/// What each function is given. One that has none of the wanted sizes gets its `default`.
fn inputs(workloads: &[&Workload], wanted: &Wanted) -> Result<Vec<Vec<Input>>, ChoiceError> {
    let all = |names: &mut dyn Iterator<Item = &str>| names.map(str::to_owned).collect::<BTreeSet<String>>();
    let sizes = all(&mut workloads.iter().flat_map(|workload| workload.sizes()));
    let cases: BTreeSet<String> =
        workloads.iter().flat_map(|workload| workload.cases()).map(|(case, ..)| case.name.clone()).collect();
    let chosen = |globs: &[String], known: &BTreeSet<String>, kind: &'static str| {
        let mut chosen = BTreeSet::new();
        for text in globs {
            let matcher = glob(if text == "all" { "*" } else { text })?;
            let found: Vec<String> = known.iter().filter(|name| matcher.is_match(name)).cloned().collect();
            if found.is_empty() {
                let hint = did_you_mean(text, known.iter().map(String::as_str));
                return Err(ChoiceError::MatchesNothing(text.clone(), kind, hint));
            }
            chosen.extend(found);
        }
        Ok(chosen)
    };
    let sizes = match wanted.sizes.is_empty() {
        true => SIZES.map(str::to_owned).into(),
        false => chosen(&wanted.sizes, &sizes, "size of these functions")?,
    };
    let cases = chosen(&wanted.cases, &cases, "case of these functions")?;
    Ok(workloads.iter().map(|workload| of_function(workload, &sizes, &cases)).collect())
}

fn of_function(workload: &Workload, sizes: &BTreeSet<String>, cases: &BTreeSet<String>) -> Vec<Input> {
    let mut own: Vec<&str> = workload.sizes().filter(|size| sizes.contains(*size)).collect();
    if own.is_empty() {
        own.push("default");
    }
    own.sort_by_key(|size| rank(size));
    let asked = workload.cases().filter(|(case, _, skipped)| skipped.is_none() && cases.contains(&case.name));
    let sizes = own.into_iter().map(|size| Input::Size(size.to_owned()));
    sizes.chain(asked.map(|(case, ..)| Input::Case(case.name.clone()))).collect()
}

/// Where a size stands among the others; those that only some functions have are between `default` and `large`.
pub(super) fn rank(size: &str) -> usize {
    match SIZES.iter().position(|name| *name == size) {
        Some(2) => 3,
        Some(at) => at,
        None => 2,
    }
}
