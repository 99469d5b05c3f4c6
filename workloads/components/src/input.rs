//! What `workloads/rust/input` offers to the functions that are components, as far as they use it, with the same refusals.

use crate::{ANSWER, ENVIRONMENT};
use std::{fmt, hint::black_box, num::NonZeroU64, ops::RangeInclusive, process::ExitCode};

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
    let value = value(variable).ok_or_else(|| Refusal::new(variable, "is not set"))?;
    String::from_utf8(value).map_err(|_| Refusal::new(variable, "is not UTF-8"))
}

/// A variable that must be a whole number in this range, in digits only.
pub fn number(variable: &'static str, range: RangeInclusive<u32>) -> Result<u32, Refusal> {
    let range = (*range.start()).into()..=(*range.end()).into();
    let number = parse_number(variable, &text(variable)?, range)?;
    Ok(number.try_into().expect("the range ends within 32 bits"))
}

/// How many times the work is to be done: the variable `ITERATIONS`, or once.
pub fn iterations() -> Result<NonZeroU64, Refusal> {
    if value(ITERATIONS).is_none() {
        return Ok(NonZeroU64::MIN);
    }
    let iterations = parse_number(ITERATIONS, &text(ITERATIONS)?, 1..=u64::MAX)?;
    Ok(NonZeroU64::new(iterations).expect("the range begins at 1"))
}

/// The first value that a variable has.
fn value(variable: &str) -> Option<Vec<u8>> {
    let found =
        |variables: &Vec<(String, Vec<u8>)>| variables.iter().find(|(name, _)| name == variable)?.1.clone().into();
    ENVIRONMENT.with_borrow(found)
}

fn parse_number(variable: &'static str, text: &str, range: RangeInclusive<u64>) -> Result<u64, Refusal> {
    // `parse` takes a plus sign.
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    let number = text.parse().ok().filter(|number| digits && range.contains(number));
    let (least, most) = range.into_inner();
    number.ok_or_else(|| Refusal::new(variable, format!("{text:?} is not a whole number from {least} to {most}")))
}

/// Does the work this many times and gives the last answer.
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

/// Answers with a line, or with the refusal and exit code 2.
pub fn answer(result: Result<String, Refusal>) -> ExitCode {
    let line = |text: String| text + "\n";
    let code = if result.is_ok() { ExitCode::SUCCESS } else { ExitCode::from(REFUSED) };
    ANSWER.set(result.map(line).map_err(|refusal| line(refusal.to_string())));
    code
}
