use crate::record::{Part, schema};
use anyhow::{Context, Result};
use clap::Args;
use std::process::ExitCode;

/// Print the JSON Schema of a run's files
#[derive(Debug, Args)]
#[command(after_help = "docs/RECORDS.md says what the fields mean; docs/records.schema.json is this command's output.")]
pub struct Schema {
    /// Only the one of run.json (header) or of a line of records.jsonl (record)
    part: Option<Part>,
}

impl Schema {
    pub fn run(self) -> Result<ExitCode> {
        let text = serde_json::to_string_pretty(&schema(self.part)).context("the schema is no JSON")?;
        super::print(&format!("{text}\n"))?;
        Ok(ExitCode::SUCCESS)
    }
}
