//! What `run` and `resume` have in common: measuring until nothing is left, and saying how it goes.

use super::own_time::OwnTime;
use super::report::derive;
use crate::affinity::{self, Pins};
use crate::experiment::{self, Observer};
use crate::noise::{self, System};
use crate::record::{self, Cell, Header, Record, RunFolder};
use crate::registry::Registry;
use crate::workload::Workload;
use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// The exit code of a program that was ended by Ctrl-C.
const INTERRUPTED: i32 = 130;

/// The exit code of a run with failures, when they are asked for.
const FAILURES: u8 = 3;

/// Measures what is left of a run, and writes its report and charts.
pub(super) fn measure(
    header: Header,
    records: Vec<Record>,
    registry: &Registry,
    workloads: &[Workload],
    mut folder: RunFolder,
    strict: bool,
) -> Result<ExitCode> {
    end_on_interrupt(folder.path().to_owned())?;
    let pins = if header.pinned { Some(pin(&header)?) } else { None };
    let mut progress = Progress::new(0);
    let own_time = OwnTime::start();
    let records =
        experiment::run(&header, records, pins.as_ref(), &registry.runtimes, workloads, &mut folder, &mut progress)?;
    progress.bar.finish_and_clear();
    eprintln!("{}", own_time.line());
    finish(&record::Run { header, records }, &folder, strict)
}

/// What may disturb a run that is about to be measured, a line each.
pub(super) fn disturbances() -> Vec<String> {
    noise::before_run(&System::this()).iter().map(ToString::to_string).collect()
}

/// Deals out the processors, and leaves isobar those on which nothing is measured.
fn pin(header: &Header) -> Result<Pins> {
    let pins = Pins::of_this_thread().context("--pin: the system does not tell the processors")?;
    let threads = header.cells.iter().map(|cell| experiment::processors(cell.scenario)).max().unwrap_or(1);
    affinity::bind_for_good(pins.own(threads)).context("--pin: the system does not let isobar bind itself")?;
    Ok(pins)
}

/// Writes the report and charts of a run that is complete.
pub(super) fn finish(run: &record::Run, folder: &RunFolder, strict: bool) -> Result<ExitCode> {
    derive(run, folder.path(), folder.path())?;
    let failed = run.records.iter().any(|record| record.result.is_err());
    Ok(if strict && failed { ExitCode::from(FAILURES) } else { ExitCode::SUCCESS })
}

/// Ctrl-C ends the run at once: every finished record is on the disk, and the runners are ended with it.
fn end_on_interrupt(folder: PathBuf) -> Result<()> {
    ctrlc::set_handler(move || {
        eprintln!("\nstopped; what is measured is stored. To go on: isobar resume {}", folder.display());
        crate::load::end_platforms();
        crate::remote::end_all();
        std::process::exit(INTERRUPTED);
    })
    .context("cannot listen for Ctrl-C")
}

/// A bar on a terminal; elsewhere a line now and then.
pub(super) struct Progress {
    pub(super) bar: ProgressBar,
    pub(super) lines: bool,
}

impl Progress {
    /// Of so many things.
    pub(super) fn new(length: u64) -> Self {
        let bar = ProgressBar::new(length);
        let template = "{bar:30} {pos}/{len}  {eta} left  {wide_msg}";
        bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(Duration::from_secs(1));
        Progress { bar, lines: !std::io::stderr().is_terminal() }
    }
}

impl Observer for Progress {
    fn round(&mut self, _number: u32, cells: usize, after: usize) {
        self.bar.set_length(self.bar.position() + (cells + after) as u64);
    }

    fn begins(&mut self, cell: &Cell) {
        self.bar.set_message(cell.to_string());
    }

    fn ended(&mut self, record: &Record) {
        if let Err(error) = &record.result {
            self.bar.suspend(|| eprintln!("failed: {}: {error}", record.cell));
        }
        self.bar.inc(1);
        let (done, of) = (self.bar.position(), self.bar.length().unwrap_or(1));
        if self.lines && (done % 50 == 0 || done == of) {
            eprintln!("{done}/{of} measured, {:.0?} so far", self.bar.elapsed());
        }
    }
}
