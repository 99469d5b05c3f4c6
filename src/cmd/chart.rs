use crate::chart::distribution::{self, Curve, Distributions};
use crate::chart::figure::Figure;
use crate::chart::regression::{self, Regressions, rising};
use crate::chart::{self, history};
use crate::compare::{Source, keep, sources};
use crate::record::{Cell, Run};
use crate::report::machines_apart;
use crate::report::units::Quantity;
use crate::stats;
use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use std::process::ExitCode;

/// Draw what no report has room for: cells over several runs, or the samples of single cells
#[derive(Debug, Args)]
#[command(after_help = "What a report has is drawn by `isobar report`.\n\n\
                  Examples:\n  isobar chart history results/* --filter wasmtime/winch --filter rust/hello --filter warm\n  \
                  isobar chart distribution results/RUN --filter 'wasmtime/cranelift-aot*' --filter rust/hello --filter warm\n  \
                  isobar chart regression results/RUN --filter wasmi/eager --filter rust/hello --filter warm --into charts")]
pub struct Chart {
    /// What is drawn
    #[arg(value_enum)]
    kind: Kind,
    /// The runs' folders
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// Only what this glob matches: runtimes ('wasmtime/*'), functions (hello, 'rust/*') or scenarios (warm); repeatable
    #[arg(short, long = "filter", value_name = "GLOB")]
    filters: Vec<String>,
    /// The folder for the files
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    into: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// The medians of cells in each of several runs, the oldest first
    History,
    /// The densities of the samples of cells, of one run
    Distribution,
    /// Numbers of invocations against the time that they took in all, of one run
    Regression,
}

/// So many cells are drawn, and no more.
const MOST_CELLS: usize = 60;
/// So many curves in one panel can be told apart.
const MOST_CURVES: usize = 6;
/// So many points of a process.
const POINTS: usize = 40;

impl Chart {
    pub fn run(self) -> Result<ExitCode> {
        let mut runs: Vec<Run> = self.runs.iter().map(|folder| Run::read(folder)).collect::<Result<_, _>>()?;
        keep(&mut runs.iter_mut().collect::<Vec<_>>(), &self.filters)?;
        let mut cells: Vec<&Cell> = runs.iter().flat_map(|run| &run.records).map(|record| &record.cell).collect();
        cells.sort_unstable();
        cells.dedup();
        if cells.len() > MOST_CELLS {
            bail!("{} cells are more than a chart can show ({MOST_CELLS}): choose some with --filter", cells.len());
        }
        let (name, title, figure) = match (self.kind, &runs[..]) {
            (Kind::History, _) => {
                let names = super::answer::names(&self.runs);
                let runs: Vec<(String, Run)> = names.into_iter().zip(runs).collect();
                ("history", history::TITLE, history::history(&runs))
            }
            (Kind::Distribution, [run]) => ("distribution", DISTRIBUTION, distributions(run)?),
            (Kind::Regression, [run]) => ("regression", REGRESSION, regressions(run)?),
            _ => bail!("give one run: only history is about several"),
        };
        std::fs::create_dir_all(&self.into)
            .with_context(|| format!("cannot make the folder {}", self.into.display()))?;
        for file in chart::write(&figure, title, &self.into, name)? {
            println!("chart   {}", file.display());
        }
        Ok(ExitCode::SUCCESS)
    }
}

const DISTRIBUTION: &str = "Distribution of samples";
const REGRESSION: &str = "Invocations against total time: flatter is better";

/// A panel for each function and scenario, a curve for each runtime.
fn distributions(run: &Run) -> Result<Figure> {
    let run = &*machines_apart(run);
    let sources = sources(run, "");
    let cells = measured(&sources);
    let mut groups: Vec<_> =
        cells.chunk_by(|a, b| (&a.1.function, a.1.scenario) == (&b.1.function, b.1.scenario)).collect();
    groups.retain(|group| !group.is_empty());
    if let Some(group) = groups.iter().find(|group| group.len() > MOST_CURVES) {
        let (_, cell, _) = group[0];
        bail!(
            "{} {} was measured in {} runtimes; at most {MOST_CURVES} curves can be told apart: choose some with --filter",
            cell.function,
            cell.scenario,
            group.len()
        );
    }
    if groups.is_empty() {
        bail!("no cell that the filters choose has samples: `isobar report` says what failed");
    }
    let names: Vec<String> = groups.iter().map(|g| format!("{} {}", g[0].1.function, g[0].1.scenario)).collect();
    let panel = |(group, name)| {
        let group: &[(&Source, &'_ Cell, &[Vec<f64>])] = group;
        let curves = group.iter().map(|(source, cell, processes)| Curve {
            name: cell.runtime.as_str(),
            processes: processes.to_vec(),
            seed: stats::seed(source.seed, &cell.to_string()),
        });
        distribution::Panel { name, quantity: Quantity::of(group[0].1.scenario), curves: curves.collect() }
    };
    let panels = groups.iter().copied().zip(names.iter().map(String::as_str)).map(panel).collect();
    let footer = chart::footer(run);
    Ok(Distributions { title: DISTRIBUTION, words: distribution::WORDS, footer: &footer, panels }.figure())
}

/// A panel for each cell whose samples are times.
fn regressions(run: &Run) -> Result<Figure> {
    let run = &*machines_apart(run);
    let sources = sources(run, "");
    let mut cells = measured(&sources);
    cells.retain(|(_, cell, _)| Quantity::of(cell.scenario) == Quantity::Time);
    if cells.is_empty() {
        bail!("no cell that the filters choose has samples that are times: choose cold, process-cold, deploy or warm");
    }
    let names: Vec<String> = cells.iter().map(|(_, cell, _)| cell.to_string()).collect();
    let panel = |((_, _, processes), name)| {
        let processes: &[Vec<f64>] = processes;
        regression::Panel { name, processes: processes.iter().map(|samples| rising(samples, POINTS)).collect() }
    };
    let panels = cells.into_iter().zip(names.iter().map(String::as_str)).map(panel).collect();
    let footer = chart::footer(run);
    Ok(Regressions { title: REGRESSION, words: regression::WORDS, footer: &footer, panels }.figure())
}

/// The cells that have samples, by function and scenario.
fn measured(sources: &[Source]) -> Vec<(&Source, &Cell, &[Vec<f64>])> {
    let of = |source| {
        let source: &Source = source;
        source.cells().filter_map(move |cell| {
            let processes = source.cell(&cell.runtime, &cell.function, cell.scenario)?.ok()?;
            Some((source, cell, processes))
        })
    };
    let mut cells: Vec<_> = sources.iter().flat_map(of).collect();
    cells.sort_by_key(|(_, cell, _)| (&cell.function, cell.scenario, &cell.runtime));
    cells
}
