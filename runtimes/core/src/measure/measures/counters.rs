use super::{Counting, Measure, Reading, Whose};
use perf_event::events::Hardware;
use perf_event::{Builder, Counter};
use std::io;

/// Instructions and cycles of all threads, by the processor's own counters (`perf_event_open`): in the kernel, too, if
/// that is allowed.
pub(super) struct Counters;

const EVENTS: [(&str, Hardware); 2] = [("instructions", Hardware::INSTRUCTIONS), ("cycles", Hardware::CPU_CYCLES)];

impl Measure for Counters {
    fn start(&self, whose: Whose) -> Box<dyn Counting> {
        let mut started: Vec<_> = EVENTS.map(|(name, event)| (name, open(whose, &event))).into();
        for (_, counter) in &mut started {
            if let Ok(opened) = counter
                && let Err(error) = opened.each(Counter::enable)
            {
                *counter = Err(explain(&error));
            }
        }
        Box::new(Started(started))
    }
}

struct Started(Vec<(&'static str, Result<Opened, String>)>);

/// One event, with a counter for each thread that there was.
struct Opened {
    counters: Vec<Counter>,
    with_kernel: bool,
}

impl Opened {
    fn each(&mut self, what: fn(&mut Counter) -> io::Result<()>) -> io::Result<()> {
        self.counters.iter_mut().try_for_each(what)
    }

    fn count(&mut self) -> Result<u64, String> {
        self.each(Counter::disable).map_err(|error| explain(&error))?;
        let mut sum = 0;
        for counter in &mut self.counters {
            let read = counter.read_count_and_time().map_err(|error| explain(&error))?;
            // Where there are more events than the processor can count at once they take turns.
            let scaled = u128::from(read.count) * u128::from(read.time_enabled);
            sum += scaled.checked_div(u128::from(read.time_running)).unwrap_or(0) as u64;
        }
        match sum {
            0 => Err("the processor's counters never ran: other programs hold them".to_owned()),
            sum => Ok(sum),
        }
    }
}

impl Counting for Started {
    fn finish(self: Box<Self>) -> Vec<Reading> {
        let finish = |(name, opened): (&'static str, Result<Opened, String>)| match opened {
            Err(reason) => Reading::of(name, Err(reason)),
            Ok(mut opened) => {
                let user_only = "without the kernel's part: set /proc/sys/kernel/perf_event_paranoid to 1 to have it";
                let lacks = (!opened.with_kernel).then(|| user_only.to_owned());
                Reading { lacks, ..Reading::of(name, opened.count()) }
            }
        };
        self.0.into_iter().map(finish).collect()
    }
}

fn open(whose: Whose, event: &Hardware) -> Result<Opened, String> {
    if whose == Whose::Children {
        return Err("not counted for other processes".to_owned());
    }
    let all = |with_kernel| -> io::Result<Opened> {
        let counters = threads()?.into_iter().map(|thread| build(event, thread, with_kernel)).collect::<Result<_, _>>()?;
        Ok(Opened { counters, with_kernel })
    };
    all(true).or_else(|_| all(false)).map_err(|error| explain(&error))
}

fn build(event: &Hardware, thread: i32, with_kernel: bool) -> io::Result<Counter> {
    // Threads that these start are counted, too.
    Builder::new(*event).observe_pid(thread).inherit(true).exclude_kernel(!with_kernel).build()
}

/// The threads of this process.
fn threads() -> io::Result<Vec<i32>> {
    let entries = std::fs::read_dir("/proc/self/task")?;
    Ok(entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect())
}

/// What the kernel's refusal means (`man perf_event_open`, section ERRORS).
fn explain(error: &io::Error) -> String {
    use nix::errno::Errno;
    let known = error.raw_os_error().map(Errno::from_raw);
    let meaning = match known {
        Some(Errno::ENOENT | Errno::EOPNOTSUPP | Errno::ENODEV | Errno::ENXIO) => {
            "the kernel knows no hardware counters: a virtual machine without a PMU"
        }
        Some(Errno::EACCES | Errno::EPERM) => {
            "the kernel refuses them: set /proc/sys/kernel/perf_event_paranoid to 2 or less, or let the container call \
             perf_event_open"
        }
        Some(Errno::ENOSYS) => "the kernel is built without them",
        Some(Errno::EMFILE) => "too many open files: raise `ulimit -n`",
        _ => return format!("hardware counters do not work: {error}"),
    };
    let name = known.map_or_else(String::new, |errno| format!(" ({errno:?})"));
    format!("{meaning}{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_one_line_with_its_name() {
        for (number, part) in [(2, "PMU (ENOENT)"), (13, "paranoid"), (38, "built without"), (5, "do not work")] {
            let text = explain(&io::Error::from_raw_os_error(number));
            assert!(text.contains(part) && !text.contains('\n'), "{text}");
        }
    }
}
