//! The safe side of wasm3's C interface: an environment and a sandbox, each freed when dropped.

use crate::host::{HostFunction, State};
use std::ffi::{CStr, c_char, c_void};
use std::ptr::null_mut;
use std::rc::Rc;
use std::sync::Arc;

/// What wasm3 says of a failure.
pub type Message = String;

/// What wasm3 shares between sandboxes: function types, and code pages that were given back. It belongs to one thread.
pub struct Environment(wasm3::IM3Environment);

impl Environment {
    /// A new environment, or nothing when there is no memory for it.
    pub fn new() -> Option<Self> {
        // SAFETY: it takes nothing, and answers with a null pointer when it fails.
        let environment = unsafe { wasm3::m3_NewEnvironment() };
        (!environment.is_null()).then_some(Environment(environment))
    }

    /// Parses a module and forgets it.
    pub fn parse(&self, wasm: &[u8]) -> Result<(), Message> {
        self.parsed(wasm).map(|module| {
            // SAFETY: the module was not loaded into a runtime, so it is ours to free.
            unsafe { wasm3::m3_FreeModule(module) }
        })
    }

    fn parsed(&self, wasm: &[u8]) -> Result<wasm3::IM3Module, Message> {
        let len = u32::try_from(wasm.len()).map_err(|_| "a module of 4 GiB or more".to_owned())?;
        let mut module = null_mut();
        // SAFETY: the bytes are valid for their length; wasm3 frees what it made when it fails.
        check(unsafe { wasm3::m3_ParseModule(self.0, &mut module, wasm.as_ptr(), len) })?;
        Ok(module)
    }
}

impl Drop for Environment {
    fn drop(&mut self) {
        // SAFETY: made by `m3_NewEnvironment`; every sandbox holds its environment, so none is left.
        unsafe { wasm3::m3_FreeEnvironment(self.0) }
    }
}

/// One instance: a runtime of wasm3 with one module in it.
pub struct Sandbox {
    runtime: wasm3::IM3Runtime,
    module: wasm3::IM3Module,
    /// What the host functions work on, from a box. wasm3 holds the same pointer.
    state: *mut State,
    /// wasm3 reads a function's body whenever it compiles one.
    wasm: Arc<[u8]>,
    environment: Rc<Environment>,
}

impl Sandbox {
    /// Parses and loads a module: memory, globals, tables and segments are as the module says.
    pub fn new(
        environment: Rc<Environment>,
        wasm: Arc<[u8]>,
        stack_bytes: usize,
        state: State,
    ) -> Result<Self, Message> {
        let stack_bytes = u32::try_from(stack_bytes).map_err(|_| "a stack of 4 GiB or more".to_owned())?;
        let state = Box::into_raw(Box::new(state));
        // SAFETY: the environment is alive, and so is the state as long as the sandbox.
        let runtime = unsafe { wasm3::m3_NewRuntime(environment.0, stack_bytes, state.cast()) };
        let mut sandbox = Sandbox { runtime, module: null_mut(), state, wasm, environment };
        if runtime.is_null() {
            return Err("no memory for a runtime".to_owned());
        }
        sandbox.module = sandbox.environment.parsed(&sandbox.wasm)?;
        // SAFETY: both belong to this environment; the runtime takes the module over unless loading fails.
        check(unsafe { wasm3::m3_LoadModule(runtime, sandbox.module) }).inspect_err(|_| {
            // SAFETY: the runtime did not take the module over.
            unsafe { wasm3::m3_FreeModule(sandbox.module) }
        })?;
        Ok(sandbox)
    }

    /// Binds an import. It fails when the module imports the function with another type.
    pub fn link(&mut self, import: &HostFunction) -> Result<(), Message> {
        // SAFETY: the module is loaded; the strings end with a nul and live for ever; the signature is the one that
        // `function` reads its arguments by.
        check(unsafe {
            wasm3::m3_LinkRawFunctionEx(
                self.module,
                crate::host::MODULE.as_ptr(),
                import.name.as_ptr(),
                import.signature.as_ptr(),
                Some(import.function),
                std::ptr::null(),
            )
        })
    }

    /// Compiles all functions that are not compiled yet.
    pub fn compile(&mut self) -> Result<(), Message> {
        // SAFETY: the module is loaded.
        check(unsafe { wasm3::m3_CompileModule(self.module) }).map_err(|message| self.explain(message))
    }

    /// Finds an exported function, and compiles it.
    pub fn function(&mut self, name: &CStr) -> Result<Function, Message> {
        let mut function = null_mut();
        // SAFETY: the runtime is alive and the name ends with a nul.
        check(unsafe { wasm3::m3_FindFunction(&mut function, self.runtime, name.as_ptr()) })
            .map_err(|message| self.explain(message))?;
        Ok(Function(function))
    }

    /// Calls a function of this sandbox that takes and returns nothing. The module's start function runs first.
    pub fn call(&mut self, function: &Function) -> Result<(), Message> {
        // SAFETY: the function belongs to this runtime and takes no arguments. Host functions reach the state through
        // the runtime only, and nothing else borrows it meanwhile: `self` is borrowed mutably.
        check(unsafe { wasm3::m3_Call(function.0, 0, null_mut()) }).map_err(|message| self.explain(message))
    }

    /// The size of the memory.
    pub fn memory_bytes(&self) -> u64 {
        // SAFETY: the runtime lives as long as `self`.
        unsafe { wasm3::m3_GetMemorySize(self.runtime) }.into()
    }

    /// The value of an exported i32 global.
    pub fn global(&self, name: &CStr) -> Option<u32> {
        // SAFETY: the module is loaded, the name ends with a nul; a tagged value is plain data.
        unsafe {
            let global = wasm3::m3_FindGlobal(self.module, name.as_ptr());
            let mut value: wasm3::M3TaggedValue = std::mem::zeroed();
            let found = !global.is_null() && wasm3::m3_GetGlobal(global, &mut value).is_null();
            (found && value.type_ == wasm3::M3ValueType::c_m3Type_i32).then_some(value.value.i32_)
        }
    }

    /// Sets an exported, mutable i32 global.
    pub fn set_global(&mut self, name: &CStr, number: u32) -> Result<(), Message> {
        // SAFETY: the module is loaded, the name ends with a nul; wasm3 checks the type and the mutability.
        check(unsafe {
            let mut value: wasm3::M3TaggedValue = std::mem::zeroed();
            value.type_ = wasm3::M3ValueType::c_m3Type_i32;
            value.value.i32_ = number;
            wasm3::m3_SetGlobal(wasm3::m3_FindGlobal(self.module, name.as_ptr()), &mut value)
        })
    }

    /// What the host functions work on.
    pub fn state(&mut self) -> &mut State {
        // SAFETY: from a box that lives as long as `self`; host functions borrow it only during `call`, which borrows
        // `self`.
        unsafe { &mut *self.state }
    }

    /// Adds the detail that wasm3 keeps beside a message.
    fn explain(&self, message: Message) -> Message {
        // SAFETY: the runtime is alive; it owns the text until its next error.
        let detail = unsafe {
            let mut info: wasm3::M3ErrorInfo = std::mem::zeroed();
            wasm3::m3_GetErrorInfo(self.runtime, &mut info);
            text(info.message)
        };
        if detail.is_empty() || message.contains(&detail) { message } else { format!("{message}: {detail}") }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // SAFETY: made by `m3_NewRuntime`, which may have failed: freeing null does nothing. Nothing else points to
        // the state then. The bytes and the environment are dropped afterwards.
        unsafe {
            wasm3::m3_FreeRuntime(self.runtime);
            drop(Box::from_raw(self.state));
        }
    }
}

/// A function of a [`Sandbox`], and of use in that one only.
pub struct Function(wasm3::IM3Function);

/// The state of the sandbox in which a host function was called, and its memory.
///
/// # Safety
/// `runtime` is the one that wasm3 called the host function with, and neither answer is used after the host function
/// returned. It is called once per call, so that there is one mutable view.
pub unsafe fn caller<'a>(runtime: wasm3::IM3Runtime) -> (&'a mut State, &'a mut [u8]) {
    let mut len = 0;
    // SAFETY: a module is loaded, so there is a memory, if an empty one; its address is valid until the guest grows
    // it, which it cannot while it waits for the host. The user data is the sandbox's state.
    unsafe {
        let state = wasm3::m3_GetUserData(runtime).cast::<State>();
        let data = wasm3::m3_GetMemory(runtime, &mut len, 0);
        let memory = if data.is_null() { &mut [] } else { std::slice::from_raw_parts_mut(data, len as usize) };
        (&mut *state, memory)
    }
}

fn check(result: *const c_char) -> Result<(), Message> {
    // SAFETY: a result is null or one of wasm3's constants, or ours.
    if result.is_null() { Ok(()) } else { Err(unsafe { text(result) }) }
}

/// # Safety
/// `text` is null or ends with a nul.
unsafe fn text(text: *const c_char) -> String {
    // SAFETY: promised by the caller.
    if text.is_null() { String::new() } else { unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned() }
}

/// The type of a host function as wasm3 calls it: the slots hold room for the results, then the arguments.
pub type RawCall = unsafe extern "C" fn(
    wasm3::IM3Runtime,
    wasm3::IM3ImportContext,
    slots: *mut u64,
    memory: *mut c_void,
) -> *const c_void;
