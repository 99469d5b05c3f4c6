//! Names the browser and its major version of each User-Agent line on standard input, by the patterns of uap-core. What
//! takes long is compiling them, which can be in a snapshot.

use input::Refusal;
use regex::bytes::{Captures, Regex, RegexBuilder, RegexSet, RegexSetBuilder};
use std::{borrow::Cow, fmt::Write, process::ExitCode, sync::OnceLock};

/// A line for each: an expression, the browser's name if it is not the first group, the version if it is not the second.
/// The first one that matches counts.
const PATTERNS: &str = include_str!("patterns.tsv");
/// More than all of them need.
const COMPILED_BYTES: usize = 1 << 26;

static PARSER: OnceLock<Parser> = OnceLock::new();

/// Wizer calls this, and takes a snapshot behind it.
#[cfg(target_family = "wasm")]
#[unsafe(export_name = "wizer-initialize")]
extern "C" fn snapshot() {
    parser();
}

pub fn main() -> ExitCode {
    input::answer_bytes(input::stdin().and_then(|lines| parse(&lines)))
}

/// Compiled now, if it is not there.
fn parser() -> &'static Parser {
    PARSER.get_or_init(Parser::new)
}

fn parse(lines: &[u8]) -> Result<String, Refusal> {
    let mut out = String::new();
    for line in lines.split(|&b| b == b'\n').filter(|line| !line.is_empty()) {
        let line = std::str::from_utf8(line).map_err(|_| Refusal::stdin("is not UTF-8"))?;
        let (name, version) = parser().browser(line).unwrap_or(("Other".into(), ""));
        writeln!(out, "{name} {}", if version.is_empty() { "-" } else { version }).expect("memory can be written");
    }
    Ok(out)
}

struct Rule {
    pattern: Regex,
    name: &'static str,
    version: &'static str,
}

struct Parser {
    /// Finds out which patterns match, all at once.
    any: RegexSet,
    rules: Vec<Rule>,
}

impl Parser {
    fn new() -> Self {
        let lines = || PATTERNS.lines().map(|line| line.splitn(3, '\t'));
        let patterns: Vec<&str> = lines().filter_map(|mut fields| fields.next()).collect();
        let rule = |mut fields: std::str::SplitN<'static, char>| {
            let pattern = fields.next().unwrap_or_default();
            let pattern = RegexBuilder::new(pattern).unicode(false).build().expect("the pattern is correct");
            let (name, version) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
            Rule { pattern, name, version }
        };
        let any = RegexSetBuilder::new(patterns).unicode(false).size_limit(COMPILED_BYTES).build();
        Parser { any: any.expect("the patterns are correct"), rules: lines().map(rule).collect() }
    }

    fn browser<'a>(&self, line: &'a str) -> Option<(Cow<'static, str>, &'a str)>
    where
        'static: 'a,
    {
        let rule = &self.rules[self.any.matches(line.as_bytes()).iter().next()?];
        let groups = rule.pattern.captures(line.as_bytes())?;
        let first = group(&groups, line, 1);
        let name = match rule.name {
            "" => Cow::Owned(first.to_owned()),
            name if name.contains("$1") => Cow::Owned(name.replace("$1", first)),
            name => Cow::Borrowed(name),
        };
        let version = if rule.version.is_empty() { group(&groups, line, 2) } else { rule.version };
        Some((name, version))
    }
}

/// The text of a group; empty if it is not part of the match, or a character is only half in it.
fn group<'a>(groups: &Captures, line: &'a str, at: usize) -> &'a str {
    groups.get(at).and_then(|found| line.get(found.range())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{PATTERNS, parse};

    #[test]
    fn replacements_have_no_group_but_the_first() {
        for line in PATTERNS.lines() {
            let fields: Vec<&str> = line.split('\t').collect();
            assert_eq!(fields.len(), 3, "{line}");
            assert!(!fields[1].replace("$1", "").contains('$') && !fields[2].contains('$'), "{line}");
        }
    }

    #[test]
    fn the_first_pattern_counts_and_names_or_copies() {
        let lines = b"Opera Mini/7.1\n\nnothing\nMozilla/5.0 Firefox/125.0\n";
        assert_eq!(parse(lines).unwrap(), "Opera Mini 7\nOther -\nFirefox 125\n");
        assert!(parse(b"\xff").unwrap_err().to_string().contains("not UTF-8"));
    }
}
