//! Languages compared by `isobar run --languages`, with the program as its users meet it.

mod support;

use serde_json::Value;
use std::fs;
use std::path::Path;
use support::{TINY, isobar, isobar_in, tiny_run};

/// A folder with a function that prints nothing, in two languages, and in a third one that is not built. Only in the size
/// `small` is that the right answer.
fn of_three_languages(root: &Path) {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("workloads");
    let sums = fs::read_to_string(own.join("SHA256SUMS")).unwrap();
    let empty = sums.lines().find(|line| line.ends_with("wat/empty/empty.wasm")).expect("its sum is known");
    let workloads = root.join("workloads");
    let mut known = String::new();
    for language in ["first", "second", "third"] {
        let folder = workloads.join(language).join("nothing");
        fs::create_dir_all(&folder).unwrap();
        let committed = language != "third";
        fs::write(folder.join("workload.toml"), format!("committed = {committed}\n")).unwrap();
        if committed {
            fs::copy(own.join("wat/empty/empty.wasm"), folder.join("nothing.wasm")).unwrap();
            known += &empty.replace("wat/empty/empty.wasm", &format!("{language}/nothing/nothing.wasm"));
            known += "\n";
        }
    }
    fs::write(workloads.join("SHA256SUMS"), known).unwrap();
    let family = "description = \"Nothing\"\nstands_for = \"Nothing.\"\nstresses = \"nothing\"\nspecification = \"Nothing.\"\n\
                  [languages]\nsize = \"small\"\nscenarios = [\"warm\"]\n[sizes]\nsmall.expected.stdout = \"\"\n\
                  default.expected.stdout = \"something\"\nlarge.expected.stdout = \"something\"\n";
    fs::create_dir_all(workloads.join("families")).unwrap();
    fs::write(workloads.join("families/nothing.toml"), family).unwrap();
}

fn header(run: &Path) -> Value {
    serde_json::from_slice(&fs::read(run.join("run.json")).unwrap()).unwrap()
}

#[test]
fn languages_are_compared_in_the_size_and_the_scenarios_of_the_family() {
    let folder = tempfile::tempdir().unwrap();
    of_three_languages(folder.path());
    let run = folder.path().join("run");
    let options = ["--filter", "wasm3/lazy", "--filter", "wasmi/eager", "--processes=1", "--strict"];
    let mut command = isobar_in(folder.path());
    command.env("ISOBAR_ROOT", folder.path()).args(["run", "--quick", "--languages"]).args(options);
    let output = command.arg("--into").arg(&run).assert().success().get_output().clone();
    let (said, table) = (String::from_utf8(output.stderr).unwrap(), String::from_utf8(output.stdout).unwrap());
    assert!(said.contains("absent: third/nothing: ") && said.contains("isobar build third/nothing"), "{said}");
    assert!(table.contains("nothing by language · warm invocation"), "{table}");
    let header = header(&run);
    let functions: Vec<_> = header["functions"].as_array().unwrap().iter().collect();
    assert_eq!(functions.len(), 2);
    for (function, language) in functions.iter().zip(["first", "second"]) {
        assert_eq!((&function["language"], &function["family"]), (&language.into(), &"nothing".into()));
        assert_eq!(function["size"], "small");
    }
    let cells = header["cells"].as_array().unwrap();
    assert!(cells.len() == 4 && cells.iter().all(|cell| cell["scenario"] == "warm"), "{cells:?}");
    assert_eq!(header["unbuilt"][0]["function"], "third/nothing");
    for name in ["languages-warm.svg", "languages-warm.png", "languages-modules.svg"] {
        assert!(run.join("charts").join(name).is_file(), "{name}");
    }
    assert!(!run.join("charts/languages-cold.svg").exists());
    let report = fs::read_to_string(run.join("report.html")).unwrap();
    assert!(report.contains("id=\"chart-languages-warm\"") && report.contains("third/nothing"), "{report}");

    // The rest of a run has the same size.
    let records = fs::read_to_string(run.join("records.jsonl")).unwrap();
    let first = records.lines().next().unwrap().to_owned() + "\n";
    fs::write(run.join("records.jsonl"), first).unwrap();
    let mut resume = isobar_in(folder.path());
    resume.env("ISOBAR_ROOT", folder.path()).args(["resume", "--strict"]).arg(&run).assert().success();
    assert!(fs::read_to_string(run.join("records.jsonl")).unwrap().lines().count() >= 4);
}

#[test]
fn every_other_run_measures_the_size_default() {
    let folder = tempfile::tempdir().unwrap();
    of_three_languages(folder.path());
    let run = folder.path().join("run");
    let options = ["--quick", "--filter", "wasm3/lazy", "--filter", "first/*", "--filter", "warm", "--processes=1"];
    let mut command = isobar_in(folder.path());
    command.env("ISOBAR_ROOT", folder.path()).arg("run").args(options).arg("--strict").arg("--into").arg(&run);
    command.assert().code(3);
    assert_eq!(header(&run)["functions"][0].get("size"), None);
    assert!(fs::read_to_string(run.join("records.jsonl")).unwrap().contains("something"));
}

#[test]
fn a_run_of_one_language_compares_none() {
    let folder = tempfile::tempdir().unwrap();
    let run = tiny_run(folder.path(), &["--filter", "warm"]);
    assert!(run.join("charts/warm.svg").is_file() && !run.join("charts/languages-warm.svg").exists());
    assert!(!fs::read_to_string(run.join("report.md")).unwrap().contains("## Languages"));
}

#[test]
fn a_wish_that_compares_nothing_is_refused() {
    let told = |args: &[&str]| {
        let assert = isobar().args(["run", "--languages"]).args(args).assert().code(2);
        String::from_utf8(assert.get_output().stderr.clone()).unwrap()
    };
    assert!(told(&["--filter", "rust/sudoku"]).contains("no function belongs to the set"));
    assert!(told(&["--all-functions"]).contains("cannot be used with"));
    let folder = tempfile::tempdir().unwrap();
    of_three_languages(folder.path());
    let file = folder.path().join("workloads/families/nothing.toml");
    let family = fs::read_to_string(&file).unwrap();
    for (from, to, said) in [
        ("\"warm\"", "\"luke-warm\"", "there is no scenario `luke-warm`; the scenarios are cold,"),
        ("size = \"small\"", "size = \"tiny\"", "there is no size `tiny`; the sizes are default, large, small"),
    ] {
        fs::write(&file, family.replace(from, to)).unwrap();
        let assert = isobar().env("ISOBAR_ROOT", folder.path()).arg("run").args(TINY).assert().code(2);
        let text = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
        assert!(text.contains("nothing.toml:") && text.contains(said), "{text}");
    }
}
