//! A folder of functions to build in, away from isobar's own.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;

/// The sources of a language and what it needs, without any module. The compilers are the installed ones, and so is what
/// Zig and Go keep of their libraries, which takes a minute to build; what they make of a function is not shared.
pub fn copy_workloads(root: &Path, language: &str) -> io::Result<()> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    for part in ["toolchains.toml", "variants.toml", "new.toml", "families", "libraries", language] {
        copy(&here.join("workloads").join(part), &root.join("workloads").join(part))?;
    }
    fs::write(root.join("workloads/SHA256SUMS"), "")?;
    copy(&here.join("rust-toolchain.toml"), &root.join("rust-toolchain.toml"))?;
    fs::create_dir_all(root.join("target/workloads/cache"))?;
    for kept in ["zig", "go"] {
        let cache = here.join("target/workloads/cache").join(kept);
        fs::create_dir_all(&cache)?;
        symlink(cache, root.join("target/workloads/cache").join(kept))?;
    }
    symlink(here.join(".tools"), root.join(".tools"))
}

/// Copies a file, or a folder without the modules and builds in it.
pub fn copy(from: &Path, to: &Path) -> io::Result<()> {
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
