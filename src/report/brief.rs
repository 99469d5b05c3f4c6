//! A run in a few sentences. Every number in them has its interval, and nothing is called better whose interval does not
//! allow it.

use super::summary::{Row, functions};
use super::units::{self, Quantity};
use super::words;
use crate::compare::{self, Ranked, Source};
use crate::experiment::CellStop;
use crate::record::{Cell, Run};
use crate::stats::{Ratio, geometric_mean, seed};
use isobar_core::measure::{SCENARIOS, ScenarioId};
use isobar_core::{Class, RuntimeId};
use std::collections::BTreeSet;

/// More names than these in one place say nothing.
const MOST_NAMES: usize = 4;

/// What the run found: a sentence or some for each scenario, then how far to trust them.
pub(super) fn sentences(run: &Run, rows: &[Row]) -> Vec<String> {
    let sources = compare::sources(run, "this run");
    let mut sentences: Vec<String> = Vec::new();
    for source in &sources {
        let machine = if source.is_part { format!(" (machine {})", source.machine) } else { String::new() };
        for scenario in scenarios(source) {
            let own: Vec<&Row> = rows.iter().filter(|row| is_in(row, source, scenario)).collect();
            sentences.extend(of_scenario(source, scenario, &own, &machine));
        }
    }
    sentences.extend(trust(run, rows));
    sentences
}

/// The scenarios of a source, each with the highest of its numbers of threads.
fn scenarios(source: &Source) -> Vec<ScenarioId> {
    let all = source.scenarios();
    // What is offered is no result: at which rate latency is compared would be arbitrary.
    let named = SCENARIOS.iter().filter(|scenario| !matches!(scenario.scale(), isobar_core::measure::Scale::Rate));
    named.filter_map(|scenario| all.iter().copied().filter(|id| id.name() == scenario.name()).max()).collect()
}

fn is_in(row: &Row, source: &Source, scenario: ScenarioId) -> bool {
    row.cell.scenario == scenario && source.functions.contains(&row.cell.function)
}

fn of_scenario(source: &Source, scenario: ScenarioId, rows: &[&Row], machine: &str) -> Option<String> {
    let all: Vec<Ranked> =
        compare::rank_scenario(source, scenario).into_iter().filter(|one| one.ratio.is_some()).collect();
    // A runtime that lacks functions may have been spared the hard ones.
    let functions = all.iter().map(|one| one.functions).max()?;
    let (ranked, lacking): (Vec<&Ranked>, Vec<&Ranked>) = all.iter().partition(|one| one.functions == functions);
    let top = ranked.iter().filter_map(|one| one.ratio_high).fold(f64::INFINITY, f64::min);
    let (first, others): (Vec<&Ranked>, Vec<&Ranked>) =
        ranked.iter().partition(|one| one.ratio_low.is_none_or(|low| low <= top));
    let quantity = Quantity::of(scenario);
    let name = |one: &Ranked| named(&one.runtime, rows);
    let names: Vec<String> = first.iter().map(|one| name(one)).collect();
    let place = match first.len() {
        1 if others.is_empty() => "is the only runtime that has a number for all functions".to_owned(),
        1 => superlative(quantity).to_owned(),
        _ => "share the first place".to_owned(),
    };
    let mut text = format!("{}{machine}: {} {place}.", words::capitalised(&words::scenario(scenario)), list(&names));
    text.push_str(&span(rows));
    let best = id(&first.first()?.runtime)?;
    let against = |one: &Ranked| Some(times(quantity, &between(source, scenario, &id(&one.runtime)?, &best)?));
    match others.as_slice() {
        [] => {}
        [only] => text
            .push_str(&against(only).map_or_else(String::new, |much| format!(" {} has {much} of {best}.", name(only)))),
        [next, .., last] => {
            if let (Some(near), Some(far)) = (against(next), against(last)) {
                let (next, last) = (name(next), name(last));
                text.push_str(&format!(" Next is {next} with {near} of {best}; the last, {last}, has {far}."));
            }
        }
    }
    text.push_str(&classes(source, scenario, &all, rows));
    if !lacking.is_empty() {
        let names: Vec<String> = lacking.iter().map(|one| name(one)).collect();
        text.push_str(&format!(" Not ranked, as they have no number for some functions: {}.", list(&names)));
    }
    Some(text)
}

/// How much worse, in words that fit what is measured: `1.32x [1.28, 1.37] the time`.
fn times(quantity: Quantity, ratio: &Ratio) -> String {
    let shown = compare::show(ratio);
    match quantity {
        Quantity::Time => format!("{shown} the time"),
        Quantity::Bytes => format!("{shown} the size"),
        Quantity::Instructions => format!("{shown} the instructions"),
        Quantity::Rate => format!("1/{shown} the rate"),
    }
}

/// Between which of the best numbers of the functions everything lies.
fn span(rows: &[&Row]) -> String {
    let best = rows.iter().filter_map(|row| Some((*row, row.measured()?))).filter(|(_, m)| m.ratio == 1.0);
    let mut best: Vec<(&Row, f64, String)> = best
        .map(|(row, m)| {
            let shown =
                format!("{} {}", row.quantity().show(m.summary.median), row.quantity().show_interval(&m.summary));
            (row, m.summary.median, shown)
        })
        .collect();
    best.sort_by(|(row, a, _), (_, b, _)| row.quantity().better_first(*a, *b));
    match (best.first(), best.last()) {
        (Some((row, _, number)), _) if best.len() == 1 => {
            format!(" {}: {number} in {}.", row.cell.function, row.cell.runtime)
        }
        (Some((a, _, first)), Some((b, _, last))) => format!(
            " The best numbers go from {first} ({}, {}) to {last} ({}, {}).",
            a.cell.function, a.cell.runtime, b.cell.function, b.cell.runtime
        ),
        _ => String::new(),
    }
}

/// The best of every other class against the best WebAssembly runtime, over the functions that both have. A class may lack
/// functions as a whole: none but WebAssembly has modules in text.
fn classes(source: &Source, scenario: ScenarioId, all: &[Ranked], rows: &[&Row]) -> String {
    let class = |runtime: &str| rows.iter().find(|row| row.cell.runtime.as_str() == runtime).map(|row| row.class);
    let best_of = |wanted: Class| {
        let own = || all.iter().filter(|one| class(&one.runtime) == Some(wanted));
        let functions = own().map(|one| one.functions).max()?;
        own().find(|one| one.functions == functions)
    };
    let Some(wasm) = best_of(Class::Wasm) else { return String::new() };
    let others: BTreeSet<Class> = rows.iter().map(|row| row.class).filter(|class| *class != Class::Wasm).collect();
    let Some(wasm_id) = id(&wasm.runtime) else { return String::new() };
    let compared = |of: Class| {
        let best = best_of(of)?;
        let other = id(&best.runtime)?;
        let ratio = between(source, scenario, &other, &wasm_id)?;
        let over = match best.functions < wasm.functions {
            true => format!(", over {}", units::count(best.functions, "function")),
            false => String::new(),
        };
        let word = compare::word(Quantity::of(scenario), &ratio);
        Some(format!("{other} ({}{over}), {word}, {}", words::class(of), compare::show(&ratio)))
    };
    let all: Vec<String> = others.into_iter().filter_map(compared).collect();
    match all.is_empty() {
        true => String::new(),
        false => format!(" The best of the other classes against {wasm_id}: {}.", all.join("; ")),
    }
}

/// How many times worse one runtime is than another, over the functions that both have.
fn between(source: &Source, scenario: ScenarioId, runtime: &RuntimeId, base: &RuntimeId) -> Option<Ratio> {
    let of = |function: &String| {
        let cell = |runtime| source.cell(runtime, function, scenario)?.ok();
        let name = Cell { runtime: runtime.clone(), function: function.clone(), scenario }.to_string();
        compare::worse(scenario, cell(runtime)?, cell(base)?, seed(source.seed, &format!("brief {name} {base}")))
    };
    geometric_mean(&source.functions.iter().filter_map(of).collect::<Vec<_>>())
}

/// How far the numbers can be trusted.
fn trust(run: &Run, rows: &[Row]) -> Vec<String> {
    let mut sentences = Vec::new();
    let measured: Vec<f64> =
        rows.iter().filter_map(|row| Some(row.measured()?.summary.relative_half_width())).collect();
    let wanted = run.header.schedule.precision;
    let within = measured.iter().filter(|width| **width <= wanted).count();
    if !measured.is_empty() {
        let functions = functions(rows).len();
        if functions > 1 {
            sentences.push(format!(
                "Places are by the geometric mean, over {functions} functions, of how many times worse a runtime is than the \
                 best one of each. Runtimes share a place where the intervals of these means overlap."
            ));
        }
        sentences.push(format!(
            "Of {}, {within} are known within ±{}. Where two intervals overlap, this run does not tell the two apart.",
            units::count(measured.len(), "number"),
            units::percent(wanted)
        ));
    }
    let failed = rows.len() - measured.len();
    if failed > 0 {
        let kinds: BTreeSet<&str> =
            rows.iter().filter_map(|row| Some(row.outcome.as_ref().err()?.kind.as_str())).collect();
        let kinds: Vec<String> = kinds.into_iter().map(str::to_owned).collect();
        let (count, has) = (units::count(failed, "cell"), if failed == 1 { "has" } else { "have" });
        sentences.push(format!(
            "{count} failed and {has} no number: {}. Failures are below, with what happened.",
            list(&kinds)
        ));
    }
    if rows.iter().any(|row| row.stop == CellStop::CutOff) {
        sentences.push("The run was cut off before it was complete.".to_owned());
    }
    if run.header.quick {
        sentences.push(format!("It was a quick run, with {}.", words::quick(rows)));
    }
    sentences
}

/// A runtime, with its class where there are several.
fn named(runtime: &str, rows: &[&Row]) -> String {
    let class = rows.iter().find(|row| row.cell.runtime.as_str() == runtime).map(|row| row.class);
    match class.filter(|_| words::has_classes(rows.iter().copied())) {
        Some(class) => format!("{runtime} ({})", words::class(class)),
        None => runtime.to_owned(),
    }
}

fn superlative(quantity: Quantity) -> &'static str {
    match quantity {
        Quantity::Time => "is the fastest",
        Quantity::Rate => "has the highest rate",
        Quantity::Bytes => "is the smallest",
        Quantity::Instructions => "takes the fewest instructions",
    }
}

fn id(runtime: &str) -> Option<RuntimeId> {
    runtime.parse().ok()
}

/// `a, b and c`, or the first of many.
fn list(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        many if many.len() > MOST_NAMES + 1 => {
            format!("{} and {} more", many[..MOST_NAMES].join(", "), many.len() - MOST_NAMES)
        }
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
    }
}
