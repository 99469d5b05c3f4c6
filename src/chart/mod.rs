//! Charts of a run. Adding one is a file with a function from rows to a [`Figure`], and a line in [`CHARTS`].

mod blocks;
mod cold;
mod density;
mod deploy;
pub mod figure;
mod font;
mod latency_over_load;
mod page;
mod paint;
mod points;
mod process_cold;
pub mod style;
mod throughput;
mod warm;

use crate::record::Run;
use crate::report::{self, Row};
use figure::Figure;
use std::path::{Path, PathBuf};

/// A chart.
#[derive(Clone, Copy, Debug)]
pub struct Chart {
    /// The name of its files.
    pub name: &'static str,
    /// What it shows, and what is better.
    pub title: &'static str,
    /// The scenario that it shows: without any cell of it there is no chart.
    pub scenario: &'static str,
    /// Draws it; cells that failed are in it, and say so.
    pub draw: fn(&Run, &[Row]) -> Figure,
}

/// All charts, in the order of the reports.
pub const CHARTS: [Chart; 8] = [
    Chart { name: "cold", title: "Cold start by phase: lower is better", scenario: "cold", draw: cold::draw },
    Chart {
        name: "process-cold",
        title: "Process cold start: lower is better",
        scenario: "process-cold",
        draw: process_cold::draw,
    },
    Chart {
        name: "deploy",
        title: "Compiling ahead of time, and the artifact: lower is better",
        scenario: "deploy",
        draw: deploy::draw,
    },
    Chart { name: "warm", title: "Warm invocation: lower is better", scenario: "warm", draw: warm::draw },
    Chart {
        name: "throughput",
        title: "Throughput over threads: higher is better",
        scenario: "throughput",
        draw: throughput::draw,
    },
    Chart { name: "density", title: "Memory per instance: lower is better", scenario: "density", draw: density::draw },
    Chart {
        name: "latency-over-load",
        title: "Latency over load: lower is better",
        scenario: "http-open",
        draw: latency_over_load::draw,
    },
    Chart {
        name: "latency-over-load-fresh",
        title: "Latency over load with fresh connections: lower is better",
        scenario: "http-open-fresh",
        draw: latency_over_load::draw_fresh,
    },
];

/// Why a chart cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the chart {}", path.display())]
pub struct ChartError {
    path: PathBuf,
    source: paint::PaintError,
}

/// The charts that these rows have something for.
pub fn wanted(rows: &[Row]) -> impl Iterator<Item = &'static Chart> {
    CHARTS.iter().filter(|chart| rows.iter().any(|row| row.cell.scenario.name() == chart.scenario))
}

/// Draws all charts of a run into `charts/` in its folder, as SVG and as PNG, and names the files.
pub fn draw_all(run: &Run, folder: &Path) -> Result<Vec<PathBuf>, ChartError> {
    draw(run, &report::rows(run), folder)
}

/// [`draw_all`] where the rows are known.
pub fn draw(run: &Run, rows: &[Row], folder: &Path) -> Result<Vec<PathBuf>, ChartError> {
    let folder = folder.join("charts");
    let failed = |path: &Path, source| ChartError { path: path.to_owned(), source };
    std::fs::create_dir_all(&folder).map_err(|e| failed(&folder, e.into()))?;
    let mut files = Vec::new();
    for chart in wanted(rows) {
        let figure = (chart.draw)(run, rows);
        let bytes = [("svg", paint::svg(&figure, chart.title).map(String::into_bytes)), ("png", paint::png(&figure))];
        for (extension, bytes) in bytes {
            let path = folder.join(chart.name).with_extension(extension);
            let written = bytes.and_then(|bytes| Ok(std::fs::write(&path, bytes)?));
            written.map_err(|e| failed(&path, e))?;
            files.push(path);
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests;
