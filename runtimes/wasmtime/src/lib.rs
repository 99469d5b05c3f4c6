//! Wasmtime behind isobar's runtime trait: Cranelift, Winch and Pulley, each also ahead of time.

mod config;
mod engine;
mod host;

use config::{MODES, Mode, VARIANTS};
use isobar_core::runtime::{Enforcement, Enforcer, Engine, Runtime, RuntimeId, RuntimeInfo};
use isobar_core::{Failure, settings};
use std::collections::BTreeMap;

/// The name of the family.
pub const FAMILY: &str = "wasmtime";

/// Every mode of Wasmtime, plain and in each variant.
pub fn runtimes() -> Vec<Box<dyn Runtime>> {
    let mut runtimes: Vec<Box<dyn Runtime>> = Vec::new();
    for mode in MODES {
        for variants in VARIANTS {
            runtimes.push(Box::new(Wasmtime::new(mode, variants)));
        }
    }
    runtimes
}

/// Wasmtime in one mode.
struct Wasmtime {
    info: RuntimeInfo,
    mode: Mode,
}

impl Wasmtime {
    fn new(mode: Mode, variants: &[&str]) -> Self {
        let id = RuntimeId::new(FAMILY, mode.name, variants);
        let wasi = if id.has("shared-wasi") {
            "isobar shared host".to_owned()
        } else {
            format!("wasmtime-wasi {}", wasmtime_environ::VERSION)
        };
        let wall_time = if id.has("limits") { Enforcer::Engine } else { Enforcer::Process };
        let info = RuntimeInfo {
            version: wasmtime_environ::VERSION.to_owned(),
            wasi,
            execution: mode.execution,
            concurrent: true,
            enforcement: Enforcement { wall_time, memory: Enforcer::Engine, stack: Enforcer::Engine },
            proposals: settings::proposals(&["simd"]),
            settings: described(mode, &id),
            ..RuntimeInfo::wasm(id)
        };
        Wasmtime { info, mode }
    }
}

fn described(mode: Mode, id: &RuntimeId) -> BTreeMap<String, String> {
    let mut settings = BTreeMap::from([
        ("code", mode.code.to_owned()),
        ("compile threads", "1".to_owned()),
        ("optimisation", mode.optimisation().to_owned()),
        ("stack", format!("{} bytes", settings::STACK_BYTES)),
        ("allocator", if id.has("pooling") { "pooling" } else { "on demand" }.to_owned()),
        ("reference types", "without externref, which would take a garbage collector".to_owned()),
        ("copy on write", if id.has("no-cow") { "off" } else { "on" }.to_owned()),
    ]);
    if id.has("resident") {
        let (memory, table) = (config::RESIDENT_MEMORY_BYTES, config::RESIDENT_TABLE_BYTES);
        settings.insert(
            "resident",
            format!("{memory} bytes of a memory and {table} of a table: set back after use, not given back"),
        );
    }
    if id.has("limits") {
        settings.insert("interruption", format!("epochs of {} ms", config::EPOCH.as_millis()));
    }
    settings.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

impl Runtime for Wasmtime {
    fn info(&self) -> &RuntimeInfo {
        &self.info
    }

    fn engine(&self) -> Result<Box<dyn Engine>, Failure> {
        engine::create(&self.info, self.mode)
    }
}
