//! The samples behind rows.

use crate::record::{Cell, Record, Run};
use isobar_core::measure::Samples;
use std::collections::BTreeMap;

/// A run's records by their cells.
pub(super) struct Index<'a> {
    cells: BTreeMap<&'a Cell, Vec<&'a Record>>,
}

impl<'a> Index<'a> {
    pub(super) fn of(run: &'a Run) -> Self {
        let mut cells: BTreeMap<&Cell, Vec<&Record>> = BTreeMap::new();
        for record in &run.records {
            cells.entry(&record.cell).or_default().push(record);
        }
        cells.values_mut().for_each(|records| records.sort_by_key(|record| record.round));
        Index { cells }
    }

    /// What `of` finds in the samples of each process of a cell, by round.
    pub(super) fn processes(&self, cell: &Cell, of: impl Fn(&Samples) -> Vec<f64>) -> Vec<Vec<f64>> {
        let records = self.cells.get(cell).into_iter().flatten();
        records.filter_map(|record| Some(of(&record.result.as_ref().ok()?.samples))).collect()
    }

    /// The number of every sample of a cell, sorted.
    pub(super) fn sorted(&self, cell: &Cell) -> Vec<f64> {
        let mut all = self.processes(cell, |samples| cell.scenario.values(samples)).concat();
        all.sort_unstable_by(f64::total_cmp);
        all
    }
}
