//! What is measured next, and when a cell is done: functions of a run's header and records and of nothing else. A run
//! that was cut off therefore goes on as if nothing had been.

use crate::record::{Cell, Header, Record};
use crate::stats::{self, Summary};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// A cell that failed in so many processes is not tried again.
const FAILURES: usize = 2;

/// Why a cell is not measured in more processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CellStop {
    /// Its interval is as narrow as the schedule asks for.
    Precision,
    /// It was measured in as many processes as the schedule allows; its interval is wider than the schedule asks for.
    Processes,
    /// The cell's time was used up before its interval was narrow enough, or the whole run's left none for another round.
    Time,
    /// It failed, twice or at least once in as many processes as every cell gets.
    Failed,
    /// It is not done: the run was cut off. `isobar resume` goes on with it.
    CutOff,
}

/// A round: the cells that it visits, in its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Round {
    /// Which, from 0.
    pub number: u32,
    /// The positions of its cells in the header's.
    pub cells: Vec<usize>,
}

impl Round {
    /// The round that a run with these records is in: some of its cells may have been measured. `None` when no cell needs
    /// another one.
    pub fn current(header: &Header, records: &[Record]) -> Option<Round> {
        let all: Vec<usize> = (0..header.cells.len()).collect();
        Round::among(header, &records.iter().collect::<Vec<_>>(), &all)
    }

    /// The round after this one, all of whose cells were measured. A cell that this one did not visit needs no more, for
    /// nothing about it has changed.
    pub fn next(&self, header: &Header, records: &[Record]) -> Option<Round> {
        Round::of(header, &records.iter().collect::<Vec<_>>(), self.number + 1, &self.cells)
    }

    /// Its cells that are not measured yet.
    pub fn left(&self, header: &Header, records: &[Record]) -> Vec<usize> {
        self.left_by(header, records.iter())
    }

    fn left_by<'a>(&self, header: &Header, records: impl Iterator<Item = &'a Record>) -> Vec<usize> {
        let own = records.filter(|record| record.round == self.number);
        let measured: HashSet<&Cell> = own.map(|record| &record.cell).collect();
        self.cells.iter().copied().filter(|at| !measured.contains(&header.cells[*at])).collect()
    }

    fn among(header: &Header, records: &[&Record], cells: &[usize]) -> Option<Round> {
        let number = records.iter().map(|record| record.round).max().unwrap_or(0);
        let round = Round::of(header, records, number, cells)?;
        if !round.left_by(header, records.iter().copied()).is_empty() {
            return Some(round);
        }
        Round::of(header, records, number + 1, &round.cells)
    }

    fn of(header: &Header, records: &[&Record], number: u32, candidates: &[usize]) -> Option<Round> {
        let before: Vec<&Record> = records.iter().copied().filter(|record| record.round < number).collect();
        let by_cell = by_cell(&before);
        let needed = |at: &usize| {
            let cell = &header.cells[*at];
            let records = by_cell.get(cell).map_or(&[][..], Vec::as_slice);
            done(header, cell, records).is_none()
        };
        let needed: HashSet<usize> = candidates.iter().copied().filter(needed).collect();
        // All cells are shuffled, so that the order of two of them does not depend on which others go on.
        let mut cells = order(header.cells.len(), header.seed, number);
        cells.retain(|at| needed.contains(at));
        if cells.is_empty() || is_too_long(header, &before, cells.len()) { None } else { Some(Round { number, cells }) }
    }
}

/// Why each cell of a run was not measured further. What several machines measured counts as several runs.
pub fn stops(header: &Header, records: &[Record]) -> BTreeMap<Cell, CellStop> {
    let mut stops: BTreeMap<Cell, CellStop> =
        header.cells.iter().map(|cell| (cell.clone(), CellStop::CutOff)).collect();
    let machines: BTreeSet<u32> = records.iter().map(|record| record.machine).collect();
    for machine in machines {
        let own: Vec<&Record> = records.iter().filter(|record| record.machine == machine).collect();
        let by_cell = by_cell(&own);
        let cells: Vec<usize> = (0..header.cells.len()).filter(|at| by_cell.contains_key(&header.cells[*at])).collect();
        // A run that has ended had no more time for cells that are not done.
        let unfinished = Round::among(header, &own, &cells).map_or(CellStop::Time, |_| CellStop::CutOff);
        for cell in cells.iter().map(|at| &header.cells[*at]) {
            stops.insert(cell.clone(), done(header, cell, &by_cell[cell]).unwrap_or(unfinished));
        }
    }
    stops
}

/// Why a cell with these records needs no more, if so.
fn done(header: &Header, cell: &Cell, records: &[&Record]) -> Option<CellStop> {
    let schedule = &header.schedule;
    let failures = records.iter().filter(|record| record.result.is_err()).count();
    let processes = records.len() as u64;
    let spent_ns: u64 = records.iter().map(|record| record.elapsed_ns).sum();
    let most = cell.scenario.scenario().max_processes().unwrap_or(u32::MAX);
    if failures >= FAILURES {
        Some(CellStop::Failed)
    } else if processes < u64::from(schedule.min_processes.min(most)) {
        None
    } else if failures > 0 {
        Some(CellStop::Failed)
    } else if is_precise(header, cell, records) {
        Some(CellStop::Precision)
    } else if processes >= u64::from(schedule.max_processes.min(most)) {
        Some(CellStop::Processes)
    } else if schedule.cell_time_ns.is_some_and(|limit| spent_ns >= limit) {
        Some(CellStop::Time)
    } else {
        None
    }
}

fn is_precise(header: &Header, cell: &Cell, records: &[&Record]) -> bool {
    if header.schedule.precision <= 0.0 {
        return false;
    }
    let measured = records.iter().filter_map(|record| record.result.as_ref().ok());
    let processes: Vec<Vec<f64>> = measured.map(|m| cell.scenario.values(&m.samples)).collect();
    let summary = Summary::of(&processes, stats::seed(header.seed, &cell.to_string()));
    summary.is_some_and(|summary| summary.relative_half_width() <= header.schedule.precision)
}

/// Whether a round of so many cells would end after the run's time, if they take as long as those before it.
fn is_too_long(header: &Header, before: &[&Record], cells: usize) -> bool {
    let spent_ns: u64 = before.iter().map(|record| record.elapsed_ns).sum();
    let round_ns = spent_ns.checked_div(before.len() as u64).unwrap_or(0).saturating_mul(cells as u64);
    // The first round takes what it takes.
    let limited = header.schedule.total_time_ns.filter(|_| !before.is_empty());
    limited.is_some_and(|limit| spent_ns.saturating_add(round_ns) > limit)
}

/// The records of each cell, in the order of the rounds.
fn by_cell<'a>(records: &[&'a Record]) -> HashMap<&'a Cell, Vec<&'a Record>> {
    let mut by_cell: HashMap<&Cell, Vec<&Record>> = HashMap::new();
    for record in records {
        by_cell.entry(&record.cell).or_default().push(record);
    }
    for records in by_cell.values_mut() {
        records.sort_by_key(|record| record.round);
    }
    by_cell
}

/// The order of a round: shuffled, so that a drift of the machine hits every cell alike, and the same for the same seed.
fn order(cells: usize, seed: u64, round: u32) -> Vec<usize> {
    let mut order: Vec<usize> = (0..cells).collect();
    fastrand::Rng::with_seed(seed.wrapping_add(u64::from(round))).shuffle(&mut order);
    order
}
