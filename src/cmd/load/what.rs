//! The request and the answer that counts, as options.

use crate::load::{Check, Request};
use anyhow::{Context, Result, bail};
use clap::Args;
use isobar_core::measure::StdoutRule;
use std::path::PathBuf;

/// The request, and the answer that counts.
#[derive(Debug, Args)]
pub(super) struct What {
    /// The method; by default GET, with --data POST
    #[arg(short = 'X', long, value_name = "METHOD")]
    method: Option<String>,
    /// A field of the request's head; repeatable
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE", value_parser = field)]
    fields: Vec<(String, String)>,
    /// The request's body
    #[arg(long, value_name = "TEXT", conflicts_with = "data_file")]
    data: Option<String>,
    /// The file with the request's body
    #[arg(long, value_name = "FILE")]
    data_file: Option<PathBuf>,
    /// The status that counts; by default any from 200 to 299
    #[arg(long, value_name = "CODE", value_parser = clap::value_parser!(u16).range(200..600))]
    status: Option<u16>,
    #[command(flatten)]
    expect: Expect,
}

/// The body that counts; by default that of the first answer.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(super) struct Expect {
    /// The body that every answer must have; by default that of the first one
    #[arg(long, value_name = "TEXT")]
    expect: Option<String>,
    /// The file with the body that every answer must have
    #[arg(long, value_name = "FILE")]
    expect_file: Option<PathBuf>,
    /// The SHA-256 that every answer's body must have, in hexadecimal
    #[arg(long, value_name = "HEX", value_parser = sha256)]
    expect_sha256: Option<String>,
    /// Answers may have any body
    #[arg(long)]
    expect_any: bool,
}

impl What {
    /// The request for a path.
    pub(super) fn request(&self, path: &str) -> Result<Request> {
        let read = |path: &PathBuf| std::fs::read(path).with_context(|| format!("cannot read {}", path.display()));
        let body = match (&self.data, &self.data_file) {
            (Some(text), _) => Some(text.clone().into_bytes()),
            (None, Some(path)) => Some(read(path)?),
            (None, None) => None,
        };
        let method = self.method.clone().unwrap_or_else(|| if body.is_some() { "POST" } else { "GET" }.to_owned());
        if method == "HEAD" || method == "CONNECT" || !method.bytes().all(|b| b.is_ascii_uppercase()) {
            bail!("--method {method}: answers to it have no body to be checked; use GET, POST, PUT or DELETE");
        }
        let Expect { expect, expect_file, expect_sha256, expect_any } = &self.expect;
        let rule = match (expect, expect_file, expect_sha256) {
            (Some(text), ..) => Some(StdoutRule::Exact(text.clone().into_bytes())),
            (_, Some(path), _) => Some(StdoutRule::Exact(read(path)?)),
            (.., Some(hex)) => Some(StdoutRule::Sha256(hex.clone())),
            _ => expect_any.then_some(StdoutRule::Any),
        };
        Ok(Request {
            name: path.to_owned(),
            method,
            path: path.to_owned(),
            fields: self.fields.clone(),
            body: body.unwrap_or_default(),
            check: Check { status: self.status, body: rule },
        })
    }
}

/// `name: value`.
fn field(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("write 'Name: value'")?;
    let (name, value) = (name.trim(), value.trim());
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if name.is_empty() || !name.bytes().all(token) || value.bytes().any(|b| b.is_ascii_control()) {
        return Err("write 'Name: value', without control characters".to_owned());
    }
    let own = ["content-length", "connection", "transfer-encoding"];
    if own.iter().any(|own| name.eq_ignore_ascii_case(own)) {
        return Err(format!("{name} is isobar's own; see --data and --fresh"));
    }
    Ok((name.to_owned(), value.to_owned()))
}

/// A SHA-256 in hexadecimal, in lower case.
fn sha256(text: &str) -> Result<String, String> {
    let hex = text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
    if hex { Ok(text.to_ascii_lowercase()) } else { Err("write 64 hexadecimal digits".to_owned()) }
}

impl What {
    /// Whether anything of it is given.
    pub(super) fn is_given(&self) -> bool {
        let What { method, fields, data, data_file, status, expect } = self;
        let Expect { expect, expect_file, expect_sha256, expect_any } = expect;
        method.is_some()
            || !fields.is_empty()
            || data.is_some()
            || data_file.is_some()
            || status.is_some()
            || expect.is_some()
            || expect_file.is_some()
            || expect_sha256.is_some()
            || *expect_any
    }
}
