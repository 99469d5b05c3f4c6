//! What a run tells: a table in the terminal, `report.md` and `report.html`. All of them are pure functions of the run:
//! the same records give the same bytes.

mod break_even;
mod brief;
mod cells;
mod cite;
mod columns;
mod detail;
mod details;
mod document;
mod drawing;
mod html;
mod isolation;
pub(crate) mod keep_alive;
pub(crate) mod languages;
mod machines;
mod markdown;
mod method;
mod splice;
pub mod summary;
mod tables;
mod terminal;
pub mod units;
pub(crate) mod words;

pub use details::{PERCENTILES, Percentiles};
pub use html::html;
pub use isolation::terminal as terminal_isolation;
pub use machines::machines_apart;
pub(crate) use markdown::escape;
pub use markdown::markdown;
pub use splice::{SpliceError, splice};
pub use summary::{Failed, Measured, Part, Row, emulated, functions, rows};
pub(crate) use summary::{one_line, shorten};
pub use terminal::{terminal, terminal_languages};

use crate::chart::{self, ChartError};
use crate::record::Run;
use std::path::{Path, PathBuf};

/// Why a report cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A chart cannot.
    #[error(transparent)]
    Chart(#[from] ChartError),
    /// The system refused.
    #[error("cannot write {}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Writes the charts, `report.md` and `report.html` into the run's folder, and names them, the reports first. `rows` are
/// those of [`rows`].
pub fn write(run: &Run, rows: &[Row], folder: &Path) -> Result<Vec<PathBuf>, ReportError> {
    let (charts, blocks) = std::thread::scope(|scope| {
        let charts = scope.spawn(|| chart::draw(run, rows, folder));
        let blocks = document::document(run, rows);
        (charts.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), blocks)
    });
    let (drawings, charts) = charts?;
    let mut files = Vec::new();
    let texts = [("report.html", html::page(run, rows, &blocks, &drawings)), ("report.md", markdown::page(&blocks))];
    for (name, text) in texts {
        let path = folder.join(name);
        std::fs::write(&path, text).map_err(|source| ReportError::Io { path: path.clone(), source })?;
        files.push(path);
    }
    files.extend(charts);
    Ok(files)
}

#[cfg(test)]
pub(crate) mod synthetic;
#[cfg(test)]
mod tests;
