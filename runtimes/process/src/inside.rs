//! `native/in-process`: the function as a shared library, called in the runner's own process. `workloads/libraries/isobar.h`
//! is the interface.

use crate::native::info;
use isobar_core::capture::{Capture, End, conclude};
use isobar_core::contract::LIBRARY_CALL;
use isobar_core::{
    Class, Enforcement, Enforcer, Engine, Failure, Form, Instance, Invocation, Limits, Module, Outcome, Runtime,
    RuntimeId, RuntimeInfo,
};
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use std::ffi::{CString, c_char, c_int, c_void};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::{ptr, slice};

/// `struct isobar_call`.
#[repr(C)]
struct Call {
    argc: c_int,
    argv: *const *const c_char,
    env: *const *const c_char,
    input: *const u8,
    input_len: usize,
    host: *mut c_void,
    write: unsafe extern "C" fn(*mut c_void, c_int, *const u8, usize),
}

type Function = unsafe extern "C" fn(*const Call) -> i32;

/// The runtime.
pub(crate) struct Inside {
    info: RuntimeInfo,
}

impl Inside {
    pub(crate) fn new(kernel: &str) -> Inside {
        let settings = [
            ("call", "of the function's library, in the runner's process"),
            ("memory limit", "RLIMIT_DATA of the runner"),
            ("walls", "none: static variables live on"),
        ];
        let info = info(RuntimeId::new("native", "in-process", &[]), Class::Process, kernel, &settings);
        let process = Enforcer::Process;
        let info = RuntimeInfo {
            // A function's static variables are one.
            concurrent: false,
            enforcement: Enforcement { wall_time: process, memory: process, stack: process },
            form: Form::Library,
            own_process: false,
            scenarios: Some(vec!["warm".to_owned()]),
            ..info
        };
        Inside { info }
    }
}

impl Runtime for Inside {
    fn info(&self) -> &RuntimeInfo {
        &self.info
    }

    fn engine(&self) -> Result<Box<dyn Engine>, Failure> {
        Ok(Box::new(Loader))
    }
}

struct Loader;

impl Engine for Loader {
    fn load(&self, artifact: &Path) -> Result<Box<dyn Module>, Failure> {
        // SAFETY: loading runs what the library initialises itself by. It is a function that isobar built, or that somebody
        // told isobar to run without any walls.
        let library = unsafe { Library::open(Some(artifact), RTLD_NOW | RTLD_LOCAL) };
        let library = library.map_err(|e| Failure::rejected(one_line(&e)))?;
        // SAFETY: the name stands for this signature: isobar.h changes it with the signature.
        let function = unsafe { library.get::<Function>(LIBRARY_CALL) };
        let function = *function.map_err(|e| Failure::link(one_line(&e)))?;
        Ok(Box::new(Loaded(Arc::new(Mutex::new(Callable { function, _library: library })))))
    }
}

fn one_line(error: &dyn std::error::Error) -> String {
    let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    format!("{error}{cause}").replace('\n', " ")
}

/// A library that is there as long as its function.
struct Callable {
    function: Function,
    _library: Library,
}

/// Whoever calls has it alone.
struct Loaded(Arc<Mutex<Callable>>);

impl Module for Loaded {
    fn instantiate(&self, invocation: &Invocation) -> Result<Box<dyn Instance>, Failure> {
        let texts = |texts: &mut dyn Iterator<Item = String>| -> Result<Texts, Failure> {
            let nul = |_| Failure::host("an argument or a variable holds a NUL character");
            Ok(Texts::of(texts.map(CString::new).collect::<Result<_, _>>().map_err(nul)?))
        };
        let limits = invocation.limits;
        Ok(Box::new(Prepared {
            library: self.0.clone(),
            argv: texts(&mut invocation.argv().map(str::to_owned))?,
            env: texts(&mut invocation.env.iter().map(|(name, value)| format!("{name}={value}")))?,
            input: invocation.stdin.clone(),
            outputs: [Capture::new(limits.output_bytes), Capture::new(limits.output_bytes)],
            limits,
        }))
    }
}

/// Strings, and an array of pointers to them that ends with a null pointer.
struct Texts {
    pointers: Vec<*const c_char>,
    _texts: Vec<CString>,
}

impl Texts {
    fn of(texts: Vec<CString>) -> Texts {
        let pointers = texts.iter().map(|text| text.as_ptr()).chain([ptr::null()]).collect();
        Texts { pointers, _texts: texts }
    }
}

/// A call that was not made yet.
struct Prepared {
    library: Arc<Mutex<Callable>>,
    argv: Texts,
    env: Texts,
    input: Vec<u8>,
    outputs: [Capture; 2],
    limits: Limits,
}

impl Instance for Prepared {
    fn execute(&mut self) -> Result<Outcome, Failure> {
        let call = Call {
            argc: (self.argv.pointers.len() - 1) as c_int,
            argv: self.argv.pointers.as_ptr(),
            env: self.env.pointers.as_ptr(),
            input: self.input.as_ptr(),
            input_len: self.input.len(),
            host: ptr::from_mut(&mut self.outputs).cast(),
            write,
        };
        let exit_code = {
            let callable = self.library.lock().unwrap_or_else(PoisonError::into_inner);
            // SAFETY: all that `call` points to lives until this returns, `outputs` is used by `write` alone meanwhile, the
            // library is loaded, and nobody else calls it.
            unsafe { (callable.function)(&call) }
        };
        let end = match self.outputs.iter().any(Capture::overflowed) {
            true => End::OutputLimit,
            false => End::Exit(exit_code),
        };
        let [stdout, stderr] = self.outputs.each_mut().map(Capture::take);
        conclude(&self.limits, end, stdout, stderr)
    }
}

/// Takes what a function writes, up to its limit.
unsafe extern "C" fn write(host: *mut c_void, stream: c_int, bytes: *const u8, length: usize) {
    // SAFETY: `host` is the `outputs` of the call that is being made, on this thread.
    let outputs = unsafe { &mut *host.cast::<[Capture; 2]>() };
    let output = match stream {
        1 => &mut outputs[0],
        2 => &mut outputs[1],
        _ => return,
    };
    if length > 0 {
        // SAFETY: the function gives so many bytes. What does not fit is remembered by the stream.
        let _ = output.write(unsafe { slice::from_raw_parts(bytes, length) });
    }
}

#[cfg(test)]
mod tests;
