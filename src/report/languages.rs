//! Languages beside each other: the same function in several languages, in every runtime.

use super::document::{Block, Entry, Table};
use super::summary::Row;
use super::{units, words};
use crate::chart;
use crate::record::{Function, Run};
use isobar_core::{Class, RuntimeId};
use std::collections::{BTreeMap, BTreeSet};

/// The scenarios in which the reports compare languages.
pub(crate) const SCENARIOS: [&str; 2] = ["cold", "warm"];

/// One family in one scenario: languages and runtimes.
pub(crate) struct Grid<'a> {
    /// The family's name.
    pub(crate) family: &'a str,
    /// What its functions do.
    pub(crate) description: String,
    /// In the run's order.
    pub(crate) runtimes: Vec<&'a RuntimeId>,
    /// The one with the best number first, those without any last.
    pub(crate) languages: Vec<Language<'a>>,
}

/// A language in a [`Grid`].
pub(crate) struct Language<'a> {
    /// Its name for people.
    pub(crate) name: &'a str,
    /// The size of its module, in bytes.
    pub(crate) module_bytes: u64,
    /// What became of it in each of the grid's runtimes, as far as that was tried.
    pub(crate) cells: Vec<Option<&'a Row>>,
}

impl Language<'_> {
    /// Its cells that have a number.
    pub(crate) fn measured(&self) -> impl Iterator<Item = (&Row, f64)> {
        self.cells.iter().flatten().filter_map(|row| Some((*row, row.measured()?.summary.median)))
    }
}

/// The grids of a scenario, one for each family of which the run has at least two languages.
pub(crate) fn grids<'a>(run: &'a Run, rows: &'a [Row], scenario: &str) -> Vec<Grid<'a>> {
    let rows: Vec<&Row> = rows.iter().filter(|row| row.cell.scenario.name() == scenario).collect();
    let families = families(run, |function| rows.iter().any(|row| row.cell.function == function.name));
    families.into_iter().map(|(family, functions)| grid(run, &rows, family, &functions)).collect()
}

/// The families of which at least two languages are among the functions that `holds` chooses, with those functions, in
/// the run's order.
fn families(run: &Run, holds: impl Fn(&Function) -> bool) -> Vec<(&str, Vec<&Function>)> {
    let mut families: Vec<(&str, Vec<&Function>)> = Vec::new();
    for function in run.header.functions.iter().filter(|function| function.language.is_some() && holds(function)) {
        let Some(family) = &function.family else { continue };
        match families.iter_mut().find(|(name, _)| name == family) {
            Some((_, functions)) => functions.push(function),
            None => families.push((family, vec![function])),
        }
    }
    families.retain(|(_, functions)| {
        functions.iter().filter_map(|f| f.language.as_ref()).collect::<BTreeSet<_>>().len() > 1
    });
    families
}

fn grid<'a>(run: &'a Run, rows: &[&'a Row], family: &'a str, functions: &[&'a Function]) -> Grid<'a> {
    let own: Vec<&Row> =
        rows.iter().filter(|row| functions.iter().any(|f| f.name == row.cell.function)).copied().collect();
    let tried = |id: &&RuntimeId| own.iter().any(|row| row.cell.runtime == **id);
    let runtimes: Vec<&RuntimeId> = run.header.runtimes.iter().map(|info| &info.id).filter(tried).collect();
    let language = |function: &&'a Function| {
        let of = |id: &&RuntimeId| {
            own.iter().find(|row| row.cell.runtime == **id && row.cell.function == function.name).copied()
        };
        let name = function.language.as_deref().unwrap_or(&function.name);
        Language { name, module_bytes: function.module_bytes, cells: runtimes.iter().map(of).collect() }
    };
    let mut languages: Vec<Language> = functions.iter().map(language).collect();
    let best = |language: &Language| {
        let cells = language.measured().map(|(row, value)| (row.quantity(), value));
        cells.min_by(|(quantity, a), (_, b)| quantity.better_first(*a, *b))
    };
    languages.sort_by(|a, b| match (best(a), best(b)) {
        (Some((quantity, a)), Some((_, b))) => quantity.better_first(a, b),
        (a, b) => b.is_some().cmp(&a.is_some()),
    });
    let size =
        functions.iter().find_map(|f| f.size.as_ref()).map_or_else(String::new, |size| format!(" (size {size})"));
    let description = functions.first().map_or("", |f| f.description.trim_end_matches('.'));
    Grid { family, description: format!("{description}{size}"), runtimes, languages }
}

/// Languages and runtimes over several families.
pub(crate) struct Means<'a> {
    /// The families that the means are over.
    pub(crate) families: Vec<&'a str>,
    /// The languages that lack one of them.
    pub(crate) left_out: Vec<&'a str>,
    /// The runtimes that were tried with all of them.
    pub(crate) runtimes: Vec<&'a RuntimeId>,
    /// The languages with their means in each runtime, the best first.
    pub(crate) languages: Vec<(&'a str, Vec<Mean>)>,
}

/// The geometric mean of how many times worse than the best the functions of a language are in a runtime.
pub(crate) enum Mean {
    /// A function was not measured.
    Missing,
    /// One failed: what happened, in a word.
    Failed(String),
    /// All have a number.
    Ratio(f64),
}

/// The means of a scenario over the families that most languages have: of those that most languages have, so many that
/// there are as many pairs of a family and a language that has all of them as possible. `None` where no two languages have
/// two families in common.
pub(crate) fn means<'a>(run: &'a Run, rows: &'a [Row], scenario: &str) -> Option<Means<'a>> {
    let mut grids = grids(run, rows, scenario);
    grids.sort_by_key(|grid| std::cmp::Reverse(grid.languages.len()));
    let names = |grid: &Grid<'a>| grid.languages.iter().map(|language| language.name).collect::<BTreeSet<&'a str>>();
    let common = |count: usize| {
        let all = grids[..count].iter().map(&names);
        all.reduce(|a, b| a.intersection(&b).copied().collect()).unwrap_or_default()
    };
    let counts = (2..=grids.len()).filter(|count| common(*count).len() > 1);
    let count = counts.max_by_key(|count| (common(*count).len() * count, *count))?;
    let kept = common(count);
    let left_out: BTreeSet<&str> = grids.iter().flat_map(&names).filter(|name| !kept.contains(name)).collect();
    grids.truncate(count);
    let tried = |id: &&RuntimeId| grids.iter().all(|grid| grid.runtimes.contains(id));
    let runtimes: Vec<&RuntimeId> = grids[0].runtimes.iter().copied().filter(tried).collect();
    let of = |name: &'a str| (name, runtimes.iter().map(|id| mean(&grids, &kept, name, id)).collect::<Vec<Mean>>());
    let mut languages: Vec<_> = kept.iter().map(|name| of(name)).collect();
    let best = |(_, means): &(&str, Vec<Mean>)| {
        let ratio = |mean: &Mean| if let Mean::Ratio(ratio) = mean { *ratio } else { f64::INFINITY };
        means.iter().map(ratio).fold(f64::INFINITY, f64::min)
    };
    languages.sort_by(|a, b| best(a).total_cmp(&best(b)));
    let families = grids.iter().map(|grid| grid.family).collect();
    Some(Means { families, left_out: left_out.into_iter().collect(), runtimes, languages })
}

fn mean(grids: &[Grid], kept: &BTreeSet<&str>, name: &str, id: &RuntimeId) -> Mean {
    let mut log = 0.0;
    let mut missing = false;
    for grid in grids {
        let of = |language: &&Language| language.name == name;
        let at = grid.runtimes.iter().position(|known| *known == id);
        let row = grid.languages.iter().find(of).zip(at).and_then(|(language, at)| language.cells[at]);
        let known = grid.languages.iter().filter(|language| kept.contains(language.name));
        let numbers = known.flat_map(Language::measured);
        let best = numbers.min_by(|(row, a), (_, b)| row.quantity().better_first(*a, *b));
        match row.map(|row| (row, &row.outcome)) {
            Some((_, Err(failed))) => return Mean::Failed(failed.kind.clone()),
            Some((row, Ok(measured))) => {
                let best = best.map_or(1.0, |(_, value)| value);
                log += row.quantity().ratio(measured.summary.median, best).ln() / grids.len() as f64;
            }
            None => missing = true,
        }
    }
    if missing || !log.is_finite() { Mean::Missing } else { Mean::Ratio(log.exp()) }
}

/// The sizes of the modules of each family of which the run has at least two languages, the smallest first.
pub(crate) fn sizes<'a>(run: &'a Run, rows: &[Row]) -> Vec<(&'a str, Vec<(&'a str, u64)>)> {
    let measured = |function: &Function| rows.iter().any(|row| row.cell.function == function.name);
    let size = |function: &&'a Function| Some((function.language.as_deref()?, function.module_bytes));
    let sizes = families(run, measured).into_iter().map(|(family, functions)| {
        let mut sizes: Vec<(&str, u64)> = functions.iter().filter_map(size).collect();
        sizes.sort_by_key(|(name, bytes)| (*bytes, *name));
        (family, sizes)
    });
    sizes.collect()
}

/// What the reports say of languages: the charts, and the same in tables. Nothing where the run has one language only.
pub(super) fn blocks(run: &Run, rows: &[Row]) -> Vec<Block> {
    let mut blocks: Vec<Block> =
        chart::wanted(run, rows).filter(|chart| chart.shows.is_of_languages()).map(Block::Chart).collect();
    for scenario in SCENARIOS {
        for grid in grids(run, rows, scenario) {
            let title = format!("{} of {} by language, as a table", words::capitalised(grid.title()), grid.family);
            blocks.push(Block::Details(title, vec![Block::Table(grid.table())]));
        }
    }
    blocks
}

impl Grid<'_> {
    /// `cold start`.
    pub(super) fn title(&self) -> &'static str {
        let cell = self.languages.iter().flat_map(|language| &language.cells).flatten().next();
        cell.map_or("", |row| row.cell.scenario.scenario().title())
    }

    /// A row for each language: its module, then every runtime.
    fn table(&self) -> Table {
        let classes: BTreeMap<&RuntimeId, Class> =
            self.languages.iter().flat_map(|l| &l.cells).flatten().map(|row| (&row.cell.runtime, row.class)).collect();
        let several = classes.values().collect::<BTreeSet<_>>().len() > 1;
        let class = |id: &RuntimeId| classes.get(id).filter(|_| several).map(|class| words::class(*class));
        let name = |id: &&RuntimeId| class(id).map_or_else(|| id.to_string(), |class| format!("{id} ({class})"));
        let runtimes = self.runtimes.iter().map(name);
        let header = ["Language", "Module"].map(str::to_owned).into_iter().chain(runtimes).collect();
        let row = |language: &Language| {
            let first = [
                Entry::text(language.name),
                Entry::number(units::bytes(language.module_bytes), language.module_bytes as f64),
            ];
            first.into_iter().chain(language.cells.iter().map(|cell| entry(*cell))).collect()
        };
        Table { header, rows: self.languages.iter().map(row).collect(), numbers: true }
    }
}

fn entry(cell: Option<&Row>) -> Entry {
    match cell.map(|row| (row, &row.outcome)) {
        Some((row, Err(_))) => Entry::failed(short(cell)).of(&row.cell),
        Some((row, Ok(measured))) => {
            Entry::number(short(cell), measured.summary.median).best_if(measured.ratio == 1.0).of(&row.cell)
        }
        None => Entry::text(short(cell)),
    }
}

/// The number of a cell, or in a word what went wrong; `-` where it was not measured.
pub(super) fn short(cell: Option<&Row>) -> String {
    match cell.map(|row| (row, &row.outcome)) {
        None => "-".to_owned(),
        Some((_, Err(failed))) => failed.kind.clone(),
        Some((row, Ok(measured))) => row.quantity().show(measured.summary.median),
    }
}
