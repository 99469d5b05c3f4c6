//! Somebody who follows a page to the letter: types its commands and writes its files, in a checkout of their own.

use super::page::{File, Place, Step, steps};
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// What is no part of a checkout: what is built, installed or kept.
const NOT_COPIED: [&str; 5] = [".git", ".tools", "target", "node_modules", "coverage"];

/// What is added to cargo's configuration in a copy: isobar is built quickly there, as no time of it is told; and anew, as
/// cargo does not notice that a test was built for another folder.
const PROFILE: &str = "\n[profile.release.package.isobar]\nopt-level = 0\ncodegen-units = 32\n";

/// A reader, and the folder in which they stand.
pub struct Reader {
    checkout: TempDir,
    /// What they exported, as a script.
    exported: String,
}

impl Reader {
    /// In a checkout that is only read: all of it is the tests' own, and what is written is left in a temporary folder.
    pub fn beside() -> io::Result<Reader> {
        let checkout = tempfile::tempdir()?;
        for entry in fs::read_dir(here())? {
            let entry = entry?;
            if !["target", "results", ".git"].iter().any(|other| entry.file_name() == *other) {
                symlink(entry.path(), checkout.path().join(entry.file_name()))?;
            }
        }
        fs::create_dir_all(checkout.path().join("target"))?;
        symlink(programs(), checkout.path().join("target/release"))?;
        symlink(here().join("target/workloads"), checkout.path().join("target/workloads"))?;
        Ok(Reader { checkout, exported: String::new() })
    }

    /// In a copy that may be changed and built. Cargo finds there what was built here and did not change: the sources keep
    /// their times, and build products are the same files under a second name.
    pub fn in_a_copy() -> io::Result<Reader> {
        // On the file system of what was built.
        let checkout = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        let root = checkout.path();
        copy(here(), root, &|name| !NOT_COPIED.contains(&name), &copy_file)?;
        symlink(here().join(".tools"), root.join(".tools"))?;
        let release = root.join("target/release");
        copy(&programs().join(".fingerprint"), &release.join(".fingerprint"), &|_| true, &copy_file)?;
        for built in ["deps", "build"] {
            copy(&programs().join(built), &release.join(built), &|_| true, &|from, to| fs::hard_link(from, to))?;
        }
        for entry in fs::read_dir(programs())? {
            let (from, to) = (entry.as_ref().unwrap().path(), release.join(entry?.file_name()));
            if from.is_file() && from.extension().is_none() && from.file_name().is_some_and(|n| n != ".cargo-lock") {
                fs::hard_link(from, to)?;
            }
        }
        // The compilers' own libraries, which take minutes to build.
        let cache = root.join("target/workloads/cache");
        fs::create_dir_all(&cache)?;
        for kept in ["zig", "go"] {
            fs::create_dir_all(here().join("target/workloads/cache").join(kept))?;
            symlink(here().join("target/workloads/cache").join(kept), cache.join(kept))?;
        }
        let config = root.join(".cargo/config.toml");
        fs::write(&config, fs::read_to_string(&config)? + PROFILE)?;
        Ok(Reader { checkout, exported: String::new() })
    }

    /// Where they stand.
    pub fn folder(&self) -> &Path {
        self.checkout.path()
    }

    /// Does all that a page says, but for the commands that `elsewhere` names.
    ///
    /// # Panics
    /// A command fails, or a file has no place for what belongs into it.
    pub fn follows(&mut self, text: &str, elsewhere: &dyn Fn(&str) -> bool) {
        for step in steps(text) {
            match step {
                Step::Type(command) if elsewhere(&command) => {}
                Step::Type(command) => self.types(&command),
                Step::Write(file) => self.writes(&file),
            }
        }
    }

    /// Types one line; its end must be a success.
    pub fn types(&mut self, command: &str) {
        if command.starts_with("export ") {
            self.exported = format!("{}{command}\n", self.exported);
        }
        let mut shell = Command::new("bash");
        shell.args(["-euo", "pipefail", "-c", &format!("{}{command}", self.exported)]).current_dir(self.folder());
        for variable in ["ISOBAR_ROOT", "ISOBAR_RUNNERS", "ISOBAR_RUNNER_DIR", "CARGO_TARGET_DIR"] {
            shell.env_remove(variable);
        }
        let start = std::time::Instant::now();
        let output = shell.env("CARGO_NET_OFFLINE", "true").output().expect("bash is here");
        eprintln!("{:6.1} s  {command}", start.elapsed().as_secs_f64());
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (out, err) = (said(&output.stdout), said(&output.stderr));
        assert!(output.status.success(), "`{command}` ended with {}:\n{out}\n{err}", output.status);
        // A filter that chooses no test is no failure to cargo.
        let passed = out.split("test result: ok. ").skip(1).any(|result| !result.starts_with("0 passed"));
        assert!(passed || !command.contains("cargo test"), "`{command}` runs no test:\n{out}");
    }

    fn writes(&self, file: &File) {
        let path = self.folder().join(&file.path);
        let shown = file.path.display();
        fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("the folder can be made");
        let text = match &file.place {
            Place::Whole => file.text.clone(),
            Place::End => format!("{}\n{}", fs::read_to_string(&path).unwrap_or_default(), file.text),
            Place::After(line) => {
                let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{shown}: {e}"));
                let line = format!("{line}\n");
                assert_eq!(text.matches(&line).count(), 1, "{shown} has one line {line:?}");
                text.replace(&line, &format!("{line}{}", file.text))
            }
        };
        fs::write(&path, text).unwrap_or_else(|e| panic!("{shown}: {e}"));
    }
}

/// isobar's own folder.
pub fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where the programs were built.
fn programs() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_isobar")).parent().expect("a program is in a folder").to_owned()
}

/// Copies a folder as far as names are wanted, each file by `file`.
fn copy(
    from: &Path,
    to: &Path,
    wanted: &dyn Fn(&str) -> bool,
    file: &dyn Fn(&Path, &Path) -> io::Result<()>,
) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (name, kind) = (entry.file_name(), entry.file_type()?);
        if kind.is_dir() && wanted(&name.to_string_lossy()) {
            copy(&entry.path(), &to.join(name), wanted, file)?;
        } else if kind.is_file() {
            file(&entry.path(), &to.join(name))?;
        }
    }
    Ok(())
}

/// With its time and permissions, for cargo goes by the one and scripts need the other.
fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    fs::copy(from, to)?;
    let modified = fs::metadata(from)?.modified()?;
    // A file that may not be written has its time changed all the same, by its owner.
    fs::File::open(to)?.set_modified(modified)
}
