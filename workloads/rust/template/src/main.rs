//! An HTML page with `TITLE` and a table of `ROWS` rows.

use input::Refusal;
use std::{
    fmt::{self, Display, Formatter, Write},
    hint::black_box,
    process::ExitCode,
};

pub fn main() -> ExitCode {
    input::answer_bytes(run())
}

fn run() -> Result<String, Refusal> {
    let title = input::text("TITLE")?;
    let rows = input::number("ROWS", 0..=100_000)?;
    let page = || render(black_box(&title), rows).expect("memory can be written");
    Ok(input::repeat(input::iterations()?, page))
}

fn render(title: &str, rows: u32) -> Result<String, fmt::Error> {
    let title = Escaped(title);
    let mut page = String::new();
    let mut total = 0;
    writeln!(page, "<!DOCTYPE html>\n<html>\n<head><title>{title}</title></head>\n<body>\n<h1>{title}</h1>\n<table>")?;
    for row in 1..=u64::from(rows) {
        let cents = row * row * 7919 % 10_000;
        total += cents;
        writeln!(page, "<tr><td>{row}</td><td>{title}</td><td>{}</td></tr>", Price(cents))?;
    }
    writeln!(page, "</table>\n<p>{rows} rows, {} in total</p>\n</body>\n</html>", Price(total))?;
    Ok(page)
}

/// Text that is escaped where it is written.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let special = |c| match c {
            '&' => Some("&amp;"),
            '<' => Some("&lt;"),
            '>' => Some("&gt;"),
            '"' => Some("&quot;"),
            '\'' => Some("&#39;"),
            _ => None,
        };
        let mut rest = self.0;
        while let Some((at, entity)) = rest.char_indices().find_map(|(at, c)| Some((at, special(c)?))) {
            f.write_str(&rest[..at])?;
            f.write_str(entity)?;
            // All of them are one byte.
            rest = &rest[at + 1..];
        }
        f.write_str(rest)
    }
}

/// Cents, written as units and two digits.
struct Price(u64);

impl Display for Price {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::{Escaped, Price};

    #[test]
    fn escapes_all_that_html_needs() {
        assert_eq!(Escaped("").to_string(), "");
        assert_eq!(Escaped("☃&<b>\"x'").to_string(), "☃&amp;&lt;b&gt;&quot;x&#39;");
    }

    #[test]
    fn prices_have_two_digits() {
        assert_eq!(Price(705).to_string(), "7.05");
        assert_eq!(Price(0).to_string(), "0.00");
    }
}
