//! Making a new function: the template of its language, filled in.

use super::{
    FORMAT, Problem,
    build::after_new,
    check_name,
    family::FAMILIES,
    language::{LANGUAGE, Language},
    manifest::{self, Families, MANIFEST},
    source::Source,
};
use crate::names::did_you_mean;
use serde::Deserialize;
use std::{
    fs, io,
    path::{Path, PathBuf},
};
use toml::Spanned;

/// The folder of a language's template, in the language's own.
const TEMPLATE: &str = "new";
/// The manifest of every new function, beside the languages' folders.
const NEW_MANIFEST: &str = "new.toml";
/// Stands for the function's name, in the names of the template's files and in their text.
const NAME: &str = "@name@";
/// Stands for the description as a string of TOML.
const DESCRIPTION: &str = "@description@";

/// A function that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewWorkload {
    /// `language/name`.
    pub name: String,
    /// Its folder.
    pub folder: PathBuf,
    /// The files in it, by their paths below the folder, in order.
    pub files: Vec<String>,
}

/// Why a function was not made. Nothing is left of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NewWorkloadError {
    /// No language has this name.
    #[error("unknown language `{language}`; {hint}")]
    Language {
        /// The name asked for.
        language: String,
        /// What it may have been meant to be, or all names.
        hint: String,
    },
    /// The name is none that a function can have.
    #[error("{0}; choose another name")]
    Name(String),
    /// The function is there already, or another folder of this name.
    #[error("{} is there already; choose another name", .0.display())]
    Exists(PathBuf),
    /// The language cannot make functions.
    #[error("the language `{language}` has no template; add {}, as {FORMAT} says", .folder.display())]
    NoTemplate {
        /// The language.
        language: String,
        /// The folder that would be its template.
        folder: PathBuf,
    },
    /// A file that cannot be read, written or used.
    #[error("{0}")]
    Broken(Problem),
    /// What the language wants to be done with a new function failed.
    #[error("{name} cannot be made part of its language: {reason}")]
    Step {
        /// The function.
        name: String,
        /// Which step or toolchain, and what to do.
        reason: String,
    },
}

impl From<Problem> for NewWorkloadError {
    fn from(problem: Problem) -> Self {
        NewWorkloadError::Broken(problem)
    }
}

/// Makes the function `language/name` below `root`, isobar's own folder, from the language's template. Without a
/// description it has the template's.
///
/// # Errors
/// [`NewWorkloadError`]; the folder is removed again.
pub fn new_workload(
    root: &Path,
    language: &str,
    name: &str,
    description: Option<&str>,
) -> Result<NewWorkload, NewWorkloadError> {
    let workloads = root.join("workloads");
    let found = find_language(&workloads, language)?;
    check(&workloads, name)?;
    let template = workloads.join(language).join(TEMPLATE);
    if !template.is_dir() {
        return Err(NewWorkloadError::NoTemplate { language: language.to_owned(), folder: template });
    }
    let filling = Filling::read(&workloads, name, description)?;
    let folder = workloads.join(language).join(name);
    fs::create_dir(&folder).map_err(|e| match e.kind() {
        io::ErrorKind::AlreadyExists => NewWorkloadError::Exists(folder.clone()),
        _ => unwritable(&folder, &e).into(),
    })?;
    let made = fill(root, &workloads, &template, &folder, &found, &filling);
    if made.is_err() {
        // What is wrong is told; that this fails too would only hide it.
        let _ = fs::remove_dir_all(&folder);
    }
    made.map(|files| NewWorkload { name: format!("{language}/{name}"), folder, files })
}

/// Writes all files, checks what they make, and does what the language wants beside.
fn fill(
    root: &Path,
    workloads: &Path,
    template: &Path,
    folder: &Path,
    language: &Language,
    filling: &Filling,
) -> Result<Vec<String>, NewWorkloadError> {
    let mut files = Vec::new();
    copy(template, folder, "", filling, &mut files)?;
    let manifest = folder.join(MANIFEST);
    fs::write(&manifest, &filling.manifest).map_err(|e| unwritable(&manifest, &e))?;
    files.push(MANIFEST.to_owned());
    files.sort();
    manifest::read(folder, &filling.name, &mut Families::new(workloads))?;
    let root = fs::canonicalize(root).map_err(|e| unwritable(root, &e))?;
    after_new(&root, language, &filling.name)
        .map_err(|reason| NewWorkloadError::Step { name: format!("{}/{}", language.name, filling.name), reason })?;
    Ok(files)
}

/// The language of this name; one that is written as in tables (`C++`) is not known, but named.
fn find_language(workloads: &Path, wanted: &str) -> Result<Language, NewWorkloadError> {
    let unreadable = |e: io::Error| Problem::new(workloads, format!("cannot be read: {e}"), "it must be a folder");
    let mut languages = Vec::new();
    for entry in fs::read_dir(workloads).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.join(LANGUAGE).is_file() {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            languages.push(Language::read(&path, &name)?);
        }
    }
    languages.sort_by(|a, b| a.name.cmp(&b.name));
    if let Some(at) = languages.iter().position(|language| language.name == wanted) {
        return Ok(languages.swap_remove(at));
    }
    let names = || languages.iter().map(|language| language.name.as_str());
    let titled = languages.iter().find(|language| language.title.eq_ignore_ascii_case(wanted));
    let hint = match (titled, did_you_mean(wanted, names()).strip_prefix("; ")) {
        (Some(language), _) => format!("did you mean {}?", language.name),
        (None, Some(near)) => near.to_owned(),
        (None, None) => format!("the languages are {}", names().collect::<Vec<_>>().join(", ")),
    };
    Err(NewWorkloadError::Language { language: wanted.to_owned(), hint })
}

/// Names become parts of programs, so they begin with a letter; those of families mean functions of the family.
fn check(workloads: &Path, name: &str) -> Result<(), NewWorkloadError> {
    check_name(name).map_err(NewWorkloadError::Name)?;
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        return Err(NewWorkloadError::Name(format!("{name:?} does not begin with a letter")));
    }
    if workloads.join(FAMILIES).join(format!("{name}.toml")).exists() {
        let what = format!(
            "`{name}` is a family, and a function of it answers what workloads/{FAMILIES}/{name}.toml says: see {FORMAT}"
        );
        return Err(NewWorkloadError::Name(what));
    }
    Ok(())
}

/// What is put in place of the words between `@`.
struct Filling {
    name: String,
    /// A string of TOML, with its quotes.
    description: String,
    /// The text of the new function's manifest.
    manifest: String,
}

#[derive(Deserialize)]
struct Described {
    description: Spanned<String>,
}

impl Filling {
    fn read(workloads: &Path, name: &str, description: Option<&str>) -> Result<Filling, Problem> {
        let source = Source::read(workloads.join(NEW_MANIFEST), workloads)?;
        let standard = source.parse::<Described>()?.description;
        let span = standard.span();
        let description = quoted(description.unwrap_or(standard.as_ref()));
        let manifest = format!("{}{description}{}", &source.text[..span.start], &source.text[span.end..]);
        Ok(Filling { name: name.to_owned(), description, manifest })
    }

    fn fill(&self, text: &str) -> String {
        text.replace(NAME, &self.name).replace(DESCRIPTION, &self.description)
    }
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// Copies the template's files, the words between `@` replaced; `below` is the path of a folder in it.
fn copy(from: &Path, to: &Path, below: &str, filling: &Filling, files: &mut Vec<String>) -> Result<(), Problem> {
    let unreadable =
        |path: &Path, e: io::Error| Problem::new(path, format!("cannot be read: {e}"), "a template holds UTF-8 text");
    for entry in fs::read_dir(from).map_err(|e| unreadable(from, e))? {
        let source = entry.map_err(|e| unreadable(from, e))?.path();
        let name = filling.fill(&source.file_name().unwrap_or_default().to_string_lossy());
        let (target, path) = (to.join(&name), format!("{below}{name}"));
        if source.is_dir() {
            fs::create_dir(&target).map_err(|e| unwritable(&target, &e))?;
            copy(&source, &target, &format!("{path}/"), filling, files)?;
            continue;
        }
        let text = fs::read_to_string(&source).map_err(|e| unreadable(&source, e))?;
        fs::write(&target, filling.fill(&text)).map_err(|e| unwritable(&target, &e))?;
        files.push(path);
    }
    Ok(())
}

fn unwritable(path: &Path, error: &io::Error) -> Problem {
    Problem::new(path, format!("cannot be written: {error}"), "its folder must be writable")
}
