//! The functions as executables and as libraries of this machine: each against the cases of its family, in a process of its
//! own or called again and again in one.
//!
//! What is stale is built first, as far as its toolchain is here. `cargo test --release --test native c/fibonacci` builds
//! and tests those whose name has that in it.

#[path = "support/workloads.rs"]
mod copies;

use copies::copy_workloads;
use isobar::registry::Registry;
use isobar::workload::{BuildOptions, BuildReport, Builder, Built, Catalogue, Workload};
use isobar_core::{Invocation, Outcome, Runtime};
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use std::error::Error;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// What calls libraries.
const IN_PROCESS: &str = "native/in-process";

/// What is built twice more: a function of each language.
const REBUILT: [&str; 5] = ["c/fibonacci", "cpp/fibonacci", "go/fibonacci", "rust/fibonacci", "zig/fibonacci"];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    match trials(&arguments) {
        Ok(trials) => libtest_mimic::run(&arguments, trials).exit_code(),
        Err(e) => {
            eprintln!("{e}");
            ExitCode::FAILURE
        }
    }
}

fn trials(arguments: &Arguments) -> Result<Vec<Trial>, Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let names: Vec<String> = Catalogue::load(&root.join("workloads"))?
        .workloads()
        .iter()
        .filter(|workload| workload.has_native().is_some())
        .map(|workload| workload.name.clone())
        .collect();
    let chosen = |name: &&String| match &arguments.filter {
        None => true,
        Some(filter) if arguments.exact => *name == filter,
        Some(filter) => name.contains(filter),
    };
    let filters: Vec<String> = names.iter().filter(chosen).cloned().collect();
    let report = if arguments.list || filters.is_empty() {
        BuildReport::default()
    } else {
        Builder::native(root)?.build(&BuildOptions { filters, ..BuildOptions::default() }, &|_, _| ())?
    };
    // Once more: now the executables are known.
    let catalogue = Catalogue::load(&root.join("workloads"))?;
    let function = |name: &String| {
        let built = report.built.iter().find(|(other, _)| other == name).map(|(_, built)| built.clone());
        let lacks = |toolchain: &String| format!("{toolchain} {}", report.missing[toolchain]);
        let absent = match &built {
            Some(Built::Lacks(toolchain)) => Some(lacks(toolchain)),
            _ => None,
        };
        let workload = catalogue.find(name).cloned();
        Trial::ignorable_test(name.clone(), move || match (absent, built) {
            (Some(why), _) => Ok(Completion::ignored_with(why)),
            (None, Some(Built::Failed(what))) => Err(what.into()),
            (None, _) => {
                let workload = workload?;
                let program = workload.native()?;
                test(&workload, |invocation| run(&program, invocation)).map(|()| Completion::Completed)
            }
        })
    };
    let mut trials: Vec<Trial> = names.iter().map(function).collect();
    let in_process = |name: &String| {
        let workload = catalogue.find(name).cloned();
        Trial::ignorable_test(format!("{name} as a library"), move || called(&workload?))
    };
    let has_library = |name: &&String| catalogue.find(name).is_ok_and(|workload| workload.has_library().is_some());
    trials.extend(names.iter().filter(has_library).map(in_process));
    trials.extend(REBUILT.map(|name| Trial::ignorable_test(format!("{name} is reproducible"), move || rebuild(name))));
    Ok(trials)
}

/// Loads a function's library once and calls it for everything, twice.
fn called(workload: &Workload) -> Result<Completion, Failed> {
    let library = match workload.library() {
        // Whatever kept it from being built has failed above.
        Err(e) => return Ok(Completion::ignored_with(e.to_string())),
        Ok(library) => library,
    };
    let registry = Registry::discover(None)?;
    let Some(runtime) = registry.runtimes.iter().find(|runtime| runtime.info().id.as_str() == IN_PROCESS) else {
        return Ok(Completion::ignored_with("its runner is not built; cargo build --release --workspace"));
    };
    let engine = runtime.engine()?;
    let module = engine.load(&library)?;
    for _ in 0..2 {
        test(workload, |invocation| module.instantiate(invocation)?.execute().map_err(|e| e.to_string().into()))?;
    }
    Ok(Completion::Completed)
}

/// All cases of a function's family and its smallest size; every failure is named.
fn test(workload: &Workload, run: impl Fn(&Invocation) -> Result<Outcome, Box<dyn Error>>) -> Result<(), Failed> {
    let mut failures = Vec::new();
    for size in ["small", "default"] {
        let Some((invocation, expectation)) = workload.size(size) else { continue };
        let checked = run(&invocation).map_err(|e| e.to_string()).and_then(|outcome| expectation.check(&outcome));
        failures.extend(checked.err().map(|what| format!("the size {size}: {what}")));
    }
    for (case, invocation, skipped) in workload.cases() {
        if skipped.is_none() {
            let checked = run(&invocation).map_err(|e| e.to_string()).and_then(|outcome| case.check(&outcome));
            failures.extend(checked.err().map(|what| format!("{}: {what}", case.name)));
        }
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n").into()) }
}

/// Starts the program with nothing but what the invocation gives.
fn run(program: &Path, invocation: &Invocation) -> Result<Outcome, Box<dyn Error>> {
    let mut command = Command::new(program);
    command.args(&invocation.args).env_clear().envs(invocation.env.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|e| format!("cannot be started: {e}"))?;
    let mut stdin = child.stdin.take().ok_or("no standard input")?;
    let output = std::thread::scope(|scope| {
        let written = scope.spawn(move || stdin.write_all(&invocation.stdin));
        let output = child.wait_with_output();
        match written.join() {
            // A function need not read what it gets.
            Ok(Err(e)) if e.kind() != ErrorKind::BrokenPipe => Err(e),
            _ => output,
        }
    });
    let output = output?;
    let exit_code = output.status.code().ok_or_else(|| format!("ended by {}", output.status))?;
    Ok(Outcome { exit_code, stdout: output.stdout, stderr: output.stderr })
}

/// Builds a function in two folders of different length; the executables must be the same.
fn rebuild(name: &str) -> Result<Completion, Failed> {
    let folder = tempfile::tempdir()?;
    let mut products: Vec<Vec<(PathBuf, Vec<u8>)>> = Vec::new();
    for place in ["a", "another-place/below"] {
        let root: PathBuf = folder.path().join(place);
        copy_workloads(&root, name.split('/').next().unwrap_or(name))?;
        let options = BuildOptions { filters: vec![name.to_owned()], ..BuildOptions::default() };
        let report = Builder::native(&root)?.build(&options, &|_, _| ())?;
        if let Some((toolchain, reason)) = report.missing.iter().next() {
            return Ok(Completion::ignored_with(format!("{toolchain} {reason}")));
        }
        if let Some((name, what)) = report.built.iter().find(|(_, built)| !matches!(built, Built::Done { .. })) {
            return Err(format!("{name}: {what:?}").into());
        }
        let store = root.join("target/workloads/native");
        let built = report.built.iter().map(|(name, _)| match name.strip_suffix("+library") {
            Some(name) => PathBuf::from(format!("{name}.so")),
            None => PathBuf::from(name),
        });
        products.push(
            built.map(|path| Ok((path.clone(), std::fs::read(store.join(path))?))).collect::<Result<_, Failed>>()?,
        );
    }
    if products[0] == products[1] {
        Ok(Completion::Completed)
    } else {
        Err(format!("{name} has other bytes in another folder").into())
    }
}
