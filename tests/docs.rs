//! What the documentation tells people to type works: the tutorial is run from its first command to its last, and every
//! call of isobar in any page is one that isobar understands.

use clap::Parser;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The pages: the README and everything in `docs`.
fn pages() -> Vec<PathBuf> {
    let docs = std::fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let mut pages: Vec<PathBuf> = docs.filter(|path| path.extension().is_some_and(|e| e == "md")).collect();
    pages.extend([root().join("README.md"), root().join("results/README.md")]);
    pages.sort();
    pages
}

/// The commands in the blocks that say they are for a shell; lines that go on are joined.
fn commands(text: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim() != "```sh" {
            continue;
        }
        let block: Vec<&str> = lines.by_ref().take_while(|line| line.trim() != "```").collect();
        let joined = block.join("\n").replace("\\\n", " ");
        commands.extend(joined.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()));
    }
    commands
}

#[test]
fn every_call_of_isobar_is_one() {
    let mut seen = 0;
    for page in pages() {
        for command in commands(&std::fs::read_to_string(&page).unwrap()) {
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

#[test]
fn the_tutorial_works_as_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_isobar"));
    let path = std::env::join_paths(
        std::iter::once(program.parent().unwrap().to_owned())
            .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())),
    );
    let text = std::fs::read_to_string(root().join("docs/TUTORIAL.md")).unwrap();
    let commands = commands(&text);
    assert!(commands.len() >= 10, "{commands:?}");
    for command in commands {
        let output = Command::new("bash")
            .args(["-euo", "pipefail", "-c", &command])
            .current_dir(folder.path())
            .env("PATH", path.as_ref().unwrap())
            .env("ISOBAR_ROOT", root())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "`{command}` ended with {}: {said}", output.status);
    }
    for left in ["first/report.html", "first/report.md", "second/records.jsonl", "first.csv"] {
        assert!(folder.path().join(left).is_file(), "{left} is missing");
    }
}
