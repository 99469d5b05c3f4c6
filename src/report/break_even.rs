//! Deploying against running: which mode is the cheapest from how many invocations on.

use super::document::{Block, Entry, Table};
use super::units;
use crate::compare::{self, Mode, Trades};
use crate::record::Run;
use crate::stats::Trade;

const WORDS: &str = "A function costs something once, to compile it ahead of time and to load it, and something with every \
                     invocation. In all it is the cheapest in these modes, each from so many invocations on. The interval is \
                     for how many invocations the mode and the one above it cannot be told apart at the 95 % level; without \
                     an upper end where that might hold for any number.";

/// What the report says of it: a table of the cheapest modes, and one for the modes of each family. Nothing where no
/// function has two modes of which both costs are known.
pub(super) fn blocks(run: &Run) -> Vec<Block> {
    let trades = compare::trades(run);
    if trades.is_empty() {
        return Vec::new();
    }
    let heading = Block::Heading(2, "Deploying against running".to_owned());
    let mut blocks = vec![heading, Block::Paragraph(WORDS.to_owned()), Block::Table(cheapest(&trades))];
    let pairs = pairs(&trades);
    if !pairs.rows.is_empty() {
        let title = "From how many invocations a mode pays, for each two modes of a runtime".to_owned();
        blocks.push(Block::Details(title, vec![Block::Table(pairs)]));
    }
    blocks
}

fn cheapest(trades: &[Trades]) -> Table {
    let header = ["Function", "Cheapest", "From", "95 % interval", "Compile", "Load", "Each invocation"];
    let row = |(function, step): (&str, compare::Step)| {
        let (from, interval) = match step.from {
            Some(from) => (compare::invocations(from.invocations), compare::interval(&from)),
            None => ("1".to_owned(), "-".to_owned()),
        };
        let number = step.from.map_or(1.0, |from| from.invocations);
        let names = [function.to_owned(), step.mode.runtime.to_string()].map(Entry::text);
        let times = [step.mode.compile, Some(step.mode.load), Some(step.mode.cost.each)];
        let times = times.map(|amount| {
            amount.map_or_else(|| Entry::text("-"), |amount| Entry::number(units::time(amount.ns), amount.ns))
        });
        names.into_iter().chain([Entry::number(from, number), Entry::text(interval)]).chain(times).collect()
    };
    let steps = trades.iter().flat_map(|of| of.cheapest().into_iter().map(|step| (of.function, step)));
    Table { header: header.map(str::to_owned).to_vec(), rows: steps.map(row).collect(), numbers: true }
}

fn pairs(trades: &[Trades]) -> Table {
    let header = ["Function", "Cheaper for few", "Cheaper for many", "From", "95 % interval"];
    let row = |(function, (a, b, trade)): (&str, (&Mode, &Mode, Trade))| {
        let id = |mode: &Mode| mode.runtime.to_string();
        let (few, many, from, interval) = match trade {
            Trade::From(found) => {
                let (few, many) = if found.first { (b, a) } else { (a, b) };
                let from = Entry::number(compare::invocations(found.invocations), found.invocations);
                (id(few), id(many), from, compare::interval(&found))
            }
            Trade::Always { significant: false, .. } => {
                (id(a), id(b), Entry::text("no significant difference"), "-".to_owned())
            }
            Trade::Always { first, .. } => {
                let (always, never) = if first { (a, b) } else { (b, a) };
                (id(always), format!("never {}", id(never)), Entry::text("-"), "-".to_owned())
            }
        };
        let names = [function.to_owned(), few, many].map(Entry::text);
        names.into_iter().chain([from, Entry::text(interval)]).collect()
    };
    let all: Vec<Vec<Entry>> =
        trades.iter().flat_map(|of| of.pairs().into_iter().map(|pair| row((of.function, pair)))).collect();
    Table { header: header.map(str::to_owned).to_vec(), rows: all, numbers: true }
}
