//! What is set alike in all runtimes, as far as they allow it; what an adapter could not set, it records in
//! [`crate::RuntimeInfo::settings`].

/// The stack for WebAssembly calls, in bytes, where a runtime counts bytes.
pub const STACK_BYTES: usize = 1 << 20;

/// The depth of WebAssembly calls, where a runtime counts frames.
pub const CALL_DEPTH: usize = 10_000;

/// Threads that a compiler may use. One, so that compile time is work done, whatever the machine has.
pub const COMPILE_THREADS: usize = 1;

/// The native stack of every thread that runs functions, in bytes: more than any runtime uses of [`STACK_BYTES`].
pub const NATIVE_STACK_BYTES: usize = 16 << 20;

/// The proposals that are enabled in every runtime, by the names in [`crate::inspect::PROPOSALS`].
pub const PROPOSALS: [&str; 6] =
    ["mutable-global", "sign-extension", "saturating-float-to-int", "multi-value", "bulk-memory", "reference-types"];

/// `PROPOSALS` and `more`, as [`crate::RuntimeInfo::proposals`] wants them.
pub fn proposals(more: &[&str]) -> Vec<String> {
    PROPOSALS.iter().chain(more).map(|p| (*p).to_owned()).collect()
}
