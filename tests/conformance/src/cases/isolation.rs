//! Invocations that know nothing of each other.

use super::{Cases, Problem, Verdict, exits, same, same_bytes, wrong};
use crate::guest::{ask, echo_of};
use crate::subject::Subject;
use isobar_core::settings::NATIVE_STACK_BYTES;
use isobar_core::{Invocation, Module};

pub(super) const CASES: Cases = &[
    ("two invocations do not see each other's state", one_after_the_other),
    ("two sandboxes at once", interleaved),
    ("a module loaded twice", loaded_twice),
    ("eight threads at once", threads),
];

/// The probe exits with what it finds of an earlier invocation.
fn one_after_the_other(s: &Subject) -> Verdict {
    exits(s.run(&ask(&["state"])), 0)?;
    exits(s.run(&ask(&["state"])), 0)
}

fn interleaved(s: &Subject) -> Verdict {
    let module = s.probe()?;
    let mut first = module.instantiate(&ask(&["state"]))?;
    let mut second = module.instantiate(&ask(&["state"]))?;
    let mut third = module.instantiate(&ask(&["write", "1", "300"]))?;
    exits(second.execute(), 0)?;
    same("standard output", third.execute()?.stdout.len(), 300)?;
    drop(second);
    exits(first.execute(), 0)
}

fn loaded_twice(s: &Subject) -> Verdict {
    let artifact = s.path("probe.artifact");
    let again = s.engine()?.load(&artifact)?;
    exits(again.instantiate(&ask(&["state"]))?.execute(), 0)?;
    exits(again.instantiate(&ask(&["exit", "9"]))?.execute(), 9)?;
    drop(again);
    exits(s.run(&ask(&["state"])), 0)
}

fn threads(s: &Subject) -> Verdict {
    if !s.info().concurrent {
        return Err(Problem::NotHere("one thread at a time"));
    }
    let module = s.probe()?;
    let work = |number: usize| {
        let module = &module;
        move || (0..20).try_for_each(|turn| one_of_many(&**module, &format!("thread {number}, turn {turn}")))
    };
    std::thread::scope(|scope| {
        let spawn =
            |number| std::thread::Builder::new().stack_size(NATIVE_STACK_BYTES).spawn_scoped(scope, work(number));
        let threads: Vec<_> = (0..8).map(spawn).collect::<std::io::Result<_>>()?;
        threads.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(|_| wrong("a thread panicked")))
    })
}

fn one_of_many(module: &dyn Module, name: &str) -> Verdict {
    let invocation = Invocation { env: vec![("NAME".to_owned(), name.to_owned())], ..ask(&["echo", name]) };
    let outcome = module.instantiate(&invocation)?.execute()?;
    same_bytes("argv and the environment", &outcome.stdout, &echo_of(&invocation))?;
    exits(module.instantiate(&ask(&["state"]))?.execute(), 0)
}

/// How much may be left behind by a thousand invocations, each of which uses 128 KiB of memory.
const SLACK_BYTES: u64 = 16 << 20;

/// A thousand invocations leave nothing behind.
pub(super) fn warm(s: &Subject) -> Verdict {
    let process = s.process()?;
    let invoke = |count| (0..count).try_for_each(|_| exits(s.run(&ask(&["state"])), 0));
    invoke(100)?;
    let before = process.holdings()?;
    invoke(1000)?;
    let after = process.holdings()?;
    let grown = after.descriptors > before.descriptors + 8
        || after.mappings > before.mappings + 100
        || after.resident_bytes > before.resident_bytes + SLACK_BYTES;
    if grown { wrong(format!("what the process holds grows from {before:?} to {after:?}")) } else { Ok(()) }
}
