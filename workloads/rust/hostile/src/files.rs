//! The host's files.

use std::fs;

/// Only how long it is: what stands in it is nobody's business.
pub(crate) fn passwd() -> Result<String, String> {
    let bytes = read("/etc/passwd")?;
    let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
    Ok(format!("read {} bytes in {lines} lines", bytes.len()))
}

pub(crate) fn file(path: &str) -> Result<String, String> {
    read(path).map(|bytes| format!("read {}", String::from_utf8_lossy(&bytes)))
}

pub(crate) fn folder(path: &str) -> Result<String, String> {
    let listed = fs::read_dir(path).and_then(|entries| {
        let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        names.collect::<Result<Vec<_>, std::io::Error>>()
    });
    match listed {
        Ok(names) => Ok(format!("listed {}", names.join(" "))),
        Err(e) => around(e, Attempt::List(path)).map(|names| format!("listed {}", String::from_utf8_lossy(&names))),
    }
}

pub(crate) fn write(folder: &str, token: &str) -> Result<String, String> {
    let path = format!("{folder}/written");
    match fs::write(&path, token) {
        Ok(()) => Ok("wrote a file".to_owned()),
        Err(e) => around(e, Attempt::Write(&path, token)).map(|_| "wrote a file".to_owned()),
    }
}

pub(crate) fn read(path: &str) -> Result<Vec<u8>, String> {
    fs::read(path).or_else(|e| around(e, Attempt::Read(path)))
}

/// What the standard library did not manage.
#[cfg_attr(not(target_os = "wasi"), expect(dead_code, reason = "there is nothing below the library to be tried"))]
pub(crate) enum Attempt<'a> {
    Read(&'a str),
    List(&'a str),
    Write(&'a str, &'a str),
}

/// The library may have refused by itself: the host is asked, too.
#[cfg(target_os = "wasi")]
fn around(refused: std::io::Error, attempt: Attempt) -> Result<Vec<u8>, String> {
    crate::wasi::around(attempt).map_err(|answers| format!("{refused}; {answers}"))
}

#[cfg(not(target_os = "wasi"))]
fn around(refused: std::io::Error, _: Attempt) -> Result<Vec<u8>, String> {
    Err(refused.to_string())
}
