use super::{System, Warning, percent};
use std::collections::BTreeMap;
use std::time::Instant;

/// A process that uses more than this share of one processor is worth a word.
const BUSY: f64 = 0.10;

/// How many are named.
const NAMED: usize = 3;

/// The processor time of all processes up to a moment.
#[derive(Clone, Debug)]
pub(super) struct Processes {
    at: Instant,
    /// By number: the name, and the time in clock ticks.
    ticks: BTreeMap<u32, (String, u64)>,
}

impl Processes {
    pub(super) fn now(system: &System) -> Self {
        let stat = |name: String| {
            let number: u32 = name.parse().ok()?;
            Some((number, name_and_ticks(&system.read(format!("proc/{name}/stat"))?)?))
        };
        Processes { at: Instant::now(), ticks: system.names("proc").into_iter().filter_map(stat).collect() }
    }
}

/// Of `1 (name) S 0 1 1 ...`: the second word, which may hold anything, and the sum of the 14th (user) and 15th (system;
/// `man proc_pid_stat`).
fn name_and_ticks(stat: &str) -> Option<(String, u64)> {
    let (start, rest) = stat.rsplit_once(')')?;
    let (_, name) = start.split_once('(')?;
    let mut words = rest.split_whitespace().skip(11);
    let mut ticks = || words.next()?.parse::<u64>().ok();
    Some((name.replace(char::is_control, "?"), ticks()?.checked_add(ticks()?)?))
}

/// Which processes but this one worked in between.
pub(super) fn check(before: &Processes, after: &Processes, own: u32) -> Option<Warning> {
    let seconds = after.at.saturating_duration_since(before.at).as_secs_f64();
    busiest(before, after, own, seconds * rustix::param::clock_ticks_per_second() as f64)
}

fn busiest(before: &Processes, after: &Processes, own: u32, elapsed_ticks: f64) -> Option<Warning> {
    let share = |(number, (name, ticks)): (&u32, &(String, u64))| {
        let (_, ticks_before) = before.ticks.get(number)?;
        let share = ticks.saturating_sub(*ticks_before) as f64 / elapsed_ticks;
        (*number != own && share > BUSY && elapsed_ticks > 0.0).then(|| (share, format!("{name} ({number})")))
    };
    let mut busy: Vec<(f64, String)> = after.ticks.iter().filter_map(share).collect();
    busy.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    let named: Vec<String> =
        busy.iter().take(NAMED).map(|(share, name)| format!("{name} {}", percent(*share))).collect();
    let more = if busy.len() > NAMED { format!(" and {} more", busy.len() - NAMED) } else { String::new() };
    let finding = || format!("other processes use processors: {}{more}", named.join(", "));
    (!busy.is_empty()).then(|| Warning::new(finding(), "end them, or wait for them"))
}

#[cfg(test)]
mod tests {
    use super::super::system::tree;
    use super::*;

    fn line(name: &str, user: u64, system: u64) -> String {
        format!("7 ({name}) S 1 7 7 0 -1 4194304 100 0 0 0 {user} {system} 0 0 20 0 1 0 5 0 0")
    }

    fn processes(of: &[(u32, &str, u64)]) -> Processes {
        let files: Vec<(String, String)> =
            of.iter().map(|(number, name, ticks)| (format!("proc/{number}/stat"), line(name, *ticks, 1))).collect();
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        Processes::now(&tree(&files).1)
    }

    #[test]
    fn names_may_hold_anything() {
        assert_eq!(name_and_ticks(&line("a) (b", 3, 4)), Some(("a) (b".to_owned(), 7)));
        assert_eq!(name_and_ticks("7 (x"), None);
        assert_eq!(name_and_ticks("7 (x) S 1"), None);
    }

    #[test]
    fn the_busiest_are_named_and_this_one_is_not() {
        let before = processes(&[(1, "init", 5), (20, "rustc", 100), (21, "ld", 100), (22, "cc", 0), (23, "as", 0)]);
        let after = processes(&[
            (1, "init", 5),
            (20, "rustc", 110),
            (21, "ld", 119),
            (22, "cc", 5),
            (23, "as", 4),
            (9, "new", 9),
        ]);
        let text = busiest(&before, &after, 21, 20.0).unwrap().to_string();
        assert!(text.contains("rustc (20) 50 %, cc (22) 25 %, as (23) 20 %;"), "{text}");
        assert_eq!(busiest(&before, &before, 21, 20.0), None);
        let text = busiest(&before, &after, 0, 20.0).unwrap().to_string();
        assert!(text.contains("ld (21) 95 %") && text.contains("and 1 more"), "{text}");
    }

    #[test]
    fn this_process_is_seen_where_proc_is() {
        let here = Processes::now(&System::this());
        assert!(here.ticks.contains_key(&std::process::id()));
    }
}
