//! What the comparisons print: tables for people, and the same rows for programs.

use crate::report::{escape, one_line};
use comfy_table::{Attribute, Cell, CellAlignment, Color, Table, presets};
use serde::Serialize;

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Tables for the terminal
    Table,
    /// Tables as GitHub's Markdown has them
    Markdown,
    /// One object: `rows`, one for each comparison, and `notes`
    Json,
    /// A line for each comparison; notes go to standard error
    Csv,
}

/// What a comparison found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer<R> {
    /// For programs: all of it.
    pub rows: Vec<R>,
    /// What to know beside the numbers, one line each.
    pub notes: Vec<String>,
    /// For people.
    #[serde(skip)]
    pub grids: Vec<Grid>,
}

/// A table for people.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    /// What stands above it.
    pub title: String,
    /// The names of the columns.
    pub header: Vec<String>,
    /// The lines, each as long as the header.
    pub rows: Vec<Vec<Entry>>,
    /// So many columns name the line. They are repeated where a table is too wide and goes on below.
    pub names: usize,
}

/// What stands in a table: one or two lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The text; a second line after a line feed.
    pub text: String,
    /// How it is meant.
    pub tone: Tone,
}

/// How an entry is meant: its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As it stands.
    Plain,
    /// Better than what it is compared with.
    Good,
    /// Worse than what it is compared with, or failed.
    Bad,
    /// What others are compared with.
    Base,
}

impl Entry {
    /// A text on one line.
    pub fn plain(text: impl AsRef<str>) -> Self {
        Entry::of(text, Tone::Plain)
    }

    /// A text on one line.
    pub fn of(text: impl AsRef<str>, tone: Tone) -> Self {
        Entry { text: one_line(text.as_ref()), tone }
    }

    /// A text on two lines.
    pub fn two(first: &str, second: &str, tone: Tone) -> Self {
        Entry { text: format!("{}\n{}", one_line(first), one_line(second)), tone }
    }

    fn width(&self) -> usize {
        self.text.lines().map(|line| line.chars().count()).max().unwrap_or(0)
    }
}

impl<R: Serialize> Answer<R> {
    /// The whole text. Tables for the terminal are `width` columns wide at most where that is possible, and coloured if
    /// `styled`.
    ///
    /// # Errors
    /// The rows cannot be written in this format.
    pub fn write(&self, format: Format, width: usize, styled: bool) -> Result<String, WriteError> {
        match format {
            Format::Table => Ok(self.for_people(|grid| grid.terminal(width, styled), "", one_line)),
            Format::Markdown => Ok(self.for_people(Grid::markdown, "- ", escape)),
            Format::Json => {
                let mut text = serde_json::to_string_pretty(self)?;
                text.push('\n');
                Ok(text)
            }
            Format::Csv => {
                let mut writer = csv::Writer::from_writer(Vec::new());
                for row in &self.rows {
                    writer.serialize(row)?;
                }
                let bytes = writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))?;
                Ok(String::from_utf8_lossy(&bytes).into_owned())
            }
        }
    }

    fn for_people(&self, table: impl Fn(&Grid) -> String, bullet: &str, line: impl Fn(&str) -> String) -> String {
        let mut parts: Vec<String> =
            self.grids.iter().map(|grid| format!("{}\n\n{}", line(&grid.title), table(grid))).collect();
        parts.push(self.notes.iter().map(|note| format!("{bullet}{}\n", line(note))).collect());
        parts.join("\n")
    }
}

/// Why an answer cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// As JSON.
    #[error("cannot write JSON")]
    Json(#[from] serde_json::Error),
    /// As CSV.
    #[error("cannot write CSV")]
    Csv(#[from] csv::Error),
}

impl Grid {
    fn markdown(&self) -> String {
        let line = |cells: &mut dyn Iterator<Item = String>| format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "));
        let mut text = line(&mut self.header.iter().map(|name| escape(name)));
        text.push_str(&line(&mut self.header.iter().map(|_| "---".to_owned())));
        for row in &self.rows {
            text.push_str(&line(&mut row.iter().map(|entry| match entry.tone {
                Tone::Base => format!("**{}**", escape(&entry.text)),
                _ => escape(&entry.text),
            })));
        }
        text
    }

    fn terminal(&self, width: usize, styled: bool) -> String {
        let blocks: Vec<String> = self.blocks(width).iter().map(|columns| self.block(columns, styled)).collect();
        blocks.join("\n")
    }

    /// Which columns stand beside each other.
    fn blocks(&self, width: usize) -> Vec<Vec<usize>> {
        const GAP: usize = 2;
        let of_column = |at: usize| {
            let cells = self.rows.iter().map(|row| row[at].width());
            cells.chain([self.header[at].chars().count()]).max().unwrap_or(0) + GAP
        };
        let names: Vec<usize> = (0..self.names).collect();
        let of_names: usize = names.iter().copied().map(of_column).sum();
        let (mut blocks, mut block, mut used) = (Vec::new(), names.clone(), of_names);
        for at in self.names..self.header.len() {
            let wide = of_column(at);
            if used + wide > width && block.len() > self.names {
                blocks.push(std::mem::replace(&mut block, names.clone()));
                used = of_names;
            }
            block.push(at);
            used += wide;
        }
        blocks.push(block);
        blocks
    }

    fn block(&self, columns: &[usize], styled: bool) -> String {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        if styled {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        table.set_header(columns.iter().map(|at| Cell::new(&self.header[*at]).add_attribute(Attribute::Dim)));
        for row in &self.rows {
            table.add_row(columns.iter().map(|at| row[*at].cell()));
        }
        for column in table.column_iter_mut().skip(self.names) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        format!("{}\n", table.trim_fmt())
    }
}

impl Entry {
    fn cell(&self) -> Cell {
        let cell = Cell::new(&self.text);
        match self.tone {
            Tone::Plain => cell,
            Tone::Good => cell.fg(Color::Green),
            Tone::Bad => cell.fg(Color::Red),
            Tone::Base => cell.add_attribute(Attribute::Bold),
        }
    }
}
