//! Runtimes behind isobar's own platform: what answers requests is `isobar-platform`, which runs functions in another
//! runtime by one of its strategies.

use super::RemoteRuntime;
use isobar_core::{Class, Form, Runtime, RuntimeId, RuntimeInfo};
use std::path::{Path, PathBuf};

/// The platform's strategies (docs/PLATFORM.md), by the names that they have as variants of a runtime.
pub const STRATEGIES: [&str; 3] = ["naive", "cached", "pooled"];

/// The mode that a strategy has when none is named: compiled for each request as in the article that the platform comes
/// from, compiled once, and the fastest.
pub const DEFAULT_MODES: [(&str, &str); 3] = [
    ("naive", "wasmtime/cranelift+limits"),
    ("cached", "wasmtime/cranelift+limits"),
    ("pooled", "wasmtime/cranelift-aot+pooling+resident+shared-wasi+limits"),
];

/// The scenarios of servers.
const SCENARIOS: [&str; 3] = ["http-start", "http-closed", "http-knee"];

/// What it takes to start the platform with a runtime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// The platform's program.
    pub program: PathBuf,
    /// The folder with manifests of further runners, if there is one.
    pub runners: Option<PathBuf>,
    /// The runtime that functions run in.
    pub base: RuntimeId,
    /// One of [`STRATEGIES`].
    pub strategy: &'static str,
}

impl Served {
    /// The plain mode that this one is measured with where no variant is asked for: a runtime in its plain mode, and what
    /// the platform would choose itself.
    pub fn plain(&self) -> Option<RuntimeId> {
        let plain = RuntimeId::new(self.base.family(), self.base.mode(), &[]);
        let chosen = (self.strategy, self.base.as_str());
        (plain == self.base || DEFAULT_MODES.contains(&chosen)).then_some(plain)
    }
}

/// Each of these runtimes behind the platform, in each strategy: those that load modules and are no servers themselves.
pub fn behind_platform(runtimes: &[RemoteRuntime], program: &Path, runners: Option<&Path>) -> Vec<RemoteRuntime> {
    let able = |runtime: &&RemoteRuntime| {
        let info = runtime.info();
        runtime.served.is_none() && info.form == Form::Wasm && info.class != Class::Server
    };
    let all = runtimes.iter().filter(able).flat_map(|runtime| STRATEGIES.map(|strategy| (runtime, strategy)));
    let behind = |(runtime, strategy): (&RemoteRuntime, &'static str)| {
        let base = runtime.info().id.clone();
        let id = format!("{base}+{strategy}").parse().ok()?;
        let mut info = RuntimeInfo { id, ..runtime.info().clone() };
        info.scenarios = Some(SCENARIOS.map(str::to_owned).into());
        info.settings.insert("behind".to_owned(), format!("isobar serve --strategy {strategy}"));
        let served = Served { program: program.to_owned(), runners: runners.map(Path::to_owned), base, strategy };
        Some(RemoteRuntime { info, served: Some(served.into()), ..runtime.clone() })
    };
    all.filter_map(behind).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{PATIENCE, Program};
    use super::*;
    use std::sync::Arc;

    fn runtime(info: RuntimeInfo) -> RemoteRuntime {
        let program = Program { path: "runner".into(), args: vec![], launcher: vec![], cpus: vec![] };
        RemoteRuntime { program: Arc::new(program), info, patience: PATIENCE, served: None }
    }

    fn wasm(id: &str) -> RuntimeInfo {
        RuntimeInfo::wasm(id.parse().unwrap())
    }

    #[test]
    fn what_loads_modules_is_behind_the_platform_in_each_strategy() {
        let server = RuntimeInfo { class: Class::Server, ..wasm("a/server") };
        let native = RuntimeInfo { form: Form::Native, class: Class::Process, ..wasm("native/process") };
        let runtimes = [wasm("a/b"), wasm("a/b+limits"), server, native].map(runtime);
        let behind = behind_platform(&runtimes, Path::new("isobar-platform"), None);
        let names: Vec<&str> = behind.iter().map(|runtime| runtime.info().id.as_str()).collect();
        let wanted =
            ["a/b+naive", "a/b+cached", "a/b+pooled", "a/b+limits+naive", "a/b+limits+cached", "a/b+limits+pooled"];
        assert_eq!(names, wanted);
        assert!(behind.iter().all(|runtime| runtime.info().refusal("http-knee").is_none()));
        assert!(behind.iter().all(|runtime| runtime.info().refusal("warm").is_some()));
        assert_eq!(behind[4].name().as_str(), "a/b+limits", "its runner knows nothing of the platform");
        assert!(behind_platform(&behind, Path::new("isobar-platform"), None).is_empty());
    }

    #[test]
    fn a_plain_mode_stands_for_what_the_platform_would_choose() {
        let plain = |base: &str, strategy| {
            let base = base.parse().unwrap();
            let served = Served { program: PathBuf::new(), runners: None, base, strategy };
            served.plain().map(|plain| plain.to_string())
        };
        assert_eq!(plain("wasmi/lazy", "naive").as_deref(), Some("wasmi/lazy"));
        assert_eq!(plain("wasmtime/cranelift+limits", "cached").as_deref(), Some("wasmtime/cranelift"));
        assert_eq!(plain("wasmtime/cranelift+limits", "pooled"), None);
        let best = plain("wasmtime/cranelift-aot+pooling+resident+shared-wasi+limits", "pooled");
        assert_eq!(best.as_deref(), Some("wasmtime/cranelift-aot"));
    }
}
