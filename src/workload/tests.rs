use super::{Catalogue, MANIFEST, SUMS, WorkloadError, manifest};
use isobar_core::{
    Limits,
    measure::{Expectation, StdoutRule, sha256_hex},
};
use std::{fs, path::Path};

/// The smallest manifest; what is tested is added to it, from line 6.
const HEAD: &str = "description = \"d\"\nstands_for = \"s\"\n[expected]\nstdout = \"x\"\n\n";
const MODULE: &[u8] = b"\0asm\x01\0\0\0";

fn said(text: &str) -> String {
    manifest::parse(Path::new("."), text).unwrap_err().to_string()
}

#[test]
fn a_minimal_manifest_gets_the_defaults() {
    let manifest = manifest::parse(Path::new("."), HEAD).unwrap();
    assert_eq!((manifest.module.as_str(), manifest.quick), ("example.wasm", false));
    let default = &manifest.sizes["default"];
    assert_eq!(default.invocation(&[]), isobar_core::Invocation::default());
    assert_eq!(default.expectation, Expectation::exact("x"));
}

#[test]
fn a_full_manifest_is_read() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("in.bin"), [0, 255]).unwrap();
    let text = r#"
        description = "d"
        stands_for = "s"
        quick = true
        module = "build/other.wasm"
        args = ["-v", ""]
        stdin_file = "in.bin"
        stdin_times = 2
        limits = { wall_time_ms = 5, memory_bytes = 65536, output_bytes = 7 }
        [env]
        B = "=2="
        A = ""
        [expected]
        exit_code = 255
        stdout_prefix = "ab"
    "#;
    let manifest = manifest::parse(folder.path(), text).unwrap();
    assert!(manifest.quick);
    assert_eq!(manifest.module, "build/other.wasm");
    let default = &manifest.sizes["default"];
    let invocation = default.invocation(&["first".to_owned()]);
    assert_eq!(invocation.args, ["first", "-v", ""]);
    assert_eq!(invocation.stdin, [0, 255, 0, 255]);
    let env = [("A", ""), ("B", "=2=")].map(|(k, v)| (k.to_owned(), v.to_owned()));
    assert_eq!(invocation.env, env);
    let limits = Limits { wall_time_ns: 5_000_000, memory_bytes: 65536, output_bytes: 7 };
    assert_eq!(invocation.limits, limits);
    let expectation = Expectation { exit_code: 255, stdout: StdoutRule::Prefix(b"ab".to_vec()) };
    assert_eq!(default.expectation, expectation);
}

#[test]
fn every_rule_for_standard_output_is_read() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("out.bin"), [0, 255]).unwrap();
    let sum = "AB".repeat(32);
    for (rule, expected) in [
        ("stdout = \"\"".to_owned(), StdoutRule::Exact(Vec::new())),
        ("stdout_file = \"out.bin\"".to_owned(), StdoutRule::Exact(vec![0, 255])),
        ("stdout_prefix = \"é\"".to_owned(), StdoutRule::Prefix("é".into())),
        (format!("stdout_sha256 = \"{sum}\""), StdoutRule::Sha256("ab".repeat(32))),
    ] {
        let text = format!("description = \"d\"\nstands_for = \"s\"\n[expected]\n{rule}\n");
        assert_eq!(manifest::parse(folder.path(), &text).unwrap().sizes["default"].expectation.stdout, expected);
    }
}

#[test]
fn a_broken_manifest_names_the_line_what_is_wrong_and_the_remedy() {
    for (text, expected) in [
        ("", "workload.toml:1: the key `description` is missing; add it: see docs/ADD-A-WORKLOAD.md"),
        (
            "description = \"d\"\nstands_for = \"s\"\n",
            "workload.toml:1: the key `expected` is missing; add it: see docs/ADD-A-WORKLOAD.md",
        ),
        ("desciption = \"d\"\n", "workload.toml:1: unknown key `desciption`; did you mean `description`?"),
        (
            "description = \"d\"\n\nstands_for = 3\n",
            "workload.toml:3: invalid type: integer `3`, expected a string; write the value in quotes",
        ),
        (
            "description = \"\"\nstands_for = \"s\"\nexpected.stdout = \"\"",
            "workload.toml:1: `description` is empty or has more than one line; write one line of text",
        ),
        (
            "description = \"d\"\nstands_for = \"a\\nb\"\nexpected.stdout = \"\"",
            "workload.toml:2: `stands_for` is empty or has more than one line; write one line of text",
        ),
        ("description = \"d", "workload.toml:1: invalid basic string, expected `\"`; see docs/ADD-A-WORKLOAD.md"),
        (
            "description = \"d\"\nstands_for = \"s\"\n[expected]\n",
            "workload.toml:3: 0 rules for standard output instead of one; give one of `stdout`, `stdout_file`, `stdout_prefix`, `stdout_sha256`",
        ),
    ] {
        assert_eq!(said(text), expected);
    }
}

#[test]
fn a_bad_value_names_the_line_what_is_wrong_and_the_remedy() {
    for (tail, expected) in [
        (
            "stdout_prefix = \"y\"",
            "workload.toml:3: 2 rules for standard output instead of one; give one of `stdout`, `stdout_file`, `stdout_prefix`, `stdout_sha256`",
        ),
        ("stdout_sha256 = \"abc\"", "workload.toml:6: `stdout_sha256` is no SHA-256; write 64 hexadecimal digits"),
        ("exit_code = 256", "workload.toml:6: `exit_code` 256 is impossible; an exit code is a number from 0 to 255"),
        ("exit_code = -1", "workload.toml:6: `exit_code` -1 is impossible; an exit code is a number from 0 to 255"),
        ("stdout = \"y\"", "workload.toml:6: duplicate key; see docs/ADD-A-WORKLOAD.md"),
        ("std = \"y\"", "workload.toml:6: unknown key `std`; did you mean `stdout`?"),
        (
            "colour = \"y\"",
            "workload.toml:6: unknown key `colour`; the keys here are exit_code, stdout, stdout_file, stdout_prefix, stdout_sha256",
        ),
        ("[env]\nN = 32", "workload.toml:7: invalid type: integer `32`, expected a string; write the value in quotes"),
        (
            "[env]\n\"A=B\" = \"\"",
            "workload.toml:7: \"A=B\" cannot be the name of a variable; a name is not empty and has neither `=` nor NUL",
        ),
        (
            "[env]\nA = \"\"\n\"\" = \"\"",
            "workload.toml:8: \"\" cannot be the name of a variable; a name is not empty and has neither `=` nor NUL",
        ),
        (
            "[env]\n\"A\\u0000\" = \"\"",
            "workload.toml:7: \"A\\0\" cannot be the name of a variable; a name is not empty and has neither `=` nor NUL",
        ),
        ("[env]\nA = \"\\u0000\"", "workload.toml:7: a variable's value contains NUL; WASI cannot pass NUL: remove it"),
        (
            "[limits]\nwall_time_ms = 0",
            "workload.toml:7: invalid value: integer `0`, expected a nonzero u64; see docs/ADD-A-WORKLOAD.md",
        ),
        ("[limits]\nmemory = 1", "workload.toml:7: unknown key `memory`; did you mean `memory_bytes`?"),
    ] {
        assert_eq!(said(&format!("{HEAD}{tail}\n")), expected);
    }
}

#[test]
fn bad_files_and_arguments_are_refused() {
    for (start, expected) in [
        (
            "module = \"../x.wasm\"",
            "workload.toml:1: \"../x.wasm\" is not a path below this folder; keep a function's files in its own folder",
        ),
        (
            "module = \"/x.wasm\"",
            "workload.toml:1: \"/x.wasm\" is not a path below this folder; keep a function's files in its own folder",
        ),
        (
            "module = \"\"",
            "workload.toml:1: \"\" is not a path below this folder; keep a function's files in its own folder",
        ),
        (
            "stdin_file = \"absent\"",
            "workload.toml:1: cannot read ./absent: No such file or directory (os error 2); add the file or correct its name",
        ),
        ("stdin_file = \"absent\"\nstdin = \"\"", "workload.toml:1: both `stdin` and `stdin_file`; remove one of them"),
        ("args = [\"a\",\n\"\\u0000\"]", "workload.toml:2: an argument contains NUL; WASI cannot pass NUL: remove it"),
    ] {
        assert_eq!(said(&format!("{start}\n{HEAD}")), expected);
    }
}

/// A folder of functions: their names and manifests; every module is [`MODULE`].
fn functions(manifests: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let mut sums = String::new();
    for (name, text) in manifests {
        let folder = root.path().join(name);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(MANIFEST), text).unwrap();
        let module = format!("{name}/{}.wasm", name.rsplit('/').next().unwrap());
        fs::write(root.path().join(&module), MODULE).unwrap();
        sums += &format!("{}  {module}\n", sha256_hex(MODULE));
    }
    fs::write(root.path().join(SUMS), sums).unwrap();
    root
}

/// What loading says, the folder's own path left out.
fn load_says(root: &Path) -> Vec<String> {
    let said = Catalogue::load(root).unwrap_err().to_string();
    said.lines().map(|line| line.replace(&format!("{}/", root.display()), "")).collect()
}

#[test]
fn functions_are_found_by_name_and_a_bare_name_is_the_rust_one() {
    let root = functions(&[("rust/hello", HEAD), ("c/hello", HEAD), ("wat/empty", HEAD)]);
    fs::create_dir(root.path().join("rust/shared")).unwrap();
    let catalogue = Catalogue::load(root.path()).unwrap();
    let names: Vec<&str> = catalogue.workloads().iter().map(|w| w.name.as_str()).collect();
    assert_eq!(names, ["c/hello", "rust/hello", "wat/empty"]);
    let hello = catalogue.find("hello").unwrap();
    assert_eq!((hello.name.as_str(), hello.language.as_str()), ("rust/hello", "rust"));
    assert_eq!(hello.module_path, root.path().join("rust/hello/hello.wasm"));
    assert_eq!((hello.module_bytes, hello.module_sha256.clone()), (8, sha256_hex(MODULE)));
    assert_eq!(catalogue.find("c/hello").unwrap().name, "c/hello");
    for (name, said) in [
        ("empty", "unknown function `empty`; did you mean wat/empty?"),
        ("rust/helo", "unknown function `rust/helo`; did you mean rust/hello or c/hello?"),
        ("zzz", "unknown function `zzz`; `isobar list` names them all"),
    ] {
        assert_eq!(catalogue.find(name).unwrap_err().to_string(), said);
    }
}

#[test]
fn one_broken_function_does_not_hide_another() {
    let root = functions(&[("c/a", "quik = true"), ("c/b", HEAD), ("c/C", HEAD), ("rust/d", HEAD), ("rust/e", HEAD)]);
    fs::write(root.path().join("c/b/b.wasm"), b"\0asm\x01\0\0\0\0").unwrap();
    fs::remove_file(root.path().join("rust/d/d.wasm")).unwrap();
    fs::write(root.path().join("rust/e/e.wasm"), "(module)").unwrap();
    fs::write(root.path().join("rust").join(MANIFEST), HEAD).unwrap();
    let remedy = "run isobar build";
    let expected = [
        "c/C: \"C\" is no name: lower-case letters, digits, `-` and `_`, a letter or digit first; rename the folder".to_owned(),
        "c/a/workload.toml:1: unknown key `quik`; did you mean `quick`?".to_owned(),
        "rust/workload.toml: is in the folder of a language; a function lies two levels deep, in <language>/<name>: move its folder".to_owned(),
        format!("c/b/b.wasm: its SHA-256 begins with 45f950384546, SHA256SUMS says 93a44bbb96c7; {remedy}"),
        format!("rust/d/d.wasm: the module is not built; {remedy}"),
        format!("rust/e/e.wasm: not a WebAssembly binary; {remedy}"),
    ];
    assert_eq!(load_says(root.path()), expected);
    let WorkloadError::Broken(problems) = Catalogue::load(root.path()).unwrap_err() else { panic!() };
    assert_eq!((problems[1].line, problems[3].line), (Some(1), None));
}

#[test]
fn the_sums_must_be_there_well_formed_and_complete() {
    let root = functions(&[("rust/hello", HEAD)]);
    let sums = root.path().join(SUMS);
    let good = fs::read_to_string(&sums).unwrap();
    for (text, said) in [
        (String::new(), "rust/hello/hello.wasm: not in SHA256SUMS; run isobar build"),
        (format!("{good}x  y\n"), "SHA256SUMS:2: not a SHA-256, two spaces and a path; run isobar build"),
    ] {
        fs::write(&sums, text).unwrap();
        assert_eq!(load_says(root.path()), [said]);
    }
    fs::remove_file(&sums).unwrap();
    assert!(load_says(root.path())[0].starts_with("SHA256SUMS: cannot be read: "));
    assert!(Catalogue::load(&root.path().join("absent")).unwrap_err().to_string().contains("absent: cannot be read: "));
    let empty = functions(&[]);
    assert!(load_says(empty.path())[0].ends_with("holds no function; see docs/ADD-A-WORKLOAD.md"));
}

#[test]
fn a_module_that_is_built_on_demand_may_be_absent_or_old() {
    let on_demand = &format!("committed = false\n{HEAD}");
    let root = functions(&[("c/absent", on_demand), ("c/old", on_demand), ("c/there", on_demand)]);
    fs::remove_file(root.path().join("c/absent/absent.wasm")).unwrap();
    fs::write(root.path().join("c/old/old.wasm"), b"\0asm\x01\0\0\0\0").unwrap();
    let catalogue = Catalogue::load(root.path()).unwrap();
    let names: Vec<&str> = catalogue.workloads().iter().map(|w| w.name.as_str()).collect();
    assert_eq!(names, ["c/there"]);
    let reasons: Vec<&str> = catalogue.unbuilt().iter().map(|unbuilt| unbuilt.reason.as_str()).collect();
    assert_eq!(reasons[0], "its module is not here; run isobar build c/absent");
    assert!(reasons[1].starts_with("its SHA-256 begins with ") && reasons[1].ends_with("run isobar build c/old"));
    assert!(matches!(catalogue.find("c/old"), Err(WorkloadError::Unbuilt(_))));
}

#[test]
fn a_function_needs_the_toolchains_of_its_language_and_its_own() {
    let root = functions(&[("c/a", &format!("toolchains = [\"blake3\"]\n{HEAD}")), ("c/b", HEAD)]);
    let language = "title = \"C\"\ntoolchains = [\"zig\"]\n[variant.mvp]\n[[variant.mvp.build]]\nrun = [\"x\"]\n";
    fs::write(root.path().join("c").join(super::LANGUAGE), language).unwrap();
    let all = super::function::Functions::read(root.path()).unwrap();
    let needed = |at: usize| all.targets(&all.functions[at]).unwrap().into_iter().map(|t| t.recipe.toolchains.unwrap());
    let names: Vec<Vec<String>> = needed(0).chain(needed(1)).collect();
    assert_eq!(names, [vec!["blake3", "zig"], vec!["blake3", "zig"], vec!["zig"], vec!["zig"]]);
}

#[test]
fn a_function_has_a_native_build_where_its_language_or_itself_says_how() {
    let own = format!("{HEAD}[[native.build]]\nrun = [\"own\"]\n");
    let root = functions(&[("c/a", HEAD), ("c/b", &own), ("lua/a", HEAD)]);
    let language = "title = \"C\"\ntoolchains = [\"zig\"]\n[native]\n[[native.build]]\nrun = [\"language\"]\n";
    fs::write(root.path().join("c").join(super::LANGUAGE), language).unwrap();
    let all = super::function::Functions::read(root.path()).unwrap();
    assert!(all.problems.is_empty());
    let natives: Vec<_> =
        all.functions.iter().map(|function| function.instead(super::function::Product::Native)).collect();
    let steps = |at: usize| natives[at].as_ref().unwrap().recipe.build[0].run.clone().unwrap();
    assert_eq!((steps(0), steps(1), natives[2].is_none()), (vec!["language".into()], vec!["own".into()], true));
    assert_eq!(natives[1].as_ref().unwrap().recipe.toolchains, Some(vec!["zig".to_owned()]));
    let catalogue = Catalogue::load(root.path()).unwrap();
    let said = |name: &str| catalogue.find(name).unwrap().native().unwrap_err().to_string();
    assert_eq!(said("c/a"), "the function `c/a` has no executable: it is not built; run isobar build --native c/a");
    assert_eq!(said("lua/a"), "the function `lua/a` has no executable: lua is not built natively");
    let has = |name: &str| catalogue.find(name).unwrap().has_native();
    assert_eq!((has("c/a"), has("lua/a")), (Some(false), None));
}

#[test]
fn a_function_has_a_library_unless_its_language_says_why_not() {
    let own = format!("{HEAD}[[library.build]]\nrun = [\"own\"]\n");
    let root = functions(&[("c/a", HEAD), ("c/b", &own), ("c/e", HEAD), ("lua/a", HEAD)]);
    let language = "title = \"C\"\n[library]\nwithout = { e = \"it ends\" }\n[[library.build]]\nrun = [\"language\"]\n";
    fs::write(root.path().join("c").join(super::LANGUAGE), language).unwrap();
    let all = super::function::Functions::read(root.path()).unwrap();
    let libraries: Vec<_> =
        all.functions.iter().map(|function| function.instead(super::function::Product::Library)).collect();
    let steps = |at: usize| libraries[at].as_ref().unwrap().recipe.build[0].run.clone().unwrap();
    assert_eq!((steps(0), steps(1)), (vec!["language".into()], vec!["own".into()]));
    assert!(libraries[2].is_none() && libraries[3].is_none());
    let target = libraries[0].as_ref().unwrap();
    assert_eq!((&*target.name, &*target.module), ("c/a+library", "c/a.so"));
    let catalogue = Catalogue::load(root.path()).unwrap();
    let said = |name: &str| catalogue.find(name).unwrap().library().unwrap_err().to_string();
    assert_eq!(said("c/a"), "the function `c/a` has no library: it is not built; run isobar build --native c/a");
    assert_eq!(said("c/e"), "the function `c/e` has no library: it ends");
    assert_eq!(said("lua/a"), "the function `lua/a` has no library: lua is not built to libraries");
    let has = |name: &str| catalogue.find(name).unwrap().has_library();
    assert_eq!((has("c/a"), has("c/e")), (Some(false), None));
}

#[test]
fn an_executable_is_found_until_its_source_or_itself_is_another_one() {
    let root = functions(&[("workloads/c/a", HEAD)]);
    let workloads = root.path().join("workloads");
    let sums = fs::read_to_string(root.path().join(SUMS)).unwrap().replace("workloads/", "");
    fs::write(workloads.join(SUMS), sums).unwrap();
    // A static executable of 64 bits that nobody could start: its header, and no parts.
    let mut header = [0u8; 64];
    header[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
    fs::write(workloads.join("c/a/program"), header).unwrap();
    let language = "title = \"C\"\n[[build]]\nrun = [\"true\"]\n[native]\n[[native.build]]\ncopy = \"program\"\n";
    fs::write(workloads.join("c").join(super::LANGUAGE), language).unwrap();
    let build =
        || super::Builder::native(root.path()).unwrap().build(&super::BuildOptions::default(), &|_, _| ()).unwrap();
    let report = build();
    assert!(report.problems.is_empty() && matches!(report.built[0].1, super::Built::Done { .. }), "{report:?}");
    assert_eq!((build().current, build().built.len()), (1, 0));
    let native = || Catalogue::load(&workloads).unwrap().find("c/a").unwrap().native();
    let path = native().unwrap();
    assert_eq!(path, root.path().join("target/workloads/native/c/a"));
    fs::write(&path, b"something else").unwrap();
    assert!(native().unwrap_err().to_string().ends_with("run isobar build --native --force c/a"));
    assert_eq!(build().built.len(), 1);
    assert!(native().is_ok());
    fs::write(workloads.join("c/a/new.c"), "").unwrap();
    assert!(native().unwrap_err().to_string().contains("its source or its toolchain is another one now"));
}

#[test]
fn a_component_is_of_the_functions_that_its_table_names_and_of_what_they_share() {
    let root = functions(&[("workloads/c/a", HEAD), ("workloads/c/b", HEAD)]);
    let workloads = root.path().join("workloads");
    let sums = fs::read_to_string(root.path().join(SUMS)).unwrap().replace("workloads/", "");
    fs::write(workloads.join(SUMS), sums).unwrap();
    fs::create_dir(workloads.join("http")).unwrap();
    fs::write(workloads.join("http/shared"), "").unwrap();
    let language = "title = \"C\"\n[[build]]\nrun = [\"true\"]\n[component]\nonly = [\"a\"]\nshared = [\"../http\"]\n\
                    [[component.build]]\ncopy = \"program\"\n";
    fs::write(workloads.join("c").join(super::LANGUAGE), language).unwrap();
    let build = |program: &[u8]| {
        fs::write(workloads.join("c/a/program"), program).unwrap();
        let builder = super::Builder::component(root.path()).unwrap();
        let report = builder.build(&super::BuildOptions::default(), &|_, _| ()).unwrap();
        assert!(report.problems.is_empty(), "{report:?}");
        report.built
    };
    let built = build(b"\0asm\x01\0\0\0");
    assert_eq!(built, [("c/a".to_owned(), super::Built::Failed("the steps gave no component".to_owned()))]);
    assert!(matches!(build(b"\0asm\x0d\0\x01\0")[0].1, super::Built::Done { bytes: 8, .. }));
    let component = |name: &str| Catalogue::load(&workloads).unwrap().find(name).unwrap().component();
    assert_eq!(component("c/a").unwrap(), root.path().join("target/workloads/component/c/a.wasm"));
    assert_eq!(component("c/b").unwrap_err().reason(), "no component: it is not built as one");
    fs::write(workloads.join("http/shared"), "another").unwrap();
    let said = component("c/a").unwrap_err().reason();
    assert!(said.ends_with("another one now; run isobar build --component c/a"), "{said}");
}

#[test]
fn a_native_table_that_builds_no_executable_is_refused() {
    for (table, expected) in [
        ("[native]\n", "workload.toml:6: `[native]` without steps; add [[native.build]]"),
        (
            "[[native.build]]\nwat = \"a.wat\"\n",
            "workload.toml:6: a step that makes no executable; use `run` or `copy`",
        ),
        ("[native]\nbuilt = 1\n", "workload.toml:7: unknown key `built`; did you mean `build`?"),
    ] {
        assert_eq!(said(&format!("{HEAD}{table}")), expected);
    }
}

#[test]
fn the_committed_functions_are_complete_and_match_their_sums() {
    let catalogue = Catalogue::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("workloads")).unwrap();
    let quick = ["rust/fibonacci", "rust/hello", "wat/empty"];
    let found: Vec<&str> =
        catalogue.workloads().iter().filter(|w| w.quick && w.variant.is_none()).map(|w| w.name.as_str()).collect();
    assert_eq!(found, quick);
    let default = ["rust/blake3", "rust/fibonacci", "rust/hello", "rust/sudoku", "wat/empty", "wat/large-data"];
    let plain = catalogue.workloads().iter().filter(|w| w.default && w.variant.is_none());
    assert_eq!(plain.map(|w| w.name.as_str()).collect::<Vec<_>>(), default);
    for name in ["rust/blake3", "rust/sudoku", "wat/large-data"] {
        assert!(catalogue.find(name).unwrap().module_bytes > 0);
    }
}

#[test]
fn a_function_without_a_family_has_sizes_and_cases_of_its_own() {
    let text = r#"
        description = "d"
        stands_for = "s"
        [limits]
        output_bytes = 9
        [sizes.small]
        env.A = "1"
        expected.stdout = "1"
        [sizes.default]
        stdin = "ab"
        stdin_times = 3
        expected.stdout = "2"
        [[case]]
        name = "good"
        expected.stdout = ""
        [[case]]
        name = "not good"
        bad = true
    "#;
    let manifest = manifest::parse(Path::new("."), text).unwrap();
    assert_eq!(manifest.sizes.keys().collect::<Vec<_>>(), ["default", "small"]);
    assert_eq!(manifest.sizes["default"].invocation(&[]).stdin, b"ababab");
    assert_eq!(manifest.sizes["small"].invocation(&[]).limits.output_bytes, 9);
    assert_eq!(manifest.sizes["small"].expectation, Expectation::exact("1"));
    assert_eq!(manifest.cases.iter().map(|case| case.name.as_str()).collect::<Vec<_>>(), ["good", "not good"]);
    let own = "description = \"d\"\nstands_for = \"s\"\n";
    for (tail, expected) in [
        (
            "[sizes.small]\nexpected.stdout = \"\"",
            "workload.toml:1: the key `sizes.default` is missing; add it: see docs/ADD-A-WORKLOAD.md",
        ),
        ("[sizes.default]\nenv.A = \"1\"", "workload.toml:3: a size without `expected`; say what it must answer"),
        (
            "[sizes.default]\nlike = \"small\"",
            "workload.toml:3: `like` without a family; say what the size gives and expects, or name the family",
        ),
        (
            "expected.stdout = \"\"\n[sizes.default]\nexpected.stdout = \"\"",
            "workload.toml:3: `expected` beside `[sizes]`; move it to `[sizes.default]`",
        ),
        (
            "env.A = \"\"\n[sizes.default]\nexpected.stdout = \"\"",
            "workload.toml: an invocation beside `[sizes]`; say in each size what it gives",
        ),
        (
            "[expected]\nstdout = \"\"\n[[case]]\nname = \"a\"\nbad = true\n[[case]]\nname = \"a\"\nbad = true",
            "workload.toml:9: two cases are named \"a\"; rename one",
        ),
    ] {
        assert_eq!(said(&format!("{own}{tail}\n")), expected);
    }
}
