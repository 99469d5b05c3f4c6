//! What the Rust functions share: a strict reading of the environment, work that is done several times, and one way to
//! answer.

use std::{env, ffi::OsString, fmt, hint::black_box, io::Write, num::NonZeroU64, process::ExitCode};

/// Repeats the work inside one instance: the only way to time what takes a microsecond or less.
const ITERATIONS: &str = "ITERATIONS";

/// The exit code of a function that refuses its input.
const REFUSED: u8 = 2;

/// A variable that is missing or makes no sense.
#[derive(Debug, PartialEq, Eq)]
pub struct Refusal {
    variable: &'static str,
    what: String,
}

impl Refusal {
    /// Says what is wrong with a variable's value.
    pub fn new(variable: &'static str, what: impl Into<String>) -> Self {
        Refusal { variable, what: what.into() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.variable, self.what)
    }
}

/// A variable that must be there, possibly empty.
pub fn text(variable: &'static str) -> Result<String, Refusal> {
    parse_text(variable, env::var_os(variable))
}

/// A variable that must be a whole number.
pub fn number(variable: &'static str) -> Result<u64, Refusal> {
    parse_number(variable, &text(variable)?)
}

/// How many times the work is to be done: the variable `ITERATIONS`, or once.
pub fn iterations() -> Result<NonZeroU64, Refusal> {
    parse_iterations(env::var_os(ITERATIONS))
}

fn parse_text(variable: &'static str, value: Option<OsString>) -> Result<String, Refusal> {
    let value = value.ok_or_else(|| Refusal::new(variable, "is not set"))?;
    value.into_string().map_err(|_| Refusal::new(variable, "is not UTF-8"))
}

fn parse_number(variable: &'static str, text: &str) -> Result<u64, Refusal> {
    let refuse = |_| Refusal::new(variable, format!("{text:?} is not a whole number from 0 to {}", u64::MAX));
    text.parse().map_err(refuse)
}

fn parse_iterations(value: Option<OsString>) -> Result<NonZeroU64, Refusal> {
    if value.is_none() {
        return Ok(NonZeroU64::MIN);
    }
    let iterations = parse_number(ITERATIONS, &parse_text(ITERATIONS, value)?)?;
    NonZeroU64::new(iterations).ok_or_else(|| Refusal::new(ITERATIONS, "must be at least 1"))
}

/// Does the work this many times and gives the last answer. `work` must hide its input behind a `black_box`, or the
/// compiler may do it once.
pub fn repeat<T>(iterations: NonZeroU64, mut work: impl FnMut() -> T) -> T {
    let mut left = iterations.get();
    loop {
        let answer = black_box(work());
        left -= 1;
        if left == 0 {
            return answer;
        }
    }
}

/// Prints the answer as a line on standard output, or the refusal on standard error with exit code 2.
pub fn answer(result: Result<String, Refusal>) -> ExitCode {
    match result {
        Ok(answer) => match std::io::stdout().write_all(format!("{answer}\n").as_bytes()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        },
        Err(refusal) => {
            eprintln!("{refusal}");
            ExitCode::from(REFUSED)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn os(value: &str) -> Option<OsString> {
        Some(value.into())
    }

    #[test]
    fn a_text_may_be_empty_but_not_missing() {
        assert_eq!(parse_text("NAME", os("")).unwrap(), "");
        assert_eq!(parse_text("NAME", os("Jürgen = ☃")).unwrap(), "Jürgen = ☃");
        assert_eq!(parse_text("NAME", None).unwrap_err().to_string(), "NAME: is not set");
    }

    #[cfg(unix)]
    #[test]
    fn a_text_must_be_utf_8() {
        use std::os::unix::ffi::OsStringExt;
        let latin1 = Some(OsString::from_vec(vec![b'J', 0xfc]));
        assert_eq!(parse_text("NAME", latin1).unwrap_err().to_string(), "NAME: is not UTF-8");
    }

    #[test]
    fn a_number_is_whole_and_fits() {
        assert_eq!(parse_number("N", "0"), Ok(0));
        assert_eq!(parse_number("N", "18446744073709551615"), Ok(u64::MAX));
        for bad in ["", " 1", "-1", "1.0", "1e3", "0x10", "ten", "18446744073709551616", "1\n2"] {
            let said = parse_number("N", bad).unwrap_err().to_string();
            assert_eq!(said, format!("N: {bad:?} is not a whole number from 0 to 18446744073709551615"));
            assert_eq!(said.lines().count(), 1);
        }
    }

    #[test]
    fn iterations_default_to_one_and_are_never_none() {
        assert_eq!(parse_iterations(None).unwrap().get(), 1);
        assert_eq!(parse_iterations(os("1000")).unwrap().get(), 1000);
        assert_eq!(parse_iterations(os("0")).unwrap_err().to_string(), "ITERATIONS: must be at least 1");
        assert!(parse_iterations(os("")).unwrap_err().to_string().starts_with("ITERATIONS: \"\" is not a whole"));
    }

    #[test]
    fn repeats_exactly_and_gives_the_last_answer() {
        for iterations in [1, 2, 17] {
            let mut done = 0;
            let last = repeat(NonZeroU64::new(iterations).unwrap(), || {
                done += 1;
                done
            });
            assert_eq!((last, done), (iterations, iterations));
        }
    }
}
