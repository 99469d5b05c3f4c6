use crate::stats::{Ratio, Share, Summary, Verdict, median, seed};

/// Which of the two cells that are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The one.
    A,
    /// The other.
    B,
}

/// The samples of one process, which belongs to one side of a pair.
#[derive(Clone, Debug, PartialEq)]
pub struct Process {
    /// Which pair.
    pub pair: usize,
    /// Which side.
    pub side: Side,
    /// The samples.
    pub samples: Vec<f64>,
}

/// What the same cell, measured as if it were two, shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Aa {
    /// How many of the pairs the comparison calls different. Every process is in one pair only, so the pairs are as
    /// independent as two runs are.
    pub called: Share,
    /// The share of random splits of all processes that the comparison calls different, each split with as many processes
    /// as a pair. It is better known than that of the pairs, but splits share processes and know nothing of the order in
    /// which they were measured: it has no interval, and nothing is concluded from it.
    pub called_of_splits: f64,
    /// How many splits there were.
    pub splits: usize,
    /// The median of all samples.
    pub median: f64,
    /// Half the width of a cell's interval, as a share of its median: the median of all cells, a pair having two.
    pub half_width: f64,
    /// The last third of the processes to the first third: how many times longer.
    pub drift: Option<Ratio>,
    /// How many processes were measured.
    pub processes: usize,
    /// How many of them make a cell.
    pub per_cell: usize,
}

impl Aa {
    /// Looks at whole pairs, in the order in which they were measured. `None` if there are none.
    pub fn of(processes: &[Process], splits: usize, seed: u64) -> Option<Aa> {
        let pairs: Vec<[Vec<Vec<f64>>; 2]> = processes
            .chunk_by(|a, b| a.pair == b.pair)
            .map(|of_pair| [Side::A, Side::B].map(|s| cell(of_pair, s)))
            .collect();
        let per_cell = pairs.first()?[0].len();
        let called = pairs.iter().zip(0..).filter(|([a, b], at)| differ(a, b, seed ^ at)).count() as u64;
        let half_width = |samples: &Vec<Vec<f64>>| Some(Summary::of(samples, seed)?.relative_half_width());
        let mut half_widths: Vec<f64> = pairs.iter().flatten().filter_map(half_width).collect();
        let all: Vec<&Vec<f64>> = processes.iter().map(|process| &process.samples).collect();
        Some(Aa {
            called: Share::of(called, pairs.len() as u64)?,
            called_of_splits: of_splits(&all, per_cell, splits, seed),
            splits,
            median: median(&mut all.iter().copied().flatten().copied().collect::<Vec<f64>>())?,
            half_width: median(&mut half_widths)?,
            drift: drift(&all, seed),
            processes: processes.len(),
            per_cell,
        })
    }
}

fn cell(of_pair: &[Process], side: Side) -> Vec<Vec<f64>> {
    of_pair.iter().filter(|process| process.side == side).map(|process| process.samples.clone()).collect()
}

fn differ(a: &[Vec<f64>], b: &[Vec<f64>], seed: u64) -> bool {
    Ratio::of(a, b, seed).is_some_and(|ratio| ratio.verdict() != Verdict::NoDifference)
}

fn of_splits(all: &[&Vec<f64>], per_cell: usize, splits: usize, run_seed: u64) -> f64 {
    let mut rng = fastrand::Rng::with_seed(seed(run_seed, "splits"));
    let mut order: Vec<usize> = (0..all.len()).collect();
    let mut differs = || {
        rng.shuffle(&mut order);
        let side = |from: usize| order[from..from + per_cell].iter().map(|at| all[*at].clone()).collect::<Vec<_>>();
        differ(&side(0), &side(per_cell), rng.u64(..))
    };
    (0..splits).filter(|_| differs()).count() as f64 / splits.max(1) as f64
}

/// The last third to the first third, each process with its median only.
fn drift(all: &[&Vec<f64>], seed: u64) -> Option<Ratio> {
    let medians: Vec<Vec<f64>> = all.iter().filter_map(|samples| Some(vec![median(&mut samples.to_vec())?])).collect();
    let third = medians.len() / 3;
    Ratio::of(&medians[medians.len() - third..], &medians[..third], seed)
}
