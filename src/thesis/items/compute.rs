//! 6 and 7: computing, beside native code.

use super::{NONE, Section, Table, beside, beside_nothing, missing, sources, strings};
use crate::report::units;
use crate::thesis::evidence::{Evidence, Missing};
use crate::thesis::figures;
use crate::thesis::number::Number;
use crate::thesis::parts::RUNTIMES;
use crate::thesis::published::Published;

const FIBONACCI: &str = "6-fibonacci";
const BLAKE3: &str = "7-blake3";

/// `repeated` computes Fibonacci 32 so many times more often than `default`.
const FIBONACCI_APART: f64 = 5.0;
/// `repeated` hashes so many times more often than `once`.
const HASHES_APART: f64 = 100_000.0;

const HEADER: [&str; 9] = [
    "runtime",
    "measured as",
    "time",
    "95 % interval",
    "to native",
    "thesis",
    "thesis, to native",
    "time, here / thesis",
    "to native, here / thesis",
];

/// The time of one runtime of the tables, and which runtime that was.
pub type Found = Result<(&'static str, Number), Missing>;

/// The times of a Fibonacci number by the runtimes' names: `forty` or `thirty-two`.
pub fn fibonacci<'a>(evidence: &'a Evidence, what: &'a str) -> impl Fn(&str) -> Found + 'a {
    move |who| {
        first(who, |runtime| match what {
            "forty" => evidence.number(FIBONACCI, (runtime, "rust/fibonacci:forty", "warm")),
            _ => evidence.each(FIBONACCI, runtime, ["rust/fibonacci", "rust/fibonacci:repeated"], FIBONACCI_APART),
        })
    }
}

/// The time of one hash by the runtimes' names.
pub fn hash(evidence: &Evidence) -> impl Fn(&str) -> Found + '_ {
    |who| {
        first(who, |runtime| evidence.each(BLAKE3, runtime, ["rust/blake3:once", "rust/blake3:repeated"], HASHES_APART))
    }
}

/// The number of the first of a line's runtimes that has one; else why the last has none.
fn first(who: &str, number: impl Fn(&str) -> Result<Number, Missing>) -> Found {
    let runtimes = RUNTIMES.iter().find(|(name, ..)| *name == who).map_or(&[][..], |(.., runtimes)| *runtimes);
    let mut found = Err("not measured here".to_owned());
    for runtime in runtimes {
        found = number(runtime).map(|number| (*runtime, number));
        if found.is_ok() {
            break;
        }
    }
    found
}

pub(super) fn fibonacci_section(evidence: &Evidence, published: &Published) -> Section {
    let [forty, thirty_two] = ["forty", "thirty-two"].map(|what| {
        let of = fibonacci(evidence, what);
        table(published, 6, what, "t2", &of)
    });
    Section {
        item: 6,
        title: "Fibonacci 40 and 32 beside native code".to_owned(),
        words: vec![
            "`rust/fibonacci` by plain recursion, scenario `warm`; native code is the function's library, called in a process that \
             lives. The first table is Fibonacci 40, the time of an invocation. \
             The second one is Fibonacci 32, a sixth repetition's share of an invocation that computes it six times, less one \
             that computes it once: what an invocation costs besides falls out."
                .to_owned(),
            sources(published, 6),
        ],
        tables: vec![forty, thirty_two],
        drawings: figures::fibonacci(evidence, published).into_iter().collect(),
    }
}

pub(super) fn blake3_section(evidence: &Evidence, published: &Published) -> Section {
    let of = hash(evidence);
    Section {
        item: 7,
        title: "Blake3 of \"Hello World\" beside native code".to_owned(),
        words: vec![
            "`rust/blake3`, scenario `warm`: one of 100,000 hashes within an invocation, what an invocation with a single hash \
             takes being subtracted, for native code, which is called in a process that lives, as for all others. The first table has the thesis' t2.medium beside it, the second one its M1 Pro."
                .to_owned(),
            sources(published, 7),
        ],
        tables: vec![table(published, 7, "hash", "t2", &of), table(published, 7, "hash", "m1", &of)],
        drawings: figures::blake3(evidence, published).into_iter().collect(),
    }
}

fn table(published: &Published, item: u8, what: &str, machine: &str, of: &dyn Fn(&str) -> Found) -> Table {
    let native = of("native").ok().map(|(_, number)| number);
    let row = |(who, title, _): &(&'static str, &'static str, &[&str])| {
        let value = published
            .of_item(item)
            .find(|v| (v.what.as_str(), v.who.as_str(), v.machine.as_str()) == (what, who, machine));
        let published_ratio = value.and_then(|value| value.ratio);
        let theirs = published_ratio.map_or_else(|| NONE.to_owned(), units::ratio);
        match of(who) {
            Err(why) => {
                let mut row = beside_nothing(missing(strings(&[title]), &why, HEADER.len()), 5, value);
                row[6] = theirs;
                row
            }
            Ok((runtime, number)) => {
                let to_native =
                    native.map(|native| if *who == "native" { Number::exact(1.0) } else { number.over(native) });
                let [time, compared] = beside(value, number);
                let ratios = to_native.zip(published_ratio).map(|(ours, theirs)| units::ratio(ours.value / theirs));
                vec![
                    (*title).to_owned(),
                    format!("`{runtime}`"),
                    number.time(),
                    number.time_interval(),
                    to_native.map_or_else(|| NONE.to_owned(), Number::ratio_with_interval),
                    time,
                    theirs,
                    compared,
                    ratios.unwrap_or_else(|| NONE.to_owned()),
                ]
            }
        }
    };
    Table { header: strings(&HEADER), rows: RUNTIMES.iter().map(row).collect() }
}
