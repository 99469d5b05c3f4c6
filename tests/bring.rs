//! Modules that somebody brings: measured without a manifest, or refused with what is missing.

#[path = "support/script.rs"]
mod script;
mod support;

use isobar::record::{Record, Run};
use isobar_core::measure::{MeasureError, sha256_hex};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use support::isobar_in;

/// Writes its standard input, then its last argument (after a line end), then the first letter of its environment.
const ECHO: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "environ_get" (func $environ (param i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func $out (param $at i32) (param $bytes i32)
        (i32.store (i32.const 0) (local.get $at)) (i32.store (i32.const 4) (local.get $bytes))
        (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
    (func (export "_start")
        (i32.store (i32.const 0) (i32.const 1024)) (i32.store (i32.const 4) (i32.const 1000))
        (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 12)))
        (call $out (i32.const 1024) (i32.load (i32.const 12)))
        (drop (call $sizes (i32.const 16) (i32.const 20)))
        (drop (call $args (i32.const 4096) (i32.const 8192)))
        ;; The last byte of all arguments is a NUL; the one before it is the last argument's last letter.
        (call $out (i32.add (i32.const 8190) (i32.load (i32.const 20))) (i32.const 1))
        (drop (call $environ (i32.const 12288) (i32.const 16384)))
        (call $out (i32.const 16384) (i32.const 1))))"#;

/// Writes the time.
const CLOCK: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "clock_time_get" (func $now (param i32 i64 i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "_start")
        (drop (call $now (i32.const 1) (i64.const 0) (i32.const 16)))
        (i32.store (i32.const 0) (i32.const 16)) (i32.store (i32.const 4) (i32.const 8))
        (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#;

const EXITS: &str = r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1) (func (export "_start") (call $exit (i32.const 3))))"#;

/// What a runner does behind its head: it answers every request as a runtime would in which each function greets the world.
const OTHER: &str = r#"
while read -r request; do
    case "$request" in
    *'"op":"describe"'*) describe ;;
    *'"op":"load"'*) echo '{"reply":"made","handle":1,"elapsed_ns":10}' ;;
    *'"op":"instantiate"'*) echo '{"reply":"made","handle":2,"elapsed_ns":10}' ;;
    *'"op":"execute"'*) echo '{"reply":"executed","outcome":{"exit_code":0,"stdout":"SGVsbG8K","stderr":""},"elapsed_ns":10}' ;;
    *) echo '{"reply":"done","elapsed_ns":10}' ;;
    esac
done
"#;

/// A folder with modules, in which isobar is called.
struct Place(tempfile::TempDir);

impl Place {
    fn with(modules: &[(&str, &str)]) -> Place {
        let place = Place(tempfile::tempdir().unwrap());
        for (name, text) in modules {
            fs::write(place.path(name), text).unwrap();
        }
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn isobar(&self, args: &[&str]) -> Output {
        isobar_in(self.0.path()).args(args).output().unwrap()
    }

    /// Measures as little as can be in two runtimes, into the folder `run`.
    fn run(&self, args: &[&str]) -> Output {
        let tiny = ["run", "--quick", "--processes=1", "--max-processes=1", "--cell-time=1ms", "--filter=warm"];
        let into = ["--filter=wasm3/lazy", "--filter=wasmi/eager", "--into=run"];
        self.isobar(&[&tiny[..], &into, args].concat())
    }

    fn read(&self) -> Run {
        Run::read(&self.path("run")).unwrap()
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// That a call could not be done, and the line (or lines) that say why.
fn refused(output: &Output) -> String {
    let text = stderr(output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    let from = text.find("isobar: ").unwrap_or_else(|| panic!("no complaint: {text}"));
    text[from..].to_owned()
}

fn assert_measured(run: &Run, records: usize) {
    let failed: Vec<&Record> = run.records.iter().filter(|record| record.result.is_err()).collect();
    assert!(run.records.len() == records && failed.is_empty(), "{failed:?}");
}

#[test]
fn a_module_is_measured_with_its_call_and_the_answer_that_is_declared() {
    let place = Place::with(&[("My Echo+1.wat", ECHO), ("input", "in "), ("output", "in gX")]);
    let call = ["--module", "My Echo+1.wat", "--env", "X=1", "--arg", "-a", "--arg", "--big", "--stdin", "input"];
    let wasm = wat::parse_str(ECHO).unwrap();
    let sum = sha256_hex(b"in gX");
    for expected in [["--expect", "in gX"], ["--expect-file", "output"], ["--expect-sha256", &sum.to_uppercase()]] {
        let output = place.run(&[&call[..], &expected].concat());
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert!(!stderr(&output).contains("not declared"), "{}", stderr(&output));
        let run = place.read();
        assert_measured(&run, 2);
        let [function] = run.header.functions.as_slice() else { panic!("{:?}", run.header.functions) };
        assert_eq!((&*function.name, function.module_bytes), ("module/my-echo-1", wasm.len() as u64));
        assert_eq!(function.module_sha256, sha256_hex(&wasm));
        let brought = function.brought.as_ref().unwrap();
        assert_eq!(fs::read(place.path("run").join(&brought.module_file)).unwrap(), wasm);
        assert_eq!(
            (&brought.args[..], &brought.env[..]),
            (&["-a".into(), "--big".into()][..], &[("X".into(), "1".into())][..])
        );
        assert!(brought.observed_in.is_empty() && brought.stdout_sha256 == sum && brought.exit_code == 0);
        let report = fs::read_to_string(place.path("run/report.md")).unwrap();
        assert!(report.contains("My Echo+1.wat, called with -a --big X=1 3 bytes on standard input"), "{report}");
        fs::remove_dir_all(place.path("run")).unwrap();
    }
}

#[test]
fn a_wrong_answer_is_on_record_and_told_by_the_exit_code_when_asked_for() {
    let place = Place::with(&[("exits.wat", EXITS), ("clock.wat", CLOCK)]);
    let output = place.run(&["--module", "exits.wat", "--expect", "4", "--expect-exit", "3"]);
    assert_eq!(output.status.code(), Some(0), "a failure is a result: {}", stderr(&output));
    let records = place.read().records;
    assert!(!records.is_empty());
    for record in records {
        assert_eq!(record.result, Err(MeasureError::WrongAnswer("\"\" instead of \"4\"".into())));
    }
    fs::remove_dir_all(place.path("run")).unwrap();
    let output = place.run(&["--module", "exits.wat", "--expect", "", "--strict"]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(stderr(&output).contains("exit code 3 instead of 0"), "{}", stderr(&output));
}

#[test]
fn an_answer_that_nobody_declared_is_what_all_runtimes_answer() {
    let place = Place::with(&[("exits.wat", EXITS), ("echo.wat", ECHO), ("clock.wat", CLOCK)]);
    let output = place.run(&["--module", "echo.wat", "--arg=A", "--env=B=C"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let run = place.read();
    assert_measured(&run, 2);
    let brought = run.header.functions[0].brought.clone().unwrap();
    let ids: Vec<&str> = brought.observed_in.iter().map(|id| id.as_str()).collect();
    assert_eq!((ids, brought.stdout_sha256), (vec!["wasm3/lazy", "wasmi/eager"], sha256_hex(b"AB")));
    assert_eq!(fs::read(place.path("run").join(brought.stdout_file.unwrap())).unwrap(), b"AB");
    let said = "was not declared but observed in wasm3/lazy and wasmi/eager (exit code 0, ";
    assert!(run.header.warnings.iter().any(|warning| warning.contains(said)), "{:?}", run.header.warnings);
    fs::remove_dir_all(place.path("run")).unwrap();

    let said = refused(&place.run(&["--module", "clock.wat"]));
    assert!(said.contains("module/clock: two invocations in wasm3/lazy gave different answers"), "{said}");
    let said = refused(&place.run(&["--module", "exits.wat"]));
    assert!(said.contains("exit code 3 instead of 0; if it is meant to, give --expect-exit 3"), "{said}");
    assert!(!place.path("run").exists(), "what could not begin leaves nothing behind");
    assert!(place.run(&["--module", "exits.wat", "--expect-exit", "3"]).status.success());
    assert_measured(&place.read(), 2);
}

#[test]
fn runtimes_that_disagree_are_told_apart_and_nothing_is_measured() {
    let place = Place::with(&[("echo.wat", ECHO)]);
    script::install(&place.path(""), "mine", &(script::head("mine", &["sh"]) + OTHER));
    let call = ["--module", "echo.wat", "--arg=A", "--env=B=C", "--runners=.", "--filter=mine/sh"];
    let said = refused(&place.run(&call));
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].contains("module/echo: THE RUNTIMES DISAGREE") && lines[0].contains("--expect"), "{said}");
    for (bytes, excerpt, runtimes) in
        [(&b"AB"[..], "\"AB\"", "wasm3/lazy, wasmi/eager"), (b"Hello\n", "\"Hello\\n\"", "mine/sh")]
    {
        let end = format!("{} bytes, SHA-256 {}, {excerpt}: {runtimes}", bytes.len(), sha256_hex(bytes));
        assert!(lines[1..].iter().any(|line| line.ends_with(&end)), "{said}");
    }
    assert!(lines.len() == 3 && !place.path("run").exists(), "{said}");
    // Once somebody says who is right, the other one is a failure on record.
    let output = place.run(&[&call[..], &["--expect=AB"]].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    let run = place.read();
    let wrong = |record: &&Record| record.cell.runtime.as_str() == "mine/sh";
    assert!(run.records.iter().filter(wrong).all(|record| record.result.is_err()));
    assert_eq!(run.records.iter().filter(|record| record.result.is_ok()).count(), 2);
}

#[test]
fn a_run_goes_on_without_the_file_that_it_was_given() {
    let place = Place::with(&[("echo.wat", ECHO), ("input", "1\n")]);
    let call = ["--module=echo.wat", "--arg=A", "--env=B=C", "--stdin=input", "--expect=1\nAB", "--timeout-ms=5000"];
    assert!(place.run(&call).status.success());
    for file in ["echo.wat", "input"] {
        fs::remove_file(place.path(file)).unwrap();
    }
    let records = place.path("run/records.jsonl");
    let whole = fs::read_to_string(&records).unwrap();
    let cut_off = || fs::write(&records, whole.split_inclusive('\n').next().unwrap()).unwrap();
    cut_off();
    let output = place.isobar(&["resume", "run"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_measured(&place.read(), 2);

    for (file, said) in [("stdin", "not what it was"), ("stdout", "not what it was"), ("echo.wasm", "no valid module")]
    {
        let path = place.path("run/brought").join(file);
        let before = fs::read(&path).unwrap();
        fs::write(&path, [&before[..], b"x"].concat()).unwrap();
        cut_off();
        let refusal = refused(&place.isobar(&["resume", "run"]));
        assert!(
            refusal.contains("run cannot go on: ") && refusal.contains(said) && refusal.contains(file),
            "{refusal}"
        );
        fs::remove_file(&path).unwrap();
        let refusal = refused(&place.isobar(&["resume", "run"]));
        assert!(refusal.contains("o such file"), "{refusal}");
        fs::write(&path, before).unwrap();
    }
    assert!(place.isobar(&["resume", "run"]).status.success());
}

const START: &str = "(func (export \"_start\"))";

/// So many imports as Emscripten's minified ones are.
fn minified(count: u8) -> String {
    let import = |at: u8| {
        format!(
            "(import \"a\" \"{}\" (func (param i32) (result i32)))",
            char::from(if at < 26 { b'A' + at } else { b'a' + at - 26 })
        )
    };
    format!("(module {} {START})", (0..count).map(import).collect::<String>())
}

#[test]
fn what_can_run_nowhere_says_why() {
    let import = |rest: &str| format!("(module (import {rest}) {START})");
    let minified = minified(40);
    let cases = [
        (
            &*minified,
            "imports a.A(i32) -> i32, a.B(i32) -> i32, a.C(i32) -> i32, a.D(i32) -> i32, a.E(i32) -> i32 and 35 others, which no WASI has; built by Emscripten for JavaScript: build it with -sSTANDALONE_WASM",
        ),
        (
            &import(r#""env" "emscripten_date_now" (func (result f64))"#),
            "env.emscripten_date_now() -> f64, which no WASI has; built by Emscripten",
        ),
        (
            &import(r#""env" "memory" (memory 1)"#),
            "imports env.memory: memory, which no WASI has; link it without --import-memory",
        ),
        (
            &import(r#""env" "memory" (memory 1 1 shared)"#),
            "env.memory: shared memory, which no WASI has; built for threads",
        ),
        (
            &import(r#""env" "__memory_base" (global i32)"#),
            "env.__memory_base: global i32, which no WASI has; a dynamic library",
        ),
        (
            &import(r#""env" "abort" (func (param i32 i32 i32 i32))"#),
            "built by AssemblyScript for JavaScript: build it with @assemblyscript/wasi-shim",
        ),
        (
            &import(r#""gojs" "runtime.wasmExit" (func (param i32))"#),
            "built by Go for JavaScript: build it with GOOS=wasip1",
        ),
        (&import(r#""__wbindgen_placeholder__" "__wbindgen_throw" (func (param i32 i32))"#), "built by wasm-bindgen"),
        (&import(r#""wasi:cli/exit@0.2.0" "exit" (func (param i32))"#), "built for WASI preview 2"),
        (
            &import(r#""host" "f" (table 1 funcref)"#),
            "imports host.f: table, which no WASI has; a function gets WASI preview 1 and nothing else",
        ),
        ("(module (func (export \"_initialize\")))", "a reactor, which is a library"),
        ("(module)", "exports no `_start`, so it is no command; build it with a main"),
        ("(module (func (export \"_start\") (param i32)))", "exports _start(i32) -> (); build a WASI command"),
        ("(module (memory (export \"_start\") 1))", "exports _start: memory; build a WASI command"),
        ("(component)", "a component, and isobar runs core modules; build it as a core module"),
        ("(module (func (result i32)))", "no valid module: type mismatch"),
        ("(module", "malformed WebAssembly text"),
        ("hello", "malformed WebAssembly text"),
        (" \n", "empty; name a WebAssembly module"),
        ("\u{7f}ELF\u{2}", "a native program, or a module that was compiled ahead of time"),
        ("\0", "neither a WebAssembly binary nor WebAssembly text"),
    ];
    let place = Place::with(&[]);
    for (text, said) in cases {
        fs::write(place.path("x.wat"), text).unwrap();
        let refusal = refused(&place.run(&["--module", "x.wat"]));
        assert!(refusal.starts_with("isobar: x.wat: ") && refusal.contains(said), "{text}: {refusal}");
        assert_eq!(refusal.lines().count(), 1, "{refusal}");
    }
    for (file, said) in [("none.wasm", "none.wasm: there is no such file"), (".", ".: a folder; name the module in it")]
    {
        let refusal = refused(&place.run(&["--module", file]));
        assert!(refusal.contains(said), "{refusal}");
        let invoked = refused(&place.isobar(&["invoke", "wasmi/eager", "--module", file]));
        assert_eq!(invoked, refusal, "the same words");
    }
    assert!(!place.path("run").exists());
}

#[test]
fn what_a_runtime_lacks_is_named_and_the_others_measure() {
    // In `_start` itself: what a lazy mode never compiles, it does not lack.
    let simd = "(module (func (export \"_start\") (drop (v128.const i32x4 0 0 0 0))))";
    let place = Place::with(&[("simd.wat", simd)]);
    let refusal = refused(&place.run(&["--module", "simd.wat"]));
    let said = "module/simd cannot run in any of 2 runtimes: it needs the proposal simd (wasm3/lazy: rejected: ";
    assert!(refusal.contains(said) && refusal.lines().count() == 1, "{refusal}");

    let output = place.run(&["--module", "simd.wat", "--filter=wasmtime/cranelift", "--filter=cold"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(stderr(&output).lines().filter(|line| line.starts_with("skipped: ")).count(), 2, "{}", stderr(&output));
    let run = place.read();
    assert_measured(&run, 2);
    let skipped: Vec<&str> = run.header.skipped.iter().map(|skipped| skipped.runtime.as_str()).collect();
    assert_eq!(skipped, ["wasm3/lazy", "wasm3/lazy", "wasmi/eager", "wasmi/eager"], "warm and cold");
    assert!(
        run.header.skipped.iter().all(|skipped| skipped.reason.ends_with("(needs simd)")),
        "{:?}",
        run.header.skipped
    );
    let report = fs::read_to_string(place.path("run/report.md")).unwrap();
    assert_eq!(report.matches("(needs simd): wasm3/lazy").count(), 1, "once for both scenarios: {report}");

    for (text, proposals) in [
        ("(memory i64 1)", "memory64"),
        ("(tag)", "exceptions"),
        ("(type (struct))", "gc"),
        ("(memory 1 1 shared) (func (drop (i32.atomic.load (i32.const 0))))", "threads"),
        ("(memory 1) (memory 1)", "multi-memory"),
    ] {
        fs::write(place.path("x.wat"), format!("(module {text} {START})")).unwrap();
        let refusal = refused(&place.isobar(&["invoke", "wasm3/eager", "--module", "x.wat"]));
        assert!(refusal.contains("(needs ") && refusal.contains(proposals), "{refusal}");
    }
}

/// All functions of preview 1, by name and parameters, as text.
fn preview1() -> Vec<(&'static str, String)> {
    macro_rules! functions {
        ([] $(fn $name:ident($($arg:ident: $ty:ident),*) $(-> $result:ident)?;)*) => {
            vec![$((
                stringify!($name),
                concat!("(param", $(" ", stringify!($ty),)* ")" $(, "(result ", stringify!($result), ")")?).to_owned(),
            )),*]
        };
    }
    isobar_core::preview1!(functions)
}

#[test]
fn all_of_wasi_links_and_what_is_not_of_it_is_named_with_its_type() {
    let import = |(name, ty): (&str, String)| format!("(import \"wasi_snapshot_preview1\" \"{name}\" (func {ty}))");
    let all: String = preview1().into_iter().map(import).collect();
    let module = |imports: &str| format!("(module {imports} (memory (export \"memory\") 1) {START})");
    let place = Place::with(&[("all.wat", &module(&all))]);
    assert!(preview1().len() > 40);
    let output = place.run(&["--module", "all.wat", "--filter=wasm*/*", "--expect="]);
    assert!(output.status.success() && !stderr(&output).contains("skipped: "), "{}", stderr(&output));
    let run = place.read();
    assert!(run.records.len() > 10);
    assert_measured(&run, run.header.cells.len());
    fs::remove_dir_all(place.path("run")).unwrap();

    for (imports, said) in [
        (
            r#"(import "wasi_snapshot_preview1" "sock_oben" (func (param i32 i64) (result i32)))"#,
            "it imports wasi_snapshot_preview1.sock_oben(i32, i64) -> i32 (wasm3/lazy: link: ",
        ),
        (
            r#"(import "wasi_snapshot_preview1" "fd_write" (func (param i32) (result i32)))"#,
            "it imports wasi_snapshot_preview1.fd_write(i32) -> i32 (in WASI it is (i32, i32, i32, i32) -> i32) (wasm3/lazy: link: ",
        ),
        (
            r#"(import "wasi_unstable" "fd_write" (func (param i32 i32 i32 i32) (result i32)))"#,
            "(built for WASI preview 0: build it for preview 1) (wasm3/lazy: link: ",
        ),
    ] {
        fs::write(place.path("x.wat"), module(imports)).unwrap();
        let refusal = refused(&place.run(&["--module", "x.wat"]));
        assert!(refusal.contains(said) && refusal.lines().count() == 1, "{refusal}");
    }
}

#[test]
fn invoke_takes_the_same_words() {
    let place = Place::with(&[("echo.wat", ECHO), ("exits.wat", EXITS), ("input", "1\n")]);
    let call = ["invoke", "wasmi/eager", "--module=echo.wat", "--arg=--A", "--env=B=C", "--stdin=input"];
    let output = place.isobar(&call);
    assert_eq!((output.status.code(), &*output.stdout), (Some(0), &b"1\nAB"[..]), "{}", stderr(&output));
    let mut own = isobar_in(Path::new(&place.path("")));
    own.args(["invoke", "wasmi/eager", "echo.wat", "-e", "B=C", "--stdin", "--", "A"])
        .write_stdin("x")
        .assert()
        .success()
        .stdout("xAB");
    assert_eq!(place.isobar(&["invoke", "wasmi/eager", "--module=exits.wat"]).status.code(), Some(3));
    let text = refused(&place.isobar(&["invoke", "wasmi/eager", "--module=echo.wat", "--stdin=none"]));
    assert!(text.contains("--stdin: cannot read none"), "{text}");
}

#[test]
fn options_that_need_a_module_say_so() {
    let place = Place::with(&[("echo.wat", ECHO)]);
    let said = refused(&place.run(&["--env=A=B"]));
    assert!(said.contains("name it with --module FILE"), "{said}");
    for (args, said) in [
        (&["--expect=1"][..], "--module <FILE>"),
        (&["--module=echo.wat", "--expect-sha256=12"], "a SHA-256 has 64 hexadecimal digits"),
        (&["--module=echo.wat", "--expect=1", "--expect-file=x"], "cannot be used with"),
        (&["--module=echo.wat", "--all-functions"], "cannot be used with"),
        (&["--module=echo.wat", "--expect-file=none"], "--expect-file: cannot read none"),
        (&["--module=echo.wat", "--env=A"], "write --env KEY=VALUE"),
        (&["--module=echo.wat", "--filter=hello"], "the filter 'hello' matches no"),
    ] {
        let output = place.run(args);
        assert!(output.status.code() == Some(2) && stderr(&output).contains(said), "{args:?}: {}", stderr(&output));
    }
}
