//! The store in memory.
#![allow(clippy::unwrap_used, reason = "a test that can't go on panics")]

mod conformance;
mod place;

use conformance::{PATIENCE, Place, address, everything, kept, new_owner, terms};
use place::Virtual;
use seawall::stores::idempotency::{Claim, Hold, Reply, Verb};
use seawall::stores::record::{Owner, Payload};
use seawall::stores::{Store, StoreError};
use std::sync::Arc;

/// One store: it is one process's, so there is no other way in.
struct Memory {
    time: Virtual,
    store: Arc<Store>,
}

impl Memory {
    fn new(url: &str) -> Self {
        let time = Virtual::new();
        let store = Arc::new(seawall::stores::registry::open(url, &time.machine()).unwrap());
        Self { time, store }
    }
}

impl Place for Memory {
    fn open(&self) -> Arc<Store> {
        Arc::clone(&self.store)
    }
    fn unit(&self) -> u64 {
        seawall::stores::SECOND
    }
    fn pass(&self, time: u64) {
        self.time.pass(time);
    }
    fn set_date(&self, date: u64) {
        self.time.set_date(date);
    }
}

conforms!(Memory::new("memory://"));

fn claim(place: &Memory, number: u32) -> Result<Hold, StoreError> {
    let owner: Owner = new_owner();
    let claim = Claim { owner, fingerprint: None, terms: terms(place) };
    match place.store.step(&address(&number.to_be_bytes()), Verb::Claim(claim), PATIENCE)? {
        Reply::Owned { fence, .. } => Ok(Hold { owner, fence }),
        other => panic!("{other:?}"),
    }
}

/// A full store takes no new key, forgets none, and keeps that a running one completed even where
/// its result finds no room. What expires makes room.
#[test]
fn a_full_store_forgets_nothing() {
    let place = Memory::new("memory://?max_size=65536");
    let first = claim(&place, 0).unwrap();
    let mut taken = 1;
    let refused = loop {
        match claim(&place, taken) {
            Ok(_) => taken += 1,
            Err(refused) => break refused,
        }
    };
    assert!(matches!(&refused, StoreError::Full(said) if said.contains("65536")), "{refused}");
    assert!((150..250).contains(&taken), "{taken} records in 64 KiB");
    let end = Verb::Complete(first, kept(&"x".repeat(1000)));
    let key = address(&0_u32.to_be_bytes());
    assert_eq!(place.store.step(&key, end, PATIENCE), Ok(Reply::Done));
    let again = Claim { owner: new_owner(), fingerprint: None, terms: terms(&place) };
    let Ok(Reply::Replay(ended)) = place.store.step(&key, Verb::Claim(again), PATIENCE) else {
        panic!("it completed, and could run again")
    };
    assert_eq!(ended.payload, Payload::Opaque);
    let tally = place.store.tally(&everything(), PATIENCE).unwrap();
    assert_eq!(tally.by_state.iter().sum::<u64>(), u64::from(taken));
    place.pass(100 * place.unit());
    assert!(claim(&place, taken).is_ok(), "what has expired makes no room");
    assert_eq!(place.store.tally(&everything(), PATIENCE).unwrap().expired, 0);
}
