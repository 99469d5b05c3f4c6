use std::path::{Path, PathBuf};

/// The files in which Linux tells how it is and how it is set, below a folder: `/`, or a test's.
#[derive(Clone, Debug)]
pub struct System {
    root: PathBuf,
}

impl System {
    /// This machine.
    pub fn this() -> Self {
        System::at("/")
    }

    /// A tree with `proc` and `sys`.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        System { root: root.into() }
    }

    /// A file's text, its ends trimmed; `None` where the system has no such file.
    pub(super) fn read(&self, path: impl AsRef<Path>) -> Option<String> {
        Some(std::fs::read_to_string(self.root.join(path)).ok()?.trim().to_owned())
    }

    /// The names in a folder, sorted.
    pub(super) fn names(&self, path: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.root.join(path)).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        names
    }
}

/// A tree of files for a test.
#[cfg(test)]
pub(super) fn tree(files: &[(&str, &str)]) -> (tempfile::TempDir, System) {
    let root = tempfile::tempdir().expect("a temporary folder can be made");
    for (path, text) in files {
        let path = root.path().join(path);
        std::fs::create_dir_all(path.parent().expect("it is below the root")).expect("a folder can be made");
        std::fs::write(path, text).expect("a file can be written");
    }
    let system = System::at(root.path());
    (root, system)
}
