//! Charts of a run. Adding one is a file with a function from rows to a [`Figure`], and a line in [`CHARTS`].

mod blocks;
mod break_even;
mod cold;
mod cold_over_size;
mod density;
mod deploy;
pub mod distribution;
mod families;
pub mod figure;
mod font;
mod heat;
pub mod history;
mod knee;
mod languages;
mod latency_over_load;
mod page;
mod paint;
mod points;
mod process_cold;
pub mod published;
pub mod regression;
mod relative;
mod samples;
pub mod style;
mod throughput;
mod warm;
mod warm_percentiles;
mod warm_violin;

pub use page::footer;

use crate::record::Run;
use crate::report::{self, Row};
use crate::{compare, parallel};
use figure::Figure;
use isobar_core::Class;
use std::collections::{BTreeMap, BTreeSet};
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
    /// What the samples of this scenario are made of, where there are any.
    PartsOf(&'static str),
    /// The functions that have numbers in this scenario, where their modules differ in size.
    SizesOf(&'static str),
    /// The costs of deploying and running: at least two modes of which both were measured.
    Trades,
    /// At least two languages that have the same function, in this scenario.
    Languages(&'static str),
    /// At least two languages that have the same functions, more than one, in this scenario.
    LanguageMeans(&'static str),
    /// The modules of at least two languages that have the same function.
    Modules,
}

impl Shows {
    /// Whether it compares languages.
    pub fn is_of_languages(self) -> bool {
        matches!(self, Shows::Languages(_) | Shows::LanguageMeans(_) | Shows::Modules)
    }

    fn is_in(self, run: &Run, rows: &[Row]) -> bool {
        let own = |name| rows.iter().filter(move |row| row.cell.scenario.name() == name);
        let measured = |name| own(name).filter(|row| row.outcome.is_ok()).map(|row| row.cell.function.as_str());
        match self {
            Shows::Scenario(name) => own(name).next().is_some(),
            Shows::PartsOf(name) => measured(name).next().is_some(),
            Shows::SizesOf(name) => {
                // Other classes load something else than the module.
                let own = own(name).filter(|row| row.class == Class::Wasm && row.outcome.is_ok());
                let own: BTreeSet<&str> = own.map(|row| row.cell.function.as_str()).collect();
                let sizes = run.header.functions.iter().filter(|f| f.module_bytes > 0 && own.contains(f.name.as_str()));
                sizes.map(|function| function.module_bytes).collect::<BTreeSet<_>>().len() > 1
            }
            Shows::Trades => compare::has_trades(run, rows),
            Shows::LanguageMeans(name) => report::languages::means(run, rows, name).is_some(),
            Shows::Languages(name) => !report::languages::grids(run, rows, name).is_empty(),
            Shows::Modules => !report::languages::sizes(run, rows).is_empty(),
        }
    }
}

/// All charts, in the order of the reports.
pub const CHARTS: &[Chart] = &[
    Chart {
        name: "cold",
        title: "Cold start by phase: lower is better",
        shows: Shows::Scenario("cold"),
        draw: cold::draw,
    },
    Chart {
        name: "cold-over-size",
        title: "Cold start over module size: lower is better",
        shows: Shows::SizesOf("cold"),
        draw: cold_over_size::draw,
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
        name: "warm-percentiles",
        title: "Percentiles of warm invocations: lower is better",
        shows: Shows::Scenario("warm"),
        draw: warm_percentiles::draw,
    },
    Chart {
        name: "warm-violin",
        title: "Distribution of warm invocations: lower and narrower is better",
        shows: Shows::Scenario("warm"),
        draw: warm_violin::draw,
    },
    Chart {
        name: "relative",
        title: "Execution time relative to native code: lower is better",
        shows: Shows::PartsOf("warm"),
        draw: relative::draw,
    },
    Chart {
        name: "break-even",
        title: "Total time over invocations: lower is better",
        shows: Shows::Trades,
        draw: break_even::draw,
    },
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
        name: "languages-cold-mean",
        title: "Cold start by language and runtime, over all functions: lower is better",
        shows: Shows::LanguageMeans("cold"),
        draw: languages::cold_mean,
    },
    Chart {
        name: "languages-warm-mean",
        title: "Warm invocation by language and runtime, over all functions: lower is better",
        shows: Shows::LanguageMeans("warm"),
        draw: languages::warm_mean,
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

/// The SVGs of charts, by their names.
pub type Drawings = BTreeMap<&'static str, String>;

/// All charts of a run as SVGs.
///
/// # Errors
/// One cannot be drawn.
pub fn svgs(run: &Run, rows: &[Row]) -> Result<Drawings, ChartError> {
    let failed = |name: &str, source| ChartError { path: PathBuf::from(name).with_extension("svg"), source };
    let charts: Vec<&Chart> = wanted(run, rows).collect();
    let svg = |chart: &&'static Chart| {
        let svg = paint::svg(&(chart.draw)(run, rows), chart.title).map_err(|source| failed(chart.name, source))?;
        Ok((chart.name, svg))
    };
    parallel::map(&charts, svg).into_iter().collect()
}

/// Draws all charts of a run into `charts/` in its folder, each as the files of [`write()`], and names the files.
pub fn draw_all(run: &Run, folder: &Path) -> Result<Vec<PathBuf>, ChartError> {
    Ok(draw(run, &report::rows(run), folder)?.1)
}

/// [`draw_all`] where the rows are known; gives the SVGs, too.
pub fn draw(run: &Run, rows: &[Row], folder: &Path) -> Result<(Drawings, Vec<PathBuf>), ChartError> {
    let run = &*report::machines_apart(run);
    let folder = folder.join("charts");
    make(&folder)?;
    let charts: Vec<&Chart> = wanted(run, rows).collect();
    let draw = |chart: &&'static Chart| {
        let (svg, files) = write_and_keep(&(chart.draw)(run, rows), chart.title, &folder, chart.name)?;
        Ok((chart.name, svg, files))
    };
    let (mut drawings, mut files) = (Drawings::new(), Vec::new());
    for drawn in parallel::map(&charts, draw) {
        let (name, svg, written) = drawn?;
        drawings.insert(name, svg);
        files.extend(written);
    }
    Ok((drawings, files))
}

/// Writes a figure into a folder, which must be there: as `name.svg`, which is dark where a browser prefers that, as
/// `name.png` and as `name-dark.png`; and names the files.
///
/// # Errors
/// A file cannot be written.
pub fn write(figure: &Figure, title: &str, folder: &Path, name: &str) -> Result<Vec<PathBuf>, ChartError> {
    Ok(write_and_keep(figure, title, folder, name)?.1)
}

/// [`write()`]; gives the SVG, too.
fn write_and_keep(
    figure: &Figure,
    title: &str,
    folder: &Path,
    name: &str,
) -> Result<(String, Vec<PathBuf>), ChartError> {
    let mut files = Vec::new();
    let mut write = |name: String, bytes: &[u8]| {
        let path = folder.join(name);
        std::fs::write(&path, bytes).map_err(|e| ChartError { path: path.clone(), source: e.into() })?;
        files.push(path);
        Ok(())
    };
    let failed = |name: &str| {
        let path = folder.join(name);
        move |source| ChartError { path, source }
    };
    let svg = paint::svg(figure, title).map_err(failed(name))?;
    write(format!("{name}.svg"), svg.as_bytes())?;
    for (name, dark) in [(format!("{name}.png"), false), (format!("{name}-dark.png"), true)] {
        let png = paint::png(figure, dark).map_err(failed(&name))?;
        write(name, &png)?;
    }
    Ok((svg, files))
}

/// Makes a folder for charts.
pub(crate) fn make(folder: &Path) -> Result<(), ChartError> {
    std::fs::create_dir_all(folder).map_err(|e| ChartError { path: folder.to_owned(), source: e.into() })
}

#[cfg(test)]
mod tests;
