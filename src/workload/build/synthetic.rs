//! Modules with a knob, so that cold start can be plotted against it.

use super::super::recipe::Knobs;
use wasm_encoder::{
    CodeSection, ConstExpr, DataSection, EntityType, ExportKind, ExportSection, Function, FunctionSection,
    ImportSection, MemorySection, MemoryType, Module, TypeSection, ValType,
};

const PAGE_BYTES: u64 = 65536;
/// How much code one function of the knob `code_bytes` has: what compilers emit is rarely much larger.
const FUNCTION_BYTES: usize = 1000;

/// The modules' WASI imports, in the order of their names.
macro_rules! signatures {
    ([] $(fn $name:ident($($arg:ident: $ty:ident),*) $(-> $result:ident)?;)*) => {
        &[$((stringify!($name), &[$(value!($ty)),*], &[$(value!($result)),*])),*]
    };
}
macro_rules! value {
    (i32) => {
        ValType::I32
    };
    (i64) => {
        ValType::I64
    };
}
type Signature = (&'static str, &'static [ValType], &'static [ValType]);
const IMPORTS: &[Signature] = isobar_core::preview1!(signatures);

/// A module that does nothing and is as large as the knobs say. The same knobs give the same bytes.
///
/// # Errors
/// More of something than there can be, in one line.
pub(super) fn module(knobs: Knobs) -> Result<Vec<u8>, String> {
    if knobs.imports > IMPORTS.len() as u64 {
        return Err(format!("`imports` is {}, and WASI preview 1 has {} functions", knobs.imports, IMPORTS.len()));
    }
    let pages = 1 + knobs.data_bytes.div_ceil(PAGE_BYTES) + knobs.memory_pages;
    if pages > 65536 || knobs.code_bytes > 1 << 30 || knobs.functions > 1_000_000 {
        return Err("more than a module can have".to_owned());
    }
    let imports = &IMPORTS[..knobs.imports as usize];
    let mut types = TypeSection::new();
    // Type 0 is that of `_start` and the small functions, type 1 that of the large ones.
    types.ty().function([], []);
    types.ty().function([ValType::I32], [ValType::I32]);
    let mut import_section = ImportSection::new();
    for (index, (name, params, results)) in imports.iter().enumerate() {
        types.ty().function(params.iter().copied(), results.iter().copied());
        import_section.import(isobar_core::wasi::MODULE, name, EntityType::Function(2 + index as u32));
    }
    let (functions, code) = code(knobs);
    let mut memories = MemorySection::new();
    let memory = MemoryType { minimum: pages, maximum: None, memory64: false, shared: false, page_size_log2: None };
    memories.memory(memory);
    let mut exports = ExportSection::new();
    exports.export("memory", ExportKind::Memory, 0);
    exports.export("_start", ExportKind::Func, imports.len() as u32);
    let mut module = Module::new();
    module.section(&types);
    if !imports.is_empty() {
        module.section(&import_section);
    }
    module.section(&functions).section(&memories).section(&exports).section(&code);
    if knobs.data_bytes > 0 {
        let mut data = DataSection::new();
        data.active(0, &ConstExpr::i32_const(PAGE_BYTES as i32), bytes(knobs.data_bytes));
        module.section(&data);
    }
    Ok(module.finish())
}

/// `_start`, the small functions and the large ones.
fn code(knobs: Knobs) -> (FunctionSection, CodeSection) {
    let (mut functions, mut code) = (FunctionSection::new(), CodeSection::new());
    let mut empty = Function::new([]);
    empty.instructions().end();
    functions.function(0);
    code.function(&empty);
    for index in 0..knobs.functions {
        let mut small = Function::new([]);
        small.instructions().i32_const(index as i32).drop().end();
        functions.function(0);
        code.function(&small);
    }
    let mut random = Random(1);
    while (code.byte_len() as u64) < knobs.code_bytes {
        functions.function(1);
        code.function(&large(&mut random));
    }
    (functions, code)
}

/// A function that no compiler can shorten: it mixes its parameter with constants, and branches now and then.
fn large(random: &mut Random) -> Function {
    let mut function = Function::new([(1, ValType::I32)]);
    while function.byte_len() < FUNCTION_BYTES {
        let mut body = function.instructions();
        body.local_get(0).i32_const(random.next() as i32);
        match random.next() % 4 {
            0 => body.i32_add(),
            1 => body.i32_xor(),
            2 => body.i32_mul(),
            _ => body.i32_rotl(),
        };
        body.local_set(0);
        if random.next().is_multiple_of(8) {
            body.local_get(0).i32_const(random.next() as i32).i32_lt_s();
            body.if_(wasm_encoder::BlockType::Empty);
            body.local_get(1).local_get(0).i32_sub().local_set(1).end();
        }
    }
    function.instructions().local_get(0).local_get(1).i32_add().end();
    function
}

/// Bytes without a pattern: no page of them is all zeroes, and nothing can compress them.
fn bytes(count: u64) -> Vec<u8> {
    let mut random = Random(2);
    (0..count).map(|_| random.next().to_le_bytes()[1]).collect()
}

/// Marsaglia's xorshift of 32 bits: "Xorshift RNGs", Journal of Statistical Software 8 (2003).
struct Random(u32);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::{IMPORTS, Knobs, module};
    use isobar_core::inspect::needed_proposals;
    use proptest::prelude::*;

    #[test]
    fn each_knob_turns_what_it_says() {
        let plain = module(Knobs::default()).unwrap();
        assert!(plain.len() < 60);
        let near = |knobs: Knobs, wanted: usize| {
            let grown = module(knobs).unwrap().len() - plain.len();
            assert!(grown.abs_diff(wanted) < wanted / 10 + 1500, "{knobs:?}: {grown}");
        };
        near(Knobs { code_bytes: 100_000, ..Knobs::default() }, 100_000);
        near(Knobs { data_bytes: 100_000, ..Knobs::default() }, 100_000);
        near(Knobs { memory_pages: 1000, ..Knobs::default() }, 2);
        near(Knobs { functions: 10_000, ..Knobs::default() }, 80_000);
        near(Knobs { imports: IMPORTS.len() as u64, ..Knobs::default() }, 2200);
    }

    #[test]
    fn too_much_is_refused() {
        assert!(module(Knobs { imports: 1000, ..Knobs::default() }).unwrap_err().contains("`imports` is 1000"));
        assert!(module(Knobs { memory_pages: 65536, ..Knobs::default() }).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn every_setting_gives_a_valid_module_of_the_first_edition(
            code_bytes in 0u64..20_000, data_bytes in 0u64..200_000, memory_pages in 0u64..100,
            functions in 0u64..500, imports in 0..IMPORTS.len() as u64,
        ) {
            let knobs = Knobs { code_bytes, data_bytes, memory_pages, functions, imports };
            let wasm = module(knobs).unwrap();
            prop_assert_eq!(needed_proposals(&wasm), Ok(vec![]));
            prop_assert_eq!(module(knobs).unwrap(), wasm);
        }
    }
}
