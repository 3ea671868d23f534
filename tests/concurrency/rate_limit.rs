//! The rate limit's word under every interleaving of a few threads.
//!
//! Run with `RUSTFLAGS="--cfg loom" cargo test --release --test rate_limit_loom`.
#![cfg(loom)]

mod schedules;

use loom::thread;
use seawall::policies::rate_limit::{Cost, Draft, Line, Looked, Moment, RateLimit, Settings};
use seawall::time::{Nanos, SECOND};

use schedules::{At, model};

const NOW: Nanos = 1_000 * SECOND;
const STILL: At = At(NOW);
const MOMENT: Moment = Moment { now: NOW, date: NOW };

fn settings(burst: f64) -> Settings {
    let draft =
        Draft { limit: Some(1.0), burst: Some(burst), max_wait: Some(10.0), ..Draft::default() };
    let mut problems = Vec::new();
    draft.check(&mut problems).unwrap_or_else(|| panic!("{problems:?}"))
}

fn asks(limit: &RateLimit) -> thread::JoinHandle<bool> {
    let limit = limit.clone();
    thread::spawn(move || limit.ask(Cost::ONE, &STILL).is_ok())
}

fn waits(limit: &RateLimit) -> thread::JoinHandle<Nanos> {
    let limit = limit.clone();
    thread::spawn(move || limit.reserve(Cost::ONE, None, &STILL).expect("it may wait").wait)
}

/// Of three who ask for two, two are let in.
#[test]
fn the_burst_is_exact() {
    model(|| {
        let limit = RateLimit::new(settings(2.0));
        let others = [asks(&limit), asks(&limit)];
        let mine = limit.ask(Cost::ONE, &STILL).is_ok();
        let others = others.map(|other| other.join().unwrap());
        assert_eq!(u8::from(mine) + u8::from(others[0]) + u8::from(others[1]), 2);
    });
}

/// Whoever waits has a time of its own, and no time is left out.
#[test]
fn each_has_its_own_time() {
    model(|| {
        let limit = RateLimit::new(settings(1.0));
        let others = [waits(&limit), waits(&limit)];
        let mine = limit.reserve(Cost::ONE, None, &STILL).expect("it may wait").wait;
        let others = others.map(|other| other.join().unwrap());
        let mut all = [mine, others[0], others[1]];
        all.sort_unstable();
        assert_eq!(all, [0, SECOND, 2 * SECOND]);
    });
}

/// Who gives up while others reserve takes nobody's time, and leaves no more behind than its own.
#[test]
fn giving_back_takes_from_nobody() {
    model(|| {
        let limit = RateLimit::new(settings(1.0));
        assert!(limit.ask(Cost::ONE, &STILL).is_ok());
        let other = waits(&limit);
        let mine = limit.reserve(Cost::ONE, None, &STILL).expect("it may wait");
        let given = limit.give_back(&mine);
        let other = other.join().unwrap();
        let next = limit.reserve(Cost::ONE, None, &STILL).expect("it may wait").wait;
        assert!(next > other, "two have the same time");
        let taken = if given { 2 } else { 3 };
        assert_eq!(limit.snapshot(MOMENT).available, -f64::from(taken) + 0.0);
    });
}

/// Who asks while settings change goes by the old or the new ones, never by a part of each.
#[test]
fn settings_change_as_a_whole() {
    model(|| {
        let limit = RateLimit::new(settings(1.0));
        let others = [asks(&limit), asks(&limit)];
        limit.reconfigure(settings(2.0), [], MOMENT);
        let others = others.map(|other| other.join().unwrap());
        let left = u8::from(limit.ask(Cost::ONE, &STILL).is_ok())
            + u8::from(limit.ask(Cost::ONE, &STILL).is_ok());
        assert_eq!(u8::from(others[0]) + u8::from(others[1]) + left, 2);
    });
}

/// A caller who has to wait, and its number in the line.
fn comes(line: &Line<u8>, limit: &RateLimit, name: u8) -> u64 {
    let placed = line.reserve(limit, Cost::ONE, None, &STILL, &mut Some(name));
    placed.expect("it may wait").expect("it has to").number
}

/// Of two who wait while a third gives up, each has its own time, and none of it is left over.
#[test]
fn those_behind_move_up_while_others_come() {
    model(|| {
        let limit = RateLimit::new(settings(1.0));
        let line = loom::sync::Arc::new(Line::default());
        assert!(limit.ask(Cost::ONE, &STILL).is_ok());
        let (leaver, stays) = (comes(&line, &limit, 1), comes(&line, &limit, 2));
        let other = thread::spawn({
            let (limit, line) = (limit.clone(), line.clone());
            move || comes(&line, &limit, 3)
        });
        let woken = line.leave(&limit, leaver, NOW, false);
        assert!(woken.contains(&2));
        let other = other.join().unwrap();
        let until = |number| line.look(&limit, number, NOW, 0).0;
        assert_eq!(until(stays), Looked::Until(NOW + SECOND));
        assert_eq!(until(other), Looked::Until(NOW + 2 * SECOND));
        assert_eq!(limit.snapshot(MOMENT).available, -2.0);
    });
}

/// One whose time comes while it is moved up is let in once, and who asks at once is not let in
/// before it.
#[test]
fn nobody_overtakes_who_waits() {
    model(|| {
        let limit = RateLimit::new(settings(1.0));
        let line = loom::sync::Arc::new(Line::default());
        assert!(limit.ask(Cost::ONE, &STILL).is_ok());
        let (leaver, stays) = (comes(&line, &limit, 1), comes(&line, &limit, 2));
        let asks = thread::spawn({
            let limit = limit.clone();
            move || limit.take(Cost::ONE, &STILL)
        });
        line.leave(&limit, leaver, NOW, false);
        assert!(!asks.join().unwrap());
        assert_eq!(line.look(&limit, stays, NOW + SECOND, 0).0, Looked::In);
        assert!(!limit.take(Cost::ONE, &STILL));
    });
}
