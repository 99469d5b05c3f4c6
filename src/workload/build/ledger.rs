//! What is known of the modules: `MODULES.toml`, beside `SHA256SUMS`, and the table made of both.

use super::super::{
    Problem,
    function::Target,
    sums::{SUMS, Sums},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::Path,
};

/// What the modules were built from, beside the languages' folders.
pub const LEDGER: &str = "MODULES.toml";

const HEADER: &str = "# Written by `isobar build`: what each module was built from.\n";

/// What is known of one module.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    /// The digest of sources, steps and toolchains.
    pub(super) inputs: String,
    /// Size of the module, in bytes.
    pub(super) bytes: u64,
    /// Names and versions.
    pub(super) toolchains: Vec<String>,
    /// What the module needs beyond the first edition of WebAssembly.
    pub(super) proposals: Vec<String>,
}

/// The entries by the function's name, and the sums by the module's path.
#[derive(Default)]
pub(super) struct Ledger {
    pub(super) entries: BTreeMap<String, Entry>,
    pub(super) sums: Sums,
}

impl Ledger {
    /// Reads what there is; files that are not there hold nothing.
    pub(super) fn read(workloads: &Path) -> Result<Ledger, Problem> {
        let path = workloads.join(LEDGER);
        let remedy = "it is generated: delete it and run isobar build";
        let entries = match fs::read_to_string(&path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(e) => return Err(Problem::new(path, format!("cannot be read: {e}"), remedy)),
            Ok(text) => {
                toml::from_str(&text).map_err(|e| Problem::new(path, e.message().replace('\n', ", "), remedy))?
            }
        };
        let sums = if workloads.join(SUMS).exists() { Sums::read(workloads)? } else { Sums::default() };
        Ok(Ledger { entries, sums })
    }

    /// Takes new entries and sums in, forgets what is not among the `known` modules, and writes both files. What others
    /// wrote in the meantime is kept.
    pub(super) fn merge(
        workloads: &Path,
        lock: &Path,
        new: Vec<(&Target, Entry, String)>,
        known: Option<&Vec<Target>>,
    ) -> Result<Ledger, Problem> {
        let locked = |e| Problem::new(lock, format!("cannot be locked: {e}"), "it must be writable");
        let _lock = File::create(lock).and_then(|file| file.lock().map(|()| file)).map_err(locked)?;
        let mut ledger = Ledger::read(workloads)?;
        for (target, entry, sha256) in new {
            ledger.entries.insert(target.name.clone(), entry);
            ledger.sums.0.insert(target.module.clone(), sha256);
        }
        if let Some(known) = known {
            ledger.entries.retain(|name, _| known.iter().any(|target| target.name == *name));
            ledger.sums.0.retain(|module, _| known.iter().any(|target| target.module == *module));
        }
        let entries = toml::to_string(&ledger.entries)
            .map_err(|e| Problem::new(workloads.join(LEDGER), e.to_string(), "this is a fault of isobar"))?;
        write(&workloads.join(LEDGER), format!("{HEADER}\n{entries}").as_bytes())?;
        write(&workloads.join(SUMS), ledger.sums.text().as_bytes())?;
        Ok(ledger)
    }

    /// The table of all modules, for people.
    pub(super) fn table(&self, known: &[Target]) -> String {
        let mut text =
            "# The modules\n\nWritten by `isobar build`; docs/ADD-A-WORKLOAD.md says how they are built. A module \
            without `committed` is built or fetched on demand.\n\n\
            | module | bytes | SHA-256 | built with | proposals | |\n| --- | ---: | --- | --- | --- | --- |\n"
                .to_owned();
        let (mut modules, mut bytes) = (0, 0);
        for target in known {
            let (Some(entry), Some(sum)) = (self.entries.get(&target.name), self.sums.sha256(&target.module)) else {
                continue;
            };
            let committed = if target.committed() { "committed" } else { "" };
            let list = |words: &[String]| words.join(", ");
            text += &format!(
                "| {} | {} | `{}` | {} | {} | {committed} |\n",
                target.name,
                entry.bytes,
                &sum[..16.min(sum.len())],
                list(&entry.toolchains),
                list(&entry.proposals),
            );
            if target.committed() {
                (modules, bytes) = (modules + 1, bytes + entry.bytes);
            }
        }
        text + &format!(
            "\n{modules} modules are committed, {bytes} bytes together. `SHA256SUMS` has the sums in full.\n"
        )
    }
}

/// Writes a file at once: nobody reads half of it.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), Problem> {
    let temporary = path.with_extension(format!("tmp-{}", std::process::id()));
    fs::write(&temporary, bytes)
        .and_then(|()| fs::rename(&temporary, path))
        .map_err(|e| Problem::new(path, format!("cannot be written: {e}"), "make its folder writable"))
}
