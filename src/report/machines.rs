//! Numbers of different machines are never compared: what was measured on another machine is another function.

use super::units;
use crate::record::{Cell, Function, Machine, Run, Shard};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A run of several machines with every function named by its machine, `rust/hello (machine 2)`, so that whatever
/// compares, ranks or draws runtimes by function keeps the machines apart. A run of one machine is as it was.
pub fn machines_apart(run: &Run) -> Cow<'_, Run> {
    let named = |function: &str| function.contains(MACHINE);
    if run.header.machines.len() < 2 || run.header.functions.iter().any(|function| named(&function.name)) {
        return Cow::Borrowed(run);
    }
    let mut run = run.clone();
    let mut machines: BTreeMap<_, Vec<u32>> = BTreeMap::new();
    let mut functions: BTreeMap<_, Vec<u32>> = BTreeMap::new();
    for record in &run.records {
        let of_cell = machines.entry(record.cell.clone()).or_default();
        let of_function = functions.entry(record.cell.function.clone()).or_default();
        for of in [of_cell, of_function].into_iter().filter(|of| !of.contains(&record.machine)) {
            of.push(record.machine);
        }
    }
    functions.values_mut().chain(machines.values_mut()).for_each(|of| of.sort_unstable());
    // What was not measured on any machine keeps its name.
    let cells = run.header.cells.into_iter().flat_map(|cell| {
        let of = machines.get(&cell).cloned().unwrap_or_default();
        let apart =
            of.iter().map(|at| Cell { function: name(&cell.function, *at), ..cell.clone() }).collect::<Vec<_>>();
        if apart.is_empty() { vec![cell] } else { apart }
    });
    run.header.cells = cells.collect();
    let functions = run.header.functions.into_iter().flat_map(|function| {
        let of = functions.get(&function.name).cloned().unwrap_or_default();
        let apart = |at: &u32| Function {
            name: name(&function.name, *at),
            family: function.family.as_ref().map(|family| name(family, *at)),
            ..function.clone()
        };
        let apart: Vec<Function> = of.iter().map(apart).collect();
        if apart.is_empty() { vec![function] } else { apart }
    });
    run.header.functions = functions.collect();
    for record in &mut run.records {
        record.cell.function = name(&record.cell.function, record.machine);
    }
    Cow::Owned(run)
}

/// No function's own name has a blank.
const MACHINE: &str = " (machine ";

fn name(function: &str, machine: u32) -> String {
    format!("{function}{MACHINE}{})", machine + 1)
}

/// A machine and its system, in words.
pub(super) fn words(machine: &Machine) -> [String; 2] {
    let kind =
        if machine.virtual_machine { "virtual machine" } else { "not a virtual machine, as far as the processor says" };
    let cores = units::count(machine.cores as usize, "core");
    let hardware = format!("{}, {cores}, {}, {kind}", machine.cpu, units::bytes(machine.memory_bytes));
    [hardware, format!("{}, Linux {}, {}", machine.os, machine.kernel, machine.architecture)]
}

/// The facts about a run's machines but the first.
pub(super) fn others(run: &Run) -> impl Iterator<Item = (String, String)> {
    let fact = |(number, machine): (usize, &Machine)| (format!("Machine {number}"), words(machine).join("; "));
    (1..).zip(&run.header.machines).skip(1).map(fact)
}

/// The facts about a run that is a part of a plan, or was made of parts.
pub(super) fn part(run: &Run) -> Vec<(String, String)> {
    let (header, list) =
        (&run.header, |shards: &[Shard]| shards.iter().map(Shard::to_string).collect::<Vec<_>>().join(", "));
    let rest = units::count(header.elsewhere.len(), "cell");
    let mut facts = Vec::new();
    if let Some(shard) = header.shard {
        facts.push(("Shard".to_owned(), format!("{shard}; other shards measure {rest}")));
    }
    if !header.merged.is_empty() {
        facts.push(("Merged".to_owned(), format!("from the shards {}", list(&header.merged))));
    }
    let missing = header.missing();
    if !missing.is_empty() {
        let text = format!("the shards {} are missing, with {rest} of the plan", list(&missing));
        facts.push(("Incomplete".to_owned(), text));
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Row, html, markdown, rows, synthetic};
    use isobar_core::measure::ScenarioId;

    /// Two machines: the second one measured the warm cells and all of the second function.
    fn two_machines() -> Run {
        let mut run = synthetic::run(3, 2, 2, 2, false);
        run.header.machines.push(Machine { cpu: "Another CPU".into(), ..run.header.machines[0].clone() });
        for record in &mut run.records {
            record.machine = u32::from(record.cell.scenario.name() == "warm" || record.cell.function != "rust/hello");
        }
        run
    }

    #[test]
    fn machines_are_never_in_one_group() {
        let run = two_machines();
        let rows = rows(&run);
        assert_eq!(rows, crate::report::rows(&machines_apart(&run)), "twice is once");
        assert_eq!(rows.len(), run.header.cells.len());
        let warm: ScenarioId = "warm".parse().unwrap();
        for group in crate::report::summary::groups(&rows) {
            let own = if group[0].cell.scenario == warm { " (machine 2)" } else { " (machine 1)" };
            assert!(group[0].cell.function.ends_with(own) || group[0].cell.function == "rust/fibonacci (machine 2)");
            assert_eq!(group[0].measured().unwrap().ratio, 1.0);
        }
        assert_eq!(
            crate::report::functions(&rows),
            ["rust/hello (machine 1)", "rust/hello (machine 2)", "rust/fibonacci (machine 2)"]
        );
    }

    /// As of runs that were merged by hand.
    #[test]
    fn a_cell_of_two_machines_is_two_rows() {
        let mut run = synthetic::run(1, 1, 1, 1, false);
        run.header.machines.push(run.header.machines[0].clone());
        let mut again = run.records.clone();
        again.iter_mut().for_each(|record| record.machine = 1);
        run.records.extend(again);
        let rows = rows(&run);
        assert_eq!(rows.len(), 2 * run.header.cells.len());
        assert!(rows.iter().filter_map(Row::measured).all(|measured| measured.summary.processes == 1));
    }

    #[test]
    fn reports_name_every_machine() {
        let run = two_machines();
        let apart = machines_apart(&run);
        let rows = rows(&apart);
        let (markdown, html) = (markdown(&apart, &rows), html(&apart, &rows).unwrap());
        for text in [markdown, html] {
            assert!(text.contains("Another CPU") && text.contains("rust/hello (machine 2)"), "{text}");
            assert!(!text.contains("Incomplete"), "{text}");
        }
    }

    #[test]
    fn one_machine_needs_no_number() {
        let run = synthetic::run(2, 2, 1, 1, false);
        assert!(matches!(machines_apart(&run), Cow::Borrowed(same) if *same == run));
    }

    #[test]
    fn what_is_missing_is_said() {
        let mut run = synthetic::run(2, 2, 1, 1, false);
        run.header.merged = vec![Shard { index: 1, of: 3 }];
        assert_eq!(part(&run), [("Merged".to_owned(), "from the shards 1/3".to_owned())]);
        run.header.elsewhere = run.header.cells.clone();
        let facts = part(&run);
        assert_eq!(facts[1].0, "Incomplete");
        assert!(facts[1].1.starts_with("the shards 2/3, 3/3 are missing, with "), "{facts:?}");
    }
}
