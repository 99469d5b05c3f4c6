//! The spread of a cell's median on its two levels: between processes, and between the samples within one.

use super::t;
use std::collections::BTreeMap;

/// How often processes are drawn.
const RESAMPLES: usize = 1000;

/// A median, and how well it is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Estimate {
    pub(super) median: f64,
    /// The ends of its 95 % interval.
    pub(super) low: f64,
    pub(super) high: f64,
    /// The standard error of the median's logarithm; infinite if there is one sample only.
    pub(super) standard_error: f64,
    /// The degrees of freedom of `standard_error`.
    pub(super) degrees_of_freedom: f64,
}

impl Estimate {
    /// `None` if there are no samples. [`super::Summary::of`] says how the interval is made.
    pub(super) fn of(processes: &[Vec<f64>], seed: u64) -> Option<Estimate> {
        let pool = Pool::new(processes);
        let median = middle(&pool.sorted)?;
        // Times and rates vary by factors; only what can be zero is left as it is.
        let scale = if pool.sorted[0] > 0.0 { Scale::Log } else { Scale::Linear };
        let (low, high) = pool.within_processes(median);
        let within = Precision {
            standard_error: (scale.of(high) - scale.of(low)) / (2.0 * t::NORMAL),
            degrees_of_freedom: pool.sorted.len().saturating_sub(pool.processes.len()).max(1) as f64,
        };
        let between = pool.between_processes(scale, seed);
        let half_width = between.map_or(0.0, |b| b.half_width());
        let (low, high) = (
            low.min(median).min(scale.shift(median, -half_width)),
            high.max(median).max(scale.shift(median, half_width)),
        );
        let wider = between.filter(|b| b.half_width() >= within.half_width()).unwrap_or(within);
        let relative = if scale == Scale::Log { 1.0 } else { median.abs() };
        let standard_error = if pool.sorted.len() == 1 { f64::INFINITY } else { wider.standard_error / relative };
        Some(Estimate { median, low, high, standard_error, degrees_of_freedom: wider.degrees_of_freedom })
    }
}

#[derive(Clone, Copy)]
struct Precision {
    standard_error: f64,
    degrees_of_freedom: f64,
}

impl Precision {
    fn half_width(&self) -> f64 {
        t::quantile(self.degrees_of_freedom) * self.standard_error
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Scale {
    Log,
    Linear,
}

impl Scale {
    fn of(self, value: f64) -> f64 {
        if self == Scale::Log { value.ln() } else { value }
    }

    fn shift(self, value: f64, by: f64) -> f64 {
        if self == Scale::Log { value * by.exp() } else { value + by }
    }
}

/// The samples, sorted: all of them, and those of every process that has some.
struct Pool {
    sorted: Vec<f64>,
    processes: Vec<Vec<f64>>,
}

impl Pool {
    fn new(processes: &[Vec<f64>]) -> Self {
        let mut processes: Vec<Vec<f64>> = processes.iter().filter(|p| !p.is_empty()).cloned().collect();
        processes.iter_mut().for_each(|p| p.sort_unstable_by(f64::total_cmp));
        let mut sorted = processes.concat();
        sorted.sort_unstable_by(f64::total_cmp);
        Pool { sorted, processes }
    }

    /// The interval of the median if these processes were all that there are: two of the samples, which of them by the
    /// binomial distribution of how many samples of each process are below the median (Woodruff, "Confidence intervals
    /// for medians and other position measures", 1952). It is what a bootstrap of the samples tends to, without drawing.
    fn within_processes(&self, median: f64) -> (f64, f64) {
        let variance = |p: &Vec<f64>| {
            let (below, upto) = (p.partition_point(|s| *s < median), p.partition_point(|s| *s <= median));
            let share = (below + upto) as f64 / 2.0 / p.len() as f64;
            p.len() as f64 * share * (1.0 - share)
        };
        let half_width = t::NORMAL * self.processes.iter().map(variance).sum::<f64>().sqrt();
        let (middle, last) = (self.sorted.len() as f64 / 2.0, self.sorted.len() - 1);
        // A negative float becomes 0.
        let (low, high) = ((middle - half_width).floor() as usize, (middle + half_width).ceil() as usize);
        (self.sorted[low.min(last)], self.sorted[high.saturating_sub(1).min(last)])
    }

    /// How the median varies with the processes that happen to be measured, from drawing them with replacement, each
    /// with all its samples. `None` if there is one process only.
    fn between_processes(&self, scale: Scale, seed: u64) -> Option<Precision> {
        let count = self.processes.len();
        if count < 2 {
            return None;
        }
        let mut rng = fastrand::Rng::with_seed(seed);
        let band = self.band();
        let mut draws = vec![0; count];
        // Five processes can be drawn in 126 ways only.
        let mut known = BTreeMap::new();
        let medians: Vec<f64> = (0..RESAMPLES)
            .map(|_| {
                draws.fill(0);
                (0..count).for_each(|_| draws[rng.usize(..count)] += 1);
                *known.entry(draws.clone()).or_insert_with(|| scale.of(self.drawn_median(&draws, band)))
            })
            .collect();
        let mean = medians.iter().sum::<f64>() / RESAMPLES as f64;
        let variance = medians.iter().map(|m| (m - mean).powi(2)).sum::<f64>() / RESAMPLES as f64;
        // Drawing from n things finds n - 1 nths of their variance.
        let degrees_of_freedom = (count - 1) as f64;
        let standard_error = (variance * count as f64 / degrees_of_freedom).sqrt();
        Some(Precision { standard_error, degrees_of_freedom })
    }

    /// Between which of the sorted samples every drawn median is: it cannot leave the medians of the processes.
    fn band(&self) -> (usize, usize) {
        let lowest = self.processes.iter().map(|p| p[(p.len() - 1) / 2]).min_by(f64::total_cmp);
        let highest = self.processes.iter().map(|p| p[p.len() / 2]).max_by(f64::total_cmp);
        let below =
            |end: Option<f64>| self.sorted.partition_point(|s| end.is_some_and(|end| s.total_cmp(&end).is_lt()));
        (below(lowest), below(highest))
    }

    /// The median of all samples of the processes, each counted as often as it was drawn.
    fn drawn_median(&self, draws: &[usize], band: (usize, usize)) -> f64 {
        let total: usize = self.processes.iter().zip(draws).map(|(p, drawn)| p.len() * drawn).sum();
        let lower = self.drawn_sample(draws, (total - 1) / 2, band);
        let upper = if total.is_multiple_of(2) { self.drawn_sample(draws, total / 2, (lower, band.1)) } else { lower };
        f64::midpoint(self.sorted[lower], self.sorted[upper])
    }

    /// Where the drawn sample stands that has `before` drawn samples before it.
    fn drawn_sample(&self, draws: &[usize], before: usize, (mut low, mut high): (usize, usize)) -> usize {
        while low < high {
            let middle = usize::midpoint(low, high);
            let end = self.sorted[middle];
            let upto = |p: &Vec<f64>| p.partition_point(|s| s.total_cmp(&end).is_le());
            let drawn = self.processes.iter().zip(draws).filter(|(_, drawn)| **drawn > 0);
            if drawn.map(|(p, drawn)| upto(p) * drawn).sum::<usize>() > before {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }
}

fn middle(sorted: &[f64]) -> Option<f64> {
    let count = sorted.len();
    Some(f64::midpoint(*sorted.get(count.checked_sub(1)? / 2)?, *sorted.get(count / 2)?))
}
