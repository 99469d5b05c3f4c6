//! `isobar new-workload`: what it makes from the template of each language builds, runs and answers at once, in a copy of
//! the functions' folder. A language whose toolchain is not here is skipped, and says so.
//!
//! `cargo test --release --test new_workload zig` tries that language alone.

#[path = "support/workloads.rs"]
mod copies;

use assert_cmd::Command;
use copies::{copy, copy_workloads};
use isobar::registry::in_process;
use isobar::workload::{BuildOptions, BuildReport, Builder, Built, Catalogue, Workload};
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use std::fs;
use std::path::Path;
use std::process::{ExitCode, Output};
use std::time::Duration;

/// Interprets what it runs through, and nothing else: the module of CPython has 13 MB.
const RUNTIME: &str = "wasmi/lazy";
const FUNCTION: &str = "count-lines";
const DESCRIPTION: &str = "Lines with \"WORD\" \\ in them";

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let workloads = here().join("workloads");
    let mut languages: Vec<String> = fs::read_dir(workloads)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()).filter(|path| path.join("new").is_dir()))
        .map(|path| path.file_name().unwrap_or_default().to_string_lossy().into_owned())
        .collect();
    languages.sort();
    let trial = |language: &String| {
        let language = language.clone();
        Trial::ignorable_test(language.clone(), move || make_build_run(&language))
    };
    let mut trials: Vec<Trial> = languages.iter().map(trial).collect();
    let complete = move || if languages.len() >= 10 { Ok(()) } else { Err(format!("only {languages:?}").into()) };
    trials.push(Trial::test("ten languages have a template", complete));
    trials.push(Trial::test("what cannot be made is refused in one line", refusals));
    trials.push(Trial::test("a step that fails leaves nothing behind", failed_step));
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn make_build_run(language: &str) -> Result<Completion, Failed> {
    let folder = tempfile::tempdir()?;
    let root = folder.path();
    copy_workloads(root, language)?;
    let name = format!("{language}/{FUNCTION}");
    let made = new_workload(root, &[language, FUNCTION, "--description", DESCRIPTION])?;
    if let Some(missing) = missing_toolchain(&made) {
        return Ok(Completion::ignored_with(missing));
    }
    let said = succeeded(&made)?;
    for command in ["isobar build", "isobar invoke wasmtime/cranelift", "isobar run --quick --filter"] {
        contains(&said, &format!("{command} {name}\n"))?;
    }
    let report = build(root, &name)?;
    if let Some((toolchain, reason)) = report.missing.iter().next() {
        return Ok(Completion::ignored_with(format!("{toolchain} {reason}")));
    }
    let wrong = report.built.iter().find(|(_, built)| !matches!(built, Built::Done { .. }));
    if let Some(what) = wrong {
        return Err(format!("{what:?}").into());
    }
    if let Some(problem) = report.problems.first() {
        return Err(problem.to_string().into());
    }
    // It is not stale, and neither is anything else that was built.
    let again = build(root, &name)?;
    if again.current != report.built.len() || !again.built.is_empty() {
        return Err(format!("built again: {:?}", again.built).into());
    }
    answers(root, &name, report.built.len())?;
    contains(&succeeded(&run(root, &["list"])?)?, &name)?;
    let invoked = succeeded(&run(root, &["invoke", RUNTIME, &name, "--env", "WORD=o", "--stdin"])?)?;
    if invoked == "0\n" { Ok(Completion::Completed) } else { Err(format!("invoke says {invoked:?}").into()) }
}

/// Every module of the function answers in its small and default sizes, and passes its cases.
fn answers(root: &Path, name: &str, modules: usize) -> Result<(), Failed> {
    let catalogue = Catalogue::load(&root.join("workloads"))?;
    let of_this = |workload: &&Workload| workload.name.split('+').next() == Some(name);
    let workloads: Vec<&Workload> = catalogue.workloads().iter().filter(of_this).collect();
    if workloads.len() != modules {
        return Err(format!("{modules} modules were built, {} are there", workloads.len()).into());
    }
    let runtime = in_process().into_iter().find(|runtime| runtime.info().id.as_str() == RUNTIME);
    let engine = runtime.ok_or("wasmi is not linked into isobar: build with the feature wasmi")?.engine()?;
    for workload in workloads {
        if workload.description != DESCRIPTION {
            return Err(format!("{} is described as {:?}", workload.name, workload.description).into());
        }
        let module = engine.load(&workload.module_path)?;
        let named = |what: String| format!("{}: {what}", workload.name);
        for size in ["small", "default"] {
            let (invocation, expectation) = workload.size(size).ok_or_else(|| named(format!("no size {size}")))?;
            let outcome = module.instantiate(&invocation)?.execute()?;
            expectation.check(&outcome).map_err(|what| named(format!("{size}: {what}")))?;
        }
        if workload.cases().count() < 4 {
            return Err(named("cases are missing".to_owned()).into());
        }
        for (case, invocation, _) in workload.cases() {
            let outcome = module.instantiate(&invocation)?.execute()?;
            case.check(&outcome).map_err(|what| named(format!("{}: {what}", case.name)))?;
        }
    }
    Ok(())
}

fn refusals() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let root = folder.path();
    copy_workloads(root, "c")?;
    copy(&here().join("workloads/cpp/language.toml"), &root.join("workloads/cpp/language.toml"))?;
    for (arguments, expected) in [
        (["cobol", "x", ""], "unknown language `cobol`; the languages are c, cpp"),
        (["C++", "x", ""], "unknown language `C++`; did you mean cpp?"),
        (["cp", "x", ""], "unknown language `cp`; did you mean cpp"),
        (["../c", "x", ""], "unknown language `../c`"),
        (["cpp", "x", ""], "the language `cpp` has no template; add "),
        (["c", "Shout", ""], "\"Shout\" is no name: lower-case letters, digits, `-` and `_`"),
        (["c", "../x", ""], "\"../x\" is no name"),
        (["c", "", ""], "\"\" is no name"),
        (["c", "9lives", ""], "\"9lives\" does not begin with a letter; choose another name"),
        (["c", "sort", ""], "`sort` is a family"),
        (["c", "common", ""], "common is there already; choose another name"),
        (["c", "x", "--description=a\nb"], "`description` is empty or has more than one line"),
        (["c", "x", "--description="], "`description` is empty or has more than one line"),
    ] {
        let arguments: Vec<&str> =
            arguments.into_iter().enumerate().filter(|(i, a)| *i < 2 || !a.is_empty()).map(|(_, a)| a).collect();
        let output = new_workload(root, &arguments)?;
        let stderr = String::from_utf8(output.stderr)?;
        if output.status.code() != Some(2) || !output.stdout.is_empty() || stderr.lines().count() != 1 {
            return Err(format!("{arguments:?}: {:?}, {stderr:?}", output.status).into());
        }
        contains(&stderr, expected)?;
    }
    // Nothing is left of what was refused, and the same name twice is refused the second time.
    for expected in [Some(0), Some(2)] {
        let output = new_workload(root, &["c", "x"])?;
        if output.status.code() != expected {
            return Err(format!("{:?} instead of {expected:?}: {output:?}", output.status).into());
        }
    }
    Ok(())
}

fn failed_step() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let root = folder.path();
    let language = root.join("workloads/made-up");
    fs::create_dir_all(language.join("new/@name@s"))?;
    fs::write(language.join("language.toml"), "title = \"Made up\"\n[[new]]\nrun = [\"false\"]\n")?;
    fs::write(language.join("new/@name@s/@name@.txt"), "@name@: @description@")?;
    copy(&here().join("workloads/new.toml"), &root.join("workloads/new.toml"))?;
    fs::write(root.join("workloads/SHA256SUMS"), "")?;
    let output = new_workload(root, &["made-up", "x"])?;
    contains(&String::from_utf8(output.stderr)?, "made-up/x cannot be made part of its language: false ended with")?;
    if language.join("x").exists() {
        return Err("the folder is still there".into());
    }
    fs::write(
        language.join("language.toml"),
        "title = \"Made up\"\n[[new]]\nrun = [\"test\", \"-f\", \"{name}/xs/x.txt\"]\n",
    )?;
    succeeded(&new_workload(root, &["made-up", "x", "--description", "a \"b\""])?)?;
    let text = fs::read_to_string(language.join("x/xs/x.txt"))?;
    if text == "x: 'a \"b\"'" { Ok(()) } else { Err(format!("the file says {text:?}").into()) }
}

fn new_workload(root: &Path, arguments: &[&str]) -> Result<Output, Failed> {
    run(root, &[&["new-workload"], arguments].concat())
}

fn run(root: &Path, arguments: &[&str]) -> Result<Output, Failed> {
    let mut command = Command::cargo_bin("isobar")?;
    command.current_dir(root).env_remove("ISOBAR_RUNNERS").env("ISOBAR_ROOT", root).timeout(Duration::from_secs(240));
    Ok(command.args(arguments).output()?)
}

fn build(root: &Path, name: &str) -> Result<BuildReport, Failed> {
    let options = BuildOptions { filters: vec![name.to_owned()], ..BuildOptions::default() };
    Ok(Builder::new(root)?.build(&options, &|_, _| ())?)
}

fn succeeded(output: &Output) -> Result<String, Failed> {
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout.clone())?);
    }
    Err(format!("{:?}: {}", output.status, String::from_utf8_lossy(&output.stderr)).into())
}

/// What a language says that needs its toolchain even to make a function.
fn missing_toolchain(output: &Output) -> Option<String> {
    let stderr = String::from_utf8_lossy(&output.stderr);
    (!output.status.success() && stderr.contains("scripts/toolchains")).then(|| stderr.trim().to_owned())
}

fn contains(text: &str, part: &str) -> Result<(), Failed> {
    if text.contains(part) { Ok(()) } else { Err(format!("{part:?} is not in {text:?}").into()) }
}

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
