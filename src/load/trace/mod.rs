//! Traces: invocations of each function in each minute of a day, in the format of the Azure Functions trace of 2019
//! (Microsoft, AzurePublicDataset, `invocations_per_function_md.anon.d*.csv`), which Shahrad et al. describe in "Serverless
//! in the Wild" (USENIX ATC 2020).

mod copies;
mod replay;
mod synthetic;

pub use copies::copies;
pub use replay::{Replay, dealt, replay};
pub use synthetic::{Shape, synthetic};

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// The columns before those of the minutes.
const COLUMNS: [&str; 4] = ["HashOwner", "HashApp", "HashFunction", "Trigger"];

/// The minutes of a day.
pub const DAY_MINUTES: usize = 1440;

/// Invocations by function and minute.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// The functions, in the file's order.
    pub functions: Vec<Function>,
}

/// A function of a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Whose it is.
    pub owner: String,
    /// The application that it belongs to.
    pub app: String,
    /// Its own name within the application.
    pub name: String,
    /// What calls it: `http`, `timer`, `event`, `queue`, `storage`, `orchestration` or `others`.
    pub trigger: String,
    /// How often in each minute.
    pub per_minute: Vec<u32>,
}

/// Why a trace cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The system refused.
    #[error("cannot {what} the trace {}", path.display())]
    Io {
        /// What was to be done.
        what: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file holds something else.
    #[error(
        "{}:{line}: {message}; the format is HashOwner,HashApp,HashFunction,Trigger,1,2,... with the invocations in each minute",
        path.display()
    )]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: u64,
        /// What is wrong with it.
        message: String,
    },
}

impl Trace {
    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, or is of another format.
    pub fn read(path: &Path) -> Result<Trace, TraceError> {
        let io = |source| TraceError::Io { what: "read", path: path.to_owned(), source };
        Trace::parse(path, std::fs::File::open(path).map_err(io)?)
    }

    /// Reads the text of a file; `path` is for messages.
    ///
    /// # Errors
    /// It cannot be read, or is of another format.
    pub fn parse(path: &Path, text: impl Read) -> Result<Trace, TraceError> {
        let malformed = |line, message: String| TraceError::Malformed { path: path.to_owned(), line, message };
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text);
        let header = reader.headers().map_err(|e| broken(path, e))?.clone();
        if let Some((at, name)) = COLUMNS.iter().enumerate().find(|(at, name)| header.get(*at) != Some(name)) {
            let found = header.get(at).unwrap_or("");
            return Err(malformed(1, format!("column {} is '{found}' instead of {name}", at + 1)));
        }
        let minutes = header.len() - COLUMNS.len();
        for (minute, name) in header.iter().skip(COLUMNS.len()).enumerate() {
            if name.trim() != (minute + 1).to_string() {
                let column = COLUMNS.len() + minute + 1;
                return Err(malformed(1, format!("column {column} is '{name}' instead of {}", minute + 1)));
            }
        }
        if minutes == 0 {
            return Err(malformed(1, "there are no minutes".to_owned()));
        }
        let mut trace = Trace::default();
        for row in reader.records() {
            let row = row.map_err(|e| broken(path, e))?;
            let line = row.position().map_or(0, csv::Position::line);
            if row.len() != header.len() {
                return Err(malformed(line, format!("{} fields instead of {}", row.len(), header.len())));
            }
            let number = |(minute, text): (usize, &str)| {
                let count = text.trim().parse::<u32>();
                count.map_err(|_| {
                    malformed(line, format!("'{text}' in minute {} is no number of invocations", minute + 1))
                })
            };
            let per_minute = row.iter().skip(COLUMNS.len()).enumerate().map(number).collect::<Result<_, _>>()?;
            let [owner, app, name, trigger] = [0, 1, 2, 3].map(|at| row.get(at).unwrap_or("").to_owned());
            trace.functions.push(Function { owner, app, name, trigger, per_minute });
        }
        if trace.functions.is_empty() { Err(malformed(2, "there are no functions".to_owned())) } else { Ok(trace) }
    }

    /// Writes it.
    ///
    /// # Errors
    /// The system refuses.
    pub fn write(&self, to: impl Write) -> std::io::Result<()> {
        let mut writer = csv::Writer::from_writer(to);
        let minutes = (1..=self.minutes()).map(|minute| minute.to_string());
        writer.write_record(COLUMNS.map(str::to_owned).into_iter().chain(minutes))?;
        for Function { owner, app, name, trigger, per_minute } in &self.functions {
            let names = [owner, app, name, trigger].map(String::clone);
            writer.write_record(names.into_iter().chain(per_minute.iter().map(u32::to_string)))?;
        }
        writer.flush()
    }

    /// So many of its functions, drawn by a seed, in its own order; all of them if it has no more.
    pub fn sampled(mut self, functions: usize, seed: u64) -> Trace {
        let mut drawn = fastrand::Rng::with_seed(seed).choose_multiple(0..self.functions.len(), functions);
        drawn.sort_unstable();
        let mut at = 0..;
        self.functions.retain(|_| at.next().is_some_and(|at| drawn.binary_search(&at).is_ok()));
        self
    }

    /// How many minutes it has.
    pub fn minutes(&self) -> usize {
        self.functions.first().map_or(0, |function| function.per_minute.len())
    }

    /// How many invocations it has.
    pub fn invocations(&self) -> u64 {
        self.functions.iter().flat_map(|function| &function.per_minute).map(|count| u64::from(*count)).sum()
    }
}

fn broken(path: &Path, error: csv::Error) -> TraceError {
    let line = error.position().map_or(1, csv::Position::line);
    match error.into_kind() {
        csv::ErrorKind::Io(source) => TraceError::Io { what: "read", path: path.to_owned(), source },
        csv::ErrorKind::Utf8 { err, .. } => {
            TraceError::Malformed { path: path.to_owned(), line, message: format!("not UTF-8: {err}") }
        }
        other => TraceError::Malformed { path: path.to_owned(), line, message: format!("{other:?}") },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<Trace, String> {
        Trace::parse(Path::new("t.csv"), text.as_bytes()).map_err(|e| e.to_string())
    }

    #[test]
    fn the_format_is_read() {
        let trace =
            parse("HashOwner,HashApp,HashFunction,Trigger,1,2,3\no,a,f,http,0,7,1\no,a,g,timer,1,1,1\n").unwrap();
        assert_eq!((trace.functions.len(), trace.minutes(), trace.invocations()), (2, 3, 11));
        assert_eq!(
            (trace.functions[1].trigger.as_str(), &trace.functions[0].per_minute[..]),
            ("timer", &[0, 7, 1][..])
        );
    }

    #[test]
    fn a_sample_is_drawn_by_its_seed_and_keeps_the_order() {
        let trace = synthetic(Shape { functions: 50, minutes: 3, most_per_day: 1e8, seed: 1 });
        let names = |trace: &Trace| trace.functions.iter().map(|f| f.name.clone()).collect::<Vec<String>>();
        let sample = trace.clone().sampled(10, 7);
        assert_eq!((sample.functions.len(), &sample), (10, &trace.clone().sampled(10, 7)));
        assert_ne!(sample, trace.clone().sampled(10, 8));
        let order: Vec<usize> =
            names(&sample).iter().map(|name| names(&trace).iter().position(|all| all == name).unwrap()).collect();
        assert!(order.is_sorted(), "{order:?}");
        assert_eq!(trace.clone().sampled(100, 7), trace);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let head = "HashOwner,HashApp,HashFunction,Trigger,1,2";
        for (text, said) in [
            ("".to_owned(), "t.csv:1: column 1 is '' instead of HashOwner"),
            ("HashOwner,HashApp,HashFunction,1,2\n".to_owned(), "t.csv:1: column 4 is '1' instead of Trigger"),
            ("HashOwner,HashApp,HashFunction,Trigger\n".to_owned(), "t.csv:1: there are no minutes"),
            ("HashOwner,HashApp,HashFunction,Trigger,1,3\n".to_owned(), "t.csv:1: column 6 is '3' instead of 2"),
            (format!("{head}\n"), "t.csv:2: there are no functions"),
            (format!("{head}\no,a,f,http,1,2\no,a,f,http,1\n"), "t.csv:3: 5 fields instead of 6"),
            (format!("{head}\no,a,f,http,1,x\n"), "t.csv:2: 'x' in minute 2 is no number of invocations"),
            (format!("{head}\no,a,f,http,1,-1\n"), "t.csv:2: '-1' in minute 2"),
        ] {
            let error = parse(&text).unwrap_err();
            assert!(error.starts_with(said) && error.contains("the format is HashOwner,"), "{error}");
        }
        let error = Trace::read(Path::new("no/such/file.csv")).unwrap_err().to_string();
        assert_eq!(error, "cannot read the trace no/such/file.csv");
        let not_utf8 = [b"HashOwner,HashApp,HashFunction,Trigger,1\n".as_slice(), b"o,a,\xff,http,1\n"].concat();
        let error = Trace::parse(Path::new("t.csv"), &not_utf8[..]).unwrap_err().to_string();
        assert!(error.starts_with("t.csv:2: not UTF-8"), "{error}");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(counts in prop::collection::vec(prop::collection::vec(any::<u32>(), 5), 1..6)) {
            let function = |(at, per_minute): (usize, Vec<u32>)| Function {
                owner: "o".into(),
                app: format!("a,\"{at}"),
                name: format!("f{at}"),
                trigger: "http".into(),
                per_minute,
            };
            let trace = Trace { functions: counts.into_iter().enumerate().map(function).collect() };
            let mut text = Vec::new();
            trace.write(&mut text).unwrap();
            prop_assert_eq!(Trace::parse(Path::new("t.csv"), &text[..]).unwrap(), trace);
        }

        #[test]
        fn no_text_makes_it_panic(text in ".*") {
            let _ = parse(&text);
            let _ = parse(&format!("HashOwner,HashApp,HashFunction,Trigger,1\n{text}"));
        }
    }
}
