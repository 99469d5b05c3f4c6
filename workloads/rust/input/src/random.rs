use crate::Refusal;

/// Marsaglia's 32-bit xorshift (Journal of Statistical Software 8/14, 2003).
#[derive(Debug, Clone)]
pub struct Random(u32);

impl Random {
    /// Begins with the variable `SEED`.
    pub fn from_env() -> Result<Self, Refusal> {
        crate::number("SEED", 1..=u32::MAX).map(Random)
    }

    /// The next number, which is the next state.
    pub fn next_u32(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn a_published_sequence() {
        // The paper's own example starts from 2463534242.
        let mut random = Random(2_463_534_242);
        assert_eq!([random.next_u32(), random.next_u32()], [723_471_715, 2_497_366_906]);
    }
}
