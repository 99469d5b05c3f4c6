use super::{BUILD, Problem};
use std::{collections::BTreeMap, fs, path::Path};

/// The file that holds the SHA-256 of every module, beside the languages' folders, in the format of `sha256sum`.
pub const SUMS: &str = "SHA256SUMS";

/// What `SHA256SUMS` says: path of a module relative to the folder of the functions, and its SHA-256.
#[derive(Default)]
pub(super) struct Sums(pub(super) BTreeMap<String, String>);

impl Sums {
    pub(super) fn read(root: &Path) -> Result<Sums, Problem> {
        let path = root.join(SUMS);
        let text =
            fs::read_to_string(&path).map_err(|e| Problem::new(&path, format!("cannot be read: {e}"), run_build()))?;
        let mut sums = BTreeMap::new();
        for (index, line) in text.lines().enumerate() {
            let Some((sum, module)) = line.split_once("  ").filter(|(sum, _)| is_sha256(sum)) else {
                let what = "not a SHA-256, two spaces and a path";
                return Err(Problem { line: Some(index + 1), ..Problem::new(path, what, run_build()) });
            };
            sums.insert(module.to_owned(), sum.to_ascii_lowercase());
        }
        Ok(Sums(sums))
    }

    /// The pinned SHA-256 of a module, in lower-case hexadecimal.
    pub(super) fn sha256(&self, module: &str) -> Option<&str> {
        self.0.get(module).map(String::as_str)
    }

    /// The file's text.
    pub(super) fn text(&self) -> String {
        self.0.iter().map(|(module, sum)| format!("{sum}  {module}\n")).collect()
    }

    /// Checks the SHA-256 of the module at this path below the folder of the functions.
    pub(super) fn check(&self, module: &str, sha256: &str) -> Result<(), String> {
        match self.0.get(module) {
            None => Err(format!("not in {SUMS}")),
            Some(wanted) if wanted != sha256 => {
                Err(format!("its SHA-256 begins with {}, {SUMS} says {}", &sha256[..12], &wanted[..12]))
            }
            Some(_) => Ok(()),
        }
    }
}

pub(super) fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

pub(super) fn run_build() -> String {
    format!("run {BUILD}")
}
