//! Every mode of WasmEdge on small functions written in WAT.

mod support;

use isobar_core::{Failure, Invocation, Limits, Outcome, Runtime, TrapKind};
use support::{HELLO, load, module, start};

fn each(test: impl Fn(&dyn Runtime)) {
    for runtime in isobar_wasmedge::runtimes() {
        println!("{}", runtime.info().id);
        test(&*runtime);
    }
}

fn run(runtime: &dyn Runtime, text: &str, invocation: &Invocation) -> Result<Outcome, Failure> {
    let engine = runtime.engine()?;
    load(&*engine, text.as_bytes())?.instantiate(invocation)?.execute()
}

fn limited(limits: Limits) -> Invocation {
    Invocation { limits, ..Invocation::default() }
}

#[test]
fn hello_goes_to_two_streams() {
    let outcome = Outcome { exit_code: 0, stdout: b"hello\n".to_vec(), stderr: b"oh\xff".to_vec() };
    each(|runtime| assert_eq!(run(runtime, &module(HELLO), &Invocation::default()), Ok(outcome.clone())));
}

#[test]
fn every_exit_code_comes_through() {
    // Exits with the first byte of standard input.
    let text = start(
        "(i32.store (i32.const 0) (i32.const 16)) (i32.store (i32.const 4) (i32.const 1))
         (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
         (call $proc_exit (i32.load8_u (i32.const 16)))",
    );
    each(|runtime| {
        let module = load(&*runtime.engine().unwrap(), text.as_bytes()).unwrap();
        for code in 0..=255 {
            let invocation = Invocation { stdin: vec![code], ..Invocation::default() };
            let outcome = module.instantiate(&invocation).unwrap().execute().unwrap();
            assert_eq!(outcome.exit_code, i32::from(code));
        }
    });
}

#[test]
fn every_trap_has_its_kind() {
    let head = "(table 2 funcref) (type $v (func)) (type $i (func (param i32))) (elem (i32.const 0) $f) (func $f)";
    let traps = [
        ("unreachable", TrapKind::Unreachable),
        ("(drop (i32.div_s (i32.const 1) (i32.const 0)))", TrapKind::IntegerDivideByZero),
        ("(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))", TrapKind::IntegerOverflow),
        ("(drop (i32.trunc_f64_s (f64.const nan)))", TrapKind::BadConversionToInteger),
        ("(drop (i32.load (i32.const -8)))", TrapKind::MemoryOutOfBounds),
        ("(memory.fill (i32.const -8) (i32.const 0) (i32.const 16))", TrapKind::MemoryOutOfBounds),
        ("(call_indirect (type $v) (i32.const 9))", TrapKind::TableOutOfBounds),
        ("(call_indirect (type $v) (i32.const 1))", TrapKind::IndirectCallToNull),
        ("(call_indirect (type $i) (i32.const 1) (i32.const 0))", TrapKind::BadSignature),
    ];
    each(|runtime| {
        for (body, wanted) in traps {
            let body = format!("(call $write (i32.const 2) (i32.const 16) (i32.const 2)) {body}");
            let text = module(&format!("{head} (data (i32.const 16) \"oh\") (func (export \"_start\") {body})"));
            match run(runtime, &text, &Invocation::default()) {
                Err(Failure::Trap { kind, stderr, .. }) => {
                    assert_eq!((kind, stderr.as_str()), (wanted, "oh"), "{body}")
                }
                other => panic!("{body}: {other:?}"),
            }
        }
    });
}

#[test]
fn a_mebibyte_of_input_comes_back() {
    let text = start(
        "(local $n i32) (loop $more
             (i32.store (i32.const 0) (i32.const 1024)) (i32.store (i32.const 4) (i32.const 100000))
             (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
             (local.set $n (i32.load (i32.const 8)))
             (if (local.get $n) (then (call $write (i32.const 1) (i32.const 1024) (local.get $n)) (br $more))))",
    );
    let stdin: Vec<u8> = (0..1 << 20).map(|i: u32| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    each(|runtime| {
        let outcome = run(runtime, &text, &Invocation { stdin: stdin.clone(), ..Invocation::default() }).unwrap();
        assert!(outcome.stdout == stdin, "{} bytes, or others", outcome.stdout.len());
    });
}

/// Writes 64 KiB this many times, whatever comes of it.
fn writer(times: u32) -> String {
    start(&format!(
        "(local $i i32) (loop $more
             (call $write (i32.const 1) (i32.const 1024) (i32.const 65536))
             (br_if $more (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const {times}))))"
    ))
}

#[test]
fn output_ends_at_its_limit_and_not_before() {
    let limit = Limits { output_bytes: 8 << 20, ..Limits::default() };
    each(|runtime| {
        let outcome = run(runtime, &writer(128), &limited(limit)).unwrap();
        assert_eq!(outcome.stdout.len(), 8 << 20);
        // 2^32 times: only the limit ends it.
        for times in [129, 0] {
            let failure = run(runtime, &writer(times), &limited(limit));
            assert_eq!(failure, Err(Failure::OutputLimit { limit_bytes: 8 << 20 }));
        }
    });
}

#[test]
fn one_huge_write_is_over_the_limit_too() {
    let text = r#"(module
        (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 4096)
        (func (export "_start")
            (i32.store (i32.const 4) (i32.const 0x0ff00000))
            (drop (call $fd_write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8)))))"#;
    let limit = Limits { output_bytes: 100, ..Limits::default() };
    each(|runtime| assert_eq!(run(runtime, text, &limited(limit)), Err(Failure::OutputLimit { limit_bytes: 100 })));
}

#[test]
fn a_module_goes_on_after_a_run_that_was_ended() {
    let text = start(
        "(local $i i32)
         (i32.store (i32.const 0) (i32.const 16)) (i32.store (i32.const 4) (i32.const 1))
         (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
         (call $write (i32.const 1) (i32.const 1024) (i32.load8_u (i32.const 16)))",
    );
    let limit = Limits { output_bytes: 100, ..Limits::default() };
    each(|runtime| {
        let module = load(&*runtime.engine().unwrap(), text.as_bytes()).unwrap();
        for round in 0..3 {
            for (length, fits) in [(101, false), (100, true)] {
                let invocation = Invocation { stdin: vec![length], ..limited(limit) };
                let answer = module.instantiate(&invocation).unwrap().execute();
                assert_eq!(answer.map(|outcome| outcome.stdout.len()).ok(), fits.then_some(100), "round {round}");
            }
        }
    });
}

#[test]
fn memory_has_a_limit() {
    let limit = limited(Limits { memory_bytes: 1 << 20, ..Limits::default() });
    let grow = |then: &str| start(&format!("(if (i32.eq (memory.grow (i32.const 14)) (i32.const -1)) (then {then}))"));
    let memory = Err(Failure::Memory { limit_bytes: 1 << 20 });
    each(|runtime| {
        assert_eq!(run(runtime, &grow("unreachable"), &limit), memory, "a trap after a refusal");
        assert_eq!(run(runtime, &grow("(call $proc_exit (i32.const 7))"), &limit).unwrap().exit_code, 7);
        assert_eq!(run(runtime, &grow("unreachable"), &Invocation::default()).unwrap().exit_code, 0, "it fits");
        let large = "(module (memory 17) (func (export \"_start\")))";
        assert_eq!(run(runtime, large, &limit), memory, "too large at the start");
        let exact = "(module (memory 16) (data (i32.const 1048570) \"x\") (func (export \"_start\")))";
        assert!(run(runtime, exact, &limit).is_ok());
        // The module's own maximum is no limit of ours.
        let own = "(module (memory 1 2) (func (export \"_start\") (drop (memory.grow (i32.const 2))) unreachable))";
        assert!(matches!(run(runtime, own, &limit), Err(Failure::Trap { kind: TrapKind::Unreachable, .. })));
    });
}

#[test]
fn what_is_no_function_is_refused_with_the_reason() {
    let refused = |runtime: &dyn Runtime, wasm: &[u8]| match load(&*runtime.engine().unwrap(), wasm) {
        Err(Failure::Rejected { proposals, message }) => (proposals, message),
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it was taken"),
    };
    let wasm = |text: &str| wat::parse_str(text).unwrap();
    let whole = wasm(&module(HELLO));
    each(|runtime| {
        let none: Vec<String> = Vec::new();
        assert_eq!(refused(runtime, b"\0garbage").0, none);
        assert_eq!(refused(runtime, &whole[..whole.len() - 3]).0, none);
        assert!(refused(runtime, &wasm("(component)")).1.contains("component"));
        for (text, proposal) in [
            ("(module (func $f (return_call $f)))", "tail-call"),
            ("(module (memory i64 1))", "memory64"),
            ("(module (memory 1) (memory 1))", "multi-memory"),
            ("(module (global i32 (i32.add (i32.const 1) (i32.const 2))))", "extended-const"),
            ("(module (memory 1 1 shared))", "threads"),
        ] {
            assert_eq!(refused(runtime, &wasm(text)).0, [proposal]);
        }
        assert!(
            run(
                runtime,
                "(module (func (export \"_start\") (drop (v128.const i32x4 0 0 0 0))))",
                &Invocation::default()
            )
            .is_ok()
        );
    });
}

#[test]
fn what_does_not_link_says_why() {
    each(|runtime| {
        for (text, word) in [
            ("(module (import \"env\" \"missing\" (func)) (func (export \"_start\")))", "missing"),
            ("(module (import \"wasi_snapshot_preview1\" \"fd_close\" (func)) (func (export \"_start\")))", "fd_close"),
            ("(module (func (export \"main\")))", "_start"),
            ("(module (func (export \"_start\") (param i32)))", "_start"),
        ] {
            match run(runtime, text, &Invocation::default()) {
                Err(Failure::Link { message }) => assert!(message.contains(word), "{message}"),
                other => panic!("{text}: {other:?}"),
            }
        }
    });
}

#[test]
fn a_closed_stream_is_closed_for_the_function_only() {
    let text = module(
        &HELLO
            .replace("(call $write (i32.const 2)", "(drop (call $fd_close (i32.const 1))) (call $write (i32.const 2)"),
    );
    each(|runtime| assert_eq!(run(runtime, &text, &Invocation::default()).unwrap().stdout, b"hello\n"));
}

#[test]
fn eight_threads_run_one_module() {
    for runtime in isobar_wasmedge::runtimes().iter().filter(|runtime| runtime.info().concurrent) {
        let module = load(&*runtime.engine().unwrap(), module(HELLO).as_bytes()).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let outcome = module.instantiate(&Invocation::default()).unwrap().execute().unwrap();
                        assert_eq!(outcome.stdout, b"hello\n");
                    }
                });
            }
        });
    }
}

#[test]
fn two_instances_of_a_module_live_side_by_side() {
    each(|runtime| {
        let module = load(&*runtime.engine().unwrap(), module(HELLO).as_bytes()).unwrap();
        let mut first = module.instantiate(&Invocation::default()).unwrap();
        let mut second = module.instantiate(&Invocation::default()).unwrap();
        assert_eq!(second.execute().unwrap().stdout, b"hello\n");
        assert_eq!(first.execute().unwrap().stdout, b"hello\n");
    });
}
