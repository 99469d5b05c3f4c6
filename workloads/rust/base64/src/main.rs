//! Encodes standard input as Base64 (RFC 4648, section 4), or decodes it.

use base64::{Engine, prelude::BASE64_STANDARD};
use input::Refusal;
use std::{hint::black_box, process::ExitCode};

pub fn main() -> ExitCode {
    input::answer_bytes(run())
}

fn run() -> Result<Vec<u8>, Refusal> {
    let work = match input::text("MODE")?.as_str() {
        "encode" => encode,
        "decode" => decode,
        _ => return Err(Refusal::new("MODE", "is neither encode nor decode")),
    };
    let iterations = input::iterations()?;
    let bytes = input::stdin()?;
    input::repeat(iterations, || work(black_box(&bytes)))
}

fn encode(bytes: &[u8]) -> Result<Vec<u8>, Refusal> {
    let mut text = BASE64_STANDARD.encode(bytes);
    text.push('\n');
    Ok(text.into_bytes())
}

fn decode(text: &[u8]) -> Result<Vec<u8>, Refusal> {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    BASE64_STANDARD.decode(text).map_err(|e| Refusal::stdin(e.to_string()))
}
