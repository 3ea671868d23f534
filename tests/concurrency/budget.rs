//! The retry budget under every interleaving of a few threads, and every value a load may see.
//!
//! Run with `RUSTFLAGS="--cfg loom" cargo test --release --test budget_loom`. Those that say `bounded`
//! try schedules of at most so many preemptions, or of `LOOM_MAX_PREEMPTIONS`.
#![cfg(loom)]

mod schedules;

use loom::sync::atomic::{AtomicU64, Ordering};
use loom::thread;
use seawall::policies::budget::{Budget, Draft, Settings, Turn};
use seawall::time::{Clock, Nanos, SECOND};
use std::sync::Arc;

use schedules::{At, bounded, model};

const NOW: Nanos = 1_000 * SECOND;
const STILL: At = At(NOW);
/// The width of a bucket of the default `ttl`, 10 s.
const WIDTH: Nanos = 1 << 30;

/// A clock that threads share, as they share the machine's: who has seen a later bucket sees a
/// time that is as late.
struct Shared(AtomicU64);

impl Shared {
    fn new() -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(NOW)))
    }

    fn set(&self, now: Nanos) {
        self.0.store(now, Ordering::Release);
    }
}

impl Clock for Shared {
    fn now(&self) -> Nanos {
        self.0.load(Ordering::Acquire)
    }

    fn coarse(&self) -> Nanos {
        self.now()
    }
}

fn settings(draft: &Draft) -> Settings {
    let mut problems = Vec::new();
    draft.check(&mut problems).unwrap_or_else(|| panic!("{problems:?}"))
}

fn budget(draft: &Draft) -> Budget {
    Budget::new(settings(draft), NOW)
}

/// A share of the calls, and so many attempts more over `ttl`.
fn ratio(ratio: f64, reserve: f64) -> Draft {
    Draft { ratio: Some(ratio), min_per_second: Some(reserve / 10.0), ..Draft::default() }
}

fn mode(name: &str) -> Draft {
    Draft { mode: Some(name.to_owned()), ..Draft::default() }
}

/// So many attempts in flight, however few calls are.
fn at_once(least: i64) -> Draft {
    Draft { min_concurrent: Some(least), ratio: Some(0.0), ..mode("concurrency") }
}

fn asks(budget: &Budget, clock: &Arc<Shared>) -> thread::JoinHandle<bool> {
    let (budget, clock) = (budget.clone(), clock.clone());
    thread::spawn(move || budget.permit(&*clock))
}

/// Of several who ask for the last attempts that are left, as many get one.
#[test]
fn the_last_attempt_goes_to_one() {
    for draft in [ratio(0.0, 1.0), at_once(1)] {
        model(move || {
            let (budget, clock) = (budget(&draft), Shared::new());
            let other = asks(&budget, &clock);
            let mine = budget.permit(&*clock);
            assert!(mine != other.join().unwrap());
            let seen = budget.snapshot(NOW);
            assert_eq!((seen.permitted, seen.retries_in_flight, seen.balance), (1, 1, 0.0));
            assert_eq!(seen.refused, 1);
        });
    }
}

/// Likewise of three who ask for two.
#[test]
fn two_of_three() {
    bounded(3, || {
        let (budget, clock) = (budget(&ratio(0.0, 2.0)), Shared::new());
        let others = [asks(&budget, &clock), asks(&budget, &clock)];
        let mine = budget.permit(&*clock);
        let others = others.map(|other| other.join().unwrap());
        assert_eq!(u8::from(mine) + u8::from(others[0]) + u8::from(others[1]), 2);
    });
}

/// No call is lost and none counted twice, the first of a bucket among them.
#[test]
fn calls_are_counted_once() {
    model(|| {
        let budget = budget(&ratio(0.5, 0.0));
        let calls = |times| {
            let budget = budget.clone();
            thread::spawn(move || (0..times).for_each(|_| budget.begin(&STILL)))
        };
        let (one, other) = (calls(1), calls(2));
        one.join().unwrap();
        other.join().unwrap();
        let seen = budget.snapshot(NOW);
        assert_eq!((seen.deposited, seen.calls, seen.in_flight), (Some(3), 3, 3));
        assert!(budget.permit(&STILL) && !budget.permit(&STILL));
    });
}

/// An attempt is permitted only by calls that have begun, and each of these permits its part.
#[test]
fn calls_pay_for_attempts_once() {
    model(|| {
        let budget = budget(&ratio(1.0, 0.0));
        let other = thread::spawn({
            let budget = budget.clone();
            move || {
                budget.begin(&STILL);
                budget.permit(&STILL)
            }
        });
        let early = budget.permit(&STILL);
        budget.begin(&STILL);
        let late = budget.permit(&STILL);
        let others = other.join().unwrap();
        let permitted = u64::from(early) + u64::from(late) + u64::from(others);
        assert!(permitted <= 2);
        let mut left = 0;
        while budget.permit(&STILL) {
            left += 1;
        }
        assert_eq!(permitted + left, 2);
    });
}

/// While time passes from bucket to bucket, no attempt is forgotten before `ttl` is over: not by
/// somebody who was held up, and not because of somebody who was.
#[test]
fn attempts_count_for_all_of_ttl() {
    for buckets in [1, 9] {
        model(move || {
            let (budget, clock) = (budget(&ratio(0.0, 1.0)), Shared::new());
            let slow = asks(&budget, &clock);
            clock.set(NOW + buckets * WIDTH);
            let mine = budget.permit(&*clock);
            assert!(mine != slow.join().unwrap(), "one in {buckets} buckets");
        });
    }
}

/// Likewise of three, each a bucket later than the other.
#[test]
fn marks_that_come_late_hide_nothing() {
    bounded(2, || {
        let (budget, clock) = (budget(&ratio(0.0, 1.0)), Shared::new());
        let slow = asks(&budget, &clock);
        clock.set(NOW + WIDTH);
        let slower = asks(&budget, &clock);
        clock.set(NOW + 2 * WIDTH);
        let mine = budget.permit(&*clock);
        let others = [slow.join().unwrap(), slower.join().unwrap()];
        assert_eq!(u8::from(mine) + u8::from(others[0]) + u8::from(others[1]), 1);
    });
}

/// Who was held up for a whole lap of the buckets neither wipes nor overlooks what has come since.
#[test]
fn a_lap_later() {
    bounded(3, || {
        let (budget, clock) = (budget(&ratio(0.0, 1.0)), Shared::new());
        let slow = asks(&budget, &clock);
        clock.set(NOW + 32 * WIDTH);
        let mine = budget.permit(&*clock);
        let other = slow.join().unwrap();
        assert!(mine || other);
        let seen = budget.snapshot(NOW + 32 * WIDTH);
        // The slow one's is either a lap old, or has taken the one there was now.
        assert_eq!(seen.withdrawn, Some(1));
        assert!(!budget.permit(&*clock));
    });
}

/// What has ended makes room for one other, and in the end nothing is in flight.
#[test]
fn room_goes_to_one() {
    model(|| {
        let budget = budget(&at_once(1));
        budget.begin(&STILL);
        assert!(budget.permit(&STILL));
        let ends = thread::spawn({
            let budget = budget.clone();
            move || {
                budget.attempt_over();
                budget.finish();
            }
        });
        let other = thread::spawn({
            let budget = budget.clone();
            move || budget.permit(&STILL)
        });
        let mine = budget.permit(&STILL);
        let other = other.join().unwrap();
        ends.join().unwrap();
        assert!(!(mine && other));
        let standing = u64::from(mine || other);
        let seen = budget.snapshot(NOW);
        assert_eq!((seen.in_flight, seen.retries_in_flight), (0, standing));
        assert_eq!(budget.permit(&STILL), standing == 0);
    });
}

/// Who finds room at every moment is not refused because others came and went meanwhile.
#[test]
fn nobody_is_refused_where_there_was_room() {
    model(|| {
        let budget = budget(&at_once(3));
        assert!(budget.permit(&STILL) && budget.permit(&STILL));
        let other = thread::spawn({
            let budget = budget.clone();
            move || budget.permit(&STILL)
        });
        budget.attempt_over();
        assert!(budget.permit(&STILL));
        assert!(other.join().unwrap());
        assert!(!budget.permit(&STILL));
    });
}

/// No failure and no success is lost.
#[test]
fn tokens_are_exact() {
    model(|| {
        let draft = Draft { ratio: Some(0.25), max_tokens: Some(4), ..mode("tokens") };
        let budget = budget(&draft);
        budget.failed();
        let fails = thread::spawn({
            let budget = budget.clone();
            move || budget.failed()
        });
        budget.succeeded();
        fails.join().unwrap();
        assert_eq!(budget.snapshot(NOW).balance, 2.25);
    });
}

/// However many are refused at once, it is told once.
#[test]
fn exhaustion_is_told_once() {
    model(|| {
        let budget = budget(&at_once(0));
        let other = thread::spawn({
            let budget = budget.clone();
            move || budget.ask(&STILL).turned
        });
        let told = [budget.ask(&STILL).turned, other.join().unwrap()];
        let told: Vec<_> = told.into_iter().flatten().collect();
        assert_eq!(told.len(), 1);
        assert_eq!((told[0].turn, told[0].seq), (Turn::Exhausted, 1));
    });
}

/// Who asks while settings change goes by the old or the new ones, never by a part of each.
#[test]
fn settings_change_as_a_whole() {
    model(|| {
        // Neither permits anything; the second number of the one as that of the other would.
        let budget = budget(&at_once(0));
        let asks = thread::spawn({
            let budget = budget.clone();
            move || budget.permit(&STILL)
        });
        for _ in 0..2 {
            budget.reconfigure(settings(&ratio(0.0, 0.5)), NOW);
        }
        assert!(!asks.join().unwrap());
    });
}
