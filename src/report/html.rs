//! `report.html`: one file that needs nothing beside it. Its tables and charts can be read without scripts; a script sorts
//! and filters them, and makes a page for every cell.

use super::ReportError;
use super::cells;
use super::document::{self, Block, Entry, Table, Tone, document};
use super::drawing;
use super::summary::Row;
use super::{units, words};
use crate::chart::{self, Drawings, style};
use crate::record::Run;
use isobar_core::measure::SCENARIOS;
use std::fmt::Write;

const STYLE: &str = include_str!("page/report.css");
const SCRIPT: &str = include_str!("page/report.js");

/// Nothing is loaded from anywhere, whatever records may say.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";

/// The run as a page.
///
/// # Errors
/// A chart cannot be drawn.
pub fn html(run: &Run, rows: &[Row]) -> Result<String, ReportError> {
    Ok(page(run, rows, &document(run, rows), &chart::svgs(run, rows)?))
}

/// [`html`] of what the report holds, with its charts as SVGs.
pub(super) fn page(run: &Run, rows: &[Row], blocks: &[Block], drawings: &Drawings) -> String {
    let cpu = run.header.machines.first().map_or("an unknown machine", |machine| machine.cpu.as_str());
    let functions = units::count(super::functions(rows).len(), "function");
    let runtimes: std::collections::BTreeSet<_> = rows.iter().map(|row| &row.cell.runtime).collect();
    let runtimes = units::count(runtimes.len(), "runtime");
    let on = if rows.is_empty() { cpu.to_owned() } else { format!("{functions} in {runtimes} on {cpu}") };
    let date = units::date(run.header.started_at_s);
    let mut page = Page { run, rows, drawings, text: String::new() };
    page.text = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n<title>isobar: {on}</title>\n\
         <style>\n{STYLE}{dark}</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#main\">To the results</a>\n<header>\n\
         <p class=\"mark\">isobar</p>\n<h1>What a function costs inside a runtime</h1>\n<p class=\"on\">{on}, {date}</p>\n\
         </header>\n",
        on = escape(&on),
        dark = dark_charts()
    );
    page.contents(blocks);
    page.text.push_str("<main id=\"main\">\n");
    blocks.iter().for_each(|block| page.push(block));
    page.text.push_str("</main>\n<main id=\"cell\" tabindex=\"-1\" hidden></main>\n");
    page.scripts();
    page.text.push_str("</body>\n</html>\n");
    page.text
}

struct Page<'a> {
    run: &'a Run,
    rows: &'a [Row],
    drawings: &'a Drawings,
    text: String,
}

impl Page<'_> {
    /// Links to everything; those to single functions are folded away.
    fn contents(&mut self, blocks: &[Block]) {
        self.text.push_str("<nav aria-label=\"Contents\">\n<ul>\n");
        let mut functions = false;
        for block in blocks {
            let (level, title) = match block {
                Block::Heading(level, title) => (*level, title.as_str()),
                Block::Cells => (2, CELLS),
                _ => continue,
            };
            let link = format!("<li><a href=\"#{}\">{}</a></li>\n", anchor(title), breakable(&escape(title)));
            match level {
                2 => {
                    self.text.push_str(if functions { "</ul></details></li>\n" } else { "" });
                    functions = title == document::FUNCTIONS;
                    if functions {
                        self.text.extend(["<li><details><summary>", title, "</summary><ul>\n"]);
                    } else {
                        self.text.push_str(&link);
                    }
                }
                3 if functions => self.text.push_str(&link),
                _ => {}
            }
        }
        self.text.push_str(if functions { "</ul></details></li>\n" } else { "" });
        self.text.push_str("</ul>\n</nav>\n");
    }

    fn push(&mut self, block: &Block) {
        match block {
            Block::Heading(level, title) => self.heading(*level, title),
            Block::Paragraph(text) => self.text.extend(["<p>", &escape(text), "</p>\n"]),
            Block::List(sentences) => {
                self.text.push_str("<ul class=\"sentences\">\n");
                sentences.iter().for_each(|one| self.text.extend(["<li>", &led(&escape(one)), "</li>\n"]));
                self.text.push_str("</ul>\n");
            }
            Block::Code(code) => {
                self.text.extend(["<div class=\"code\"><pre tabindex=\"0\">", &escape_lines(code), "</pre></div>\n"]);
            }
            Block::Definitions(list) => {
                self.text.push_str("<dl>\n");
                for (word, meaning) in list {
                    self.text.extend(["<dt>", &escape(word), "</dt><dd>", &escape(meaning), "</dd>\n"]);
                }
                self.text.push_str("</dl>\n");
            }
            Block::Chart(chart) => self.chart(chart),
            Block::Table(content) => table(content, &mut self.text),
            Block::Details(title, blocks) => {
                self.text.extend(["<details>\n<summary>", &escape(title), "</summary>\n"]);
                blocks.iter().for_each(|block| self.push(block));
                self.text.push_str("</details>\n");
            }
            Block::Cells => self.cells(),
        }
    }

    fn heading(&mut self, level: u8, title: &str) {
        let (anchor, title) = (anchor(title), escape(title));
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "<h{level} id=\"{anchor}\">{title}</h{level}>");
    }

    fn chart(&mut self, chart: &chart::Chart) {
        let (name, title) = (chart.name, escape(chart.title));
        let drawing = self.drawings.get(name).map_or_else(String::new, |svg| drawing::inline(svg, &title));
        let _ = write!(
            self.text,
            "<figure id=\"chart-{name}\"><div class=\"wide\" tabindex=\"0\" role=\"group\" aria-label=\"{title}\">{drawing}\
             </div>\n<figcaption>{title}</figcaption></figure>\n"
        );
    }

    /// The room for the table that the script makes.
    fn cells(&mut self) {
        self.heading(2, CELLS);
        let names = |of: fn(&Row) -> String| {
            let mut seen = std::collections::BTreeSet::new();
            self.rows.iter().map(of).filter(|name| seen.insert(name.clone())).collect::<Vec<_>>()
        };
        let mut runtimes = names(|row| row.cell.runtime.to_string());
        runtimes.sort_unstable();
        let choices = [
            ("runtime", "Runtime", runtimes),
            ("function", "Function", names(|row| row.cell.function.clone())),
            ("scenario", "Scenario", names(|row| row.cell.scenario.to_string())),
            ("class", "Class", names(|row| words::class(row.class).to_owned())),
        ];
        let mut form = String::from(
            "<div id=\"filters\" class=\"filters\" hidden>\n<label>Search <input type=\"search\" id=\"search\" \
             placeholder=\"parts of names\" autocomplete=\"off\"></label>\n",
        );
        for (id, title, names) in choices {
            let _ = write!(form, "<label>{title} <select id=\"by-{id}\"><option value=\"\">all</option>");
            names.iter().for_each(|name| form.extend(["<option>", &escape(name), "</option>"]));
            form.push_str("</select></label>\n");
        }
        form.push_str(
            "<button type=\"button\" id=\"clear\">Clear</button>\n<output id=\"shown\" aria-live=\"polite\"></output>\n\
             </div>\n<div id=\"cells\" class=\"wide cells\" tabindex=\"0\"></div>\n\
             <noscript><p>Searching, sorting and the cells' own pages need scripts; all numbers are in the tables \
             below.</p></noscript>\n",
        );
        self.text.push_str(&form);
    }

    fn scripts(&mut self) {
        // Numbers, names and texts: nothing in it can fail to be written.
        let data = serde_json::to_string(&cells::data(self.run, self.rows)).unwrap_or_default();
        // Nothing in it may end the element that it is in.
        let data = data.replace('<', "\\u003c");
        self.text.extend(["<script type=\"application/json\" id=\"data\">", &data, "</script>\n<script>\n", SCRIPT]);
        self.text.push_str("</script>\n");
    }
}

/// The heading of the table that can be searched.
const CELLS: &str = "All cells";

/// Columns that hold words, wherever they stand.
const NAMES: [&str; 4] = ["Class", "Function", "Scenario", "Ended by"];

fn table(table: &Table, page: &mut String) {
    let class = if table.numbers { "numbers" } else { "words" };
    let _ = write!(page, "<div class=\"wide\" tabindex=\"0\"><table class=\"{class}\">\n<thead><tr>");
    let names: Vec<bool> = table.header.iter().map(|title| NAMES.contains(&title.as_str())).collect();
    for (title, name) in table.header.iter().zip(&names) {
        let class = if *name { " class=\"name\"" } else { "" };
        page.extend(["<th scope=\"col\"", class, ">", &escape(title), "</th>"]);
    }
    page.push_str("</tr></thead>\n<tbody>\n");
    for row in &table.rows {
        page.push_str("<tr>");
        row.iter().enumerate().for_each(|(column, entry)| page.push_str(&cell(entry, column, names[column])));
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody></table></div>\n");
}

fn cell(entry: &Entry, column: usize, name: bool) -> String {
    let text = escape(&entry.text);
    let text = if column == 0 { breakable(&text) } else { text };
    let text = match &entry.cell {
        Some(cell) => format!("<a href=\"{}\">{text}</a>", cells::address(cell)),
        None => text,
    };
    let class = match entry.tone {
        Tone::Plain if name => " class=\"name\"",
        Tone::Plain => "",
        Tone::Best => " class=\"best\"",
        Tone::Failed => " class=\"failed\"",
    };
    // Six digits are enough to sort by.
    let value =
        entry.value.filter(|value| value.is_finite()).map_or_else(String::new, |v| format!(" data-v=\"{v:.5e}\""));
    if column == 0 { format!("<th scope=\"row\"{value}>{text}</th>") } else { format!("<td{class}{value}>{text}</td>") }
}

/// What paper and ink of the charts become on a dark page.
fn dark_charts() -> String {
    let mut css = "@media screen and (prefers-color-scheme: dark) {\n".to_owned();
    for (light, dark) in style::DARK {
        let [light, dark] = [light, dark].map(|style::Colour(r, g, b)| format!("#{r:02X}{g:02X}{b:02X}"));
        let _ = writeln!(
            css,
            ".chart [fill=\"{light}\"] {{ fill: {dark} }} .chart [stroke=\"{light}\"] {{ stroke: {dark} }}"
        );
    }
    css + "}\n"
}

/// A title as the name of a place in the page.
fn anchor(title: &str) -> String {
    let word = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    title.chars().map(word).collect()
}

/// An escaped sentence; where it is about a scenario, that stands out.
fn led(escaped: &str) -> String {
    match escaped.split_once(": ") {
        Some((about, rest)) if SCENARIOS.iter().any(|s| about.starts_with(&words::capitalised(s.title()))) => {
            format!("<b>{about}</b>: {rest}")
        }
        _ => escaped.to_owned(),
    }
}

/// An escaped name that may be broken between its parts.
fn breakable(escaped: &str) -> String {
    escaped.replace('/', "/<wbr>").replace('+', "<wbr>+")
}

fn escape_lines(text: &str) -> String {
    text.lines().map(escape).collect::<Vec<_>>().join("\n")
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
