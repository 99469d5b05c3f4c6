//! A function as the platform knows it: what it is called, which module it is, and what it may have.

use super::capability::Grants;
use super::pace::Pace;
use actix_web::http::header::HeaderValue;
use isobar_core::measure::sha256_hex;
use isobar_core::{Failure, Limits, Module};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

/// What a manifest says of a function. What is not declared is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Its name, which is its path: `hello`, `rust/hello`.
    pub name: String,
    /// What it does, in one line.
    pub description: String,
    /// The module, binary or text.
    pub module: PathBuf,
    /// Which variables a query may set.
    pub env: EnvNames,
    /// Variables that are always set; a query cannot.
    pub set: BTreeMap<String, String>,
    /// Its arguments.
    pub args: Vec<String>,
    /// Whether a request's body becomes its standard input.
    pub stdin: bool,
    /// What it can do beside reading and writing its streams.
    pub grants: Grants,
    /// Whether its output begins with a header block, as CGI has it.
    pub cgi: bool,
    /// The `Content-Type` of its output.
    pub content_type: HeaderValue,
    /// The status for an exit code other than 0; 500 for what is not here.
    pub exit_status: BTreeMap<i32, u16>,
    /// What it may use; the platform's own limits hold beside them.
    pub limits: FunctionLimits,
    /// Values that the index page offers.
    pub example: BTreeMap<String, String>,
}

/// The variables that a query may set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnvNames {
    /// These.
    Named(BTreeSet<String>),
    /// Any.
    Any,
}

impl EnvNames {
    /// Whether this name is among them.
    pub fn allows(&self, name: &str) -> bool {
        match self {
            EnvNames::Named(names) => names.contains(name),
            EnvNames::Any => true,
        }
    }
}

/// A function's own limits, where it has some.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FunctionLimits {
    /// Wall time, in nanoseconds.
    pub wall_time_ns: Option<u64>,
    /// Linear memory, in bytes.
    pub memory_bytes: Option<u64>,
    /// Standard output and standard error, each, in bytes.
    pub output_bytes: Option<u64>,
}

impl FunctionLimits {
    /// The smaller of both.
    pub fn within(&self, limits: Limits) -> Limits {
        let least = |own: Option<u64>, all: u64| own.map_or(all, |own| own.min(all));
        Limits {
            wall_time_ns: least(self.wall_time_ns, limits.wall_time_ns),
            memory_bytes: least(self.memory_bytes, limits.memory_bytes),
            output_bytes: least(self.output_bytes, limits.output_bytes),
        }
    }
}

/// A function in one version: it never changes; a changed file makes another one.
pub struct Function {
    /// What its manifest says.
    pub spec: Spec,
    /// The SHA-256 of the module's file.
    pub sha256: String,
    /// The module with nothing in it that was not granted.
    pub(super) wasm: Arc<[u8]>,
    /// Where it is in memory, by engine; or why it cannot be there.
    pub(super) resident: Vec<RwLock<Place>>,
    pub(super) pace: Pace,
    pub(super) counters: super::metrics::FunctionMetrics,
    /// Its number among all versions of all functions, for the queue.
    pub(super) number: u64,
}

/// A module in memory, or why it cannot be there; nothing before it is loaded.
pub(super) type Place = Option<Result<Resident, Failure>>;

/// A module in memory, and the engine that it lives in.
#[derive(Clone)]
pub(super) struct Resident {
    pub(super) engine: Arc<dyn isobar_core::Engine>,
    pub(super) module: Arc<dyn Module>,
}

impl Function {
    /// Reads the module once: what is run afterwards is what was read, whatever becomes of the file.
    ///
    /// # Errors
    /// A file that cannot be read, and a module that is malformed.
    pub(super) fn read(
        spec: Spec,
        engines: usize,
        counters: super::metrics::FunctionMetrics,
        number: u64,
    ) -> Result<Function, Failure> {
        let original = isobar_core::inspect::read_module(&spec.module)?;
        let sha256 = sha256_hex(&original);
        let wasm = super::capability::restrict(&original, spec.grants)?.into();
        let resident = (0..engines).map(|_| RwLock::default()).collect();
        Ok(Function { spec, sha256, wasm, resident, pace: Pace::default(), counters, number })
    }

    /// How often its module is in memory. Waits for one that is just being loaded.
    pub(super) fn copies(&self) -> u32 {
        let there =
            |place: &&RwLock<Place>| matches!(*place.read().unwrap_or_else(PoisonError::into_inner), Some(Ok(_)));
        self.resident.iter().filter(there).count() as u32
    }

    /// The same without waiting: one that is being loaded is not there yet.
    pub(super) fn copies_now(&self) -> usize {
        let there = |place: &&RwLock<Place>| place.try_read().is_ok_and(|place| matches!(*place, Some(Ok(_))));
        self.resident.iter().filter(there).count()
    }

    /// Takes its module out of memory, engine by engine. It is gone when what is returned is, and nothing else uses it.
    pub(super) fn release(&self) -> Vec<(usize, Resident)> {
        let take = |(slot, place): (usize, &RwLock<Place>)| {
            let taken = place.write().unwrap_or_else(PoisonError::into_inner).take_if(|there| there.is_ok());
            taken?.ok().map(|resident| (slot, resident))
        };
        self.resident.iter().enumerate().filter_map(take).collect()
    }
}

/// A function that declares nothing.
#[cfg(test)]
pub(super) fn example(name: &str) -> Spec {
    Spec {
        name: name.to_owned(),
        description: String::new(),
        module: PathBuf::from(format!("{name}.wasm")),
        env: EnvNames::Named(BTreeSet::new()),
        set: BTreeMap::new(),
        args: Vec::new(),
        stdin: false,
        grants: Grants::default(),
        cgi: false,
        content_type: super::manifest::plain_text(),
        exit_status: BTreeMap::new(),
        limits: FunctionLimits::default(),
        example: BTreeMap::new(),
    }
}
