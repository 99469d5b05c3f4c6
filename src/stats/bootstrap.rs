/// How often a median is drawn.
const RESAMPLES: usize = 1000;

/// So many samples are drawn from, at most, all processes together: a resample then costs some microseconds. Thinning
/// can only make an interval wider.
const DRAWN_SAMPLES: usize = 2048;

/// The 95 % interval of the median of `processes`, none of which is empty.
pub(super) fn interval(processes: &[&[f64]], seed: u64) -> (f64, f64) {
    let cap = (DRAWN_SAMPLES / processes.len().max(1)).max(1);
    let pool = Pool::new(&processes.iter().map(|p| thin(p, cap)).collect::<Vec<_>>());
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut counts = vec![0; pool.sorted.len()];
    let mut medians: Vec<f64> = (0..RESAMPLES).map(|_| pool.resampled_median(&mut rng, &mut counts)).collect();
    medians.sort_unstable_by(f64::total_cmp);
    let tail = RESAMPLES / 40;
    (medians[tail], medians[RESAMPLES - 1 - tail])
}

/// `cap` samples, evenly from the whole of `samples`, so that a drift stays in.
fn thin(samples: &[f64], cap: usize) -> Vec<f64> {
    let kept = samples.len().min(cap);
    (0..kept).map(|i| samples[i * samples.len() / kept]).collect()
}

/// All samples in order, and for each process where its samples stand in it. Sorting once and counting draws is
/// several times quicker than selecting the median of every resample.
struct Pool {
    sorted: Vec<f64>,
    ranks: Vec<Vec<u32>>,
}

impl Pool {
    fn new(processes: &[Vec<f64>]) -> Self {
        let each = |(p, samples): (usize, &Vec<f64>)| samples.iter().map(|s| (*s, p)).collect::<Vec<_>>();
        let mut pairs: Vec<(f64, usize)> = processes.iter().enumerate().flat_map(each).collect();
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut ranks = vec![Vec::new(); processes.len()];
        for (rank, (_, process)) in (0..).zip(&pairs) {
            ranks[*process].push(rank);
        }
        Pool { sorted: pairs.into_iter().map(|(sample, _)| sample).collect(), ranks }
    }

    /// The median of as many processes as there are, drawn with replacement, each with as many samples as it has, drawn
    /// with replacement.
    fn resampled_median(&self, rng: &mut fastrand::Rng, counts: &mut [u32]) -> f64 {
        counts.fill(0);
        let mut total = 0;
        for _ in 0..self.ranks.len() {
            let ranks = &self.ranks[rng.usize(..self.ranks.len())];
            for _ in 0..ranks.len() {
                counts[ranks[rng.usize(..ranks.len())] as usize] += 1;
            }
            total += ranks.len() as u32;
        }
        let (lower, upper) = (self.drawn(counts, (total - 1) / 2), self.drawn(counts, total / 2));
        f64::midpoint(lower, upper)
    }

    /// The drawn sample with `before` drawn samples before it.
    fn drawn(&self, counts: &[u32], before: u32) -> f64 {
        let mut seen = 0;
        let past = |(_, count): &(usize, &u32)| {
            seen += **count;
            seen > before
        };
        counts.iter().enumerate().find(past).map_or(f64::NAN, |(rank, _)| self.sorted[rank])
    }
}
