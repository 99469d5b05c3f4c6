//! What a module is and needs, read from its bytes: the words for a rejection that a person can act on.

use crate::contract::Failure;
use std::path::Path;
use wasmparser::{Validator, WasmFeatures};

/// Every WebAssembly proposal that isobar can name, oldest first.
pub const PROPOSALS: [(&str, WasmFeatures); 19] = [
    ("mutable-global", WasmFeatures::MUTABLE_GLOBAL),
    ("sign-extension", WasmFeatures::SIGN_EXTENSION),
    ("saturating-float-to-int", WasmFeatures::SATURATING_FLOAT_TO_INT),
    ("multi-value", WasmFeatures::MULTI_VALUE),
    ("bulk-memory", WasmFeatures::BULK_MEMORY),
    ("reference-types", WasmFeatures::REFERENCE_TYPES.union(WasmFeatures::GC_TYPES)),
    ("simd", WasmFeatures::SIMD),
    ("relaxed-simd", WasmFeatures::RELAXED_SIMD),
    ("tail-call", WasmFeatures::TAIL_CALL),
    ("extended-const", WasmFeatures::EXTENDED_CONST),
    ("multi-memory", WasmFeatures::MULTI_MEMORY),
    ("memory64", WasmFeatures::MEMORY64),
    ("threads", WasmFeatures::THREADS),
    ("exceptions", WasmFeatures::EXCEPTIONS),
    ("legacy-exceptions", WasmFeatures::LEGACY_EXCEPTIONS),
    ("function-references", WasmFeatures::FUNCTION_REFERENCES),
    ("gc", WasmFeatures::GC),
    ("wide-arithmetic", WasmFeatures::WIDE_ARITHMETIC),
    ("custom-page-sizes", WasmFeatures::CUSTOM_PAGE_SIZES),
];

/// Reads a module, binary or text, as the binary.
///
/// # Errors
/// [`Failure::Host`] for a file that cannot be read; [`Failure::Rejected`] for text that is no WebAssembly text, with
/// its line.
pub fn read_module(path: &Path) -> Result<Vec<u8>, Failure> {
    let bytes = std::fs::read(path).map_err(|e| Failure::host(format!("cannot read {}: {e}", path.display())))?;
    if bytes.starts_with(b"\0asm") {
        return Ok(bytes);
    }
    if std::str::from_utf8(&bytes).map_or(true, |text| text.contains('\0')) {
        return Err(Failure::rejected("neither a WebAssembly binary nor WebAssembly text"));
    }
    wat::parse_bytes(&bytes).map(|binary| binary.into_owned()).map_err(|mut e| {
        e.set_path(path);
        // What follows the first two lines (the message, the place) is an excerpt.
        let text = one_line(e.to_string().lines().take(2));
        Failure::rejected(format!("malformed WebAssembly text: {text}"))
    })
}

fn one_line<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    lines.map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The proposals beyond the first edition of WebAssembly that a module cannot do without.
///
/// # Errors
/// Why the module is malformed, invalid, or a component.
pub fn needed_proposals(wasm: &[u8]) -> Result<Vec<&'static str>, String> {
    if is_component(wasm) {
        return Err("a component, where a module is wanted: build for wasm32-wasip1".to_owned());
    }
    let all = PROPOSALS.iter().fold(WasmFeatures::FLOATS, |all, (_, feature)| all | *feature);
    validate(wasm, all)?;
    Ok(PROPOSALS.iter().filter(|(_, feature)| validate(wasm, all - *feature).is_err()).map(|(name, _)| *name).collect())
}

fn validate(wasm: &[u8], features: WasmFeatures) -> Result<(), String> {
    Validator::new_with_features(features).validate_all(wasm).map(drop).map_err(|e| e.to_string())
}

fn is_component(wasm: &[u8]) -> bool {
    // The "layer" half-word of the preamble: 0 for a core module, 1 for a component.
    wasm.len() >= 8 && wasm[..4] == *b"\0asm" && wasm[6..8] == [1, 0]
}

/// Turns a runtime's refusal of a module into the [`Failure`] that says why in the same words for every runtime:
/// malformed, a component, or in need of proposals that are not among `enabled`.
pub fn explain_rejection(wasm: &[u8], enabled: &[String], runtime_says: &str) -> Failure {
    match needed_proposals(wasm) {
        Err(message) => Failure::rejected(message),
        Ok(needed) => {
            let missing = |name: &&str| !enabled.iter().any(|e| e == name);
            let proposals = needed.into_iter().filter(missing).map(str::to_owned).collect();
            Failure::Rejected { message: one_line(runtime_says.lines()), proposals }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs(text: &str) -> Vec<&'static str> {
        needed_proposals(&wat::parse_str(text).unwrap()).unwrap()
    }

    #[test]
    fn names_the_proposals_that_a_module_needs() {
        assert!(needs("(module (func (export \"_start\")))").is_empty());
        assert_eq!(needs("(module (func (drop (v128.const i32x4 0 0 0 0))))"), ["simd"]);
        assert_eq!(needs("(module (func $f (return_call $f)))"), ["tail-call"]);
        assert_eq!(needs("(module (func (result i32 i32) i32.const 1 i32.const 2))"), ["multi-value"]);
        assert_eq!(needs("(module (func (drop (i32.extend8_s (i32.const 1)))))"), ["sign-extension"]);
        assert_eq!(needs("(module (memory 1) (memory 1))"), ["multi-memory"]);
        assert_eq!(needs("(module (memory i64 1))"), ["memory64"]);
        assert_eq!(needs("(module (table 1 externref))"), ["reference-types"]);
    }

    #[test]
    fn says_what_is_wrong_with_what_is_no_module() {
        let component = wat::parse_str("(component)").unwrap();
        assert!(needed_proposals(&component).unwrap_err().contains("component"));
        let module = wat::parse_str("(module (func (export \"_start\")))").unwrap();
        assert!(needed_proposals(&module[..module.len() - 1]).is_err());
        assert!(needed_proposals(b"garbage").is_err());
    }

    #[test]
    fn a_rejection_names_only_what_the_runtime_lacks() {
        let wasm =
            wat::parse_str("(module (func (result i32 i32) i32.const 1 (i32.extend8_s (i32.const 1))))").unwrap();
        let enabled = vec!["multi-value".to_owned()];
        let Failure::Rejected { proposals, .. } = explain_rejection(&wasm, &enabled, "no") else { panic!() };
        assert_eq!(proposals, ["sign-extension"]);
    }
}
