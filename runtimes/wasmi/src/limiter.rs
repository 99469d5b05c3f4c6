//! The memory limit.

use wasmi::ResourceLimiter;
use wasmi_core::LimiterError;

/// What a table's element may take, in bytes.
const ELEMENT_BYTES: u64 = 16;

/// Refuses memory beyond a limit, and notes that it did.
pub struct Limiter {
    limit_bytes: u64,
    refused: bool,
}

impl Limiter {
    /// A limiter for one instance with at most one memory.
    pub fn new(limit_bytes: u64) -> Self {
        Limiter { limit_bytes, refused: false }
    }

    /// Whether it refused anything.
    pub fn refused(&self) -> bool {
        self.refused
    }

    fn grant(&mut self, bytes: u64) -> bool {
        let granted = bytes <= self.limit_bytes;
        self.refused |= !granted;
        granted
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool, LimiterError> {
        // Beyond the module's own maximum it fails anyway, which is not the limit's doing.
        Ok(maximum.is_some_and(|maximum| desired > maximum) || self.grant(desired as u64))
    }

    /// A table is no linear memory, but it must not be a way around the limit.
    fn table_growing(&mut self, _current: usize, desired: usize, maximum: Option<usize>) -> Result<bool, LimiterError> {
        let bytes = (desired as u64).saturating_mul(ELEMENT_BYTES);
        Ok(maximum.is_some_and(|maximum| desired > maximum) || self.grant(bytes))
    }

    fn instances(&self) -> usize {
        1
    }

    fn tables(&self) -> usize {
        usize::MAX
    }

    fn memories(&self) -> usize {
        1
    }
}
