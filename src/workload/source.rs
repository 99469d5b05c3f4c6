//! A TOML file that people write: read once, complained about with its line.

use super::{FORMAT, Problem};
use crate::names::nearest;
use serde::de::DeserializeOwned;
use std::{
    fs,
    ops::Range,
    path::{Component, Path, PathBuf},
};
use toml::Spanned;

/// A file's text, and where it lies.
pub(super) struct Source {
    pub(super) file: PathBuf,
    /// The folder that the files which it names are in.
    pub(super) folder: PathBuf,
    pub(super) text: String,
}

impl Source {
    /// Reads a file; the files that it names are in `folder`.
    pub(super) fn read(file: PathBuf, folder: &Path) -> Result<Source, Problem> {
        let text = fs::read_to_string(&file)
            .map_err(|e| Problem::new(&file, format!("cannot be read: {e}"), "it must be readable UTF-8 text"))?;
        Ok(Source { file, folder: folder.to_owned(), text })
    }

    pub(super) fn parse<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        toml::from_str(&self.text).map_err(|e| self.malformed(&e))
    }

    /// Descriptions become cells of tables.
    pub(super) fn check_line(&self, key: &str, value: &Spanned<String>) -> Result<(), Problem> {
        if value.as_ref().trim().is_empty() || value.as_ref().contains(char::is_control) {
            let what = format!("`{key}` is empty or has more than one line");
            return Err(self.problem(value.span(), what, "write one line of text"));
        }
        Ok(())
    }

    pub(super) fn check_path<'v>(&self, value: &'v Spanned<String>) -> Result<&'v str, Problem> {
        let path = Path::new(value.as_ref());
        let inside = path.components().all(|part| matches!(part, Component::Normal(_)));
        if !inside || path.as_os_str().is_empty() {
            let what = format!("{:?} is not a path below this folder", value.as_ref());
            return Err(self.problem(value.span(), what, "keep a function's files in its own folder"));
        }
        Ok(value.as_ref())
    }

    pub(super) fn read_file(&self, value: &Spanned<String>) -> Result<Vec<u8>, Problem> {
        let path = self.folder.join(self.check_path(value)?);
        fs::read(&path).map_err(|e| {
            let what = format!("cannot read {}: {e}", path.display());
            self.problem(value.span(), what, "add the file or correct its name")
        })
    }

    pub(super) fn problem(&self, at: Range<usize>, what: impl Into<String>, remedy: impl Into<String>) -> Problem {
        Problem { line: Some(self.line(at.start)), ..Problem::new(&self.file, what, remedy) }
    }

    /// A key that is missing, as the reader of TOML would say it.
    pub(super) fn missing(&self, key: &str) -> Problem {
        let (what, remedy) = reword(&format!("missing field `{key}`"));
        Problem { line: Some(1), ..Problem::new(&self.file, what, remedy) }
    }

    fn malformed(&self, error: &toml::de::Error) -> Problem {
        let (what, remedy) = reword(error.message());
        let line = error.span().map(|span| self.line(span.start));
        Problem { line, ..Problem::new(&self.file, what, remedy) }
    }

    fn line(&self, offset: usize) -> usize {
        1 + self.text.bytes().take(offset).filter(|b| *b == b'\n').count()
    }
}

/// What the TOML reader says, as what is wrong and what to do.
fn reword(message: &str) -> (String, String) {
    let message = message.split('\n').map(str::trim).collect::<Vec<_>>().join(", ");
    let mut quoted = message.split('`').skip(1).step_by(2);
    let first = quoted.next().unwrap_or_default();
    if message.starts_with("unknown field") {
        let known: Vec<&str> = quoted.collect();
        let remedy = match nearest(first, known.iter().copied()).first() {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the keys here are {}", known.join(", ")),
        };
        (format!("unknown key `{first}`"), remedy)
    } else if message.starts_with("missing field") {
        (format!("the key `{first}` is missing"), format!("add it: see {FORMAT}"))
    } else if message.starts_with("invalid type") && message.ends_with("expected a string") {
        (message, "write the value in quotes".to_owned())
    } else {
        (message, format!("see {FORMAT}"))
    }
}
