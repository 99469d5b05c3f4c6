use super::{FORMAT, Problem, sums::is_sha256};
use crate::names::nearest;
use isobar_core::{
    Invocation, Limits,
    measure::{Expectation, StdoutRule},
};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    fs,
    num::NonZeroU64,
    ops::Range,
    path::{Component, Path, PathBuf},
};
use toml::Spanned;

/// The file that makes a folder a function.
pub const MANIFEST: &str = "workload.toml";

/// What a manifest says, checked, and the files that it names, read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Manifest {
    pub description: String,
    pub stands_for: String,
    pub quick: bool,
    /// The path of the module below the function's folder.
    pub module: String,
    pub invocation: Invocation,
    pub expectation: Expectation,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    description: Spanned<String>,
    stands_for: Spanned<String>,
    #[serde(default)]
    quick: bool,
    module: Option<Spanned<String>>,
    #[serde(default)]
    args: Vec<Spanned<String>>,
    stdin: Option<String>,
    stdin_file: Option<Spanned<String>>,
    #[serde(default)]
    env: BTreeMap<Spanned<String>, Spanned<String>>,
    #[serde(default)]
    limits: LimitsTable,
    expected: Spanned<ExpectedTable>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct LimitsTable {
    wall_time_ms: Option<NonZeroU64>,
    memory_bytes: Option<NonZeroU64>,
    output_bytes: Option<NonZeroU64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedTable {
    exit_code: Option<Spanned<i64>>,
    stdout: Option<String>,
    stdout_file: Option<Spanned<String>>,
    stdout_prefix: Option<String>,
    stdout_sha256: Option<Spanned<String>>,
}

/// Reads the manifest in a function's folder; `name` is the folder's own name.
pub(super) fn read(folder: &Path, name: &str) -> Result<Manifest, Problem> {
    let file = folder.join(MANIFEST);
    let text = fs::read_to_string(&file)
        .map_err(|e| Problem::new(&file, format!("cannot be read: {e}"), "it must be readable UTF-8 text"))?;
    Source { folder, file, text: &text }.manifest(name)
}

/// A manifest's text, and where it lies.
struct Source<'a> {
    folder: &'a Path,
    file: PathBuf,
    text: &'a str,
}

impl Source<'_> {
    fn manifest(&self, name: &str) -> Result<Manifest, Problem> {
        let document: Document = toml::from_str(self.text).map_err(|e| self.malformed(&e))?;
        self.check_line("description", &document.description)?;
        self.check_line("stands_for", &document.stands_for)?;
        let module = match &document.module {
            Some(module) => self.check_path(module)?.to_owned(),
            None => format!("{name}.wasm"),
        };
        Ok(Manifest {
            module,
            invocation: self.invocation(&document)?,
            expectation: self.expectation(&document.expected)?,
            description: document.description.into_inner(),
            stands_for: document.stands_for.into_inner(),
            quick: document.quick,
        })
    }

    fn invocation(&self, document: &Document) -> Result<Invocation, Problem> {
        for arg in &document.args {
            self.check_no_nul("an argument", arg)?;
        }
        for (key, value) in &document.env {
            if key.as_ref().is_empty() || key.as_ref().contains(['=', '\0']) {
                let what = format!("{:?} cannot be the name of a variable", key.as_ref());
                return Err(self.problem(key.span(), what, "a name is not empty and has neither `=` nor NUL"));
            }
            self.check_no_nul("a variable's value", value)?;
        }
        let stdin = match (&document.stdin, &document.stdin_file) {
            (None, None) => Vec::new(),
            (Some(text), None) => text.clone().into_bytes(),
            (None, Some(file)) => self.read_file(file)?,
            (Some(_), Some(file)) => {
                return Err(self.problem(file.span(), "both `stdin` and `stdin_file`", "remove one of them"));
            }
        };
        let args = document.args.iter().map(|arg| arg.as_ref().clone()).collect();
        let env = document.env.iter().map(|(key, value)| (key.as_ref().clone(), value.as_ref().clone())).collect();
        Ok(Invocation { args, env, stdin, limits: document.limits.limits() })
    }

    fn expectation(&self, table: &Spanned<ExpectedTable>) -> Result<Expectation, Problem> {
        let expected = table.as_ref();
        let exit_code = match &expected.exit_code {
            None => 0,
            Some(code) => i32::from(u8::try_from(*code.as_ref()).map_err(|_| {
                let what = format!("`exit_code` {} is impossible", code.as_ref());
                self.problem(code.span(), what, "an exit code is a number from 0 to 255")
            })?),
        };
        let mut rules = Vec::new();
        if let Some(text) = &expected.stdout {
            rules.push(StdoutRule::Exact(text.clone().into_bytes()));
        }
        if let Some(file) = &expected.stdout_file {
            rules.push(StdoutRule::Exact(self.read_file(file)?));
        }
        if let Some(text) = &expected.stdout_prefix {
            rules.push(StdoutRule::Prefix(text.clone().into_bytes()));
        }
        if let Some(sum) = &expected.stdout_sha256 {
            if !is_sha256(sum.as_ref()) {
                return Err(self.problem(sum.span(), "`stdout_sha256` is no SHA-256", "write 64 hexadecimal digits"));
            }
            rules.push(StdoutRule::Sha256(sum.as_ref().to_ascii_lowercase()));
        }
        let found = rules.len();
        match rules.pop() {
            Some(stdout) if found == 1 => Ok(Expectation { exit_code, stdout }),
            _ => {
                let what = format!("{found} rules for standard output instead of one");
                let remedy = "give one of `stdout`, `stdout_file`, `stdout_prefix`, `stdout_sha256`";
                Err(self.problem(table.span(), what, remedy))
            }
        }
    }

    /// Descriptions become cells of tables.
    fn check_line(&self, key: &str, value: &Spanned<String>) -> Result<(), Problem> {
        if value.as_ref().trim().is_empty() || value.as_ref().contains(char::is_control) {
            let what = format!("`{key}` is empty or has more than one line");
            return Err(self.problem(value.span(), what, "write one line of text"));
        }
        Ok(())
    }

    /// WASI hands strings over with a NUL at their end.
    fn check_no_nul(&self, whose: &str, value: &Spanned<String>) -> Result<(), Problem> {
        if value.as_ref().contains('\0') {
            return Err(self.problem(value.span(), format!("{whose} contains NUL"), "WASI cannot pass NUL: remove it"));
        }
        Ok(())
    }

    fn check_path<'v>(&self, value: &'v Spanned<String>) -> Result<&'v str, Problem> {
        let path = Path::new(value.as_ref());
        let inside = path.components().all(|part| matches!(part, Component::Normal(_)));
        if !inside || path.as_os_str().is_empty() {
            let what = format!("{:?} is not a path below this folder", value.as_ref());
            return Err(self.problem(value.span(), what, "keep a function's files in its own folder"));
        }
        Ok(value.as_ref())
    }

    fn read_file(&self, value: &Spanned<String>) -> Result<Vec<u8>, Problem> {
        let path = self.folder.join(self.check_path(value)?);
        fs::read(&path).map_err(|e| {
            let what = format!("cannot read {}: {e}", path.display());
            self.problem(value.span(), what, "add the file or correct its name")
        })
    }

    fn problem(&self, span: Range<usize>, what: impl Into<String>, remedy: impl Into<String>) -> Problem {
        Problem { line: Some(self.line(span.start)), ..Problem::new(&self.file, what, remedy) }
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

impl LimitsTable {
    fn limits(&self) -> Limits {
        let default = Limits::default();
        let or = |given: Option<NonZeroU64>, default| given.map_or(default, NonZeroU64::get);
        let wall_time_ns = self.wall_time_ms.map(|ms| ms.get().saturating_mul(1_000_000));
        Limits {
            wall_time_ns: wall_time_ns.unwrap_or(default.wall_time_ns),
            memory_bytes: or(self.memory_bytes, default.memory_bytes),
            output_bytes: or(self.output_bytes, default.output_bytes),
        }
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

#[cfg(test)]
pub(super) fn parse(folder: &Path, text: &str) -> Result<Manifest, Problem> {
    Source { folder, file: PathBuf::from(MANIFEST), text }.manifest("example")
}
