//! Tells the linker where the program finds libwasmedge when it runs: `scripts/setup-wasmedge` puts the library, or a
//! link to an installed one, into `.tools/wasmedge` of the project.

use std::path::{Path, PathBuf};

fn main() {
    let prefix = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.tools/wasmedge");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed={}", prefix.join("origin").display());
    // Without it wasmedge-sys looks for an installed one itself, and the system's loader must find that.
    let Ok(library) = prefix.join("link/libwasmedge.so").canonicalize() else { return };
    let Some(dir) = library.parent() else { return };
    println!("cargo:rustc-link-arg=-Wl,-rpath,{}", dir.display());
    // The old kind of rpath, which the libraries that libwasmedge itself needs are looked up by too.
    println!("cargo:rustc-link-arg=-Wl,--disable-new-dtags");
    if let Some(loader) = private_loader(&prefix) {
        // The library was built for a newer C library than the system's, which therefore lies beside it, loader and
        // all.
        println!("cargo:rustc-link-arg=-Wl,--dynamic-linker={}", loader.display());
        println!("cargo:rustc-link-arg=-Wl,--allow-shlib-undefined");
    }
}

fn private_loader(prefix: &Path) -> Option<PathBuf> {
    let files = std::fs::read_dir(prefix.join("lib")).ok()?;
    let loader = files.flatten().find(|file| file.file_name().to_string_lossy().starts_with("ld-linux"))?;
    loader.path().canonicalize().ok()
}
