use super::{Header, Record, Run, SCHEMA};
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

/// Why a run cannot be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A run cannot be stored.
    #[error("cannot {what} {} (free some space, or choose another folder with --results)", path.display())]
    Write {
        /// What was to be done.
        what: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A run cannot be read.
    #[error("cannot read {} (is it the folder of a run?)", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file holds something else.
    #[error("{}:{line}: {message}", path.display())]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
}

/// The folder of one run.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    records: File,
}

/// Room that must be free before a run starts, in bytes: artifacts, records and charts of a large one.
const ROOM_BYTES: u64 = 64 << 20;

impl RunFolder {
    /// Makes the folder `results/<name>` with its header, before anything is measured: a folder that cannot be written
    /// or a full disk is found out now.
    pub fn create(results: &Path, name: &str, header: &Header) -> Result<Self, StoreError> {
        let path = results.join(name);
        let io = |what, path: &Path| {
            let path = path.to_owned();
            move |source| StoreError::Write { what, path, source }
        };
        fs::create_dir_all(path.join("artifacts")).map_err(io("make the folder", &path))?;
        let stat = rustix::fs::statvfs(&path).map_err(|e| io("look at", &path)(e.into()))?;
        if stat.f_bavail * stat.f_frsize < ROOM_BYTES {
            return Err(io("write to", &path)(std::io::ErrorKind::StorageFull.into()));
        }
        let file = path.join("run.json");
        let mut json = serde_json::to_vec_pretty(header).map_err(|e| io("write", &file)(e.into()))?;
        json.push(b'\n');
        fs::write(&file, json).map_err(io("write", &file))?;
        let file = path.join("records.jsonl");
        let records = OpenOptions::new().create(true).append(true).open(&file).map_err(io("write", &file))?;
        Ok(RunFolder { path, records })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends a record, on its way to the disk before the next one is measured.
    pub fn append(&mut self, record: &Record) -> Result<(), StoreError> {
        let io = |source| StoreError::Write { what: "write", path: self.path.join("records.jsonl"), source };
        let mut line = serde_json::to_vec(record).map_err(|e| io(e.into()))?;
        line.push(b'\n');
        self.records.write_all(&line).map_err(io)?;
        self.records.sync_data().map_err(io)
    }
}

impl Run {
    /// Reads a run's folder. A last line that was cut off in the middle of being written is left out; any other line
    /// that is no record is an error.
    pub fn read(folder: &Path) -> Result<Run, StoreError> {
        let path = folder.join("run.json");
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| StoreError::Read { path, source }
        };
        let malformed = |path: &Path, line, message| StoreError::Malformed { path: path.to_owned(), line, message };
        let text = fs::read_to_string(&path).map_err(io(&path))?;
        let header: Header = serde_json::from_str(&text).map_err(|e| malformed(&path, e.line(), e.to_string()))?;
        if header.schema != SCHEMA {
            let message =
                format!("format {} instead of {SCHEMA}: read it with isobar {}", header.schema, header.isobar);
            return Err(malformed(&path, 1, message));
        }
        let path = folder.join("records.jsonl");
        let mut reader = BufReader::new(File::open(&path).map_err(io(&path))?);
        let (mut records, mut line, mut number) = (Vec::new(), String::new(), 0);
        loop {
            line.clear();
            if reader.read_line(&mut line).map_err(io(&path))? == 0 {
                return Ok(Run { header, records });
            }
            number += 1;
            match serde_json::from_str(&line) {
                Ok(record) => records.push(record),
                Err(_) if !line.ends_with('\n') => return Ok(Run { header, records }),
                Err(e) => return Err(malformed(&path, number, e.to_string())),
            }
        }
    }
}
