//! What is asked of every interpreter in its own crate, beside the suite: when a module is rejected, which proposals work,
//! what memory and the stack do at their limits. Each check runs over all runtimes that it is given.

use isobar_core::{Enforcer, Engine, Failure, Invocation, Limits, Module, Outcome, Runtime, TrapKind, settings};
use std::path::PathBuf;

type Runtimes = Vec<Box<dyn Runtime>>;

const HELLO: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\10\00\00\00\06\00\00\00\20\00\00\00\04\00\00\00")
  (data (i32.const 16) "hello\n") (data (i32.const 32) "oops")
  (func (export "_start")
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 64)))
    (drop (call $fd_write (i32.const 2) (i32.const 8) (i32.const 1) (i32.const 64)))))"#;

/// A module with these parts and a memory, and `_start` with this body.
pub fn program(parts: &str, body: &str) -> String {
    format!("(module {parts} (memory (export \"memory\") 1) (func (export \"_start\") {body}))")
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

/// Runs a module of these bytes, or this text, within limits.
fn invoke_with(runtime: &dyn Runtime, bytes: impl AsRef<[u8]>, limits: Limits) -> Result<Outcome, Failure> {
    let engine = runtime.engine()?;
    let module = load(&*engine, bytes)?;
    run(&*module, &Invocation { limits, ..Invocation::default() })
}

/// Runs a module of these bytes, or this text.
pub fn invoke(runtime: &dyn Runtime, bytes: impl AsRef<[u8]>) -> Result<Outcome, Failure> {
    invoke_with(runtime, bytes, Limits::default())
}

/// Runs a test for every runtime, on a thread with the stack that functions get.
pub fn each(runtimes: Runtimes, test: fn(&dyn Runtime)) {
    for runtime in runtimes {
        println!("{}", runtime.info().id);
        let thread = std::thread::Builder::new().stack_size(settings::NATIVE_STACK_BYTES);
        thread.spawn(move || test(&*runtime)).unwrap().join().unwrap();
    }
}

/// Garbage, broken text, a module that ends early, and a component.
pub fn what_is_no_module_is_rejected_when_it_is_loaded(runtimes: Runtimes) {
    each(runtimes, |runtime| {
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

/// SIMD, in a function that is called and in `_start` itself.
pub fn a_missing_proposal_is_named_wherever_the_function_is(runtimes: Runtimes) {
    each(runtimes, |runtime| {
        let simd = "(drop (i32x4.add (v128.const i32x4 1 2 3 4) (v128.load (i32.const 0))))";
        for wat in [program("", simd), program(&format!("(func $f {simd})"), "(call $f)")] {
            match invoke(runtime, wat) {
                Err(Failure::Rejected { proposals, .. }) => assert_eq!(proposals, ["simd"]),
                other => panic!("{other:?}"),
            }
        }
    });
}

/// What every interpreter here has enabled.
pub fn the_enabled_proposals_work(runtimes: Runtimes) {
    each(runtimes, |runtime| {
        let parts = "(global $g (mut i32) (i32.const 1)) (table $t 1 funcref) (data $d \"xy\")
            (func $two (result i32 i32) (i32.extend8_s (i32.const 1)) (i32.trunc_sat_f32_s (f32.const nan)))";
        let body = "(memory.init $d (i32.const 0) (i32.const 0) (i32.const 2)) (call $two) drop drop
            (table.set $t (i32.const 0) (ref.null func))
            (memory.fill (i32.const 0) (i32.const 1) (i32.const 9))";
        assert_eq!(invoke(runtime, program(parts, body)).unwrap(), Outcome::default());
    });
}

/// The stack that functions get is enough for 9000 frames.
pub fn deep_recursion_that_ends_is_no_trap(runtimes: Runtimes) {
    each(runtimes, |runtime| {
        let parts = "(func $f (param i32) (result i32)
            (if (result i32) (local.get 0)
              (then (i32.add (i32.const 1) (call $f (i32.sub (local.get 0) (i32.const 1))))) (else (i32.const 0))))";
        let body = "(if (i32.ne (call $f (i32.const 9000)) (i32.const 9000)) (then unreachable))";
        assert_eq!(invoke(runtime, program(parts, body)), Ok(Outcome::default()));
    });
}

/// It may exit and trap.
pub fn a_start_section_runs_like_the_rest(runtimes: Runtimes) {
    each(runtimes, |runtime| {
        let import = "(import \"wasi_snapshot_preview1\" \"proc_exit\" (func $exit (param i32)))";
        let exits = format!("{import} (func $s (call $exit (i32.const 7))) (start $s)");
        assert_eq!(invoke(runtime, program(&exits, "unreachable")).unwrap().exit_code, 7);
        let traps = invoke(runtime, program("(func $s (drop (i32.div_u (i32.const 1) (i32.const 0)))) (start $s)", ""));
        assert!(matches!(traps, Err(Failure::Trap { kind: TrapKind::IntegerDivideByZero, .. })), "{traps:?}");
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

/// At the start, and where the engine itself enforces the limit, in mid-function.
pub fn memory_beyond_the_limit_is_refused(runtimes: Runtimes) {
    each(runtimes, |runtime| {
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
