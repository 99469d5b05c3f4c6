use super::read::{self, Stored};
use super::{Header, Record, Run, SCHEMA};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Everything that was known before the first measurement.
pub(super) const HEADER: &str = "run.json";

/// One line for each measurement.
pub(super) const RECORDS: &str = "records.jsonl";

/// Lines that were cut off while they were written, should somebody miss them.
const TORN: &str = "records.torn";

/// What ahead-of-time modes compiled.
const ARTIFACTS: &str = "artifacts";

/// Room that must be free before a run starts, in bytes: artifacts, records and charts of a large one.
const ROOM_BYTES: u64 = 64 << 20;

/// With less room than this, in bytes, a failure is the disk's and not the runtime's.
const SCANT_BYTES: u64 = 1 << 20;

/// How long another isobar's lock is waited for: a process that was just killed takes a moment to be gone.
const LOCK_PATIENCE: Duration = Duration::from_millis(500);

/// Why a run cannot be stored or read. Displayed, with its source, as one line.
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
    /// A run that has begun cannot be stored any more. What is stored is whole.
    #[error("cannot write to {0} (free some space, then go on with `isobar resume {0}`)", folder.display())]
    Full {
        /// The run's folder.
        folder: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The folder of a new run holds something.
    #[error("{0} is not empty: name a new folder, or go on with the run in it by `isobar resume {0}`", folder.display())]
    Occupied {
        /// Which folder.
        folder: PathBuf,
    },
    /// Another isobar measures into the folder.
    #[error("another isobar is measuring into {}: wait until it ends, or choose another folder", folder.display())]
    Locked {
        /// Which folder.
        folder: PathBuf,
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
    /// A later isobar wrote the run.
    #[error("{}: written by isobar {isobar} (schema {schema}); this isobar reads up to {SCHEMA}: update isobar", path.display())]
    Newer {
        /// Which file.
        path: PathBuf,
        /// The schema of the file.
        schema: u32,
        /// Who wrote it.
        isobar: String,
    },
    /// An isobar wrote the run whose format is no longer read.
    #[error("{}: written by isobar {isobar} (schema {schema}); this isobar reads {SCHEMA} only: measure again", path.display())]
    Older {
        /// Which file.
        path: PathBuf,
        /// The schema of the file.
        schema: u32,
        /// Who wrote it.
        isobar: String,
    },
}

/// The folder of one run, to which nobody else writes.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    /// Locked as long as it is open: the system lets go of it when this process ends, however it ends.
    records: File,
    /// How many bytes of it are whole records.
    length_bytes: u64,
}

/// What [`RunFolder::open`] found.
#[derive(Debug)]
pub struct Opened {
    /// The folder.
    pub folder: RunFolder,
    /// What it holds.
    pub run: Run,
    /// The file to which the end of a line was moved that had been cut off while it was written.
    pub torn: Option<PathBuf>,
}

impl RunFolder {
    /// Makes the folder `results/<name>` (or, if that is taken, `<name>-2` and so on) with its header, before anything is
    /// measured: a folder that cannot be written or a full disk is found out now.
    ///
    /// # Errors
    /// Nothing is left behind.
    pub fn create(results: &Path, name: &str, header: &Header) -> Result<Self, StoreError> {
        fs::create_dir_all(results).map_err(writing("make the folder", results))?;
        let names = std::iter::once(name.to_owned()).chain((2_u32..).map(|n| format!("{name}-{n}")));
        for path in names.map(|name| results.join(name)) {
            match fs::create_dir(&path) {
                Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
                Err(e) => return Err(writing("make the folder", &path)(e)),
                Ok(()) => {
                    return Self::create_in(&path, header).inspect_err(|_| {
                        let _ = fs::remove_dir(&path);
                    });
                }
            }
        }
        Err(writing("make a folder in", results)(ErrorKind::AlreadyExists.into()))
    }

    /// Makes a run of the folder `path`, which is empty or not there yet.
    ///
    /// # Errors
    /// [`StoreError::Occupied`] when it holds something. Nothing but the folder is left behind.
    pub fn create_in(path: &Path, header: &Header) -> Result<Self, StoreError> {
        fs::create_dir_all(path).map_err(writing("make the folder", path))?;
        let occupied = || StoreError::Occupied { folder: path.to_owned() };
        let file = path.join(RECORDS);
        // Of two that start here at once, one finds the other's file.
        let records = match OpenOptions::new().create_new(true).append(true).read(true).open(&file) {
            Err(e) if e.kind() == ErrorKind::AlreadyExists => return Err(occupied()),
            records => records.map_err(writing("write", &file))?,
        };
        let folder = RunFolder { path: path.to_owned(), records, length_bytes: 0 };
        let alone = || Ok(fs::read_dir(path)?.count() == 1);
        let written = match alone().map_err(writing("look into", path)) {
            Ok(true) => folder.lock().and_then(|()| folder.check_room()).and_then(|()| folder.write_header(header)),
            Ok(false) => Err(occupied()),
            Err(e) => Err(e),
        };
        written.map(|()| folder).inspect_err(|_| {
            let _ = fs::remove_file(&file);
        })
    }

    /// Opens the folder of a run, to go on with it.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another isobar has it open; otherwise as [`Run::read`].
    pub fn open(path: &Path) -> Result<Opened, StoreError> {
        let header = read::header(path)?;
        let file = path.join(RECORDS);
        let records = OpenOptions::new().append(true).read(true).open(&file).map_err(writing("open", &file))?;
        let mut folder = RunFolder { path: path.to_owned(), records, length_bytes: 0 };
        folder.lock()?;
        folder.check_room()?;
        let Stored { records, whole_bytes, torn_bytes, ends_line } = read::records(path)?;
        folder.length_bytes = whole_bytes;
        let torn = if torn_bytes > 0 { Some(folder.set_aside_torn()?) } else { None };
        if !ends_line {
            folder.append_line(b"\n".to_vec())?;
        }
        Ok(Opened { folder, run: Run { header, records }, torn })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where artifacts are kept.
    pub fn artifacts(&self) -> PathBuf {
        self.path.join(ARTIFACTS)
    }

    /// Keeps a file in it, which a run cannot go on without.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn keep(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.path.join(name);
        let write = || {
            path.parent().map_or(Ok(()), fs::create_dir_all)?;
            let mut file = File::create(&path)?;
            file.write_all(bytes)?;
            file.sync_all()
        };
        write().map_err(writing("write", &path))
    }

    /// Appends a record. It is on the disk when this returns.
    ///
    /// # Errors
    /// [`StoreError::Full`]; then the records are as they were before.
    pub fn append(&mut self, record: &Record) -> Result<(), StoreError> {
        let mut line = serde_json::to_vec(record).map_err(|e| self.full(e.into()))?;
        line.push(b'\n');
        self.append_line(line)
    }

    /// Whether there is room for more than a few records.
    ///
    /// # Errors
    /// [`StoreError::Full`] if not: a measurement that fails now may fail for that.
    pub fn check_not_full(&self) -> Result<(), StoreError> {
        match self.free_bytes() {
            Some(free) if free < SCANT_BYTES => Err(self.full(ErrorKind::StorageFull.into())),
            _ => Ok(()),
        }
    }

    fn append_line(&mut self, line: Vec<u8>) -> Result<(), StoreError> {
        match self.records.write_all(&line).and_then(|()| self.records.sync_data()) {
            Ok(()) => {
                self.length_bytes += line.len() as u64;
                Ok(())
            }
            Err(e) => {
                // Half of a line would be set aside later; none is better.
                let _ = self.records.set_len(self.length_bytes);
                Err(self.full(e))
            }
        }
    }

    fn full(&self, source: std::io::Error) -> StoreError {
        StoreError::Full { folder: self.path.clone(), source }
    }

    fn lock(&self) -> Result<(), StoreError> {
        let until = Instant::now() + LOCK_PATIENCE;
        loop {
            match self.records.try_lock() {
                Ok(()) => return Ok(()),
                Err(TryLockError::WouldBlock) if Instant::now() < until => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                Err(TryLockError::WouldBlock) => return Err(StoreError::Locked { folder: self.path.clone() }),
                // Some file systems of clusters know no locks.
                Err(TryLockError::Error(e)) if e.kind() == ErrorKind::Unsupported => return Ok(()),
                Err(TryLockError::Error(e)) => return Err(writing("lock", &self.path.join(RECORDS))(e)),
            }
        }
    }

    fn check_room(&self) -> Result<(), StoreError> {
        match self.free_bytes() {
            Some(free) if free < ROOM_BYTES => Err(writing("write to", &self.path)(ErrorKind::StorageFull.into())),
            _ => Ok(()),
        }
    }

    /// The room that is left, where the system tells.
    fn free_bytes(&self) -> Option<u64> {
        let stat = rustix::fs::statvfs(&self.path).ok()?;
        Some(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    /// The header comes last and whole, so a folder that has one is a run.
    fn write_header(&self, header: &Header) -> Result<(), StoreError> {
        let (file, unfinished) = (self.path.join(HEADER), self.path.join("run.json.tmp"));
        let artifacts = self.artifacts();
        let write = || {
            fs::create_dir_all(&artifacts)?;
            let mut json = serde_json::to_vec_pretty(header)?;
            json.push(b'\n');
            let mut new = File::create(&unfinished)?;
            new.write_all(&json)?;
            new.sync_all()?;
            fs::rename(&unfinished, &file)?;
            File::open(&self.path)?.sync_all()
        };
        write().map_err(writing("write", &file)).inspect_err(|_| {
            let _ = fs::remove_file(&unfinished);
            let _ = fs::remove_dir(&artifacts);
        })
    }

    /// Moves what follows the whole records to a file of its own, and names that.
    fn set_aside_torn(&mut self) -> Result<PathBuf, StoreError> {
        let file = self.path.join(TORN);
        let mut set_aside = || {
            let mut torn = Vec::new();
            self.records.seek(SeekFrom::Start(self.length_bytes))?;
            self.records.read_to_end(&mut torn)?;
            torn.push(b'\n');
            let mut aside = OpenOptions::new().create(true).append(true).open(&file)?;
            aside.write_all(&torn)?;
            // Copied for good before it is cut off.
            aside.sync_all()?;
            self.records.set_len(self.length_bytes)?;
            self.records.sync_all()
        };
        set_aside().map_err(writing("set a torn line aside in", &file))?;
        Ok(file)
    }
}

fn writing(what: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> StoreError + use<> {
    let path = path.to_owned();
    move |source| StoreError::Write { what, path, source }
}
