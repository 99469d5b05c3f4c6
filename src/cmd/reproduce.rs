//! `isobar reproduce`: a published evaluation, measured again.

use super::Places;
use super::progress::{Progress, disturbances};
use crate::chart;
use crate::experiment::{self, Round, differences, plan_sha256};
use crate::record::{self, Absent, Function, Header, Machine, Opened, Record, Run, RunFolder, SCHEMA, Schedule};
use crate::registry::Registry;
use crate::report;
use crate::thesis::items::{self, Section};
use crate::thesis::parts::{self, Block, Measures, PARTS, Part, Planned};
use crate::thesis::servers::{self, How, Served, Starter};
use crate::thesis::{Evidence, Published, page};
use crate::workload::{Catalogue, Workload};
use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use isobar_core::measure::{available, nanoseconds};
use isobar_core::{Form, Runtime, RuntimeInfo};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The exit code of a program that was ended by Ctrl-C.
const INTERRUPTED: u8 = 130;

/// The page, in the folder of the runs and in isobar's docs.
const PAGE: &str = "THESIS.md";

/// Where the figures of the page in isobar's docs are, seen from there.
const DOCS_CHARTS: &str = "results/thesis/charts";

/// Measure a published evaluation again, and put what was published beside it
#[derive(Debug, Args)]
#[command(
    after_help = "Figures and tables of the thesis: 1 to 3 instantiation of a small module, of the Rust hello, of one with much \
                  data; 4 from an AOT file; 5 regression; 6 Fibonacci; 7 Blake3; 8 platforms; 9 Wizer; 10 the platform and its \
                  web framework. Each is a run of its own below --into, which goes on where it was cut off when the command is \
                  called again; what is measured is not measured again. The page then has all that is there.\n\nExamples:\n  \
                  isobar reproduce thesis --quick --into results/thesis-quick\n  isobar reproduce thesis --only 6,7\n  \
                  isobar reproduce thesis --records-only --docs"
)]
pub struct Reproduce {
    /// What
    what: What,
    /// Fewer processes, samples and requests
    #[arg(long)]
    quick: bool,
    /// Where the runs, the page and the figures are; by default results/thesis in isobar's own folder
    #[arg(long, value_name = "FOLDER")]
    into: Option<PathBuf>,
    /// Only these figures and tables
    #[arg(long, value_name = "N", value_delimiter = ',', value_parser = clap::value_parser!(u8).range(1..=i64::from(items::ITEMS)))]
    only: Vec<u8>,
    /// Measure nothing: write the page and the figures of what is there
    #[arg(long, conflicts_with = "quick")]
    records_only: bool,
    /// Write docs/THESIS.md and its figures, too
    #[arg(long)]
    docs: bool,
    /// The seed of the order and of the resampling; by default one of the clock's
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

/// What can be reproduced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    /// S. Jaghori, "Efficient Serverless Computing with WebAssembly", 2023
    Thesis,
}

/// What Ctrl-C does: at once where runners are measured, after the server was ended where one runs.
#[derive(Clone, Default)]
struct Interrupt {
    stop: Arc<AtomicBool>,
    serving: Arc<AtomicBool>,
}

/// What measuring needs.
struct Bench<'a> {
    places: &'a Places,
    root: PathBuf,
    registry: Registry,
    catalogue: Catalogue,
    workloads: Vec<Workload>,
    interrupt: Interrupt,
}

impl Reproduce {
    pub fn run(self, places: &Places) -> Result<ExitCode> {
        let What::Thesis = self.what;
        let root = places.root()?;
        let into = self.into.clone().unwrap_or_else(|| root.join("results").join("thesis"));
        let items: Vec<u8> = if self.only.is_empty() { (1..=items::ITEMS).collect() } else { self.only.clone() };
        if !self.records_only && !self.measure(places, &root, &into, &items)? {
            eprintln!("stopped; what is measured is stored. The same command goes on");
            return Ok(ExitCode::from(INTERRUPTED));
        }
        let mut evidence = Evidence::default();
        let mut shown: BTreeSet<u8> = items.iter().copied().collect();
        for part in &PARTS {
            if into.join(part.name).join("run.json").is_file() {
                evidence.add(part, Run::read(&into.join(part.name))?);
                shown.extend(part.items);
            }
        }
        let published = Published::load();
        let sections = items::sections(&shown.into_iter().collect::<Vec<_>>(), &evidence, &published);
        let mut written = write(&sections, &into.join("charts"))?;
        written.push(write_page(&into.join(PAGE), &page(&evidence, &published, &sections, "charts"))?);
        if self.docs {
            let docs = root.join("docs");
            let svg = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "svg");
            for file in write(&sections, &docs.join(DOCS_CHARTS))? {
                if svg(&file) { written.push(file) } else { std::fs::remove_file(&file)? }
            }
            written.push(write_page(&docs.join(PAGE), &page(&evidence, &published, &sections, DOCS_CHARTS))?);
        }
        for answer in crate::thesis::answers(&evidence, &published) {
            println!("{}. {}: {}", answer.number, answer.question, answer.verdict.words());
        }
        for file in written.iter().filter(|file| file.extension().is_some_and(|extension| extension != "png")) {
            println!("{:7} {}", if file.ends_with(PAGE) { "page" } else { "chart" }, file.display());
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Measures what is missing. `false` if it was interrupted.
    fn measure(&self, places: &Places, root: &Path, into: &Path, items: &[u8]) -> Result<bool> {
        let (catalogue, registry) = (places.catalogue()?, places.registry()?);
        let workloads = parts::workloads(&catalogue);
        let interrupt = Interrupt::listen()?;
        let bench = Bench { places, root: root.to_owned(), registry, catalogue, workloads, interrupt };
        disturbances().iter().for_each(|warning| eprintln!("warning: {warning}"));
        for part in parts::parts(items) {
            self.part(&bench, part, &into.join(part.name))?;
            if bench.interrupt.stop.load(Ordering::Relaxed) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn part(&self, bench: &Bench, part: &Part, folder: &Path) -> Result<()> {
        let wanted = self.header(bench, part)?;
        if wanted.cells.is_empty() {
            let why = wanted.absent.iter().map(|absent| &absent.reason);
            let why = why.chain(wanted.unbuilt.iter().map(|unbuilt| &unbuilt.reason)).next();
            eprintln!("{}: nothing of it can be measured here: {}", part.name, why.map_or("", String::as_str));
            return Ok(());
        }
        let (mut folder, header, records) = if folder.join("run.json").is_file() {
            let Opened { folder, run, .. } = RunFolder::open(folder)?;
            self.check(bench, part, &run, &wanted, folder.path())?;
            (folder, run.header, run.records)
        } else {
            (RunFolder::create_in(folder, &wanted)?, wanted, Vec::new())
        };
        for absent in &header.absent {
            eprintln!("{}: without {}: {}", part.name, absent.family, absent.reason);
        }
        for unbuilt in &header.unbuilt {
            eprintln!("{}: without {}: {}", part.name, unbuilt.function, unbuilt.reason);
        }
        let started = std::time::Instant::now();
        let before = records.len();
        let records = match part.measures {
            Measures::Cells(_) => bench.cells(&header, records, &mut folder)?,
            Measures::Servers(all) => bench.servers(all, &header, records, &mut folder)?,
        };
        let failed = records.iter().filter(|record| record.result.is_err()).count();
        let failed = if failed == 0 { String::new() } else { format!(", {failed} of them failed") };
        eprintln!(
            "{}: {} measurements{failed}, {} of them now in {:.0?}",
            part.name,
            records.len(),
            records.len() - before,
            started.elapsed()
        );
        let run = Run { header, records };
        report::write(&run, &report::rows(&run), folder.path())?;
        Ok(())
    }

    /// Whether a run that is there can be gone on with.
    fn check(&self, bench: &Bench, part: &Part, run: &Run, wanted: &Header, folder: &Path) -> Result<()> {
        let (folder, header) = (folder.display(), &run.header);
        if header.quick != self.quick {
            let was = if header.quick { "with" } else { "without" };
            bail!("{folder} was measured {was} --quick: call it so again, or name another folder with --into");
        }
        let complete = match part.measures {
            Measures::Cells(_) => Round::current(header, &run.records).is_none(),
            Measures::Servers(_) => servers::is_complete(header, &run.records),
        };
        let found = match part.measures {
            _ if complete => Vec::new(),
            // Servers are other runtimes than the registry's by their names.
            Measures::Servers(_) => {
                let functions = header.functions.iter().filter(|function| !function.name.starts_with('/'));
                let then = Header { runtimes: vec![], functions: functions.cloned().collect(), ..header.clone() };
                differences(&then, &Machine::this(), &[], &bench.workloads)
            }
            Measures::Cells(_) => differences(header, &Machine::this(), &bench.registry.runtimes, &bench.workloads),
        };
        if !found.is_empty() {
            bail!("{folder} cannot go on, for it is not as it was: {}; remove it to measure again", found.join("; "));
        }
        let new = wanted.cells.iter().filter(|cell| !header.cells.contains(cell)).map(|cell| cell.runtime.to_string());
        let new: BTreeSet<String> = new.collect();
        if !new.is_empty() {
            let new = Vec::from_iter(new).join(", ");
            eprintln!("{folder} was begun without {new}: remove it to measure that, too");
        }
        Ok(())
    }

    fn header(&self, bench: &Bench, part: &Part) -> Result<Header> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut header = Header {
            schema: SCHEMA,
            isobar: env!("CARGO_PKG_VERSION").to_owned(),
            arguments: super::run::typed(std::env::args().skip(1)),
            started_at_s: now.as_secs(),
            quick: self.quick,
            seed: self.seed.unwrap_or(now.subsec_nanos().into()),
            schedule: self.schedule(part),
            shard: None,
            merged: Vec::new(),
            plan_sha256: String::new(),
            machines: vec![Machine::this()],
            pinned: false,
            measures: available(),
            warnings: disturbances(),
            runtimes: Vec::new(),
            absent: Vec::new(),
            functions: Vec::new(),
            cells: Vec::new(),
            elsewhere: Vec::new(),
            skipped: Vec::new(),
            load: None,
            unbuilt: Vec::new(),
            formless: Vec::new(),
        };
        match part.measures {
            Measures::Cells(blocks) => bench.plan_cells(blocks, &mut header)?,
            Measures::Servers(all) => bench.plan_servers(all, &mut header),
        }
        header.plan_sha256 = plan_sha256(&header);
        Ok(header)
    }

    fn schedule(&self, part: &Part) -> Schedule {
        let (min_processes, max_processes, cell_s) = match (part.measures, self.quick) {
            (Measures::Servers(_), true) => (2, 2, 0),
            (Measures::Servers(_), false) => (5, 5, 0),
            (Measures::Cells(_), true) => (3, 3, 2),
            (Measures::Cells(_), false) => (5, 15, 30),
        };
        let cell_time_ns = (cell_s > 0).then(|| nanoseconds(Duration::from_secs(cell_s)));
        Schedule { min_processes, max_processes, precision: 0.02, cell_time_ns, total_time_ns: None }
    }
}

impl Bench<'_> {
    fn plan_cells(&self, blocks: &[Block], header: &mut Header) -> Result<()> {
        let Planned { plan, absent, unbuilt } =
            parts::plan(blocks, &self.registry, &self.catalogue, &self.workloads, record::cores())?;
        let planned = |info: &RuntimeInfo| plan.cells.iter().any(|cell| cell.runtime == info.id);
        let runtimes = self.registry.runtimes.iter().map(|runtime| runtime.info());
        header.runtimes = runtimes.filter(|info| planned(info)).cloned().collect();
        let measured = |workload: &&Workload| plan.cells.iter().any(|cell| cell.function == workload.name);
        header.functions = self.workloads.iter().filter(measured).map(|w| with_forms(w, &header.runtimes)).collect();
        (header.absent, header.unbuilt) = (absent, unbuilt);
        (header.cells, header.skipped, header.formless) = (plan.cells, plan.skipped, plan.formless);
        Ok(())
    }

    fn plan_servers(&self, all: &[Served], header: &mut Header) {
        for served in all {
            match self.runtime_of(served) {
                Ok(info) => header.runtimes.extend(info),
                Err(reason) => header.absent.push(Absent { family: served.name.to_owned(), reason }),
            }
        }
        let known = |function: &str| function.starts_with('/') || self.workloads.iter().any(|w| w.name == function);
        header.cells = servers::cells(all, |served, function| self.runtime_of(served).is_ok() && known(function));
        let names: BTreeSet<&str> = all.iter().flat_map(|served| served.functions).copied().collect();
        for name in names {
            match self.workloads.iter().find(|workload| workload.name == name) {
                Some(workload) => header.functions.push(with_forms(workload, &header.runtimes)),
                None if name.starts_with('/') => {
                    header.functions.push(crate::load::function(name, "GET", "isobar serve"));
                }
                None => header.unbuilt.push(parts::unbuilt(&self.catalogue, name)),
            }
        }
    }

    /// What a server runs functions in, as far as it is one of the registry's.
    fn runtime_of(&self, served: &Served) -> Result<Option<RuntimeInfo>, String> {
        let name = match served.how {
            How::Runner => served.name,
            How::Platform(["--runtime", runtime, ..]) => runtime,
            How::Platform(_) => return Ok(None),
        };
        let known = self.registry.runtimes.iter().find(|runtime| runtime.info().id.as_str() == name);
        let known = known.ok_or_else(|| parts::absent(&self.registry, name).reason)?;
        Ok(Some(RuntimeInfo { id: served.id(), ..known.info().clone() }))
    }

    fn cells(&self, header: &Header, records: Vec<Record>, folder: &mut RunFolder) -> Result<Vec<Record>> {
        let mut progress = Progress::new(0);
        let runtimes = &self.registry.runtimes;
        let records = experiment::run(header, records, None, runtimes, &self.workloads, folder, &mut progress)?;
        progress.bar.finish_and_clear();
        Ok(records)
    }

    fn servers(
        &self,
        all: &[Served],
        header: &Header,
        records: Vec<Record>,
        folder: &mut RunFolder,
    ) -> Result<Vec<Record>> {
        let cache = folder.artifacts();
        let cache = cache.canonicalize().with_context(|| format!("cannot find {}", cache.display()))?;
        let starter = Starter {
            exe: std::env::current_exe().context("cannot tell where isobar itself is")?,
            root: self.root.clone(),
            runners: self.places.runners.clone(),
            cache,
            registry: &self.registry,
            workloads: &self.workloads,
        };
        let progress = Progress::new(servers::starts(all, header, &records));
        self.interrupt.serving.store(true, Ordering::Relaxed);
        let mut tell = |served: &Served, function: &str| {
            progress.bar.set_message(format!("{} {function}", served.name));
            progress.bar.inc(1);
        };
        if !servers::is_complete(header, &records) {
            servers::deploy(all, header, &starter);
        }
        let measured = servers::measure(all, header, records, &starter, folder, &self.interrupt.stop, &mut tell);
        self.interrupt.serving.store(false, Ordering::Relaxed);
        progress.bar.finish_and_clear();
        Ok(measured?)
    }
}

/// A function with what runtimes load of it in place of the module.
fn with_forms(workload: &Workload, runtimes: &[RuntimeInfo]) -> Function {
    let forms: BTreeSet<Form> = runtimes.iter().map(|info| info.form).filter(|form| *form != Form::Wasm).collect();
    let loaded = |form| Some((form, experiment::loaded(workload, form).ok()?));
    let forms: BTreeMap<_, _> = forms.into_iter().filter_map(loaded).collect();
    Function { forms, ..super::run::function(workload, false) }
}

impl Interrupt {
    fn listen() -> Result<Interrupt> {
        let interrupt = Interrupt::default();
        let Interrupt { stop, serving } = interrupt.clone();
        let handler = move || {
            // The first time, a server is ended by whoever started it.
            if serving.load(Ordering::Relaxed) && !stop.swap(true, Ordering::Relaxed) {
                return;
            }
            eprintln!("\nstopped; what is measured is stored. The same command goes on");
            crate::remote::end_all();
            std::process::exit(INTERRUPTED.into());
        };
        ctrlc::set_handler(handler).context("cannot listen for Ctrl-C")?;
        Ok(interrupt)
    }
}

/// Writes the figures, and names the files.
fn write(sections: &[Section], folder: &Path) -> Result<Vec<PathBuf>> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let mut files = Vec::new();
    for drawing in sections.iter().flat_map(|section| &section.drawings) {
        files.extend(chart::write(&drawing.figure, &drawing.title, folder, &drawing.name)?);
    }
    Ok(files)
}

fn write_page(path: &Path, text: &str) -> Result<PathBuf> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path.to_owned())
}
