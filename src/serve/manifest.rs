//! The manifest of functions: `functions.toml`, or a file beside each module.

use super::ServeError;
use super::capability::Grants;
use super::function::{EnvNames, FunctionLimits, Spec};
use actix_web::http::header::HeaderValue;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The file that lists the functions of a folder.
pub const FUNCTIONS_MANIFEST: &str = "functions.toml";

/// The `Content-Type` of a function that declares none.
pub(super) fn plain_text() -> HeaderValue {
    HeaderValue::from_static("text/plain; charset=utf-8")
}

/// Paths of the platform's own.
const RESERVED: [&str; 3] = ["healthz", "metrics", "favicon.ico"];

const LONGEST_NAME: usize = 128;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    function: BTreeMap<String, Table>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Table {
    module: Option<PathBuf>,
    description: String,
    env: Vec<String>,
    set: BTreeMap<String, String>,
    example: BTreeMap<String, String>,
    args: Vec<String>,
    stdin: bool,
    clock: bool,
    random: bool,
    cgi: bool,
    content_type: Option<String>,
    exit_status: BTreeMap<String, u16>,
    limits: LimitsTable,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct LimitsTable {
    wall_time_ms: Option<u64>,
    memory_bytes: Option<u64>,
    output_bytes: Option<u64>,
}

/// Reads a manifest that lists functions; modules are below its folder.
pub(super) fn read_list(path: &Path) -> Result<Vec<Spec>, ServeError> {
    let document: Document = parse(path)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let spec = |(name, table): (String, Table)| {
        let module = match &table.module {
            Some(module) => folder.join(module),
            None => folder.join(format!("{name}.wasm")),
        };
        table.spec(path, name, module)
    };
    document.function.into_iter().map(spec).collect()
}

/// Reads the manifest of one module, which lies beside it. Without one nothing is declared.
pub(super) fn read_one(name: String, module: PathBuf) -> Result<Spec, ServeError> {
    let path = module.with_extension("toml");
    let table = if path.is_file() { parse(&path)? } else { Table::default() };
    if table.module.is_some() {
        return Err(ServeError::file(path, "`module` beside a module: remove it"));
    }
    table.spec(&path, name, module)
}

fn parse<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, ServeError> {
    let text = std::fs::read_to_string(path).map_err(|e| ServeError::file(path, format!("cannot be read: {e}")))?;
    toml::from_str(&text).map_err(|e| {
        let line = e.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
        ServeError::file(path, format!("line {line}: {}; see docs/PLATFORM.md", e.message().replace('\n', ", ")))
    })
}

impl Table {
    fn spec(self, file: &Path, name: String, module: PathBuf) -> Result<Spec, ServeError> {
        let wrong = |what: String| ServeError::file(file, format!("the function {name}: {what}"));
        check_name(&name).map_err(&wrong)?;
        let env = match self.env.iter().any(|name| name == "*") {
            true => EnvNames::Any,
            false => EnvNames::Named(self.env.iter().cloned().collect()),
        };
        let given = isobar_core::Invocation {
            args: self.args.clone(),
            env: self.set.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
            ..Default::default()
        };
        given.check().map_err(|failure| wrong(failure.to_string()))?;
        let named = self.content_type.as_deref().map_or_else(|| Ok(plain_text()), HeaderValue::from_str);
        let Ok(content_type) = named else {
            return Err(wrong(format!("{:?} cannot be a `content_type`", self.content_type.unwrap_or_default())));
        };
        let mut exit_status = BTreeMap::new();
        for (code, status) in self.exit_status {
            match code.parse::<i32>() {
                Ok(code) if code != 0 && (200..600).contains(&status) => exit_status.insert(code, status),
                _ => return Err(wrong(format!("`exit_status` {code} = {status}: an exit code but 0 = a status"))),
            };
        }
        let limits = FunctionLimits {
            wall_time_ns: self.limits.wall_time_ms.map(|ms| ms.saturating_mul(1_000_000)),
            memory_bytes: self.limits.memory_bytes,
            output_bytes: self.limits.output_bytes,
        };
        Ok(Spec {
            description: self.description,
            module,
            env,
            set: self.set,
            args: self.args,
            stdin: self.stdin,
            grants: Grants { clock: self.clock, random: self.random },
            cgi: self.cgi,
            content_type,
            exit_status,
            limits,
            example: self.example,
            name,
        })
    }
}

/// Names are paths: letters, digits, `-`, `_`, `+` and `.` between slashes.
fn check_name(name: &str) -> Result<(), String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_+.".contains(&b);
    let part = |part: &str| !part.is_empty() && !part.starts_with('.') && part.bytes().all(plain);
    if RESERVED.contains(&name) {
        return Err("that path is the platform's own: give it another name".to_owned());
    }
    if name.len() > LONGEST_NAME || !name.split('/').all(part) {
        return Err("no name: letters, digits, `-`, `_`, `+` and `.`, in parts with `/` between them".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Result<Spec, ServeError> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("f.toml"), text).unwrap();
        read_one("f".to_owned(), folder.path().join("f.wasm"))
    }

    #[test]
    fn what_is_not_declared_is_not_there() {
        let spec = one("").unwrap();
        assert_eq!(spec.env, EnvNames::Named(Default::default()));
        assert_eq!((spec.stdin, spec.cgi, spec.grants), (false, false, Grants::default()));
        let spec = one("env = [\"A\"]\nstdin = true\nclock = true\n[exit_status]\n2 = 422\n").unwrap();
        assert!(spec.env.allows("A") && !spec.env.allows("B") && spec.stdin && !spec.grants.random);
        assert_eq!(spec.exit_status.get(&2), Some(&422));
        assert!(one("env = [\"*\"]").unwrap().env.allows("ANYTHING"));
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        for (text, said) in [
            ("\nenvv = []", "line 2: unknown field `envv`"),
            ("stdin = 1", "line 1"),
            ("[set]\n\"A=B\" = \"x\"", "cannot name an environment variable"),
            ("content_type = \"a\\nb\"", "content_type"),
            ("[exit_status]\n0 = 500", "exit_status"),
            ("[exit_status]\n1 = 99", "exit_status"),
        ] {
            let error = one(text).unwrap_err().to_string();
            assert!(error.contains(said) && error.contains("f.toml"), "{text}: {error}");
        }
    }

    #[test]
    fn names_are_paths_and_nothing_else() {
        for name in ["hello", "rust/hello", "rust/hello+mvp", "a.b", "A_1"] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
        let long = "a".repeat(LONGEST_NAME + 1);
        for name in ["", "/", "a/", "/a", "..", "a/../b", ".a", "a b", "a%2fb", "ä", "a\0", "healthz", &long] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
