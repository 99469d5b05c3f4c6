//! Modules that cannot be run, and ones that can though they look odd.

use super::{Cases, Problem, Verdict, exits, same, unexpected, wrong};
use crate::guest::{PROBE, PROBE_TEXT, ask, assemble};
use crate::subject::Subject;
use isobar_core::Failure;

pub(super) const CASES: Cases = &[
    ("garbage in place of a module", |s| rejected(s, b"\x7fELF garbage \xff\xfe\0", "")),
    ("an empty file", |s| rejected(s, b"", "")),
    ("a header and no more than garbage", |s| rejected(s, b"\0asm\x01\0\0\0garbage", "")),
    ("a truncated module", |s| rejected(s, &PROBE[..PROBE.len() - 10], "")),
    ("an invalid module", |s| {
        rejected(s, &assemble("(module (func (export \"_start\") (drop (i32.add (i64.const 1)))))"), "")
    }),
    ("malformed text", |s| rejected(s, b"(module\n(func (export \"_start\") (nonsense)))", ":2:")),
    ("a component in place of a module", |s| rejected(s, &assemble("(component)"), "component")),
    ("proposals that are not enabled", unsupported_proposals),
    ("proposals that are enabled everywhere", common_proposals),
    ("no _start", |s| unlinked(s, "(module (func (export \"start\")))", "_start")),
    ("a _start with parameters", |s| unlinked(s, "(module (func (export \"_start\") (param i32)))", "_start")),
    ("a _start that is no function", |s| unlinked(s, "(module (memory (export \"_start\") 1))", "_start")),
    ("a missing import", |s| {
        unlinked(s, &importing("(import \"wasi_snapshot_preview1\" \"no_such\" (func))"), "no_such")
    }),
    ("an ill-typed import", ill_typed),
    ("a function of another module", |s| unlinked(s, &importing("(import \"env\" \"foreign\" (func))"), "foreign")),
    ("a memory of another module", |s| unlinked(s, &importing("(import \"env\" \"foreign\" (memory 1))"), "foreign")),
    ("text in place of a binary", |s| exits(s.try_module(PROBE_TEXT.as_bytes(), &ask(&["exit", "42"])), 42)),
    ("every function of preview 1", every_function),
    ("no memory", |s| exits(s.try_module(&assemble(NO_MEMORY), &ask(&[])), 7)),
];

const ILL_TYPED: &str = "(import \"wasi_snapshot_preview1\" \"fd_write\" (func (param i64) (result i32)))";

const NO_MEMORY: &str = "(module
  (import \"wasi_snapshot_preview1\" \"proc_exit\" (func $proc_exit (param i32)))
  (func (export \"_start\") (call $proc_exit (i32.const 7))))";

fn importing(import: &str) -> String {
    format!("(module {import} (func (export \"_start\")))")
}

/// Refused as malformed or invalid, no proposal being to blame, with these words.
fn rejected(s: &Subject, bytes: &[u8], words: &str) -> Verdict {
    let answer = s.try_module(bytes, &ask(&[]));
    match &answer {
        Err(Failure::Rejected { message, proposals }) if proposals.is_empty() && message.contains(words) => {}
        _ => return Err(unexpected(&answer, &format!("a rejection that says {words:?} and no proposal"))),
    }
    s.goes_on(false)
}

fn unlinked(s: &Subject, text: &str, name: &str) -> Verdict {
    let answer = s.try_module(&assemble(text), &ask(&[]));
    match &answer {
        Err(Failure::Link { message }) if message.contains(name) => {}
        _ => return Err(unexpected(&answer, &format!("a link failure that names {name}"))),
    }
    s.goes_on(false)
}

fn ill_typed(s: &Subject) -> Verdict {
    if s.has_javascript_api() {
        return Err(Problem::NotHere("a function of the host has no type in JavaScript"));
    }
    unlinked(s, &importing(ILL_TYPED), "fd_write")
}

/// For each of these proposals, a module that cannot do without it.
const WITH_PROPOSALS: [(&str, &str); 8] = [
    ("simd", "(module (func (export \"_start\") (drop (v128.const i32x4 0 0 0 0))))"),
    ("tail-call", "(module (func $f) (func (export \"_start\") (return_call $f)))"),
    ("multi-memory", "(module (memory 1) (memory 1) (func (export \"_start\") (drop (memory.size 1))))"),
    ("memory64", "(module (memory i64 1) (func (export \"_start\") (drop (i32.load (i64.const 0)))))"),
    ("threads", "(module (memory 1) (func (export \"_start\") (drop (i32.atomic.load (i32.const 0)))))"),
    ("exceptions", "(module (tag $t) (func (export \"_start\") (throw $t)))"),
    ("gc", "(module (type $s (struct)) (func (export \"_start\") (drop (struct.new $s))))"),
    (
        "wide-arithmetic",
        "(module (func (export \"_start\") (drop (drop (i64.mul_wide_u (i64.const 1) (i64.const 1))))))",
    ),
];

/// What a runtime does not list, it refuses, and the failure names it.
fn unsupported_proposals(s: &Subject) -> Verdict {
    let mut tried = 0;
    for (proposal, text) in WITH_PROPOSALS {
        if s.info().proposals.iter().any(|enabled| enabled == proposal) {
            continue;
        }
        tried += 1;
        let answer = s.try_module(&assemble(text), &ask(&[]));
        match &answer {
            Err(Failure::Rejected { proposals, .. }) if proposals.iter().any(|named| named == proposal) => {}
            _ => return Err(unexpected(&answer, &format!("a rejection that names {proposal}"))),
        }
    }
    if tried == 0 {
        return Err(Problem::NotHere("it has every proposal"));
    }
    s.goes_on(false)
}

/// One module that uses each of [`isobar_core::settings::PROPOSALS`].
fn common_proposals(s: &Subject) -> Verdict {
    let text = "(module
      (import \"wasi_snapshot_preview1\" \"proc_exit\" (func $proc_exit (param i32)))
      (memory (export \"memory\") 1)
      (table 2 funcref)
      (global $g (export \"g\") (mut i32) (i32.const 0))
      (data \"\\80\\fe\")
      (elem declare func $two)
      (func $two (result i32 i32) (i32.const 1) (i32.const 2))
      (func (export \"_start\")
        (memory.init 0 (i32.const 8) (i32.const 0) (i32.const 2))
        (memory.copy (i32.const 0) (i32.const 8) (i32.const 2))
        (table.set 0 (i32.const 1) (ref.func $two))
        (global.set $g (i32.add (call $two)))
        (global.set $g (i32.add (global.get $g) (i32.extend8_s (i32.load8_u (i32.const 1)))))
        (global.set $g (i32.sub (global.get $g) (i32.trunc_sat_f32_s (f32.const -10.5))))
        (global.set $g (i32.add (global.get $g) (ref.is_null (table.get 0 (i32.const 0)))))
        (global.set $g (i32.add (global.get $g) (ref.is_null (table.get 0 (i32.const 1)))))
        (call $proc_exit (global.get $g))))";
    // 1 + 2, - 2, + 10, + 1, + 0.
    exits(s.try_module(&assemble(text), &ask(&[])), 12)
}

macro_rules! imports {
    ([] $(fn $name:ident($($arg:ident: $ty:ident),*) $(-> $result:ident)?;)*) => {
        concat!($(
            "(import \"wasi_snapshot_preview1\" \"", stringify!($name), "\" (func $", stringify!($name),
            " (param", $(" ", stringify!($ty),)* ")", $(" (result ", stringify!($result), ")",)? "))\n",
        )*)
    };
}

const IMPORTS: &str = isobar_core::preview1!(imports);

/// Prints how many of the descriptors 3 to 15 seem to be a preopened folder, on how many of 0 to 15 a file can be
/// opened, made, or a folder be made, and the errors of `sock_accept` on the descriptors 0 and 3.
const ASKS_FOR_FILES: &str = "
  (memory (export \"memory\") 1)
  (data (i32.const 64) \".fd\")
  (func (export \"_start\")
    (local $fd i32)
    (loop $more
      (if (i32.gt_u (local.get $fd) (i32.const 2))
        (then
          (if (i32.ne (call $fd_prestat_get (local.get $fd) (i32.const 96)) (i32.const 8))
            (then (i32.store (i32.const 32) (i32.add (i32.load (i32.const 32)) (i32.const 1)))))))
      (if (i32.eqz (call $path_open (local.get $fd) (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 0)
                     (i64.const 0) (i64.const 0) (i32.const 0) (i32.const 96)))
        (then (i32.store (i32.const 36) (i32.add (i32.load (i32.const 36)) (i32.const 1)))))
      (if (i32.eqz (call $path_open (local.get $fd) (i32.const 0) (i32.const 65) (i32.const 1) (i32.const 1)
                     (i64.const 0x42) (i64.const 0x42) (i32.const 0) (i32.const 96)))
        (then (i32.store (i32.const 36) (i32.add (i32.load (i32.const 36)) (i32.const 0x100)))))
      (if (i32.eqz (call $path_create_directory (local.get $fd) (i32.const 66) (i32.const 1)))
        (then (i32.store (i32.const 36) (i32.add (i32.load (i32.const 36)) (i32.const 0x10000)))))
      (local.set $fd (i32.add (local.get $fd) (i32.const 1)))
      (br_if $more (i32.lt_u (local.get $fd) (i32.const 16))))
    (i32.store (i32.const 40) (call $sock_accept (i32.const 0) (i32.const 0) (i32.const 96)))
    (i32.store (i32.const 44) (call $sock_accept (i32.const 3) (i32.const 0) (i32.const 96)))
    (i32.store (i32.const 0) (i32.const 32))
    (i32.store (i32.const 4) (i32.const 16))
    (call $proc_exit (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))";

/// A module that merely imports it all runs, and is told honestly that there are no files and no network.
fn every_function(s: &Subject) -> Verdict {
    let text = format!("(module\n{IMPORTS}{ASKS_FOR_FILES}))");
    let outcome = s.try_module(&assemble(&text), &ask(&[]))?;
    same("exit code", outcome.exit_code, 0)?;
    let numbers: Vec<u32> =
        outcome.stdout.chunks(4).map(|c| c.iter().rev().fold(0, |n, b| n << 8 | u32::from(*b))).collect();
    match numbers[..] {
        [0, 0, accepted, accepted_3] if accepted != 0 && accepted_3 != 0 => Ok(()),
        [folders, opened, accepted, accepted_3] => wrong(format!(
            "{folders} preopened folders, {} files opened, {} made, {} folders made, sock_accept gives {accepted} and \
             {accepted_3}",
            opened & 0xff,
            opened >> 8 & 0xff,
            opened >> 16
        )),
        _ => wrong(format!("{} bytes of standard output", outcome.stdout.len())),
    }
}
