//! Copies of the functions' sources, to be built in another folder.

use std::fs;
use std::path::{Path, PathBuf};

/// What compilers keep of their libraries, which takes a minute to build: it is shared; what they make of a function is
/// not.
const CACHES: [&str; 2] = ["zig", "go"];

/// The sources of a language and what it needs, without any module, in the folder `root`. The compilers are the installed
/// ones.
pub fn copy_workloads(root: &Path, language: &str) -> std::io::Result<()> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    for part in ["toolchains.toml", "variants.toml", "families", language] {
        copy(&here.join("workloads").join(part), &root.join("workloads").join(part))?;
    }
    copy(&here.join("rust-toolchain.toml"), &root.join("rust-toolchain.toml"))?;
    fs::create_dir_all(root.join("target/workloads/cache"))?;
    for name in CACHES {
        let cache = here.join("target/workloads/cache").join(name);
        fs::create_dir_all(&cache)?;
        std::os::unix::fs::symlink(cache, root.join("target/workloads/cache").join(name))?;
    }
    std::os::unix::fs::symlink(here.join(".tools"), root.join(".tools"))
}

fn copy(from: &Path, to: &PathBuf) -> std::io::Result<()> {
    if from.extension().is_some_and(|extension| extension == "wasm") || from.ends_with("target") {
        return Ok(());
    }
    if from.is_dir() {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            copy(&entry.path(), &to.join(entry.file_name()))?;
        }
        return Ok(());
    }
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::copy(from, to).map(drop)
}
