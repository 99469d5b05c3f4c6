//! The compilers: `workloads/toolchains.toml`, and whether they are here.

use super::{Problem, source::Source};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use toml::Spanned;

const TOOLCHAINS: &str = "toolchains.toml";

/// A compiler, or a folder of sources.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Toolchain {
    /// For people.
    pub(super) description: String,
    /// What must be here.
    pub(super) version: String,
    /// A path below isobar's folder, or a bare name in `PATH`.
    program: Option<String>,
    /// Sources, in place of a program.
    folder: Option<String>,
    /// What makes the program print its version.
    #[serde(default)]
    version_args: Vec<String>,
    /// A file with the version, where no program prints it.
    version_file: Option<String>,
    /// The command that installs it.
    pub(super) get: String,
    /// Variables for the steps that use it.
    #[serde(default)]
    pub(super) env: BTreeMap<String, String>,
}

/// Reads `toolchains.toml`; a folder of functions without one has no toolchains.
pub(super) fn read(workloads: &Path) -> Result<BTreeMap<String, Toolchain>, Problem> {
    let file = workloads.join(TOOLCHAINS);
    if !file.exists() {
        return Ok(BTreeMap::new());
    }
    let source = Source::read(file, workloads)?;
    let toolchains: BTreeMap<String, Spanned<Toolchain>> = source.parse()?;
    for (name, toolchain) in &toolchains {
        let Toolchain { program, folder, version_args, version_file, .. } = toolchain.as_ref();
        if program.is_some() == folder.is_some() || (version_args.is_empty() == version_file.is_none()) {
            let what =
                format!("the toolchain `{name}` needs `program` or `folder`, and `version_args` or `version_file`");
            return Err(source.problem(toolchain.span(), what, "give one of each pair"));
        }
    }
    Ok(toolchains.into_iter().map(|(name, toolchain)| (name, toolchain.into_inner())).collect())
}

impl Toolchain {
    /// Where it is, once it was seen in the right version.
    ///
    /// # Errors
    /// What is missing or different, and how to get it, in one line.
    pub(super) fn find(&self, root: &Path) -> Result<PathBuf, String> {
        let path = self.locate(root).ok_or_else(|| format!("is not here; {}", self.get))?;
        let said = match &self.version_file {
            Some(file) => fs::read_to_string(root.join(file)).map_err(|e| format!("{file}: {e}; {}", self.get))?,
            None => {
                let output =
                    Command::new(&path).args(&self.version_args).current_dir(root).stdin(Stdio::null()).output();
                let output = output.map_err(|e| format!("cannot be started: {e}; {}", self.get))?;
                String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
            }
        };
        if has_word(&said, &self.version) {
            return Ok(path);
        }
        let line = said.lines().next().unwrap_or_default();
        match self.version_file {
            Some(_) => Err(format!("is not version {}; {}", self.version, self.get)),
            None => Err(format!("is {line:?}, not version {}; {}", self.version, self.get)),
        }
    }

    /// Where it is, in whatever version.
    pub(super) fn locate(&self, root: &Path) -> Option<PathBuf> {
        if let Some(folder) = &self.folder {
            return Some(root.join(folder)).filter(|path| path.is_dir());
        }
        let program = self.program.as_deref()?;
        if program.contains('/') {
            return Some(root.join(program)).filter(|path| path.is_file());
        }
        let path = env::var_os("PATH")?;
        env::split_paths(&path).map(|folder| folder.join(program)).find(|path| path.is_file())
    }
}

/// Whether a version stands in a text, and is not just the start or end of a longer one.
fn has_word(text: &str, word: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '.';
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let mut after = text[at + word.len()..].chars();
        let (next, following) = (after.next(), after.next());
        // `go1.27.3` and `v1.27.3` are 1.27.3, and so is `1.27.3.` at the end of a sentence.
        let starts = before.is_none_or(|c| !c.is_ascii_digit() && c != '.');
        let ends = next.is_none_or(|c| !part(c) || (c == '.' && following.is_none_or(|c| !part(c))));
        starts && ends
    })
}

#[cfg(test)]
mod tests {
    use super::{Toolchain, has_word};
    use std::{collections::BTreeMap, path::Path};

    #[test]
    fn a_version_is_a_word_of_its_own() {
        for (text, version, found) in [
            ("go version go1.27.3 linux/amd64", "1.27.3", true),
            ("0.17.0\n", "0.17.0", true),
            ("wasm-opt version 132 (version_132)", "132", true),
            ("Nim Compiler Version 1.6.10 [Linux]", "1.6", false),
            ("cargo 1.95.01", "1.95.0", false),
            ("cargo 11.95.0", "1.95.0", false),
            ("version = \"0.14.0\"", "0.14.0", true),
            ("This is 1.2.", "1.2", true),
            ("", "1", false),
        ] {
            assert_eq!(has_word(text, version), found, "{version} in {text:?}");
        }
    }

    #[test]
    fn what_is_missing_or_of_another_version_is_said_with_the_remedy() {
        let toolchain = |program: &str, version: &str| Toolchain {
            description: String::new(),
            version: version.to_owned(),
            program: Some(program.to_owned()),
            folder: None,
            version_args: vec!["1.2.3".to_owned()],
            version_file: None,
            get: "install it".to_owned(),
            env: BTreeMap::new(),
        };
        let root = Path::new("/");
        assert!(toolchain("echo", "1.2.3").find(root).unwrap().ends_with("echo"));
        assert_eq!(toolchain("echo", "1.2.4").find(root).unwrap_err(), "is \"1.2.3\", not version 1.2.4; install it");
        assert_eq!(toolchain("no/such/program", "1").find(root).unwrap_err(), "is not here; install it");
        assert_eq!(toolchain("isobar-no-such-program", "1").find(root).unwrap_err(), "is not here; install it");
    }
}
