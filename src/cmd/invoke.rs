use super::Places;
use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use isobar_core::runtime::Execution;
use isobar_core::{Invocation, Runtime};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Run a function once: its standard output, standard error and exit code are isobar's
#[derive(Debug, Args)]
pub struct Invoke {
    /// The runtime, as `isobar list` names it
    runtime: String,
    /// A function (`rust/hello`, or `hello` for the one in Rust) or a file (.wasm, .wat)
    function: String,
    /// A variable; with none of them, a function gets what its manifest says
    #[arg(short, long = "env", value_name = "KEY=VALUE")]
    env: Vec<String>,
    /// Give standard input to the function
    #[arg(long)]
    stdin: bool,
    /// The function's arguments, after `--`
    #[arg(last = true)]
    args: Vec<String>,
    /// The wall-time limit, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 60_000)]
    timeout_ms: u64,
}

impl Invoke {
    pub fn run(self, places: &Places) -> Result<ExitCode> {
        let (module, mut invocation) = self.function(places)?;
        if !self.env.is_empty() {
            invocation.env = self.env.iter().map(|pair| parse_pair(pair)).collect::<Result<_>>()?;
        }
        if !self.args.is_empty() {
            invocation.args.clone_from(&self.args);
        }
        if self.stdin {
            invocation.stdin.clear();
            std::io::stdin().read_to_end(&mut invocation.stdin).context("cannot read standard input")?;
        }
        invocation.limits.wall_time_ns = self.timeout_ms.saturating_mul(1_000_000);
        let registry = places.registry()?;
        let runtime = registry.find(&self.runtime).map_err(|line| anyhow!(line))?;
        let failed = || format!("{} in {}", self.function, self.runtime);
        let engine = runtime.engine().with_context(failed)?;
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let artifact = match runtime.info().execution {
            Execution::Aot => {
                let artifact = folder.path().join("artifact");
                engine.compile(&module, &artifact).with_context(failed)?;
                artifact
            }
            _ => module,
        };
        let loaded = engine.load(&artifact).with_context(failed)?;
        let outcome = loaded.instantiate(&invocation).with_context(failed)?.execute().with_context(failed)?;
        std::io::stderr().write_all(&outcome.stderr).context("cannot write standard error")?;
        let mut stdout = std::io::stdout();
        stdout.write_all(&outcome.stdout).and_then(|()| stdout.flush()).context("cannot write standard output")?;
        // A process has eight bits of exit code.
        Ok(ExitCode::from(outcome.exit_code as u8))
    }

    fn function(&self, places: &Places) -> Result<(PathBuf, Invocation)> {
        let path = Path::new(&self.function);
        let is_file = path.extension().is_some_and(|extension| extension == "wasm" || extension == "wat");
        if is_file {
            if !path.is_file() {
                bail!("there is no file {}", path.display());
            }
            return Ok((path.to_owned(), Invocation::default()));
        }
        let catalogue = places.catalogue()?;
        let workload = catalogue.find(&self.function)?;
        Ok((workload.module_path.clone(), workload.invocation.clone()))
    }
}

fn parse_pair(pair: &str) -> Result<(String, String)> {
    match pair.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => bail!("'{pair}' is no variable: write --env KEY=VALUE"),
    }
}
