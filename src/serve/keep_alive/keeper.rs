//! The rule applied: which modules are to be released and loaded, and when. It knows no clock, no threads and no modules:
//! moments are told to it, and what it decides is done by others.

use super::KeepAlive;
use super::histogram::IdleTimes;
use std::collections::{BTreeMap, BTreeSet};

/// What is to be done with a function's module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Act {
    /// It leaves memory.
    Release,
    /// It is brought into memory, as it will be called soon.
    Load,
}

/// What was done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::serve) struct Account {
    /// Modules that were released.
    pub(in crate::serve) evictions: u64,
    /// Modules that were loaded before they were called.
    pub(in crate::serve) prewarmed: u64,
    /// Time in which modules were in memory while nobody called them, in nanoseconds: the "wasted memory time" of the
    /// paper, for modules that are all equal. Copies of a module count each.
    pub(in crate::serve) idle_ns: u128,
}

/// The keeper of all functions. Moments are nanoseconds of one clock and never go back.
pub(super) struct Keeper {
    policy: KeepAlive,
    lives: BTreeMap<u64, Life>,
    /// What is due, and when: at most one for each function.
    due: BTreeSet<(u64, u64, Act)>,
    account: Account,
}

/// A function as its keeper knows it.
struct Life {
    in_flight: u32,
    /// How often its module is in memory: in each runner program that has it.
    copies: u32,
    /// Since when it is there and idle, of which all but this is accounted for.
    idle_since_ns: u64,
    /// When its last execution ended.
    ended_ns: Option<u64>,
    /// When it is released after the loading that is due or going on.
    release_ns: Option<u64>,
    next: Option<(u64, Act)>,
    idle: IdleTimes,
}

impl Life {
    fn new() -> Life {
        Life {
            in_flight: 0,
            copies: 0,
            idle_since_ns: 0,
            ended_ns: None,
            release_ns: None,
            next: None,
            idle: IdleTimes::new(),
        }
    }

    /// How long its copies were idle since that was asked last.
    fn idle_ns(&self, now_ns: u64) -> u128 {
        let idle = if self.in_flight == 0 { now_ns.saturating_sub(self.idle_since_ns) } else { 0 };
        u128::from(idle) * u128::from(self.copies)
    }
}

impl Keeper {
    pub(super) fn new(policy: KeepAlive) -> Keeper {
        Keeper { policy, lives: BTreeMap::new(), due: BTreeSet::new(), account: Account::default() }
    }

    /// A function is called. Until as many of its invocations have ended nothing is done to its module.
    pub(super) fn begins(&mut self, function: u64, now_ns: u64) {
        let life = self.lives.entry(function).or_insert_with(Life::new);
        self.account.idle_ns += life.idle_ns(now_ns);
        if life.in_flight == 0 {
            if let Some(ended_ns) = life.ended_ns {
                life.idle.record(now_ns.saturating_sub(ended_ns));
            }
            if let Some((at_ns, act)) = life.next.take() {
                self.due.remove(&(at_ns, function, act));
            }
        }
        life.in_flight += 1;
    }

    /// An invocation ended; `copies` says how often the module is in memory then. Returns whether it is to be released at
    /// once.
    pub(super) fn ends(&mut self, function: u64, copies: impl FnOnce() -> u32, now_ns: u64) -> bool {
        let Some(life) = self.lives.get_mut(&function) else { return false };
        life.in_flight = life.in_flight.saturating_sub(1);
        if life.in_flight > 0 {
            return false;
        }
        (life.ended_ns, life.idle_since_ns, life.copies) = (Some(now_ns), now_ns, copies());
        let windows = self.policy.windows(&life.idle);
        let release_ns = windows.keep_ns.map(|ns| now_ns.saturating_add(ns));
        life.release_ns = release_ns;
        let at_once = windows.prewarm_ns > 0 || windows.keep_ns == Some(0);
        if at_once {
            self.account.evictions += u64::from(life.copies);
            life.copies = 0;
        }
        let next = match (windows.prewarm_ns, at_once) {
            (0, true) => None,
            (0, false) => release_ns.map(|at_ns| (at_ns, Act::Release)),
            (prewarm_ns, _) => Some((now_ns.saturating_add(prewarm_ns), Act::Load)),
        };
        self.plan(function, next);
        at_once
    }

    /// The module was loaded without being called, so many times: what [`Act::Load`] asked for, or one that takes the place
    /// of another.
    pub(super) fn loaded(&mut self, function: u64, copies: u32, replaces: bool, now_ns: u64) {
        let life = self.lives.entry(function).or_insert_with(Life::new);
        if !replaces {
            self.account.prewarmed += u64::from(copies);
        }
        if life.in_flight > 0 {
            // It was called meanwhile, and will be looked after when that ends.
            return;
        }
        self.account.idle_ns += life.idle_ns(now_ns);
        (life.copies, life.idle_since_ns) = (copies, now_ns);
        if replaces {
            life.release_ns = self.policy.windows(&life.idle).keep_ns.map(|ns| now_ns.saturating_add(ns));
        }
        let next = life.release_ns.map(|at_ns| (at_ns, Act::Release));
        self.plan(function, next);
    }

    /// A function is not there any more, nor is its module.
    pub(super) fn forget(&mut self, function: u64, now_ns: u64) {
        self.plan(function, None);
        if let Some(life) = self.lives.remove(&function) {
            self.account.idle_ns += life.idle_ns(now_ns);
        }
    }

    /// When there is something to be done.
    pub(super) fn next_ns(&self) -> Option<u64> {
        self.due.first().map(|(at_ns, ..)| *at_ns)
    }

    /// What is due by now, in the order in which it was. A module that is to be loaded is reported by
    /// [`Keeper::loaded`] when it is, or when it cannot be.
    pub(super) fn take_due(&mut self, now_ns: u64) -> Option<(u64, Act)> {
        let (_, function, act) = *self.due.first().filter(|(at_ns, ..)| *at_ns <= now_ns)?;
        self.plan(function, None);
        let life = self.lives.get_mut(&function)?;
        if act == Act::Release {
            self.account.idle_ns += life.idle_ns(now_ns);
            self.account.evictions += u64::from(life.copies);
            life.copies = 0;
        }
        Some((function, act))
    }

    /// The account up to now.
    pub(super) fn account(&self, now_ns: u64) -> Account {
        let running: u128 = self.lives.values().map(|life| life.idle_ns(now_ns)).sum();
        Account { idle_ns: self.account.idle_ns + running, ..self.account }
    }

    /// Replaces what is due for a function.
    fn plan(&mut self, function: u64, next: Option<(u64, Act)>) {
        let Some(life) = self.lives.get_mut(&function) else { return };
        if let Some((at_ns, act)) = std::mem::replace(&mut life.next, next) {
            self.due.remove(&(at_ns, function, act));
        }
        if let Some((at_ns, act)) = next {
            self.due.insert((at_ns, function, act));
        }
    }
}
