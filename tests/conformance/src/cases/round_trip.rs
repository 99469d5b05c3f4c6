//! Whatever the arguments and the environment, a function reads them as they were given. Every runtime is compared
//! with the same expectation, and so with every other.

use super::{Cases, Problem, Verdict, same_bytes};
use crate::guest::{ample, echo_of};
use crate::subject::Subject;
use isobar_core::Invocation;
use proptest::collection::{btree_map, vec};
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::test_runner::{Config, TestCaseError, TestRunner};

pub(super) const CASES: Cases = &[("arguments and environment round-trip", round_trip)];

fn text(excluded: &'static [char], length: std::ops::Range<usize>) -> impl Strategy<Value = String> {
    let odd = prop_oneof![Just('='), Just(' '), Just('\n'), Just('%'), Just('$'), Just('\u{feff}'), Just('\u{10ffff}')];
    let character = prop_oneof![4 => any::<char>(), 4 => proptest::char::range('!', '~'), 1 => odd];
    let allowed = character.prop_filter("an excluded character", |c| !excluded.contains(c));
    vec(allowed, length).prop_map(String::from_iter)
}

fn invocations() -> impl Strategy<Value = Invocation> {
    let args = vec(text(&['\0'], 0..24), 0..8);
    let env = btree_map(text(&['\0', '='], 1..12), text(&['\0'], 0..24), 0..12);
    // The order is part of what is given.
    let env = env.prop_map(|env| env.into_iter().collect::<Vec<_>>()).prop_shuffle();
    (args, env).prop_map(|(mut args, env)| {
        args.insert(0, "echo".to_owned());
        Invocation { args, env, stdin: Vec::new(), limits: ample() }
    })
}

fn round_trip(s: &Subject) -> Verdict {
    s.probe()?;
    let config = Config { cases: 32, max_shrink_iters: 200, failure_persistence: None, ..Config::default() };
    let verdict = TestRunner::new(config).run(&invocations(), |invocation| {
        let stdout = s.stdout(&invocation);
        let verdict = stdout.and_then(|stdout| same_bytes("argv and environment", &stdout, &echo_of(&invocation)));
        verdict.map_err(|problem| TestCaseError::fail(format!("{problem:?}")))
    });
    verdict.map_err(|e| Problem::Wrong(e.to_string()))
}
