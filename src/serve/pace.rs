//! Which functions are so fast that handing them to a worker would cost more than running them.
//!
//! A function has no effect outside of its sandbox until it has answered. So one that was always fast may be tried on the
//! thread that read its request, for a slice of time; if it is not fast this time, nothing is lost by beginning it anew on a
//! worker. How often that may happen is bounded: every slice that was spent in vain must be earned by more fast runs than
//! the one before.

use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

/// A run that takes no longer is fast: a few times what handing it over takes.
pub(super) const FAST: Duration = Duration::from_micros(200);

/// So many fast runs make up for one that was not, and for the first slice that was spent in vain.
const WORTH: i32 = 16;

/// Each slice spent in vain is worth so many times the one before, ...
const DEARER: i32 = 4;

/// ... up to this.
const DEAREST: i32 = 1 << 16;

/// A function with so many fast runs to its credit is as good as one that was never slow.
const TRUSTED: i32 = 1000;

/// How fast a function has been. It starts out as one that has to earn its first slice. Threads that count at once may
/// lose a count: nothing hangs on one.
pub(super) struct Pace {
    /// Fast runs to its credit; below zero, what it lacks for a slice.
    credit: AtomicI32,
    /// What the next slice that is spent in vain will be worth.
    price: AtomicI32,
}

impl Default for Pace {
    fn default() -> Self {
        Pace { credit: AtomicI32::new(-WORTH), price: AtomicI32::new(WORTH) }
    }
}

impl Pace {
    /// Whether it may have a slice.
    pub(super) fn is_fast(&self) -> bool {
        self.credit.load(Ordering::Relaxed) >= 0
    }

    /// It ran to its end.
    pub(super) fn ran(&self, took: Duration) {
        let credit = self.credit.load(Ordering::Relaxed);
        if took > FAST {
            self.credit.store((credit - WORTH).max(-DEAREST), Ordering::Relaxed);
        } else if credit < TRUSTED {
            self.credit.store(credit + 1, Ordering::Relaxed);
        } else if self.price.load(Ordering::Relaxed) > WORTH {
            // Never more stores than that: a function that is called a lot has this in every processor's cache.
            self.price.store(WORTH, Ordering::Relaxed);
        }
    }

    /// Its slice was over before it was.
    pub(super) fn overran(&self) {
        let price = self.price.load(Ordering::Relaxed);
        self.credit.store(-price, Ordering::Relaxed);
        self.price.store((price * DEARER).min(DEAREST), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many fast runs it takes until it may have a slice.
    fn runs_to_earn(pace: &Pace) -> usize {
        (0..).take_while(|_| (!pace.is_fast()).then(|| pace.ran(FAST)).is_some()).count()
    }

    #[test]
    fn a_slice_is_earned_and_each_in_vain_makes_the_next_one_dearer() {
        let pace = Pace::default();
        let mut earned = vec![runs_to_earn(&pace)];
        for _ in 0..9 {
            pace.overran();
            earned.push(runs_to_earn(&pace));
        }
        assert_eq!(earned, [16, 16, 64, 256, 1024, 4096, 16_384, 65_536, 65_536, 65_536]);
        // Fast for long enough, it is trusted as in the beginning.
        (0..=TRUSTED).for_each(|_| pace.ran(FAST));
        pace.overran();
        assert_eq!(runs_to_earn(&pace), 16);
    }

    #[test]
    fn a_slow_run_now_and_then_is_forgiven_and_a_slow_function_never_tried() {
        let slow = FAST + Duration::from_nanos(1);
        let pace = Pace::default();
        for run in 1..=1000 {
            pace.ran(if run % 50 == 0 { slow } else { FAST });
        }
        assert!(pace.is_fast());
        let pace = Pace::default();
        for run in 0..1000 {
            assert!(!pace.is_fast());
            pace.ran(if run % 10 == 0 { slow } else { FAST });
        }
        (0..1_000_000).for_each(|_| pace.ran(slow));
        assert!(runs_to_earn(&pace) <= DEAREST as usize, "what it lacks is bounded");
    }
}
