use super::Places;
use super::brought::Call;
use crate::experiment;
use crate::workload::Brought;
use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use isobar_core::{Form, Invocation, Runtime, RuntimeInfo};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Run a function once: its standard output, standard error and exit code are isobar's
#[derive(Debug, Args)]
pub struct Invoke {
    /// The runtime, as `isobar list` names it
    runtime: String,
    /// A function (`rust/hello`, or `hello` for the one in Rust) or a file (.wasm, .wat). With none of --env, --arg and
    /// --stdin, a function gets what its manifest says
    #[arg(required_unless_present = "module", conflicts_with = "module")]
    function: Option<String>,
    #[command(flatten)]
    call: Call,
    /// The function's arguments, after `--`
    #[arg(last = true, conflicts_with = "args")]
    last_args: Vec<String>,
}

impl Invoke {
    pub fn run(self, places: &Places) -> Result<ExitCode> {
        let registry = places.registry()?;
        let runtime = registry.find(&self.runtime).map_err(|line| anyhow!(line))?;
        let (name, module, mut invocation) = self.function(places, runtime.info())?;
        if !self.last_args.is_empty() {
            invocation.args.clone_from(&self.last_args);
        }
        self.call.change(&mut invocation)?;
        let outcomes = experiment::invoke(runtime, &module, &invocation, 1);
        let outcomes = outcomes.with_context(|| format!("{name} in {}", self.runtime))?;
        let mut stdout = std::io::stdout();
        for outcome in &outcomes {
            std::io::stderr().write_all(&outcome.stderr).context("cannot write standard error")?;
            stdout.write_all(&outcome.stdout).and_then(|()| stdout.flush()).context("cannot write standard output")?;
        }
        // A process has eight bits of exit code.
        Ok(ExitCode::from(outcomes.last().map_or(0, |outcome| outcome.exit_code as u8)))
    }

    /// What the function is called, what the runtime loads of it, and what its manifest gives to it.
    fn function(&self, places: &Places, runtime: &RuntimeInfo) -> Result<(String, PathBuf, Invocation)> {
        let is_file = |name: &&str| Path::new(name).extension().is_some_and(|end| end == "wasm" || end == "wat");
        let named = self.function.as_deref();
        if let Some(path) = self.call.module.as_deref().or(named.filter(is_file).map(Path::new)) {
            Brought::read(path)?;
            if runtime.form != Form::Wasm {
                bail!("{} loads no modules: name a function of `isobar list`", runtime.id);
            }
            return Ok((path.display().to_string(), path.to_owned(), Invocation::default()));
        }
        let catalogue = places.catalogue()?;
        let workload = catalogue.find(named.unwrap_or_default())?;
        Ok((workload.name.clone(), workload.form(runtime.form)?, workload.invocation.clone()))
    }
}
