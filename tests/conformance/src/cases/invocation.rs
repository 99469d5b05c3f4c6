//! What a function is given, and what it gives back.

use super::{Cases, Problem, Verdict, exits, same, same_bytes, unexpected, wrong};
use crate::Boundary;
use crate::guest::{ask, echo_of};
use crate::subject::Subject;
use isobar_core::{Failure, Invocation};
use std::time::{Duration, SystemTime};

pub(super) const CASES: Cases = &[
    ("an empty environment", |s| echoes(s, &[], &[])),
    ("a thousand variables", |s| echoes(s, &[], &thousand())),
    ("variables in UTF-8, with =, and empty ones", |s| echoes(s, &[], &variables())),
    ("arguments", |s| echoes(s, &["", "a b", "ü→𝄞", "-x=y", "\"'\\\n\t", "", "last"], &[])),
    ("more arguments than fit a page", |s| echoes(s, &["0123456789abcdef"; 1000], &[])),
    ("no arguments", no_arguments),
    ("an argument or a variable that cannot be", impossible),
    ("empty standard input", |s| copies(s, Vec::new())),
    ("1 MiB of standard input", |s| copies(s, (0..1 << 20).map(|i: u32| (i % 251) as u8).collect())),
    ("standard input that is not read", |s| {
        exits(s.run(&Invocation { stdin: vec![1; 1 << 20], ..ask(&["exit", "0"]) }), 0)
    }),
    ("empty standard output", |s| writes(s, 0)),
    ("8 MiB of standard output, not UTF-8", |s| writes(s, 8 << 20)),
    ("standard error apart from standard output", apart),
    ("exit codes from 0 to 255", exit_codes),
    ("clocks advance", clocks),
    ("random numbers differ", random),
    ("a nap ends", |s| same_bytes("standard output", &s.stdout(&ask(&["sleep", "2"]))?, b"")),
];

fn thousand() -> Vec<(String, String)> {
    (0..1000).map(|i| (format!("VARIABLE_{i}"), format!("value {i}"))).collect()
}

fn variables() -> Vec<(String, String)> {
    let pairs = [("ÜMLAUT", "ä→𝄞\u{301}"), ("B", "=x=y="), ("EMPTY", ""), ("a b", " \t\n"), ("A", "last is not first")];
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

fn echoes(s: &Subject, args: &[&str], env: &[(String, String)]) -> Verdict {
    let args = [&["echo"], args].concat();
    let invocation = Invocation { env: env.to_vec(), ..ask(&args) };
    same_bytes("argv and the environment", &s.stdout(&invocation)?, &echo_of(&invocation))
}

/// The probe returns from `_start`.
fn no_arguments(s: &Subject) -> Verdict {
    same_bytes("standard output", &s.stdout(&ask(&[]))?, b"")
}

fn impossible(s: &Subject) -> Verdict {
    if s.boundary() == Boundary::InProcess {
        return Err(Problem::NotHere("who calls an adapter checks before"));
    }
    for (args, name, value) in
        [(vec!["a\0b"], "A", "b"), (vec![], "A=B", "c"), (vec![], "", "c"), (vec![], "A", "b\0c")]
    {
        let env = vec![(name.to_owned(), value.to_owned())];
        let invocation = Invocation { env, ..ask(&[vec!["echo"], args].concat()) };
        match s.run(&invocation) {
            Err(Failure::Host { .. }) => {}
            other => {
                return Err(unexpected(
                    &other,
                    &format!("a host failure for {:?} {:?}", &invocation.args[1..], invocation.env),
                ));
            }
        }
    }
    s.goes_on(false)
}

fn copies(s: &Subject, stdin: Vec<u8>) -> Verdict {
    let invocation = Invocation { stdin, ..ask(&["cat"]) };
    same_bytes("standard output", &s.stdout(&invocation)?, &invocation.stdin)
}

fn writes(s: &Subject, length: usize) -> Verdict {
    let wanted: Vec<u8> = (0..length).map(|i| i as u8).collect();
    same_bytes("standard output", &s.stdout(&ask(&["write", "1", &length.to_string()]))?, &wanted)
}

fn apart(s: &Subject) -> Verdict {
    let outcome = s.run(&ask(&["both"]))?;
    same("exit code", outcome.exit_code, 0)?;
    same_bytes("standard output", &outcome.stdout, b"out\nout\n")?;
    same_bytes("standard error", &outcome.stderr, b"err\nerr\n")
}

fn exit_codes(s: &Subject) -> Verdict {
    (0..=255).try_for_each(|code| exits(s.run(&ask(&["exit", &code.to_string()])), code))
}

fn clocks(s: &Subject) -> Verdict {
    let now = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    // The same clock, read with less precision perhaps.
    let slack = Duration::from_secs(1);
    let before = now().saturating_sub(slack);
    let stdout = s.stdout(&ask(&["clocks"]))?;
    let times: Vec<u64> =
        stdout.chunks_exact(8).map(|c| c.iter().rev().fold(0, |n, b| n << 8 | u64::from(*b))).collect();
    let [realtime, steady, later] = times[..] else { return wrong(format!("{} bytes of clocks", stdout.len())) };
    if !(before..=now() + slack).contains(&Duration::from_nanos(realtime)) {
        return wrong(format!("the time of day is {realtime} ns"));
    }
    if steady >= later { wrong(format!("the steady clock stays at {steady} ns")) } else { Ok(()) }
}

fn random(s: &Subject) -> Verdict {
    let bytes = [s.stdout(&ask(&["random"]))?, s.stdout(&ask(&["random"]))?].concat();
    let mut values: Vec<&[u8]> = bytes.chunks(16).collect();
    values.sort();
    values.dedup();
    match (bytes.len(), values.len()) {
        (64, 4) => Ok(()),
        _ => Err(Problem::Wrong(format!("of four random values, some are alike: {values:?}"))),
    }
}
