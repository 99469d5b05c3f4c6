//! Executables and libraries of this machine, and components: what is accepted as one, and where they are found again.

use super::super::{
    Problem,
    function::{Function, Product},
    toolchain::{self, Toolchain},
};
use super::{inputs, ledger::Ledger, toolchains_of};
use isobar_core::contract::LIBRARY_CALL;
use object::{Endianness, Object, ObjectSymbol, elf, read::elf::FileHeader};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// How a component begins: as a module, but for the layer.
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

/// Where the products are, and what they were built from. All but the modules are, like everything below `target`, never
/// committed.
pub(in super::super) fn folder(workloads: &Path, product: Product) -> PathBuf {
    let target = || workloads.parent().unwrap_or(workloads).join("target/workloads");
    match product {
        Product::Module => workloads.to_owned(),
        Product::Native | Product::Library => target().join("native"),
        Product::Component => target().join("component"),
    }
}

/// Refuses what is no component.
pub(super) fn check_component(bytes: &[u8]) -> Result<(), String> {
    if bytes.starts_with(COMPONENT) { Ok(()) } else { Err("the steps gave no component".to_owned()) }
}

/// Refuses what is no statically linked executable: another one takes its libraries from the machine, and its start
/// includes looking for them.
pub(super) fn check(bytes: &[u8]) -> Result<(), String> {
    let interpreter = match bytes.get(4) {
        Some(&elf::ELFCLASS32) => interpreter::<elf::FileHeader32<Endianness>>(bytes),
        _ => interpreter::<elf::FileHeader64<Endianness>>(bytes),
    };
    match interpreter {
        Err(e) => Err(format!("the steps gave no ELF executable: {e}")),
        Ok(true) => Err("the executable is linked dynamically: let the steps link it statically".to_owned()),
        Ok(false) => Ok(()),
    }
}

/// Refuses what is no library of a function.
pub(super) fn check_library(bytes: &[u8]) -> Result<(), String> {
    let library = object::File::parse(bytes).map_err(|e| format!("the steps gave no library: {e}"))?;
    let exported = library.dynamic_symbols().any(|one| one.is_definition() && one.name() == Ok(LIBRARY_CALL));
    exported.then_some(()).ok_or_else(|| format!("the library does not export {LIBRARY_CALL}"))
}

/// Whether the executable names a program that must load its libraries.
fn interpreter<Header: FileHeader<Endian = Endianness>>(bytes: &[u8]) -> object::Result<bool> {
    use object::read::elf::ProgramHeader;
    let header = Header::parse(bytes)?;
    let endian = header.endian()?;
    Ok(header.program_headers(endian, bytes)?.iter().any(|part| part.p_type(endian) == elf::PT_INTERP))
}

/// Writes an executable at once, as [`super::write`] does.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), Problem> {
    let writable = |e| Problem::new(path, format!("cannot be written: {e}"), "make its folder writable");
    path.parent().map_or(Ok(()), fs::create_dir_all).map_err(writable)?;
    super::write(path, bytes)?;
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).map_err(writable)?;
    Ok(())
}

/// A function's executable, library or component, as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct State {
    /// Where it is, or will be.
    pub(in super::super) path: PathBuf,
    /// The SHA-256 that it was recorded with, or why it cannot be used and what to do.
    pub(in super::super) sha256: Result<String, String>,
}

/// All executables, all libraries, or all components.
pub(in super::super) struct Store {
    product: Product,
    folder: PathBuf,
    ledger: Ledger,
    toolchains: BTreeMap<String, Toolchain>,
}

impl Store {
    /// Reads what is known of those that were built; where nothing was, there are none.
    pub(in super::super) fn read(workloads: &Path, product: Product) -> Result<Store, Problem> {
        let folder = folder(workloads, product);
        Ok(Store { product, ledger: Ledger::read(&folder)?, toolchains: toolchain::read(workloads)?, folder })
    }

    /// That of a function; `None` if it has no such build.
    pub(in super::super) fn of(&self, function: &Function) -> Option<State> {
        let target = function.instead(self.product)?;
        let path = self.folder.join(&target.module);
        let option = if self.product == Product::Component { "--component" } else { "--native" };
        let stale = |what: &str| format!("{what}; run isobar build {option} {}", function.name);
        let sha256 = match (self.ledger.entries.get(&target.name), self.ledger.sums.sha256(&target.module)) {
            (Some(entry), Some(sum)) if path.is_file() => {
                match inputs::digest(function, &target, &toolchains_of(&target, &self.toolchains), None) {
                    Err(problem) => Err(problem.to_string()),
                    Ok(inputs) if inputs != entry.inputs => {
                        Err(stale("its source or its toolchain is another one now"))
                    }
                    Ok(_) => Ok(sum.to_owned()),
                }
            }
            _ => Err(stale("it is not built")),
        };
        Some(State { path, sha256 })
    }
}

#[cfg(test)]
mod tests {
    use super::{check, check_library, write};

    #[test]
    fn only_a_static_executable_is_accepted() {
        assert!(check(b"\0asm\x01\0\0\0").unwrap_err().starts_with("the steps gave no ELF executable: "));
        assert!(check(b"").is_err());
        assert!(check(b"\x7fELF\x02\x01\x01").is_err());
        let dynamic = std::fs::read("/bin/sh").unwrap_or_default();
        // A system may have a static shell.
        if dynamic.windows(7).any(|part| part == b"/ld-lin") {
            assert!(check(&dynamic).unwrap_err().contains("linked dynamically"));
        }
    }

    #[test]
    fn a_library_exports_the_function_that_is_called() {
        assert!(check_library(b"\x7fELF").unwrap_err().starts_with("the steps gave no library: "));
        let executable = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        assert!(check_library(&executable).unwrap_err().ends_with("does not export isobar_call_v1"));
    }

    #[cfg(unix)]
    #[test]
    fn what_is_written_can_be_executed() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c/hello");
        write(&path, b"first").unwrap();
        write(&path, b"second").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"second");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o755);
    }
}
