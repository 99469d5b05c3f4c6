//! A function of the platform for each function of a trace: the same modules under different names, so that each has a
//! module in memory, and idle times, of its own.

use super::Trace;
use crate::load::{Request, invocation};
use crate::workload::Workload;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A manifest of functions, as `isobar serve --functions` reads it.
#[derive(Serialize)]
struct Manifest<'a> {
    function: BTreeMap<String, Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    module: PathBuf,
    description: &'a str,
    env: Vec<&'a str>,
    args: &'a [String],
    stdin: bool,
    clock: bool,
    random: bool,
}

/// Writes the manifest of functions for those that the trace calls in its first `minutes`, each the workload that stands
/// for it. Returns the requests, and for each function of the trace the one that calls it; for each request its workload.
///
/// # Errors
/// The system refuses to write the file.
pub fn copies(
    trace: &Trace,
    minutes: Option<usize>,
    workloads: &[&Workload],
    stands_for: &[u32],
    manifest: &Path,
) -> std::io::Result<(Vec<Request>, Vec<u32>, Vec<usize>)> {
    let (mut requests, mut calls, mut kinds) = (Vec::new(), Vec::new(), Vec::new());
    let mut function = BTreeMap::new();
    for (at, (of_trace, kind)) in trace.functions.iter().zip(stands_for).enumerate() {
        let called = of_trace.per_minute.iter().take(minutes.unwrap_or(usize::MAX)).any(|count| *count > 0);
        // Nobody asks what calls a function that is not called.
        calls.push(requests.len() as u32);
        let Some(workload) = workloads.get(*kind as usize).filter(|_| called) else { continue };
        let name = format!("{}.{}", workload.name, at + 1);
        let mut request = invocation(workload);
        request.path = request.path.replacen(&workload.name, &name, 1);
        request.name = name.clone();
        let given = &workload.invocation;
        let entry = Entry {
            module: workload.module_path.canonicalize()?,
            description: &workload.description,
            env: given.env.iter().map(|(name, _)| name.as_str()).collect(),
            args: &given.args,
            stdin: !given.stdin.is_empty(),
            clock: true,
            random: true,
        };
        function.insert(name, entry);
        requests.push(request);
        kinds.push(*kind as usize);
    }
    let text = toml::to_string(&Manifest { function }).map_err(std::io::Error::other)?;
    std::fs::write(manifest, text)?;
    Ok((requests, calls, kinds))
}
