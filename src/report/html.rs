//! `report.html`: one file without scripts; charts are expected beside it, in `charts/`.

use super::document::{Block, Entry, Table, document};
use super::summary::Row;
use crate::record::Run;

const STYLE: &str = include_str!("report.css");

/// The run as a page.
pub fn html(run: &Run, rows: &[Row]) -> String {
    let cpu = run.header.machines.first().map_or("an unknown machine", |machine| machine.cpu.as_str());
    let on =
        if rows.is_empty() { cpu.to_owned() } else { format!("{} functions on {cpu}", super::functions(rows).len()) };
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>isobar: {on}</title>\n<style>\n{STYLE}</style>\n\
         </head>\n<body>\n<header>\n<p class=\"mark\">isobar</p>\n<h1>What a function costs inside a runtime</h1>\n\
         </header>\n<main>\n",
        on = escape(&on)
    );
    let blocks = document(run, rows);
    contents(&blocks, &mut page);
    blocks.iter().for_each(|block| push(block, &mut page));
    page.push_str("</main>\n</body>\n</html>\n");
    page
}

fn contents(blocks: &[Block], page: &mut String) {
    page.push_str("<nav>");
    for block in blocks {
        if let Block::Heading(2, title) = block {
            page.extend(["<a href=\"#", &anchor(title), "\">", &escape(title), "</a> "]);
        }
    }
    page.push_str("</nav>\n");
}

fn push(block: &Block, page: &mut String) {
    match block {
        Block::Heading(level, title) => {
            let (anchor, title) = (anchor(title), escape(title));
            page.push_str(&format!("<h{level} id=\"{anchor}\">{title}</h{level}>\n"));
        }
        Block::Paragraph(text) => page.extend(["<p>", &escape(text), "</p>\n"]),
        Block::Definitions(list) => {
            page.push_str("<dl>\n");
            for (word, meaning) in list {
                page.extend(["<dt>", &escape(word), "</dt><dd>", &escape(meaning), "</dd>\n"]);
            }
            page.push_str("</dl>\n");
        }
        Block::Chart(chart) => {
            let (name, title) = (chart.name, escape(chart.title));
            page.push_str(&format!(
                "<figure><div class=\"wide\" tabindex=\"0\"><img src=\"charts/{name}.svg\" alt=\"{title}\"></div>\n\
                 <figcaption>{title}. Also as <a href=\"charts/{name}.svg\">SVG</a> and \
                 <a href=\"charts/{name}.png\">PNG</a>.</figcaption></figure>\n"
            ));
        }
        Block::Table(content) => table(content, page),
        Block::Details(title, blocks) => {
            page.extend(["<details>\n<summary>", &escape(title), "</summary>\n"]);
            blocks.iter().for_each(|block| push(block, page));
            page.push_str("</details>\n");
        }
    }
}

fn table(table: &Table, page: &mut String) {
    let class = if table.numbers { "numbers" } else { "words" };
    page.push_str(&format!("<div class=\"wide\" tabindex=\"0\"><table class=\"{class}\">\n<thead><tr>"));
    for title in &table.header {
        page.extend(["<th scope=\"col\">", &escape(title), "</th>"]);
    }
    page.push_str("</tr></thead>\n<tbody>\n");
    for row in &table.rows {
        page.push_str("<tr>");
        for (column, entry) in row.iter().enumerate() {
            let text = escape(entry.text());
            page.push_str(&match entry {
                Entry::Text(_) if column == 0 => format!("<th scope=\"row\">{}</th>", breakable(&text)),
                Entry::Text(_) => format!("<td>{text}</td>"),
                Entry::Best(_) => format!("<td class=\"best\">{text}</td>"),
                Entry::Failed(_) => format!("<td class=\"failed\">{text}</td>"),
            });
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody></table></div>\n");
}

/// A title as the name of a place in the page.
fn anchor(title: &str) -> String {
    let word = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    title.chars().map(word).collect()
}

/// An escaped name that may be broken between its parts.
fn breakable(escaped: &str) -> String {
    escaped.replace('/', "/<wbr>").replace('+', "<wbr>+")
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}
