//! `report.md`.

use super::document::{Block, Table, Tone, document};
use super::summary::{Row, one_line};
use crate::record::Run;

/// The run as CommonMark with GitHub's tables. Charts are expected beside it, in `charts/`.
pub fn markdown(run: &Run, rows: &[Row]) -> String {
    page(&document(run, rows))
}

/// [`markdown`] of what the report holds.
pub(super) fn page(document: &[Block]) -> String {
    let mut text = "# isobar: what a function costs inside a runtime\n".to_owned();
    text.push_str(&blocks(document, "charts/"));
    text
}

/// Blocks, each after an empty line. `charts` is where charts are, with a slash at its end.
pub(super) fn blocks(blocks: &[Block], charts: &str) -> String {
    let mut text = String::new();
    blocks.iter().for_each(|block| push(block, charts, &mut text));
    text
}

fn push(block: &Block, charts: &str, text: &mut String) {
    text.push('\n');
    match block {
        Block::Heading(level, title) => {
            text.extend(["#".repeat((*level).into()).as_str(), " ", &escape(title), "\n"]);
        }
        Block::Paragraph(paragraph) => text.extend([escape(paragraph).as_str(), "\n"]),
        Block::Definitions(list) => {
            for (word, meaning) in list {
                text.extend(["- **", &escape(word), "**: ", &escape(meaning), "\n"]);
            }
        }
        Block::List(sentences) => sentences.iter().for_each(|one| text.extend(["- ", &escape(one), "\n"])),
        Block::Code(code) => text.extend(["```\n", code.trim_end(), "\n```\n"]),
        Block::Chart(chart) => {
            text.extend(["![", &escape(chart.title), "](", charts, chart.name, ".svg)\n"]);
        }
        Block::Table(content) => table(content, text),
        Block::Details(title, blocks) => {
            text.extend(["<details>\n<summary>", &escape(title), "</summary>\n"]);
            blocks.iter().for_each(|block| push(block, charts, text));
            text.push_str("\n</details>\n");
        }
        // The tables of the functions have them all.
        Block::Cells => {
            text.pop();
        }
    }
}

fn table(table: &Table, text: &mut String) {
    let line = |cells: &mut dyn Iterator<Item = String>| format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "));
    text.push_str(&line(&mut table.header.iter().map(|h| escape(h))));
    let rule = |i| if i > 0 && table.numbers { "---:".to_owned() } else { "---".to_owned() };
    text.push_str(&line(&mut (0..table.header.len()).map(rule)));
    for row in &table.rows {
        text.push_str(&line(&mut row.iter().map(|entry| match entry.tone {
            Tone::Best => format!("**{}**", escape(&entry.text)),
            _ => escape(&entry.text),
        })));
    }
}

/// `text` as Markdown that shows it and does nothing else: one line, every character that could be markup escaped.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in one_line(text).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' | '#' | '!' => escaped.extend(['\\', c]),
            c => escaped.push(c),
        }
    }
    // A bare address becomes a link in GitHub's Markdown.
    escaped.replace("://", ":&#47;/").replace("www.", "www&#46;")
}
