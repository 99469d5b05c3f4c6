//! What a function does in every language: `workloads/families/<family>.toml`.

use super::{
    Problem, Work,
    serving::{ServeTable, Serving},
    source::Source,
    work::{ExpectedTable, Given, LimitsTable},
};
use isobar_core::{Invocation, Outcome, measure::SCENARIOS};
use serde::Deserialize;
use std::{collections::BTreeMap, num::NonZeroU32, path::Path};
use toml::Spanned;

/// The folder of the families, beside the languages' folders.
pub(super) const FAMILIES: &str = "families";
/// The sizes that every family has: about 1 ms, 1 to 50 ms and 1 s of work in a compiling runtime.
pub const SIZES: [&str; 3] = ["small", "default", "large"];
/// The exit code of a function that refuses its input.
const REFUSED: i32 = 2;

/// What a function does, whatever it is written in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family {
    /// The file's name without its ending.
    pub name: String,
    /// What the function does, in one line.
    pub description: String,
    /// Which work of real functions it stands for, in one line.
    pub stands_for: String,
    /// The resource that it uses most.
    pub stresses: String,
    /// Exactly what is to be printed.
    pub specification: String,
    /// The environment variables that it reads, and their meaning.
    pub variables: Vec<(String, String)>,
    /// Work of different length, [`SIZES`] and perhaps others, by name.
    pub sizes: BTreeMap<String, Work>,
    /// What every version of it must pass.
    pub cases: Vec<Case>,
    /// What is measured of it where languages are compared.
    pub languages: Option<Comparison>,
    /// It tries what a function must not do: for the scenario `isolation`, and for no other.
    pub isolation: bool,
    /// How it is served, whatever it is written in.
    pub serving: Serving,
}

/// What of a family is measured where languages are compared, in every language that has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The name of the size.
    pub size: String,
    /// The names of the scenarios.
    pub scenarios: Vec<String>,
}

/// One test of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// What is tested; unique in a family.
    pub name: String,
    /// What is given and answered.
    pub test: Test,
}

/// What a test gives and wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// Work with an answer.
    Answer(Work),
    /// Input that the function must refuse: exit code 2, one line on standard error, nothing on standard output.
    Bad(Box<Invocation>),
}

impl Case {
    /// What the function gets, `first` before its own arguments.
    pub fn invocation(&self, first: &[String]) -> Invocation {
        match &self.test {
            Test::Answer(work) => work.invocation(first),
            Test::Bad(given) => {
                Invocation { args: first.iter().chain(&given.args).cloned().collect(), ..(**given).clone() }
            }
        }
    }

    /// Compares what a function did with what it must do.
    ///
    /// # Errors
    /// What was expected and what came instead, in one line.
    pub fn check(&self, outcome: &Outcome) -> Result<(), String> {
        let Test::Bad(_) = &self.test else {
            return self.expectation_check(outcome);
        };
        let stderr = String::from_utf8_lossy(&outcome.stderr);
        let line = stderr.strip_suffix('\n').unwrap_or(&stderr);
        if outcome.exit_code != REFUSED {
            Err(format!("bad input must end with exit code 2, not {}; standard error {stderr:?}", outcome.exit_code))
        } else if !outcome.stdout.is_empty() {
            Err(format!("bad input must print nothing, not {:?}", String::from_utf8_lossy(&outcome.stdout)))
        } else if line.trim().is_empty() || line.contains('\n') {
            Err(format!("bad input must be explained in one line on standard error, not {stderr:?}"))
        } else {
            Ok(())
        }
    }

    fn expectation_check(&self, outcome: &Outcome) -> Result<(), String> {
        match &self.test {
            Test::Answer(work) => work.expectation.check(outcome),
            Test::Bad(_) => Ok(()),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    description: Spanned<String>,
    stands_for: Spanned<String>,
    stresses: Spanned<String>,
    specification: String,
    #[serde(default)]
    variable: Vec<VariableTable>,
    #[serde(default)]
    limits: LimitsTable,
    sizes: BTreeMap<String, SizeTable>,
    languages: Option<ComparisonTable>,
    #[serde(default)]
    isolation: bool,
    #[serde(default)]
    serve: ServeTable,
    #[serde(default)]
    case: Vec<CaseTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VariableTable {
    name: String,
    meaning: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ComparisonTable {
    size: Spanned<String>,
    scenarios: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SizeTable {
    #[serde(default)]
    args: Vec<Spanned<String>>,
    stdin: Option<String>,
    stdin_file: Option<Spanned<String>>,
    stdin_times: Option<NonZeroU32>,
    #[serde(default)]
    env: BTreeMap<Spanned<String>, Spanned<String>>,
    expected: Spanned<ExpectedTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CaseTable {
    name: Spanned<String>,
    #[serde(default)]
    args: Vec<Spanned<String>>,
    stdin: Option<String>,
    stdin_file: Option<Spanned<String>>,
    stdin_times: Option<NonZeroU32>,
    #[serde(default)]
    env: BTreeMap<Spanned<String>, Spanned<String>>,
    #[serde(default)]
    bad: bool,
    expected: Option<Spanned<ExpectedTable>>,
}

impl Family {
    /// Reads the family of this name below the folder of the functions.
    pub(super) fn read(workloads: &Path, name: &str) -> Result<Family, Problem> {
        let folder = workloads.join(FAMILIES);
        let source = Source::read(folder.join(format!("{name}.toml")), &folder)?;
        let document: Document = source.parse()?;
        source.check_line("description", &document.description)?;
        source.check_line("stands_for", &document.stands_for)?;
        source.check_line("stresses", &document.stresses)?;
        let limits = document.limits;
        let mut sizes = BTreeMap::new();
        for (size, table) in document.sizes {
            let SizeTable { args, stdin, stdin_file, stdin_times, env, expected } = table;
            let given = Given { args, stdin, stdin_file, stdin_times, env };
            sizes.insert(size, given.work(&source, limits, &expected)?);
        }
        if let Some(absent) = SIZES.iter().find(|size| !sizes.contains_key(**size)) {
            return Err(source.missing(&format!("sizes.{absent}")));
        }
        let cases = read_cases(&source, document.case, limits)?;
        let languages = document.languages.map(|table| table.comparison(&source, &sizes)).transpose()?;
        Ok(Family {
            name: name.to_owned(),
            description: document.description.into_inner(),
            stands_for: document.stands_for.into_inner(),
            stresses: document.stresses.into_inner(),
            specification: document.specification,
            variables: document.variable.into_iter().map(|v| (v.name, v.meaning)).collect(),
            sizes,
            cases,
            languages,
            isolation: document.isolation,
            serving: document.serve.serving(&source)?,
        })
    }
}

impl ComparisonTable {
    fn comparison(self, source: &Source, sizes: &BTreeMap<String, Work>) -> Result<Comparison, Problem> {
        if !sizes.contains_key(self.size.as_ref()) {
            let known: Vec<&str> = sizes.keys().map(String::as_str).collect();
            let what = format!("there is no size `{}`", self.size.as_ref());
            return Err(source.problem(self.size.span(), what, format!("the sizes are {}", known.join(", "))));
        }
        let known = || SCENARIOS.iter().map(|scenario| scenario.name());
        if let Some(name) = self.scenarios.iter().find(|name| !known().any(|known| known == name.as_ref().as_str())) {
            let remedy = format!("the scenarios are {}", known().collect::<Vec<_>>().join(", "));
            return Err(source.problem(name.span(), format!("there is no scenario `{}`", name.as_ref()), remedy));
        }
        let scenarios = self.scenarios.into_iter().map(Spanned::into_inner).collect();
        Ok(Comparison { size: self.size.into_inner(), scenarios })
    }
}

/// The test cases of a family or of a function.
pub(super) fn read_cases(source: &Source, tables: Vec<CaseTable>, limits: LimitsTable) -> Result<Vec<Case>, Problem> {
    let mut cases: Vec<Case> = Vec::new();
    for table in tables {
        let line = table.name.span();
        let case = table.case(source, limits)?;
        if cases.iter().any(|other| other.name == case.name) {
            return Err(source.problem(line, format!("two cases are named {:?}", case.name), "rename one"));
        }
        cases.push(case);
    }
    Ok(cases)
}

impl CaseTable {
    fn case(self, source: &Source, limits: LimitsTable) -> Result<Case, Problem> {
        let CaseTable { name, args, stdin, stdin_file, stdin_times, env, bad, expected } = self;
        source.check_line("name", &name)?;
        let given = Given { args, stdin, stdin_file, stdin_times, env };
        let test = match (bad, &expected) {
            (false, Some(expected)) => Test::Answer(given.work(source, limits, expected)?),
            (true, None) => Test::Bad(Box::new(given.invocation(source, limits)?)),
            _ => {
                let what = format!("the case {:?} needs either `expected` or `bad = true`", name.as_ref());
                return Err(source.problem(name.span(), what, "give one of them"));
            }
        };
        Ok(Case { name: name.into_inner(), test })
    }
}
