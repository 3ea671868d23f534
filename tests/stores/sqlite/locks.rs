//! Other processes' locks, and forks.

use crate::conformance::{PATIENCE, address, new_owner, terms};
use crate::{File, claim};
use rusqlite::Connection;
use seawall::stores::idempotency::{Claim, Reply, Verb};
use seawall::stores::{Answer, Op, StoreError};
use std::time::Duration;

/// While another process writes, one waits, within its own patience and the store's, and says how
/// long it was; reading is not in anybody's way.
#[test]
fn a_lock_that_is_held_is_waited_for() {
    for options in ["durability=full", "durability=relaxed"] {
        let place = File::new(options);
        let store = place.store("busy_timeout=0.05");
        claim(&place, &store, b"old").unwrap();
        let other = Connection::open(place.folder.file("store.db")).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let refused = claim(&place, &store, b"key").unwrap_err();
        assert!(matches!(refused, StoreError::Busy(50)), "{refused:?}");
        assert!(store.get(&address(b"old"), PATIENCE).unwrap().is_some());

        let patient = place.store("busy_timeout=60");
        std::thread::scope(|scope| {
            let asked = scope.spawn(|| claim(&place, &patient, b"key"));
            std::thread::yield_now();
            other.execute_batch("COMMIT").unwrap();
            assert!(asked.join().unwrap().is_ok());
        });
    }
}

/// Of many who open a new file at the same moment, all find the same store.
#[test]
fn a_new_file_is_opened_by_many_at_once() {
    for _ in 0..60 {
        let place = File::new("durability=relaxed");
        let start = std::sync::Barrier::new(4);
        let given: usize = std::thread::scope(|scope| {
            let callers: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        let store = place.store("busy_timeout=60");
                        let claim =
                            Claim { owner: new_owner(), fingerprint: None, terms: terms(&place) };
                        start.wait();
                        let reply = store.step(&address(b"key"), Verb::Claim(claim), PATIENCE);
                        usize::from(matches!(reply.unwrap(), Reply::Owned { .. }))
                    })
                })
                .collect();
            callers.into_iter().map(|caller| caller.join().unwrap()).sum()
        });
        assert_eq!(given, 1);
    }
}

/// Whoever has waited long enough hears so; the claim that is given later is not left behind.
#[test]
fn a_claim_that_comes_too_late_is_given_back() {
    let place = File::new("durability=full");
    let store = place.store("busy_timeout=60");
    claim(&place, &store, b"old").unwrap();
    let other = Connection::open(place.folder.file("store.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let asked = Claim { owner: new_owner(), fingerprint: None, terms: terms(&place) };
    let op = Op::Step(address(b"key"), Verb::Claim(asked));
    assert_eq!(store.call(op, Duration::from_millis(1)), Err(StoreError::TimedOut));
    other.execute_batch("COMMIT").unwrap();
    // Done after the claim, and after its release: each waits for its turn.
    let mut looks = 0;
    loop {
        let next = Claim { owner: new_owner(), fingerprint: None, terms: terms(&place) };
        match store.step(&address(b"key"), Verb::Claim(next), PATIENCE).unwrap() {
            Reply::Owned { attempt, .. } => {
                assert_eq!(attempt, 2, "it was not given before");
                break;
            }
            Reply::InProgress { .. } => looks += 1,
            other => panic!("{other:?}"),
        }
        assert!(looks < 100_000, "it was left behind");
    }
}

/// What waits is done in one transaction; where one of it finds no room, the others are done all the
/// same.
#[test]
fn one_that_finds_no_room_is_in_nobodys_way() {
    let place = File::new("durability=full");
    let store = place.store("max_size=131072&busy_timeout=60");
    let old = claim(&place, &store, b"\0").unwrap();
    let mut taken: u32 = 1;
    while claim(&place, &store, &taken.to_be_bytes()).is_ok() {
        taken += 1;
    }
    let other = Connection::open(place.folder.file("store.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let ask = |key: u32| {
        let asked = Claim { owner: new_owner(), fingerprint: None, terms: terms(&place) };
        store.submit(Op::Step(address(&key.to_be_bytes()), Verb::Claim(asked)))
    };
    let mut without_room: Vec<_> = (taken..taken + 8).map(ask).collect();
    let release = store.submit(Op::Step(address(b"\0"), Verb::Release(old)));
    without_room.extend((taken + 8..taken + 16).map(ask));
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(release.wait(PATIENCE), Ok(Answer::Reply(Reply::Done)));
    for pending in without_room {
        let refused = pending.wait(PATIENCE).unwrap_err();
        assert!(matches!(refused, StoreError::Full(_)), "{refused:?}");
    }
}

/// More than may wait are refused, and none of those that wait is lost.
#[test]
fn there_is_an_end_to_the_queue() {
    let place = File::new("durability=full");
    let store = place.store("busy_timeout=60");
    claim(&place, &store, b"old").unwrap();
    let other = Connection::open(place.folder.file("store.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let release = || {
        let asked = Claim { owner: new_owner(), fingerprint: None, terms: terms(&place) };
        Op::Step(address(b"key"), Verb::Claim(asked))
    };
    let mut waiting: Vec<_> = (0..10_600).map(|_| store.submit(release())).collect();
    other.execute_batch("COMMIT").unwrap();
    let (mut answered, mut refused) = (0, 0);
    for pending in waiting.drain(..) {
        match pending.wait(PATIENCE) {
            Ok(_) => answered += 1,
            Err(StoreError::Overloaded(10_000)) => refused += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    // One transaction's worth may have left the queue before the others came.
    assert!((10_000..=10_256).contains(&answered), "{answered} answered, {refused} refused");
}
