//! What WasmEdge compiles ahead of time: the module itself, and its machine code in a custom section. (Its other
//! format, a shared object, is not used: loading a second one from the same path would give the first one again.)

use crate::log;
use crate::raw::{Ast, Config};
use isobar_core::contract::Failure;
use isobar_core::inspect::{explain_rejection, read_module};
use std::path::Path;

/// How a module starts.
const HEADER: &[u8] = b"\0asm\x01\0\0\0";

/// The name of the custom section that holds the machine code.
const NAME: &[u8] = b"wasmedge";

/// Loads an artifact, and makes sure that it is one: WasmEdge would quietly interpret a mere module.
pub fn load(config: &Config, path: &Path) -> Result<Ast, Failure> {
    let refused = |why: &str| Failure::host(format!("{} is no artifact of wasmedge/aot: {why}", path.display()));
    let bytes = std::fs::read(path).map_err(|e| Failure::host(format!("cannot read {}: {e}", path.display())))?;
    if !sections(&bytes).is_some_and(|sections| sections.into_iter().any(is_machine_code)) {
        return Err(refused("it is not compiled"));
    }
    let ast = Ast::from_bytes(config, &bytes)?.map_err(|error| refused(&error.message()))?;
    if log::interprets() {
        return Err(refused(&log::lines().join("; ")));
    }
    Ok(ast)
}

/// Reads a module to be compiled or interpreted, without machine code: that comes from the compiler here, never from
/// who wrote the module.
pub fn read_plain_module(path: &Path, proposals: &[String]) -> Result<Vec<u8>, Failure> {
    let wasm = read_module(path)?;
    match sections(&wasm) {
        None => Err(explain_rejection(&wasm, proposals, "malformed sections")),
        Some(sections) if sections.iter().all(|section| !is_machine_code(section)) => Ok(wasm),
        Some(sections) => {
            let kept = sections.into_iter().filter(|section| !is_machine_code(section));
            Ok(std::iter::once(&wasm[..HEADER.len()]).chain(kept).collect::<Vec<_>>().concat())
        }
    }
}

/// A module's sections, each with its header; nothing when it is malformed.
fn sections(module: &[u8]) -> Option<Vec<&[u8]>> {
    let mut rest = module.strip_prefix(HEADER)?;
    let mut sections = Vec::new();
    while !rest.is_empty() {
        let (size, content) = leb128(&rest[1..])?;
        let header = rest.len() - content.len();
        let (section, next) = rest.split_at_checked(header.checked_add(size)?)?;
        sections.push(section);
        rest = next;
    }
    Some(sections)
}

fn is_machine_code(section: &[u8]) -> bool {
    let content = section.get(1..).and_then(leb128).map(|(_, content)| content);
    let name = content.and_then(leb128).and_then(|(len, name)| name.get(..len));
    section[0] == 0 && name == Some(NAME)
}

/// An unsigned number and what follows it.
fn leb128(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0;
    for (i, byte) in bytes.iter().enumerate().take(5) {
        value |= usize::from(byte & 0x7f) << (7 * i);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[i + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{is_machine_code, read_plain_module, sections};

    #[test]
    fn sections_are_told_apart() {
        let machine_code = |text: &str| {
            let module = wat::parse_str(text).unwrap();
            sections(&module).unwrap().into_iter().filter(|section| is_machine_code(section)).count()
        };
        assert_eq!(machine_code("(module (@custom \"wasmedge\" \"code\") (memory 1))"), 1);
        assert_eq!(machine_code("(module (@custom \"wasmedgex\" \"code\") (@custom \"\" \"\"))"), 0);
        assert_eq!(machine_code("(module (memory 1) (data (i32.const 0) \"\\08wasmedge\"))"), 0);
        assert!(sections(b"\0asm\x01\0\0\0\0\xff").is_none());
        assert!(sections(b"\0asm\x01\0\0\0\0").is_none());
        assert!(sections(b"\x7fELF").is_none());
    }

    #[test]
    fn a_module_brings_no_machine_code() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, "(module (@custom \"wasmedge\" \"code\") (memory 1) (@custom \"kept\" \"\"))").unwrap();
        let plain = wat::parse_str("(module (memory 1) (@custom \"kept\" \"\"))").unwrap();
        assert_eq!(read_plain_module(file.path(), &[]), Ok(plain));
    }
}
