//! The functions against their families, in Wasmtime in this process; and that their modules can be built again.
//!
//! `cargo test --release --test workloads c/fibonacci` runs those whose name has that in it. Modules that are built on
//! demand are tested with `-- --include-ignored`, as far as they are here.

#[path = "support/workloads.rs"]
mod copies;

use copies::copy_workloads;
use isobar::registry::in_process;
use isobar::workload::{BuildOptions, Builder, Built, Catalogue, Workload};
use isobar_core::{Invocation, Module, Outcome, Runtime};
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

const RUNTIME: &str = "wasmtime/cranelift";
/// The large sizes take a second each, and longer in interpreters.
const SIZES: [&str; 2] = ["small", "default"];
/// What is built twice: a function of each language whose compiler promises the same bytes everywhere, and one with a
/// snapshot.
const REBUILT: [&str; 5] =
    ["assemblyscript/fibonacci", "c/fibonacci", "rust/fibonacci", "rust/user-agent", "zig/fibonacci"];

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let catalogue = match Catalogue::load(&root.join("workloads")) {
        Ok(catalogue) => catalogue,
        Err(e) => {
            eprintln!("{e}");
            return ExitCode::FAILURE;
        }
    };
    let Some(runtime) = in_process().into_iter().find(|runtime| runtime.info().id.as_str() == RUNTIME) else {
        eprintln!("skipped: {RUNTIME} is not linked into isobar: build with the feature wasmtime");
        return ExitCode::SUCCESS;
    };
    let runtime: Arc<dyn Runtime> = Arc::from(runtime);
    let function = |workload: &Workload| {
        let (runtime, workload) = (runtime.clone(), workload.clone());
        let on_demand = !workload.committed;
        let trial = Trial::test(workload.name.clone(), move || test(&*runtime, &workload));
        trial.with_ignored_flag(on_demand)
    };
    let mut trials: Vec<Trial> = catalogue.workloads().iter().map(function).collect();
    trials.extend(REBUILT.map(|name| Trial::ignorable_test(format!("{name} is reproducible"), move || rebuild(name))));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// A function's sizes and all cases of its family; every failure is named.
fn test(runtime: &dyn Runtime, workload: &Workload) -> Result<(), Failed> {
    let module = runtime.engine()?.load(&workload.module_path)?;
    let mut failures = Vec::new();
    for size in SIZES {
        let Some((invocation, expectation)) = workload.size(size) else { continue };
        let checked = run(&*module, &invocation).and_then(|outcome| expectation.check(&outcome));
        failures.extend(checked.err().map(|what| format!("the size {size}: {what}")));
    }
    for (case, invocation, skipped) in workload.cases() {
        if skipped.is_none() {
            let checked = run(&*module, &invocation).and_then(|outcome| case.check(&outcome));
            failures.extend(checked.err().map(|what| format!("{}: {what}", case.name)));
        }
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n").into()) }
}

fn run(module: &dyn Module, invocation: &Invocation) -> Result<Outcome, String> {
    let run = || module.instantiate(invocation)?.execute();
    run().map_err(|failure| failure.to_string())
}

/// Builds a function and its variants in two folders of different length; the modules must be the same.
fn rebuild(name: &str) -> Result<Completion, Failed> {
    let folder = tempfile::tempdir()?;
    let mut modules = Vec::new();
    for place in ["a", "another-place/below"] {
        let root = folder.path().join(place);
        copy_workloads(&root, name.split('/').next().unwrap_or(name))?;
        let options = BuildOptions { filters: vec![name.to_owned()], ..BuildOptions::default() };
        let report = Builder::new(&root)?.build(&options, &|_, _| ())?;
        if let Some((toolchain, reason)) = report.missing.iter().next() {
            return Ok(Completion::ignored_with(format!("{toolchain} {reason}")));
        }
        if let Some((name, what)) = report.built.iter().find(|(_, built)| !matches!(built, Built::Done { .. })) {
            return Err(format!("{name}: {what:?}").into());
        }
        modules.push(built_modules(&root.join("workloads").join(name))?);
    }
    let names = |at: usize| modules[at].iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    if names(0).is_empty() || names(0) != names(1) {
        return Err(format!("built {:?} and {:?}", names(0), names(1)).into());
    }
    if let Some(((name, _), _)) = modules[0].iter().zip(&modules[1]).find(|(one, other)| one != other) {
        return Err(format!("{name} has other bytes in another folder").into());
    }
    // What is committed was built from these sources; what SHA256SUMS says of it was looked at when it was loaded.
    let recorded = built_modules(&Path::new(env!("CARGO_MANIFEST_DIR")).join("workloads").join(name))?;
    match recorded.iter().find(|module| !modules[0].contains(module)) {
        Some((name, _)) => Err(format!("{name} is not what its source gives: run isobar build").into()),
        None => Ok(Completion::Completed),
    }
}

/// Names and bytes, ordered by name.
fn built_modules(folder: &Path) -> std::io::Result<Vec<(String, Vec<u8>)>> {
    let mut modules = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "wasm") {
            modules.push((path.file_name().unwrap_or_default().to_string_lossy().into_owned(), fs::read(&path)?));
        }
    }
    modules.sort();
    Ok(modules)
}
