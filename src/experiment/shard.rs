//! Parts of a plan, for several machines.

use crate::record::{Cell, Header, Shard};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// The cells of a plan that a shard measures, and the others, both in the plan's order.
///
/// All runtimes of one function in one scenario, whatever its number of threads, belong to one shard: what is compared is
/// measured on one machine. The shards of a plan are disjoint, and together they are the plan. They depend on its cells
/// alone, not on their order or on the seed; the groups go, largest first, each to the shard with the fewest cells so far.
pub fn split(cells: &[Cell], shard: Shard) -> (Vec<Cell>, Vec<Cell>) {
    let owners = owners(cells, shard.of);
    cells.iter().cloned().partition(|cell| owners[&group(cell)] == shard.index)
}

/// A shard that nothing is left for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "shard {shard} has nothing to measure: the plan has {groups} pairs of function and scenario; cut it into {groups} shards at most"
)]
pub struct EmptyShard {
    shard: Shard,
    groups: usize,
}

/// Makes of the header of a whole plan the one of a shard.
///
/// # Errors
/// There are more shards than there is to measure, and this one would be empty.
pub fn keep(shard: Shard, header: &mut Header) -> Result<(), EmptyShard> {
    let groups = owners(&header.cells, 1).len();
    (header.cells, header.elsewhere) = split(&header.cells, shard);
    header.shard = Some(shard);
    if header.cells.is_empty() { Err(EmptyShard { shard, groups }) } else { Ok(()) }
}

type Group<'a> = (&'a str, &'static str);

fn group(cell: &Cell) -> Group<'_> {
    (cell.function.as_str(), cell.scenario.name())
}

/// The shard of each group, from 1.
fn owners(cells: &[Cell], of: u32) -> BTreeMap<Group<'_>, u32> {
    let mut sizes: BTreeMap<Group, usize> = BTreeMap::new();
    for cell in cells {
        *sizes.entry(group(cell)).or_default() += 1;
    }
    let mut groups: Vec<(Group, usize)> = sizes.into_iter().collect();
    groups.sort_by_key(|(group, size)| (Reverse(*size), *group));
    let mut owners: BTreeMap<Group, u32> = BTreeMap::new();
    let mut loads = vec![0; of.max(1) as usize];
    for (group, size) in groups {
        // Of equal loads, the one that has least of this function, then of this scenario: none gets all of a slow one.
        let alike = |index: u32, same: fn(&Group, &Group) -> bool| {
            owners.iter().filter(|(other, owner)| **owner == index && same(other, &group)).count()
        };
        let least = (1..).zip(&loads).min_by_key(|(index, load)| {
            (**load, alike(*index, |a, b| a.0 == b.0), alike(*index, |a, b| a.1 == b.1), *index)
        });
        if let Some((index, _)) = least {
            loads[index as usize - 1] += size;
            owners.insert(group, index);
        }
    }
    owners
}

#[cfg(test)]
mod tests {
    use super::*;
    use isobar_core::measure::ScenarioId;
    use proptest::prelude::*;

    fn plan(runtimes: usize, functions: usize, cores: u32, dropped: &[prop::sample::Index]) -> Vec<Cell> {
        let cell = |runtime: usize, function: usize, scenario: ScenarioId| Cell {
            runtime: format!("mine/r{runtime}").parse().unwrap(),
            function: format!("rust/f{function}"),
            scenario,
        };
        let mut cells = Vec::new();
        for runtime in 0..runtimes {
            for function in 0..functions {
                let by_default = ScenarioId::all(cores).into_iter().filter(|id| id.scenario().opt_in() != Some("http"));
                cells.extend(by_default.map(|scenario| cell(runtime, function, scenario)));
            }
        }
        for index in dropped {
            if cells.len() > 1 {
                cells.remove(index.index(cells.len()));
            }
        }
        cells
    }

    proptest! {
        #[test]
        fn shards_are_the_plan_and_what_is_compared_stays_together(
            (runtimes, functions, cores, of) in (1..6_usize, 1..6_usize, 1..5_u32, 1..12_u32),
            dropped in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
            rotated in any::<prop::sample::Index>(),
        ) {
            let cells = plan(runtimes, functions, cores, &dropped);
            let shards: Vec<Vec<Cell>> = (1..=of).map(|index| split(&cells, Shard { index, of }).0).collect();
            let mut union: Vec<Cell> = shards.concat();
            union.sort();
            let mut sorted = cells.clone();
            sorted.sort();
            prop_assert_eq!(&union, &sorted, "every cell is in one shard");
            for (at, shard) in shards.iter().enumerate() {
                for other in &shards[at + 1..] {
                    prop_assert!(shard.iter().all(|a| other.iter().all(|b| group(a) != group(b))));
                }
            }
            let filled = shards.iter().filter(|shard| !shard.is_empty()).count();
            prop_assert_eq!(filled, owners(&cells, 1).len().min(of as usize), "no shard is empty while another has two groups");

            let mut turned = cells.clone();
            turned.rotate_left(rotated.index(cells.len()));
            for (at, shard) in (1..).zip(&shards) {
                let (mut again, rest) = split(&turned, Shard { index: at, of });
                again.sort();
                let mut shard = shard.clone();
                shard.sort();
                prop_assert_eq!(again.len() + rest.len(), cells.len());
                prop_assert_eq!(again, shard, "the order of the plan does not matter");
            }
        }

        #[test]
        fn the_loads_differ_by_at_most_the_largest_group(
            (runtimes, functions, of) in (1..6_usize, 1..6_usize, 1..12_u32),
        ) {
            let cells = plan(runtimes, functions, 2, &[]);
            let loads: Vec<usize> = (1..=of).map(|index| split(&cells, Shard { index, of }).0.len()).collect();
            let largest = 2 * runtimes;
            prop_assert!(loads.iter().max().unwrap() - loads.iter().min().unwrap() <= largest, "{:?}", loads);
        }
    }

    /// A change of the partition makes shards of different versions of isobar miss or repeat cells: `isobar merge` would
    /// refuse them, but only after they were measured.
    #[test]
    fn the_partition_is_what_it_was() {
        let cells = plan(1, 3, 1, &[]);
        let shard = |index| {
            let own = split(&cells, Shard { index, of: 3 }).0;
            own.iter().map(|c| format!("{} {}", &c.function[5..], c.scenario)).collect::<Vec<_>>().join(", ")
        };
        insta::assert_snapshot!([1, 2, 3].map(shard).join("\n"));
    }
}
