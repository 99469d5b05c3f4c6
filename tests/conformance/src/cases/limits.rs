//! Limits hold, whoever enforces them.

use super::{Cases, Problem, Verdict, exits, same, unexpected, wrong};
use crate::Boundary;
use crate::guest::{ample, ask, assemble};
use crate::subject::Subject;
use isobar_core::{Enforcer, Failure, Invocation, Limits, TrapKind};

const PAGE_BYTES: u64 = 65_536;

pub(super) const CASES: Cases = &[
    ("an endless loop", |s| times_out(s, &["loop"])),
    ("an hour's sleep", |s| times_out(s, &["sleep", "3600000"])),
    ("five thousand nested calls", |s| exits(s.run(&ask(&["recurse", "5000"])), 0)),
    ("runaway recursion", recursion),
    ("a memory bomb", bomb),
    ("a function that copes with less memory", copes),
    ("more initial memory than allowed", initial_memory),
    ("1 GiB of standard output", |s| floods(s, "1", Limits::default().output_bytes)),
    ("1 GiB of standard error", |s| floods(s, "2", Limits::default().output_bytes)),
    ("output up to its limit, and a byte more", output_to_the_byte),
];

/// Whether the process enforces it; in this process that cannot be tried.
fn by_process(s: &Subject, enforcer: Enforcer) -> Result<bool, Problem> {
    match (enforcer, s.boundary()) {
        (Enforcer::Process, Boundary::InProcess) => Err(Problem::NotHere("only a runner's death ends it")),
        (enforcer, _) => Ok(enforcer == Enforcer::Process),
    }
}

fn times_out(s: &Subject, action: &[&str]) -> Verdict {
    let mortal = by_process(s, s.info().enforcement.wall_time)?;
    let limit_ns = 300_000_000;
    let answer = s.run(&Invocation { limits: Limits { wall_time_ns: limit_ns, ..ample() }, ..ask(action) });
    if answer != Err(Failure::Timeout { limit_ns }) {
        return Err(unexpected(&answer, "a timeout"));
    }
    s.goes_on(mortal)
}

fn recursion(s: &Subject) -> Verdict {
    let mortal = by_process(s, s.info().enforcement.stack)?;
    let limits = Limits { memory_bytes: 64 << 20, ..ample() };
    let answer = s.run(&Invocation { limits, ..ask(&["recurse", "4294967295"]) });
    match &answer {
        Err(Failure::Trap { kind: TrapKind::StackOverflow | TrapKind::MemoryOutOfBounds, .. }) => {}
        Err(Failure::Crashed { .. }) if mortal => {}
        _ => return Err(unexpected(&answer, "a trap for an exhausted stack")),
    }
    s.goes_on(mortal)
}

fn with_memory(bytes: u64, action: &[&str]) -> Invocation {
    Invocation { limits: Limits { memory_bytes: bytes, ..ample() }, ..ask(action) }
}

fn bomb(s: &Subject) -> Verdict {
    let mortal = by_process(s, s.info().enforcement.memory)?;
    let limit_bytes = 64 << 20;
    let answer = s.run(&with_memory(limit_bytes, &["bomb"]));
    if answer != Err(Failure::Memory { limit_bytes }) {
        return Err(unexpected(&answer, "a memory failure"));
    }
    s.goes_on(mortal)
}

fn copes(s: &Subject) -> Verdict {
    let mortal = by_process(s, s.info().enforcement.memory)?;
    let limit_bytes = 16 << 20;
    let stdout = s.stdout(&with_memory(limit_bytes, &["cope"]))?;
    let Ok(pages) = stdout.try_into().map(u32::from_le_bytes) else { return wrong("no size of memory") };
    let size = u64::from(pages) * PAGE_BYTES;
    // The process' own limit has slack.
    let most = if mortal { limit_bytes + (256 << 20) } else { limit_bytes };
    if size > most || size <= limit_bytes / 2 {
        return wrong(format!("memory grows to {size} bytes, the limit being {limit_bytes}"));
    }
    s.goes_on(mortal)
}

fn initial_memory(s: &Subject) -> Verdict {
    let mortal = by_process(s, s.info().enforcement.memory)?;
    let module = assemble("(module (memory (export \"memory\") 8192) (func (export \"_start\")))");
    let limit_bytes = 64 << 20;
    let answer = s.try_module(&module, &with_memory(limit_bytes, &[]));
    if answer != Err(Failure::Memory { limit_bytes }) {
        return Err(unexpected(&answer, "a memory failure"));
    }
    s.goes_on(mortal)
}

fn floods(s: &Subject, fd: &str, limit_bytes: u64) -> Verdict {
    let answer = s.run(&ask(&["flood", fd]));
    if answer != Err(Failure::OutputLimit { limit_bytes }) {
        return Err(unexpected(&answer, "an output-limit failure"));
    }
    s.goes_on(false)
}

fn output_to_the_byte(s: &Subject) -> Verdict {
    let limit_bytes = 100_000;
    let limits = Limits { output_bytes: limit_bytes, ..ample() };
    let write = |count: u64| s.run(&Invocation { limits, ..ask(&["write", "1", &count.to_string()]) });
    same("bytes within the limit", write(limit_bytes)?.stdout.len() as u64, limit_bytes)?;
    let answer = write(limit_bytes + 1);
    if answer == Err(Failure::OutputLimit { limit_bytes }) {
        Ok(())
    } else {
        Err(unexpected(&answer, "an output-limit failure"))
    }
}
