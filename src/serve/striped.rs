//! Values of which each thread has its own, so that threads do not wait for each other's caches.

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// So many threads have one of their own; more of them share.
const STRIPES: usize = 8;

/// No two of them share a cache line, nor a pair that is fetched at once.
#[derive(Default)]
#[repr(align(128))]
struct Padded<T>(T);

/// The calling thread's place.
fn stripe() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static STRIPE: usize = NEXT.fetch_add(1, Ordering::Relaxed) % STRIPES;
    }
    STRIPE.with(|stripe| *stripe)
}

/// A value for each thread.
pub(super) struct Striped<T>([Padded<Mutex<T>>; STRIPES]);

impl<T> Striped<T> {
    pub(super) fn new(make: impl Fn() -> T) -> Striped<T> {
        Striped(std::array::from_fn(|_| Padded(Mutex::new(make()))))
    }

    /// Does something with the calling thread's value.
    pub(super) fn with<R>(&self, work: impl FnOnce(&T) -> R) -> R {
        work(&self.0[stripe()].0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Does something with all of them.
    pub(super) fn each(&self, work: impl Fn(&T)) {
        self.0.iter().for_each(|value| work(&value.0.lock().unwrap_or_else(PoisonError::into_inner)));
    }
}

/// How many of something there are.
#[derive(Default)]
pub(super) struct StripedCount([Padded<AtomicI64>; STRIPES]);

impl StripedCount {
    /// One more.
    pub(super) fn inc(&self) {
        self.0[stripe()].0.fetch_add(1, Ordering::Relaxed);
    }

    /// One less, on the thread that counted it.
    pub(super) fn dec(&self) {
        self.0[stripe()].0.fetch_sub(1, Ordering::Relaxed);
    }

    /// How many there are now.
    pub(super) fn get(&self) -> i64 {
        self.0.iter().map(|count| count.0.load(Ordering::Relaxed)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn what_many_threads_count_is_there_when_all_are_asked() {
        let (each, count) = (Striped::new(|| Cell::new(0)), StripedCount::default());
        std::thread::scope(|scope| {
            for _ in 0..3 * STRIPES {
                scope.spawn(|| {
                    for _ in 0..1000 {
                        each.with(|own| own.set(own.get() + 1));
                        count.inc();
                    }
                    (0..999).for_each(|_| count.dec());
                });
            }
        });
        let sum = Cell::new(0);
        each.each(|own| sum.set(sum.get() + own.get()));
        assert_eq!((sum.get(), count.get()), (3000 * STRIPES, 3 * STRIPES as i64));
    }
}
