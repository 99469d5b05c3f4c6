//! Runtimes that give different answers to the same input: the same module, the same bytes in.

use super::Input;
use isobar_core::measure::sha256_hex;
use isobar_core::{Outcome, RuntimeId};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// How much of an answer is shown, in bytes.
const SHOWN_BYTES: usize = 16;

/// Different answers to one input, the one that most runtimes gave first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disagreement {
    /// The function.
    pub function: String,
    /// What it was given.
    pub input: Input,
    /// At least two.
    pub answers: Vec<Distinct>,
}

/// One of several answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distinct {
    /// Who gave it.
    pub runtimes: Vec<RuntimeId>,
    /// The exit code.
    pub exit_code: i32,
    /// The length of standard output, in bytes.
    pub stdout_bytes: usize,
    /// The SHA-256 of standard output, in lower-case hexadecimal.
    pub stdout_sha256: String,
    /// The first byte of standard output, from 0, that is not as in the first answer; for that answer, where the first
    /// of the others differs from it. `None` if only exit codes differ.
    pub differs_at: Option<usize>,
    /// What stands there, escaped.
    pub excerpt: String,
}

struct Given {
    outcome: Outcome,
    runtimes: Vec<RuntimeId>,
}

/// All answers of a verification. Of those that are alike one is kept.
#[derive(Default)]
pub(super) struct Answers(Mutex<BTreeMap<(String, Input), Vec<Given>>>);

impl Answers {
    pub(super) fn add(&self, function: &str, input: &Input, runtime: &RuntimeId, mut outcome: Outcome) {
        // Runtimes word their own complaints on it.
        outcome.stderr.clear();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let answers = all.entry((function.to_owned(), input.clone())).or_default();
        match answers.iter_mut().find(|given| given.outcome == outcome) {
            Some(given) => given.runtimes.push(runtime.clone()),
            None => answers.push(Given { outcome, runtimes: vec![runtime.clone()] }),
        }
    }

    /// The inputs with more than one answer, by function and input; runtimes in the order of `runtimes`.
    pub(super) fn disagreements(self, runtimes: &[RuntimeId]) -> Vec<Disagreement> {
        let all = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        let several = all.into_iter().filter(|(_, answers)| answers.len() > 1);
        several.map(|((function, input), answers)| disagreement(function, input, answers, runtimes)).collect()
    }
}

fn disagreement(function: String, input: Input, mut answers: Vec<Given>, order: &[RuntimeId]) -> Disagreement {
    let place = |id: &RuntimeId| order.iter().position(|other| other == id);
    for given in &mut answers {
        given.runtimes.sort_by_key(place);
    }
    answers.sort_by_key(|given| (std::cmp::Reverse(given.runtimes.len()), place(&given.runtimes[0])));
    let first = answers[0].outcome.stdout.clone();
    let offsets: Vec<Option<usize>> =
        answers.iter().map(|given| first_difference(&first, &given.outcome.stdout)).collect();
    let nearest = offsets.iter().flatten().min().copied();
    let distinct = answers.into_iter().zip(offsets).enumerate().map(|(at, (given, offset))| {
        let differs_at = if at == 0 { nearest } else { offset };
        let Given { outcome: Outcome { exit_code, stdout, .. }, runtimes } = given;
        let rest = &stdout[differs_at.unwrap_or(0).min(stdout.len())..];
        let excerpt = rest[..rest.len().min(SHOWN_BYTES)].escape_ascii().to_string();
        Distinct {
            runtimes,
            exit_code,
            stdout_bytes: stdout.len(),
            stdout_sha256: sha256_hex(&stdout),
            differs_at,
            excerpt,
        }
    });
    let answers = distinct.collect();
    Disagreement { function, input, answers }
}

/// Where two texts differ first; one that goes on differs where the other ends.
fn first_difference(one: &[u8], other: &[u8]) -> Option<usize> {
    let common = one.iter().zip(other).take_while(|(a, b)| a == b).count();
    (common < one.len().max(other.len())).then_some(common)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn outcome(exit_code: i32, stdout: &str) -> Outcome {
        Outcome { exit_code, stdout: stdout.into(), stderr: format!("{exit_code}").into_bytes() }
    }

    #[test]
    fn alike_answers_are_no_disagreement_and_others_show_where_they_differ() {
        let ids: Vec<RuntimeId> = ["a/a", "b/b", "c/c", "d/d"].map(|id| id.parse().unwrap()).into();
        let answers = Answers::default();
        let (small, large) = (Input::Size("small".to_owned()), Input::Size("large".to_owned()));
        for id in ids.iter().rev() {
            answers.add("c/x", &small, id, outcome(0, "same"));
        }
        for (id, answer) in
            ids.iter().zip([outcome(0, "abcX"), outcome(0, "abcd"), outcome(1, "abcd"), outcome(0, "abcd")])
        {
            answers.add("c/x", &large, id, answer);
        }
        let found = answers.disagreements(&ids);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].function.as_str(), &found[0].input), ("c/x", &large));
        let shown: Vec<_> = found[0]
            .answers
            .iter()
            .map(|a| {
                let names: Vec<&str> = a.runtimes.iter().map(RuntimeId::as_str).collect();
                (names.join(" "), a.exit_code, a.differs_at, a.excerpt.as_str())
            })
            .collect();
        let expected = [
            ("b/b d/d".to_owned(), 0, Some(3), "d"),
            ("a/a".to_owned(), 0, Some(3), "X"),
            ("c/c".to_owned(), 1, None, "abcd"),
        ];
        assert_eq!(shown, expected);
    }

    proptest! {
        #[test]
        fn texts_are_alike_up_to_where_they_differ(one: Vec<u8>, other: Vec<u8>) {
            match first_difference(&one, &other) {
                None => prop_assert_eq!(one, other),
                Some(at) => {
                    prop_assert_eq!(&one[..at], &other[..at]);
                    prop_assert_ne!(one.get(at), other.get(at));
                }
            }
        }
    }
}
