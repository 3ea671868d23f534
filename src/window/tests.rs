//! Windows against a plain list of what was put in.

use super::buckets::{self, Buckets, Width};
use super::ring::{self, Ring};
use super::{Outcome, Totals};
use crate::sync::{AtomicU64, Ordering::Relaxed};
use crate::time::{Manual, SECOND};
use std::collections::VecDeque;

fn zeros(count: usize) -> Vec<AtomicU64> {
    (0..count).map(|_| AtomicU64::new(0)).collect()
}

/// The nth of a fixed, irregular sequence of outcomes.
fn nth(n: u64) -> Outcome {
    let mixed = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    Outcome { failed: mixed >> 60 < 5, slow: (mixed >> 50).trailing_zeros() >= 3 }
}

fn count<'a>(outcomes: impl IntoIterator<Item = &'a Outcome>) -> Totals {
    let mut totals = Totals::default();
    for outcome in outcomes {
        totals.calls += 1;
        totals.failures += u64::from(outcome.failed);
        totals.slow += u64::from(outcome.slow);
    }
    totals
}

/// A ring holds the last N outcomes, in order, at every length of history and every size.
#[test]
fn ring_is_the_last_n() {
    for size in [1, 2, 15, 16, 17, 31, 32, 33, 100] {
        let words = zeros(ring::words(size));
        let ring = Ring::new(&words, size).unwrap();
        let mut last = VecDeque::new();
        for n in 0..500 {
            let held = ring.append(7, nth(n), || true).unwrap();
            last.push_back(nth(n));
            if last.len() > size as usize {
                last.pop_front();
            }
            assert_eq!(held, last.len() as u64);
            assert_eq!(ring.totals(7), count(&last), "{n} of {size}");
            assert!(ring.outcomes(7).eq(last.iter().copied()));
        }
    }
}

/// A ring's head comes round to lap 128, not to 0: a full ring never looks half empty again.
#[test]
fn ring_laps_wrap() {
    let words = zeros(ring::words(2));
    let ring = Ring::new(&words, 2).unwrap();
    let (generation, last) = (5_u64, (1_u64 << 28) - 1);
    let first = generation << 44 | (last & 0x7f) << 37 | 1 << 32;
    words[2].store(generation << 44 | last << 16, Relaxed);
    words[3].store(first | 0b11 << 16, Relaxed);
    for failures in [1, 0, 0] {
        assert_eq!(ring.append(generation, Outcome::default(), || true).unwrap(), 2);
        assert_eq!(ring.totals(generation), Totals { calls: 2, failures, slow: 0 });
    }
    assert_eq!(words[2].load(Relaxed) >> 16 & last, 128);
}

/// Another generation finds a ring empty, and an older one can't write to it any more.
#[test]
fn ring_generations() {
    let words = zeros(ring::words(20));
    let ring = Ring::new(&words, 20).unwrap();
    for n in 0..30 {
        ring.append(1, nth(n), || true);
    }
    assert_eq!(ring.totals(2), Totals::default());
    assert_eq!(ring.append(2, nth(0), || true).unwrap(), 1);
    assert_eq!(ring.totals(2), count([&nth(0)]));
    assert!(ring.append(1, nth(1), || false).is_none());
    assert_eq!(ring.totals(2).calls, 1);
}

/// A full ring without a bad outcome is known to be clean until one begins.
#[test]
fn ring_knows_that_it_is_clean() {
    let words = zeros(ring::words(4));
    let ring = Ring::new(&words, 4).unwrap();
    let append = |failed| ring.append(1, Outcome { failed, slow: false }, || true);
    for held in 1..=4 {
        assert!(!ring.marks.clean(1));
        assert_eq!(append(false), Some(held));
    }
    assert!(ring.marks.clean(1) && !ring.marks.clean(2));
    ring.marks.begin();
    assert!(!ring.marks.clean(1));
    for _ in 0..4 {
        append(false);
    }
    assert!(!ring.marks.clean(1), "a bad outcome may be written any moment");
    ring.marks.end();
    append(true);
    for _ in 0..4 {
        assert!(!ring.marks.clean(1));
        append(false);
    }
    assert!(!ring.marks.clean(1), "known only at the end of a lap");
    for _ in 0..3 {
        append(false);
    }
    assert!(ring.marks.clean(1));
}

/// A time window holds the current bucket and the fifteen before, however time passes.
#[test]
fn buckets_are_the_last_stretch() {
    let width = SECOND / 100;
    let words = zeros(buckets::WORDS);
    let buckets = Buckets::new(&words, Width::of(16 * width)).unwrap();
    let start = 12_345_678;
    let clock = Manual::new(start);
    buckets.start(start);
    let (mut seen, mut at) = (Vec::new(), 0);
    for n in 0..400 {
        assert_eq!(buckets.append(3, nth(n), &clock, || true), Ok(()));
        seen.push((at / width, nth(n)));
        let now = at / width;
        let held = seen.iter().filter(|(epoch, _)| epoch + 16 > now).map(|(_, outcome)| outcome);
        assert_eq!(buckets.totals(3, &clock), count(held));
        assert_eq!(buckets.totals(4, &clock), Totals::default());
        let step =
            [1, width / 3, 2 * width, 0, 40 * width][(n % 5) as usize / (1 + (n % 3) as usize)];
        clock.advance(step);
        at += step;
    }
}

/// Buckets left so long ago that their laps' bits have wrapped are replaced, not obeyed.
#[test]
fn buckets_left_long_ago_are_replaced() {
    let width = SECOND / 100;
    let words = zeros(buckets::WORDS);
    let buckets = Buckets::new(&words, Width::of(16 * width)).unwrap();
    let clock = Manual::new(0);
    let lap = 16 * width;
    clock.advance(200_000 * lap);
    let bad = Outcome { failed: true, slow: true };
    assert_eq!(buckets.append(1, bad, &clock, || true), Ok(()));
    clock.advance(100_000 * lap);
    assert_eq!(buckets.append(1, bad, &clock, || true), Ok(()));
    assert_eq!(buckets.totals(1, &clock), Totals { calls: 1, failures: 1, slow: 1 });
}
