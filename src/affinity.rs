//! Which processors a thread may run on. A process starts on those of the thread that starts it.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use std::io;

/// The processors that this thread may run on, from the lowest number.
///
/// # Errors
/// The system does not tell.
pub fn allowed() -> io::Result<Vec<u32>> {
    let set = sched_getaffinity(None)?;
    Ok((0..CpuSet::MAX_CPU).filter(|cpu| set.is_set(*cpu)).map(|cpu| cpu as u32).collect())
}

/// Binds this thread to processors until the guard is dropped.
///
/// # Errors
/// The system refuses: none of them is there, or allowed.
pub fn bind(cpus: &[u32]) -> io::Result<Bound> {
    let before = sched_getaffinity(None)?;
    bind_for_good(cpus)?;
    Ok(Bound { before })
}

/// Binds this thread, and those that it starts from now on, to processors.
///
/// # Errors
/// The system refuses: none of them is there, or allowed.
pub fn bind_for_good(cpus: &[u32]) -> io::Result<()> {
    let mut set = CpuSet::new();
    cpus.iter().filter(|cpu| (**cpu as usize) < CpuSet::MAX_CPU).for_each(|cpu| set.set(*cpu as usize));
    Ok(sched_setaffinity(None, &set)?)
}

/// A thread that is bound. Dropping it lets the thread run where it could before.
#[must_use]
pub struct Bound {
    before: CpuSet,
}

impl Drop for Bound {
    fn drop(&mut self) {
        // The thread could run there before: there is no reason to be refused.
        let _ = sched_setaffinity(None, &self.before);
    }
}

/// How processors are dealt out: the last ones to what is measured, the others to isobar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pins {
    allowed: Vec<u32>,
}

impl Pins {
    /// Deals out the processors that this thread may run on.
    ///
    /// # Errors
    /// The system does not tell them.
    pub fn of_this_thread() -> io::Result<Self> {
        Ok(Pins { allowed: allowed()? })
    }

    /// For a function on so many threads: as many processors, the last ones.
    pub fn measured(&self, threads: u32) -> &[u32] {
        &self.allowed[self.allowed.len().saturating_sub(threads.max(1) as usize)..]
    }

    /// For isobar, beside functions on up to so many threads: the others, or all but the last one where there are none, or
    /// the only one.
    pub fn own(&self, threads: u32) -> &[u32] {
        let all_but = |threads: usize| &self.allowed[..self.allowed.len().saturating_sub(threads)];
        let choices = [all_but(threads.max(1) as usize), all_but(1), &self.allowed];
        choices.into_iter().find(|cpus| !cpus.is_empty()).unwrap_or(&[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ones_are_measured_on_and_isobar_stays_off_them_where_there_is_room() {
        let pins = |cpus: &[u32]| Pins { allowed: cpus.to_vec() };
        let four = pins(&[0, 2, 4, 6]);
        assert_eq!((four.measured(1), four.own(1)), (&[6][..], &[0, 2, 4][..]));
        assert_eq!((four.measured(3), four.own(3)), (&[2, 4, 6][..], &[0][..]));
        assert_eq!((four.measured(9), four.own(9)), (&[0, 2, 4, 6][..], &[0, 2, 4][..]));
        let one = pins(&[3]);
        assert_eq!((one.measured(1), one.own(1)), (&[3][..], &[3][..]));
    }

    #[test]
    fn a_bound_thread_starts_bound_processes_and_is_free_again() {
        let before = allowed().unwrap();
        let last = Pins::of_this_thread().unwrap().measured(1).to_vec();
        {
            let _bound = bind(&last).unwrap();
            let status = std::process::Command::new("grep").args(["Cpus_allowed_list", "/proc/self/status"]).output();
            let text = String::from_utf8(status.unwrap().stdout).unwrap();
            assert_eq!(text.split_whitespace().last().unwrap(), last[0].to_string());
        }
        assert_eq!(allowed().unwrap(), before);
        assert!(bind(&[u32::MAX]).is_err());
        assert_eq!(allowed().unwrap(), before);
    }
}
