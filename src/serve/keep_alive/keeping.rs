//! What the platform does about keeping modules: a clock, a timer, and the functions whose modules they are.

use super::KeepAlive;
use super::keeper::{Account, Act, Keeper};
use crate::serve::function::{Function, Resident};
use isobar_core::measure::nanoseconds;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The timer looks at least that often, so that no clock that was set can make it sleep for ever.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// Keeps modules by a rule, releases them and asks for them to be loaded.
pub(in crate::serve) struct Keeping {
    start: Instant,
    /// So many seconds of the rule's clock are one of the system's.
    speed: f64,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    keeper: Keeper,
    functions: HashMap<u64, Kept>,
    /// The moment that the timer waits for.
    waits_for_ns: Option<u64>,
    stopping: bool,
}

/// A function, and the engines that had its module when it was released last.
struct Kept {
    function: Arc<Function>,
    slots: Vec<usize>,
}

/// An invocation in flight. As long as it is there its module stays.
pub(in crate::serve) struct Held {
    keeping: Arc<Keeping>,
    /// Nothing once it has ended.
    function: Option<Arc<Function>>,
}

/// A module that is to be in memory before it is called.
pub(in crate::serve) struct Prewarm {
    pub(in crate::serve) function: Arc<Function>,
    /// The engines that are to have it.
    pub(in crate::serve) slots: Vec<usize>,
}

impl Keeping {
    /// `speed` is how many seconds of the rule's windows a second takes.
    pub(in crate::serve) fn new(policy: KeepAlive, speed: f64) -> Arc<Keeping> {
        let state =
            State { keeper: Keeper::new(policy), functions: HashMap::new(), waits_for_ns: None, stopping: false };
        let (state, changed) = (Mutex::new(state), Condvar::new());
        Arc::new(Keeping { start: Instant::now(), speed, state, changed })
    }

    /// With the clock's time: whoever holds the state, time does not go back for it.
    fn lock(&self) -> (MutexGuard<'_, State>, u64) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now_ns = (nanoseconds(self.start.elapsed()) as f64 * self.speed) as u64;
        (state, now_ns)
    }

    /// Takes over the functions that there are now. Those that are new may be in memory already.
    pub(in crate::serve) fn adopt<'a>(&self, functions: impl Iterator<Item = &'a Arc<Function>>) {
        let (mut state, now_ns) = self.lock();
        let mut there = HashSet::new();
        for function in functions {
            there.insert(function.number);
            if state.functions.get(&function.number).is_some_and(|kept| Arc::ptr_eq(&kept.function, function)) {
                continue;
            }
            let copies = function.copies();
            if copies > 0 {
                state.keeper.loaded(function.number, copies, true, now_ns);
            }
            state.functions.insert(function.number, Kept { function: function.clone(), slots: Vec::new() });
        }
        let gone: Vec<u64> = state.functions.keys().filter(|number| !there.contains(number)).copied().collect();
        for number in gone {
            state.functions.remove(&number);
            state.keeper.forget(number, now_ns);
        }
        self.wake(&state);
    }

    /// A function is called.
    pub(in crate::serve) fn hold(self: &Arc<Self>, function: &Arc<Function>) -> Held {
        let (mut state, now_ns) = self.lock();
        if state.knows(function) {
            state.keeper.begins(function.number, now_ns);
        }
        Held { keeping: self.clone(), function: Some(function.clone()) }
    }

    /// What was asked for was loaded, or could not be.
    pub(in crate::serve) fn loaded(&self, function: &Function) {
        let (mut state, now_ns) = self.lock();
        if state.knows(function) {
            state.keeper.loaded(function.number, function.copies(), false, now_ns);
            self.wake(&state);
        }
    }

    pub(in crate::serve) fn account(&self) -> Account {
        let (state, now_ns) = self.lock();
        state.keeper.account(now_ns)
    }

    /// Does what is due until it is stopped; `load` brings modules into memory, on another thread.
    pub(in crate::serve) fn run(&self, load: impl Fn(Prewarm)) {
        let (mut state, mut now_ns) = self.lock();
        while !state.stopping {
            match state.keeper.take_due(now_ns) {
                Some((number, Act::Release)) => {
                    let released = state.release(number);
                    // What it takes to release a module is not time in which requests wait for its keeper.
                    drop(state);
                    drop(released);
                    (state, now_ns) = self.lock();
                }
                Some((number, Act::Load)) => {
                    let kept = state.functions.get(&number);
                    let prewarm =
                        kept.map(|kept| Prewarm { function: kept.function.clone(), slots: kept.slots.clone() });
                    drop(state);
                    prewarm.into_iter().for_each(&load);
                    (state, now_ns) = self.lock();
                }
                None => {
                    state.waits_for_ns = state.keeper.next_ns();
                    let sleep = state.waits_for_ns.map_or(LONGEST_SLEEP, |at_ns| {
                        let left_ns = at_ns.saturating_sub(now_ns) as f64 / self.speed;
                        // Rounded up: what is woken too early finds nothing to do.
                        Duration::from_nanos(left_ns.ceil() as u64).min(LONGEST_SLEEP)
                    });
                    drop(self.changed.wait_timeout(state, sleep).unwrap_or_else(PoisonError::into_inner));
                    (state, now_ns) = self.lock();
                }
            }
        }
    }

    /// Ends [`Keeping::run`].
    pub(in crate::serve) fn stop(&self) {
        self.lock().0.stopping = true;
        self.changed.notify_all();
    }

    /// Wakes the timer when something is due earlier than what it waits for.
    fn wake(&self, state: &State) {
        let next_ns = state.keeper.next_ns();
        if next_ns.is_some_and(|next| state.waits_for_ns.is_none_or(|waits_for| next < waits_for)) {
            self.changed.notify_one();
        }
    }
}

impl State {
    /// Whether it is one of the functions that there are, in whichever version.
    fn knows(&self, function: &Function) -> bool {
        self.functions.get(&function.number).is_some_and(|kept| kept.function.spec.name == function.spec.name)
    }

    /// Takes a module out of memory. It is gone when what is returned is.
    fn release(&mut self, number: u64) -> Vec<Resident> {
        let Some(kept) = self.functions.get_mut(&number) else { return Vec::new() };
        let (slots, released): (Vec<usize>, Vec<Resident>) = kept.function.release().into_iter().unzip();
        if !slots.is_empty() {
            kept.slots = slots;
        }
        released
    }
}

impl Held {
    /// The invocation has ended. What is returned is released when it is dropped.
    pub(in crate::serve) fn end(mut self) -> Vec<Resident> {
        self.finish()
    }

    fn finish(&mut self) -> Vec<Resident> {
        let Some(function) = self.function.take() else { return Vec::new() };
        let (mut state, now_ns) = self.keeping.lock();
        if !state.knows(&function) {
            return Vec::new();
        }
        // Those of the version that there is now: an older one ends with its last invocation.
        let current = state.functions.get(&function.number).map(|kept| kept.function.clone());
        let at_once = state.keeper.ends(function.number, || current.map_or(0, |current| current.copies()), now_ns);
        let released = if at_once { state.release(function.number) } else { Vec::new() };
        self.keeping.wake(&state);
        released
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        drop(self.finish());
    }
}
