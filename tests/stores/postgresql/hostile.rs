//! Rows that no version of ours wrote so, and a server that is something else.

use crate::conformance::{PATIENCE, Place, address, everything, kept};
use crate::{Schema, claim, try_claim};
use seawall::stores::backend::{Answer, Op, Walk};
use seawall::stores::idempotency::{Reply, Verb};
use seawall::stores::record::Unreadable;
use seawall::stores::{Store, StoreError};

#[track_caller]
fn why(answer: Result<Reply, StoreError>) -> Unreadable {
    match answer {
        Err(StoreError::Damaged { why, address }) => {
            assert!(address.contains("key"), "{address}");
            why
        }
        other => panic!("{other:?}"),
    }
}

fn list(store: &Store) -> Result<Answer, StoreError> {
    let walk = Walk { within: everything(), after: None, most: 10 };
    store.call(Op::List(walk, None), PATIENCE)
}

/// Whatever byte of a record is changed, nobody acts on it: not the next caller, not its owner, not
/// a sweep. The others are as they were.
#[test]
fn a_damaged_record_is_told_and_left_alone() {
    for damage in [
        "attempts = 0",
        "fence = fence + 1",
        "lease_until = 0",
        "expires = 1",
        "fingerprint = 'x'",
        "result = 'x', codec = 1",
        "checksum = 'x'",
        "id = id || 'x'",
    ] {
        let place = Schema::new();
        let store = place.open();
        let hold = claim(&place, &store, b"key").unwrap();
        place.admin.lock().unwrap().run(&format!("UPDATE {} SET {damage}", place.table()));
        let key: &[u8] = if damage.starts_with("id") { b"keyx" } else { b"key" };
        let told = |answer| assert_eq!(why(answer), Unreadable::Checksum, "{damage}");
        told(try_claim(&place, &store, key));
        told(store.step(&address(key), Verb::Complete(hold, kept("x")), PATIENCE));
        told(store.step(&address(key), Verb::Reopen, PATIENCE));
        told(store.get(&address(key), PATIENCE).map(|_| Reply::Done));
        if damage == "expires = 1" {
            assert_eq!(store.sweep(&everything(), PATIENCE), Ok(0));
        } else {
            told(list(&store).map(|_| Reply::Done));
        }
        claim(&place, &store, b"other").unwrap();
    }
}

/// Also where the checksum is right: who writes it can write what no record can be.
#[test]
fn a_malformed_record_is_told() {
    for (new, said) in [
        (vec![("state", "9::int2")], "no such state"),
        (vec![("owner", "'short'::bytea")], "no owner"),
        (vec![("owner", "decode(repeat('00', 16), 'hex')")], "no owner"),
        (vec![("fingerprint", "''::bytea")], "no fingerprint"),
        (vec![("fence", "-1::int8")], "negative"),
        (vec![("fence", "9007199254740991")], "no higher fence"),
        (vec![("attempts", "-1::int8")], "attempts"),
        (vec![("lease_until", "NULL::int8")], "a lease where there is none"),
        (vec![("state", "1::int2")], "a lease where there is none"),
        (vec![("codec", "1::int2"), ("result", "''::bytea")], "a result where there is none"),
        (vec![("layout", "0::int2")], "no such version"),
    ] {
        let place = Schema::new();
        let store = place.open();
        claim(&place, &store, b"key").unwrap();
        place.change(&new);
        match why(try_claim(&place, &store, b"key")) {
            Unreadable::Malformed(what) => assert!(what.contains(said), "{new:?}: {what}"),
            other => panic!("{new:?}: {other:?}"),
        }
    }
}

/// A record that a newer version wrote is not touched, whatever its checksum is made of.
#[test]
fn a_newer_record_is_left_alone() {
    let place = Schema::new();
    let store = place.open();
    claim(&place, &store, b"key").unwrap();
    place.admin.lock().unwrap().run(&format!("UPDATE {} SET layout = 2", place.table()));
    assert_eq!(why(try_claim(&place, &store, b"key")), Unreadable::Newer(2));
}

/// Tables that a newer version made are not touched.
#[test]
fn newer_tables_are_left_alone() {
    let place = Schema::new();
    place.admin.lock().unwrap().run(&format!("UPDATE {} SET version = 2", place.layout()));
    let answer = try_claim(&place, &place.open(), b"key");
    assert_eq!(answer, Err(StoreError::Newer { found: 2, known: 1 }));
}

/// Tables that somebody changed are no store's, and what was open finds out as well.
#[test]
fn changed_tables_are_told() {
    let place = Schema::new();
    let store = place.open();
    claim(&place, &store, b"key").unwrap();
    let table = place.table();
    place.admin.lock().unwrap().run(&format!("ALTER TABLE {table} RENAME ttl TO life"));
    for store in [store, place.open()] {
        match try_claim(&place, &store, b"key") {
            Err(StoreError::Foreign(said)) => assert!(said.contains("ttl"), "{said}"),
            other => panic!("{other:?}"),
        }
    }
}

/// An id that no address was joined to does not become one.
#[test]
fn an_id_that_is_no_address_is_told() {
    let place = Schema::new();
    let store = place.open();
    claim(&place, &store, b"key").unwrap();
    place.admin.lock().unwrap().run(&format!("UPDATE {} SET id = 'x'", place.table()));
    match store.tally(&everything(), PATIENCE) {
        Err(StoreError::Corrupt(said)) => assert!(said.contains("no address"), "{said}"),
        other => panic!("{other:?}"),
    }
}
