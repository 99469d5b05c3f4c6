//! What became of functions that try what they must not do: verdicts, and no numbers.

use super::document::{Block, Entry, Table};
use super::words;
use crate::record::{Record, Run};
use comfy_table::{Attribute, Cell, Color, presets};
use isobar_core::measure::{ATTEMPTS, Attempt, Verdict};
use isobar_core::{Class, Form, RuntimeId};
use std::fmt::Write;

/// Whether a record holds verdicts. One that failed is shown where everything else is that failed.
pub(super) fn is_verdict(record: &Record) -> bool {
    record.cell.scenario.scenario().verdicts() && record.result.is_ok()
}

/// One function in one runtime.
struct Finding<'a> {
    runtime: &'a RuntimeId,
    class: Class,
    form: Form,
    attempts: &'a [Attempt],
}

impl Finding<'_> {
    fn of(&self, name: &str) -> Option<&Attempt> {
        self.attempts.iter().find(|attempt| attempt.attempt == name)
    }
}

/// By function in the run's order; by class, then by name.
fn findings(run: &Run) -> Vec<(&str, Vec<Finding<'_>>)> {
    let mut functions = Vec::new();
    for function in &run.header.functions {
        let of_function = |record: &&Record| record.cell.function == function.name && is_verdict(record);
        let mut found: Vec<Finding> =
            run.records.iter().filter(of_function).filter_map(|record| of(run, record)).collect();
        found.sort_by_key(|finding| (finding.class, finding.form, finding.runtime));
        found.dedup_by_key(|finding| finding.runtime);
        if !found.is_empty() {
            functions.push((function.name.as_str(), found));
        }
    }
    functions
}

fn of<'a>(run: &'a Run, record: &'a Record) -> Option<Finding<'a>> {
    let attempts = &record.result.as_ref().ok()?.attempts;
    let info = run.header.runtimes.iter().find(|info| info.id == record.cell.runtime);
    let (class, form) = info.map(|info| (info.class, info.form)).unwrap_or_default();
    Some(Finding { runtime: &record.cell.runtime, class, form, attempts })
}

const WORDS: &str = "A function tries what it must not do, each attempt in a process of its own. ✓ denied: it did not get what it \
                     wanted. ✓ ended: it was stopped, by a limit or a trap. ✗ allowed: it got what it wanted; where that can \
                     be seen from outside, it was. ! host lost: the process that ran it did not answer the next, harmless \
                     invocation, so everything else that it ran was lost as well. An interpreter or a process which is \
                     denied nothing is not broken: this is the wall that it has. What this does not show is in \
                     docs/ISOLATION.md.";

/// What the reports say of it; nothing where nothing was tried.
pub(super) fn blocks(run: &Run) -> Vec<Block> {
    let run = &*super::machines_apart(run);
    let functions = findings(run);
    if functions.is_empty() {
        return Vec::new();
    }
    let mut blocks = vec![Block::Heading(2, "Isolation".to_owned()), Block::Paragraph(WORDS.to_owned())];
    for (function, found) in &functions {
        blocks.push(Block::Heading(3, format!("Isolation, {function}")));
        blocks.push(Block::Table(matrix(found)));
        blocks.push(Block::Details(format!("The evidence, {function}"), vec![Block::Table(evidence(found))]));
    }
    let meanings = ATTEMPTS.iter().map(|kind| (words::capitalised(kind.title), kind.meaning.to_owned()));
    blocks.push(Block::Details("What is tried".to_owned(), vec![Block::Definitions(meanings.collect())]));
    blocks
}

/// What stands between a function and its host, and what it is loaded as, where that is no module.
fn wall(finding: &Finding) -> String {
    match finding.form {
        Form::Wasm => finding.class.name().to_owned(),
        form => format!("{}, {}", finding.class.name(), form.name()),
    }
}

/// A mark that needs no colour, and the word.
fn mark(attempt: &Attempt) -> &'static str {
    match (attempt.verdict, attempt.host_survived) {
        (Verdict::Allowed, _) => "✗",
        (_, false) => "!",
        (Verdict::Denied | Verdict::Ended, true) => "✓",
        (Verdict::NotApplicable, true) => "–",
    }
}

fn entry(attempt: Option<&Attempt>) -> Entry {
    let Some(attempt) = attempt else { return Entry::text("-") };
    let word = match attempt.verdict {
        Verdict::NotApplicable => "none",
        verdict => verdict.name(),
    };
    let host = if attempt.host_survived { "" } else { ", host lost" };
    let text = format!("{} {word}{host}", mark(attempt));
    if matches!(mark(attempt), "✓" | "–") { Entry::text(text) } else { Entry::failed(text) }
}

/// A row for each runtime, a column for each attempt.
fn matrix(found: &[Finding]) -> Table {
    let titles = ATTEMPTS.iter().map(|kind| words::capitalised(kind.title));
    let header = ["Runtime", "Wall"].map(str::to_owned).into_iter().chain(titles).collect();
    let row = |finding: &Finding| {
        let names = [finding.runtime.to_string(), wall(finding)].map(Entry::text);
        names.into_iter().chain(ATTEMPTS.iter().map(|kind| entry(finding.of(kind.name)))).collect()
    };
    Table { header, rows: found.iter().map(row).collect(), numbers: false }
}

/// A row for each runtime and attempt.
fn evidence(found: &[Finding]) -> Table {
    let header = ["Runtime", "Attempt", "Verdict", "Evidence", "The next invocation"].map(str::to_owned).to_vec();
    let row = |finding: &Finding, attempt: &Attempt| {
        let title = attempt.kind().map_or(attempt.attempt.as_str(), |kind| kind.title);
        let after = if attempt.host_survived { "answered" } else { &attempt.host_evidence };
        let [runtime, title, evidence, after] =
            [finding.runtime.as_str(), title, &attempt.evidence, after].map(|text: &str| Entry::text(text));
        vec![runtime, title, entry(Some(attempt)), evidence, after]
    };
    let rows = found.iter().flat_map(|finding| finding.attempts.iter().map(move |attempt| row(finding, attempt)));
    Table { header, rows: rows.collect(), numbers: false }
}

/// A table for each function that tries something: a row for each runtime, a mark for each attempt. `styled` puts colours
/// in.
pub fn terminal(run: &Run, styled: bool) -> String {
    let mut text = String::new();
    for (function, found) in findings(run) {
        let mut table = comfy_table::Table::new();
        table.load_style(presets::NOTHING);
        if styled {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        let shorts = ATTEMPTS.iter().map(|kind| kind.short);
        table.set_header(["", "wall"].into_iter().chain(shorts).map(|h| Cell::new(h).add_attribute(Attribute::Dim)));
        for finding in &found {
            let cell = |name: &str| match finding.of(name).map(mark) {
                Some(mark @ ("✗" | "!")) => Cell::new(mark).fg(Color::Red),
                mark => Cell::new(mark.unwrap_or("-")),
            };
            let names = [Cell::new(finding.runtime.as_str()), Cell::new(wall(finding))];
            table.add_row(names.into_iter().chain(ATTEMPTS.iter().map(|kind| cell(kind.name))));
        }
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{function} · isolation ({LEGEND})\n{}\n", table.trim_fmt());
    }
    text
}

const LEGEND: &str =
    "✓ denied or ended, ✗ allowed, ! the host was lost, – nothing to try; the evidence is in the report";
