//! The windows under every interleaving of a few threads, and every value a load may see.
//!
//! Run with `RUSTFLAGS="--cfg loom" cargo test --release --test window_loom`. Those that say `bounded`
//! try schedules of at most three preemptions, or of `LOOM_MAX_PREEMPTIONS`.
#![cfg(loom)]

mod schedules;

use loom::sync::atomic::{AtomicU64, Ordering};
use loom::thread;
use seawall::time::{Clock, Nanos, SECOND};
use seawall::window::buckets::{self, Buckets, Width};
use seawall::window::ring::{self, Ring};
use seawall::window::{Outcome, Totals};
use std::sync::Arc;

use schedules::{bounded, model};

const GOOD: Outcome = Outcome { failed: false, slow: false };
const BAD: Outcome = Outcome { failed: true, slow: false };

fn zeros(count: usize) -> Arc<[AtomicU64]> {
    (0..count).map(|_| AtomicU64::new(0)).collect()
}

/// A ring loses no outcome and counts none twice, over the end of a cell and of a lap.
#[test]
fn ring_appends_are_exact() {
    for (size, before) in [(2, 0), (2, 1), (17, 15), (17, 16), (3, 5)] {
        model(move || {
            let words = zeros(ring::words(size));
            let ring = Ring::new(&words, size).unwrap();
            for _ in 0..before {
                ring.append(1, GOOD, || true);
            }
            let appends = |outcome: Outcome| {
                let words = words.clone();
                thread::spawn(move || {
                    let ring = Ring::new(&words, size).unwrap();
                    ring.append(1, outcome, || true).unwrap()
                })
            };
            let (first, second) = (appends(BAD), appends(BAD));
            let held = [first.join().unwrap(), second.join().unwrap()];
            let full = u64::from(size);
            let expected = [(before + 1).min(full), (before + 2).min(full)];
            assert!(held == expected || held == [expected[1], expected[0]], "{held:?}");
            let totals = ring.totals(1);
            assert_eq!(totals, Totals { calls: expected[1], failures: 2, slow: 0 });
        });
    }
}

/// A ring's generations keep apart: a late outcome is in none but its own.
#[test]
fn ring_generations_keep_apart() {
    model(|| {
        let words = zeros(ring::words(2));
        let state = Arc::new(AtomicU64::new(1));
        let ring = Ring::new(&words, 2).unwrap();
        ring.append(1, BAD, || true);
        let late = thread::spawn({
            let (words, state) = (words.clone(), state.clone());
            move || {
                let ring = Ring::new(&words, 2).unwrap();
                ring.append(1, BAD, || state.load(Ordering::Acquire) == 1).is_some()
            }
        });
        state.store(2, Ordering::Release);
        for _ in 0..2 {
            assert!(ring.append(2, GOOD, || state.load(Ordering::Acquire) == 2).is_some());
        }
        late.join().unwrap();
        assert_eq!(ring.totals(2), Totals { calls: 2, failures: 0, slow: 0 });
    });
}

/// While a ring is known to be clean it holds nothing bad: no success leaves out a write that would
/// have pushed something bad out.
#[test]
fn clean_means_clean() {
    bounded(3, || {
        let words = zeros(ring::words(2));
        let ring = Ring::new(&words, 2).unwrap();
        let written = Arc::new(AtomicU64::new(0));
        ring.append(1, GOOD, || true);
        let fails = thread::spawn({
            let (words, written) = (words.clone(), written.clone());
            move || {
                let ring = Ring::new(&words, 2).unwrap();
                ring.append(1, BAD, || true);
                written.store(1, Ordering::Release);
            }
        });
        let succeeds = thread::spawn({
            let words = words.clone();
            move || {
                let ring = Ring::new(&words, 2).unwrap();
                for _ in 0..3 {
                    if !ring.marks.clean(1) {
                        ring.append(1, GOOD, || true);
                    }
                }
            }
        });
        let bad = written.load(Ordering::Acquire) == 1;
        assert!(!(bad && ring.marks.clean(1) && ring.totals(1).failures > 0));
        fails.join().unwrap();
        succeeds.join().unwrap();
        assert!(!ring.marks.clean(1) || ring.totals(1).failures == 0);
    });
}

/// A clock that threads share, as they share the machine's: who has seen a later bucket sees a
/// time that is as late.
struct Shared(AtomicU64);

impl Clock for Shared {
    fn now(&self) -> Nanos {
        self.0.load(Ordering::Acquire)
    }

    fn coarse(&self) -> Nanos {
        self.now()
    }
}

/// Time buckets lose nothing that belongs in the window, and nothing old replaces what is new.
#[test]
fn buckets_are_exact() {
    model(|| {
        let width = SECOND;
        let words = zeros(buckets::WORDS);
        let clock = Arc::new(Shared(AtomicU64::new(0)));
        let buckets = Buckets::new(&words, Width::of(16 * width)).unwrap();
        let late = thread::spawn({
            let (words, clock) = (words.clone(), clock.clone());
            move || {
                let buckets = Buckets::new(&words, Width::of(16 * width)).unwrap();
                buckets.append(1, BAD, &*clock, || true)
            }
        });
        // The same bucket, a lap later.
        clock.0.store(16 * width, Ordering::Release);
        assert_eq!(buckets.append(1, BAD, &*clock, || true), Ok(()));
        late.join().unwrap().ok();
        let totals = buckets.totals(1, &*clock);
        assert!(totals.calls >= 1 && totals.failures >= 1 && totals.failures <= totals.calls);
        assert!(totals.calls <= 2);
    });
}
