//! WasmEdge's C API as owned handles and safe calls. The Rust SDK is not used: it can neither capture the standard
//! streams nor compile in its just-in-time mode.

use crate::log;
use isobar_core::contract::{Failure, TrapKind};
use isobar_core::settings;
use std::ffi::{CStr, CString, c_char};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::{NonNull, null, null_mut};
use wasmedge_sys::ffi;

macro_rules! handles {
    ($($(#[$doc:meta])* $name:ident = $context:ident, $delete:ident;)*) => {$(
        $(#[$doc])*
        pub struct $name(NonNull<ffi::$context>);

        impl $name {
            fn new(raw: *mut ffi::$context) -> Result<Self, Failure> {
                NonNull::new(raw).map(Self).ok_or_else(|| Failure::host(concat!("WasmEdge makes no ", stringify!($name))))
            }

            /// The context, for a call.
            pub fn as_ptr(&self) -> *mut ffi::$context {
                self.0.as_ptr()
            }
        }

        impl Drop for $name {
            fn drop(&mut self) {
                // SAFETY: the handle owns the context, which nothing uses after this.
                unsafe { ffi::$delete(self.as_ptr()) }
            }
        }
    )*};
}

handles! {
    /// Settings, copied by what is made with them.
    Config = WasmEdge_ConfigureContext, WasmEdge_ConfigureDelete;
    /// A parsed module.
    Ast = WasmEdge_ASTModuleContext, WasmEdge_ASTModuleDelete;
    /// What parses.
    Loader = WasmEdge_LoaderContext, WasmEdge_LoaderDelete;
    /// What validates.
    Validator = WasmEdge_ValidatorContext, WasmEdge_ValidatorDelete;
    /// What compiles ahead of time.
    Compiler = WasmEdge_CompilerContext, WasmEdge_CompilerDelete;
    /// What instantiates and runs.
    Executor = WasmEdge_ExecutorContext, WasmEdge_ExecutorDelete;
    /// The named modules that an instantiation finds its imports in.
    Store = WasmEdge_StoreContext, WasmEdge_StoreDelete;
    /// A module instance: a function's own, or the WASI that it imports.
    Instance = WasmEdge_ModuleInstanceContext, WasmEdge_ModuleInstanceDelete;
    /// All of these in one: the only thing that compiles just in time.
    Vm = WasmEdge_VMContext, WasmEdge_VMDelete;
}

// SAFETY: a validated module is only read: instantiating takes it as const.
unsafe impl Send for Ast {}
// SAFETY: as above.
unsafe impl Sync for Ast {}
// SAFETY: a virtual machine is not bound to the thread that made it, and is used by one thread at a time.
unsafe impl Send for Vm {}

/// How modules run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The interpreter.
    Interpreter,
    /// Compiled when loaded.
    Jit,
    /// Compiled ahead of time.
    Aot,
}

/// What WasmEdge answered where it did not succeed.
#[derive(Clone, Debug)]
pub struct Error {
    code: u32,
    message: String,
}

impl Error {
    fn check(result: ffi::WasmEdge_Result) -> Result<(), Error> {
        // SAFETY: these only read a number; the message is a constant.
        unsafe {
            if ffi::WasmEdge_ResultOK(result) {
                return Ok(());
            }
            let message = CStr::from_ptr(ffi::WasmEdge_ResultGetMessage(result)).to_string_lossy().into_owned();
            Err(Error { code: ffi::WasmEdge_ResultGetCode(result), message })
        }
    }

    /// What WasmEdge says, with the details that it logged.
    pub fn message(&self) -> String {
        let lines = log::lines();
        // The other lines say where WasmEdge's parser was, and what one may have forgotten.
        let told = |line: &&str| !line.starts_with("At AST node") && !line.starts_with("This may be");
        let details: Vec<&str> = lines.iter().map(|line| line.trim()).filter(told).collect();
        if details.is_empty() { self.message.clone() } else { details.join("; ") }
    }

    /// The failure, where it is about the imports.
    pub fn link_failure(&self) -> Option<Failure> {
        match self.code {
            ffi::WasmEdge_ErrCode_UnknownImport
            | ffi::WasmEdge_ErrCode_IncompatibleImportType
            | ffi::WasmEdge_ErrCode_ModuleNameConflict => Some(Failure::link(self.message())),
            _ => None,
        }
    }

    /// Which trap it is.
    pub fn trap(&self) -> TrapKind {
        match self.code {
            ffi::WasmEdge_ErrCode_Unreachable => TrapKind::Unreachable,
            ffi::WasmEdge_ErrCode_DivideByZero => TrapKind::IntegerDivideByZero,
            ffi::WasmEdge_ErrCode_IntegerOverflow => TrapKind::IntegerOverflow,
            ffi::WasmEdge_ErrCode_InvalidConvToInt => TrapKind::BadConversionToInteger,
            ffi::WasmEdge_ErrCode_MemoryOutOfBounds | ffi::WasmEdge_ErrCode_DataSegDoesNotFit => {
                TrapKind::MemoryOutOfBounds
            }
            ffi::WasmEdge_ErrCode_TableOutOfBounds
            | ffi::WasmEdge_ErrCode_UndefinedElement
            | ffi::WasmEdge_ErrCode_ElemSegDoesNotFit => TrapKind::TableOutOfBounds,
            ffi::WasmEdge_ErrCode_UninitializedElement => TrapKind::IndirectCallToNull,
            ffi::WasmEdge_ErrCode_IndirectCallTypeMismatch => TrapKind::BadSignature,
            _ => TrapKind::Other,
        }
    }

    /// WasmEdge's own words for it.
    pub fn text(&self) -> &str {
        &self.message
    }
}

/// The version of the library that is linked.
pub fn version() -> String {
    // SAFETY: the answer is a constant.
    unsafe { CStr::from_ptr(ffi::WasmEdge_VersionGet()) }.to_string_lossy().into_owned()
}

impl Config {
    /// Settings for a mode, with at most this many pages in a memory. What is compiled is compiled as WasmEdge's own
    /// tools do by default (O2).
    pub fn for_mode(mode: Mode, memory_pages: u32) -> Result<Self, Failure> {
        // SAFETY: creates a context or gives null.
        let config = Config::new(unsafe { ffi::WasmEdge_ConfigureCreate() })?;
        let proposals = [
            ffi::WasmEdge_Proposal_ImportExportMutGlobals,
            ffi::WasmEdge_Proposal_NonTrapFloatToIntConversions,
            ffi::WasmEdge_Proposal_SignExtensionOperators,
            ffi::WasmEdge_Proposal_MultiValue,
            ffi::WasmEdge_Proposal_BulkMemoryOperations,
            ffi::WasmEdge_Proposal_ReferenceTypes,
            ffi::WasmEdge_Proposal_SIMD,
        ];
        const { assert!(settings::PROPOSALS.len() + 1 == 7, "the list above is settings::PROPOSALS and simd") };
        let mode = match mode {
            Mode::Interpreter => ffi::WasmEdge_RunMode_Interpreter,
            Mode::Jit => ffi::WasmEdge_RunMode_JIT,
            Mode::Aot => ffi::WasmEdge_RunMode_AOT,
        };
        // SAFETY: the context is valid, and the values are the API's own constants.
        unsafe {
            ffi::WasmEdge_ConfigureSetWASMStandard(config.as_ptr(), ffi::WasmEdge_Standard_WASM_1);
            proposals.iter().for_each(|p| ffi::WasmEdge_ConfigureAddProposal(config.as_ptr(), *p));
            ffi::WasmEdge_ConfigureSetRunMode(config.as_ptr(), mode);
            ffi::WasmEdge_ConfigureSetMaxMemoryPage(config.as_ptr(), u64::from(memory_pages));
            ffi::WasmEdge_ConfigureCompilerSetOptimizationLevel(
                config.as_ptr(),
                ffi::WasmEdge_CompilerOptimizationLevel_O2,
            );
            ffi::WasmEdge_ConfigureCompilerSetOutputFormat(config.as_ptr(), ffi::WasmEdge_CompilerOutputFormat_Wasm);
        }
        Ok(config)
    }
}

fn c_path(path: &Path) -> Result<CString, Failure> {
    CString::new(path.as_os_str().as_bytes()).map_err(|_| Failure::host(format!("a zero byte in {}", path.display())))
}

fn wrap(bytes: &[u8]) -> Result<ffi::WasmEdge_Bytes, Failure> {
    let length = u32::try_from(bytes.len()).map_err(|_| Failure::rejected("a module of more than 4 GiB"))?;
    // SAFETY: wraps without copying; callers hand it to one call while `bytes` lives.
    Ok(unsafe { ffi::WasmEdge_BytesWrap(bytes.as_ptr(), length) })
}

impl Ast {
    /// Parses and validates a module, with its machine code where [`Compiler::compile`] put some there.
    pub fn from_bytes(config: &Config, wasm: &[u8]) -> Result<Result<Self, Error>, Failure> {
        log::clear();
        // SAFETY: creates a context or gives null.
        let loader = Loader::new(unsafe { ffi::WasmEdge_LoaderCreate(config.as_ptr()) })?;
        let (bytes, mut raw) = (wrap(wasm)?, null_mut());
        // SAFETY: the bytes live through the call.
        let parsed = unsafe { ffi::WasmEdge_LoaderParseFromBytes(loader.as_ptr(), &mut raw, bytes) };
        if let Err(error) = Error::check(parsed) {
            return Ok(Err(error));
        }
        let ast = Ast::new(raw)?;
        // SAFETY: creates a context or gives null.
        let validator = Validator::new(unsafe { ffi::WasmEdge_ValidatorCreate(config.as_ptr()) })?;
        // SAFETY: both contexts are valid, and nobody else has the module yet.
        let validated = Error::check(unsafe { ffi::WasmEdge_ValidatorValidate(validator.as_ptr(), ast.as_ptr()) });
        Ok(validated.map(|()| ast))
    }
}

impl Compiler {
    /// Compiles a module: writes it with the machine code in a section of its own.
    pub fn compile(config: &Config, wasm: &[u8], to: &Path) -> Result<Result<(), Error>, Failure> {
        log::clear();
        let (bytes, to) = (wrap(wasm)?, c_path(to)?);
        // SAFETY: creates a context or gives null.
        let compiler = Compiler::new(unsafe { ffi::WasmEdge_CompilerCreate(config.as_ptr()) })?;
        // SAFETY: bytes and path live through the call.
        Ok(Error::check(unsafe { ffi::WasmEdge_CompilerCompileFromBytes(compiler.as_ptr(), bytes, to.as_ptr()) }))
    }
}

/// `texts` as C strings.
pub fn c_strings<T: Into<Vec<u8>>>(texts: impl Iterator<Item = T>) -> Result<Vec<CString>, Failure> {
    texts
        .map(CString::new)
        .collect::<Result<_, _>>()
        .map_err(|_| Failure::host("a zero byte in an argument or variable"))
}

impl Instance {
    /// WasmEdge's WASI with these arguments, variables (`name=value`) and streams, and nothing else. The descriptors
    /// must stay open as long as the instance lives; it does not close them.
    pub fn wasi(args: &[CString], env: &[CString], streams: [BorrowedFd<'_>; 3]) -> Result<Self, Failure> {
        let pointers = |texts: &[CString]| -> Vec<*const c_char> { texts.iter().map(|text| text.as_ptr()).collect() };
        let (args, env) = (pointers(args), pointers(env));
        let [stdin, stdout, stderr] = streams.map(|fd| fd.as_raw_fd());
        let (args_len, env_len) = (args.len() as u32, env.len() as u32);
        // SAFETY: the texts live through the call, which copies them.
        Instance::new(unsafe {
            ffi::WasmEdge_ModuleInstanceCreateWASIWithFds(
                args.as_ptr(),
                args_len,
                env.as_ptr(),
                env_len,
                null(),
                0,
                stdin,
                stdout,
                stderr,
            )
        })
    }

    /// What the function gave `proc_exit`, for the WASI instance that it imports.
    pub fn exit_code(&self) -> i32 {
        // SAFETY: the context is valid.
        unsafe { ffi::WasmEdge_ModuleInstanceWASIGetExitCode(self.as_ptr()) }.cast_signed()
    }

    /// An exported function. It lives as long as the instance.
    pub fn function(&self, name: &'static str) -> Option<Function> {
        // SAFETY: the context is valid.
        unsafe { find(self.as_ptr(), name) }
    }
}

/// An exported function of an instance that must be alive when it is called.
pub type Function = NonNull<ffi::WasmEdge_FunctionInstanceContext>;

/// # Safety
/// The instance must be valid.
unsafe fn find(instance: *const ffi::WasmEdge_ModuleInstanceContext, text: &'static str) -> Option<Function> {
    // SAFETY: both the instance and the wrapped text are valid.
    NonNull::new(unsafe {
        let name = ffi::WasmEdge_StringWrap(text.as_ptr().cast(), text.len() as u32);
        ffi::WasmEdge_ModuleInstanceFindFunction(instance, name)
    })
}

/// Whether a function has neither parameters nor results.
pub fn is_plain(function: Function) -> bool {
    // SAFETY: the function is valid, and so is its type while it is.
    unsafe {
        let ty = ffi::WasmEdge_FunctionInstanceGetFunctionType(function.as_ptr());
        ffi::WasmEdge_FunctionTypeGetParametersLength(ty) == 0 && ffi::WasmEdge_FunctionTypeGetReturnsLength(ty) == 0
    }
}

impl Store {
    /// An empty one.
    pub fn create() -> Result<Self, Failure> {
        // SAFETY: creates a context or gives null.
        Store::new(unsafe { ffi::WasmEdge_StoreCreate() })
    }
}

impl Executor {
    /// One with these settings.
    pub fn create(config: &Config) -> Result<Self, Failure> {
        // SAFETY: creates a context or gives null; no statistics.
        Executor::new(unsafe { ffi::WasmEdge_ExecutorCreate(config.as_ptr(), null_mut()) })
    }

    /// Lets instantiations in `store` import from `wasi`, which must outlive them.
    pub fn register(&self, store: &Store, wasi: &Instance) -> Result<(), Error> {
        // SAFETY: the contexts are valid.
        Error::check(unsafe { ffi::WasmEdge_ExecutorRegisterImport(self.as_ptr(), store.as_ptr(), wasi.as_ptr()) })
    }

    /// Instantiates a module.
    pub fn instantiate(&self, store: &Store, ast: &Ast) -> Result<Result<Instance, Error>, Failure> {
        let mut raw = null_mut();
        // SAFETY: the contexts are valid.
        let result = Error::check(unsafe {
            ffi::WasmEdge_ExecutorInstantiate(self.as_ptr(), &mut raw, store.as_ptr(), ast.as_ptr())
        });
        match result {
            Ok(()) => Instance::new(raw).map(Ok),
            Err(error) => Ok(Err(error)),
        }
    }

    /// Calls a function without parameters or results.
    pub fn invoke(&self, function: Function) -> Result<(), Error> {
        // SAFETY: the function belongs to a live instance.
        Error::check(unsafe {
            ffi::WasmEdge_ExecutorInvoke(self.as_ptr(), function.as_ptr(), null(), 0, null_mut(), 0)
        })
    }
}

impl Vm {
    /// One with these settings, and a validated module in it.
    pub fn with_module(config: &Config, wasm: &[u8]) -> Result<Result<Self, Error>, Failure> {
        log::clear();
        let bytes = wrap(wasm)?;
        // SAFETY: creates a context or gives null; the store is its own.
        let vm = Vm::new(unsafe { ffi::WasmEdge_VMCreate(config.as_ptr(), null_mut()) })?;
        // SAFETY: the bytes live through the call.
        let loaded = Error::check(unsafe { ffi::WasmEdge_VMLoadWasmFromBytes(vm.as_ptr(), bytes) });
        // SAFETY: the context is valid.
        let valid = loaded.and_then(|()| Error::check(unsafe { ffi::WasmEdge_VMValidate(vm.as_ptr()) }));
        Ok(valid.map(|()| vm))
    }

    /// Instantiates its module, in place of the instance before; the first time it compiles it.
    pub fn instantiate(&self) -> Result<(), Error> {
        // SAFETY: the context is valid.
        Error::check(unsafe { ffi::WasmEdge_VMInstantiate(self.as_ptr()) })
    }

    /// Lets the next instantiation import from `wasi`, until that is dropped.
    pub fn register(&self, wasi: &Instance) -> Result<(), Error> {
        // SAFETY: the contexts are valid.
        Error::check(unsafe { ffi::WasmEdge_VMRegisterModuleFromImport(self.as_ptr(), wasi.as_ptr()) })
    }

    /// Calls a function of the active instance that has no parameters or results.
    pub fn invoke(&self, function: Function) -> Result<(), Error> {
        // SAFETY: the function belongs to the active instance.
        Error::check(unsafe {
            ffi::WasmEdge_ExecutorInvoke(self.executor(), function.as_ptr(), null(), 0, null_mut(), 0)
        })
    }

    /// The executor inside. It lives as long as the virtual machine.
    pub fn executor(&self) -> *mut ffi::WasmEdge_ExecutorContext {
        // SAFETY: the context is valid.
        unsafe { ffi::WasmEdge_VMGetExecutorContext(self.as_ptr()) }
    }

    /// An exported function of the active instance.
    pub fn function(&self, name: &'static str) -> Option<Function> {
        // SAFETY: the contexts are valid; the active module is null before the first instantiation.
        unsafe {
            let active = NonNull::new(ffi::WasmEdge_VMGetActiveModule(self.as_ptr()).cast_mut())?;
            find(active.as_ptr(), name)
        }
    }
}
