//! What others published, as `published.toml` has it.

use serde::Deserialize;
use std::collections::BTreeMap;

const FILE: &str = include_str!("published.toml");

/// All of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Published {
    /// What the numbers are from, by their keys.
    pub sources: BTreeMap<String, Source>,
    /// What they were measured on, by its keys.
    pub machines: BTreeMap<String, String>,
    /// The numbers.
    #[serde(rename = "value")]
    pub values: Vec<Value>,
    /// What the research questions were answered with.
    #[serde(rename = "claim")]
    pub claims: Vec<Claim>,
}

/// What a number is from.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Author, title, year.
    pub title: String,
    /// Of what was measured.
    pub versions: String,
}

/// A published number.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Value {
    /// The figure or table, 1 to 10.
    pub item: u8,
    /// What was measured.
    pub what: String,
    /// Of whom.
    pub who: String,
    /// A key of [`Published::machines`].
    pub machine: String,
    /// A key of [`Published::sources`].
    pub source: String,
    /// Where it stands there.
    pub place: String,
    /// A time in nanoseconds.
    pub ns: Option<f64>,
    /// Its published uncertainty, in nanoseconds.
    pub plus_minus_ns: Option<f64>,
    /// The ends of a range of times, in nanoseconds.
    pub low_ns: Option<f64>,
    /// See `low_ns`.
    pub high_ns: Option<f64>,
    /// The 99th percentile, in nanoseconds.
    pub p99_ns: Option<f64>,
    /// Requests per second.
    pub per_second: Option<f64>,
    /// A ratio, to native code if `what` does not say otherwise.
    pub ratio: Option<f64>,
    /// The ends of a range of ratios.
    pub low_ratio: Option<f64>,
    /// See `low_ratio`.
    pub high_ratio: Option<f64>,
    /// How many times larger a module became.
    pub growth: Option<f64>,
    /// The size of a module, in bytes.
    pub plain_bytes: Option<u64>,
    /// The size of its snapshot, in bytes.
    pub snapshot_bytes: Option<u64>,
}

/// What a research question was answered with.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// Which question, 1 to 5.
    pub question: u8,
    /// The answer, in a sentence of ours.
    pub text: String,
    /// A time in nanoseconds.
    pub ns: Option<f64>,
    /// The ends of a range of times, in nanoseconds.
    pub low_ns: Option<f64>,
    /// See `low_ns`.
    pub high_ns: Option<f64>,
    /// How many times longer short tasks take.
    pub short_ratio: Option<f64>,
    /// How many times longer long tasks take.
    pub long_ratio: Option<f64>,
    /// The best first.
    #[serde(default)]
    pub order: Vec<String>,
}

impl Published {
    /// What is in the repository.
    ///
    /// # Panics
    /// The file is not as it must be, which a test rules out.
    pub fn load() -> Published {
        toml::from_str(FILE).expect("published.toml is sound")
    }

    /// A number, of the first machine that the file has for it.
    pub fn value(&self, item: u8, what: &str, who: &str) -> Option<&Value> {
        self.values.iter().find(|v| (v.item, v.what.as_str(), v.who.as_str()) == (item, what, who))
    }

    /// The numbers of an item.
    pub fn of_item(&self, item: u8) -> impl Iterator<Item = &Value> {
        self.values.iter().filter(move |value| value.item == item)
    }

    /// The claims about a question.
    pub fn claims(&self, question: u8) -> impl Iterator<Item = &Claim> {
        self.claims.iter().filter(move |claim| claim.question == question)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_sound() {
        let published = Published::load();
        for value in &published.values {
            assert!((1..=10).contains(&value.item), "{value:?}");
            assert!(published.sources.contains_key(&value.source) && published.machines.contains_key(&value.machine));
            let range = value.low_ns.zip(value.high_ns).map(|(low, high)| low < high);
            assert_eq!(value.low_ns.is_some(), value.high_ns.is_some());
            assert!(range != Some(false), "{value:?}");
            let any = [value.ns, value.low_ns, value.ratio, value.low_ratio].iter().flatten().all(|n| *n > 0.0);
            assert!(any && (value.ns.is_some() || range.is_some() || value.ratio.or(value.low_ratio).is_some()));
        }
        for question in 1..=5 {
            assert!(published.claims(question).count() > 0);
        }
    }

    /// The ratios of the tables are those of their times.
    #[test]
    fn published_ratios_are_the_ratios_of_published_times() {
        let published = Published::load();
        for value in published.values.iter().filter(|v| [6, 7].contains(&v.item)) {
            let same = |v: &&Value| (v.item, &v.what, &v.machine) == (value.item, &value.what, &value.machine);
            let native = published.values.iter().filter(same).find(|v| v.who == "native").unwrap();
            let ratio = value.ns.unwrap() / native.ns.unwrap();
            assert!((ratio / value.ratio.unwrap() - 1.0).abs() < 0.01, "{value:?}: {ratio}");
        }
    }
}
