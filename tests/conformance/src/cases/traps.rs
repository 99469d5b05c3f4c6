//! Every trap comes back as its kind, and takes nothing with it.

use super::{Cases, Verdict, exits, same, unexpected};
use crate::guest::{ask, assemble};
use crate::subject::Subject;
use isobar_core::{Failure, TrapKind};

pub(super) const CASES: Cases = &[
    ("unreachable, after a panic's message", panic),
    ("integer divide by zero", |s| traps(s, "divide", TrapKind::IntegerDivideByZero)),
    ("integer overflow", |s| traps(s, "overflow", TrapKind::IntegerOverflow)),
    ("bad conversion to integer", |s| traps(s, "convert", TrapKind::BadConversionToInteger)),
    ("memory out of bounds, by address", |s| traps(s, "load", TrapKind::MemoryOutOfBounds)),
    ("memory out of bounds, by offset", |s| traps(s, "offset", TrapKind::MemoryOutOfBounds)),
    ("memory out of bounds, in bulk", |s| traps(s, "fill", TrapKind::MemoryOutOfBounds)),
    ("table out of bounds", |s| traps(s, "table", TrapKind::TableOutOfBounds)),
    ("indirect call to null", null),
    ("bad signature", |s| traps(s, "signature", TrapKind::BadSignature)),
    ("a trap while a module is instantiated", at_the_start),
    ("proc_exit(3)", |s| exits(s.run(&ask(&["exit", "3"])), 3)),
];

fn traps(s: &Subject, action: &str, wanted: TrapKind) -> Verdict {
    let answer = s.run(&ask(&[action]));
    match &answer {
        Err(Failure::Trap { kind, .. }) => same("kind of trap", *kind, wanted)?,
        _ => return Err(unexpected(&answer, "a trap")),
    }
    s.goes_on(false)
}

fn null(s: &Subject) -> Verdict {
    let one = s.has_javascript_api();
    traps(s, "null", if one { TrapKind::BadSignature } else { TrapKind::IndirectCallToNull })
}

fn panic(s: &Subject) -> Verdict {
    let answer = s.run(&ask(&["panic"]));
    let Err(Failure::Trap { kind, stderr, .. }) = &answer else { return Err(unexpected(&answer, "a trap")) };
    same("kind of trap", *kind, TrapKind::Unreachable)?;
    same("standard error", stderr.as_str(), "panicked at the end of the world\n")?;
    s.goes_on(false)
}

fn at_the_start(s: &Subject) -> Verdict {
    let module = assemble("(module (func $start unreachable) (start $start) (func (export \"_start\")))");
    let answer = s.try_module(&module, &ask(&[]));
    match &answer {
        Err(Failure::Trap { kind, .. }) => same("kind of trap", *kind, TrapKind::Unreachable)?,
        _ => return Err(unexpected(&answer, "a trap")),
    }
    s.goes_on(false)
}
