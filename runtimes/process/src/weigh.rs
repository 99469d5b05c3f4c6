//! What containers weigh: the processes in them and those that keep them, an engine's monitors and gVisor's kernel.

use isobar_core::process::memory_of;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::{Duration, Instant};

/// How long what comes and goes is waited for.
const PASSING: Duration = Duration::from_secs(10);

/// The proportional set size of all that descend from this process or from one that names the folder `name` in its command
/// line, in bytes, without isobar's own, which hold nothing of theirs and share with other runners what comes and goes. It is
/// read once none of them is a `passing` program: podman's monitor calls it to clean up after each `exec`.
pub(crate) fn pss_bytes(name: &str, passing: &str) -> Option<u64> {
    let until = Instant::now() + PASSING;
    let is_one = |id: &u32| fs::read_to_string(format!("/proc/{id}/comm")).is_ok_and(|comm| comm.trim_end() == passing);
    // One that has ended and was not waited for has a name, and no memory.
    let passes = |id: &u32| is_one(id) && memory_of(*id).pss_bytes.is_some();
    let mut all = processes(name);
    while all.iter().any(passes) && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(5));
        all = processes(name);
    }
    let program = |id: u32| fs::read_link(format!("/proc/{id}/exe")).ok();
    let own = program(std::process::id());
    Some(all.into_iter().filter(|id| program(*id) != own).filter_map(|id| memory_of(id).pss_bytes).sum())
}

fn processes(name: &str) -> BTreeSet<u32> {
    let own = std::process::id();
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    let mut left = vec![own];
    for id in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(id) = id.file_name().to_str().and_then(|id| id.parse::<u32>().ok()) else { continue };
        let read = |file: &str| fs::read(format!("/proc/{id}/{file}")).unwrap_or_default();
        if let Some(parent) = parent(&String::from_utf8_lossy(&read("stat"))) {
            children.entry(parent).or_default().push(id);
        }
        if String::from_utf8_lossy(&read("cmdline")).contains(name) {
            left.push(id);
        }
    }
    let mut all = BTreeSet::new();
    while let Some(id) = left.pop() {
        if all.insert(id) {
            left.extend(children.get(&id).into_iter().flatten());
        }
    }
    all
}

/// The parent in `/proc/ID/stat`, whose second field is a name that may hold anything.
fn parent(stat: &str) -> Option<u32> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn a_name_may_look_like_anything() {
        assert_eq!(parent("12 (a) S 7 (b)) S 34 12 12 0"), Some(34));
        assert_eq!(parent("12 (cut"), None);
    }

    #[test]
    fn what_a_child_starts_weighs_too() {
        let mut shell = Command::new("/bin/sh");
        let mut shell = shell.args(["-c", "sleep 100 & echo $!; wait"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(shell.stdout.take().unwrap()), &mut line).unwrap();
        let sleep: u32 = line.trim().parse().unwrap();
        let all = processes("isobar-nobody");
        assert!(all.contains(&shell.id()) && all.contains(&sleep), "{all:?}");
        assert!(pss_bytes("isobar-nobody", "").unwrap() > 0);
        // SAFETY: a signal to a process that this test started.
        unsafe { libc::kill(sleep as i32, libc::SIGKILL) };
        shell.kill().unwrap();
        shell.wait().unwrap();
    }
}
