//! The thesis' five research questions: what was answered then, and whether that holds here. Every sentence follows from the
//! numbers.

use super::evidence::Evidence;
use super::items::{self, Platform, fastest_first, platforms};
use super::number::Number;
use super::parts::{LANGUAGES, RUNTIMES};
use super::published::{Claim, Published};
use crate::report::units;
use std::fmt::Write;

/// A ratio that differs by no more than this still counts as the same.
pub const TOLERANCE: f64 = 0.1;

/// What became of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing that was measured here contradicts it.
    Holds,
    /// What was measured here contradicts it.
    NoLonger,
    /// What was measured here points elsewhere, but its intervals are too wide to tell.
    NotToldApart,
    /// What it takes to tell was not measured here.
    NotMeasured,
}

impl Verdict {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Verdict::Holds => "holds",
            Verdict::NoLonger => "no longer holds",
            Verdict::NotToldApart => "cannot be told here",
            Verdict::NotMeasured => "not measured here",
        }
    }
}

/// A research question, answered again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Which, 1 to 5.
    pub number: u8,
    /// The question.
    pub question: &'static str,
    /// What was answered then.
    pub then: Vec<String>,
    /// Whether it holds.
    pub verdict: Verdict,
    /// What was measured here.
    pub today: String,
    /// What is different.
    pub changed: String,
}

const QUESTIONS: [&str; 5] = [
    "What is the start-up time of a simple WebAssembly module?",
    "How do programming languages compare?",
    "How do runtimes compare?",
    "How do they compare with native code?",
    "How does a platform powered by WebAssembly measure up against those powered by V8 and by microVMs?",
];

/// A verdict, what holds today, and what has changed.
type Found = (Verdict, String, String);

/// All answers.
pub fn answers(evidence: &Evidence, published: &Published) -> Vec<Answer> {
    let platforms = platforms(evidence);
    let answer = |(number, question): (u8, &'static str)| {
        let (verdict, today, changed) = match number {
            1 => start_up(&items::sequential(evidence), published),
            2 => languages(&platforms, published),
            3 => runtimes(&|who| Some(items::fibonacci(evidence, "forty")(who).ok()?.1), published),
            4 => native(&|what, who| Some(items::fibonacci(evidence, what)(who).ok()?.1), published),
            _ => walls(&platforms, published),
        };
        let then = published.claims(number).map(|claim| claim.text.clone()).collect();
        Answer { number, question, then, verdict, today, changed }
    };
    (1..).zip(QUESTIONS).map(answer).collect()
}

fn not_measured(what: &str) -> Found {
    (Verdict::NotMeasured, format!("Nothing: {what}."), "Nothing can be said.".to_owned())
}

fn claim(published: &Published, question: u8, has: fn(&Claim) -> bool) -> Claim {
    published.claims(question).find(|claim| has(claim)).cloned().unwrap_or_default()
}

/// 1: `instantiations` are medians with the module's and the strategy's name.
fn start_up(instantiations: &[(&str, &str, Number)], published: &Published) -> Found {
    let by = |a: &&(&str, &str, Number), b: &&(&str, &str, Number)| a.2.value.total_cmp(&b.2.value);
    let ends = instantiations.iter().min_by(by).zip(instantiations.iter().max_by(by));
    let range = claim(published, 1, |claim| claim.low_ns.is_some());
    let (Some((least, most)), Some((low, high))) = (ends, range.low_ns.zip(range.high_ns)) else {
        return not_measured("no module was instantiated in Wasmtime");
    };
    let name = |(module, strategy, number): &(&str, &str, Number)| format!("{} ({module}, {strategy})", number.time());
    let mut today = match instantiations {
        [one] => format!("Instantiation takes {}; nothing else was measured.", name(one)),
        _ => format!("Instantiation takes {} to {}, without threads in the background.", name(least), name(most)),
    };
    if let Some(microvm) = published.claims(1).find_map(|claim| claim.ns) {
        let times = units::ratio(microvm / most.2.value);
        let _ = write!(today, " The {} quoted for a microVM are {times} the longest of them.", units::time(microvm));
    }
    let verdict = match most.2 {
        most if most.low > high => Verdict::NoLonger,
        most if most.value > high => Verdict::NotToldApart,
        _ => Verdict::Holds,
    };
    let range = format!("{} to {}", units::time(low), units::time(high));
    let changed = match (least.2, most.2) {
        (_, most) if most.high < low => format!("All of it is below the range of {range}."),
        (_, most) if most.low > high => {
            format!("The longest is {} the upper end of {range}.", units::ratio(most.value / high))
        }
        (_, most) if most.value > high => format!("The longest is beyond {range}, but its interval reaches into it."),
        (least, _) if least.high < low => {
            format!(
                "The shortest is {} the lower end of {range}; the longest lies within.",
                units::ratio(least.value / low)
            )
        }
        _ => format!("All of it lies within {range}."),
    };
    (verdict, today, changed)
}

/// Pairs of names of which the second one was claimed to be worse and is better here.
fn contradictions<'a>(order: &[(&'a str, Number)]) -> Vec<(&'a str, &'a str)> {
    let mut found = Vec::new();
    for (at, (better, ours)) in order.iter().enumerate() {
        let worse = order[at + 1..].iter().filter(|(_, other)| other.is_below(*ours));
        found.extend(worse.map(|(worse, _)| (*worse, *better)));
    }
    found
}

/// What an order that was claimed is worth: `number` gives what was measured of its members, less being better. The words say
/// what the members are called.
fn order(claimed: &[String], number: impl Fn(&str) -> Option<Number>, title: impl Fn(&str) -> String) -> Option<Found> {
    let measured: Vec<(&str, Number)> =
        claimed.iter().filter_map(|name| Some((name.as_str(), number(name)?))).collect();
    if measured.len() < 2 {
        return None;
    }
    let mut sorted = measured.clone();
    sorted.sort_by(|a, b| a.1.value.total_cmp(&b.1.value));
    let best = sorted[0].1;
    let show = |(at, (name, number)): (usize, &(&str, Number))| {
        let ratio = if at == 0 { String::new() } else { format!(" ({})", number.over(best).ratio()) };
        format!("{} {}{ratio}", title(name), number.time())
    };
    let today = sorted.iter().enumerate().map(show).collect::<Vec<_>>().join(", ");
    let against = contradictions(&measured);
    let in_order = measured.is_sorted_by(|a, b| a.1.value <= b.1.value);
    let (verdict, changed) = match against.as_slice() {
        [] if in_order => (Verdict::Holds, "The order is the same.".to_owned()),
        [] => (Verdict::NotToldApart, "The medians are in another order, but their intervals overlap.".to_owned()),
        all => {
            let words = all.iter().map(|(now, then)| format!("{} is now faster than {}", title(now), title(then)));
            (Verdict::NoLonger, format!("{}.", words.collect::<Vec<_>>().join("; ")))
        }
    };
    let lacking = claimed.iter().filter(|name| measured.iter().all(|(known, _)| known != name));
    let lacking: Vec<String> = lacking.map(|name| title(name)).collect();
    let lacking =
        if lacking.is_empty() { String::new() } else { format!(" Not measured here: {}.", lacking.join(", ")) };
    Some((verdict, format!("{today}.{lacking}"), changed))
}

/// 2: on the first platform that ran a function in two languages.
fn languages(platforms: &[Platform], published: &Published) -> Found {
    let title =
        |key: &str| LANGUAGES.iter().find(|(known, ..)| *known == key).map_or(key, |(_, title, _)| *title).to_owned();
    let claimed = claim(published, 2, |claim| !claim.order.is_empty()).order;
    let warm = |name: &str, language: &str| {
        platforms.iter().find(|p| p.name == name && p.language == language).and_then(Platform::warm)
    };
    let mut names: Vec<&'static str> =
        platforms.iter().filter(|platform| platform.wall == "wasm").map(|p| p.name).collect();
    names.dedup();
    let on = |name: &'static str| Some((name, order(&claimed, |language| warm(name, language), title)?));
    let Some((name, (verdict, today, mut changed))) = names.into_iter().find_map(on) else {
        return not_measured("no platform ran the function in two of the languages");
    };
    let mut today = format!("Fibonacci 32 on `{name}`, warm: {today}");
    for (key, title, _) in LANGUAGES.iter().filter(|(key, ..)| !claimed.iter().any(|known| known == key)) {
        if let Some(number) = warm(name, key) {
            let _ = write!(today, " {title}, which the thesis does not place: {}.", number.time());
        }
    }
    let scripts: Vec<Platform> =
        platforms.iter().filter(|p| p.language == "javascript" && p.wall != "wasm").cloned().collect();
    let inside = warm(name, "javascript");
    if let Some((inside, (script, v8))) = inside.zip(fastest_first(&scripts, Platform::warm).first()) {
        let times = inside.over(*v8).ratio();
        let _ = write!(
            changed,
            " The same JavaScript takes {} in `{}`: an engine inside of WebAssembly takes {times} as long.",
            v8.time(),
            script.name
        );
    }
    (verdict, today, changed)
}

/// 3: `number` gives the time of Fibonacci 40 by a runtime's name.
fn runtimes(number: &dyn Fn(&str) -> Option<Number>, published: &Published) -> Found {
    let title =
        |who: &str| RUNTIMES.iter().find(|(key, ..)| *key == who).map_or(who, |(_, title, _)| *title).to_owned();
    let claimed = claim(published, 3, |claim| !claim.order.is_empty()).order;
    let Some((verdict, today, mut changed)) = order(&claimed, number, title) else {
        return not_measured("fewer than two of the runtimes computed Fibonacci 40");
    };
    let Some(native) = number("native") else { return (verdict, format!("Fibonacci 40: {today}"), changed) };
    let mut changes: Vec<(&str, f64, Number)> = Vec::new();
    for who in &claimed {
        let theirs = published.value(6, "forty", who).and_then(|value| value.ratio);
        changes.extend(theirs.zip(number(who)).map(|(theirs, ours)| (who.as_str(), theirs, ours.over(native))));
    }
    let by = |(_, theirs, ours): &(&str, f64, Number)| (ours.value / theirs).ln().abs();
    if let Some((who, theirs, ours)) = changes.into_iter().max_by(|a, b| by(a).total_cmp(&by(b))) {
        let then = units::ratio(theirs);
        let _ = write!(changed, " {} has moved most: {} native code here, {then} then.", title(who), ours.ratio());
    }
    (verdict, format!("Fibonacci 40: {today}"), changed)
}

/// 4: `number` gives the time of Fibonacci `forty` or `thirty-two` by a runtime's name.
fn native(number: &dyn Fn(&str, &str) -> Option<Number>, published: &Published) -> Found {
    let claim = claim(published, 4, |claim| claim.short_ratio.is_some());
    let task = |what: &'static str, name: &'static str, claimed: Option<f64>| {
        let ratio = number(what, "wasmtime")?.over(number(what, "native")?);
        Some((name, ratio, claimed?))
    };
    let tasks =
        [task("thirty-two", "Fibonacci 32", claim.short_ratio), task("forty", "Fibonacci 40", claim.long_ratio)];
    let tasks: Vec<(&str, Number, f64)> = tasks.into_iter().flatten().collect();
    if tasks.is_empty() {
        return not_measured("native code or Wasmtime is missing beside the other");
    }
    let today = tasks.iter().map(|(name, ratio, _)| format!("{name} {}", ratio.ratio_with_interval()));
    let today = format!("Wasmtime's time to that of native code: {}.", today.collect::<Vec<_>>().join(", "));
    let same = |ratio: &Number, claimed: f64| (ratio.value - claimed).abs() <= TOLERANCE;
    let differs = |ratio: &Number, claimed: f64| ratio.high < claimed - TOLERANCE || ratio.low > claimed + TOLERANCE;
    let word = |(name, ratio, claimed): &(&str, Number, f64)| {
        let then = units::ratio(*claimed);
        match ratio.value {
            _ if same(ratio, *claimed) => format!("{name}: the same as {then}, within {TOLERANCE}"),
            _ if !differs(ratio, *claimed) => format!("{name}: the interval is too wide to tell it from {then}"),
            now if now < *claimed => format!("{name}: nearer to native code than {then}"),
            _ => format!("{name}: further from native code than {then}"),
        }
    };
    let changed = format!("{}.", tasks.iter().map(word).collect::<Vec<_>>().join("; "));
    let verdict = match tasks.as_slice() {
        all if all.iter().any(|(_, ratio, claimed)| differs(ratio, *claimed) && !same(ratio, *claimed)) => {
            Verdict::NoLonger
        }
        all if all.iter().all(|(_, ratio, claimed)| same(ratio, *claimed)) => Verdict::Holds,
        _ => Verdict::NotToldApart,
    };
    (verdict, today, changed)
}

/// 5: by the shortest cold start of each kind of wall.
fn walls(platforms: &[Platform], published: &Published) -> Found {
    let claimed = claim(published, 5, |claim| !claim.order.is_empty()).order;
    let best = |wall: &str| {
        let own: Vec<Platform> = platforms.iter().filter(|platform| platform.wall == wall).cloned().collect();
        fastest_first(&own, Platform::cold_start).first().map(|(platform, number)| (platform.name, *number))
    };
    let title =
        |wall: &str| best(wall).map_or_else(|| kind(wall).to_owned(), |(name, _)| format!("{} (`{name}`)", kind(wall)));
    match order(&claimed, |wall| best(wall).map(|(_, number)| number), title) {
        Some((verdict, today, changed)) => (verdict, format!("The shortest cold start of each: {today}"), changed),
        None => match best("wasm") {
            None => not_measured("no platform's cold start was measured"),
            Some((name, number)) => (
                Verdict::NotMeasured,
                format!("`{name}` starts in {}; nothing to compare with was measured.", number.time()),
                "Nothing can be said.".to_owned(),
            ),
        },
    }
}

fn kind(wall: &str) -> &str {
    match wall {
        "wasm" => "WebAssembly",
        "isolate" => "V8 isolates",
        "container" => "containers or microVMs",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn number(value: f64, share: f64) -> Number {
        Number { value, low: value * (1.0 - share), high: value * (1.0 + share) }
    }

    fn published() -> Published {
        Published::load()
    }

    #[test]
    fn a_start_up_within_the_range_holds() {
        let within = [("a", "on-demand", number(9e3, 0.1)), ("b", "pooling", number(30e3, 0.1))];
        let (verdict, today, changed) = start_up(&within, &published());
        assert_eq!(verdict, Verdict::Holds);
        assert_eq!(changed, "All of it lies within 5.00 µs to 40.0 µs.");
        assert_eq!(
            today,
            "Instantiation takes 9.00 µs (a, on-demand) to 30.0 µs (b, pooling), without threads in the background. The 125 ms \
             quoted for a microVM are 4167x the longest of them."
        );
    }

    #[test]
    fn a_start_up_below_the_range_holds_and_one_above_does_not() {
        let below = start_up(&[("a", "pooling", number(1e3, 0.1))], &published());
        assert!(below.0 == Verdict::Holds && below.2.starts_with("All of it is below"), "{below:?}");
        let both = start_up(&[("a", "p", number(1e3, 0.1)), ("b", "p", number(9e3, 0.1))], &published());
        assert!(both.0 == Verdict::Holds && both.2.starts_with("The shortest is 0.20x the lower end"), "{both:?}");
        let above = start_up(&[("a", "p", number(80e3, 0.1))], &published());
        assert!(above.0 == Verdict::NoLonger && above.2.starts_with("The longest is 2.00x the upper end"), "{above:?}");
        // An interval that reaches into the range contradicts nothing.
        assert_eq!(start_up(&[("a", "p", number(41e3, 0.1))], &published()).0, Verdict::NotToldApart);
        assert_eq!(start_up(&[], &published()).0, Verdict::NotMeasured);
    }

    fn ordered(times: &[(&str, f64)]) -> Found {
        let of = |who: &str| times.iter().find(|(name, _)| *name == who).map(|(_, ns)| number(*ns, 0.02));
        runtimes(&of, &published())
    }

    #[test]
    fn the_order_of_runtimes() {
        let same = ordered(&[("native", 1e8), ("wasmtime", 1.1e8), ("wasmer", 1.2e8), ("wasm3", 9e8)]);
        assert_eq!(same.0, Verdict::Holds);
        assert!(
            same.1.ends_with("Wasm3 (interpreter) 900 ms (8.18x). Not measured here: Node.js (V8), WasmEdge (AOT)."),
            "{same:?}"
        );
        assert!(same.2.contains("Wasm3 (interpreter) has moved most: 9.00x native code here, 4.82x then"), "{same:?}");
        let changed = ordered(&[("wasmtime", 1.1e8), ("wasmedge", 1.0e8)]);
        assert_eq!(changed.0, Verdict::NoLonger);
        assert_eq!(changed.2, "WasmEdge (AOT) is now faster than Wasmtime (JIT).");
        // What the intervals do not tell apart contradicts nothing, and confirms nothing.
        let close = ordered(&[("wasmtime", 1.01e8), ("wasmer", 1.0e8)]);
        assert!(
            close.0 == Verdict::NotToldApart && close.2.starts_with("The medians are in another order"),
            "{close:?}"
        );
        assert_eq!(ordered(&[("wasmtime", 1e8)]).0, Verdict::NotMeasured);
    }

    #[test]
    fn the_distance_to_native_code() {
        let found = |short: Option<f64>, long: Option<f64>| {
            let of = |what: &str, who: &str| {
                let ratio = if what == "forty" { long } else { short }?;
                Some(number(if who == "native" { 1e6 } else { ratio * 1e6 }, 0.01))
            };
            native(&of, &published())
        };
        assert_eq!(found(Some(1.35), Some(1.4)).0, Verdict::Holds);
        let nearer = found(Some(1.1), Some(1.4));
        assert_eq!(nearer.0, Verdict::NoLonger);
        assert_eq!(
            nearer.2,
            "Fibonacci 32: nearer to native code than 1.35x; Fibonacci 40: the same as 1.40x, within 0.1."
        );
        assert!(found(None, Some(1.9)).2.starts_with("Fibonacci 40: further from native code than 1.40x"));
        assert_eq!(found(None, None).0, Verdict::NotMeasured);
        let wide = |what: &str, who: &str| {
            let value = if who == "native" { 1.0 } else { 1.1 };
            (what == "forty").then(|| number(value, 0.3))
        };
        let wide = native(&wide, &published());
        assert!(wide.0 == Verdict::NotToldApart && wide.2.contains("too wide to tell it from 1.40x"), "{wide:?}");
    }

    fn platform(
        name: &'static str,
        wall: &'static str,
        language: &'static str,
        first_ms: f64,
        warm_ms: f64,
    ) -> Platform {
        let times = Ok((number(first_ms * 1e6, 0.01), number(warm_ms * 1e6, 0.01)));
        let running = times.as_ref().ok().map(|(_, warm)| *warm);
        Platform { name, wall, language, times, running }
    }

    #[test]
    fn languages_are_compared_on_one_platform() {
        let all = [
            platform("isobar/pooled", "wasm", "rust", 20.0, 10.0),
            platform("isobar/pooled", "wasm", "javascript", 2000.0, 1000.0),
            platform("isobar/pooled", "wasm", "go", 40.0, 20.0),
            platform("workerd/isolate", "isolate", "javascript", 90.0, 50.0),
        ];
        let (verdict, today, changed) = languages(&all, &published());
        assert_eq!(verdict, Verdict::Holds);
        assert!(
            today.contains("warm: Rust 10.0 ms, JavaScript 1.00 s (100x).") && today.contains("Go, which"),
            "{today}"
        );
        assert!(
            changed.ends_with("in `workerd/isolate`: an engine inside of WebAssembly takes 20.0x as long."),
            "{changed}"
        );
        assert_eq!(languages(&all[..1], &published()).0, Verdict::NotMeasured);
        let faster = [platform("a/a", "wasm", "rust", 20.0, 10.0), platform("a/a", "wasm", "javascript", 9.0, 5.0)];
        let (verdict, _, changed) = languages(&faster, &published());
        assert_eq!((verdict, changed.as_str()), (Verdict::NoLonger, "JavaScript is now faster than Rust."));
    }

    #[test]
    fn platforms_are_compared_by_their_cold_starts() {
        let wasm = platform("isobar/pooled", "wasm", "rust", 11.0, 10.0);
        let slower = platform("isobar/cached", "wasm", "rust", 60.0, 10.0);
        let isolate = platform("workerd/isolate", "isolate", "javascript", 25.0, 10.0);
        let container = platform("container/crun", "container", "rust", 90.0, 30.0);
        let holds = walls(&[slower.clone(), wasm.clone(), isolate.clone(), container.clone()], &published());
        assert_eq!(holds.0, Verdict::Holds);
        assert!(
            holds.1.starts_with("The shortest cold start of each: WebAssembly (`isobar/pooled`) 1.00 ms, V8"),
            "{holds:?}"
        );
        let changed = walls(&[slower, isolate], &published());
        assert_eq!(changed.0, Verdict::NoLonger);
        assert!(changed.1.ends_with("Not measured here: containers or microVMs."), "{changed:?}");
        assert_eq!(changed.2, "V8 isolates (`workerd/isolate`) is now faster than WebAssembly (`isobar/cached`).");
        let alone = walls(&[wasm], &published());
        assert!(alone.0 == Verdict::NotMeasured && alone.1.contains("starts in 1.00 ms"), "{alone:?}");
        assert_eq!(walls(&[], &published()).0, Verdict::NotMeasured);
    }

    #[test]
    fn without_evidence_every_question_is_answered_with_that() {
        let answers = answers(&Evidence::default(), &published());
        assert_eq!(answers.len(), 5);
        assert!(
            answers
                .iter()
                .all(|a| a.verdict == Verdict::NotMeasured && !a.then.is_empty() && a.today.starts_with("Nothing"))
        );
    }
}
