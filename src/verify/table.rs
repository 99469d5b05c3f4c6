//! What is printed of a verification: the matrix, the disagreements, and a line for whatever is not as it should be.

use super::choice::rank;
use super::{Checked, Disagreement, Distinct, Input, Verdict, Verification};
use crate::compare::{Answer, Entry, Grid, Tone};
use isobar_core::RuntimeId;
use serde::Serialize;
use std::collections::BTreeMap;

/// With more runtimes, columns have letters, which are explained below.
const NAMED_COLUMNS: usize = 5;
/// So many names are listed where nothing failed.
const LISTED: usize = 8;
/// So many runtimes are named that gave the same answer where others gave another one.
const NAMED: usize = 2;
/// Where a function has no such size or case.
const NOTHING: char = '·';

/// A cell, for programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The function.
    pub function: String,
    /// The SHA-256 of its module; empty if the module is not here.
    pub module_sha256: String,
    /// `size` or `case`; empty if the module is not here.
    pub kind: &'static str,
    /// The name of the size or case.
    pub input: String,
    /// The runtime; empty if the module is not here.
    pub runtime: String,
    /// Its version.
    pub version: String,
    /// `ok`, `failed`, `known failure`, `unsupported`, `slow`, `not run` or `absent`.
    pub verdict: &'static str,
    /// Why.
    pub reason: Option<String>,
    /// Whether runtimes gave different answers to this input.
    pub disagreement: bool,
    /// The function's exit code, if it answered.
    pub exit_code: Option<i32>,
    /// The length of its standard output, in bytes.
    pub stdout_bytes: Option<usize>,
    /// The SHA-256 of its standard output.
    pub stdout_sha256: Option<String>,
}

/// The words for verdicts and their marks, worst first.
const KINDS: [(&str, char); 7] = [
    ("failed", 'F'),
    ("known failure", 'K'),
    ("unsupported", 'U'),
    ("slow", 'S'),
    ("not run", '-'),
    ("absent", 'A'),
    ("ok", '✓'),
];

fn kind(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "ok",
        Verdict::Failed(_) => "failed",
        Verdict::Known(..) => "known failure",
        Verdict::Unsupported(_) => "unsupported",
        Verdict::Slow(_) => "slow",
        Verdict::NotRun(_) => "not run",
    }
}

fn reason(verdict: &Verdict) -> Option<String> {
    match verdict {
        Verdict::Passed => None,
        Verdict::Failed(what) | Verdict::Slow(what) | Verdict::NotRun(what) => Some(what.clone()),
        Verdict::Unsupported(what) => Some(format!("needs {what}")),
        Verdict::Known(why, None) => Some(format!("{why}; not tried")),
        Verdict::Known(why, Some(seen)) => Some(format!("{why}; seen: {seen}")),
    }
}

fn mark(kind: &str) -> char {
    KINDS.iter().find(|(name, _)| *name == kind).map_or('?', |(_, mark)| *mark)
}

fn severity(kind: &str) -> usize {
    KINDS.iter().position(|(name, _)| *name == kind).unwrap_or(KINDS.len())
}

/// The whole answer.
pub fn answer(verification: &Verification) -> Answer<Row> {
    let mut rows: Vec<Row> = verification.checked.iter().map(|cell| row(cell, &verification.disagreements)).collect();
    rows.extend(verification.unbuilt.iter().map(|unbuilt| absent(&unbuilt.name, &unbuilt.reason)));
    let (matrix, legend) = matrix(verification);
    let mut grids = vec![matrix];
    if !verification.disagreements.is_empty() {
        grids.push(disagreements(&verification.disagreements));
    }
    let mut notes = legend;
    notes.extend(lines(&rows));
    notes.extend(verification.mended.iter().cloned());
    notes.extend(verification.absent.iter().map(|absent| format!("absent: {}: {}", absent.family, absent.reason)));
    notes.push(counts(&rows, verification.disagreements.len()));
    Answer { rows, notes, grids }
}

fn row(cell: &Checked, disagreements: &[Disagreement]) -> Row {
    let about = |other: &Disagreement| other.function == cell.function && other.input == cell.input;
    let answered = cell.answered.as_ref();
    Row {
        function: cell.function.clone(),
        module_sha256: cell.module_sha256.clone(),
        kind: if matches!(cell.input, Input::Size(_)) { "size" } else { "case" },
        input: cell.input.name().to_owned(),
        runtime: cell.runtime.to_string(),
        version: cell.version.clone(),
        verdict: kind(&cell.verdict),
        reason: reason(&cell.verdict),
        disagreement: disagreements.iter().any(about),
        exit_code: answered.map(|answered| answered.exit_code),
        stdout_bytes: answered.map(|answered| answered.stdout_bytes),
        stdout_sha256: answered.map(|answered| answered.stdout_sha256.clone()),
    }
}

fn absent(function: &str, reason: &str) -> Row {
    Row {
        function: function.to_owned(),
        module_sha256: String::new(),
        kind: "",
        input: String::new(),
        runtime: String::new(),
        version: String::new(),
        verdict: "absent",
        reason: Some(reason.to_owned()),
        disagreement: false,
        exit_code: None,
        stdout_bytes: None,
        stdout_sha256: None,
    }
}

/// What stands for one input in a cell: a size, or all cases together.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Slot {
    Size(usize, String),
    Cases,
}

impl Slot {
    fn of(input: &Input) -> Slot {
        match input {
            Input::Size(name) => Slot::Size(rank(name), name.clone()),
            Input::Case(_) => Slot::Cases,
        }
    }

    fn name(&self) -> &str {
        match self {
            Slot::Size(_, name) => name,
            Slot::Cases => "all cases",
        }
    }
}

/// Functions by runtimes, and what its marks and letters mean.
fn matrix(verification: &Verification) -> (Grid, Vec<String>) {
    let cells = &verification.checked;
    let (mut slots, mut functions): (Vec<Slot>, Vec<&str>) = (Vec::new(), Vec::new());
    let mut runtimes: Vec<(&RuntimeId, &str)> = Vec::new();
    let mut worst: BTreeMap<(&str, &RuntimeId, Slot), &'static str> = BTreeMap::new();
    for cell in cells {
        let slot = Slot::of(&cell.input);
        let kind = kind(&cell.verdict);
        let at = worst.entry((&cell.function, &cell.runtime, slot.clone())).or_insert(kind);
        if severity(kind) < severity(at) {
            *at = kind;
        }
        if !slots.contains(&slot) {
            slots.push(slot);
        }
        if functions.last() != Some(&cell.function.as_str()) {
            functions.push(&cell.function);
        }
        if !runtimes.iter().any(|(id, _)| *id == &cell.runtime) {
            runtimes.push((&cell.runtime, &cell.version));
        }
    }
    slots.sort();
    let mut lines: Vec<(&str, Vec<Entry>)> = functions
        .into_iter()
        .map(|function| {
            let of_runtime = |(id, _): &(&RuntimeId, &str)| {
                let kind = |slot: &Slot| worst.get(&(function, *id, slot.clone())).copied();
                entry(&slots.iter().map(kind).collect::<Vec<_>>())
            };
            (function, runtimes.iter().map(of_runtime).collect())
        })
        .collect();
    let absent = |name: &str| Entry::plain(mark(name).to_string());
    lines.extend(
        verification.unbuilt.iter().map(|unbuilt| (unbuilt.name.as_str(), vec![absent("absent"); runtimes.len()])),
    );
    lines.sort_by_key(|(name, _)| *name);
    let rows =
        lines.into_iter().map(|(name, entries)| [Entry::plain(name)].into_iter().chain(entries).collect()).collect();
    let header = ["function".to_owned()].into_iter().chain(columns(&runtimes)).collect();
    let inputs: Vec<&str> = slots.iter().map(Slot::name).collect();
    let title = format!("each mark is for: {}", inputs.join(", "));
    (Grid { title, header, rows, names: 1 }, legend(&runtimes))
}

fn entry(kinds: &[Option<&'static str>]) -> Entry {
    let text: String = kinds.iter().map(|kind| kind.map_or(NOTHING, mark)).collect();
    let found = || kinds.iter().flatten();
    let tone = match () {
        () if found().any(|kind| *kind == "failed") => Tone::Bad,
        () if found().all(|kind| *kind == "ok") => Tone::Good,
        () => Tone::Plain,
    };
    Entry::of(text, tone)
}

fn columns(runtimes: &[(&RuntimeId, &str)]) -> Vec<String> {
    let named = runtimes.len() <= NAMED_COLUMNS;
    runtimes.iter().enumerate().map(|(at, (id, _))| if named { id.to_string() } else { letter(at) }).collect()
}

/// `a` to `z`, then `aa`.
fn letter(at: usize) -> String {
    let last = char::from(b'a' + (at % 26) as u8);
    if at < 26 { last.to_string() } else { format!("{}{last}", letter(at / 26 - 1)) }
}

fn legend(runtimes: &[(&RuntimeId, &str)]) -> Vec<String> {
    let marks: Vec<String> = KINDS.iter().rev().map(|(name, mark)| format!("{mark} {name}")).collect();
    let mut lines = vec![format!("{}, {NOTHING} has no such size", marks.join(", "))];
    let of = |(at, (id, version)): (usize, &(&RuntimeId, &str))| format!("{} {id} {version}", letter(at));
    if runtimes.len() > NAMED_COLUMNS {
        lines.push(runtimes.iter().enumerate().map(of).collect::<Vec<_>>().join(", "));
    }
    lines
}

/// The loudest failure: who answered what.
fn disagreements(all: &[Disagreement]) -> Grid {
    let header = ["", "runtimes", "exit code", "bytes", "SHA-256", "first difference"];
    let line = |disagreement: &Disagreement, at: usize, answer: &Distinct| {
        let given = format!("{} ({})", disagreement.function, disagreement.input);
        let names: Vec<&str> = answer.runtimes.iter().map(RuntimeId::as_str).collect();
        let texts = [
            if at == 0 { given.as_str() } else { "" },
            &shortened(&names, NAMED),
            &answer.exit_code.to_string(),
            &answer.stdout_bytes.to_string(),
            &answer.stdout_sha256[..12],
            &answer.differs_at.map_or_else(String::new, |at| format!("at byte {at}: \"{}\"", answer.excerpt)),
        ];
        texts.map(|text| Entry::of(text, if at == 0 { Tone::Base } else { Tone::Bad })).into()
    };
    let rows = all.iter().flat_map(|found| {
        let lines = found.answers.iter().enumerate();
        lines.map(move |(at, answer)| line(found, at, answer))
    });
    let inputs = if all.len() == 1 { "1 input".to_owned() } else { format!("{} inputs", all.len()) };
    let title = format!("RUNTIMES DISAGREE WITH EACH OTHER on {inputs}; the answer that most of them give comes first");
    Grid { title, header: header.map(str::to_owned).into(), rows: rows.collect(), names: 1 }
}

type Names<'a> = Vec<&'a str>;

/// A line for all that is alike, worst first.
fn lines(rows: &[Row]) -> Vec<String> {
    let mut inputs: BTreeMap<(usize, &str, &str, &str), Names> = BTreeMap::new();
    let mut order: Names = Vec::new();
    for row in rows {
        if !order.contains(&row.runtime.as_str()) {
            order.push(&row.runtime);
        }
        if row.verdict == "ok" {
            continue;
        }
        let reason = row.reason.as_deref().unwrap_or_default();
        inputs.entry((severity(row.verdict), reason, &row.function, &row.runtime)).or_default().push(&row.input);
    }
    let mut runtimes: BTreeMap<(usize, &str, &str, Names), Names> = BTreeMap::new();
    for ((severity, reason, function, runtime), inputs) in inputs {
        runtimes.entry((severity, reason, function, inputs)).or_default().push(runtime);
    }
    let mut functions: BTreeMap<(usize, &str, Names, Names), Names> = BTreeMap::new();
    for ((severity, reason, function, inputs), mut runtimes) in runtimes {
        runtimes.sort_by_key(|name| order.iter().position(|other| other == name));
        functions.entry((severity, reason, runtimes, inputs)).or_default().push(function);
    }
    let line = |((severity, reason, runtimes, inputs), functions): ((usize, &str, Names, Names), Names)| {
        let (kind, _) = KINDS[severity];
        let list = |names: &Names| if kind == "failed" { names.join(", ") } else { shortened(names, LISTED) };
        if kind == "absent" {
            return format!("{kind}: {}: {reason}", list(&functions));
        }
        format!("{kind}: {} in {} ({}): {reason}", list(&functions), list(&runtimes), list(&inputs))
    };
    functions.into_iter().map(line).collect()
}

/// The names, if they are not more than `longest` by more than one; else the first of them.
fn shortened(names: &[&str], longest: usize) -> String {
    match names.len().saturating_sub(longest) {
        0 | 1 => names.join(", "),
        more => format!("{} and {more} more", names[..longest].join(", ")),
    }
}

fn counts(rows: &[Row], disagreements: usize) -> String {
    let count = |kind: &str| rows.iter().filter(|row| row.verdict == kind).count();
    let mut parts: Vec<String> = KINDS
        .iter()
        .rev()
        .map(|(kind, _)| (count(kind), kind))
        .filter(|(count, kind)| *count > 0 || ["ok", "failed"].contains(kind))
        .map(|(count, kind)| format!("{count} {kind}"))
        .collect();
    let inputs = if disagreements == 1 { "input" } else { "inputs" };
    parts.push(format!("runtimes disagree on {disagreements} {inputs}"));
    parts.join(", ")
}
