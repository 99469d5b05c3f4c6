//! The page: what was asked then, what holds today, and every figure and table.

use super::evidence::Evidence;
use super::items::{Section, Table};
use super::published::Published;
use super::questions::{Answer, answers};
use crate::record::{Machine, Run};
use crate::report::{escape, units};
use std::collections::BTreeSet;
use std::fmt::Write;

/// The page as CommonMark with GitHub's tables. The figures are expected as SVG in the folder `charts`, seen from the page.
pub fn page(evidence: &Evidence, published: &Published, sections: &[Section], charts: &str) -> String {
    let mut text = "# The thesis, measured again\n".to_owned();
    let thesis = published.sources.get("thesis").map_or("", |source| source.title.as_str());
    paragraph(
        &mut text,
        &format!(
            "The evaluation of {thesis}, measured again with isobar, question by question and figure by figure. Written by \
         `isobar reproduce thesis` from its records and from what was published (`src/thesis/published.toml`); nothing here is \
         written by hand."
        ),
    );
    facts(&mut text, evidence);
    text.push_str("\n## The research questions\n");
    let answers = answers(evidence, published);
    summary(&mut text, &answers);
    answers.iter().for_each(|answer| question(&mut text, answer));
    text.push_str("\n## The figures and tables\n");
    paragraph(
        &mut text,
        "\"here / thesis\" is ours over the published number: below 1 is less. Times of other machines compare \
                          machines as much as software; ratios to native code of the same machine do not.",
    );
    sections.iter().for_each(|section| push(&mut text, section, charts));
    text.push_str("\n## What was published\n\n");
    for (key, source) in &published.sources {
        let _ =
            writeln!(text, "- **{}**: {}. Versions: {}.", escape(key), escape(&source.title), escape(&source.versions));
    }
    text
}

fn paragraph(text: &mut String, words: &str) {
    // Words of isobar's own; what others said is escaped where it is put in.
    text.extend(["\n", words, "\n"]);
}

fn facts(text: &mut String, evidence: &Evidence) {
    let runs: Vec<(&str, &Run)> = evidence.runs().collect();
    if runs.is_empty() {
        return paragraph(text, "Nothing was measured.");
    }
    let machine = |machine: &Machine| {
        let cores = units::count(machine.cores as usize, "core");
        let memory = units::bytes(machine.memory_bytes);
        format!("{}, {cores}, {memory}, {}, Linux {}", machine.cpu, machine.os, machine.kernel)
    };
    let machines: BTreeSet<String> = runs.iter().flat_map(|(_, run)| &run.header.machines).map(machine).collect();
    text.push('\n');
    for machine in machines {
        let _ = writeln!(text, "- **Machine**: {}", escape(&machine));
    }
    let first = runs.iter().map(|(_, run)| run.header.started_at_s).min().unwrap_or(0);
    let version = &runs[0].1.header.isobar;
    let quick = runs.iter().any(|(_, run)| run.header.quick);
    let quick = if quick { ", in part by quick runs: intervals are wide" } else { "" };
    let _ = writeln!(text, "- **Measured**: {}, isobar {}{quick}", units::date(first), escape(version));
    let versions: BTreeSet<(String, &str)> = runs
        .iter()
        .flat_map(|(_, run)| &run.header.runtimes)
        .map(|info| (info.id.family().to_owned(), info.version.as_str()))
        .collect();
    let versions: Vec<String> =
        versions.iter().map(|(family, version)| escape(&format!("{family} {version}"))).collect();
    let _ = writeln!(text, "- **Versions**: {}", versions.join(", "));
    let disturbed = runs.iter().filter(|(_, run)| !run.header.warnings.is_empty()).count();
    if disturbed > 0 {
        let of = runs.len();
        let _ = writeln!(
            text,
            "- **Warning**: {disturbed} of {of} runs were begun on a machine that was busy or not set up for measuring, as their own \
             reports say: times may be too long, and ratios off."
        );
    }
}

fn summary(text: &mut String, answers: &[Answer]) {
    text.push_str("\n| question | the thesis' answer |\n| --- | --- |\n");
    for Answer { number, question, verdict, .. } in answers {
        let _ = writeln!(text, "| {number}. {question} | {} |", verdict.words());
    }
}

fn question(text: &mut String, answer: &Answer) {
    let Answer { number, question, then, verdict, today, changed } = answer;
    let _ = write!(text, "\n### {number}. {question}\n\n");
    let _ = writeln!(text, "- **Then**: {}", then.join(" "));
    let _ = writeln!(text, "- **Here**: {}", today);
    let _ = writeln!(text, "- **Changed**: {}", changed);
    let _ = writeln!(text, "- **So the answer of the thesis**: {}", verdict.words());
}

fn push(text: &mut String, section: &Section, charts: &str) {
    let _ = writeln!(text, "\n### {}. {}", section.item, escape(&section.title));
    section.words.iter().filter(|words| !words.is_empty()).for_each(|words| paragraph(text, words));
    section.tables.iter().for_each(|table| push_table(text, table));
    if section.drawings.is_empty() {
        paragraph(text, "No figure: what it would compare was not measured.");
    }
    for drawing in &section.drawings {
        let _ = write!(text, "\n![{}]({charts}/{}.svg)\n", escape(&drawing.title), drawing.name);
    }
}

fn push_table(text: &mut String, table: &Table) {
    let line = |cells: &mut dyn Iterator<Item = String>| format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "));
    text.push('\n');
    text.push_str(&line(&mut table.header.iter().map(|name| escape(name))));
    text.push_str(&line(&mut table.header.iter().map(|_| "---".to_owned())));
    for row in &table.rows {
        text.push_str(&line(&mut row.iter().map(|cell| code_or_escaped(cell))));
    }
}

/// A name in backquotes stays code; everything else is escaped.
fn code_or_escaped(cell: &str) -> String {
    match cell.strip_prefix('`').and_then(|rest| rest.strip_suffix('`')) {
        Some(name) if !name.contains(['`', '|', '\n']) => cell.to_owned(),
        _ => escape(cell),
    }
}
