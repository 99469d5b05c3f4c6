//! What an invocation gives and what must come back, as manifests and families write it.

use super::{Problem, source::Source, sums::is_sha256};
use isobar_core::{
    Invocation, Limits,
    measure::{Expectation, StdoutRule},
};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    num::{NonZeroU32, NonZeroU64},
    ops::Range,
};
use toml::Spanned;

/// One piece of work: what a function gets, and what it must answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    /// What the function gets; its standard input only once.
    given: Invocation,
    /// How often standard input is repeated.
    stdin_times: u32,
    /// What it must answer.
    pub expectation: Expectation,
}

impl Work {
    pub(super) fn new(given: Invocation, stdin_times: u32, expectation: Expectation) -> Work {
        Work { given, stdin_times, expectation }
    }

    /// What the function gets, `first` before its own arguments. Large inputs are made here.
    pub fn invocation(&self, first: &[String]) -> Invocation {
        Invocation {
            args: first.iter().chain(&self.given.args).cloned().collect(),
            stdin: self.given.stdin.repeat(self.stdin_times as usize),
            ..self.given.clone()
        }
    }
}

/// The keys of an invocation; whoever flattens them cannot refuse unknown keys, so they are taken out one by one.
#[derive(Default)]
pub(super) struct Given {
    pub(super) args: Vec<Spanned<String>>,
    pub(super) stdin: Option<String>,
    pub(super) stdin_file: Option<Spanned<String>>,
    pub(super) stdin_times: Option<NonZeroU32>,
    pub(super) env: BTreeMap<Spanned<String>, Spanned<String>>,
}

#[derive(Clone, Copy, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitsTable {
    wall_time_ms: Option<NonZeroU64>,
    memory_bytes: Option<NonZeroU64>,
    output_bytes: Option<NonZeroU64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectedTable {
    exit_code: Option<Spanned<i64>>,
    stdout: Option<String>,
    stdout_file: Option<Spanned<String>>,
    stdout_prefix: Option<String>,
    stdout_sha256: Option<Spanned<String>>,
}

impl Given {
    pub(super) fn is_empty(&self) -> bool {
        self.args.is_empty() && self.stdin.is_none() && self.stdin_file.is_none() && self.env.is_empty()
    }

    pub(super) fn work(
        &self,
        source: &Source,
        limits: LimitsTable,
        expected: &Spanned<ExpectedTable>,
    ) -> Result<Work, Problem> {
        let expectation = expected.as_ref().expectation(source, expected.span())?;
        Ok(Work::new(self.invocation(source, limits)?, self.times(), expectation))
    }

    pub(super) fn times(&self) -> u32 {
        self.stdin_times.map_or(1, NonZeroU32::get)
    }

    pub(super) fn invocation(&self, source: &Source, limits: LimitsTable) -> Result<Invocation, Problem> {
        for arg in &self.args {
            check_no_nul(source, "an argument", arg)?;
        }
        for (key, value) in &self.env {
            if key.as_ref().is_empty() || key.as_ref().contains(['=', '\0']) {
                let what = format!("{:?} cannot be the name of a variable", key.as_ref());
                return Err(source.problem(key.span(), what, "a name is not empty and has neither `=` nor NUL"));
            }
            check_no_nul(source, "a variable's value", value)?;
        }
        let stdin = match (&self.stdin, &self.stdin_file) {
            (None, None) => Vec::new(),
            (Some(text), None) => text.clone().into_bytes(),
            (None, Some(file)) => source.read_file(file)?,
            (Some(_), Some(file)) => {
                return Err(source.problem(file.span(), "both `stdin` and `stdin_file`", "remove one of them"));
            }
        };
        let args = self.args.iter().map(|arg| arg.as_ref().clone()).collect();
        let env = self.env.iter().map(|(key, value)| (key.as_ref().clone(), value.as_ref().clone())).collect();
        Ok(Invocation { args, env, stdin, limits: limits.limits() })
    }
}

/// WASI hands strings over with a NUL at their end.
fn check_no_nul(source: &Source, whose: &str, value: &Spanned<String>) -> Result<(), Problem> {
    if value.as_ref().contains('\0') {
        return Err(source.problem(value.span(), format!("{whose} contains NUL"), "WASI cannot pass NUL: remove it"));
    }
    Ok(())
}

impl ExpectedTable {
    fn expectation(&self, source: &Source, at: Range<usize>) -> Result<Expectation, Problem> {
        let exit_code = match &self.exit_code {
            None => 0,
            Some(code) => i32::from(u8::try_from(*code.as_ref()).map_err(|_| {
                let what = format!("`exit_code` {} is impossible", code.as_ref());
                source.problem(code.span(), what, "an exit code is a number from 0 to 255")
            })?),
        };
        let mut rules = Vec::new();
        if let Some(text) = &self.stdout {
            rules.push(StdoutRule::Exact(text.clone().into_bytes()));
        }
        if let Some(file) = &self.stdout_file {
            rules.push(StdoutRule::Exact(source.read_file(file)?));
        }
        if let Some(text) = &self.stdout_prefix {
            rules.push(StdoutRule::Prefix(text.clone().into_bytes()));
        }
        if let Some(sum) = &self.stdout_sha256 {
            if !is_sha256(sum.as_ref()) {
                return Err(source.problem(sum.span(), "`stdout_sha256` is no SHA-256", "write 64 hexadecimal digits"));
            }
            rules.push(StdoutRule::Sha256(sum.as_ref().to_ascii_lowercase()));
        }
        let found = rules.len();
        match rules.pop() {
            Some(stdout) if found == 1 => Ok(Expectation { exit_code, stdout }),
            _ => {
                let what = format!("{found} rules for standard output instead of one");
                let remedy = "give one of `stdout`, `stdout_file`, `stdout_prefix`, `stdout_sha256`";
                Err(source.problem(at, what, remedy))
            }
        }
    }
}

impl LimitsTable {
    fn limits(self) -> Limits {
        let default = Limits::default();
        let or = |given: Option<NonZeroU64>, default| given.map_or(default, NonZeroU64::get);
        let wall_time_ns = self.wall_time_ms.map(|ms| ms.get().saturating_mul(1_000_000));
        Limits {
            wall_time_ns: wall_time_ns.unwrap_or(default.wall_time_ns),
            memory_bytes: or(self.memory_bytes, default.memory_bytes),
            output_bytes: or(self.output_bytes, default.output_bytes),
        }
    }
}
