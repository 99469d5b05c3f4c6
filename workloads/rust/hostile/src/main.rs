//! Tries what a function must not do: the one thing that `ATTEMPT` names. Nothing here goes on for ever, even where
//! nobody stops it.

use input::{Refusal, number, text};
use std::process::ExitCode;

mod files;
mod limits;
mod marker;
mod reach;
#[cfg(target_os = "wasi")]
mod wasi;

const MOST_MIB: &str = "MOST_MIB";

fn main() -> ExitCode {
    let attempt = text("ATTEMPT");
    if attempt.as_deref() == Ok("output") {
        return match number(MOST_MIB, 1..=65_536) {
            Ok(most_mib) => limits::output(most_mib),
            Err(refusal) => input::answer(Err(refusal)),
        };
    }
    input::answer(attempt.and_then(|attempt| make(&attempt)))
}

fn make(attempt: &str) -> Result<String, Refusal> {
    Ok(match attempt {
        "none" => "harmless".to_owned(),
        "environment" => said(reach::environment()),
        "passwd" => said(files::passwd()),
        "file" => said(files::file(&text("FILE")?)),
        "folder" => said(files::folder(&text("FOLDER")?)),
        "write" => said(files::write(&text("FOLDER")?, &text("TOKEN")?)),
        "connect" => said(reach::connect(&text("ADDRESS")?, &text("TOKEN")?)),
        "leave" => marker::leave(&text("TOKEN")?),
        "look" => said(marker::look()),
        "memory" => said(limits::memory(number(MOST_MIB, 1..=65_536)?)),
        "spin" => said(limits::spin()),
        "spawn" => said(reach::spawn()),
        "stack" => said(limits::stack()),
        "crash" => said(limits::crash()),
        "signal" => said(reach::signal()),
        _ => return Err(Refusal::new("ATTEMPT", format!("there is no attempt {attempt:?}"))),
    })
}

/// What was got, or what stood in the way, on one line.
fn said(result: Result<String, String>) -> String {
    let (verdict, evidence) = match result {
        Ok(evidence) => ("allowed", evidence),
        Err(evidence) => ("denied", evidence),
    };
    format!("{verdict}: {}", evidence.replace(|c: char| c.is_control(), " "))
}
