//! Several runs of parts of one plan, as one run.

use super::{Cell, Header, Machine, Record, Run, Shard};
use isobar_core::RuntimeId;
use isobar_core::measure::ScenarioId;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Why runs are not merged. Displayed as one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// There is nothing to merge.
    #[error("there are no runs to merge")]
    Nothing,
    /// Runs of different plans.
    #[error(
        "{first} and {second} are not of one plan: {difference}; measure every shard with the same isobar, options and --seed"
    )]
    Mixed {
        /// The one run.
        first: String,
        /// The other.
        second: String,
        /// In what they differ.
        difference: String,
    },
    /// A shard is there twice.
    #[error("{first} and {second} both measured shard {shard}; leave one of them out")]
    SameShard {
        /// The one run.
        first: String,
        /// The other.
        second: String,
        /// Which shard.
        shard: Shard,
    },
    /// A measurement is there twice.
    #[error("{first} and {second} both measured {cell} in round {round}; leave one of them out")]
    SameCell {
        /// The one run.
        first: String,
        /// The other.
        second: String,
        /// Which cell.
        cell: String,
        /// Which round, from 0.
        round: u32,
    },
}

/// Joins named runs into one: those of the shards of one plan, or runs that were merged before. The order in which they
/// are given does not matter. Records keep the machine that they were measured on. Where shards are missing, their cells
/// stay in [`Header::elsewhere`] and a warning names them.
///
/// # Errors
/// The runs are of different plans (or versions, runtimes, modules, schedules), or something was measured twice.
pub fn merge(mut runs: Vec<(String, Run)>) -> Result<Run, MergeError> {
    // Whichever order they are given in, the merged run has the same bytes.
    runs.sort_by_cached_key(|(name, run)| {
        (run.header.shard, run.header.merged.clone(), run.header.started_at_s, name.clone())
    });
    let Some(((first, one), others)) = runs.split_first() else { return Err(MergeError::Nothing) };
    for (second, other) in others {
        if let Some(difference) = difference(&one.header, &other.header) {
            return Err(MergeError::Mixed { first: first.clone(), second: second.clone(), difference });
        }
    }
    let mut shards: BTreeMap<Shard, &str> = BTreeMap::new();
    let mut measured: BTreeMap<(&Cell, u32), &str> = BTreeMap::new();
    for (name, run) in &runs {
        for shard in run.header.shards() {
            if let Some(first) = shards.insert(shard, name) {
                return Err(MergeError::SameShard { first: first.to_owned(), second: name.clone(), shard });
            }
        }
        for record in &run.records {
            if let Some(first) = measured.insert((&record.cell, record.round), name) {
                let (cell, round) = (record.cell.to_string(), record.round);
                return Err(MergeError::SameCell { first: first.to_owned(), second: name.clone(), cell, round });
            }
        }
    }
    let shards = shards.into_keys().collect();
    let header = header(&runs, shards);
    let records = runs.into_iter().flat_map(|(_, run)| renumbered(run, &header.machines)).collect();
    Ok(Run { header, records })
}

impl Header {
    /// The shards that the run holds: its own, or those that it was merged from.
    fn shards(&self) -> impl Iterator<Item = Shard> {
        self.shard.into_iter().chain(self.merged.iter().copied())
    }

    /// The shards of the plan that a merged run lacks.
    pub fn missing(&self) -> Vec<Shard> {
        // Of more shards than there is work for, the last ones are empty: nothing lacks.
        let of = if self.elsewhere.is_empty() { 0 } else { self.merged.first().map_or(0, |shard| shard.of) };
        (1..=of).map(|index| Shard { index, of }).filter(|shard| !self.merged.contains(shard)).collect()
    }
}

fn header(runs: &[(String, Run)], shards: Vec<Shard>) -> Header {
    let headers = || runs.iter().map(|(_, run)| &run.header);
    let mut merged = runs[0].1.header.clone();
    merged.started_at_s = headers().map(|header| header.started_at_s).min().unwrap_or_default();
    merged.machines = distinct(headers().flat_map(|header| &header.machines));
    merged.absent = distinct(headers().flat_map(|header| &header.absent));
    let own: BTreeSet<&Cell> = headers().flat_map(|header| &header.cells).collect();
    (merged.cells, merged.elsewhere) = whole_plan(headers()).into_iter().partition(|cell| own.contains(cell));
    merged.warnings = headers().flat_map(warnings).collect();
    (merged.shard, merged.merged) = (None, shards);
    let missing: Vec<String> = merged.missing().iter().map(Shard::to_string).collect();
    if !missing.is_empty() {
        merged.warnings.push(format!("{MISSING} {}: measure what is missing and merge again", missing.join(", ")));
    }
    merged
}

/// How the warning about missing shards begins.
const MISSING: &str = "incomplete: it lacks shard";

/// A run's warnings, with the shard that they are about.
fn warnings(header: &Header) -> impl Iterator<Item = String> {
    let whose = header.shard.map_or_else(String::new, |shard| format!("shard {shard}: "));
    let own = header.warnings.iter().filter(|warning| !warning.starts_with(MISSING));
    own.map(move |warning| format!("{whose}{warning}"))
}

/// The first of equal ones, in their order.
fn distinct<'a, T: PartialEq + Clone + 'a>(all: impl Iterator<Item = &'a T>) -> Vec<T> {
    let mut distinct: Vec<T> = Vec::new();
    for one in all {
        if !distinct.contains(one) {
            distinct.push(one.clone());
        }
    }
    distinct
}

/// All cells of a plan in its order: by runtime and function as the header has them, then by scenario.
fn whole_plan<'a>(headers: impl Iterator<Item = &'a Header> + Clone) -> Vec<Cell> {
    let Some(first) = headers.clone().next() else { return Vec::new() };
    let runtimes: BTreeMap<&RuntimeId, usize> = first.runtimes.iter().map(|info| &info.id).zip(0..).collect();
    let functions: BTreeMap<&str, usize> = first.functions.iter().map(|f| f.name.as_str()).zip(0..).collect();
    let place = |cell: &Cell| -> (Option<usize>, Option<usize>, ScenarioId) {
        (runtimes.get(&cell.runtime).copied(), functions.get(cell.function.as_str()).copied(), cell.scenario)
    };
    let all: BTreeSet<&Cell> = headers.flat_map(|header| header.cells.iter().chain(&header.elsewhere)).collect();
    let mut all: Vec<Cell> = all.into_iter().cloned().collect();
    all.sort_by_cached_key(place);
    all
}

/// The records of a run, their machines numbered as in the merged run.
fn renumbered(run: Run, machines: &[Machine]) -> impl Iterator<Item = Record> {
    let place = |machine: &Machine| machines.iter().position(|other| other == machine).unwrap_or(0) as u32;
    let places: Vec<u32> = run.header.machines.iter().map(place).collect();
    run.records.into_iter().map(move |mut record| {
        record.machine = places.get(record.machine as usize).copied().unwrap_or(record.machine);
        record
    })
}

/// Writes a run that was merged into a folder that is new or empty, as a whole or not at all.
///
/// # Errors
/// The folder holds something, or cannot be written; nothing is left behind.
pub fn store(run: &Run, folder: &Path) -> io::Result<()> {
    if fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(io::Error::new(io::ErrorKind::DirectoryNotEmpty, "it is not empty"));
    }
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(parent)?;
    let unfinished = tempfile::Builder::new().prefix(".isobar-merge-").tempdir_in(parent)?;
    let mut header = File::create(unfinished.path().join("run.json"))?;
    serde_json::to_writer_pretty(&mut header, &run.header)?;
    header.write_all(b"\n")?;
    header.sync_all()?;
    let mut records = BufWriter::new(File::create(unfinished.path().join("records.jsonl"))?);
    for record in &run.records {
        serde_json::to_writer(&mut records, record)?;
        records.write_all(b"\n")?;
    }
    records.into_inner()?.sync_all()?;
    // A temporary folder is its owner's alone; a run is as readable as any folder that is made here.
    let mode = fs::metadata(parent)?.permissions();
    fs::set_permissions(unfinished.path(), mode)?;
    fs::rename(unfinished.path(), folder)
}

/// In what two headers differ that must be the same in all shards of a plan.
fn difference(a: &Header, b: &Header) -> Option<String> {
    let of = |header: &Header| header.shards().next().map(|shard| shard.of.to_string());
    let words = |what: &str, a: &dyn Display, b: &dyn Display| Some(format!("{what} {a} and {b}"));
    if a.isobar != b.isobar {
        words("isobar", &a.isobar, &b.isobar)
    } else if a.seed != b.seed {
        words("seed", &a.seed, &b.seed)
    } else if a.quick != b.quick {
        Some("one of them is quick".to_owned())
    } else if a.schedule != b.schedule {
        Some("the schedule (processes, precision, times)".to_owned())
    } else if a.pinned != b.pinned {
        Some("runners were bound to processors in one of them".to_owned())
    } else if let (Some(a), Some(b)) = (of(a), of(b))
        && a != b
    {
        Some(format!("one of {a} shards and one of {b}"))
    } else {
        modules(a, b).or_else(|| runtimes(a, b)).or_else(|| plans(a, b))
    }
}

fn modules(a: &Header, b: &Header) -> Option<String> {
    let sha256 = |header: &Header| -> BTreeMap<String, String> {
        header.functions.iter().map(|f| (f.name.clone(), f.module_sha256.clone())).collect()
    };
    let (name, present) = first_difference(sha256(a), sha256(b))?;
    Some(if present { format!("the module of {name}") } else { format!("{name} is in one of them only") })
}

fn runtimes(a: &Header, b: &Header) -> Option<String> {
    let by_id = |header: &Header| -> BTreeMap<String, isobar_core::RuntimeInfo> {
        header.runtimes.iter().map(|info| (info.id.to_string(), info.clone())).collect()
    };
    let (a, b) = (by_id(a), by_id(b));
    let (id, _) = first_difference(a.clone(), b.clone())?;
    Some(match (a.get(&id), b.get(&id)) {
        (Some(a), Some(b)) if a.version != b.version => format!("{id} {} and {}", a.version, b.version),
        (Some(a), Some(b)) if a.wasi != b.wasi => format!("{id} with {} and {}", a.wasi, b.wasi),
        (Some(_), Some(_)) => format!("the settings of {id}"),
        _ => format!("{id} is in one of them only"),
    })
}

fn plans(a: &Header, b: &Header) -> Option<String> {
    let plan = |header: &Header| -> BTreeSet<Cell> { header.cells.iter().chain(&header.elsewhere).cloned().collect() };
    let (cells, others) = (plan(a), plan(b));
    if let Some(cell) = cells.symmetric_difference(&others).next() {
        return Some(format!("{cell} is in one of them only (have the machines the same number of cores?)"));
    }
    (a.plan_sha256 != b.plan_sha256).then(|| format!("plan {} and {}", a.plan_sha256, b.plan_sha256))
}

/// The first key whose values differ, and whether it is in both.
fn first_difference<T: PartialEq>(a: BTreeMap<String, T>, b: BTreeMap<String, T>) -> Option<(String, bool)> {
    let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    let key = keys.into_iter().find(|key| a.get(*key) != b.get(*key))?;
    Some((key.clone(), a.contains_key(key) && b.contains_key(key)))
}

#[cfg(test)]
mod tests;
