//! Summaries of samples: the median, with an interval that knows that samples of one process belong together.

mod bootstrap;
mod hdr;

pub use hdr::{Histogram, HistogramError};

/// The median of a cell's samples with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// The median of all samples.
    pub median: f64,
    /// The lower end of the interval.
    pub low: f64,
    /// The upper end of the interval.
    pub high: f64,
    /// How many processes gave samples.
    pub processes: usize,
    /// How many samples there were.
    pub samples: usize,
}

impl Summary {
    /// Summarises `processes`, each the samples of one process in the order in which they were taken; processes
    /// without samples do not count. `None` if there are no samples.
    ///
    /// The interval is a percentile bootstrap of the median on two levels: processes are drawn, then samples in each
    /// drawn process (Kalibera and Jones, "Rigorous benchmarking in reasonable time", 2013). The same input and `seed`
    /// give the same interval. With a handful of processes it is rather too narrow than too wide.
    pub fn of(processes: &[Vec<f64>], seed: u64) -> Option<Summary> {
        let processes: Vec<&[f64]> = processes.iter().map(Vec::as_slice).filter(|p| !p.is_empty()).collect();
        let mut all = processes.concat();
        let median = median(&mut all)?;
        let (low, high) = bootstrap::interval(&processes, seed);
        // The interval comes from thinned samples, the median from all of them.
        let (low, high) = (low.min(median), high.max(median));
        Some(Summary { median, low, high, processes: processes.len(), samples: all.len() })
    }

    /// Whether the interval comes from one process. It then says how samples vary within that process, and nothing of
    /// how another process would differ: it is narrower than what a second run will show.
    pub fn is_of_one_process(&self) -> bool {
        self.processes == 1
    }
}

/// The median: the middle sample, or the mean of the two in the middle. `None` if there are no samples. The order of
/// the samples is lost.
pub fn median(samples: &mut [f64]) -> Option<f64> {
    if samples.is_empty() {
        return None;
    }
    let (count, middle) = (samples.len(), samples.len() / 2);
    let (below, upper, _) = samples.select_nth_unstable_by(middle, f64::total_cmp);
    let lower = below.iter().copied().max_by(f64::total_cmp);
    Some(lower.filter(|_| count % 2 == 0).map_or(*upper, |lower| f64::midpoint(lower, *upper)))
}

/// A seed for the cell `name` of a run with the seed `run`: FNV-1a, so that it is the same everywhere and for ever,
/// and a cell's interval does not depend on what else was measured.
pub fn seed(run: u64, name: &str) -> u64 {
    const PRIME: u64 = 0x0100_0000_01b3;
    let bytes = run.to_le_bytes().into_iter().chain(name.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests;
