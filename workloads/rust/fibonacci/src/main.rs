//! The `N`th Fibonacci number by plain recursion, `ITERATIONS` times.

use input::Refusal;
use std::{hint::black_box, process::ExitCode};

/// The last one that fits 64 bits.
const LARGEST: u32 = 93;

pub fn main() -> ExitCode {
    input::answer(run())
}

fn run() -> Result<String, Refusal> {
    let n = input::number("N", 0..=LARGEST)?;
    let iterations = input::iterations()?;
    Ok(input::repeat(iterations, || fibonacci(black_box(n))).to_string())
}

fn fibonacci(n: u32) -> u64 {
    if n < 2 { n.into() } else { fibonacci(n - 1) + fibonacci(n - 2) }
}

#[cfg(test)]
mod tests {
    use super::fibonacci;

    #[test]
    fn first_numbers_and_a_larger_one() {
        let first: Vec<u64> = (0..10).map(fibonacci).collect();
        assert_eq!(first, [0, 1, 1, 2, 3, 5, 8, 13, 21, 34]);
        assert_eq!(fibonacci(30), 832_040);
    }
}
