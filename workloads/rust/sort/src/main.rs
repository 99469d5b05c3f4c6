//! Sorts `COUNT` random numbers and prints the least, the middle and the greatest of them.

use input::{Random, Refusal};
use std::process::ExitCode;

pub fn main() -> ExitCode {
    input::answer(run())
}

fn run() -> Result<String, Refusal> {
    let count = input::number("COUNT", 1..=10_000_000)?;
    let mut random = Random::from_env()?;
    let mut numbers: Vec<u32> = (0..count).map(|_| random.next_u32()).collect();
    numbers.sort_unstable();
    let checksum = numbers.iter().fold(0_u32, |c, &v| c.wrapping_mul(31).wrapping_add(v));
    let (least, middle, greatest) = (numbers[0], numbers[numbers.len() / 2], numbers[numbers.len() - 1]);
    Ok(format!("{least} {middle} {greatest} {checksum}"))
}
