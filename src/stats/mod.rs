//! What samples say, and how surely: medians, ratios and slopes with intervals that know that samples of one process
//! belong together, histograms, and what may be wrong with samples.

mod bimodality;
mod bootstrap;
mod break_even;
mod hdr;
mod kde;
mod outliers;
mod ratio;
mod share;
mod slope;
mod t;

pub use bimodality::Bimodality;
pub use break_even::{Amount, BreakEven, Cost, Trade, cheapest, trade};
pub use hdr::{Histogram, HistogramError};
pub use kde::{density, quantile};
pub use outliers::severe_outliers;
pub use ratio::{Ratio, Verdict, geometric_mean};
pub use share::Share;
pub use slope::Slope;

use bootstrap::Estimate;

/// The median of a cell's samples with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// The median of all samples.
    pub median: f64,
    /// The lower end of the interval.
    pub low: f64,
    /// The upper end of the interval.
    pub high: f64,
    /// The median absolute deviation: the median of how far samples are from the median, not scaled to anything.
    pub mad: f64,
    /// How many processes gave samples.
    pub processes: usize,
    /// How many samples there were.
    pub samples: usize,
}

impl Summary {
    /// Summarises `processes`, each the samples of one process in the order in which they were taken; processes
    /// without samples do not count. `None` if there are no samples. The same input and `seed` give the same interval.
    ///
    /// The interval has two levels, as Kalibera and Jones ask for ("Rigorous benchmarking in reasonable time", 2013), and
    /// is the wider of the two:
    ///
    /// - Between processes: they are drawn with replacement, each with all its samples. To draw those again would count
    ///   twice how samples vary, as the medians of processes vary with their samples already (Davison and Hinkley,
    ///   "Bootstrap methods and their application", 1997, section 3.8). The percentiles of so few processes would be too
    ///   narrow: of five they cover the true median in 85 % of the cases, not in 95 %. The interval is therefore
    ///   Student's, from the standard deviation of the drawn medians, times sqrt(n / (n - 1)) for n processes
    ///   (Hesterberg, "What teachers should know about the bootstrap", 2015), on the log scale if no sample is 0.
    /// - Within processes, which is all there is of a single one: the binomial interval of the median.
    pub fn of(processes: &[Vec<f64>], seed: u64) -> Option<Summary> {
        let Estimate { median, low, high, .. } = Estimate::of(processes, seed)?;
        let mut distances: Vec<f64> = processes.iter().flatten().map(|sample| (sample - median).abs()).collect();
        let mad = self::median(&mut distances)?;
        let count = processes.iter().filter(|p| !p.is_empty()).count();
        Some(Summary { median, low, high, mad, processes: count, samples: distances.len() })
    }

    /// Half the width of the interval, as a share of the median: 0.02 is "within 2 %". Infinite if there is one sample
    /// only, which has no interval.
    pub fn relative_half_width(&self) -> f64 {
        let width = self.high - self.low;
        if self.samples == 1 {
            f64::INFINITY
        } else if width == 0.0 {
            0.0
        } else {
            width / 2.0 / self.median.abs()
        }
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
