//! From what a function said, and what became of it, to a verdict.

use super::{LIMITS, Stage};
use crate::contract::{Failure, Outcome};
use crate::measure::MeasureError;
use crate::measure::attempt::{AttemptKind, Verdict};

/// So long may evidence be, in characters.
const LONGEST: usize = 240;

/// What came of an attempt, and how that is known. What the host can see counts more than what the function says.
///
/// # Errors
/// The function ended as if all was well and said nothing that makes sense.
pub(super) fn judge(
    kind: &AttemptKind,
    tried: &Result<Outcome, Failure>,
    stage: &Stage,
) -> Result<(Verdict, String), MeasureError> {
    let said = tried.as_ref().map(said).unwrap_or_default();
    let proof = stage.proof(&said);
    let outcome = match tried {
        Err(failure) if proof == Some(true) => {
            return Ok((Verdict::Allowed, format!("it is seen from outside; then {failure}")));
        }
        // The only signal that a function can have sent is the one that it wanted to.
        Err(failure @ Failure::Crashed { signal: Some(_), .. }) if kind.name == "signal" => {
            return Ok((Verdict::Allowed, failure.to_string()));
        }
        Err(failure) => return Ok((Verdict::Ended, failure.to_string())),
        Ok(outcome) => outcome,
    };
    if kind.name == "output" {
        return Ok(output(outcome));
    }
    let line = said.lines().next().unwrap_or_default();
    let (word, evidence) = line.split_once(": ").unwrap_or((line, ""));
    let verdict = match (word, proof) {
        (_, Some(true)) if evidence.is_empty() => return Ok((Verdict::Allowed, "it is seen from outside".to_owned())),
        (_, Some(true)) | ("allowed", None) => Verdict::Allowed,
        ("allowed", Some(false)) => {
            return Ok((Verdict::Denied, format!("says \"{evidence}\", but that is not the host's")));
        }
        ("denied", _) => Verdict::Denied,
        ("none", _) => Verdict::NotApplicable,
        _ if outcome.exit_code != 0 => return Ok((Verdict::Ended, ended(outcome))),
        _ => return Err(MeasureError::WrongAnswer(format!("the attempt `{}` says nothing: {:?}", kind.name, line))),
    };
    Ok((verdict, evidence.to_owned()))
}

fn said(outcome: &Outcome) -> String {
    String::from_utf8_lossy(&outcome.stdout).into_owned()
}

/// A function that floods its output has no room to say anything.
fn output(outcome: &Outcome) -> (Verdict, String) {
    let bytes = outcome.stdout.len() as u64;
    if bytes > LIMITS.output_bytes {
        (Verdict::Allowed, format!("{bytes} bytes came back, {} are allowed", LIMITS.output_bytes))
    } else if outcome.exit_code != 0 {
        (Verdict::Ended, ended(outcome))
    } else {
        (Verdict::Denied, format!("{bytes} bytes came back, the others were dropped"))
    }
}

fn ended(outcome: &Outcome) -> String {
    let stderr = String::from_utf8_lossy(&outcome.stderr);
    let last = stderr.trim().lines().next_back().unwrap_or("nothing on standard error");
    format!("exit code {}: {last}", outcome.exit_code)
}

/// Fit for a table: one line without control characters, cut where it is too long.
pub(super) fn line(text: &str) -> String {
    let printable = text.replace(char::is_control, " ");
    let words = printable.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &words[..end]),
        None => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::TrapKind;
    use crate::measure::attempt::ATTEMPTS;
    use proptest::prelude::*;

    fn kind(name: &str) -> &'static AttemptKind {
        ATTEMPTS.iter().find(|kind| kind.name == name).unwrap()
    }

    fn judged(name: &str, tried: impl FnOnce(&Stage) -> Result<Outcome, Failure>) -> (Verdict, String) {
        let stage = Stage::set(kind(name)).unwrap();
        let tried = tried(&stage);
        judge(kind(name), &tried, &stage).unwrap()
    }

    fn says(text: &str) -> Result<Outcome, Failure> {
        Ok(Outcome { exit_code: 0, stdout: text.into(), stderr: Vec::new() })
    }

    #[test]
    fn what_can_be_proven_is_not_taken_on_trust() {
        let (verdict, evidence) = judged("file", |_| says("allowed: read 0123\n"));
        assert_eq!((verdict, evidence.contains("not the host's")), (Verdict::Denied, true));
        let (verdict, evidence) = judged("file", |stage| says(&format!("allowed: read {}\n", stage.secret)));
        assert_eq!((verdict, &evidence[..5]), (Verdict::Allowed, "read "));
        // Whoever says that it was denied, and shows what it must not have, was allowed.
        assert_eq!(judged("previous", |stage| says(&format!("denied: {}", stage.secret))).0, Verdict::Allowed);
        let crashed = |stage: &Stage| {
            std::fs::write(format!("{}/written", stage.variables()[0].1), &stage.secret).unwrap();
            Err(Failure::trap(TrapKind::Unreachable, "later", b""))
        };
        assert_eq!(judged("write", crashed).0, Verdict::Allowed);
        assert_eq!(judged("passwd", |_| says("allowed: read 1 bytes in 1 lines")).0, Verdict::Denied);
    }

    #[test]
    fn limits_are_judged_by_what_became_of_the_function() {
        let timeout = Failure::Timeout { limit_ns: 1_000_000_000 };
        assert_eq!(judged("spin", |_| Err(timeout.clone())), (Verdict::Ended, timeout.to_string()));
        let killed = |signal| Failure::Crashed { message: "the runner was ended by signal 15".into(), signal };
        assert_eq!(judged("signal", |_| Err(killed(Some(15)))).0, Verdict::Allowed);
        assert_eq!(judged("signal", |_| Err(killed(None))).0, Verdict::Ended);
        assert_eq!(judged("crash", |_| Err(killed(Some(11)))).0, Verdict::Ended);
        assert_eq!(judged("spin", |_| says("allowed: ran for 20 s\n")).0, Verdict::Allowed);
        assert_eq!(judged("memory", |_| says("denied: refused after 100 MiB\n")).1, "refused after 100 MiB");
        let flood = Outcome { exit_code: 0, stdout: vec![b'x'; 2 << 20], stderr: Vec::new() };
        assert_eq!(judged("output", |_| Ok(flood)).0, Verdict::Allowed);
        let thrown = Outcome { exit_code: 1, stdout: Vec::new(), stderr: b"RangeError\n".to_vec() };
        assert_eq!(judged("stack", |_| Ok(thrown)), (Verdict::Ended, "exit code 1: RangeError".to_owned()));
        assert_eq!(
            judged("crash", |_| says("none: no pointers\n")),
            (Verdict::NotApplicable, "no pointers".to_owned())
        );
    }

    #[test]
    fn silence_is_no_verdict() {
        let stage = Stage::set(kind("spawn")).unwrap();
        for text in ["", "harmless\n", "perhaps: x"] {
            assert!(matches!(judge(kind("spawn"), &says(text), &stage), Err(MeasureError::WrongAnswer(_))), "{text}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_said_evidence_is_one_short_line(text in any::<String>()) {
            let line = line(&text);
            prop_assert!(!line.contains(char::is_control) && line.chars().count() <= LONGEST + 1);
            let stage = Stage::set(kind("file")).unwrap();
            if let Ok((verdict, _)) = judge(kind("file"), &says(&text), &stage) {
                prop_assert_ne!(verdict, Verdict::Allowed);
            }
        }
    }
}
