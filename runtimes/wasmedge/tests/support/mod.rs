//! WAT functions, and how to run them.

use isobar_core::{Engine, Failure, Module};

/// Declares the WASI functions that the tests use and a memory, before the function's own text.
pub const HEAD: &str = r#"
    (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
    (memory (export "memory") 3)
    (func $write (param $fd i32) (param $at i32) (param $len i32)
        (i32.store (i32.const 0) (local.get $at))
        (i32.store (i32.const 4) (local.get $len))
        (drop (call $fd_write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8))))
"#;

/// Greets on standard output, complains on standard error.
pub const HELLO: &str = r#"(data (i32.const 16) "hello\n") (data (i32.const 32) "oh\ff")
    (func (export "_start")
        (call $write (i32.const 1) (i32.const 16) (i32.const 6)) (call $write (i32.const 2) (i32.const 32) (i32.const 3)))"#;

/// A whole module: [`HEAD`] and this.
pub fn module(text: &str) -> String {
    format!("(module {HEAD} {text})")
}

/// A module whose `_start` does this.
pub fn start(body: &str) -> String {
    module(&format!("(func (export \"_start\") {body})"))
}

/// Compiles and loads a module.
pub fn load(engine: &dyn Engine, wasm: &[u8]) -> Result<Box<dyn Module>, Failure> {
    let dir = tempfile::tempdir().unwrap();
    let (file, artifact) = (dir.path().join("module"), dir.path().join("artifact"));
    std::fs::write(&file, wasm).unwrap();
    engine.compile(&file, &artifact)?;
    engine.load(&artifact)
}
