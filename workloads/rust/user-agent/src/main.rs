//! Counts browsers and their versions in the User-Agent lines on standard input.

use input::Refusal;
use regex::bytes::Regex;
use std::{collections::BTreeMap, fmt::Write, hint::black_box, process::ExitCode, sync::OnceLock};

/// Token, browser, and what must occur, too; the first one that occurs counts.
const TOKENS: [(&str, &str, Option<&str>); 11] = [
    ("Googlebot/", "Googlebot", None),
    ("bingbot/", "bingbot", None),
    ("Edg/", "Edge", None),
    ("OPR/", "Opera", None),
    ("SamsungBrowser/", "Samsung Internet", None),
    ("Firefox/", "Firefox", None),
    ("FxiOS/", "Firefox", None),
    ("CriOS/", "Chrome", None),
    ("Chrome/", "Chrome", None),
    ("Version/", "Safari", Some("Safari/")),
    ("curl/", "curl", None),
];

static RULES: OnceLock<Vec<Rule>> = OnceLock::new();

/// Wizer calls this, and takes a snapshot behind it.
#[cfg(target_family = "wasm")]
#[unsafe(export_name = "wizer-initialize")]
extern "C" fn snapshot() {
    rules();
}

/// Compiled now, if they are not there.
fn rules() -> &'static [Rule] {
    RULES.get_or_init(Rule::all)
}

pub fn main() -> ExitCode {
    input::answer_bytes(run())
}

fn run() -> Result<String, Refusal> {
    let iterations = input::iterations()?;
    let lines = input::stdin()?;
    let rules = rules();
    Ok(input::repeat(iterations, || count(black_box(&lines), rules)))
}

struct Rule {
    pattern: Regex,
    name: &'static str,
    also: Option<Regex>,
}

impl Rule {
    fn all() -> Vec<Self> {
        let regex = |pattern: &str| Regex::new(pattern).expect("the pattern is correct");
        let rule = |&(token, name, also): &(&str, _, Option<&str>)| Rule {
            pattern: regex(&format!("{token}([0-9]{{0,9}})")),
            name,
            also: also.map(regex),
        };
        TOKENS.iter().map(rule).collect()
    }

    /// The version, if this is the browser.
    fn version(&self, line: &[u8]) -> Option<u32> {
        let found = self.pattern.captures(line)?;
        if self.also.as_ref().is_some_and(|also| !also.is_match(line)) {
            return None;
        }
        let digits = std::str::from_utf8(&found[1]).expect("digits are UTF-8");
        // At most nine, so it can only fail if there are none.
        Some(digits.parse().unwrap_or(0))
    }
}

fn count(lines: &[u8], rules: &[Rule]) -> String {
    let mut counts: BTreeMap<(&str, u32), u64> = BTreeMap::new();
    for line in lines.split(|&b| b == b'\n').filter(|line| !line.is_empty()) {
        let found = rules.iter().find_map(|rule| rule.version(line).map(|version| (rule.name, version)));
        *counts.entry(found.unwrap_or(("other", 0))).or_default() += 1;
    }
    let mut out = String::new();
    for ((name, version), count) in counts {
        writeln!(out, "{name} {version} {count}").expect("memory can be written");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Rule, count};

    #[test]
    fn the_first_token_of_the_list_counts() {
        let lines = b"Chrome/1 Edg/2\n\nVersion/17.1\nVersion/17.1 Safari/6\nFirefox/x\ncurl/10\ncurl/9";
        assert_eq!(count(lines, &Rule::all()), "Edge 2 1\nFirefox 0 1\nSafari 17 1\ncurl 9 1\ncurl 10 1\nother 0 1\n");
        assert_eq!(count(b"\xff Firefox/1234567890", &Rule::all()), "Firefox 123456789 1\n");
    }
}
