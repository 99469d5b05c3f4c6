//! A smoke test of every mode and variant; the conformance suite in tests/ asks for more.

use isobar_core::runtime::{Module, Runtime};
use isobar_core::{Enforcer, Failure, Invocation, Outcome, TrapKind};
use std::path::PathBuf;
use std::sync::{PoisonError, RwLock};

/// Held by every test that runs functions, and alone by the one that counts what they leave.
static ALONE: RwLock<()> = RwLock::new(());

const HELLO: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 16) "hello\n")
    (data (i32.const 32) "\10\00\00\00\06\00\00\00")
    (func (export "_start") (drop (call $write (i32.const 1) (i32.const 32) (i32.const 1) (i32.const 8)))))"#;

const EXIT_7: &str = r#"(module
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (func (export "_start") (call $exit (i32.const 7))))"#;

const ENDLESS: &str = r#"(module (memory (export "memory") 1)
    (func (export "_start") (loop $again (br $again))))"#;

const RECURSION: &str = r#"(module (memory (export "memory") 1)
    (func $f (export "_start") (call $f) (call $f)))"#;

const GREEDY: &str = r#"(module (memory (export "memory") 1)
    (func (export "_start")
        (loop $again (br_if $again (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
        unreachable))"#;

const ALWAYS_WRITING: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 32) "\00\00\00\00\00\10\00\00")
    (func (export "_start")
        (loop $again
            (drop (call $write (i32.const 2) (i32.const 32) (i32.const 1) (i32.const 8)))
            (br $again))))"#;

/// Sleeps for an hour.
const ASLEEP: &str = r#"(module
    (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "_start")
        (i32.store (i32.const 16) (i32.const 1))
        (i64.store (i32.const 24) (i64.const 3600000000000))
        (drop (call $poll (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128)))))"#;

/// Spends its time in the host.
const AWAY: &str = r#"(module
    (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "_start") (loop $again (drop (call $random (i32.const 0) (i32.const 65536))) (br $again))))"#;

/// Spends its time in an operation on memory.
const FILLING: &str = r#"(module (memory (export "memory") 256)
    (func (export "_start")
        (loop $again (memory.fill (i32.const 0) (i32.const 1) (i32.const 16777216)) (br $again))))"#;

const STARTS_ENDLESS: &str = r#"(module (func $f (loop (br 0))) (start $f) (func (export "_start")))"#;

/// Copies standard input to standard output, byte for byte of what a read gives.
const CAT: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 2)
    (func (export "_start")
        (loop $again
            (i32.store (i32.const 0) (i32.const 1024))
            (i32.store (i32.const 4) (i32.const 65536))
            (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
            (i32.store (i32.const 4) (i32.load (i32.const 8)))
            (if (i32.load (i32.const 8)) (then
                (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 12)))
                (br $again))))))"#;

fn every_runtime() -> Vec<Box<dyn Runtime>> {
    let runtimes = crate::runtimes();
    #[cfg(feature = "llvm")]
    let runtimes = runtimes.into_iter().chain(crate::runtimes_llvm()).collect();
    runtimes
}

/// Removes its folder when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        use std::sync::atomic::{AtomicU32, Ordering};
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("isobar-wasmer-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn load(runtime: &dyn Runtime, text: &str) -> Result<Box<dyn Module>, Failure> {
    let folder = Folder::new();
    let (wasm, artifact) = (folder.0.join("module.wat"), folder.0.join("artifact"));
    std::fs::write(&wasm, text).unwrap();
    let engine = runtime.engine()?;
    engine.compile(&wasm, &artifact)?;
    engine.load(&artifact)
}

fn run(runtime: &dyn Runtime, text: &str, invocation: &Invocation) -> Result<Outcome, Failure> {
    load(runtime, text)?.instantiate(invocation)?.execute()
}

#[test]
fn the_versions_are_those_that_are_built() {
    let lock = include_str!("../Cargo.lock");
    for (name, version) in [("wasmer", crate::VERSION), ("wasmer-wasix", crate::WASIX_VERSION)] {
        assert!(lock.contains(&format!("name = \"{name}\"\nversion = \"{version}\"\n")), "{name}");
    }
}

#[test]
fn output_input_and_exit_codes() {
    let _among_others = ALONE.read().unwrap_or_else(PoisonError::into_inner);
    for runtime in every_runtime() {
        let id = &runtime.info().id;
        let hello = run(&*runtime, HELLO, &Invocation::default()).unwrap();
        assert_eq!((hello.exit_code, &*hello.stdout, &*hello.stderr), (0, &b"hello\n"[..], &b""[..]), "{id}");
        assert_eq!(run(&*runtime, EXIT_7, &Invocation::default()).unwrap().exit_code, 7, "{id}");
        let stdin: Vec<u8> = (0..1 << 20).map(|i: u32| (i % 251) as u8).collect();
        let copied = run(&*runtime, CAT, &Invocation { stdin: stdin.clone(), ..Invocation::default() }).unwrap();
        assert!(copied.stdout == stdin, "{id}: {} bytes", copied.stdout.len());
        run(&*runtime, r#"(module (func (export "_start")))"#, &Invocation::default()).unwrap();
    }
}

#[test]
fn failures() {
    let _among_others = ALONE.read().unwrap_or_else(PoisonError::into_inner);
    let mut invocation = Invocation::default();
    invocation.limits.memory_bytes = 8 << 20;
    invocation.limits.output_bytes = 1 << 20;
    for runtime in every_runtime() {
        let id = &runtime.info().id;
        let failure = |text: &str| run(&*runtime, text, &invocation).unwrap_err();
        assert_eq!(failure(GREEDY), Failure::Memory { limit_bytes: 8 << 20 }, "{id}");
        let large = r#"(module (memory (export "memory") 129) (func (export "_start")))"#;
        assert_eq!(failure(large), Failure::Memory { limit_bytes: 8 << 20 }, "{id}");
        assert_eq!(failure(ALWAYS_WRITING), Failure::OutputLimit { limit_bytes: 1 << 20 }, "{id}");
        assert!(matches!(failure(RECURSION), Failure::Trap { kind: TrapKind::StackOverflow, .. }), "{id}");
        let divides = r#"(module (func (export "_start") (drop (i32.div_s (i32.const 1) (i32.const 0)))))"#;
        assert!(matches!(failure(divides), Failure::Trap { kind: TrapKind::IntegerDivideByZero, .. }), "{id}");
        let foreign = failure(r#"(module (import "env" "f" (func)) (func (export "_start")))"#);
        assert!(matches!(&foreign, Failure::Link { message } if message.contains("env")), "{id}: {foreign}");
        let ill = r#"(module (import "wasi_snapshot_preview1" "fd_write" (func)) (func (export "_start")))"#;
        assert!(matches!(failure(ill), Failure::Link { .. }), "{id}");
        assert!(matches!(failure("(module)"), Failure::Link { .. }), "{id}");
        let tail_call = r#"(module (func $f (export "_start") (return_call $f)))"#;
        assert!(
            matches!(failure(tail_call), Failure::Rejected { proposals, .. } if proposals == ["tail-call"]),
            "{id}"
        );
        let starts = r#"(module (func $f unreachable) (start $f) (func (export "_start")))"#;
        assert!(matches!(failure(starts), Failure::Trap { kind: TrapKind::Unreachable, .. }), "{id}");
    }
}

/// The variants that end a function themselves.
fn limited() -> impl Iterator<Item = Box<dyn Runtime>> {
    every_runtime().into_iter().filter(|runtime| runtime.info().enforcement.wall_time == Enforcer::Engine)
}

#[test]
fn the_time_limit_ends_whatever_goes_on() {
    let _among_others = ALONE.read().unwrap_or_else(PoisonError::into_inner);
    let mut invocation = Invocation::default();
    invocation.limits.wall_time_ns = 20_000_000;
    let timeout = Failure::Timeout { limit_ns: 20_000_000 };
    for runtime in limited() {
        let id = &runtime.info().id;
        for text in [ENDLESS, ASLEEP, AWAY, FILLING, STARTS_ENDLESS] {
            let module = load(&*runtime, text).unwrap();
            let run = || module.instantiate(&invocation)?.execute();
            for _ in 0..3 {
                assert_eq!(run().unwrap_err(), timeout, "{id}");
            }
        }
        // The next function on this thread is left alone.
        assert_eq!(run(&*runtime, EXIT_7, &Invocation::default()).unwrap().exit_code, 7, "{id}");
    }
}

#[test]
fn eight_threads_at_once_some_of_them_interrupted() {
    let _among_others = ALONE.read().unwrap_or_else(PoisonError::into_inner);
    for runtime in every_runtime() {
        let id = &runtime.info().id;
        let hello = load(&*runtime, HELLO).unwrap();
        let endless = load(&*runtime, ENDLESS).unwrap();
        let interrupts = runtime.info().enforcement.wall_time == Enforcer::Engine;
        std::thread::scope(|s| {
            for thread in 0..8 {
                let (hello, endless) = (&hello, &endless);
                s.spawn(move || {
                    let mut invocation = Invocation::default();
                    for _ in 0..50 {
                        let outcome = hello.instantiate(&invocation).unwrap().execute().unwrap();
                        assert_eq!(outcome.stdout, b"hello\n", "{id}");
                    }
                    invocation.limits.wall_time_ns = 1_000_000;
                    for _ in 0..if interrupts && thread % 2 == 0 { 20 } else { 0 } {
                        let failure = endless.instantiate(&invocation).unwrap().execute().unwrap_err();
                        assert_eq!(failure, Failure::Timeout { limit_ns: 1_000_000 }, "{id}");
                    }
                });
            }
        });
    }
}

#[test]
fn a_thousand_invocations_leave_nothing_behind() {
    let _alone = ALONE.write().unwrap_or_else(PoisonError::into_inner);
    let used = || {
        let descriptors = std::fs::read_dir("/proc/self/fd").unwrap().count();
        let mappings = std::fs::read_to_string("/proc/self/maps").unwrap().lines().count();
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
        let resident_pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
        (descriptors, mappings, resident_pages)
    };
    for runtime in every_runtime() {
        let id = &runtime.info().id;
        let module = load(&*runtime, HELLO).unwrap();
        let invoke = || module.instantiate(&Invocation::default()).unwrap().execute().unwrap();
        (0..200).for_each(|_| drop(invoke()));
        let before = used();
        (0..1000).for_each(|_| drop(invoke()));
        let after = used();
        assert_eq!(after.0, before.0, "{id}: {before:?}, {after:?}");
        // A sandbox that stayed would keep a mapping and a page at least. Threads that end meanwhile free theirs.
        assert!(after.1 < before.1 + 100, "{id}: {before:?}, {after:?}");
        assert!(after.2 < before.2 + 500, "{id}: {before:?}, {after:?}");
    }
}

#[test]
fn an_artifact_of_another_compiler_is_refused() {
    let _among_others = ALONE.read().unwrap_or_else(PoisonError::into_inner);
    let folder = Folder::new();
    let (wasm, artifact) = (folder.0.join("module.wat"), folder.0.join("artifact"));
    std::fs::write(&wasm, HELLO).unwrap();
    let find = |id: &str| every_runtime().into_iter().find(|runtime| runtime.info().id.as_str() == id).unwrap();
    find("wasmer/cranelift-aot").engine().unwrap().compile(&wasm, &artifact).unwrap();
    find("wasmer/cranelift-aot+shared-wasi").engine().unwrap().load(&artifact).unwrap();
    for other in ["wasmer/singlepass-aot", "wasmer/cranelift-aot+limits"] {
        let Err(Failure::Rejected { message, .. }) = find(other).engine().unwrap().load(&artifact) else {
            panic!("{other} loaded it")
        };
        assert!(message.contains("cranelift"), "{message}");
    }
}
