//! The `N`th Fibonacci number by plain recursion, `ITERATIONS` times.

use input::Refusal;
use std::{hint::black_box, process::ExitCode};

/// The last one that fits 64 bits.
const LARGEST: u64 = 93;

fn main() -> ExitCode {
    input::answer(run())
}

fn run() -> Result<String, Refusal> {
    let n = checked(input::number("N")?)?;
    let iterations = input::iterations()?;
    Ok(input::repeat(iterations, || fibonacci(black_box(n))).to_string())
}

fn checked(n: u64) -> Result<u32, Refusal> {
    match u32::try_from(n) {
        Ok(small) if n <= LARGEST => Ok(small),
        _ => Err(Refusal::new("N", format!("{n} is more than {LARGEST}, the largest whose number fits 64 bits"))),
    }
}

fn fibonacci(n: u32) -> u64 {
    if n < 2 { n.into() } else { fibonacci(n - 1) + fibonacci(n - 2) }
}

#[cfg(test)]
mod tests {
    use super::{checked, fibonacci};

    #[test]
    fn first_numbers_and_a_larger_one() {
        let first: Vec<u64> = (0..10).map(fibonacci).collect();
        assert_eq!(first, [0, 1, 1, 2, 3, 5, 8, 13, 21, 34]);
        assert_eq!(fibonacci(30), 832_040);
    }

    #[test]
    fn refuses_what_would_overflow() {
        assert_eq!(checked(93), Ok(93));
        let said = checked(94).unwrap_err().to_string();
        assert_eq!(said, "N: 94 is more than 93, the largest whose number fits 64 bits");
        // 2^32 + 1 must not be taken for 1.
        assert!(checked((1 << 32) + 1).is_err());
    }
}
