//! What the Rust functions share: a strict reading of the environment and of standard input, work that is done several
//! times, and one way to answer.

use std::io::{Read, Write};
use std::{ffi::OsString, fmt, hint::black_box, num::NonZeroU64, ops::RangeInclusive, process::ExitCode};
// What a function that is a library has to do with the world goes through its caller.
// The module's bytes hold the lines of what follows: none may move.
#[cfg(feature = "library")]
pub mod library;
#[cfg(feature = "library")]
use library::{env, eprintln, io};
#[cfg(not(feature = "library"))]
use std::{env, io};

mod random;

pub use random::Random;

/// Repeats the work inside one instance: the only way to time what takes a microsecond or less.
const ITERATIONS: &str = "ITERATIONS";

/// The exit code of a function that refuses its input.
const REFUSED: u8 = 2;

/// How a refusal names standard input.
const STDIN: &str = "standard input";

/// A variable that is missing or makes no sense, or standard input that makes none.
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

    /// Says what is wrong with standard input.
    pub fn stdin(what: impl Into<String>) -> Self {
        Refusal::new(STDIN, what)
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

/// A variable that must be a whole number in this range, in digits only.
pub fn number(variable: &'static str, range: RangeInclusive<u32>) -> Result<u32, Refusal> {
    let range = (*range.start()).into()..=(*range.end()).into();
    let number = parse_number(variable, &text(variable)?, range)?;
    Ok(number.try_into().expect("the range ends within 32 bits"))
}

/// All of standard input.
pub fn stdin() -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes).map_err(|e| Refusal::stdin(format!("cannot be read: {e}")))?;
    Ok(bytes)
}

/// How many times the work is to be done: the variable `ITERATIONS`, or once.
pub fn iterations() -> Result<NonZeroU64, Refusal> {
    parse_iterations(env::var_os(ITERATIONS))
}

fn parse_text(variable: &'static str, value: Option<OsString>) -> Result<String, Refusal> {
    let value = value.ok_or_else(|| Refusal::new(variable, "is not set"))?;
    value.into_string().map_err(|_| Refusal::new(variable, "is not UTF-8"))
}

fn parse_number(variable: &'static str, text: &str, range: RangeInclusive<u64>) -> Result<u64, Refusal> {
    // `parse` takes a plus sign.
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    let number = text.parse().ok().filter(|number| digits && range.contains(number));
    let (least, most) = range.into_inner();
    number.ok_or_else(|| Refusal::new(variable, format!("{text:?} is not a whole number from {least} to {most}")))
}

fn parse_iterations(value: Option<OsString>) -> Result<NonZeroU64, Refusal> {
    if value.is_none() {
        return Ok(NonZeroU64::MIN);
    }
    let iterations = parse_number(ITERATIONS, &parse_text(ITERATIONS, value)?, 1..=u64::MAX)?;
    Ok(NonZeroU64::new(iterations).expect("the range begins at 1"))
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
    answer_bytes(result.map(|mut line| {
        line.push('\n');
        line
    }))
}

/// Prints exactly these bytes, or the refusal, as [`answer`] does.
pub fn answer_bytes(result: Result<impl AsRef<[u8]>, Refusal>) -> ExitCode {
    match result {
        Ok(answer) => {
            let mut stdout = io::stdout().lock();
            match stdout.write_all(answer.as_ref()).and_then(|()| stdout.flush()) {
                Ok(()) => ExitCode::SUCCESS,
                Err(_) => ExitCode::FAILURE,
            }
        }
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
    fn a_number_is_whole_and_in_range() {
        assert_eq!(parse_number("N", "0", 0..=93), Ok(0));
        assert_eq!(parse_number("N", "0093", 0..=93), Ok(93));
        assert_eq!(parse_number("N", "18446744073709551615", 1..=u64::MAX), Ok(u64::MAX));
        let bad = ["", " 1", "-1", "+1", "1.0", "1e3", "0x10", "ten", "18446744073709551617", "1\n2", "0", "94"];
        for bad in bad {
            let said = parse_number("N", bad, 1..=93).unwrap_err().to_string();
            assert_eq!(said, format!("N: {bad:?} is not a whole number from 1 to 93"));
            assert_eq!(said.lines().count(), 1);
        }
    }

    #[test]
    fn iterations_default_to_one_and_are_never_none() {
        assert_eq!(parse_iterations(None).unwrap().get(), 1);
        assert_eq!(parse_iterations(os("1000")).unwrap().get(), 1000);
        for bad in ["0", ""] {
            let said = parse_iterations(os(bad)).unwrap_err().to_string();
            assert_eq!(said, format!("ITERATIONS: {bad:?} is not a whole number from 1 to 18446744073709551615"));
        }
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
