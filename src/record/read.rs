use super::store::{HEADER, RECORDS};
use super::{Header, Record, Run, SCHEMA, StoreError};
use serde::Deserialize;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::Path;

/// The records of a file, and what else is in it.
pub(super) struct Stored {
    pub(super) records: Vec<Record>,
    /// The bytes that whole records take, with their ends of lines.
    pub(super) whole_bytes: u64,
    /// The bytes behind them, of a last line that was cut off while it was written.
    pub(super) torn_bytes: u64,
    /// Whether the last record's line is ended, too.
    pub(super) ends_line: bool,
}

impl Run {
    /// Reads a run's folder. A last line that was cut off in the middle of being written is left out; any other line
    /// that is no record is an error.
    ///
    /// # Errors
    /// The files cannot be read, hold something else, or are of another schema.
    pub fn read(folder: &Path) -> Result<Run, StoreError> {
        let header = header(folder)?;
        Ok(Run { header, records: records(folder)?.records })
    }
}

pub(super) fn header(folder: &Path) -> Result<Header, StoreError> {
    /// What every schema has.
    #[derive(Deserialize)]
    struct Versions {
        schema: u32,
        #[serde(default)]
        isobar: String,
    }
    let path = folder.join(HEADER);
    let json = fs::read(&path).map_err(|source| StoreError::Read { path: path.clone(), source })?;
    let Versions { schema, isobar } = object(&path, &json)?;
    match schema.cmp(&SCHEMA) {
        std::cmp::Ordering::Greater => Err(StoreError::Newer { path, schema, isobar }),
        std::cmp::Ordering::Less => Err(StoreError::Older { path, schema, isobar }),
        std::cmp::Ordering::Equal => object(&path, &json),
    }
}

/// The one object that a file holds.
fn object<'a, T: Deserialize<'a>>(path: &Path, json: &'a [u8]) -> Result<T, StoreError> {
    let malformed = |line, message| StoreError::Malformed { path: path.to_owned(), line, message };
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let object = T::deserialize(&mut deserializer).map_err(|e| malformed(e.line(), e.to_string()))?;
    let garbage = "something follows the end of the JSON object: remove it, or restore the file";
    deserializer.end().map_err(|e| malformed(e.line(), garbage.to_owned()))?;
    Ok(object)
}

/// The file, or the one beside it that gzip made of it, to be read and not written.
fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    match File::open(path) {
        Ok(file) => Ok(Box::new(file)),
        Err(e) if e.kind() == ErrorKind::NotFound => match File::open(path.with_added_extension("gz")) {
            Ok(packed) => Ok(Box::new(flate2::read::MultiGzDecoder::new(packed))),
            Err(_) => Err(e),
        },
        Err(e) => Err(e),
    }
}

pub(super) fn records(folder: &Path) -> Result<Stored, StoreError> {
    let path = folder.join(RECORDS);
    let io = |source| StoreError::Read { path: path.clone(), source };
    let mut reader = BufReader::new(open(&path).map_err(io)?);
    let mut stored = Stored { records: Vec::new(), whole_bytes: 0, torn_bytes: 0, ends_line: true };
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let bytes = reader.read_until(b'\n', &mut line).map_err(io)? as u64;
        if bytes == 0 {
            break;
        }
        let (text, ends) = line.strip_suffix(b"\n").map_or((&line[..], false), |text| (text, true));
        match serde_json::from_slice(text) {
            Ok(record) => {
                stored.records.push(record);
                stored.whole_bytes += bytes;
                stored.ends_line = ends;
            }
            Err(_) if !ends => stored.torn_bytes = bytes,
            Err(e) => {
                // The line that the parser counts is always the first.
                let message = e.to_string().replace("line 1 ", "");
                return Err(StoreError::Malformed { path, line: number, message });
            }
        }
    }
    Ok(stored)
}
