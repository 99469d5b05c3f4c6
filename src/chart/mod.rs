//! Charts of a run. Adding one is a file with a function from rows to a [`Figure`], and a line in [`CHARTS`].

mod blocks;
mod cold;
mod density;
mod deploy;
pub mod figure;
mod font;
mod heat;
mod knee;
mod languages;
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
    /// What it is about; a run that has nothing of it has no such chart.
    pub shows: Shows,
    /// Draws it; cells that failed are in it, and say so.
    pub draw: fn(&Run, &[Row]) -> Figure,
}

/// What a chart is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shows {
    /// The cells of this scenario.
    Scenario(&'static str),
    /// At least two languages that have the same function, in this scenario.
    Languages(&'static str),
    /// The modules of at least two languages that have the same function.
    Modules,
}

impl Shows {
    fn is_in(self, run: &Run, rows: &[Row]) -> bool {
        match self {
            Shows::Scenario(name) => rows.iter().any(|row| row.cell.scenario.name() == name),
            Shows::Languages(name) => !report::languages::grids(run, rows, name).is_empty(),
            Shows::Modules => !report::languages::sizes(run, rows).is_empty(),
        }
    }
}

/// All charts, in the order of the reports.
pub const CHARTS: [Chart; 12] = [
    Chart {
        name: "cold",
        title: "Cold start by phase: lower is better",
        shows: Shows::Scenario("cold"),
        draw: cold::draw,
    },
    Chart {
        name: "process-cold",
        title: "Process cold start: lower is better",
        shows: Shows::Scenario("process-cold"),
        draw: process_cold::draw,
    },
    Chart {
        name: "deploy",
        title: "Compiling ahead of time, and the artifact: lower is better",
        shows: Shows::Scenario("deploy"),
        draw: deploy::draw,
    },
    Chart { name: "warm", title: "Warm invocation: lower is better", shows: Shows::Scenario("warm"), draw: warm::draw },
    Chart {
        name: "throughput",
        title: "Throughput over threads: higher is better",
        shows: Shows::Scenario("throughput"),
        draw: throughput::draw,
    },
    Chart {
        name: "density",
        title: "Memory per instance: lower is better",
        shows: Shows::Scenario("density"),
        draw: density::draw,
    },
    Chart {
        name: "languages-cold",
        title: "Cold start by language and runtime: lower is better",
        shows: Shows::Languages("cold"),
        draw: languages::cold,
    },
    Chart {
        name: "languages-warm",
        title: "Warm invocation by language and runtime: lower is better",
        shows: Shows::Languages("warm"),
        draw: languages::warm,
    },
    Chart {
        name: "languages-modules",
        title: "Module size by language: smaller is better",
        shows: Shows::Modules,
        draw: languages::sizes,
    },
    Chart {
        name: "latency-over-load",
        title: "Latency over load: lower is better",
        shows: Shows::Scenario("http-open"),
        draw: latency_over_load::draw,
    },
    Chart {
        name: "latency-over-load-fresh",
        title: "Latency over load with fresh connections: lower is better",
        shows: Shows::Scenario("http-open-fresh"),
        draw: latency_over_load::draw_fresh,
    },
    Chart {
        name: "latency-over-load-by-strategy",
        title: "Latency over load, by strategy: lower and further right is better",
        shows: Shows::Scenario("http-knee"),
        draw: knee::draw,
    },
];

/// Why a chart cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the chart {}", path.display())]
pub struct ChartError {
    path: PathBuf,
    source: paint::PaintError,
}

/// The charts that a run with these rows has something for.
pub fn wanted(run: &Run, rows: &[Row]) -> impl Iterator<Item = &'static Chart> {
    CHARTS.iter().filter(|chart| chart.shows.is_in(run, rows))
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
    for chart in wanted(run, rows) {
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
