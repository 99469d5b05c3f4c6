use super::*;
use crate::experiment::{keep, split};
use crate::report::synthetic;
use proptest::prelude::*;
use std::collections::HashSet;

/// A run and its shards, each measured on a machine of its own.
fn sharded(of: u32) -> (Run, Vec<(String, Run)>) {
    let whole = synthetic::run(4, 3, 2, 2, true);
    let shard = |index| {
        let mut run = whole.clone();
        let shard = Shard { index, of };
        keep(shard, &mut run.header).unwrap();
        run.header.started_at_s += u64::from(of - index);
        run.header.machines[0].boot = Some(format!("boot {index}"));
        let own: HashSet<&Cell> = run.header.cells.iter().collect();
        run.records.retain(|record| own.contains(&record.cell));
        (format!("shard-{index}"), run)
    };
    let shards = (1..=of).map(shard).collect();
    (whole, shards)
}

fn lines(run: &Run) -> Vec<String> {
    let mut lines: Vec<String> = run.records.iter().map(|record| serde_json::to_string(record).unwrap()).collect();
    lines.sort();
    lines
}

proptest! {
    #[test]
    fn shards_in_any_order_are_the_whole((of, order) in (1..8_u32).prop_flat_map(|of| {
        (Just(of), Just((0..of as usize).collect::<Vec<_>>()).prop_shuffle())
    })) {
        let (whole, shards) = sharded(of);
        let merged = merge(order.iter().map(|at| shards[*at].clone()).collect()).unwrap();
        prop_assert_eq!(&merged, &merge(shards).unwrap(), "the order does not matter");
        prop_assert_eq!(&merged.header.cells, &whole.header.cells);
        prop_assert_eq!(merged.header.machines.len(), of as usize);
        prop_assert_eq!(merged.header.started_at_s, whole.header.started_at_s);
        prop_assert!(merged.header.elsewhere.is_empty() && merged.header.warnings.is_empty());
        let machine = |record: &Record| merged.header.machines[record.machine as usize].boot.clone().unwrap();
        let owner = |record: &Record| {
            let shard = (1..=of).find(|index| split(&whole.header.cells, Shard { index: *index, of }).0.contains(&record.cell));
            format!("boot {}", shard.unwrap())
        };
        prop_assert!(merged.records.iter().all(|record| machine(record) == owner(record)));
        let mut one_machine = merged.clone();
        one_machine.records.iter_mut().for_each(|record| record.machine = 0);
        prop_assert_eq!(lines(&one_machine), lines(&whole));
    }
}

#[test]
fn machines_that_are_the_same_are_one() {
    let (whole, mut shards) = sharded(3);
    for (_, run) in &mut shards {
        run.header.machines = whole.header.machines.clone();
    }
    let merged = merge(shards).unwrap();
    assert_eq!(merged.header.machines, whole.header.machines);
    assert_eq!(lines(&merged), lines(&whole));
}

#[test]
fn missing_shards_are_named_and_can_be_merged_later() {
    let (_, shards) = sharded(4);
    let merged = merge(shards.clone()).unwrap();
    let part = merge(vec![shards[3].clone(), shards[0].clone()]).unwrap();
    assert_eq!(part.header.cells.len() + part.header.elsewhere.len(), merged.header.cells.len());
    assert_eq!(part.header.warnings, ["incomplete: it lacks shard 2/4, 3/4: measure what is missing and merge again"]);
    let rest = vec![shards[2].clone(), ("part".to_owned(), part), shards[1].clone()];
    let completed = merge(rest).unwrap();
    assert_eq!(lines_by_machine(&completed), lines_by_machine(&merged));
    assert_eq!(completed.header.cells, merged.header.cells);
    assert!(completed.header.warnings.is_empty() && completed.header.missing().is_empty());
}

fn lines_by_machine(run: &Run) -> Vec<(Option<String>, String)> {
    let line = |record: &Record| {
        let boot = run.header.machines[record.machine as usize].boot.clone();
        (boot, serde_json::to_string(&Record { machine: 0, ..record.clone() }).unwrap())
    };
    let mut lines: Vec<_> = run.records.iter().map(line).collect();
    lines.sort();
    lines
}

#[test]
fn warnings_say_which_shard_they_are_about() {
    let (_, mut shards) = sharded(2);
    shards[1].1.header.warnings.push("the machine was busy".to_owned());
    let merged = merge(shards).unwrap();
    assert_eq!(merged.header.warnings, ["shard 2/2: the machine was busy"]);
}

/// What merging the first two of three shards says when the second was changed.
fn refusal(change: impl FnOnce(&mut Run)) -> String {
    let (_, mut shards) = sharded(3);
    change(&mut shards[1].1);
    shards.truncate(2);
    let text = merge(shards).unwrap_err().to_string();
    assert_eq!(text.lines().count(), 1);
    text
}

/// What is changed in a run, and what merging says of it.
type Case = (fn(&mut Run), &'static str);

#[test]
fn mixed_plans_are_refused_and_the_difference_is_named() {
    let cases: [Case; 11] = [
        (|run| run.header.isobar = "9.9.9".into(), "isobar 0.1.0 and 9.9.9"),
        (|run| run.header.seed = 7, "seed 42 and 7"),
        (|run| run.header.quick = true, "one of them is quick"),
        (|run| run.header.schedule.min_processes += 1, "the schedule"),
        (|run| run.header.pinned = true, "bound to processors"),
        (|run| run.header.functions[1].module_sha256.push('0'), "the module of rust/fibonacci"),
        (|run| drop(run.header.functions.pop()), "rust/blake3 is in one of them only"),
        (|run| run.header.runtimes[0].version.push('9'), "wasmtime/cranelift 1.2.3 and 1.2.39"),
        (
            |run| drop(run.header.runtimes[0].settings.insert("x".into(), "y".into())),
            "the settings of wasmtime/cranelift",
        ),
        (|run| drop(run.header.runtimes.remove(0)), "wasmtime/cranelift is in one of them only"),
        (|run| run.header.plan_sha256 = "other".into(), "plan 5c5c"),
    ];
    for (change, said) in cases {
        let text = refusal(change);
        assert!(text.starts_with("shard-1 and shard-2 are not of one plan: ") && text.contains(said), "{text}");
    }
    let text = refusal(|run| drop(run.header.elsewhere.pop()));
    assert!(text.contains("is in one of them only (have the machines the same number of cores?)"), "{text}");
    let text = refusal(|run| run.header.shard = Some(Shard { index: 2, of: 4 }));
    assert!(text.contains("one of 3 shards and one of 4"), "{text}");
}

#[test]
fn what_was_measured_twice_is_refused() {
    let (whole, shards) = sharded(2);
    let twice = vec![shards[0].clone(), ("again".to_owned(), shards[0].1.clone())];
    assert_eq!(
        merge(twice).unwrap_err().to_string(),
        "again and shard-1 both measured shard 1/2; leave one of them out"
    );
    let both = vec![shards[0].clone(), ("whole".to_owned(), whole)];
    let text = merge(both).unwrap_err().to_string();
    assert!(text.starts_with("whole and shard-1 both measured ") && text.contains(" in round 0;"), "{text}");
    assert_eq!(merge(vec![]), Err(MergeError::Nothing));
}

#[test]
fn a_merged_run_is_stored_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let (_, shards) = sharded(2);
    let merged = merge(shards).unwrap();
    let into = folder.path().join("below/merged");
    store(&merged, &into).unwrap();
    assert_eq!(Run::read(&into).unwrap(), merged);
    let error = store(&merged, &into).unwrap_err();
    assert!(error.to_string().contains("not empty"), "{error}");
    assert_eq!(std::fs::read_dir(folder.path().join("below")).unwrap().count(), 1, "nothing else is left");
}
