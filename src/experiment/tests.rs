use super::schedule::{CellStop, Round, stops};
use crate::record::{Cell, Header, Record, Schedule};
use crate::report::synthetic;
use isobar_core::Failure;
use isobar_core::measure::{MeasureError, Measurement, Samples, Stop, WarmUp};
use proptest::prelude::*;
use std::collections::BTreeMap;

const SCHEDULE: Schedule =
    Schedule { min_processes: 3, max_processes: 6, precision: 0.02, cell_time_ns: None, total_time_ns: None };

/// A plan of so many warm cells.
fn header(cells: usize, schedule: Schedule) -> Header {
    let mut header = synthetic::run(1, 1, 1, 1, false).header;
    let cell = Cell { scenario: "warm".parse().unwrap(), ..header.cells[0].clone() };
    header.cells = (0..cells).map(|n| Cell { function: format!("rust/f{n:03}"), ..cell.clone() }).collect();
    header.schedule = schedule;
    header
}

/// How a cell behaves whenever it is measured.
#[derive(Clone, Copy, Debug)]
enum Nature {
    /// Every process gives the same.
    Steady,
    /// Every process gives something else.
    Restless,
    Fails,
    /// Fails in this round only.
    FailsIn(u32),
    Silent,
}

fn record(cell: &Cell, round: u32, nature: Nature) -> Record {
    let ns = match nature {
        Nature::Restless => 1_000 + 400 * u64::from(round % 3),
        _ => 1_000,
    };
    let count = if matches!(nature, Nature::Silent) { 0 } else { 20 };
    let [a, b, c] = ["instantiate_ns", "execute_ns", "teardown_ns"].map(|name| (name, vec![ns; count]));
    let fails = match nature {
        Nature::Fails => true,
        Nature::FailsIn(fatal) => fatal == round,
        _ => false,
    };
    Record {
        cell: cell.clone(),
        round,
        machine: 0,
        elapsed_ns: 1_000_000,
        cpus: vec![],
        noise: None,
        histogram: None,
        artifact: None,
        load: None,
        result: if fails {
            Err(MeasureError::Failure(Failure::crashed("as told")))
        } else {
            let samples = Samples::of([a, b, c]);
            Ok(Measurement {
                samples,
                warm_up: WarmUp::NONE,
                stop: Stop::Samples,
                readings: [].into(),
                attempts: vec![],
            })
        },
    }
}

/// Measures until the schedule has enough, at most so many cells.
fn go_on(header: &Header, records: &mut Vec<Record>, natures: &[Nature], at_most: usize) {
    let mut round = Round::current(header, records);
    let mut measured = 0;
    while let Some(current) = round {
        for at in current.left(header, records) {
            if measured == at_most {
                return;
            }
            records.push(record(&header.cells[at], current.number, natures[at]));
            measured += 1;
        }
        round = current.next(header, records);
    }
}

fn whole(header: &Header, natures: &[Nature]) -> Vec<Record> {
    let mut records = Vec::new();
    go_on(header, &mut records, natures, usize::MAX);
    records
}

fn processes(records: &[Record]) -> BTreeMap<&Cell, usize> {
    let mut counts = BTreeMap::new();
    for record in records {
        *counts.entry(&record.cell).or_default() += 1;
    }
    counts
}

#[test]
fn cells_get_what_they_need_and_say_why_they_stopped() {
    use Nature::{Fails, FailsIn, Restless, Silent, Steady};
    let natures = [Steady, Restless, Fails, FailsIn(1), Silent];
    let header = header(natures.len(), SCHEDULE);
    let records = whole(&header, &natures);
    let (counts, stops) = (processes(&records), stops(&header, &records));
    let expected = [
        (3, CellStop::Precision),
        (6, CellStop::Processes),
        (2, CellStop::Failed),
        (3, CellStop::Failed),
        (6, CellStop::Processes),
    ];
    for (cell, expected) in header.cells.iter().zip(expected) {
        assert_eq!((counts[cell], stops[cell]), expected, "{cell}");
    }
}

#[test]
fn a_cell_stops_at_its_time_and_all_do_at_the_runs() {
    let schedule = Schedule { cell_time_ns: Some(4_000_000), ..SCHEDULE };
    let header_of = |schedule| header(2, schedule);
    let natures = [Nature::Restless, Nature::Steady];
    let header = header_of(schedule);
    let records = whole(&header, &natures);
    assert_eq!(processes(&records)[&header.cells[0]], 4);
    assert_eq!(stops(&header, &records)[&header.cells[0]], CellStop::Time);

    // Time for five measurements: two rounds of two.
    let header = header_of(Schedule { total_time_ns: Some(5_000_000), ..SCHEDULE });
    let records = whole(&header, &natures);
    assert_eq!(records.len(), 4);
    assert!(stops(&header, &records).values().all(|stop| *stop == CellStop::Time));
    assert!(stops(&header, &records[..3]).values().all(|stop| *stop == CellStop::CutOff), "that round has more to do");
}

#[test]
fn a_run_that_was_cut_off_says_so() {
    let header = header(3, SCHEDULE);
    let records = whole(&header, &[Nature::Steady; 3]);
    let stops = stops(&header, &records[..8]);
    let by = |wanted: CellStop| stops.values().filter(|stop| **stop == wanted).count();
    assert_eq!((by(CellStop::Precision), by(CellStop::CutOff)), (2, 1));
    assert!(super::stops(&header, &[]).values().all(|stop| *stop == CellStop::CutOff));
}

/// Two machines of a merged run: one was done early, the other went on.
#[test]
fn the_records_of_each_machine_are_a_run_of_their_own() {
    let header = header(2, SCHEDULE);
    let natures = [Nature::Steady, Nature::Restless];
    let mut records = whole(&header, &natures);
    for record in &mut records {
        record.machine = u32::from(record.cell == header.cells[1]);
    }
    let stops = stops(&header, &records);
    assert_eq!(stops.into_values().collect::<Vec<_>>(), [CellStop::Precision, CellStop::Processes]);
}

#[test]
fn a_round_visits_every_cell_once_in_an_order_of_its_seed() {
    let mut header = header(50, SCHEDULE);
    let first = Round::current(&header, &[]).unwrap();
    assert_eq!(first, Round::current(&header, &[]).unwrap());
    let records: Vec<Record> = first.cells.iter().map(|at| record(&header.cells[*at], 0, Nature::Restless)).collect();
    let next = first.next(&header, &records).unwrap();
    assert_eq!((first.number, next.number), (0, 1));
    assert_ne!(first.cells, next.cells);
    header.seed += 100;
    assert_ne!(first, Round::current(&header, &[]).unwrap());
    for mut cells in [first.cells, next.cells] {
        cells.sort_unstable();
        assert_eq!(cells, (0..50).collect::<Vec<_>>());
    }
}

fn nature() -> impl Strategy<Value = Nature> {
    prop_oneof![
        Just(Nature::Steady),
        Just(Nature::Restless),
        Just(Nature::Fails),
        (0..6_u32).prop_map(Nature::FailsIn),
        Just(Nature::Silent)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Cut off however often and wherever: the run measures the same cells in the same order as one that was not.
    #[test]
    fn going_on_is_as_if_nothing_had_been(
        natures in proptest::collection::vec(nature(), 1..8),
        cuts in proptest::collection::vec(0..20_usize, 0..8),
        total in proptest::option::of(1..40_u64),
    ) {
        let schedule = Schedule { total_time_ns: total.map(|ms| ms * 1_000_000), ..SCHEDULE };
        let header = header(natures.len(), schedule);
        let mut records = Vec::new();
        for cut in cuts {
            go_on(&header, &mut records, &natures, cut);
        }
        go_on(&header, &mut records, &natures, usize::MAX);
        prop_assert_eq!(&records, &whole(&header, &natures));
        prop_assert!(Round::current(&header, &records).is_none());
        prop_assert!(stops(&header, &records).values().all(|stop| *stop != CellStop::CutOff));
    }
}
