//! The adapter in every mode, on modules that are small enough to read.

use crate::runtimes;
use isobar_core::{Enforcer, Engine, Failure, Invocation, Limits, Module, Outcome, Runtime, TrapKind, settings};
use std::path::PathBuf;

const HELLO: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\10\00\00\00\06\00\00\00\20\00\00\00\04\00\00\00")
  (data (i32.const 16) "hello\n") (data (i32.const 32) "oops")
  (func (export "_start")
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 64)))
    (drop (call $fd_write (i32.const 2) (i32.const 8) (i32.const 1) (i32.const 64)))))"#;

/// A module with these parts and a memory, and `_start` with this body.
fn program(parts: &str, body: &str) -> String {
    format!("(module {parts} (memory (export \"memory\") 1) (func (export \"_start\") {body}))")
}

fn exit(code: i32) -> String {
    let import = "(import \"wasi_snapshot_preview1\" \"proc_exit\" (func $exit (param i32)))";
    program(import, &format!("(call $exit (i32.const {code})) unreachable"))
}

/// A folder with one module in it.
struct File(tempfile::TempDir);

impl File {
    fn new(bytes: impl AsRef<[u8]>) -> File {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("module"), bytes).unwrap();
        File(folder)
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("module")
    }
}

fn load(engine: &dyn Engine, bytes: impl AsRef<[u8]>) -> Result<Box<dyn Module>, Failure> {
    engine.load(&File::new(bytes).path())
}

fn run(module: &dyn Module, invocation: &Invocation) -> Result<Outcome, Failure> {
    module.instantiate(invocation)?.execute()
}

fn invoke_with(runtime: &dyn Runtime, bytes: impl AsRef<[u8]>, limits: Limits) -> Result<Outcome, Failure> {
    let engine = runtime.engine()?;
    let module = load(&*engine, bytes)?;
    run(&*module, &Invocation { limits, ..Invocation::default() })
}

fn invoke(runtime: &dyn Runtime, bytes: impl AsRef<[u8]>) -> Result<Outcome, Failure> {
    invoke_with(runtime, bytes, Limits::default())
}

/// Runs a test for every runtime, on a thread with the stack that functions get.
fn each(test: fn(&dyn Runtime)) {
    for runtime in runtimes() {
        println!("{}", runtime.info().id);
        let thread = std::thread::Builder::new().stack_size(settings::NATIVE_STACK_BYTES);
        thread.spawn(move || test(&*runtime)).unwrap().join().unwrap();
    }
}

#[test]
fn output_is_captured_apart() {
    each(|runtime| {
        let outcome = invoke(runtime, HELLO).unwrap();
        assert_eq!(outcome, Outcome { exit_code: 0, stdout: b"hello\n".into(), stderr: b"oops".into() });
    });
}

#[test]
fn exit_codes_come_through() {
    each(|runtime| {
        for code in [0, 1, 3, 125, 126, 127, 255] {
            assert_eq!(invoke(runtime, exit(code)).unwrap().exit_code, code);
        }
    });
}

#[test]
fn traps_are_told_apart() {
    let table = "(type $nothing (func)) (type $number (func (param i32))) (table 2 2 funcref) (elem (i32.const 0) $n)
                 (func $n (param i32))";
    let traps = [
        (TrapKind::Unreachable, program("", "unreachable")),
        (TrapKind::IntegerDivideByZero, program("", "(drop (i32.div_u (i32.const 1) (i32.load (i32.const 0))))")),
        (
            TrapKind::IntegerOverflow,
            program("", "(drop (i32.div_s (i32.const 0x80000000) (i32.sub (i32.load (i32.const 0)) (i32.const 1))))"),
        ),
        (TrapKind::BadConversionToInteger, program("", "(drop (i32.trunc_f32_s (f32.const nan)))")),
        (TrapKind::MemoryOutOfBounds, program("", "(drop (i32.load (i32.const 65536)))")),
        (TrapKind::TableOutOfBounds, program(table, "(call_indirect (type $nothing) (i32.const 7))")),
        (TrapKind::IndirectCallToNull, program(table, "(call_indirect (type $nothing) (i32.const 1))")),
        (TrapKind::BadSignature, program(table, "(call_indirect (type $nothing) (i32.const 0))")),
    ];
    for (kind, wat) in traps {
        for runtime in runtimes() {
            let id = runtime.info().id.clone();
            match invoke(&*runtime, &wat) {
                Err(Failure::Trap { kind: got, .. }) => assert_eq!(got, kind, "{id}"),
                other => panic!("{id}: {kind}: {other:?}"),
            }
        }
    }
}

#[test]
fn what_is_not_there_is_a_link_failure() {
    each(|runtime| {
        for (wat, word) in [
            (program("(import \"env\" \"f\" (func))", ""), "env"),
            (program("(import \"wasi_snapshot_preview1\" \"nonsense\" (func))", ""), "nonsense"),
            (program("(import \"wasi_snapshot_preview1\" \"fd_write\" (func (param i64)))", ""), "fd_write"),
            ("(module)".to_owned(), "_start"),
            ("(module (func (export \"_start\") (param i32)))".to_owned(), "_start"),
        ] {
            match invoke(runtime, &wat) {
                Err(Failure::Link { message }) => assert!(message.contains(word), "{message}"),
                other => panic!("{wat}: {other:?}"),
            }
        }
    });
}

#[test]
fn what_is_no_module_is_rejected_when_it_is_loaded() {
    each(|runtime| {
        let engine = runtime.engine().unwrap();
        let hello = wat::parse_str(HELLO).unwrap();
        let component = wat::parse_str("(component)").unwrap();
        for (bytes, word) in [
            (&b"\x00\x01garbage"[..], ""),
            (b"(module", "text"),
            (&hello[..hello.len() - 3], ""),
            (&hello[..20], ""),
            (&component, "component"),
        ] {
            match load(&*engine, bytes).map(drop) {
                Err(Failure::Rejected { message, proposals }) => {
                    assert!(message.contains(word) && proposals.is_empty(), "{message} {proposals:?}");
                }
                other => panic!("{bytes:?}: {other:?}"),
            }
        }
    });
}

#[test]
fn a_missing_proposal_is_named_wherever_the_function_is() {
    each(|runtime| {
        let simd = "(drop (i32x4.add (v128.const i32x4 1 2 3 4) (v128.load (i32.const 0))))";
        for wat in [program("", simd), program(&format!("(func $f {simd})"), "(call $f)")] {
            match invoke(runtime, wat) {
                Err(Failure::Rejected { proposals, .. }) => assert_eq!(proposals, ["simd"]),
                other => panic!("{other:?}"),
            }
        }
    });
}

#[test]
fn the_enabled_proposals_work() {
    each(|runtime| {
        let parts = "(global $g (mut i32) (i32.const 1)) (table $t 1 funcref) (data $d \"xy\")
            (func $two (result i32 i32) (i32.extend8_s (i32.const 1)) (i32.trunc_sat_f32_s (f32.const nan)))";
        let body = "(memory.init $d (i32.const 0) (i32.const 0) (i32.const 2)) (call $two) drop drop
            (table.set $t (i32.const 0) (ref.null func))
            (memory.fill (i32.const 0) (i32.const 1) (i32.const 9))";
        assert_eq!(invoke(runtime, program(parts, body)).unwrap(), Outcome::default());
    });
}

/// Grows in steps of 16 pages until it is refused, and then does this.
fn bomb(memory: &str, then: &str) -> String {
    format!(
        "(module (memory (export \"memory\") {memory}) (func (export \"_start\")
           (loop $more (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
           (drop (memory.grow (i32.const 0)))
           {then}))"
    )
}

#[test]
fn memory_beyond_the_limit_is_refused() {
    each(|runtime| {
        let limits = Limits { memory_bytes: 8 << 20, ..Limits::default() };
        let module = "(module (memory 129) (func (export \"_start\")))";
        assert_eq!(invoke_with(runtime, module, limits), Err(Failure::Memory { limit_bytes: 8 << 20 }));
        // Without a guard, what grows is refused by a runner's process only.
        if runtime.info().enforcement.memory == Enforcer::Process {
            return;
        }
        let memory = Err(Failure::Memory { limit_bytes: 8 << 20 });
        assert_eq!(invoke_with(runtime, bomb("1", "unreachable"), limits), memory);
        assert_eq!(invoke_with(runtime, bomb("129", "unreachable"), limits), memory);
        // It copes.
        let expect = "(if (i32.ne (memory.size) (i32.const 113)) (then unreachable))";
        assert_eq!(invoke_with(runtime, bomb("1", expect), limits), Ok(Outcome::default()));
        // Not the limit, but its own maximum.
        let outcome = invoke_with(runtime, bomb("1 20", "unreachable"), limits);
        assert!(matches!(outcome, Err(Failure::Trap { kind: TrapKind::Unreachable, .. })), "{outcome:?}");
    });
}

#[test]
fn too_much_output_ends_the_run() {
    each(|runtime| {
        for fd in [1, 2] {
            let wat = format!(
                "(module (import \"wasi_snapshot_preview1\" \"fd_write\"
                    (func $fd_write (param i32 i32 i32 i32) (result i32)))
                  (memory (export \"memory\") 1) (data (i32.const 4) \"\\00\\10\")
                  (func (export \"_start\") (loop $more
                    (drop (call $fd_write (i32.const {fd}) (i32.const 0) (i32.const 1) (i32.const 8)))
                    (br $more))))"
            );
            let limits = Limits { output_bytes: 100_000, ..Limits::default() };
            assert_eq!(invoke_with(runtime, wat, limits), Err(Failure::OutputLimit { limit_bytes: 100_000 }));
        }
    });
}

#[test]
fn runaway_recursion_is_a_trap() {
    each(|runtime| {
        let small = "(func $f (param i32) (result i32)
            (i32.add (i32.const 1) (call $f (i32.add (local.get 0) (i32.const 1)))))";
        let locals = "(local i64)".repeat(500);
        let large = format!("(func $f (param i32) (result i32) {locals} (call $f (local.get 0)))");
        let blocks = format!(
            "(func $f (param i32) (result i32) {} (drop (call $f (local.get 0))) {} (i32.const 0))",
            "(loop ".repeat(100),
            ")".repeat(100)
        );
        let indirect = "(table 1 funcref) (elem (i32.const 0) $f) (type $t (func (param i32) (result i32)))
            (func $f (param i32) (result i32)
              (i32.add (i32.const 1) (call_indirect (type $t) (local.get 0) (i32.const 0))))";
        for parts in [small, &large, &blocks, indirect] {
            let outcome = invoke(runtime, program(parts, "(drop (call $f (i32.const 0)))"));
            assert!(matches!(outcome, Err(Failure::Trap { kind: TrapKind::StackOverflow, .. })), "{outcome:?}");
        }
    });
}

#[test]
fn deep_recursion_that_ends_is_no_trap() {
    each(|runtime| {
        let parts = "(func $f (param i32) (result i32)
            (if (result i32) (local.get 0)
              (then (i32.add (i32.const 1) (call $f (i32.sub (local.get 0) (i32.const 1))))) (else (i32.const 0))))";
        let body = "(if (i32.ne (call $f (i32.const 9000)) (i32.const 9000)) (then unreachable))";
        assert_eq!(invoke(runtime, program(parts, body)), Ok(Outcome::default()));
    });
}

#[test]
fn a_start_section_runs_like_the_rest() {
    each(|runtime| {
        let import = "(import \"wasi_snapshot_preview1\" \"proc_exit\" (func $exit (param i32)))";
        let exits = format!("{import} (func $s (call $exit (i32.const 7))) (start $s)");
        assert_eq!(invoke(runtime, program(&exits, "unreachable")).unwrap().exit_code, 7);
        let traps = invoke(runtime, program("(func $s (drop (i32.div_u (i32.const 1) (i32.const 0)))) (start $s)", ""));
        assert!(matches!(traps, Err(Failure::Trap { kind: TrapKind::IntegerDivideByZero, .. })), "{traps:?}");
    });
}

/// Exits with 1 if it finds anything in its memory or its global, and leaves something there.
const LEAVES_TRACES: &str = r#"(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1) (global $g (mut i32) (i32.const 0))
  (func (export "_start")
    (if (i32.or (global.get $g) (i32.load (i32.const 1000))) (then (call $exit (i32.const 1))))
    (global.set $g (i32.const 1)) (i32.store (i32.const 1000) (i32.const 1))
    (drop (memory.grow (i32.const 1)))))"#;

fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

#[test]
fn a_thousand_runs_are_alike_and_leave_nothing_open() {
    each(|runtime| {
        let engine = runtime.engine().unwrap();
        let module = load(&*engine, LEAVES_TRACES).unwrap();
        // A module outlives its engine.
        drop(engine);
        let invocation = Invocation::default();
        assert_eq!(run(&*module, &invocation), Ok(Outcome::default()));
        let before = open_files();
        for _ in 0..1000 {
            assert_eq!(run(&*module, &invocation), Ok(Outcome::default()));
        }
        // Other tests open files meanwhile, but few.
        assert!(open_files() < before + 100);
    });
}

#[test]
fn eight_threads_share_a_module() {
    each(|runtime| {
        let engine = runtime.engine().unwrap();
        let module = load(&*engine, HELLO).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        assert_eq!(run(&*module, &Invocation::default()).unwrap().stdout, b"hello\n");
                    }
                });
            }
        });
    });
}
