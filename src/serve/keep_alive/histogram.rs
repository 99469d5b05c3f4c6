//! What a function's idle times say about the next one (Shahrad et al., USENIX ATC 2020, section 4.2).

/// The width of a bin, in nanoseconds.
pub(super) const BIN_NS: u64 = 60 * 1_000_000_000;

/// How many bins there are: four hours.
pub(super) const BINS: usize = 240;

/// The pre-warming window ends where so many per cent of the idle times were over, the keep-alive window where so many
/// were.
const HEAD_PERCENT: u64 = 5;
const TAIL_PERCENT: u64 = 99;

/// By so many per cent the first is shorter and the second longer.
const MARGIN_PERCENT: u64 = 10;

/// A histogram whose bin counts have a coefficient of variation below this says nothing: they are all alike, or there are
/// none. Squared, and with the one that the mean of the squares has more than the variance: E(c²) / E(c)² = CV² + 1.
const LEAST_CV_SQUARED_AND_ONE: u128 = 2 * 2 + 1;

/// How often a function was idle for how long, between the end of an execution and the next invocation. About a kilobyte.
#[derive(Clone, Debug)]
pub(super) struct IdleTimes {
    bins: [u32; BINS],
    /// How many are in the bins, and how many were longer.
    inside: u64,
    outside: u64,
    sum_of_squares: u128,
}

/// When a module is in memory, counted from the end of the last execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Windows {
    /// It is released at once and loaded again after so many nanoseconds; with 0 it stays.
    pub(super) prewarm_ns: u64,
    /// It is released after so many; never without it.
    pub(super) keep_ns: Option<u64>,
}

impl IdleTimes {
    pub(super) fn new() -> IdleTimes {
        IdleTimes { bins: [0; BINS], inside: 0, outside: 0, sum_of_squares: 0 }
    }

    pub(super) fn record(&mut self, idle_ns: u64) {
        match self.bins.get_mut((idle_ns / BIN_NS) as usize) {
            Some(count) => {
                // Of the same bin twice: (c + 1)² - c².
                self.sum_of_squares += 2 * u128::from(*count) + 1;
                *count = count.saturating_add(1);
                self.inside += 1;
            }
            None => self.outside += 1,
        }
    }

    /// Whether they tell the next idle time: few were longer than the histogram, and some bins stand out.
    fn is_representative(&self) -> bool {
        let known = u128::from(self.inside);
        // The paper forecasts where "too many" are outside, and does not say how many that is: here, half of them.
        self.outside <= self.inside
            && known > 0
            && self.sum_of_squares * BINS as u128 >= LEAST_CV_SQUARED_AND_ONE * known * known
    }

    /// The first bin up to which there are so many per cent.
    fn bin_at(&self, percent: u64) -> u64 {
        let mut sum = 0;
        let at = self.bins.iter().position(|count| {
            sum += u64::from(*count);
            sum * 100 >= self.inside * percent
        });
        at.unwrap_or(BINS - 1) as u64
    }

    /// The windows after an execution. Functions that are not known, or not any more, are kept for as long as the histogram
    /// is.
    pub(super) fn windows(&self) -> Windows {
        if !self.is_representative() {
            return Windows { prewarm_ns: 0, keep_ns: Some(BINS as u64 * BIN_NS) };
        }
        // The lower end of the one bin, the upper end of the other.
        let (head, tail) = (self.bin_at(HEAD_PERCENT) * BIN_NS, (self.bin_at(TAIL_PERCENT) + 1) * BIN_NS);
        Windows { prewarm_ns: head / 100 * (100 - MARGIN_PERCENT), keep_ns: Some(tail / 100 * (100 + MARGIN_PERCENT)) }
    }
}
