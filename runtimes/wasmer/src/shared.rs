//! The shared WASI host, bound to Wasmer.

use isobar_core::wasi::{MODULE, Stop, Wasi};
use isobar_core::{Failure, Invocation, preview1};
use wasmer::{Extern, Function, FunctionEnv, FunctionEnvMut, Instance, Memory, Module, Store};

/// What the functions of one sandbox share.
pub(crate) struct State {
    wasi: Wasi,
    memory: Option<Memory>,
}

type Bind = fn(&mut Store, &FunctionEnv<State>) -> Function;

/// The functions that a module imports, in its order.
pub(crate) struct Linked(Vec<Bind>);

impl Linked {
    /// # Errors
    /// [`Failure::Link`] with the import that is no function of preview 1.
    pub fn new(module: &Module) -> Result<Self, Failure> {
        let bind = |import: wasmer::ImportType| {
            let (from, name) = (import.module(), import.name());
            let bind = if from == MODULE { binding(name) } else { None };
            bind.ok_or_else(|| Failure::link(format!("nothing provides the import {from:?} {name:?}")))
        };
        module.imports().map(bind).collect::<Result<_, _>>().map(Linked)
    }

    /// A host for one invocation, and what it gives to the instance.
    pub fn start(&self, store: &mut Store, invocation: &Invocation) -> (Session, Vec<Extern>) {
        let env = FunctionEnv::new(store, State { wasi: Wasi::new(invocation), memory: None });
        let externs = self.0.iter().map(|bind| bind(store, &env).into()).collect();
        (Session(env), externs)
    }
}

/// The host's side of one invocation.
pub(crate) struct Session(FunctionEnv<State>);

impl Session {
    /// Shows the host the instance's memory.
    pub fn attach(&self, store: &mut Store, instance: &Instance) {
        self.0.as_mut(store).memory = instance.exports.get_memory("memory").ok().cloned();
    }

    /// Ends sleeps at `deadline`.
    pub fn set_deadline(&self, store: &mut Store, deadline: std::time::Instant) {
        self.0.as_mut(store).wasi.set_deadline(deadline);
    }

    pub fn take_output(&self, store: &mut Store) -> (Vec<u8>, Vec<u8>) {
        self.0.as_mut(store).wasi.take_output()
    }
}

macro_rules! find {
    ([$wanted:ident] $(fn $name:ident($($arg:ident: $ty:ty),*) $(-> $result:ty)?;)*) => {
        $(if $wanted == stringify!($name) {
            let bind: Bind = |store, env| {
                Function::new_typed_with_env(store, env, |mut env: FunctionEnvMut<State>, $($arg: $ty),*| {
                    with(&mut env, |wasi, memory| wasi.$name(memory, $($arg),*))
                })
            };
            return Some(bind);
        })*
    };
}

fn binding(wanted: &str) -> Option<Bind> {
    preview1!(find, wanted);
    None
}

fn with<R>(
    env: &mut FunctionEnvMut<'_, State>,
    call: impl FnOnce(&mut Wasi, &mut [u8]) -> Result<R, Stop>,
) -> Result<R, Stop> {
    let (State { wasi, memory }, store) = env.data_and_store_mut();
    let Some(memory) = memory else { return call(wasi, &mut []) };
    let view = memory.view(&store);
    // SAFETY: the memory is not shared between threads, and the function that could change it waits for this call.
    call(wasi, unsafe { view.data_unchecked_mut() })
}
