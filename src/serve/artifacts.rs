//! Where modules and what was compiled from them lie: in a folder of this process, or in a cache that outlives it.

use super::ServeError;
use isobar_core::measure::sha256_hex;
use isobar_core::{Engine, Failure, Module, RuntimeInfo};
use std::fs;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

/// Modules and artifacts on disk.
pub(super) struct Artifacts {
    scratch: tempfile::TempDir,
    cache: Option<PathBuf>,
    /// All that an artifact depends on beside its module.
    made_by: String,
}

impl Artifacts {
    /// `cache` names a folder for artifacts that is kept; without one they are gone with this process.
    pub(super) fn open(cache: Option<&Path>, info: &RuntimeInfo) -> Result<Artifacts, ServeError> {
        let scratch = tempfile::Builder::new().prefix("isobar-platform-").tempdir();
        let scratch = scratch.map_err(|e| ServeError::file(std::env::temp_dir(), e))?;
        if let Some(folder) = cache {
            make_private(folder)?;
        }
        let settings: Vec<String> = info.settings.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let made_by = [info.id.as_str(), &info.version, &info.wasi, &settings.join("\n"), &cpu()].join("\n");
        Ok(Artifacts { scratch, cache: cache.map(Path::to_owned), made_by })
    }

    /// A file with the module, for a runtime to read.
    pub(super) fn module(&self, wasm: &[u8]) -> Result<PathBuf, Failure> {
        let path = self.scratch.path().join(format!("{}.wasm", sha256_hex(wasm)));
        if !path.is_file() {
            let written = tempfile::NamedTempFile::new_in(self.scratch.path())
                .and_then(|file| fs::write(file.path(), wasm).and_then(|()| Ok(file.persist(&path)?)));
            written.map_err(|e| Failure::host(format!("cannot write {}: {e}", path.display())))?;
        }
        Ok(path)
    }

    /// A name in this process' own folder that nothing has yet.
    pub(super) fn fresh(&self) -> Result<tempfile::TempPath, Failure> {
        let file = tempfile::NamedTempFile::new_in(self.scratch.path());
        let file =
            file.map_err(|e| Failure::host(format!("cannot write to {}: {e}", self.scratch.path().display())))?;
        Ok(file.into_temp_path())
    }

    /// Loads what was compiled of the module, and compiles it first where that is not there, is not what was written, or
    /// is refused. Returns the nanoseconds that compiling took, and that loading took.
    pub(super) fn load(&self, engine: &dyn Engine, wasm: &[u8]) -> Result<(Box<dyn Module>, u64, u64), Failure> {
        let entry = Entry::new(self.cache.as_deref().unwrap_or(self.scratch.path()), &self.made_by, wasm);
        let start = std::time::Instant::now();
        if entry.is_whole() {
            match engine.load(&entry.artifact) {
                Ok(module) => return Ok((module, 0, isobar_core::measure::nanoseconds(start.elapsed()))),
                Err(failure) => {
                    let artifact = entry.artifact.display();
                    tracing::warn!(%artifact, %failure, "the cached artifact is refused and is built anew");
                }
            }
        } else if entry.artifact.exists() {
            tracing::warn!(artifact = %entry.artifact.display(), "the cached artifact is damaged and is built anew");
        }
        let start = std::time::Instant::now();
        engine.compile(&self.module(wasm)?, &entry.artifact)?;
        entry.seal()?;
        let compiled = start.elapsed();
        let start = std::time::Instant::now();
        let module = engine.load(&entry.artifact)?;
        let nanoseconds = isobar_core::measure::nanoseconds;
        Ok((module, nanoseconds(compiled), nanoseconds(start.elapsed())))
    }
}

/// An artifact, and its sum beside it.
struct Entry {
    artifact: PathBuf,
    sum: PathBuf,
}

impl Entry {
    fn new(folder: &Path, made_by: &str, wasm: &[u8]) -> Entry {
        let key = sha256_hex(format!("{}\n{made_by}", sha256_hex(wasm)).as_bytes());
        Entry { artifact: folder.join(format!("{key}.artifact")), sum: folder.join(format!("{key}.sha256")) }
    }

    /// Whether the artifact is there, byte for byte as it was written.
    fn is_whole(&self) -> bool {
        match (fs::read(&self.artifact), fs::read_to_string(&self.sum)) {
            (Ok(bytes), Ok(sum)) => sha256_hex(&bytes) == sum.trim(),
            _ => false,
        }
    }

    fn seal(&self) -> Result<(), Failure> {
        let io = |e: std::io::Error| Failure::host(format!("cannot seal {}: {e}", self.artifact.display()));
        let sum = sha256_hex(&fs::read(&self.artifact).map_err(io)?);
        let partial = self.sum.with_extension(format!("partial-{}", std::process::id()));
        fs::write(&partial, sum).and_then(|()| fs::rename(&partial, &self.sum)).map_err(io)
    }
}

/// Artifacts are code: whoever may write them may run what they like in this process.
fn make_private(folder: &Path) -> Result<(), ServeError> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|e| ServeError::file(folder, format!("cannot be made: {e}; name another folder with --cache-dir")))?;
    let metadata = fs::metadata(folder).map_err(|e| ServeError::file(folder, e))?;
    let mine = metadata.uid() == rustix::process::geteuid().as_raw();
    if !mine || metadata.mode() & 0o022 != 0 {
        let message = "others may write to it, and artifacts are code; chmod 700 it, or name another with --cache-dir";
        return Err(ServeError::file(folder, message));
    }
    Ok(())
}

/// What compiled code depends on.
fn cpu() -> String {
    let file = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = |key: &str| file.lines().find(|line| line.starts_with(key)).unwrap_or_default().to_owned();
    [std::env::consts::ARCH.to_owned(), line("model name"), line("flags"), line("Features")].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_whole_as_long_as_every_byte_is() {
        let folder = tempfile::tempdir().unwrap();
        let entry = Entry::new(folder.path(), "runtime", b"module");
        assert!(!entry.is_whole());
        fs::write(&entry.artifact, b"code").unwrap();
        assert!(!entry.is_whole());
        entry.seal().unwrap();
        assert!(entry.is_whole());
        fs::write(&entry.artifact, b"codf").unwrap();
        assert!(!entry.is_whole());
        let other = Entry::new(folder.path(), "another version", b"module");
        assert_ne!(other.artifact, entry.artifact);
    }

    #[test]
    fn a_folder_that_others_may_write_to_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let cache = folder.path().join("cache");
        make_private(&cache).unwrap();
        fs::set_permissions(&cache, fs::Permissions::from_mode(0o777)).unwrap();
        assert!(make_private(&cache).unwrap_err().to_string().contains("--cache-dir"));
    }
}
