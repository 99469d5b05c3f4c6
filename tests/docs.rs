//! What the documentation tells people to type works. Six pages are followed to the letter: every command is typed and
//! every file is written, from the page's own text. Of the others, every call of isobar is one that isobar understands.

#[path = "support/page.rs"]
mod page;
#[path = "support/reader.rs"]
mod reader;

use clap::Parser;
use page::{commands, spans};
use reader::{Reader, here};
use std::fs;
use std::path::{Path, PathBuf};

/// The pages that are followed.
const FOLLOWED: [&str; 6] = ["TUTORIAL", "METHODOLOGY", "BIAS", "ADD-A-RUNTIME", "ADD-A-CHART", "ADD-A-WORKLOAD"];

/// What those pages name and nobody types here, as it installs, takes minutes or has tests of its own: the file that runs
/// it, and the words there.
const ELSEWHERE: [(&str, &str, &str); 10] = [
    ("scripts/setup", "scripts/test", "scripts/setup --tests"),
    ("scripts/toolchains", "scripts/test", "scripts/toolchains rust python node crates"),
    ("scripts/toolchains python", "scripts/test", "scripts/toolchains rust python node crates"),
    ("cargo test --release --test native", "scripts/test", "cargo test --release --locked --workspace"),
    ("isobar selftest", "tests/compare.rs", "\"selftest\", \"--quick\""),
    ("isobar run --measure http", "tests/http_scenarios.rs", "\"http-*\""),
    ("isobar run --measure callgrind", "tests/measures.rs", "callgrind"),
    ("isobar run --languages", "tests/languages.rs", "--languages"),
    (
        "isobar invoke wasmtime/cranelift javascript/shout+wizer",
        "tests/new_workload.rs",
        "Every module of the function",
    ),
    ("isobar build --component [filter]", "tests/server_runner.rs", "Builder::component"),
];

fn page(name: &str) -> String {
    fs::read_to_string(here().join("docs").join(name).with_extension("md")).unwrap()
}

/// The pages: the README and everything in `docs`.
fn pages() -> Vec<PathBuf> {
    let docs = fs::read_dir(here().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let mut pages: Vec<PathBuf> = docs.filter(|path| path.extension().is_some_and(|e| e == "md")).collect();
    pages.extend([here().join("README.md"), here().join("results/README.md")]);
    pages.sort();
    pages
}

#[test]
fn every_call_of_isobar_is_one() {
    let mut seen = 0;
    for page in pages() {
        for command in commands(&fs::read_to_string(&page).unwrap()) {
            // What comes before and behind it in a pipe is the shell's.
            for call in
                command.split(" && ").flat_map(|part| part.split(" | ")).filter(|call| call.starts_with("isobar "))
            {
                let words = shlex::split(call).unwrap_or_else(|| panic!("{}: '{call}' is cut off", page.display()));
                let redirected = words.iter().position(|word| [">", "<", "&"].contains(&word.as_str()));
                let words = &words[..redirected.unwrap_or(words.len())];
                if let Err(error) = isobar::cmd::Cli::try_parse_from(words) {
                    let shows = matches!(
                        error.kind(),
                        clap::error::ErrorKind::DisplayHelp | clap::error::ErrorKind::DisplayVersion
                    );
                    assert!(shows, "{}: '{call}' is no call of isobar: {error}", page.display());
                }
                seen += 1;
            }
        }
    }
    assert!(seen > 40, "only {seen} calls were found");
}

/// Whether a command is run by something else than by who follows its page.
fn elsewhere(command: &str) -> bool {
    let command = command.split(" #").next().unwrap_or(command).trim();
    ELSEWHERE.iter().any(|(known, ..)| *known == command)
}

/// Whether a sentence that names a command means a part of this one. Words in capitals or brackets stand for others.
fn names(span: &str, command: &str) -> bool {
    let mut words = command.split_whitespace();
    let stands_for_another = |word: &str| word.starts_with('[') || word.bytes().all(|b| b.is_ascii_uppercase());
    span.split_whitespace().all(|word| words.any(|other| other == word || stands_for_another(word)))
}

#[test]
fn every_command_that_a_followed_page_names_is_run() {
    let typed: Vec<String> = FOLLOWED.iter().flat_map(|name| commands(&page(name))).collect();
    for name in FOLLOWED {
        let text = page(name);
        assert!(commands(&text).len() >= 4, "docs/{name}.md has no commands");
        let is_command = |span: &String| {
            let programs = ["isobar", "cargo", "scripts/", "pip", "npm", "apt-get", "sha256sum", "git", "rustup"];
            let program = span.split_whitespace().find(|word| !word.contains('=')).unwrap_or_default();
            programs.iter().any(|p| program == *p || p.ends_with('/') && program.starts_with(p)) && span.contains(' ')
                || program == "scripts/setup"
        };
        for span in spans(&text).into_iter().filter(is_command) {
            let is_run = elsewhere(&span) || typed.iter().any(|command| names(&span, command));
            assert!(is_run, "docs/{name}.md names `{span}`: have it typed there, or say in ELSEWHERE what runs it");
        }
    }
    for (command, file, words) in ELSEWHERE {
        let text = fs::read_to_string(here().join(file)).unwrap();
        assert!(text.contains(words), "{file} does not have {words:?}, which ran `{command}`");
        let is_there =
            |name: &str| commands(&page(name)).iter().chain(&spans(&page(name))).any(|c| c.contains(command));
        assert!(FOLLOWED.into_iter().any(is_there), "no page has `{command}` any more: remove it from ELSEWHERE");
    }
}

/// The tutorial says how isobar comes into the path.
fn with_isobar(mut reader: Reader) -> Reader {
    let exports = commands(&page("TUTORIAL")).into_iter().filter(|command| command.starts_with("export "));
    exports.for_each(|export| reader.types(&export));
    reader
}

#[test]
fn the_tutorial_works_as_it_stands() {
    let mut reader = Reader::beside().unwrap();
    reader.follows(&page("TUTORIAL"), &elsewhere);
    for left in ["first/report.html", "first/report.md", "second/records.jsonl", "first.csv"] {
        assert!(reader.folder().join(left).is_file(), "{left} is missing");
    }
}

#[test]
fn what_the_method_and_its_biases_claim_can_be_seen() {
    let mut reader = with_isobar(Reader::beside().unwrap());
    let valgrind = std::env::split_paths(&std::env::var_os("PATH").unwrap()).any(|f| f.join("valgrind").is_file());
    if !valgrind {
        eprintln!("skipped: counting instructions: valgrind is not here");
    }
    let left_out = |command: &str| elsewhere(command) || !valgrind && command.contains("instructions");
    reader.follows(&page("METHODOLOGY"), &left_out);
    reader.follows(&page("BIAS"), &left_out);
}

#[test]
fn a_runtime_and_a_chart_are_added_as_the_pages_say() {
    let mut reader = with_isobar(Reader::in_a_copy().unwrap());
    reader.follows(&page("ADD-A-RUNTIME"), &elsewhere);
    reader.follows(&page("ADD-A-CHART"), &elsewhere);
}

#[test]
fn functions_and_a_language_are_added_as_the_page_says() {
    let is_missing = |compiler: &&str| !here().join(".tools/bin").join(compiler).exists();
    if let Some(compiler) = ["zig", "nim"].into_iter().find(is_missing) {
        return eprintln!("skipped: adding functions: there is no {compiler}; scripts/toolchains python");
    }
    let mut reader = with_isobar(Reader::in_a_copy().unwrap());
    take_nim_away(reader.folder());
    reader.follows(&page("ADD-A-WORKLOAD"), &elsewhere);
}

/// What the page adds of Nim is not there before, nor are functions in it; what the page does not show is.
fn take_nim_away(root: &Path) {
    let nim = root.join("workloads/nim");
    fs::remove_file(nim.join("language.toml")).unwrap();
    for entry in fs::read_dir(nim).unwrap() {
        let path = entry.unwrap().path();
        if path.join("workload.toml").is_file() {
            fs::remove_dir_all(path).unwrap();
        }
    }
    let path = root.join("workloads/toolchains.toml");
    let toolchains = fs::read_to_string(&path).unwrap();
    let entries = toolchains.split("\n\n").filter(|entry| !entry.contains("[nim]"));
    fs::write(&path, entries.collect::<Vec<_>>().join("\n\n") + "\n").unwrap();
}
