//! The BLAKE3 hash of `TEXT` in hexadecimal, computed `ITERATIONS` times.

use input::Refusal;
use std::{hint::black_box, num::NonZeroU64, process::ExitCode};

pub fn main() -> ExitCode {
    input::answer(run())
}

fn run() -> Result<String, Refusal> {
    Ok(hash(&input::text("TEXT")?, input::iterations()?))
}

fn hash(text: &str, iterations: NonZeroU64) -> String {
    input::repeat(iterations, || blake3::hash(black_box(text.as_bytes()))).to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::hash;
    use std::num::NonZeroU64;

    #[test]
    fn published_hashes() {
        // From the test vectors of the BLAKE3 specification: no input, and one zero byte.
        let empty = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";
        assert_eq!(hash("", NonZeroU64::MIN), empty);
        let one_zero_byte = "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213";
        assert_eq!(hash("\0", NonZeroU64::MIN), one_zero_byte);
    }

    #[test]
    fn the_answer_does_not_depend_on_the_iterations() {
        let once = hash("Hello World", NonZeroU64::MIN);
        assert_eq!(once, "41f8394111eb713a22165c46c90ab8f0fd9399c92028fd6d288944b23ff5bf76");
        assert_eq!(hash("Hello World", NonZeroU64::new(1000).unwrap()), once);
    }
}
