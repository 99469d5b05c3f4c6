//! `isobar verify` through the program: what it says of runners that answer wrongly, crash, hang or refuse, and that every
//! committed function is right in every runtime that is present.

#[path = "support/script.rs"]
mod script;

use assert_cmd::Command;
use isobar::registry::Registry;
use isobar::workload::Catalogue;
use isobar_core::{Class, Form, Runtime};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

fn isobar() -> Command {
    let mut command = Command::cargo_bin("isobar").expect("the program is built");
    let here = env!("CARGO_MANIFEST_DIR");
    command.current_dir(here).env("ISOBAR_ROOT", here).env_remove("ISOBAR_RUNNERS").timeout(Duration::from_secs(1200));
    command
}

/// The runtimes of a runner that answer as their names say.
const ANSWERS: [&str; 11] =
    ["right", "differs", "exits", "crashes", "hangs", "slow", "lacks", "imports", "old", "mended", "too"];

/// What that runner does behind its head.
const RUNNER: &str = r#"
failed() {
    echo '{"reply":"failed","error":{"failure":'"$1"'}}'
}
answer() {
    echo '{"reply":"executed","outcome":{"exit_code":'"$1"',"stdout":"'"$2"'","stderr":""},"elapsed_ns":1}'
}
while read -r request; do
    case "$request" in
    *'"op":"describe"'*) describe ;;
    *'"op":"engine"'*) me=${request#*mine/}; me=${me%%\"*}; echo '{"reply":"done","elapsed_ns":1}' ;;
    *'"op":"load"'*) case $me in
        lacks) failed '{"failure":"rejected","message":"no","proposals":["simd"]}' ;;
        *) echo '{"reply":"made","handle":1,"elapsed_ns":1}' ;;
        esac ;;
    *'"op":"instantiate"'*) size=${request#*SIZE}; case $me in
        imports) failed '{"failure":"link","message":"unknown import: `env::help`"}' ;;
        *) echo '{"reply":"made","handle":2,"elapsed_ns":1}' ;;
        esac ;;
    *'"op":"execute"'*) case $me,$size in
        differs,*) answer 0 SGFsbG8K ;;
        exits,*) answer 7 SGVsbG8K ;;
        old,* | crashes,*) echo 'about to crash' >&2; kill -SEGV $$ ;;
        hangs,* | slow,*large*) exec sleep 1000 ;;
        *) answer 0 SGVsbG8K ;;
        esac ;;
    *) echo '{"reply":"done","elapsed_ns":1}' ;;
    esac
done
"#;

const FAMILY: &str = r#"
description = "Greets"
stands_for = "Nothing."
stresses = "nothing"
specification = "Prints Hello."
[sizes.small]
env.SIZE = "small"
expected.stdout = "Hello\n"
[sizes.default]
env.SIZE = "default"
expected.stdout = "Hello\n"
[sizes.large]
env.SIZE = "large"
expected.stdout = "Hello\n"
[[case]]
name = "as always"
expected.stdout = "Hello\n"
"#;

const KNOWN: &str = r#"
[[known]]
runtime = "mine/old"
function = "c/*"
version = "1.0"
reason = "it is old"
link = "https://example.org/1"
[[known]]
runtime = "mine/mended"
function = "c/greet"
version = "1.0"
reason = "it was broken"
[[known]]
runtime = "mine/crashes"
function = "c/greet"
version = "0.9"
reason = "another version"
"#;

/// A folder of somebody else: four functions, one without its module, one with a manifest that is wrong.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        let place = Place { folder: tempfile::tempdir().unwrap() };
        let wasm = wat::parse_str(r#"(module (import "env" "help" (func)) (func (export "_start")))"#).unwrap();
        let sum = isobar_core::measure::sha256_hex(&wasm);
        let own = "description = \"d\"\nstands_for = \"s\"\n";
        let mut sums = String::new();
        for (name, manifest, built) in [
            ("greet", String::new(), true),
            ("wrong", format!("{own}[expected]\nstdout = \"Hallo\\n\"\n"), true),
            ("absent", format!("{own}committed = false\n[expected]\nstdout = \"\"\n"), false),
        ] {
            place.write(&format!("workloads/c/{name}/workload.toml"), manifest.as_bytes());
            if built {
                place.write(&format!("workloads/c/{name}/{name}.wasm"), &wasm);
                sums += &format!("{sum}  c/{name}/{name}.wasm\n");
            }
        }
        place.write("workloads/SHA256SUMS", sums.as_bytes());
        place.write("workloads/families/greet.toml", FAMILY.as_bytes());
        place.write("workloads/known-failures.toml", KNOWN.as_bytes());
        fs::create_dir_all(place.path("runners")).unwrap();
        script::install(&place.path("runners"), "mine", &(script::head("mine", &ANSWERS) + RUNNER));
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), bytes).unwrap();
    }

    /// Verifies with this exit code; standard output, without the families that this machine does not have.
    fn verify(&self, args: &[&str], code: i32) -> String {
        let mut command = isobar();
        command.arg("--root").arg(self.folder.path()).arg("--runners").arg(self.path("runners")).arg("verify");
        let output = command.args(args).assert().code(code).get_output().stdout.clone();
        let text = String::from_utf8(output).unwrap();
        let here = |line: &&str| !line.contains("absent: ") || line.contains("c/absent");
        text.lines().filter(here).map(|line| format!("{line}\n")).collect()
    }
}

/// Long enough for a shell on a loaded machine; two of the runtimes hang so long.
const LIMIT: &str = "--limit=10s";

#[test]
fn everything_that_can_go_wrong_is_told_apart() {
    let place = Place::new();
    let all = ["--filter", "mine/*", "--case", "all", LIMIT, "--jobs", "8"];
    insta::assert_snapshot!("table", place.verify(&all, 1));
    let some = ["--filter", "mine/right", "--filter", "mine/differs", "--filter", "mine/lacks", "--format", "markdown"];
    insta::assert_snapshot!("markdown", place.verify(&some, 1));
    let json = place.verify(&[&all[..], &["--format", "json"]].concat(), 1);
    let answer: Value = serde_json::from_str(&json).unwrap();
    let rows = answer["rows"].as_array().unwrap();
    assert_eq!(
        rows.len(),
        11 * (4 + 1) + 1,
        "eleven runtimes, three sizes and a case, one size; and an absent function"
    );
    let of = |runtime: &str, input: &str| {
        let is = |row: &&Value| row["function"] == "c/greet" && row["runtime"] == runtime && row["input"] == input;
        rows.iter().find(is).unwrap_or_else(|| panic!("{runtime} {input}: {json}"))
    };
    for (runtime, input, verdict) in [
        ("mine/right", "large", "ok"),
        ("mine/differs", "small", "failed"),
        ("mine/crashes", "as always", "failed"),
        ("mine/hangs", "large", "failed"),
        ("mine/slow", "default", "ok"),
        ("mine/slow", "large", "slow"),
        ("mine/lacks", "small", "unsupported"),
        ("mine/imports", "small", "unsupported"),
        ("mine/old", "small", "known failure"),
    ] {
        assert_eq!(of(runtime, input)["verdict"], verdict, "{runtime} {input}");
    }
    assert_eq!(of("mine/imports", "small")["reason"], "needs the import env.help");
    assert_eq!(of("mine/lacks", "small")["reason"], "needs simd");
    assert_eq!(of("mine/exits", "small")["disagreement"], true, "the exit code is a part of the answer");
}

#[test]
fn what_fails_as_is_known_is_no_failure_and_need_not_be_tried() {
    let place = Place::new();
    let text = place.verify(&["--filter", "mine/old", "--filter", "mine/right", "--filter", "greet"], 0);
    assert!(text.contains("seen: runtime crashed") && text.contains("it is old (https://example.org/1)"), "{text}");
    let text = place.verify(&["--filter", "mine/old", "--skip-known", "--filter", "greet"], 0);
    assert!(text.contains("it is old (https://example.org/1); not tried"), "{text}");
    place.write("workloads/known-failures.toml", b"[[known]]\nruntime = 'x'\n");
    let mut command = isobar();
    let broken = command.arg("--root").arg(place.folder.path()).arg("verify").assert().code(2);
    let said = String::from_utf8(broken.get_output().stderr.clone()).unwrap();
    assert!(said.contains("known-failures.toml:1: the key `function` is missing"), "{said}");
}

#[test]
fn when_the_time_is_up_the_smallest_input_is_still_tried() {
    let place = Place::new();
    let text = place.verify(&["--filter", "mine/right", "--filter", "greet", "--total-time", "0s"], 0);
    assert!(text.contains("✓--") && text.contains("give more with --total-time"), "{text}");
}

#[test]
fn wishes_that_cannot_be_met_are_one_line() {
    for (args, said) in [
        (&["--filter", "wasmi/lasy"][..], "did you mean wasmi/lazy"),
        (&["--size", "smal"], "'smal' matches no size of these functions; did you mean small?"),
        (&["--case", "no such case"], "matches no case of these functions"),
        (&["--filter", "["], "'[' is no glob"),
        (&["--limit", "soon"], "invalid value 'soon'"),
    ] {
        let output = isobar().arg("verify").args(args).assert().code(2).get_output().clone();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains(said), "{text}");
    }
}

/// Runtimes that compile with LLVM take minutes for a large module.
const SLOW: [&str; 4] = ["wasmedge/aot", "wasmedge/jit", "wasmer/llvm", "wasmer/llvm-aot"];
/// What they are tested with.
const FEW: [&str; 4] = ["assemblyscript/*", "c/*", "rust/option-pricing", "wat/empty"];

/// Verifies the smallest input of the committed functions; how often each runtime answered rightly, or wrongly as known.
fn small(runtimes: &[String], functions: &[&str]) -> BTreeMap<String, usize> {
    let filters = runtimes.iter().map(String::as_str).chain(functions.iter().copied());
    let filters: Vec<&str> = filters.flat_map(|filter| ["--filter", filter]).collect();
    let options = ["--committed", "--size", "small", "--format", "json", "--limit", "60s", "--total-time", "1h"];
    let output = isobar().arg("verify").args(options).args(filters).assert().success().get_output().stdout.clone();
    let answer: Value = serde_json::from_slice(&output).unwrap();
    let mut right: BTreeMap<String, usize> = runtimes.iter().map(|id| (id.clone(), 0)).collect();
    for row in answer["rows"].as_array().unwrap() {
        match row["verdict"].as_str().unwrap() {
            "ok" => {}
            "known failure" => eprintln!("known: {} in {}: {}", row["function"], row["runtime"], row["reason"]),
            other => panic!("{other}: {row}"),
        }
        *right.get_mut(row["runtime"].as_str().unwrap()).unwrap() += 1;
    }
    right
}

#[test]
fn every_committed_function_is_right_in_every_runtime_that_is_present() {
    let registry = Registry::discover(None).unwrap();
    // Servers are asked over HTTP, and not by `verify`.
    let runners = registry.runtimes.iter().map(|runtime| runtime.info()).filter(|info| info.class != Class::Server);
    let plain = runners.map(|info| &info.id).filter(|id| id.variants().next().is_none());
    let (slow, fast): (Vec<String>, Vec<String>) =
        plain.map(ToString::to_string).partition(|id| SLOW.contains(&id.as_str()));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("workloads");
    let catalogue = Catalogue::load(&folder).unwrap();
    let committed = catalogue.workloads().iter().filter(|workload| workload.committed).count();
    for (id, right) in small(&fast, &[]) {
        let form = registry.find(&id).unwrap().info().form;
        // What loads something else has what was built of that, which may be nothing.
        assert!(right == committed || (form != Form::Wasm && right < committed), "{id}: {right} of {committed}");
    }
    if slow.is_empty() {
        return;
    }
    eprintln!("{} with {} only: `isobar verify` runs the others, which take long", slow.join(", "), FEW.join(", "));
    for (id, right) in small(&slow, &FEW) {
        assert!(right > 50, "{id}: {right}");
    }
}
