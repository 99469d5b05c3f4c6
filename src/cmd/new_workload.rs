use super::{Places, print};
use crate::workload::new_workload;
use anyhow::Result;
use clap::Args;
use std::process::ExitCode;

/// Make a new function from the template of its language: it builds, runs and answers at once
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  isobar new-workload rust shout\n  \
                        isobar new-workload zig count-lines --description 'Lines that contain WORD'")]
pub struct NewWorkload {
    /// The language: a folder in workloads/ (rust, c, cpp, zig, go, assemblyscript, javascript, lua, python, ...)
    language: String,
    /// The function's name: lower-case letters, digits, `-` and `_`
    name: String,
    /// What it does, one line; by default what the template does
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
}

impl NewWorkload {
    pub fn run(self, places: &Places) -> Result<ExitCode> {
        let made = new_workload(&places.root()?, &self.language, &self.name, self.description.as_deref())?;
        let (name, folder) = (&made.name, made.folder.display());
        print(&format!(
            "{folder}: {}\nNext:\n  isobar build {name}\n  isobar invoke wasmtime/cranelift {name}\n  \
             isobar run --quick --filter {name}\n",
            made.files.join(", ")
        ))?;
        Ok(ExitCode::SUCCESS)
    }
}
