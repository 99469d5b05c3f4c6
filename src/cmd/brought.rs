//! What `run` and `invoke` have in common: a module that somebody brings, and how a function is called.

use crate::experiment::{Plan, Trial, agreed, attempt, keep_brought, record_brought};
use crate::record::{self, Header, RunFolder};
use crate::registry::Registry;
use crate::workload::{Brought, Workload};
use anyhow::{Context, Result, bail};
use clap::Args;
use indicatif::ProgressBar;
use isobar_core::measure::{Expectation, StdoutRule};
use isobar_core::{Failure, Invocation, Runtime, RuntimeId};
use std::io::Read;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The file name that stands for isobar's own standard input.
const OWN_STDIN: &str = "-";

/// A module without a manifest, and what it is called with.
#[derive(Debug, Args)]
pub(super) struct Call {
    /// A module of yours: any WASI preview 1 command, binary or text (docs/BRING-A-MODULE.md)
    #[arg(long, value_name = "FILE")]
    pub(super) module: Option<PathBuf>,
    /// A variable of its environment; repeatable
    #[arg(short, long = "env", value_name = "KEY=VALUE")]
    env: Vec<String>,
    /// An argument; repeatable
    #[arg(long = "arg", value_name = "ARG", allow_hyphen_values = true)]
    args: Vec<String>,
    /// Its standard input; without a FILE, or with -, isobar's own
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = OWN_STDIN)]
    stdin: Option<PathBuf>,
    /// The wall-time limit of an invocation, in milliseconds; a module of yours has a minute by default
    #[arg(long, value_name = "MS")]
    timeout_ms: Option<u64>,
}

impl Call {
    /// Puts what was given in place of what an invocation has.
    pub(super) fn change(&self, invocation: &mut Invocation) -> Result<()> {
        if !self.env.is_empty() {
            invocation.env = self.env.iter().map(|pair| parse_pair(pair)).collect::<Result<_>>()?;
        }
        if !self.args.is_empty() {
            invocation.args.clone_from(&self.args);
        }
        if let Some(file) = &self.stdin {
            invocation.stdin = read_input(file)?;
        }
        if let Some(ms) = self.timeout_ms {
            invocation.limits.wall_time_ns = ms.saturating_mul(1_000_000);
        }
        Ok(invocation.check()?)
    }

    fn is_given(&self) -> bool {
        !self.env.is_empty() || !self.args.is_empty() || self.stdin.is_some() || self.timeout_ms.is_some()
    }
}

fn read_input(file: &Path) -> Result<Vec<u8>> {
    if file != Path::new(OWN_STDIN) {
        return std::fs::read(file).with_context(|| format!("--stdin: cannot read {}", file.display()));
    }
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes).context("cannot read standard input")?;
    Ok(bytes)
}

fn parse_pair(pair: &str) -> Result<(String, String)> {
    match pair.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => bail!("'{pair}' is no variable: write --env KEY=VALUE"),
    }
}

/// What a module that was brought must answer.
#[derive(Debug, Args)]
pub(super) struct Expected {
    /// What it must write to standard output; a line end behind it is allowed. Without any --expect, what all runtimes
    /// answer counts, and a disagreement ends the run before it begins
    #[arg(long, value_name = "TEXT", requires = "module", allow_hyphen_values = true)]
    expect: Option<String>,
    /// A file with what it must write to standard output
    #[arg(long, value_name = "FILE", requires = "module", conflicts_with = "expect")]
    expect_file: Option<PathBuf>,
    /// The SHA-256 of what it must write to standard output
    #[arg(long, value_name = "HEX", requires = "module", conflicts_with_all = ["expect", "expect_file"], value_parser = sha256)]
    expect_sha256: Option<String>,
    /// The exit code that it must end with
    #[arg(long, value_name = "N", requires = "module", default_value_t = 0)]
    expect_exit: u8,
}

/// 64 hexadecimal digits, in lower case.
fn sha256(text: &str) -> Result<String, String> {
    let fits = text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
    if fits { Ok(text.to_ascii_lowercase()) } else { Err("a SHA-256 has 64 hexadecimal digits".to_owned()) }
}

impl Expected {
    /// The rule for standard output, if one was given.
    fn stdout(&self, trials: &[Trial]) -> Result<Option<StdoutRule>> {
        Ok(if let Some(text) = &self.expect {
            let line = format!("{text}\n").into_bytes();
            let answers = || trials.iter().flat_map(|trial| trial.answers.iter().flatten());
            let as_line = answers().any(|answer| answer.stdout == line);
            Some(StdoutRule::Exact(if as_line { line } else { text.clone().into_bytes() }))
        } else if let Some(file) = &self.expect_file {
            let read = std::fs::read(file).with_context(|| format!("--expect-file: cannot read {}", file.display()));
            Some(StdoutRule::Exact(read?))
        } else {
            self.expect_sha256.clone().map(StdoutRule::Sha256)
        })
    }

    /// How often a module must be invoked to know what is right.
    fn times(&self) -> usize {
        let declared = self.expect.is_some() || self.expect_file.is_some() || self.expect_sha256.is_some();
        if declared { 1 } else { 2 }
    }
}

/// A module that was brought, as one run measures it.
pub(super) struct Guest {
    brought: Brought,
    pub(super) workload: Workload,
    /// Holds the module until the run's folder does.
    _place: TempDir,
}

impl Guest {
    /// Reads the module that was given, if one was.
    pub(super) fn of(call: &Call) -> Result<Option<Guest>> {
        let Some(path) = &call.module else {
            if call.is_given() {
                bail!("--env, --arg, --stdin and --timeout-ms are for a module of yours: name it with --module FILE");
            }
            return Ok(None);
        };
        let brought = Brought::read(path)?;
        let mut invocation = Invocation::default();
        call.change(&mut invocation)?;
        let place = tempfile::tempdir().context("cannot make a temporary folder")?;
        let copy = place.path().join(brought.copy_name());
        std::fs::write(&copy, &brought.wasm).with_context(|| format!("cannot write {}", copy.display()))?;
        let workload = brought.workload(copy, invocation, Expectation::exact(Vec::new()));
        Ok(Some(Guest { brought, workload, _place: place }))
    }

    /// Tries the module in every runtime of the plan, takes those out of it that cannot run it, and settles what it must
    /// answer. Returns what the header says of it.
    ///
    /// # Errors
    /// No runtime can run it, or nobody said what it must answer and the runtimes do not agree.
    pub(super) fn try_out(
        &mut self,
        plan: &mut Plan,
        registry: &Registry,
        expected: &Expected,
    ) -> Result<record::Brought> {
        let trials = self.trials(plan, registry, expected.times());
        self.skip(plan, &trials)?;
        let exit_code = i32::from(expected.expect_exit);
        let (stdout, observed_in) = match expected.stdout(&trials)? {
            Some(rule) => (rule, Vec::new()),
            None => {
                let stdout = agreed(&trials, exit_code).with_context(|| self.workload.name.clone())?;
                let who = trials.into_iter().filter(|trial| trial.answers.is_ok()).map(|trial| trial.runtime);
                (StdoutRule::Exact(stdout), who.collect())
            }
        };
        self.workload.expectation = Expectation { exit_code, stdout };
        Ok(record_brought(&self.brought, &self.workload, observed_in))
    }

    fn trials(&self, plan: &Plan, registry: &Registry, times: usize) -> Vec<Trial> {
        let planned = |id: &RuntimeId| plan.cells.iter().any(|cell| cell.runtime == *id);
        let runtimes: Vec<_> = registry.runtimes.iter().filter(|runtime| planned(&runtime.info().id)).collect();
        let Workload { name, module_path, invocation, .. } = &self.workload;
        eprintln!("trying {name} in {} runtimes", runtimes.len());
        let bar = ProgressBar::new(runtimes.len() as u64);
        let trials = runtimes.into_iter().map(|runtime| {
            bar.set_message(runtime.info().id.to_string());
            bar.inc(1);
            attempt(runtime, module_path, invocation, times)
        });
        let trials = trials.collect();
        bar.finish_and_clear();
        trials
    }

    /// Leaves out the runtimes that cannot run the module.
    fn skip(&self, plan: &mut Plan, trials: &[Trial]) -> Result<()> {
        let name = &self.workload.name;
        let refusals: Vec<_> = trials.iter().filter_map(|trial| Some((&trial.runtime, trial.refusal()?))).collect();
        for (runtime, refusal) in &refusals {
            plan.skip(runtime, &format!("{name}: {}", self.reason(refusal)));
        }
        let [(runtime, refusal), others @ ..] = refusals.as_slice() else { return Ok(()) };
        if !plan.cells.is_empty() {
            refusals.iter().for_each(|(runtime, refusal)| eprintln!("skipped: {runtime}: {}", self.reason(refusal)));
            return Ok(());
        }
        let lack = self.lack(refusal).filter(|lack| others.iter().all(|(_, o)| self.lack(o).as_ref() == Some(lack)));
        match (lack, others.len()) {
            (_, 0) => bail!("{name} cannot run in {runtime}: {}", self.reason(refusal)),
            // All for one reason is one line, with the words of the first.
            (Some(lack), more) => {
                bail!("{name} cannot run in any of {} runtimes: it {lack} ({runtime}: {refusal})", 1 + more)
            }
            (None, more) => {
                let line = |(id, refusal): &(&RuntimeId, &Failure)| format!("\n  {id}: {}", self.reason(refusal));
                let lines: String = refusals.iter().map(line).collect();
                bail!("{name} cannot run in any of {} runtimes:{lines}", 1 + more)
            }
        }
    }

    /// What the module needs and a runtime lacks, as far as isobar knows.
    fn lack(&self, refusal: &Failure) -> Option<String> {
        match refusal {
            Failure::Link { .. } => self.brought.strange_imports(),
            Failure::Rejected { proposals, .. } if !proposals.is_empty() => {
                let word = if proposals.len() == 1 { "proposal" } else { "proposals" };
                Some(format!("needs the {word} {}", proposals.join(", ")))
            }
            _ => None,
        }
    }

    /// Why a runtime cannot run the module: what it lacks, and the words in which it says so.
    fn reason(&self, refusal: &Failure) -> String {
        match (self.lack(refusal), refusal) {
            (Some(lack), Failure::Link { .. }) => format!("{lack} ({refusal})"),
            _ => refusal.to_string(),
        }
    }

    /// Keeps the module and its call in the run's folder, and measures that copy.
    pub(super) fn keep(&mut self, folder: &RunFolder, header: &Header) -> Result<()> {
        for record in header.functions.iter().filter_map(|function| function.brought.as_ref()) {
            keep_brought(folder, record, &self.brought, &mut self.workload)?;
        }
        Ok(())
    }
}

/// What the reader of a run must know of an answer that nobody declared.
pub(super) fn observed(name: &str, record: &record::Brought) -> Option<String> {
    let runtimes = match record.observed_in.as_slice() {
        [] => return None,
        [alone] => format!("{alone} alone"),
        [one, other] => format!("{one} and {other}"),
        [first, others @ ..] => format!("{first} and {} others", others.len()),
    };
    let sha256: String = record.stdout_sha256.chars().take(12).collect();
    Some(format!(
        "the right answer of {name} was not declared but observed in {runtimes} (exit code {}, SHA-256 {sha256}...); to declare it, give --expect",
        record.exit_code
    ))
}
