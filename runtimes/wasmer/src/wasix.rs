//! wasmer-wasix, with what can be shared between invocations made once: the runtime that its timers need, and an empty
//! filesystem that nothing can be written to.

use crate::interrupt::Wake;
use crate::output::Sink;
use isobar_core::contract::PROGRAM_NAME;
use isobar_core::wasi::MODULE;
use isobar_core::{Failure, Invocation};
use std::collections::HashMap;
use std::sync::{Arc, RwLock};
use wasmer::{Engine, Extern, Instance, Memory, MemoryType, Module, Store};
use wasmer_wasix::fs::{InodeVal, Kind};
use wasmer_wasix::runtime::module_cache;
use wasmer_wasix::runtime::package_loader::UnsupportedPackageLoader;
use wasmer_wasix::runtime::resolver::MultiSource;
use wasmer_wasix::runtime::task_manager::tokio::TokioTaskManager;
use wasmer_wasix::virtual_fs::{EmptyFileSystem, FileSystem, StaticFile};
use wasmer_wasix::wasmer_wasix_types::wasi::Signal;
use wasmer_wasix::{
    PluggableRuntime, UnsupportedVirtualNetworking, WasiEnv, WasiFs, WasiFunctionEnv, WasiInodes,
    WasiModuleInstanceHandles, WasiModuleTreeHandles, WasiVersion, generate_import_object_from_env,
};

/// What all invocations of an engine share.
pub(crate) struct Platform {
    runtime: Arc<PluggableRuntime>,
    files: Arc<dyn FileSystem + Send + Sync>,
    /// Its one thread waits for timers.
    _timers: tokio::runtime::Runtime,
}

impl Platform {
    pub fn new(engine: &Engine) -> Result<Arc<Self>, Failure> {
        let timers = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build();
        let timers = timers.map_err(|e| Failure::host(format!("cannot start a thread for timers: {e}")))?;
        // Spelt out, as `PluggableRuntime::new` makes an engine of its own first.
        let runtime = PluggableRuntime {
            rt: Arc::new(TokioTaskManager::new(timers.handle().clone())),
            networking: Arc::new(UnsupportedVirtualNetworking::default()),
            http_client: None,
            package_loader: Arc::new(UnsupportedPackageLoader),
            source: Arc::new(MultiSource::default()),
            engine: engine.clone(),
            module_cache: Arc::new(module_cache::in_memory()),
            tty: None,
            instantiation_hooks: Vec::new(),
        };
        Ok(Arc::new(Platform {
            runtime: Arc::new(runtime),
            files: Arc::new(EmptyFileSystem::default()),
            _timers: timers,
        }))
    }
}

/// Refuses a module that imports what is not from preview 1. (Its names and types are checked by Wasmer, when they are
/// linked.)
pub(crate) fn check_imports(module: &Module) -> Result<(), Failure> {
    match module.imports().find(|import| import.module() != MODULE) {
        None => Ok(()),
        Some(import) => Err(missing(import.module(), import.name())),
    }
}

/// Takes away the folder that wasmer-wasix opens for everybody, its root: a function has no files. What is left of it
/// under its descriptor, which is wired in, is empty and not to be found.
fn close_root(inodes: &WasiInodes, files: &mut WasiFs) -> Result<(), String> {
    for fd in std::mem::take(files.preopen_fds.get_mut().map_err(|e| e.to_string())?) {
        files.fd_map.get_mut().map_err(|e| e.to_string())?.remove(fd);
    }
    let stat = *files.root_inode.stat.read().map_err(|e| e.to_string())?;
    files.root_inode = inodes.add_inode_val(InodeVal {
        stat: RwLock::new(stat),
        is_preopened: false,
        name: RwLock::new("/".into()),
        kind: RwLock::new(Kind::Root { entries: HashMap::new() }),
    });
    Ok(())
}

fn missing(module: &str, name: &str) -> Failure {
    Failure::link(format!("nothing provides the import {module:?} {name:?}"))
}

/// The host's side of one invocation.
pub(crate) struct Session {
    env: WasiFunctionEnv,
    stdout: Sink,
    stderr: Sink,
}

impl Session {
    /// A host for one invocation of `module`, and what it gives to the instance.
    pub fn start(
        platform: &Platform,
        module: &Module,
        store: &mut Store,
        invocation: &Invocation,
    ) -> Result<(Self, Vec<Extern>), Failure> {
        let (stdout, stderr) = (Sink::new(invocation.limits.output_bytes), Sink::new(invocation.limits.output_bytes));
        let env = WasiEnv::builder(PROGRAM_NAME)
            .args(&invocation.args)
            .envs(invocation.env.iter().map(|(name, value)| (name, value)))
            .stdin(Box::new(StaticFile::new(invocation.stdin.clone())))
            .stdout(Box::new(stdout.clone()))
            .stderr(Box::new(stderr.clone()))
            .fs(platform.files.clone())
            .setup_fs(Box::new(close_root))
            .runtime(platform.runtime.clone())
            .finalize(store)
            .map_err(|e| Failure::host(format!("wasmer-wasix does not take this invocation: {e}")))?;
        // Not those of all versions of WASI and WASIX, which is what `WasiEnvBuilder::instantiate` makes each time.
        let functions = generate_import_object_from_env(store, &env.env, WasiVersion::Snapshot1);
        let find = |import: wasmer::ImportType| {
            let found = functions.get_export(import.module(), import.name());
            found.ok_or_else(|| missing(import.module(), import.name()))
        };
        let externs = module.imports().map(find).collect::<Result<_, _>>()?;
        Ok((Session { env, stdout, stderr }, externs))
    }

    /// Shows the host the instance and its memory.
    pub fn attach(&mut self, store: &mut Store, instance: &Instance) -> Result<(), Failure> {
        let refused = |e: &dyn std::error::Error| Failure::link(format!("wasmer-wasix refuses the module: {e}"));
        if instance.exports.iter().memories().next().is_some() {
            return self.env.initialize(store, instance.clone()).map_err(|e| refused(&e));
        }
        // wasmer-wasix wants a memory even of a function that never calls it.
        let none = Memory::new(store, MemoryType::new(0, Some(0), false)).map_err(|e| refused(&e))?;
        let handles = WasiModuleInstanceHandles::new(none, store, instance.clone(), None);
        let handles = WasiModuleTreeHandles::Static(handles);
        self.env.initialize_handles_and_layout(store, instance.clone(), handles, None, true).map_err(|e| refused(&e))
    }

    /// Wakes the function where it sleeps, for its end.
    pub fn wake(&self, store: &Store) -> Wake {
        let process = self.env.data(store).process.clone();
        Box::new(move || process.signal_process(Signal::Sigkill))
    }

    pub fn take_output(&self) -> (Vec<u8>, Vec<u8>) {
        (self.stdout.take(), self.stderr.take())
    }
}
