//! Parts of a report inside a document of somebody else: what stands between `<!-- isobar:NAME -->` and
//! `<!-- /isobar -->`, each alone on its line, is written anew; everything else stays as it is, byte for byte.

use super::document::{self, Block};
use super::summary::{Row, groups};
use super::{brief, markdown, tables};
use crate::chart;
use crate::names::did_you_mean;
use crate::record::Run;
use isobar_core::measure::Scale;

/// The names of the parts.
const NAMES: [&str; 4] = ["summary", "machine", "table", "charts"];

/// Why a document cannot be refreshed. Displayed as one line; lines count from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpliceError {
    /// There is nothing to refresh.
    #[error("has no part to refresh: write <!-- isobar:summary --> and <!-- /isobar -->, each on a line of its own")]
    NoMark,
    /// A part of another name.
    #[error("line {line}: no part is called '{name}' (there are {}){nearest}", NAMES.join(", "))]
    Unknown {
        /// In which line.
        line: usize,
        /// The name.
        name: String,
        /// Names that it may have been meant to be.
        nearest: String,
    },
    /// A part that does not end, or another one begins in it.
    #[error("line {line}: the part does not end: write <!-- /isobar --> on a line of its own below it")]
    Unclosed {
        /// Where it begins.
        line: usize,
    },
    /// The end of nothing.
    #[error("line {line}: <!-- /isobar --> ends nothing")]
    Stray {
        /// In which line.
        line: usize,
    },
    /// A part about what the run does not have.
    #[error("line {line}: the run has no {what}")]
    NotInRun {
        /// In which line.
        line: usize,
        /// What.
        what: String,
    },
}

/// `text` with its marked parts as the run has them:
///
/// | mark | part |
/// | --- | --- |
/// | `summary` | the run in a few sentences |
/// | `machine` | where, when and how it was measured |
/// | `table` | the best of each function and scenario |
/// | `table warm rust/hello` | the runtimes in that scenario and function |
/// | `charts` | all charts |
/// | `charts cold warm` | those |
///
/// `charts` is where the charts are, as seen from the document, with a slash at its end. Marks in fenced code are code.
///
/// # Errors
/// No part, an unknown one, one that does not end, or one about something that the run does not have.
pub fn splice(text: &str, run: &Run, rows: &[Row], charts: &str) -> Result<String, SpliceError> {
    let mut spliced = String::with_capacity(text.len());
    let (mut open, mut fence, mut parts) = (None, None::<&str>, 0);
    for (line, content) in (1..).zip(text.split_inclusive('\n')) {
        let trimmed = content.trim();
        let tick = ["```", "~~~"].into_iter().find(|tick| trimmed.starts_with(tick));
        match (fence, tick) {
            (None, Some(_)) if open.is_none() => fence = tick,
            (Some(own), Some(tick)) if own == tick => fence = None,
            _ => {}
        }
        let mark = trimmed.strip_prefix("<!--").and_then(|mark| mark.strip_suffix("-->")).map(str::trim);
        match (mark.filter(|_| fence.is_none() && tick.is_none()), open) {
            (Some("/isobar"), Some(_)) => open = None,
            (Some("/isobar"), None) => return Err(SpliceError::Stray { line }),
            (Some(mark), Some(line)) if mark.starts_with("isobar:") => return Err(SpliceError::Unclosed { line }),
            (Some(mark), None) if mark.starts_with("isobar:") => {
                open = Some(line);
                parts += 1;
                spliced.extend([content.trim_end(), "\n", &part(&mark["isobar:".len()..], line, run, rows, charts)?]);
                continue;
            }
            (_, Some(_)) => continue,
            _ => {}
        }
        spliced.push_str(content);
    }
    match open {
        Some(line) => Err(SpliceError::Unclosed { line }),
        None if parts == 0 => Err(SpliceError::NoMark),
        None => Ok(spliced),
    }
}

fn part(mark: &str, line: usize, run: &Run, rows: &[Row], charts: &str) -> Result<String, SpliceError> {
    let mut words = mark.split_whitespace();
    let name = words.next().unwrap_or_default();
    let words: Vec<&str> = words.collect();
    let not_in_run = |what: String| SpliceError::NotInRun { line, what };
    let blocks = match (name, words.as_slice()) {
        ("summary", []) => vec![Block::List(brief::sentences(run, rows))],
        ("machine", []) => vec![Block::Definitions(document::facts(run, rows))],
        ("table", []) => vec![Block::Table(tables::best(rows))],
        ("table", [scenario, function]) => {
            let wanted =
                |group: &&[Row]| group[0].cell.scenario.to_string() == *scenario && group[0].cell.function == *function;
            let group = groups(rows).find(wanted).ok_or_else(|| not_in_run(format!("{scenario} of {function}")))?;
            let rate = group[0].cell.scenario.scenario().scale() == Scale::Rate;
            vec![Block::Table(if rate { tables::over_load(&[group]) } else { tables::latency(group) })]
        }
        ("charts", names) => {
            let known: Vec<&chart::Chart> = chart::wanted(run, rows).collect();
            if let Some(missing) = names.iter().find(|name| known.iter().all(|chart| chart.name != **name)) {
                let near = did_you_mean(missing, known.iter().map(|chart| chart.name));
                return Err(not_in_run(format!("chart '{missing}'{near}")));
            }
            let wanted = |chart: &&&chart::Chart| names.is_empty() || names.contains(&chart.name);
            chart::wanted(run, rows).filter(|chart| wanted(&chart)).map(Block::Chart).collect()
        }
        _ => {
            let nearest = did_you_mean(name, NAMES);
            return Err(SpliceError::Unknown { line, name: mark.trim().to_owned(), nearest });
        }
    };
    Ok(markdown::blocks(&blocks, charts) + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{rows, synthetic};

    fn spliced(text: &str) -> Result<String, SpliceError> {
        let run = synthetic::run(3, 2, 2, 3, false);
        splice(text, &run, &rows(&run), "docs/charts/")
    }

    #[test]
    fn only_what_is_marked_changes_and_twice_is_once() {
        let text = "# Title\r\n\n<!-- isobar:summary -->\nOLD\n<!-- /isobar -->\n```\n<!-- isobar:nothing -->\n```\nbetween\n  \
                    <!-- isobar:table warm rust/hello -->\n<!-- /isobar -->\n<!--isobar:charts cold-->\n<!-- /isobar -->\nend";
        let once = spliced(text).unwrap();
        assert!(
            once.starts_with("# Title\r\n\n<!-- isobar:summary -->\n\n- ") && once.ends_with("<!-- /isobar -->\nend"),
            "{once}"
        );
        assert!(once.contains("```\n<!-- isobar:nothing -->\n```\nbetween\n") && !once.contains("OLD"));
        assert!(once.contains("](docs/charts/cold.svg)\n\n<!-- /isobar -->") && !once.contains("warm.svg"));
        assert!(once.contains("| Runtime | Median |"));
        assert_eq!(spliced(&once).unwrap(), once);
    }

    #[test]
    fn marks_that_say_nothing_are_named_with_their_line() {
        let line = |text: &str| spliced(text).unwrap_err().to_string();
        assert!(line("nothing\n").starts_with("has no part"));
        assert!(line("\n<!-- isobar:sumary -->\n<!-- /isobar -->").contains(
            "line 2: no part is called 'sumary' (there are summary, machine, table, charts); did you mean summary?"
        ));
        assert!(line("<!-- isobar:charts -->\n").starts_with("line 1: the part does not end"));
        assert!(
            line("<!-- isobar:charts -->\n<!-- isobar:table -->\n<!-- /isobar -->").starts_with("line 1: the part")
        );
        assert!(line("\n\n<!-- /isobar -->").starts_with("line 3: "));
        assert!(
            line("<!-- isobar:charts could -->\n<!-- /isobar -->").contains("no chart 'could'; did you mean cold?")
        );
        assert!(line("<!-- isobar:table warm c/none -->\n<!-- /isobar -->").contains("no warm of c/none"));
    }
}
