//! What the runs leave behind in the process, and whether the compiled modes compile. One test, so that nothing else
//! happens in the process.

mod support;

use isobar_core::{Execution, Failure, Invocation};
use support::{HELLO, load, module, start};

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Mappings that can be executed and are no system library's.
fn code_mappings() -> usize {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    maps.lines().filter(|line| line.contains("r-xp") && !line.contains(".so.") && !line.contains("[v")).count()
}

#[test]
fn nothing_is_left_behind() {
    // Counts to the length of its standard input plus one in memory that must start at zero.
    let count = start(
        "(i32.store (i32.const 64) (i32.add (i32.load (i32.const 64)) (i32.const 1)))
                       (call $proc_exit (i32.load (i32.const 64)))",
    );
    for runtime in isobar_wasmedge::runtimes() {
        let engine = runtime.engine().unwrap();
        let before = code_mappings();
        let hello = load(&*engine, module(HELLO).as_bytes()).unwrap();
        let compiled = runtime.info().execution != Execution::Interpreter;
        assert_eq!(code_mappings() > before, compiled, "{} maps code", runtime.info().id);

        let count = load(&*engine, count.as_bytes()).unwrap();
        let invocation = Invocation { stdin: b"some".to_vec(), ..Invocation::default() };
        let mut descriptors_before = None;
        for _ in 0..1000 {
            assert_eq!(hello.instantiate(&invocation).unwrap().execute().unwrap().stdout, b"hello\n");
            assert_eq!(count.instantiate(&invocation).unwrap().execute().unwrap().exit_code, 1);
            let descriptors = descriptors();
            assert_eq!(*descriptors_before.get_or_insert(descriptors), descriptors, "{}", runtime.info().id);
        }
    }
    plain_modules_are_no_artifacts();
}

fn plain_modules_are_no_artifacts() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("module.wasm");
    std::fs::write(&file, wat::parse_str(module(HELLO)).unwrap()).unwrap();
    let runtimes = isobar_wasmedge::runtimes();
    let aot = runtimes.iter().find(|runtime| runtime.info().execution == Execution::Aot).unwrap();
    assert!(matches!(aot.engine().unwrap().load(&file), Err(Failure::Host { .. })));
}
