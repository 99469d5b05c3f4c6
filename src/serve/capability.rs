//! Taking away from a module what its function was not granted.
//!
//! WASI libraries have no switch for clocks and randomness, and each runtime has another library. So the module is
//! changed before any runtime sees it: each import that was not granted becomes a function of the module's own that
//! answers `ENOSYS`. That holds in every runtime, in process or not.

use isobar_core::Failure;
use isobar_core::wasi::MODULE;
use wasm_encoder::reencode::{Error, Reencode};
use wasm_encoder::{CodeSection, FunctionSection, ImportSection};
use wasmparser::{FuncType, ImportSectionReader, Imports, Parser, Payload, TypeRef};

/// The number of preview 1's error `nosys`: there is no such function.
const ENOSYS: i32 = 52;

/// What a function can do beside reading and writing its streams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// Tell the time, and sleep.
    pub clock: bool,
    /// Draw random bytes.
    pub random: bool,
}

impl Grants {
    /// All that there is.
    pub const ALL: Grants = Grants { clock: true, random: true };

    fn allow(self, function: &str) -> bool {
        match function {
            "clock_time_get" | "clock_res_get" | "poll_oneoff" => self.clock,
            "random_get" => self.random,
            _ => true,
        }
    }
}

/// The module without what was not granted; the same bytes when it does not ask for that.
///
/// # Errors
/// [`Failure::Rejected`] for a module that is malformed, and [`Failure::Link`] for one with a start section: it would run
/// before its limits hold.
pub fn restrict(wasm: &[u8], grants: Grants) -> Result<Vec<u8>, Failure> {
    let module = survey(wasm, grants).map_err(|e| Failure::rejected(e.to_string()))?;
    if module.starts {
        return Err(Failure::link("the module has a start section; a command starts at `_start`"));
    }
    if module.denied.is_empty() {
        return Ok(wasm.to_vec());
    }
    if module.defined == 0 {
        return Err(Failure::link("the module has no function of its own"));
    }
    let mut encoder = Restricted { module, next_import: 0 };
    let mut out = wasm_encoder::Module::new();
    let written = encoder.parse_core_module(&mut out, Parser::new(0), wasm);
    written.map_err(|e| Failure::rejected(format!("cannot be restricted: {e}")))?;
    Ok(out.finish())
}

/// An imported function that was not granted.
struct Denied {
    index: u32,
    type_index: u32,
    returns: bool,
}

/// What must be known of a module before it is changed.
#[derive(Default)]
struct Survey {
    denied: Vec<Denied>,
    imported: u32,
    defined: u32,
    starts: bool,
}

fn survey(wasm: &[u8], grants: Grants) -> Result<Survey, wasmparser::BinaryReaderError> {
    let mut survey = Survey::default();
    let mut types: Vec<Option<FuncType>> = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        match payload? {
            Payload::TypeSection(section) => {
                for group in section {
                    types.extend(group?.into_types().map(|ty| match ty.composite_type.inner {
                        wasmparser::CompositeInnerType::Func(ty) => Some(ty),
                        _ => None,
                    }));
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import?;
                    let (TypeRef::Func(type_index) | TypeRef::FuncExact(type_index)) = import.ty else { continue };
                    if import.module == MODULE && !grants.allow(import.name) {
                        let ty = types.get(type_index as usize).and_then(Option::as_ref);
                        let returns = ty.is_some_and(|ty| ty.results() == [wasmparser::ValType::I32]);
                        survey.denied.push(Denied { index: survey.imported, type_index, returns });
                    }
                    survey.imported += 1;
                }
            }
            Payload::FunctionSection(section) => survey.defined = section.count(),
            Payload::StartSection { .. } => survey.starts = true,
            _ => {}
        }
    }
    Ok(survey)
}

/// Writes the module again: imports that were denied move behind all other functions.
struct Restricted {
    module: Survey,
    next_import: u32,
}

impl Restricted {
    fn kept(&self) -> u32 {
        self.module.imported - self.module.denied.len() as u32
    }
}

impl Reencode for Restricted {
    type Error = std::convert::Infallible;

    fn function_index(&mut self, index: u32) -> Result<u32, Error<Self::Error>> {
        let denied = &self.module.denied;
        Ok(match denied.binary_search_by_key(&index, |denied| denied.index) {
            Ok(place) => self.kept() + self.module.defined + place as u32,
            Err(before) => index - before as u32,
        })
    }

    fn parse_import_section(
        &mut self,
        imports: &mut ImportSection,
        section: ImportSectionReader<'_>,
    ) -> Result<(), Error<Self::Error>> {
        for import in section.into_imports() {
            let import = import?;
            let is_function = matches!(import.ty, TypeRef::Func(_) | TypeRef::FuncExact(_));
            let index = self.next_import;
            self.next_import += u32::from(is_function);
            let denied = is_function && self.module.denied.iter().any(|denied| denied.index == index);
            if !denied {
                self.parse_imports(imports, Imports::Single(0, import))?;
            }
        }
        Ok(())
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: wasmparser::FunctionSectionReader<'_>,
    ) -> Result<(), Error<Self::Error>> {
        wasm_encoder::reencode::utils::parse_function_section(self, functions, section)?;
        for denied in &self.module.denied {
            functions.function(denied.type_index);
        }
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: wasmparser::CodeSectionReader<'_>,
    ) -> Result<(), Error<Self::Error>> {
        wasm_encoder::reencode::utils::parse_code_section(self, code, section)?;
        for denied in &self.module.denied {
            let mut body = wasm_encoder::Function::new([]);
            match denied.returns {
                true => body.instructions().i32_const(ENOSYS).end(),
                // Not the type that WASI has: no runtime would have linked it.
                false => body.instructions().unreachable().end(),
            };
            code.function(&body);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODULE: &str = r#"(module
        (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
        (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
        (import "other" "random_get" (func $other))
        (import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))
        (memory (export "memory") 1)
        (table 4 funcref)
        (elem (i32.const 0) $close $random $other $time)
        (func $first (export "_start") (drop (call $random (i32.const 0) (i32.const 0))) (call $second))
        (func $second (call $other) (drop (call $time (i32.const 0) (i64.const 0) (i32.const 0)))))"#;

    fn restricted(text: &str, grants: Grants) -> Result<Vec<u8>, Failure> {
        restrict(&wat::parse_str(text).unwrap(), grants)
    }

    fn imports(wasm: &[u8]) -> Vec<String> {
        let sections = Parser::new(0).parse_all(wasm).filter_map(|payload| match payload.unwrap() {
            Payload::ImportSection(section) => Some(section),
            _ => None,
        });
        sections.flat_map(|section| section.into_imports()).map(|import| import.unwrap().name.to_owned()).collect()
    }

    #[test]
    fn a_module_that_asks_for_nothing_more_is_left_as_it_is() {
        let wasm = wat::parse_str(MODULE).unwrap();
        assert_eq!(restrict(&wasm, Grants::ALL).unwrap(), wasm);
    }

    #[test]
    fn what_was_not_granted_is_no_import_any_more_and_the_module_is_valid() {
        for (clock, random, left) in [
            (false, false, &["fd_close", "random_get"][..]),
            (true, false, &["fd_close", "random_get", "clock_time_get"]),
            (false, true, &["fd_close", "random_get", "random_get"]),
        ] {
            let wasm = restricted(MODULE, Grants { clock, random }).unwrap();
            wasmparser::validate(&wasm).unwrap();
            assert_eq!(imports(&wasm), left);
        }
    }

    #[test]
    fn calls_lead_to_where_they_led_before() {
        let wasm = restricted(MODULE, Grants::default()).unwrap();
        // Two imports are left, then come the two functions, then those that answer that they are not there.
        let calls = Parser::new(0).parse_all(&wasm).filter_map(|payload| match payload.unwrap() {
            Payload::CodeSectionEntry(body) => Some(body),
            _ => None,
        });
        let called = |body: wasmparser::FunctionBody<'_>| -> Vec<u32> {
            let operators = body.get_operators_reader().unwrap().into_iter();
            let call = |operator: Result<_, _>| match operator.unwrap() {
                wasmparser::Operator::Call { function_index } => Some(function_index),
                _ => None,
            };
            operators.filter_map(call).collect()
        };
        assert_eq!(calls.map(called).collect::<Vec<_>>(), [vec![4, 3], vec![1, 5], vec![], vec![]]);
    }

    #[test]
    fn a_start_section_and_a_malformed_module_are_refused() {
        let starts = restricted("(module (func $f) (start $f))", Grants::ALL);
        assert!(matches!(starts, Err(Failure::Link { .. })), "{starts:?}");
        let broken = restrict(b"\0asm\x01\0\0\0\x02\xff", Grants::default());
        assert!(matches!(broken, Err(Failure::Rejected { .. })), "{broken:?}");
    }
}
