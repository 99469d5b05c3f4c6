//! What a module asks of its host, read from its bytes: wasm3 does not list a module's imports, and lets a missing one
//! pass until it is called.

use crate::host::{self, HostFunction};
use isobar_core::{Failure, wasi};
use std::ops::Range;
use wasmparser::{
    BinaryReaderError, ExternalKind, FunctionBody, FunctionSectionReader, Operator, Parser, Payload, TypeRef,
    TypeSectionReader,
};

/// The start of every name that the adapter itself adds to a module.
pub const RESERVED_PREFIX: &str = "isobar:";

/// What a module asks of its host, and where it asks for memory.
#[derive(Default)]
pub struct Interface {
    /// The functions that it imports.
    pub imports: Vec<&'static HostFunction>,
    /// Its memory.
    pub memory: Option<Memory>,
    /// Where each `memory.grow` instruction is, in order; only for a module that gets a guard.
    pub grows: Vec<Range<usize>>,
    /// How many types it has.
    pub types: u32,
    /// How many functions it has, imports included.
    pub functions: u32,
    /// How many globals it has. None is imported.
    pub globals: u32,
}

/// The memory of a module.
#[derive(Clone, Copy)]
pub struct Memory {
    /// Its size at the start, in pages.
    pub initial_pages: u64,
    /// The size of a page, as a power of two.
    pub page_size_log2: u32,
}

impl Memory {
    /// The most pages that fit in so many bytes, as far as 32 bits count.
    pub fn pages_in(self, bytes: u64) -> u32 {
        u32::try_from(bytes >> self.page_size_log2).unwrap_or(u32::MAX)
    }
}

/// Why a module cannot be used.
pub enum Refusal {
    /// It is malformed, or of a kind that is not known here.
    Malformed(String),
    /// It asks for what is not there, or lacks `_start`.
    Link(Failure),
}

impl From<BinaryReaderError> for Refusal {
    fn from(error: BinaryReaderError) -> Self {
        Refusal::Malformed(error.to_string())
    }
}

/// Reads a module's interface. Function bodies are only looked through for `memory.grow`.
pub fn read(wasm: &[u8], guarded: bool) -> Result<Interface, Refusal> {
    let mut interface = Interface::default();
    let mut types = None;
    let mut functions = None;
    let mut start = None;
    for payload in Parser::new(0).parse_all(wasm) {
        match payload? {
            Payload::TypeSection(section) => {
                interface.types = section.count();
                types = Some(section);
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import?;
                    interface.imports.push(find_import(import.module, import.name, import.ty)?);
                }
                interface.functions = interface.imports.len() as u32;
            }
            Payload::FunctionSection(section) => {
                interface.functions += section.count();
                functions = Some(section);
            }
            Payload::MemorySection(section) => {
                for memory in section {
                    let memory = memory?;
                    let page_size_log2 = memory.page_size_log2.unwrap_or(16);
                    interface.memory = Some(Memory { initial_pages: memory.initial, page_size_log2 });
                }
            }
            Payload::GlobalSection(section) => interface.globals = section.count(),
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export?;
                    if export.name.starts_with(RESERVED_PREFIX) {
                        return Err(link(format!("the export `{}` has a reserved name", export.name)));
                    }
                    if export.name == "_start" && export.kind == ExternalKind::Func {
                        start = Some(export.index);
                    }
                }
            }
            Payload::CodeSectionEntry(body) if guarded => find_grows(wasm, &body, &mut interface.grows),
            _ => {}
        }
    }
    let start = start.ok_or_else(|| link("the module does not export a function `_start`"))?;
    // A `_start` that is an import is of no use: the functions of WASI have other types.
    let own = start.checked_sub(interface.imports.len() as u32);
    match own.map(|own| takes_and_returns_nothing(types, functions, own)).transpose()? {
        Some(true) => Ok(interface),
        _ => Err(link("`_start` is not a function without parameters and results")),
    }
}

fn link(message: impl Into<String>) -> Refusal {
    Refusal::Link(Failure::link(message))
}

fn find_import(module: &str, name: &str, ty: TypeRef) -> Result<&'static HostFunction, Refusal> {
    if !matches!(ty, TypeRef::Func(_) | TypeRef::FuncExact(_)) {
        return Err(link(format!("the import `{module}::{name}` is not a function")));
    }
    let known = if module == wasi::MODULE { host::find(name) } else { None };
    known.ok_or_else(|| link(format!("unknown import: `{module}::{name}`")))
}

fn takes_and_returns_nothing(
    types: Option<TypeSectionReader>,
    functions: Option<FunctionSectionReader>,
    index: u32,
) -> Result<bool, BinaryReaderError> {
    let (Some(types), Some(functions)) = (types, functions) else { return Ok(false) };
    let Some(ty) = functions.into_iter().nth(index as usize).transpose()? else { return Ok(false) };
    let ty = types.into_iter_err_on_gc_types().nth(ty as usize).transpose()?;
    Ok(ty.is_some_and(|ty| ty.params().is_empty() && ty.results().is_empty()))
}

/// Finds the `memory.grow` instructions of one function. A body that cannot be decoded is left alone: wasm3, which
/// knows fewer instructions than the parser, will refuse to compile it.
fn find_grows(wasm: &[u8], body: &FunctionBody, grows: &mut Vec<Range<usize>>) {
    // The instruction and its memory's index, which may be a needlessly long number. Nearly all functions have no such
    // bytes, and are not decoded.
    if !wasm[body.range()].windows(2).any(|bytes| bytes == [0x40, 0x00] || bytes == [0x40, 0x80]) {
        return;
    }
    let Ok(mut operators) = body.get_operators_reader() else { return };
    while let Ok((operator, offset)) = operators.read_with_offset() {
        if matches!(operator, Operator::MemoryGrow { .. }) {
            grows.push(offset..operators.original_position());
        }
        if operators.eof() {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(wat: &str) -> String {
        match read(&wat::parse_str(wat).unwrap(), true) {
            Ok(_) => panic!("{wat} is fine"),
            Err(Refusal::Malformed(message)) => format!("malformed: {message}"),
            Err(Refusal::Link(failure)) => failure.to_string(),
        }
    }

    #[test]
    fn says_what_a_module_lacks_or_wants() {
        assert!(refusal("(module)").contains("does not export a function `_start`"));
        assert!(refusal("(module (memory (export \"_start\") 1))").contains("does not export a function `_start`"));
        assert!(refusal("(module (func (export \"_start\") (param i32)))").contains("without parameters"));
        let unknown = refusal("(module (import \"env\" \"f\" (func)) (func (export \"_start\")))");
        assert!(unknown.contains("unknown import: `env::f`"), "{unknown}");
        let memory = "(module (import \"wasi_snapshot_preview1\" \"m\" (memory 1)) (func (export \"_start\")))";
        assert!(refusal(memory).contains("is not a function"));
        let reserved = "(module (global (export \"isobar:x\") i32 (i32.const 0)) (func (export \"_start\")))";
        assert!(refusal(reserved).contains("reserved"));
    }

    #[test]
    fn finds_every_grow_and_nothing_else() {
        let wasm = wat::parse_str(
            "(module (memory 1)
               (func (export \"_start\") block unreachable end (drop (memory.grow (i32.const 64))))
               (func (result i32) (memory.grow (memory.grow (i32.const 1)))))",
        );
        let wasm = wasm.unwrap();
        let Ok(interface) = read(&wasm, true) else { panic!() };
        assert_eq!(interface.grows.len(), 3);
        assert!(interface.grows.iter().all(|grow| wasm[grow.clone()] == [0x40, 0x00]));
        assert_eq!((interface.types, interface.functions, interface.globals), (2, 2, 0));
    }
}
