//! Libraries that this machine's C compiler makes; without one there is nothing to load.

use super::Inside;
use isobar_core::{Failure, Invocation, Limits, Outcome, Runtime};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// The folder of `isobar.h`.
const LIBRARIES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../workloads/libraries");

/// A library of this source, by the interface itself or as a program that is made one.
fn library(folder: &TempDir, source: &str, program: bool) -> Option<PathBuf> {
    let (file, library) = (folder.path().join("library.c"), folder.path().join("library.so"));
    std::fs::write(&file, source).unwrap();
    let mut compiler = Command::new("cc");
    compiler.args(["-std=gnu17", "-O2", "-shared", "-fPIC", "-I", LIBRARIES, "-o"]).arg(&library);
    if program {
        compiler.args(["-include", "program.h"]).arg(format!("{LIBRARIES}/program.c"));
    }
    match compiler.arg(&file).output() {
        Err(e) => {
            eprintln!("skipped: cc: {e}");
            None
        }
        Ok(output) => {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            Some(library)
        }
    }
}

fn inside() -> Inside {
    Inside::new("test")
}

fn outcome(exit_code: i32, stdout: &str, stderr: &str) -> Result<Outcome, Failure> {
    Ok(Outcome { exit_code, stdout: stdout.as_bytes().to_vec(), stderr: stderr.as_bytes().to_vec() })
}

/// Repeats all that it is given, with a number that lives on.
const REPEATS: &str = r#"
#include "isobar.h"
#include <string.h>
static void say(const struct isobar_call *call, int stream, const char *text)
{
    call->write(call->host, stream, (const uint8_t *)text, strlen(text));
    call->write(call->host, stream, (const uint8_t *)"|", 1);
}
int32_t isobar_call_v1(const struct isobar_call *call)
{
    static int calls;
    for (int at = 0; at < call->argc; at++) say(call, 1, call->argv[at]);
    for (const char *const *at = call->env; *at; at++) say(call, 2, *at);
    call->write(call->host, 1, call->input, call->input_len);
    call->write(call->host, 3, (const uint8_t *)"nobody's", 8);
    return call->argv[call->argc] == 0 ? calls++ : -1;
}
"#;

#[test]
fn a_call_has_all_of_an_invocation_and_the_library_lives_on() {
    let folder = tempfile::tempdir().unwrap();
    let Some(library) = library(&folder, REPEATS, false) else { return };
    let module = inside().engine().unwrap().load(&library).unwrap();
    let invocation = Invocation {
        args: vec!["a".into(), String::new()],
        stdin: b"in\0put".to_vec(),
        ..Invocation::with_env([("B", "2"), ("A", "x=y")])
    };
    for call in 0..3 {
        let answered = module.instantiate(&invocation).unwrap().execute();
        assert_eq!(answered, outcome(call, "function|a||in\0put", "B=2|A=x=y|"));
    }
    let limits = Limits { output_bytes: 12, ..Limits::default() };
    let flooded = module.instantiate(&Invocation { limits, ..invocation }).unwrap().execute();
    assert_eq!(flooded, Err(Failure::OutputLimit { limit_bytes: 12 }));
    assert_eq!(module.instantiate(&Invocation::default()).unwrap().execute(), outcome(4, "function|", ""));
}

/// Reads a line, leaves memory and unread input behind, and ends by `exit` if it is told to.
const PROGRAM: &str = r#"
#include <stdio.h>
#include <stdlib.h>
int main(void)
{
    char line[100] = "";
    const char *code = getenv("CODE");
    for (int round = 0; round < 3; round++) {
        char *left = realloc(round == 1 ? malloc(10) : NULL, 8 << 20);
        if (left == NULL) return 100;
        for (size_t at = 0; at < 8 << 20; at += 4096) left[at] = 1;
    }
    free(calloc(3, 5));
    printf("%s", fgets(line, sizeof line, stdin) == NULL ? "nothing" : line);
    fprintf(stderr, "said");
    if (code != NULL) exit(atoi(code));
    return 3;
}
"#;

#[test]
fn a_program_in_c_can_be_called_again_and_again() {
    let folder = tempfile::tempdir().unwrap();
    let Some(library) = library(&folder, PROGRAM, true) else { return };
    let module = inside().engine().unwrap().load(&library).unwrap();
    let call = |code: Option<&str>, stdin: &str| {
        let invocation = Invocation::with_env(code.map(|code| ("CODE", code)));
        module.instantiate(&Invocation { stdin: stdin.as_bytes().to_vec(), ..invocation }).unwrap().execute()
    };
    for _ in 0..2 {
        assert_eq!(call(None, "one\ntwo\n"), outcome(3, "one\n", "said"));
        assert_eq!(call(Some("0"), ""), outcome(0, "nothing", "said"));
        assert_eq!(call(Some("257"), "three"), outcome(1, "three", "said"));
    }
    // It leaves 24 MiB each time, which nobody has after it.
    for _ in 0..20 {
        assert_eq!(call(None, "x"), outcome(3, "x", "said"));
    }
    let weighs = isobar_core::process::memory().uss_bytes.unwrap();
    assert!(weighs < 20 * (24 << 20), "{weighs}");
}

#[test]
fn what_is_no_library_of_a_function_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let engine = inside().engine().unwrap();
    let text = folder.path().join("text.so");
    std::fs::write(&text, "text").unwrap();
    for path in [text.as_path(), Path::new("/nowhere/at/all.so")] {
        assert!(matches!(engine.load(path).err(), Some(Failure::Rejected { .. })), "{}", path.display());
    }
    let Some(library) = library(&folder, "int something;", false) else { return };
    let Some(Failure::Link { message }) = engine.load(&library).err() else { panic!("it has no function") };
    assert!(message.contains("isobar_call_v1") && !message.contains('\n'), "{message}");
}

#[test]
fn it_says_that_nothing_bounds_it_but_its_process() {
    let runtime = inside();
    let info = runtime.info();
    assert!(!info.concurrent && !info.own_process && info.refusal("warm").is_none());
    assert!(info.refusal("throughput").is_some() && info.refusal("process-cold").is_some());
}
