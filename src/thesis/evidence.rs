//! What was measured for the thesis' figures, and the numbers in it.

use super::number::Number;
use super::parts::Part;
use crate::record::{Header, Record, Run};
use crate::report::{self, Measured, Row};
use crate::stats::{self, Histogram, Summary};
use isobar_core::Form;
use isobar_core::measure::ScenarioId;
use std::collections::BTreeMap;

/// The runs, by the names of their parts.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    runs: BTreeMap<&'static str, Measurements>,
}

#[derive(Clone, Debug)]
struct Measurements {
    run: Run,
    rows: Vec<Row>,
}

/// Why there is no number, in one line.
pub type Missing = String;

/// A cell's name: runtime, function, scenario.
pub type Cell<'a> = (&'a str, &'a str, &'a str);

/// The times of a server.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ServerTimes {
    /// The very first request after the start.
    pub first: Number,
    /// Later ones, each over a connection of its own: first byte less the connection's round trip.
    pub warm: Number,
    /// Later ones in all, the connection included.
    pub total: Number,
}

impl Evidence {
    /// Adds the run of a part.
    pub fn add(&mut self, part: &Part, run: Run) {
        let rows = report::rows(&run);
        self.runs.insert(part.name, Measurements { run, rows });
    }

    /// The run of a part.
    pub fn run(&self, part: &str) -> Option<&Run> {
        self.runs.get(part).map(|part| &part.run)
    }

    /// All runs, by their parts' names.
    pub fn runs(&self) -> impl Iterator<Item = (&'static str, &Run)> {
        self.runs.iter().map(|(name, part)| (*name, &part.run))
    }

    /// The row of a cell.
    ///
    /// # Errors
    /// Why there is none, or how it failed.
    pub fn row(&self, part: &str, (runtime, function, scenario): Cell) -> Result<(&Row, &Measured), Missing> {
        let Some(found) = self.runs.get(part) else {
            return Err("not measured here: this part was left out".to_owned());
        };
        let is = |row: &&Row| {
            let cell = &row.cell;
            (cell.runtime.as_str(), cell.function.as_str()) == (runtime, function)
                && cell.scenario.to_string() == scenario
        };
        let Some(row) = found.rows.iter().find(is) else {
            return Err(why_absent(&found.run.header, runtime, function, scenario));
        };
        match &row.outcome {
            Ok(measured) => Ok((row, measured)),
            Err(failed) => Err(format!("failed: {}", failed.text)),
        }
    }

    /// The number of a cell.
    ///
    /// # Errors
    /// As [`Evidence::row`].
    pub fn number(&self, part: &str, cell: Cell) -> Result<Number, Missing> {
        Ok(Number::of(&self.row(part, cell)?.1.summary))
    }

    /// The records of a cell that measured it, by round.
    pub fn records(&self, part: &str, (runtime, function, scenario): Cell) -> Vec<&Record> {
        let Some(run) = self.run(part) else { return Vec::new() };
        let is = |record: &&Record| {
            let cell = &record.cell;
            (cell.runtime.as_str(), cell.function.as_str()) == (runtime, function)
                && cell.scenario.to_string() == scenario
                && record.result.is_ok()
        };
        let mut records: Vec<&Record> = run.records.iter().filter(is).collect();
        records.sort_by_key(|record| record.round);
        records
    }

    /// The number of every sample of a cell, by process, in the order in which they were taken.
    pub fn processes(&self, part: &str, cell: Cell) -> Vec<Vec<f64>> {
        let values = |record: &&Record| Some(record.cell.scenario.values(&record.result.as_ref().ok()?.samples));
        self.records(part, cell).iter().filter_map(values).collect()
    }

    /// The mean of all samples of a cell.
    pub fn mean(&self, part: &str, cell: Cell) -> Option<f64> {
        let all = self.processes(part, cell).concat();
        (!all.is_empty()).then(|| all.iter().sum::<f64>() / all.len() as f64)
    }

    /// A cell's number for one more of so many repetitions: what two sizes of a function differ by.
    ///
    /// # Errors
    /// As [`Evidence::row`], of the one or the other; or they do not differ.
    pub fn each(&self, part: &str, runtime: &str, [few, many]: [&str; 2], apart: f64) -> Result<Number, Missing> {
        let number = |function| self.number(part, (runtime, function, "warm"));
        let (few, many) = (number(few)?, number(many)?);
        let difference = many.less(few).ok_or_else(|| "the difference is lost in the noise".to_owned())?;
        Ok(difference.divided_by(apart))
    }

    /// The times of a server that was loaded with fresh connections one by one.
    ///
    /// # Errors
    /// As [`Evidence::row`].
    pub fn server(&self, part: &str, server: &str, function: &str) -> Result<ServerTimes, Missing> {
        let scenario = "http-closed-fresh/1";
        self.row(part, (server, function, scenario))?;
        let records = self.records(part, (server, function, scenario));
        let loads = || records.iter().filter_map(|record| record.load.as_ref());
        let median = |name: &str| -> Vec<Vec<f64>> {
            let histograms = loads().filter_map(|load| Histogram::decode(load.timing.get(name)?).ok());
            histograms.map(|histogram| vec![histogram.percentile(50.0) as f64]).collect()
        };
        let first: Vec<Vec<f64>> = loads().filter_map(|load| Some(vec![load.first_request_ns? as f64])).collect();
        let seed = stats::seed(1, &format!("{server} {function}"));
        let summary = |processes: &[Vec<f64>]| {
            Summary::of(processes, seed).map(|summary| Number::of(&summary)).ok_or("no request was timed".to_owned())
        };
        Ok(ServerTimes {
            first: summary(&first)?,
            warm: summary(&median("server"))?,
            total: summary(&median("total"))?,
        })
    }

    /// The numbers of threads with which a scenario was measured.
    pub fn threads(&self, part: &str, scenario: &str) -> Vec<u32> {
        let cells = self.run(part).map_or(&[][..], |run| &run.header.cells);
        let mut threads: Vec<u32> = cells
            .iter()
            .map(|cell| cell.scenario)
            .filter(|id| id.name() == scenario)
            .map(ScenarioId::threads)
            .collect();
        threads.sort_unstable();
        threads.dedup();
        threads
    }

    /// The size of a function's module, in bytes.
    pub fn module_bytes(&self, part: &str, function: &str) -> Option<u64> {
        let functions = &self.run(part)?.header.functions;
        functions.iter().find(|known| known.name == function).map(|known| known.module_bytes)
    }

    /// What a runtime loads.
    pub fn form(&self, part: &str, runtime: &str) -> Option<Form> {
        let runtimes = &self.run(part)?.header.runtimes;
        runtimes.iter().find(|info| info.id.as_str() == runtime).map(|info| info.form)
    }

    /// The version of a runtime.
    pub fn version(&self, part: &str, runtime: &str) -> Option<&str> {
        let runtimes = &self.run(part)?.header.runtimes;
        runtimes.iter().find(|info| info.id.as_str() == runtime).map(|info| info.version.as_str())
    }
}

/// Why a run has no records of a cell.
fn why_absent(header: &Header, runtime: &str, function: &str, scenario: &str) -> Missing {
    let absent = header.absent.iter().find(|absent| absent.family == runtime).map(|absent| &absent.reason);
    let unbuilt = header.unbuilt.iter().find(|unbuilt| unbuilt.function == function).map(|unbuilt| &unbuilt.reason);
    let formless = header
        .formless
        .iter()
        .find(|formless| formless.function == function && formless.runtimes.iter().any(|id| id.as_str() == runtime));
    let skipped = header
        .skipped
        .iter()
        .find(|skipped| skipped.runtime.as_str() == runtime && skipped.scenario.to_string() == scenario);
    let reason = absent.or(unbuilt).or(formless.map(|f| &f.reason)).or(skipped.map(|skipped| &skipped.reason));
    match reason {
        Some(reason) => format!("not measured here: {reason}"),
        None => "not measured here".to_owned(),
    }
}
