//! Native processes against programs that every system has.

use crate::native::Native;
use crate::tool::Tool;
use isobar_core::{Failure, Invocation, Limits, Outcome, Runtime, TrapKind};
use std::path::Path;

fn invoke(program: &str, invocation: &Invocation) -> Result<Outcome, Failure> {
    let runtime = Native::process("test");
    runtime.engine()?.load(Path::new(program))?.instantiate(invocation)?.execute()
}

fn shell(script: &str) -> Invocation {
    Invocation { args: vec!["-c".to_owned(), script.to_owned()], ..Invocation::default() }
}

fn sh(script: &str) -> Result<Outcome, Failure> {
    invoke("/bin/sh", &shell(script))
}

#[test]
fn the_environment_is_the_invocation_s_in_its_order_and_nothing_else() {
    let variables = [("B", "2"), ("A", "x=y"), ("EMPTY", ""), ("C", "ü\n")];
    let outcome = invoke("/usr/bin/env", &Invocation::with_env(variables)).unwrap();
    assert_eq!(String::from_utf8(outcome.stdout).unwrap(), "B=2\nA=x=y\nEMPTY=\nC=ü\n\n");
    assert_eq!(invoke("/usr/bin/env", &Invocation::default()).unwrap().stdout, b"");
}

#[test]
fn a_process_has_the_name_that_every_function_has() {
    assert_eq!(sh("echo $0").unwrap().stdout, b"function\n");
}

#[test]
fn what_goes_in_and_out_is_whole_and_apart() {
    let stdin: Vec<u8> = (0..3_000_000_u32).map(|at| (at % 251) as u8).collect();
    let invocation = Invocation { stdin: stdin.clone(), ..shell("cat; echo oops >&2; exit 7") };
    let outcome = invoke("/bin/sh", &invocation).unwrap();
    assert_eq!((outcome.exit_code, &*outcome.stderr), (7, &b"oops\n"[..]));
    assert!(outcome.stdout == stdin);
    assert_eq!(invoke("/bin/sh", &Invocation { stdin, ..shell("exit 0") }), Ok(Outcome::default()));
}

#[test]
fn limits_hold_and_what_a_function_started_ends_with_it() {
    let limits = Limits { wall_time_ns: 200_000_000, ..Limits::default() };
    let invocation = Invocation { limits, ..shell("sleep 1000 & echo $!; sleep 1000") };
    assert_eq!(invoke("/bin/sh", &invocation), Err(Failure::Timeout { limit_ns: limits.wall_time_ns }));
    // One that ends leaves something behind, which holds on to standard output.
    let outcome = sh("sleep 1000 & echo $!").unwrap();
    let left: u32 = String::from_utf8(outcome.stdout).unwrap().trim().parse().unwrap();
    let state = || std::fs::read_to_string(format!("/proc/{left}/stat")).unwrap_or_default();
    let gone = || state().is_empty() || state().contains(") Z ");
    let end = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while !gone() {
        assert!(std::time::Instant::now() < end, "{}", state());
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let limits = Limits { output_bytes: 100_000, ..Limits::default() };
    for stream in ["", " >&2"] {
        let flood = Invocation { limits, ..shell(&format!("while :; do echo flood{stream}; done")) };
        assert_eq!(invoke("/bin/sh", &flood), Err(Failure::OutputLimit { limit_bytes: 100_000 }));
    }
}

#[test]
fn a_signal_is_a_trap_with_what_was_said_before() {
    match sh("echo last words >&2; kill -SEGV $$") {
        Err(Failure::Trap { kind, message, stderr }) => {
            assert_eq!((kind, &*message, &*stderr), (TrapKind::MemoryOutOfBounds, "ended by SIGSEGV", "last words\n"));
        }
        other => panic!("{other:?}"),
    }
    // A pipe that nobody reads ends a program, as it does in a shell.
    assert!(sh("yes | head -n 1").is_ok_and(|outcome| outcome.stdout == b"y\n"));
}

#[test]
fn what_cannot_be_started_is_the_platform_s_fault() {
    for program in ["/nowhere/at/all", "/proc/self/status", "/"] {
        assert!(matches!(invoke(program, &Invocation::default()), Err(Failure::Host { .. })), "{program}");
    }
}

#[test]
fn a_whole_invocation_is_timed_from_its_start_to_its_end() {
    let once = Native::process("test").run_once(Path::new("/bin/sh"), &shell("sleep 0.05; echo late")).unwrap();
    assert_eq!(once.outcome.stdout, b"late\n");
    assert!(once.elapsed_ns >= 50_000_000, "{}", once.elapsed_ns);
}

#[test]
fn a_process_that_stays_has_answered_and_still_weighs() {
    let engine = Native::process("test").engine().unwrap();
    let module = engine.load(Path::new("/bin/sh")).unwrap();
    let mut stays = Vec::new();
    let before = engine.pss_bytes().unwrap();
    for code in 0..3 {
        let mut instance = module.instantiate(&shell(&format!("cat; echo out; exit {code}"))).unwrap();
        let outcome = instance.execute_and_stay().unwrap();
        assert_eq!((outcome.exit_code, &*outcome.stdout), (code, &b"out\n"[..]));
        stays.push(instance);
    }
    // Libraries are shared among them: tens of KiB is what each has alone.
    let with = engine.pss_bytes().unwrap();
    assert!(with > before + 3 * (16 << 10), "{before} {with}");
    drop(stays);
    assert!(engine.pss_bytes().unwrap() < with - 2 * (16 << 10));
    // Whoever is ended by a signal is held, too.
    let mut instance = module.instantiate(&shell("kill -SEGV $$")).unwrap();
    assert!(matches!(instance.execute_and_stay(), Err(Failure::Trap { .. })));
}

#[test]
fn behind_a_sandbox_the_function_is_held_and_not_what_started_it() {
    type Make = fn(Tool, &str) -> Native;
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("greeter");
    std::fs::write(&program, crate::elf::greeter()).unwrap();
    for (name, make) in [("unshare", Native::unshare as Make), ("bwrap", Native::bubblewrap)] {
        let Some(tool) = Tool::find(name) else { continue };
        let runtime = make(tool, "test");
        if let Err(reason) = crate::probe::try_out(&runtime) {
            eprintln!("skipped: {name}: {reason}");
            continue;
        }
        let engine = runtime.engine().unwrap();
        let module = engine.load(&program).unwrap();
        let before = engine.pss_bytes().unwrap();
        let mut stays = Vec::new();
        for _ in 0..3 {
            let mut instance = module.instantiate(&Invocation::default()).unwrap();
            let outcome = instance.execute_and_stay().unwrap();
            assert_eq!((outcome.exit_code, &*outcome.stdout), (0, crate::elf::GREETING), "{name}");
            stays.push(instance);
        }
        // Each has the program that waits for it, too.
        let with = engine.pss_bytes().unwrap();
        assert!(with > before + 3 * (64 << 10), "{name}: {before} {with}");
        drop(stays);
        assert!(engine.pss_bytes().unwrap() < with - 2 * (64 << 10), "{name}");
    }
}
