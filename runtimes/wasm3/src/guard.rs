//! The variant `+limits`: a memory limit for an engine that has none. In it each `memory.grow` of a module becomes a call of a function that is
//! added to it. That function knows the limit, notes what it refuses, and is the only one that grows memory. Nothing
//! else in the module changes, so a limit costs one call where memory is asked for and nothing elsewhere.

use crate::interface::Interface;
use std::ffi::CStr;
use wasmparser::{BinaryReader, BinaryReaderError};

/// The exported global that holds the most pages that the memory may have.
pub const LIMIT: &CStr = c"isobar:limit-pages";

/// The exported global that tells whether the guard refused to grow memory: 0 or 1.
pub const REFUSED: &CStr = c"isobar:refused";

const TYPE: u8 = 1;
const FUNCTION: u8 = 3;
const GLOBAL: u8 = 6;
const EXPORT: u8 = 7;
const CODE: u8 = 10;

const I32: u8 = 0x7f;

/// The module with its guard, or nothing when it never grows its memory.
pub fn add(wasm: &[u8], interface: &Interface) -> Result<Option<Vec<u8>>, BinaryReaderError> {
    if interface.grows.is_empty() {
        return Ok(None);
    }
    let mut out = Vec::with_capacity(wasm.len() + 256);
    out.extend_from_slice(&wasm[..8]);
    let mut reader = BinaryReader::new(&wasm[8..], 8);
    let mut has_globals = false;
    while !reader.eof() {
        let id = reader.read_u8()?;
        let len = reader.read_var_u32()? as usize;
        let offset = reader.original_position();
        let content = reader.read_bytes(len)?;
        // The globals' section comes before the exports'.
        if id == EXPORT && !has_globals {
            section(&mut out, GLOBAL, &longer(&[0], 2, &globals())?);
        }
        has_globals |= id == GLOBAL;
        match id {
            TYPE => section(&mut out, id, &longer(content, 1, &[0x60, 1, I32, 1, I32])?),
            FUNCTION => section(&mut out, id, &longer(content, 1, &leb(interface.types))?),
            GLOBAL => section(&mut out, id, &longer(content, 2, &globals())?),
            EXPORT => section(&mut out, id, &longer(content, 2, &exports(interface))?),
            CODE => section(&mut out, id, &code(content, offset, interface)?),
            _ => section(&mut out, id, content),
        }
    }
    Ok(Some(out))
}

fn section(out: &mut Vec<u8>, id: u8, content: &[u8]) {
    out.push(id);
    out.extend(leb(content.len() as u32));
    out.extend_from_slice(content);
}

/// A list with so many items more.
fn longer(list: &[u8], more: u32, items: &[u8]) -> Result<Vec<u8>, BinaryReaderError> {
    let mut reader = BinaryReader::new(list, 0);
    let count = leb(reader.read_var_u32()? + more);
    Ok([&count, &list[reader.original_position()..], items].concat())
}

/// Two mutable numbers: the limit, at first none, and whether it was hit.
fn globals() -> Vec<u8> {
    let unlimited = 0x7f; // -1
    vec![I32, 1, 0x41, unlimited, 0x0b, I32, 1, 0x41, 0, 0x0b]
}

fn exports(interface: &Interface) -> Vec<u8> {
    let export = |name: &CStr, index: u32| {
        let name = name.to_bytes();
        [&leb(name.len() as u32), name, &[3], &leb(index)].concat()
    };
    [export(LIMIT, interface.globals), export(REFUSED, interface.globals + 1)].concat()
}

/// The code section: calls of the guard in place of `memory.grow`, and the guard.
fn code(content: &[u8], offset: usize, interface: &Interface) -> Result<Vec<u8>, BinaryReaderError> {
    let mut reader = BinaryReader::new(content, offset);
    let count = reader.read_var_u32()?;
    let mut out = leb(count + 1);
    let mut grows = interface.grows.iter().peekable();
    let call = [&[0x10], leb(interface.functions).as_slice()].concat();
    for _ in 0..count {
        let len = reader.read_var_u32()? as usize;
        let start = reader.original_position();
        let old = reader.read_bytes(len)?;
        let mut body = Vec::with_capacity(len + 16);
        let mut copied = 0;
        while let Some(grow) = grows.next_if(|grow| grow.start < start + len) {
            body.extend_from_slice(&old[copied..grow.start - start]);
            body.extend_from_slice(&call);
            copied = grow.end - start;
        }
        body.extend_from_slice(&old[copied..]);
        out.extend(leb(body.len() as u32));
        out.extend(body);
    }
    let guard = guard(interface);
    out.extend(leb(guard.len() as u32));
    out.extend(guard);
    Ok(out)
}

/// ```wat
/// (func (param $pages i32) (result i32)
///   (if (i32.gt_u (local.get $pages) (i32.sub (global.get $limit) (memory.size)))
///     (then (global.set $refused (i32.const 1)) (return (i32.const -1))))
///   (memory.grow (local.get $pages)))
/// ```
/// A memory begins within its limit, so that the difference is never negative.
fn guard(interface: &Interface) -> Vec<u8> {
    let (limit, refused) = (leb(interface.globals), leb(interface.globals + 1));
    let mut body = vec![0, 0x20, 0, 0x23];
    body.extend(limit);
    body.extend([0x3f, 0, 0x6b, 0x4b, 0x04, 0x40, 0x41, 1, 0x24]);
    body.extend(refused);
    body.extend([0x41, 0x7f, 0x0f, 0x0b, 0x20, 0, 0x40, 0, 0x0b]);
    body
}

fn leb(mut number: u32) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(5);
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interface;

    fn guarded(wat: &str) -> Option<Vec<u8>> {
        let wasm = wat::parse_str(wat).unwrap();
        let Ok(interface) = interface::read(&wasm, true) else { panic!("{wat}") };
        add(&wasm, &interface).unwrap()
    }

    #[test]
    fn a_module_that_never_grows_is_left_alone() {
        assert!(guarded("(module (memory 1) (func (export \"_start\") block unreachable end))").is_none());
    }

    #[test]
    fn a_guarded_module_is_valid_and_grows_in_one_place() {
        for wat in [
            "(module (memory 1) (func (export \"_start\") (drop (memory.grow (i32.const 1)))))",
            "(module (import \"wasi_snapshot_preview1\" \"sched_yield\" (func (result i32)))
               (memory 1) (global i64 (i64.const 5)) (table 1 funcref) (elem (i32.const 0) 1)
               (func (export \"_start\") (drop (memory.grow (memory.grow (i32.const 1)))))
               (func $other block unreachable end)
               (func (result i32) (call $other) (memory.grow (i32.const 2))) (data (i32.const 0) \"x\"))",
        ] {
            let wasm = guarded(wat).unwrap();
            wasmparser::validate(&wasm).unwrap();
            let text = wasm.windows(2).filter(|bytes| *bytes == [0x40, 0x00]).count();
            // The guard's own, and the block of `$other`.
            assert_eq!(text, 1 + usize::from(wat.contains("block unreachable")), "{wat}");
        }
    }

    #[test]
    fn numbers_are_as_short_as_can_be() {
        assert_eq!(leb(0), [0]);
        assert_eq!(leb(127), [127]);
        assert_eq!(leb(128), [0x80, 1]);
        assert_eq!(leb(u32::MAX), [0xff, 0xff, 0xff, 0xff, 0x0f]);
    }
}
