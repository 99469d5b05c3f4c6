//! The trade of just-in-time compilers, ahead-of-time compilers and interpreters: a function costs something once, when it
//! is deployed, and something with every invocation.

use super::cells::{Source, sources};
use crate::record::Run;
use crate::report::Row;
use crate::report::units::Quantity;
use crate::stats::{self, Amount, BreakEven, Cost, Trade};
use isobar_core::measure::ScenarioId;
use isobar_core::{Class, Execution, RuntimeId};
use std::collections::BTreeMap;

/// What a function costs in the modes of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Trades<'a> {
    /// The function.
    pub function: &'a str,
    /// The modes of which everything was measured, in the run's order.
    pub modes: Vec<Mode<'a>>,
}

/// A mode, and what a function costs in it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mode<'a> {
    /// Which.
    pub runtime: &'a RuntimeId,
    /// For a mode that compiles ahead of time: compiling.
    pub compile: Option<Amount>,
    /// Loading: from the stored artifact to the module in memory. A just-in-time compiler compiles here.
    pub load: Amount,
    /// The total: compiling and loading once, then a warm invocation each time.
    pub cost: Cost,
}

/// A mode that is the cheapest for some numbers of invocations.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step<'a> {
    /// Which.
    pub mode: &'a Mode<'a>,
    /// From how many invocations on it costs less than the one before; `None` for the first.
    pub from: Option<BreakEven>,
}

/// The trades of every function of a run that was measured warm and cold in at least two modes, in the run's order. Made of
/// what was measured anyway: the total of n invocations is the time to compile ahead of time (scenario `deploy`, or else
/// the run's own compiling, which is one sample), plus the time to load (of `cold`), plus n times `warm`. The engine is not
/// in it: one serves all functions. Nor are runtimes that are not WebAssembly's, whose code was compiled elsewhere, nor what a lazy mode compiles in its first invocation.
///
/// Functions of several machines must have names of their own, as
/// [`machines_apart`](crate::report::machines_apart) gives them.
pub fn trades(run: &Run) -> Vec<Trades<'_>> {
    let sources = sources(run, "");
    let artifacts: BTreeMap<(&RuntimeId, &str), f64> = run
        .records
        .iter()
        .filter_map(|r| Some(((&r.cell.runtime, r.cell.function.as_str()), r.artifact?.compile_ns as f64)))
        .collect();
    let of = |function| {
        let source = sources.iter().find(|source| source.functions.iter().any(|name| name == function))?;
        let known = run.header.runtimes.iter().filter(|info| info.class == Class::Wasm);
        let modes: Vec<Mode> = known.filter_map(|info| mode(source, info, function, &artifacts)).collect();
        (modes.len() > 1).then_some(Trades { function, modes })
    };
    run.header.functions.iter().filter_map(|function| of(&function.name)).collect()
}

/// Whether there are any [`trades`], without making them. `rows` are those of the run.
pub fn has_trades(run: &Run, rows: &[Row]) -> bool {
    let mut known: BTreeMap<(&str, &RuntimeId), [bool; 3]> = BTreeMap::new();
    for row in rows {
        let of = known.entry((&row.cell.function, &row.cell.runtime)).or_default();
        let at = ["cold", "warm", "deploy"].iter().position(|name| *name == row.cell.scenario.name());
        at.filter(|_| row.outcome.is_ok()).into_iter().for_each(|at| of[at] = true);
        of[2] |= row.artifact.is_some();
    }
    let mut modes: BTreeMap<&str, usize> = BTreeMap::new();
    for ((function, runtime), [cold, warm, compiled]) in known {
        let info = run.header.runtimes.iter().find(|info| info.id == *runtime && info.class == Class::Wasm);
        if info.is_some_and(|info| cold && warm && (compiled || info.execution != Execution::Aot)) {
            *modes.entry(function).or_default() += 1;
        }
    }
    modes.values().any(|count| *count > 1)
}

fn mode<'a>(
    source: &Source,
    info: &'a isobar_core::RuntimeInfo,
    function: &str,
    artifacts: &BTreeMap<(&RuntimeId, &str), f64>,
) -> Option<Mode<'a>> {
    let scenario = |name| ScenarioId::new(name, None).ok();
    let amount = |processes: &[Vec<f64>], what: &str| {
        Amount::of(processes, stats::seed(source.seed, &format!("{} {function} {what}", info.id)))
    };
    let number = |name| source.cell(&info.id, function, scenario(name)?)?.ok();
    let compile = if info.execution == Execution::Aot {
        let own = artifacts.get(&(&info.id, function)).map(|ns| vec![vec![*ns]]);
        let processes = number("deploy").map(<[Vec<f64>]>::to_vec).or(own)?;
        Some(amount(&processes, "compile")?)
    } else {
        None
    };
    // A cell that failed has no parts that count.
    number("cold")?;
    let load = amount(source.part(&info.id, function, scenario("cold")?, "load_ns")?, "load")?;
    let each = amount(number("warm")?, "warm")?;
    let cost = Cost { once: compile.unwrap_or(Amount::NONE).plus(load), each };
    Some(Mode { runtime: &info.id, compile, load, cost })
}

impl Step<'_> {
    /// `from the first invocation on`, `from 340 invocations on [290, 400]`.
    pub fn words(&self) -> String {
        match self.from {
            None => "from the first invocation on".to_owned(),
            Some(from) => format!("from {} invocations on {}", invocations(from.invocations), interval(&from)),
        }
    }
}

/// A number of invocations: whole, `12.3 k` where it is large; the first with which something holds.
pub fn invocations(number: f64) -> String {
    match number {
        n if n.is_infinite() => "∞".to_owned(),
        n if n < 9999.5 => format!("{:.0}", n.max(0.0).ceil()),
        n => Quantity::Instructions.show(n),
    }
}

/// The interval of a break-even: `[290, 400]`, `[290, ∞)`.
pub fn interval(found: &BreakEven) -> String {
    let end = if found.high.is_infinite() { ')' } else { ']' };
    format!("[{}, {}{end}", invocations(found.low), invocations(found.high))
}

impl Trades<'_> {
    /// The modes that are the cheapest for some number of invocations, from one on.
    pub fn cheapest(&self) -> Vec<Step<'_>> {
        let costs: Vec<Cost> = self.modes.iter().map(|mode| mode.cost).collect();
        let steps = stats::cheapest(&costs);
        let before = std::iter::once(None).chain(steps.iter().map(|(at, _)| Some(*at)));
        let step = |(&(at, _), before): (&(usize, f64), Option<usize>)| {
            let from = before.and_then(|before| match stats::trade(&costs[before], &costs[at]) {
                Trade::From(found) => Some(found),
                Trade::Always { .. } => None,
            });
            Step { mode: &self.modes[at], from }
        };
        steps.iter().zip(before).map(step).collect()
    }

    /// All pairs of modes of one family, variants left out: what a user of that runtime chooses between.
    pub fn pairs(&self) -> Vec<(&Mode<'_>, &Mode<'_>, Trade)> {
        let plain: Vec<&Mode> = self.modes.iter().filter(|mode| !mode.runtime.as_str().contains('+')).collect();
        let family = |mode: &Mode| mode.runtime.family().to_owned();
        let with = |(at, a): (usize, &&'_ Mode<'_>)| {
            let others = plain[at + 1..].iter().filter(|b| family(b) == family(a));
            others.map(|b| (at, *b)).collect::<Vec<_>>()
        };
        let pairs = plain.iter().enumerate().flat_map(with);
        pairs.map(|(at, b)| (plain[at], b, stats::trade(&plain[at].cost, &b.cost))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{rows, synthetic};

    #[test]
    fn a_compiler_is_paid_before_the_first_invocation() {
        let run = synthetic::run(25, 2, 1, 5, false);
        let trades = trades(&run);
        assert_eq!(trades.iter().map(|t| t.function).collect::<Vec<_>>(), ["rust/hello", "rust/fibonacci"]);
        for of in &trades {
            assert_eq!(of.modes.len(), 25);
            for mode in &of.modes {
                assert_eq!(mode.compile.is_some(), mode.runtime.as_str().contains("aot"), "{}", mode.runtime);
                let compile_ns = mode.compile.map_or(0.0, |amount| amount.ns);
                assert!((mode.cost.once.ns - compile_ns - mode.load.ns).abs() < 1e-6);
            }
            let steps = of.cheapest();
            assert!(steps[0].from.is_none() && steps[1..].iter().all(|step| step.from.is_some()));
            assert!(steps.windows(2).all(|pair| pair[0].mode.cost.once.ns < pair[1].mode.cost.once.ns));
        }
        // Much to compute: an interpreter never pays; little: it does for the first invocations.
        assert_eq!(trades[1].cheapest().last().unwrap().mode.runtime.family(), "wasmer");
    }

    #[test]
    fn pairs_are_of_one_family_and_without_variants() {
        let run = synthetic::run(25, 1, 1, 3, false);
        let trades = trades(&run);
        let pairs = trades[0].pairs();
        // 6 modes of wasmtime, 6 of wasmer, 3 of wasmedge, 2 of wasm3, 2 of wasmi.
        assert_eq!(pairs.len(), 15 + 15 + 3 + 1 + 1);
        assert!(pairs.iter().all(|(a, b, _)| a.runtime.family() == b.runtime.family() && a.runtime != b.runtime));
        assert!(pairs.iter().all(|(a, b, _)| !format!("{}{}", a.runtime, b.runtime).contains('+')));
    }

    #[test]
    fn numbers_of_invocations_are_whole_or_short() {
        let numbers = [0.2, 16.0, 16.1, 9999.4, 12_345.0, 2.5e6, f64::INFINITY];
        assert_eq!(numbers.map(invocations), ["1", "16", "17", "10000", "12.3 k", "2.50 M", "∞"]);
        let found = BreakEven { first: false, invocations: 16.0, low: 0.0, high: f64::INFINITY };
        assert_eq!(interval(&found), "[0, ∞)");
        assert_eq!(interval(&BreakEven { high: 20.5, ..found }), "[0, 21]");
    }

    #[test]
    fn what_was_not_measured_or_failed_is_left_out() {
        let mut run = synthetic::run(25, 2, 1, 2, true);
        let named = |run: &Run, function: &str| -> Vec<String> {
            let trades = trades(run);
            assert_eq!(has_trades(run, &rows(run)), !trades.is_empty());
            let of = trades.iter().find(|t| t.function == function);
            of.map_or(vec![], |t| t.modes.iter().map(|mode| mode.runtime.to_string()).collect())
        };
        assert!(!named(&run, "rust/fibonacci").contains(&"wasmedge/interpreter".to_owned()));
        assert!(named(&run, "rust/hello").contains(&"wasmtime/cranelift-aot".to_owned()));
        run.records.retain(|record| record.cell.scenario.name() != "deploy");
        // The run's own compiling is one sample: known, without an interval.
        let all = trades(&run);
        let aot = all[0].modes.iter().find(|mode| mode.compile.is_some()).unwrap();
        let jit = all[0].modes.iter().find(|mode| mode.compile.is_none()).unwrap();
        if let Trade::From(found) = stats::trade(&jit.cost, &aot.cost) {
            assert_eq!((found.low, found.high), (0.0, f64::INFINITY));
        }
        run.records.retain(|record| record.cell.scenario.name() != "warm");
        assert_eq!((trades(&run), has_trades(&run, &rows(&run))), (vec![], false));
    }
}
