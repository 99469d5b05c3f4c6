use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What was measured: columns by their names, which end in their unit. The samples of a column are in the order in which
/// they were taken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Samples {
    columns: BTreeMap<String, Vec<u64>>,
}

impl Samples {
    /// These columns.
    pub fn of<const N: usize>(columns: [(&str, Vec<u64>); N]) -> Self {
        Samples { columns: columns.into_iter().map(|(name, samples)| (name.to_owned(), samples)).collect() }
    }

    /// A column; one that is not there has no samples.
    pub fn column(&self, name: &str) -> &[u64] {
        self.columns.get(name).map_or(&[], Vec::as_slice)
    }

    /// All columns, by name.
    pub fn columns(&self) -> impl Iterator<Item = (&str, &[u64])> {
        self.columns.iter().map(|(name, samples)| (name.as_str(), samples.as_slice()))
    }

    /// The sum of these columns, sample by sample.
    pub fn sums(&self, names: &[&str]) -> Vec<f64> {
        let columns: Vec<&[u64]> = names.iter().map(|name| self.column(name)).collect();
        let length = columns.iter().map(|column| column.len()).min().unwrap_or(0);
        (0..length).map(|at| columns.iter().map(|column| column[at] as f64).sum()).collect()
    }
}

/// Columns that a loop fills: room is made before it starts, for growing would show up as a slow sample.
pub(super) struct Columns<const N: usize> {
    names: [&'static str; N],
    columns: [Vec<u64>; N],
}

impl<const N: usize> Columns<N> {
    pub(super) fn new(names: [&'static str; N], room: u32) -> Self {
        // A budget without a bound on samples has one on time: no need to reserve for all that would be allowed.
        let room = room.min(1 << 16) as usize;
        Columns { names, columns: std::array::from_fn(|_| Vec::with_capacity(room)) }
    }

    /// Adds a sample and returns its sum.
    pub(super) fn push(&mut self, sample: [u64; N]) -> u64 {
        for (column, value) in self.columns.iter_mut().zip(sample) {
            column.push(value);
        }
        sample.iter().sum()
    }

    pub(super) fn finish(self) -> Samples {
        let columns = self.names.into_iter().map(str::to_owned).zip(self.columns);
        Samples { columns: columns.collect() }
    }
}
