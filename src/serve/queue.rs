//! The queue in front of the workers: bounded, and fair between functions.
//!
//! Each function has a lane of its own, and the lanes take turns. No lane gets more than a share of the places in the
//! queue, and of the workers: a function that never ends, called ever so often, leaves the rest to the others.
//!
//! Waking a worker costs as much as a fast function takes. So nobody is woken while a worker is about to come back for more,
//! as long as another one watches: a worker that sleeps no longer than [`WATCH`], and takes what was left waiting.

use std::collections::{HashMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a watching worker sleeps: the longest time that something waits while a worker is free.
const WATCH: Duration = Duration::from_micros(200);

/// How often a worker watches without anything having come in before it sleeps until it is woken.
const WATCHES: u32 = 25;

/// A worker that took something so long ago is not expected back soon.
const SOON: Duration = Duration::from_micros(50);

/// There is no place in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many requests are waiting")]
pub struct Busy;

pub(super) struct FairQueue<T> {
    state: Mutex<State<T>>,
    ready: Condvar,
    bounds: Bounds,
}

/// How much there is, for all and for one lane.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Places in the queue.
    pub(super) queued: usize,
    /// Places in the queue for one lane.
    pub(super) queued_per_lane: usize,
    /// Workers for one lane.
    pub(super) running_per_lane: usize,
}

struct State<T> {
    lanes: HashMap<u64, Lane<T>>,
    /// The lanes that a worker may take from, in turn.
    turns: VecDeque<u64>,
    queued: usize,
    running: usize,
    /// Workers that sleep: with none of them nobody needs to be woken.
    idle: usize,
    /// Those of them that were woken and have not come yet, as far as can be told.
    woken: usize,
    /// Whether one of them is watching.
    watching: bool,
    /// When a worker last took something.
    last_taken: Option<Instant>,
    /// How many have ever come in.
    pushed: u64,
    closed: bool,
}

struct Lane<T> {
    waiting: VecDeque<(Instant, T)>,
    running: usize,
    has_turn: bool,
}

/// What a worker got.
pub(super) struct Taken<T> {
    pub(super) lane: u64,
    pub(super) waited: Duration,
    pub(super) item: T,
}

impl<T> State<T> {
    fn give_turn(&mut self, key: u64, bounds: &Bounds) -> bool {
        let Some(lane) = self.lanes.get_mut(&key) else { return false };
        if lane.has_turn || lane.waiting.is_empty() || lane.running >= bounds.running_per_lane {
            return false;
        }
        lane.has_turn = true;
        self.turns.push_back(key);
        true
    }

    fn finish(&mut self, key: u64, bounds: &Bounds) {
        self.running -= 1;
        if let Some(lane) = self.lanes.get_mut(&key) {
            lane.running -= 1;
            if lane.running == 0 && lane.waiting.is_empty() {
                self.lanes.remove(&key);
            }
        }
        self.give_turn(key, bounds);
    }

    fn take(&mut self, bounds: &Bounds) -> Option<Taken<T>> {
        // A lane whose items were swept away has its turn for nothing.
        while let Some(key) = self.turns.pop_front() {
            let Some(lane) = self.lanes.get_mut(&key) else { continue };
            lane.has_turn = false;
            if lane.running >= bounds.running_per_lane {
                continue;
            }
            let Some((since, item)) = lane.waiting.pop_front() else { continue };
            lane.running += 1;
            self.queued -= 1;
            self.running += 1;
            self.give_turn(key, bounds);
            let now = Instant::now();
            self.last_taken = Some(now);
            return Some(Taken { lane: key, waited: now.saturating_duration_since(since), item });
        }
        None
    }

    /// Whether a worker must be woken for what waits, and that it will be.
    fn wakes(&mut self, now: Instant) -> bool {
        let soon = |taken: Instant| now.saturating_duration_since(taken) < SOON;
        let one_comes = self.woken > 0 || (self.running > 0 && self.last_taken.is_some_and(soon));
        let wakes = self.idle > 0 && !(self.watching && one_comes);
        self.woken += usize::from(wakes);
        wakes
    }
}

impl<T> FairQueue<T> {
    pub(super) fn new(bounds: Bounds) -> Self {
        let state = State {
            lanes: HashMap::new(),
            turns: VecDeque::new(),
            queued: 0,
            running: 0,
            idle: 0,
            woken: 0,
            watching: false,
            last_taken: None,
            pushed: 0,
            closed: false,
        };
        FairQueue { state: Mutex::new(state), ready: Condvar::new(), bounds }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts something at the end of a lane.
    pub(super) fn push(&self, key: u64, item: T) -> Result<(), Busy> {
        let mut state = self.lock();
        if state.closed || state.queued >= self.bounds.queued {
            return Err(Busy);
        }
        let new = || Lane { waiting: VecDeque::new(), running: 0, has_turn: false };
        let lane = state.lanes.entry(key).or_insert_with(new);
        if lane.waiting.len() >= self.bounds.queued_per_lane {
            return Err(Busy);
        }
        let now = Instant::now();
        lane.waiting.push_back((now, item));
        state.queued += 1;
        state.pushed += 1;
        let wake = state.give_turn(key, &self.bounds) && state.wakes(now);
        drop(state);
        if wake {
            self.ready.notify_one();
        }
        Ok(())
    }

    /// Gives back the lane that a worker is done with, and waits for the next item. Nothing when the queue is closed and
    /// empty.
    pub(super) fn next(&self, done: Option<u64>) -> Option<Taken<T>> {
        let mut state = self.lock();
        if let Some(key) = done {
            state.finish(key, &self.bounds);
        }
        let (mut watches, mut seen) = (0, state.pushed);
        loop {
            if let Some(taken) = state.take(&self.bounds) {
                // `take` may have given the lane another turn, and `finish` one more: this worker takes only one of them.
                if state.closed && state.queued == 0 {
                    self.ready.notify_all();
                } else if !state.turns.is_empty() && state.last_taken.is_some_and(|now| state.wakes(now)) {
                    self.ready.notify_one();
                }
                return Some(taken);
            }
            if state.closed && state.queued == 0 {
                return None;
            }
            if state.pushed != seen {
                (watches, seen) = (0, state.pushed);
            }
            watches += 1;
            state = self.sleep(state, watches <= WATCHES);
        }
    }

    /// Sleeps until woken; as the one who watches, if there is none and it `may`, no longer than [`WATCH`].
    fn sleep<'a>(&'a self, mut state: MutexGuard<'a, State<T>>, may: bool) -> MutexGuard<'a, State<T>> {
        state.idle += 1;
        let watch = may && !state.watching;
        let mut state = if watch {
            state.watching = true;
            let mut state = self.ready.wait_timeout(state, WATCH).unwrap_or_else(PoisonError::into_inner).0;
            state.watching = false;
            state
        } else {
            self.ready.wait(state).unwrap_or_else(PoisonError::into_inner)
        };
        state.idle -= 1;
        state.woken = state.woken.saturating_sub(1);
        state
    }

    /// Takes out what has waited for longer than this.
    pub(super) fn sweep(&self, patience: Duration) -> Vec<T> {
        let mut state = self.lock();
        let mut swept = Vec::new();
        for lane in state.lanes.values_mut() {
            while lane.waiting.front().is_some_and(|(since, _)| since.elapsed() > patience) {
                swept.extend(lane.waiting.pop_front().map(|(_, item)| item));
            }
        }
        state.lanes.retain(|_, lane| lane.running > 0 || !lane.waiting.is_empty());
        state.queued -= swept.len();
        if state.closed {
            self.ready.notify_all();
        }
        swept
    }

    /// How many wait, and how many run.
    pub(super) fn load(&self) -> (usize, usize) {
        let state = self.lock();
        (state.queued, state.running)
    }

    /// Takes nothing more; the workers end when nothing is left.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.ready.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { queued: 6, queued_per_lane: 3, running_per_lane: 2 };

    fn taken(queue: &FairQueue<u32>, done: Option<u64>) -> (u64, u32) {
        let taken = queue.next(done).expect("something waits");
        (taken.lane, taken.item)
    }

    #[test]
    fn lanes_take_turns_and_keep_their_order() {
        let queue = FairQueue::new(BOUNDS);
        for (lane, item) in [(1, 10), (1, 11), (1, 12), (2, 20), (2, 21)] {
            queue.push(lane, item).unwrap();
        }
        let mut done = None;
        let mut order = Vec::new();
        for _ in 0..5 {
            let (lane, item) = taken(&queue, done);
            order.push(item);
            done = Some(lane);
        }
        assert_eq!(order, [10, 20, 11, 21, 12]);
    }

    #[test]
    fn a_lane_has_its_share_and_no_more() {
        let queue = FairQueue::new(BOUNDS);
        for item in 0..3 {
            queue.push(1, item).unwrap();
        }
        assert_eq!(queue.push(1, 3), Err(Busy), "the lane is full");
        assert_eq!((taken(&queue, None), taken(&queue, None)), ((1, 0), (1, 1)));
        // Two of lane 1 run: its third waits, however long, and lane 2 is served.
        queue.push(2, 20).unwrap();
        assert_eq!(taken(&queue, None), (2, 20));
        assert_eq!(queue.load(), (1, 3));
        assert_eq!(taken(&queue, Some(1)), (1, 2));
        for (lane, item) in [(3, 0), (3, 1), (3, 2), (4, 0), (4, 1), (4, 2)] {
            queue.push(lane, item).unwrap();
        }
        assert_eq!(queue.push(5, 0), Err(Busy), "the queue is full");
    }

    #[test]
    fn what_waits_too_long_is_taken_out() {
        let queue = FairQueue::new(BOUNDS);
        queue.push(1, 1).unwrap();
        queue.push(2, 2).unwrap();
        assert!(queue.sweep(Duration::from_secs(60)).is_empty());
        std::thread::sleep(Duration::from_millis(2));
        let mut swept = queue.sweep(Duration::from_millis(1));
        swept.sort_unstable();
        assert_eq!((swept, queue.load()), (vec![1, 2], (0, 0)));
        queue.push(1, 3).unwrap();
        assert_eq!(taken(&queue, None), (1, 3));
    }

    /// The first of two items is done only when the second is, so somebody must be woken for that one.
    #[test]
    fn nothing_waits_behind_a_busy_worker_while_another_is_free() {
        let queue = FairQueue::new(Bounds { queued: 8, queued_per_lane: 8, running_per_lane: 8 });
        let (second, first) = std::sync::mpsc::channel();
        let (first, rounds) = (Mutex::new(first), 2000);
        let work = || {
            let mut done = None;
            while let Some(Taken { lane, item, .. }) = queue.next(done) {
                match item {
                    1 => first.lock().unwrap().recv_timeout(Duration::from_secs(60)).expect("the second one is taken"),
                    _ => second.send(()).unwrap(),
                }
                done = Some(lane);
            }
        };
        std::thread::scope(|scope| {
            let workers = [scope.spawn(work), scope.spawn(work), scope.spawn(work)];
            let mut random = fastrand::Rng::with_seed(1);
            for _ in 0..rounds {
                for item in [1, 2] {
                    queue.push(item, item).unwrap();
                    std::thread::sleep(Duration::from_micros(random.u64(..400)));
                }
                while queue.load().0 > 0 {
                    std::thread::yield_now();
                }
            }
            queue.close();
            workers.into_iter().for_each(|worker| worker.join().unwrap());
        });
    }

    #[test]
    fn a_closed_queue_is_emptied_before_its_workers_end() {
        let queue = FairQueue::new(BOUNDS);
        queue.push(1, 1).unwrap();
        queue.push(1, 2).unwrap();
        queue.close();
        assert_eq!(queue.push(2, 3), Err(Busy));
        let worker = || {
            let (mut done, mut items) = (None, Vec::new());
            while let Some(taken) = queue.next(done) {
                items.push(taken.item);
                done = Some(taken.lane);
            }
            items
        };
        let items: Vec<u32> = std::thread::scope(|scope| {
            let workers = [scope.spawn(worker), scope.spawn(worker), scope.spawn(worker)];
            workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
        });
        assert_eq!(items.iter().sum::<u32>(), 3);
    }
}
