//! Processes that became children of this one when those that started them ended.

use std::fs;

fn children() -> Vec<i32> {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let children = tasks.map(|task| fs::read_to_string(task.path().join("children")).unwrap_or_default());
    children.flat_map(|l| l.split_whitespace().flat_map(str::parse).collect::<Vec<_>>()).collect()
}

/// Waits for gVisor's kernels and file servers that have ended: they became children of this process, and who deletes a
/// container looks for seconds whether they are still there. What this process itself calls has the program's name.
pub(crate) fn reap_gvisor() {
    let mut status = 0;
    for id in children() {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        if stat.contains(" (exe) Z ") {
            // SAFETY: waits for a child that has ended and that nobody else waits for.
            unsafe { libc::waitpid(id, &mut status, libc::WNOHANG | libc::__WALL) };
        }
    }
}

/// Children of this process that have ended in a namespace of processes without being its first one.
pub(crate) fn strays() -> Vec<i32> {
    let ended = |id: &i32| {
        let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
        let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        let numbers: Vec<&str> = field("NSpid:").split_whitespace().collect();
        field("State:").trim_start().starts_with('Z') && numbers.len() > 1 && numbers.last() != Some(&"1")
    };
    children().into_iter().filter(ended).collect()
}
