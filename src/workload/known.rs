//! Failures that are known: `workloads/known-failures.toml`. Whoever verifies says them as such, and hides none.

use super::{Problem, source::Source};
use globset::{Glob, GlobMatcher};
use serde::Deserialize;
use std::path::Path;
use toml::Spanned;

/// The file, beside the languages' folders.
pub const KNOWN_FAILURES: &str = "known-failures.toml";

/// A failure that is known, of one version of a runtime. In another version it is a failure like any other.
#[derive(Clone, Debug)]
pub struct KnownFailure {
    /// Which runtimes, as it is written: a glob.
    pub runtime: String,
    /// Which functions, as it is written: a glob.
    pub function: String,
    /// The version of the runtime that it was seen in.
    pub version: String,
    /// What is wrong, in one line.
    pub reason: String,
    /// Where it was reported.
    pub link: Option<String>,
    globs: [GlobMatcher; 3],
}

impl KnownFailure {
    /// Whether it is about this function with this input (a size, or the name of a case) in this runtime.
    pub fn covers(&self, runtime: &str, version: &str, function: &str, input: &str) -> bool {
        let matches = [runtime, function, input];
        self.version == version && self.globs.iter().zip(matches).all(|(glob, name)| glob.is_match(name))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    known: Vec<Table>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    runtime: Spanned<String>,
    function: Spanned<String>,
    input: Option<Spanned<String>>,
    version: String,
    reason: Spanned<String>,
    link: Option<String>,
}

/// Reads the known failures of the folder `workloads`; without the file there are none.
///
/// # Errors
/// The file cannot be read, or its line makes no sense.
pub fn known_failures(workloads: &Path) -> Result<Vec<KnownFailure>, Problem> {
    let file = workloads.join(KNOWN_FAILURES);
    if !file.exists() {
        return Ok(Vec::new());
    }
    let source = Source::read(file, workloads)?;
    let document: Document = source.parse()?;
    document.known.into_iter().map(|table| table.check(&source)).collect()
}

impl Table {
    fn check(self, source: &Source) -> Result<KnownFailure, Problem> {
        source.check_line("reason", &self.reason)?;
        let glob = |text: &Spanned<String>| {
            let wrong = |e: globset::Error| {
                source.problem(text.span(), format!("{:?} is no glob: {}", text.as_ref(), e.kind()), "correct it")
            };
            Glob::new(text.as_ref()).map(|glob| glob.compile_matcher()).map_err(wrong)
        };
        let any = Spanned::new(self.function.span(), "*".to_owned());
        let globs = [glob(&self.runtime)?, glob(&self.function)?, glob(self.input.as_ref().unwrap_or(&any))?];
        Ok(KnownFailure {
            runtime: self.runtime.into_inner(),
            function: self.function.into_inner(),
            version: self.version,
            reason: self.reason.into_inner(),
            link: self.link,
            globs,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{KNOWN_FAILURES, known_failures};
    use std::fs;

    fn read(text: &str) -> Result<Vec<super::KnownFailure>, String> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(KNOWN_FAILURES), text).unwrap();
        known_failures(folder.path())
            .map_err(|problem| problem.to_string().replace(&format!("{}/", folder.path().display()), ""))
    }

    const ONE: &str = "[[known]]\nruntime = 'slow/*'\nfunction = 'lua/*'\nversion = '1.2'\nreason = 'r'\n";

    #[test]
    fn an_entry_covers_one_version_of_what_its_globs_choose() {
        let known = read(&format!("{ONE}input = 'large'\n")).unwrap();
        for (runtime, version, function, input, covered) in [
            ("slow/interpreter", "1.2", "lua/hello", "large", true),
            ("slow/interpreter", "1.3", "lua/hello", "large", false),
            ("fast/interpreter", "1.2", "lua/hello", "large", false),
            ("slow/interpreter", "1.2", "c/hello", "large", false),
            ("slow/interpreter", "1.2", "lua/hello", "small", false),
        ] {
            assert_eq!(known[0].covers(runtime, version, function, input), covered, "{runtime} {function} {input}");
        }
        assert!(read(ONE).unwrap()[0].covers("slow/jit", "1.2", "lua/hello+mvp", "N is 0"));
    }

    #[test]
    fn what_makes_no_sense_is_named_with_its_line() {
        assert_eq!(
            read(&ONE.replace("'r'", "''")).unwrap_err(),
            "known-failures.toml:5: `reason` is empty or has more than one line; write one line of text"
        );
        assert!(
            read(&ONE.replace("lua/*", "lua/["))
                .unwrap_err()
                .starts_with("known-failures.toml:3: \"lua/[\" is no glob")
        );
        assert_eq!(
            read(&ONE.replace("reason", "reasn")).unwrap_err(),
            "known-failures.toml:5: unknown key `reasn`; did you mean `reason`?"
        );
        assert!(read(&ONE.replace("version = '1.2'\n", "")).unwrap_err().contains("the key `version` is missing"));
        let nowhere = tempfile::tempdir().unwrap();
        assert!(known_failures(nowhere.path()).unwrap().is_empty());
    }
}
