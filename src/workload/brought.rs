//! A module that somebody brings, without a manifest: whether it can be a function at all, and if not, why.

use super::{Problem, Serving, Workload, WorkloadError};
use isobar_core::inspect::{PROPOSALS, read_module};
use isobar_core::measure::{Expectation, sha256_hex};
use isobar_core::{Failure, Invocation, wasi};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};
use wasmparser::types::{EntityType, TypesRef};
use wasmparser::{ValType, Validator, WasmFeatures};

/// The language of modules that are brought: nobody knows in which they were written.
const LANGUAGE: &str = "module";

/// How many imports a message names.
const NAMED: usize = 5;

/// A module without a manifest, which could be a function: a valid core module with a `_start` that imports nothing but
/// what some WASI may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brought {
    /// `module/<name>`, by the file's name.
    pub name: String,
    /// The file's name.
    pub file_name: String,
    /// The module as a binary, whatever the file is.
    pub wasm: Vec<u8>,
    /// What it imports that is not of preview 1 as everybody has it, each with its type.
    strange: Vec<String>,
}

impl Brought {
    /// Reads a module, binary or text.
    ///
    /// # Errors
    /// [`WorkloadError::Broken`] with what is wrong with it in every runtime: no module, invalid, a component, no command, or
    /// built for another host.
    pub fn read(path: &Path) -> Result<Brought, WorkloadError> {
        read(path).map_err(|problem| WorkloadError::Broken(vec![problem]))
    }

    /// What it imports from WASI that not every runtime has, in one line.
    pub fn strange_imports(&self) -> Option<String> {
        let preview0 = self.strange.iter().any(|import| import.starts_with("wasi_unstable."));
        let remedy = if preview0 { " (built for WASI preview 0: build it for preview 1)" } else { "" };
        (!self.strange.is_empty()).then(|| format!("imports {}{remedy}", listed(&self.strange)))
    }

    /// The function that it is when it is kept at `module_path` and called like this.
    pub fn workload(&self, module_path: PathBuf, invocation: Invocation, expectation: Expectation) -> Workload {
        let description = self.description(&invocation);
        Workload {
            name: self.name.clone(),
            language: LANGUAGE.to_owned(),
            language_title: LANGUAGE.to_owned(),
            variant: None,
            description,
            stands_for: "itself".to_owned(),
            note: None,
            module_path,
            module_sha256: sha256_hex(&self.wasm),
            module_bytes: self.wasm.len() as u64,
            invocation,
            expectation,
            committed: false,
            quick: true,
            default: true,
            family: None,
            serving: Serving::default(),
            sizes: BTreeMap::new(),
            instead: BTreeMap::new(),
            own_cases: Vec::new(),
            skip: BTreeMap::new(),
            first_args: Vec::new(),
            native: None,
            library: Err("a module that was brought has none".to_owned()),
            component: None,
            javascript: None,
            variant_title: None,
        }
    }

    /// One line, whatever the arguments hold.
    fn description(&self, invocation: &Invocation) -> String {
        let variables = invocation.env.iter().map(|(name, value)| format!("{name}={value}"));
        let stdin = invocation.stdin.len();
        let stdin = (stdin > 0).then(|| format!("{stdin} bytes on standard input"));
        let given: Vec<String> = invocation.args.iter().cloned().chain(variables).chain(stdin).collect();
        let given = if given.is_empty() { "nothing".to_owned() } else { given.join(" ") };
        format!("{}, called with {given}", self.file_name).replace(char::is_control, " ")
    }

    /// The file name of its copy: plain on every file system.
    pub fn copy_name(&self) -> String {
        format!("{}.wasm", self.name.rsplit('/').next().unwrap_or(LANGUAGE))
    }
}

fn read(path: &Path) -> Result<Brought, Problem> {
    let problem = |what: String, remedy: &str| Problem::new(path, what, remedy);
    let bytes = fs::read(path).map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => problem("there is no such file".to_owned(), "name a WebAssembly module"),
        io::ErrorKind::IsADirectory => problem("a folder".to_owned(), "name the module in it"),
        _ => problem(format!("cannot be read: {e}"), "name a WebAssembly module"),
    })?;
    if let Some(what) = other_than_wasm(&bytes) {
        return Err(problem(what.to_owned(), "name a WebAssembly module, binary or text"));
    }
    let wasm = read_module(path).map_err(|failure| match failure {
        Failure::Rejected { message, .. } => problem(message, "name a WebAssembly module, binary or text"),
        other => problem(other.to_string(), "name a WebAssembly module"),
    })?;
    if wasm.get(6..8) == Some(&[1, 0]) {
        let remedy = "build it as a core module: for Rust, --target wasm32-wasip1";
        return Err(problem("a component, and isobar runs core modules".to_owned(), remedy));
    }
    let all = PROPOSALS.iter().fold(WasmFeatures::FLOATS, |all, (_, feature)| all | *feature);
    let types = Validator::new_with_features(all)
        .validate_all(&wasm)
        .map_err(|e| problem(format!("no valid module: {e}"), "build it again, or get it again"))?;
    let types = types.as_ref();
    let imports = Imports::of(types);
    if let Some(remedy) = imports.origin() {
        return Err(problem(format!("imports {}, which no WASI has", listed(&imports.foreign)), remedy));
    }
    check_start(types).map_err(|(what, remedy)| problem(what, remedy))?;
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let file_name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Brought { name: format!("{LANGUAGE}/{}", plain(&stem)), file_name, wasm, strange: imports.strange })
}

/// What a file is that is certainly no module.
fn other_than_wasm(bytes: &[u8]) -> Option<&'static str> {
    let known: [(&[u8], &str); 4] = [
        (b"\x7fELF", "a native program, or a module that was compiled ahead of time"),
        (b"\x1f\x8b", "compressed by gzip"),
        (b"PK\x03\x04", "a zip archive"),
        (b"\0webc", "a package of Wasmer"),
    ];
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Some("empty");
    }
    known.into_iter().find(|(magic, _)| bytes.starts_with(magic)).map(|(_, what)| what)
}

/// A file's name as a function's: what is no lower-case letter, digit, `-` or `_` becomes `-`.
fn plain(stem: &str) -> String {
    let fits = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c.to_ascii_lowercase() } else { '-' };
    let name: String = stem.chars().map(fits).collect();
    let name = name.trim_matches(['-', '_']);
    if name.is_empty() { LANGUAGE.to_owned() } else { name.to_owned() }
}

/// That there is a `_start` that can be called; otherwise what there is instead, and what to do.
fn check_start(types: TypesRef) -> Result<(), (String, &'static str)> {
    let exported = |name: &str| types.core_exports().into_iter().flatten().find(|(export, _)| *export == name);
    match exported("_start") {
        Some((_, EntityType::Func(id))) if signature(types, id) == ("".into(), "".into()) => Ok(()),
        Some((_, of)) => {
            let what = format!("exports _start{}", kind(types, of));
            Err((what, "build a WASI command, whose `_start` is a function without parameters and results"))
        }
        None if exported("_initialize").is_some() => {
            let what = "a reactor, which is a library: it exports `_initialize` and no `_start`".to_owned();
            Err((what, "build a command: with a main, without --no-entry and -mexec-model=reactor"))
        }
        None => Err(("exports no `_start`, so it is no command".to_owned(), "build it with a main, for wasm32-wasip1")),
    }
}

/// What a module imports beyond preview 1.
struct Imports<'a> {
    types: TypesRef<'a>,
    /// Module and name.
    names: Vec<(&'a str, &'a str)>,
    /// From elsewhere than any WASI.
    foreign: Vec<String>,
    /// From a WASI, but not of preview 1, or of another type.
    strange: Vec<String>,
}

impl<'a> Imports<'a> {
    fn of(types: TypesRef<'a>) -> Imports<'a> {
        let mut imports = Imports { types, names: Vec::new(), foreign: Vec::new(), strange: Vec::new() };
        for (module, name, of) in types.core_imports().into_iter().flatten() {
            let text = format!("{module}.{name}{}", kind(types, of));
            if !module.starts_with("wasi") || module.contains(':') {
                imports.names.push((module, name));
                imports.foreign.push(text);
            } else if module != wasi::MODULE || preview1(name).is_none() {
                imports.strange.push(text);
            } else if let (Some(wanted), EntityType::Func(id)) = (preview1(name), of) {
                let (parameters, results) = signature(types, id);
                if (parameters, results) != wanted {
                    imports.strange.push(format!("{text} (in WASI it is {})", arrow(&wanted)));
                }
            } else {
                imports.strange.push(text);
            }
        }
        imports
    }

    /// Who may have built a module with such imports, and how to build it instead; nothing if there are none.
    fn origin(&self) -> Option<&'static str> {
        let module = |wanted: &[&str]| self.names.iter().any(|(module, _)| wanted.contains(module));
        let any = |fits: fn(&str, &str) -> bool| self.names.iter().any(|(module, name)| fits(module, name));
        if self.names.is_empty() {
            None
        } else if any(|module, _| module.contains(':')) {
            Some("built for WASI preview 2 (the core of a component): build it for wasm32-wasip1")
        } else if any(|module, _| module == "wbg" || module.contains("wbindgen") || module.ends_with("_bg.js")) {
            Some("built by wasm-bindgen for JavaScript: build it for wasm32-wasip1")
        } else if module(&["go", "gojs"]) {
            Some("built by Go for JavaScript: build it with GOOS=wasip1")
        } else if any(|_, name| name == "__memory_base") || module(&["GOT.mem", "GOT.func"]) {
            Some("a dynamic library: link it into a command")
        } else if any(emscripten) {
            Some("built by Emscripten for JavaScript: build it with -sSTANDALONE_WASM")
        } else if self.foreign.iter().any(|import| import == "env.abort(i32, i32, i32, i32) -> ()") {
            Some("built by AssemblyScript for JavaScript: build it with @assemblyscript/wasi-shim")
        } else if self.shares_memory() {
            Some("built for threads, which a function has none of: build it for wasm32-wasip1")
        } else if self.names == [("env", "memory")] {
            Some("link it without --import-memory: a function has its own memory")
        } else {
            Some("a function gets WASI preview 1 and nothing else: build it for wasm32-wasip1")
        }
    }

    fn shares_memory(&self) -> bool {
        let mut all = self.types.core_imports().into_iter().flatten();
        all.any(|(_, _, of)| matches!(of, EntityType::Memory(memory) if memory.shared))
    }
}

/// Whether an import is Emscripten's: by its name, or minified (`a.b`).
fn emscripten(module: &str, name: &str) -> bool {
    const NAMES: [&str; 4] = ["_abort_js", "__assert_fail", "setTempRet0", "_munmap_js"];
    const BEGINNINGS: [&str; 8] =
        ["emscripten_", "_emscripten_", "__emscripten_", "_embind_", "_emval_", "invoke_", "__syscall_", "__cxa_"];
    let minified = module.len() == 1 && name.len() <= 3;
    minified || (module == "env" && (NAMES.contains(&name) || BEGINNINGS.iter().any(|b| name.starts_with(b))))
}

/// `a, b and 38 others`.
fn listed(imports: &[String]) -> String {
    let named = imports.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match imports.len().saturating_sub(NAMED) {
        0 => named,
        1 => format!("{named} and another one"),
        more => format!("{named} and {more} others"),
    }
}

/// An import's or export's type, as it stands behind its name: `(i32) -> i32`, `: memory`.
fn kind(types: TypesRef, of: EntityType) -> String {
    match of {
        EntityType::Func(id) | EntityType::FuncExact(id) => arrow(&signature(types, id)),
        EntityType::Memory(memory) if memory.shared => ": shared memory".to_owned(),
        EntityType::Memory(memory) if memory.memory64 => ": 64-bit memory".to_owned(),
        EntityType::Memory(_) => ": memory".to_owned(),
        EntityType::Table(_) => ": table".to_owned(),
        EntityType::Global(global) => format!(": global {}", global.content_type),
        EntityType::Tag(_) => ": tag".to_owned(),
    }
}

/// Parameters and results, each as `i32, i64`.
type Signature = (String, String);

fn signature(types: TypesRef, id: wasmparser::types::CoreTypeId) -> Signature {
    let list = |types: &[ValType]| types.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let function = types[id].unwrap_func();
    (list(function.params()), list(function.results()))
}

fn arrow((parameters, results): &Signature) -> String {
    let single = !results.is_empty() && !results.contains(',');
    if single { format!("({parameters}) -> {results}") } else { format!("({parameters}) -> ({results})") }
}

/// The type of a function of preview 1.
fn preview1(name: &str) -> Option<Signature> {
    macro_rules! types {
        ([] $(fn $name:ident($($arg:ident: $ty:ident),*) $(-> $result:ident)?;)*) => {
            &[$((stringify!($name), &[$(stringify!($ty)),*], concat!($(stringify!($result))?))),*]
        };
    }
    const ALL: &[(&str, &[&str], &str)] = isobar_core::preview1!(types);
    let (_, parameters, results) = ALL.iter().find(|(known, _, _)| *known == name)?;
    Some((parameters.join(", "), (*results).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::check_name;
    use proptest::prelude::*;

    fn read_bytes(bytes: &[u8]) -> Result<Brought, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("X y.wasm");
        fs::write(&path, bytes).unwrap();
        Brought::read(&path).map_err(|e| e.to_string())
    }

    const COMMAND: &str = r#"(module
        (import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))
        (import "wasi_snapshot_preview1" "sched_yield" (func (result i32)))
        (import "wasi_snapshot_preview1" "clock_time_get" (func (param i32 i64 i32) (result i32)))
        (memory (export "memory") 1) (func (export "_start")))"#;

    #[test]
    fn a_command_is_read_as_a_binary_and_has_nothing_strange() {
        let wasm = wat::parse_str(COMMAND).unwrap();
        for bytes in [COMMAND.as_bytes(), &wasm] {
            let brought = read_bytes(bytes).unwrap();
            assert_eq!((&*brought.name, &*brought.file_name, &brought.wasm), ("module/x-y", "X y.wasm", &wasm));
            assert_eq!((brought.strange_imports(), brought.copy_name()), (None, "x-y.wasm".to_owned()));
        }
    }

    #[test]
    fn imports_from_other_wasis_are_left_to_the_runtimes() {
        let module = |from: &str| {
            format!(
                "(module (import \"{from}\" \"thread-spawn\" (func (param i32) (result i32))) (func (export \"_start\")))"
            )
        };
        for from in ["wasi", "wasix_32v1", "wasi_ephemeral_nn", "wasi_snapshot_preview1"] {
            let strange = read_bytes(module(from).as_bytes()).unwrap().strange_imports();
            assert_eq!(strange, Some(format!("imports {from}.thread-spawn(i32) -> i32")));
        }
    }

    #[test]
    fn the_description_is_one_line() {
        let brought = read_bytes(COMMAND.as_bytes()).unwrap();
        let call = Invocation { args: vec!["a\nb".into()], stdin: vec![0; 3], ..Invocation::with_env([("K", "V")]) };
        let described = |call: &Invocation| brought.description(call);
        assert_eq!(described(&call), "X y.wasm, called with a b K=V 3 bytes on standard input");
        assert_eq!(described(&Invocation::default()), "X y.wasm, called with nothing");
    }

    proptest! {
        #[test]
        fn every_file_name_gives_a_name(stem in any::<String>()) {
            let name = plain(&stem);
            prop_assert_eq!(check_name(&name), Ok(()), "{}", name);
            prop_assert_eq!(plain(&name), name);
        }

        #[test]
        fn broken_modules_are_refused_without_a_panic(
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
            length in any::<prop::sample::Index>(),
        ) {
            let mut wasm = wat::parse_str(COMMAND).unwrap();
            for (at, byte) in changes {
                let at = at.index(wasm.len());
                wasm[at] = byte;
            }
            let _ = read_bytes(&wasm);
            prop_assert!(read_bytes(&wasm[..length.index(wasm.len())]).is_err() || length.index(wasm.len()) > 8);
        }
    }
}
