//! One thread that tells invocations when their time is over.

use crate::bounded::Flag;
use crate::interrupt::{Aim, Target, Wake, aimed};
use isobar_core::Failure;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How often an invocation whose time is over is interrupted again, until it ends: an interrupt only counts where it
/// meets the function's own code.
const RETRY: Duration = Duration::from_micros(200);

/// Runs `body`, which is interrupted from `deadline` on: from then on `aim` is expired, `flag` is raised, and `wake` was
/// called.
///
/// # Safety
/// The instance that has the flag must live until `body` ends.
pub(crate) unsafe fn watched<R>(
    deadline: Instant,
    aim: &Arc<Aim>,
    flag: Option<Flag>,
    wake: Option<Wake>,
    body: impl FnOnce() -> R,
) -> Result<R, Failure> {
    aimed(aim, || {
        let _watch = Watch::start(deadline, Target::here(aim.clone(), flag, wake))?;
        Ok(body())
    })
}

/// An invocation under watch, until it is dropped.
struct Watch(Arc<Entry>);

struct Entry {
    deadline: Instant,
    target: Target,
}

struct State {
    started: bool,
    entries: Vec<Arc<Entry>>,
    /// When the thread looks next; never, if nothing was left to watch. It is not woken for what comes later.
    wakes_at: Option<Instant>,
}

static STATE: Mutex<State> = Mutex::new(State { started: false, entries: Vec::new(), wakes_at: None });
static EARLIER: Condvar = Condvar::new();

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Watch {
    fn start(deadline: Instant, target: Target) -> Result<Watch, Failure> {
        let mut state = state();
        if !state.started {
            let thread = std::thread::Builder::new().name("wasmer watchdog".to_owned()).spawn(run);
            thread.map_err(|e| Failure::host(format!("cannot start a thread for time limits: {e}")))?;
            state.started = true;
        }
        let entry = Arc::new(Entry { deadline, target });
        state.entries.push(entry.clone());
        if state.wakes_at.is_none_or(|at| deadline < at) {
            state.wakes_at = Some(deadline);
            EARLIER.notify_one();
        }
        Ok(Watch(entry))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        state().entries.retain(|entry| !Arc::ptr_eq(entry, &self.0));
    }
}

fn run() {
    let mut state = state();
    loop {
        let now = Instant::now();
        let next = |entry: &Arc<Entry>| {
            if entry.deadline > now {
                return entry.deadline;
            }
            // SAFETY: its thread is in `watched`, which takes the entry away, with this lock held, before it returns.
            unsafe { entry.target.interrupt() };
            now + RETRY
        };
        let earliest = state.entries.iter().map(next).min();
        state.wakes_at = earliest;
        state = match earliest {
            None => EARLIER.wait(state).unwrap_or_else(PoisonError::into_inner),
            Some(at) => {
                let wait = at.saturating_duration_since(Instant::now());
                EARLIER.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0
            }
        };
    }
}
