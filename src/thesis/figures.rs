//! The figures, by the charts that isobar has for them. What was not measured has no figure, or stands in it with the reason.

use super::evidence::{Evidence, Missing};
use super::items::{self, Drawing, Platform, fastest_first, framework, instantiation, loading, wizer};
use super::number::Number;
use super::parts::{LANGUAGES, RUNTIMES, STRATEGIES, STRATEGIES_AOT};
use super::published::{Published, Value};
use super::servers::FRAMEWORK;
use crate::chart::distribution::{self, Curve, Distributions};
use crate::chart::published::{Bar, Bars, Panel, Published as Ratios};
use crate::chart::{footer, regression};
use crate::report::units::{self, Quantity};
use crate::stats;

/// What the two bars of a pair are.
const NAMES: [&str; 2] = ["here", "thesis"];

/// No longer reason stands in a figure; the tables have all of it.
const REASON: usize = 40;

fn drawing(name: String, title: String, figure: crate::chart::figure::Figure) -> Drawing {
    Drawing { name, title, figure }
}

/// 1 to 3: the distributions of instantiation.
pub(super) fn distribution(item: u8, evidence: &Evidence) -> Option<Drawing> {
    let (part, function, module) = instantiation::MODULES[usize::from(item) - 1];
    curves_of(
        evidence,
        part,
        &format!("Instantiation of {module} in Wasmtime: lower is better"),
        &format!("{item}-instantiation"),
        "alone: no other thread; +1: another thread instantiates in the background. ",
        STRATEGIES.iter().zip(instantiation::STRATEGY_NAMES).map(|(runtime, strategy)| {
            let curves = evidence.threads(part, "instantiate").into_iter().map(|threads| {
                let name = if threads == 1 { "alone".to_owned() } else { format!("+{}", threads - 1) };
                (name, (*runtime, function, format!("instantiate/{threads}")))
            });
            (strategy.to_owned(), curves.collect())
        }),
    )
}

/// 4: the distributions of loading and instantiating.
pub(super) fn from_file(evidence: &Evidence) -> Option<Drawing> {
    curves_of(
        evidence,
        loading::PART,
        "From an AOT file to a sandbox in Wasmtime: lower is better",
        "4-from-file",
        "",
        loading::MODULES.iter().map(|(function, module)| {
            let curves = STRATEGIES_AOT.iter().zip(instantiation::STRATEGY_NAMES);
            let curves =
                curves.map(|(runtime, name)| (name.to_owned(), (*runtime, *function, "load-instantiate".to_owned())));
            ((*module).to_owned(), curves.collect())
        }),
    )
}

/// A curve's name and its cell.
type Named<'a> = (String, (&'a str, &'a str, String));

fn curves_of<'a>(
    evidence: &Evidence,
    part: &str,
    title: &str,
    name: &str,
    words: &str,
    panels: impl Iterator<Item = (String, Vec<Named<'a>>)>,
) -> Option<Drawing> {
    let run = evidence.run(part)?;
    let panels: Vec<(String, Vec<Named>)> = panels.collect();
    let curve = |(name, (runtime, function, scenario)): &'_ Named| {
        let processes = evidence.processes(part, (runtime, function, scenario));
        let seed = stats::seed(run.header.seed, &format!("{runtime} {function} {scenario}"));
        (name.clone(), processes, seed)
    };
    let drawn: Vec<(&str, Vec<_>)> =
        panels.iter().map(|(name, curves)| (name.as_str(), curves.iter().map(curve).collect())).collect();
    let any = drawn.iter().flat_map(|(_, curves)| curves).any(|(_, processes, _)| !processes.concat().is_empty());
    let footer = footer(run);
    let panels = drawn.iter().map(|(name, curves)| distribution::Panel {
        name,
        quantity: Quantity::Time,
        curves: curves
            .iter()
            .map(|(name, processes, seed)| Curve { name, processes: processes.clone(), seed: *seed })
            .collect(),
    });
    let words = format!("{words}{}", distribution::WORDS);
    let chart = Distributions { title, words: &words, footer: &footer, panels: panels.collect() };
    any.then(|| drawing(name.to_owned(), title.to_owned(), chart.figure()))
}

/// 5: iterations against total time.
pub(super) fn regression(evidence: &Evidence) -> Option<Drawing> {
    let run = evidence.run(loading::PART)?;
    let title = "Deserialising and instantiating, iterations against total time: flatter is better";
    let panels: Vec<regression::Panel> = loading::MODULES
        .iter()
        .map(|(function, module)| regression::Panel { name: module, processes: loading::points(evidence, function) })
        .filter(|panel| panel.processes.iter().any(|process| !process.is_empty()))
        .collect();
    let (any, footer) = (!panels.is_empty(), footer(run));
    let chart = regression::Regressions { title, words: regression::WORDS, footer: &footer, panels };
    any.then(|| drawing("5-regression".to_owned(), title.to_owned(), chart.figure()))
}

/// Bars of ratios, with names that they own.
struct OwnedBars {
    name: String,
    ours: Result<Bar, String>,
    theirs: Result<Bar, String>,
}

/// A chart of ratios with its panels' names.
fn ratios(
    evidence: &Evidence,
    part: &str,
    (name, title): (&str, &str),
    words: &str,
    panels: &[(String, Vec<OwnedBars>)],
) -> Option<Drawing> {
    let footer = footer(evidence.run(part)?);
    let any = panels.iter().flat_map(|(_, bars)| bars).any(|bars| bars.ours.is_ok());
    let panels = panels.iter().map(|(name, bars)| Panel {
        name,
        bars: bars
            .iter()
            .map(|OwnedBars { name, ours, theirs }| Bars { name, ours: ours.clone(), theirs: theirs.clone() })
            .collect(),
    });
    let chart = Ratios { title, words, footer: &footer, names: NAMES, panels: panels.collect() };
    any.then(|| drawing(name.to_owned(), title.to_owned(), chart.figure()))
}

fn bar(ratio: Number, text: String) -> Bar {
    let known = ratio.low > 0.0 && ratio.high.is_finite() && ratio.low < ratio.high;
    let interval = known.then_some([ratio.low, ratio.high]);
    Bar { ratio: ratio.value, interval, text }
}

fn shortened(why: &str) -> String {
    let why = why.split([';', ':']).next().unwrap_or(why);
    crate::report::shorten(why, REASON)
}

/// 6: both numbers of Fibonacci.
pub(super) fn fibonacci(evidence: &Evidence, published: &Published) -> Option<Drawing> {
    let panel = |(what, name): (&str, &str)| {
        let of = items::fibonacci(evidence, what);
        (name.to_owned(), to_native(published, (6, what), &|who| Ok(of(who)?.1)))
    };
    let panels = [("forty", "Fibonacci 40"), ("thirty-two", "Fibonacci 32")].map(panel);
    let title = "Fibonacci relative to native code: lower is better";
    ratios(evidence, "6-fibonacci", ("6-fibonacci", title), TO_NATIVE, &panels)
}

/// 7: Blake3.
pub(super) fn blake3(evidence: &Evidence, published: &Published) -> Option<Drawing> {
    let of = items::hash(evidence);
    let panels = [("Blake3 of \"Hello World\"".to_owned(), to_native(published, (7, "hash"), &|who| Ok(of(who)?.1)))];
    let title = "Blake3 relative to native code: lower is better";
    ratios(evidence, "7-blake3", ("7-blake3", title), TO_NATIVE, &panels)
}

const TO_NATIVE: &str =
    "How many times as long as native code of the same machine takes: here, and in the thesis on a t2.medium.";

fn to_native(
    published: &Published,
    (item, what): (u8, &str),
    of: &dyn Fn(&str) -> Result<Number, Missing>,
) -> Vec<OwnedBars> {
    let native = of("native");
    let bars = |(who, title, _): &(&str, &str, &[&str])| {
        let ours = match (of(who), &native) {
            (Err(why), _) => Err(shortened(&why)),
            (Ok(_), Err(_)) => Err("no native code to compare with".to_owned()),
            (Ok(number), Ok(native)) => {
                let ratio = if *who == "native" { Number::exact(1.0) } else { number.over(*native) };
                Ok(bar(ratio, format!("{}, {}", ratio.ratio(), number.time())))
            }
        };
        let theirs = published.value(item, what, who).and_then(|value| Some((value.ratio?, value.ns?)));
        let theirs = theirs
            .map(|(ratio, ns)| bar(Number::exact(ratio), format!("{}, {}", units::ratio(ratio), units::time(ns))))
            .ok_or_else(|| "not published".to_owned());
        OwnedBars { name: (*title).to_owned(), ours, theirs }
    };
    RUNTIMES.iter().map(bars).collect()
}

/// 8: cold starts and warm requests, relative to the shortest of each.
pub(super) fn platforms(platforms: &[Platform], evidence: &Evidence, published: &Published) -> Option<Drawing> {
    let part = ["8-platforms", "8-processes"].into_iter().find(|part| evidence.run(part).is_some())?;
    let panel = |name: &str, what: &str, time: fn(&Platform) -> Option<Number>| {
        let found = fastest_first(platforms, time);
        let shortest = found.first().map(|(_, number)| *number);
        let middle = |value: &Value| value.ns.or_else(|| Some((value.low_ns? * value.high_ns?).sqrt()));
        let bars = found.iter().map(|(platform, number)| {
            let language =
                LANGUAGES.iter().find(|(key, ..)| *key == platform.language).map_or("", |(_, title, _)| *title);
            let ratio = shortest.map_or(Number::exact(1.0), |shortest| number.over(shortest));
            let theirs = published.value(8, what, platform.wall).and_then(|v| Some((middle(v)?, v.show_time()?)));
            let theirs =
                theirs.zip(shortest).map(|((ns, text), shortest)| bar(Number::exact(ns / shortest.value), text));
            OwnedBars {
                name: format!("{} {language}", platform.name),
                ours: Ok(bar(ratio, number.time())),
                theirs: theirs.ok_or_else(|| "not published".to_owned()),
            }
        });
        (name.to_owned(), bars.collect())
    };
    let panels = [panel("Cold start", "cold", Platform::cold_start), panel("Warm", "warm", Platform::warm)];
    let title = "Fibonacci 32 on platforms: lower is better";
    let words = "How many times as long as the shortest one here takes; of ranges that were published, their geometric \
                 middle. What has no number here is in the table.";
    ratios(evidence, part, ("8-platforms", title), words, &panels)
}

/// 9: how much faster snapshots are, and how much larger.
pub(super) fn wizer(pairs: &[wizer::Pair], evidence: &Evidence, published: &Published) -> Option<Drawing> {
    let value = published.value(9, "user-agent", "wizer");
    let theirs = |number: fn(&Value) -> Option<f64>| {
        let ratio = value.and_then(number).ok_or_else(|| "not published".to_owned())?;
        Ok(bar(Number::exact(ratio), units::ratio(ratio)))
    };
    let faster = |pair: &wizer::Pair| {
        ["warm", "cold"]
            .iter()
            .zip(&pair.times)
            .zip(pair.faster())
            .map(|((scenario, times), faster)| {
                let why = times.as_ref().err().map_or_else(|| "not measured here".to_owned(), |why| shortened(why));
                OwnedBars {
                    name: format!("{} {scenario}", pair.function),
                    ours: faster.map(|ratio| bar(ratio, ratio.ratio())).ok_or(why),
                    theirs: theirs(|value| value.ratio),
                }
            })
            .collect::<Vec<_>>()
    };
    let larger = |pair: &wizer::Pair| OwnedBars {
        name: pair.function.to_owned(),
        ours: pair
            .growth()
            .map(|g| bar(Number::exact(g), units::ratio(g)))
            .ok_or_else(|| "not measured here".to_owned()),
        theirs: theirs(|value| value.growth),
    };
    let panels = [
        ("Times faster: higher is better".to_owned(), pairs.iter().flat_map(faster).collect()),
        ("Times larger: lower is better".to_owned(), pairs.iter().map(larger).collect()),
    ];
    let title = "What a snapshot by Wizer saves and costs";
    let words = "The plain function's time over its snapshot's, and the snapshot's size over the plain module's; the thesis' \
                 numbers are of another module.";
    ratios(evidence, "9-wizer", ("9-wizer", title), words, &panels)
}

/// 10: a request to the platform over what the framework alone takes.
pub(super) fn framework(evidence: &Evidence, published: &Published) -> Option<Drawing> {
    let bars = |served: &super::servers::Served| {
        let strategy = served.name.rsplit('/').next().unwrap_or(served.name);
        let ours = framework::times(evidence, served.name).map_err(|why| shortened(&why));
        let theirs = framework::published_times(published, strategy).ok_or_else(|| "not published".to_owned());
        OwnedBars {
            name: strategy.to_owned(),
            ours: ours.map(|(all, bare)| bar(all.over(bare), format!("{}, {}", all.over(bare).ratio(), all.time()))),
            theirs: theirs.map(|(all, bare)| {
                bar(Number::exact(all / bare), format!("{}, {}", units::ratio(all / bare), units::time(all)))
            }),
        }
    };
    let panels = [("A request relative to the framework alone".to_owned(), FRAMEWORK.iter().map(bars).collect())];
    let title = "The platform relative to its web framework alone: lower is better";
    let words = "How many times as long a request for a function takes as one that the framework answers by itself.";
    ratios(evidence, framework::PART, ("10-framework", title), words, &panels)
}
