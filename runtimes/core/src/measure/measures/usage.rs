use super::{Counting, Measure, Reading, Whose};
use nix::errno::Errno;
use nix::sys::resource::{self, UsageWho, getrusage};
use nix::sys::time::TimeVal;

/// Processor time, page faults and context switches, by `getrusage`.
pub(super) struct Usage;

impl Measure for Usage {
    fn start(&self, whose: Whose) -> Box<dyn Counting> {
        let who = match whose {
            Whose::Own => UsageWho::RUSAGE_SELF,
            Whose::Children => UsageWho::RUSAGE_CHILDREN,
        };
        Box::new(Started { who, before: getrusage(who) })
    }
}

struct Started {
    who: UsageWho,
    before: Result<resource::Usage, Errno>,
}

impl Counting for Started {
    fn finish(self: Box<Self>) -> Vec<Reading> {
        let both = getrusage(self.who).and_then(|after| Ok((self.before?, after)));
        let both = both.map_err(|errno| format!("the kernel refuses getrusage ({errno})"));
        let grown = |name, of: fn(&resource::Usage) -> i64| {
            let value = both.as_ref().map_err(String::clone);
            Reading::of(name, value.map(|(before, after)| (of(after) - of(before)).max(0) as u64))
        };
        vec![
            grown("user_ns", |usage| nanoseconds(usage.user_time())),
            grown("system_ns", |usage| nanoseconds(usage.system_time())),
            grown("minor_faults", resource::Usage::minor_page_faults),
            grown("major_faults", resource::Usage::major_page_faults),
            grown("voluntary_context_switches", resource::Usage::voluntary_context_switches),
            grown("involuntary_context_switches", resource::Usage::involuntary_context_switches),
        ]
    }
}

fn nanoseconds(time: TimeVal) -> i64 {
    time.tv_sec() * 1_000_000_000 + time.tv_usec() * 1000
}
