//! Building, with the shell's own tools in place of compilers.

use super::super::Catalogue;
use super::{BuildOptions, BuildReport, Builder, Built};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

const MANIFEST: &str = "description = \"d\"\nstands_for = \"s\"\n[expected]\nstdout = \"\"\n";
const MODULE: &[u8] = b"\0asm\x01\0\0\0";
/// The same module with a custom section, so that its bytes are others.
const OTHER: &[u8] = b"\0asm\x01\0\0\0\0\x02\x01x";

/// A folder of functions in a language whose compiler is `cp`.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new(language: &str) -> Place {
        let place = Place { folder: tempfile::tempdir().unwrap() };
        place.write("workloads/x/language.toml", format!("title = \"X\"\n{language}").as_bytes());
        place.write("workloads/x/a/workload.toml", MANIFEST.as_bytes());
        place.write("workloads/x/a/a.x", MODULE);
        place.write(
            "workloads/toolchains.toml",
            b"[tool]\ndescription = \"d\"\nversion = \"1\"\nprogram = \"no/such/tool\"\nversion_args = [\"-v\"]\nget = \"install it\"\n",
        );
        place
    }

    fn copying() -> Place {
        Place::new("[[build]]\nrun = [\"cp\", \"{name}.x\", \"{out}\"]\n")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), bytes).unwrap();
    }

    fn build(&self, options: BuildOptions) -> BuildReport {
        Builder::new(self.folder.path()).unwrap().build(&options, &|_, _| ()).unwrap()
    }

    /// What became of `x/a` when it was stale.
    fn built(&self) -> Built {
        let report = self.build(BuildOptions::default());
        assert_eq!((report.current, report.built.len()), (0, 1), "{report:?}");
        assert_eq!(report.built[0].0, "x/a");
        report.built[0].1.clone()
    }

    fn is_current(&self) -> bool {
        let report = self.build(BuildOptions::default());
        assert_eq!(report.current + report.built.len(), 1, "{report:?}");
        report.current == 1
    }
}

fn done(bytes: &[u8], changed: bool) -> Built {
    Built::Done { bytes: bytes.len() as u64, changed, varies: None }
}

#[test]
fn a_module_is_stale_when_its_source_its_steps_or_its_own_bytes_are_others() {
    let place = Place::copying();
    assert_eq!(place.built(), done(MODULE, true));
    assert!(place.is_current());
    // The time of a file does not count.
    place.write("workloads/x/a/a.x", MODULE);
    assert!(place.is_current());
    // What a function is given is no part of its module.
    place.write("workloads/x/a/workload.toml", MANIFEST.replace("\"d\"", "\"other\"").as_bytes());
    assert!(place.is_current());
    place.write("workloads/x/a/a.x", OTHER);
    assert_eq!(place.built(), done(OTHER, true));
    assert_eq!(fs::read(place.path("workloads/x/a/a.wasm")).unwrap(), OTHER);
    place.write("workloads/x/a/b.h", b"another file of the source");
    assert_eq!(place.built(), done(OTHER, false));
    place.write(
        "workloads/x/language.toml",
        b"title = \"X\"\n[[build]]\nrun = [\"cp\", \"-f\", \"{name}.x\", \"{out}\"]\n",
    );
    assert_eq!(place.built(), done(OTHER, false));
    fs::write(place.path("workloads/x/a/a.wasm"), MODULE).unwrap();
    assert_eq!(place.built(), done(OTHER, false));
    fs::remove_file(place.path("workloads/x/a/a.wasm")).unwrap();
    assert_eq!(place.built(), done(OTHER, false));
    assert!(place.is_current());
    let forced = place.build(BuildOptions { force: true, ..BuildOptions::default() });
    assert_eq!((forced.current, forced.built), (0, vec![("x/a".to_owned(), done(OTHER, false))]));
}

#[test]
fn a_check_changes_nothing() {
    let place = Place::copying();
    place.built();
    place.write("workloads/x/a/a.x", OTHER);
    let files = ["workloads/x/a/a.wasm", "workloads/SHA256SUMS", "workloads/MODULES.toml"];
    let read = || files.map(|file| fs::read(place.path(file)).unwrap());
    let before = read();
    let checked = place.build(BuildOptions { check: true, ..BuildOptions::default() });
    assert_eq!(checked.built, [("x/a".to_owned(), done(OTHER, true))]);
    assert!(before == read());
    let left = fs::read_dir(place.path("target/workloads")).unwrap();
    let left: Vec<_> = left.filter_map(|entry| entry.unwrap().file_name().into_string().ok()).collect();
    assert!(!left.iter().any(|name| name.starts_with("check-")), "{left:?}");
}

#[test]
fn a_compiler_that_gives_other_bytes_elsewhere_is_told_apart() {
    let place = Place::copying();
    place.built();
    let steps = "title = \"X\"\nvaries = \"its paths\"\n[[build]]\nrun = [\"cp\", \"{name}.x\", \"{out}\"]\n";
    place.write("workloads/x/language.toml", steps.as_bytes());
    assert!(place.is_current(), "that is no part of a module");
    place.write("workloads/x/a/a.x", OTHER);
    let checked = place.build(BuildOptions { check: true, ..BuildOptions::default() });
    let varies = Some("its paths".to_owned());
    assert_eq!(checked.built, [("x/a".to_owned(), Built::Done { bytes: OTHER.len() as u64, changed: true, varies })]);
}

#[test]
fn without_its_toolchain_a_stale_module_stays_and_is_used() {
    let place = Place::copying();
    place.built();
    place.write("workloads/x/a/a.x", OTHER);
    let language = "title = \"X\"\ntoolchains = [\"tool\"]\n[[build]]\nrun = [\"{tool}\", \"{out}\"]\n";
    place.write("workloads/x/language.toml", language.as_bytes());
    let report = place.build(BuildOptions::default());
    assert_eq!(report.built, [("x/a".to_owned(), Built::Lacks("tool".to_owned()))]);
    let missing = BTreeMap::from([("tool".to_owned(), "is not here; install it".to_owned())]);
    assert_eq!(report.missing, missing);
    let catalogue = Catalogue::load(&place.path("workloads")).unwrap();
    assert_eq!(catalogue.find("x/a").unwrap().module_bytes, MODULE.len() as u64);
}

#[test]
fn a_step_that_fails_says_which_and_why_and_the_module_stays() {
    let told = |steps: &str| {
        let place = Place::copying();
        place.built();
        place.write("workloads/x/language.toml", format!("title = \"X\"\n{steps}").as_bytes());
        let Built::Failed(what) = place.built() else { panic!("{steps} did not fail") };
        assert_eq!(fs::read(place.path("workloads/x/a/a.wasm")).unwrap(), MODULE);
        what.replace(&place.folder.path().canonicalize().unwrap().display().to_string(), "ROOT")
    };
    let complains = "[[build]]\nrun = [\"sh\", \"-c\", \"echo a.x:3: error: no semicolon >&2; exit 4\"]\n";
    assert_eq!(told(complains), "sh ended with exit status: 4: a.x:3: error: no semicolon");
    assert!(told("[[build]]\nrun = [\"no-such-program\"]\n").starts_with("no-such-program cannot be started: "));
    assert!(told("[[build]]\nwat = \"gone.wat\"\n").contains("gone.wat"));
    assert!(told("[[build]]\ncopy = \"gone.bin\"\n").starts_with("ROOT/workloads/x/a/gone.bin: "));
    assert!(told("[[build]]\nrun = [\"true\"]\n").starts_with("the steps left no module at "));
    assert!(told("[[build]]\nrun = [\"cp\", \"{nothing}\"]\n").starts_with("{nothing} stands for nothing here"));
}

#[test]
fn what_must_not_be_in_a_module_is_not_accepted() {
    let told = |module: &dyn Fn(&Path) -> Vec<u8>| {
        let place = Place::copying();
        place.write("workloads/x/a/a.x", &module(&place.folder.path().canonicalize().unwrap()));
        let Built::Failed(what) = place.built() else { panic!("it was accepted") };
        assert!(!place.path("workloads/x/a/a.wasm").exists());
        what
    };
    let memory64 = wat::parse_str("(module (memory i64 1))").unwrap();
    assert!(told(&|_| memory64.clone()).contains("needs memory64, which is not among its `proposals`"));
    assert!(told(&|_| b"no module".to_vec()).starts_with("the steps gave no valid module: "));
    let with_path = |root: &Path| wat::parse_str(format!("(module (memory 1) (data (i32.const 0) {root:?}))")).unwrap();
    assert!(told(&with_path).contains("contains the path"));
}
