//! What a module is built from, as one number: when it differs from the recorded one, the module is stale.

use super::super::{
    Problem,
    function::{Function, Product, Target},
    manifest::MANIFEST,
    toolchain::Toolchain,
};
use isobar_core::measure::sha256_hex;
use std::{collections::BTreeMap, env, fs, path::Path};

/// Changes when the meaning of the inputs does.
const VERSION: &str = "isobar build 1";

/// The SHA-256 of all that decides a module's bytes: sources, steps, versions. Times of files do not count.
///
/// # Errors
/// A source that cannot be read.
pub(super) fn digest(
    function: &Function,
    target: &Target,
    toolchains: &BTreeMap<String, &Toolchain>,
    plain: Option<&str>,
) -> Result<String, Problem> {
    let mut all = Vec::new();
    let mut add = |bytes: &[u8]| {
        all.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        all.extend_from_slice(bytes);
    };
    add(VERSION.as_bytes());
    add(target.module.as_bytes());
    let prepare = function.prepare(target.product);
    let words = |value: serde_json::Result<String>| value.unwrap_or_default().into_bytes();
    add(&words(serde_json::to_string(&(prepare, &target.recipe.build, &target.recipe.output))));
    for (name, toolchain) in toolchains {
        add(&words(serde_json::to_string(&(name, &toolchain.version, &toolchain.env))));
    }
    add(plain.unwrap_or_default().as_bytes());
    if [Product::Native, Product::Library].contains(&target.product) {
        add([env::consts::ARCH, "-", env::consts::OS].concat().as_bytes());
    }
    let language_folder = function.folder.parent().unwrap_or(&function.folder);
    let further = function.language.instead(target.product).map_or(&[][..], |native| &native.shared);
    for path in function.language.shared.iter().chain(further) {
        files(&language_folder.join(path), path, &mut add)?;
    }
    files(&function.folder, "", &mut add)?;
    Ok(sha256_hex(&all))
}

/// Adds a file, or all files below a folder in the order of their names; what is built or hidden is left out.
fn files(path: &Path, name: &str, add: &mut impl FnMut(&[u8])) -> Result<(), Problem> {
    let unreadable = |e| Problem::new(path, format!("cannot be read: {e}"), "it is a part of a function's source");
    if !path.is_dir() {
        add(name.as_bytes());
        let bytes = fs::read(path).map_err(unreadable)?;
        add(&if path.ends_with("Cargo.lock") { dependencies(&bytes) } else { bytes });
        return Ok(());
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(path).map_err(unreadable)? {
        names.push(entry.map_err(unreadable)?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    for file in names {
        if !(file.starts_with('.') || file.ends_with(".wasm") || (name.is_empty() && file == MANIFEST)) {
            files(&path.join(&file), &format!("{name}/{file}"), add)?;
        }
    }
    Ok(())
}

/// A lock file without the packages of the workspace itself: that there is another function changes no module.
fn dependencies(lock: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(lock);
    let of_a_registry = |package: &&str| package.lines().any(|line| line.starts_with("source = "));
    text.split("\n[[package]]\n").skip(1).filter(of_a_registry).collect::<String>().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::dependencies;

    #[test]
    fn packages_of_the_workspace_do_not_count() {
        let lock = |more: &str| {
            format!("version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1\"\nsource = \"registry\"\n{more}")
                .into_bytes()
        };
        let own = "\n[[package]]\nname = \"workload-a\"\nversion = \"0.1.0\"\ndependencies = [\n \"a\",\n]\n";
        let other = "\n[[package]]\nname = \"b\"\nversion = \"1\"\nsource = \"registry\"\n";
        assert_eq!(dependencies(&lock(own)), dependencies(&lock("")));
        assert_ne!(dependencies(&lock(other)), dependencies(&lock("")));
    }
}
