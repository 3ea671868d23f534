//! What is kept, for how long, and how it is found.

use super::{Bench, PATIENCE, Place, address, everything, kept};
use seawall::stores::backend::{Answer, Op, Walk};
use seawall::stores::idempotency::{Given, Reply, Verb};
use seawall::stores::record::{OnLost, StateName};
use seawall::stores::{Address, Prefix, StoreError};

/// After its time an end is forgotten, swept up or not; fences are not.
pub fn what_has_expired_is_as_though_it_had_never_been(place: &dyn Place) {
    let bench = Bench::new(place);
    let hold = bench.hold();
    assert_eq!(bench.ask(Verb::Complete(hold, kept("old"))), Reply::Done);
    bench.pass(100);
    assert_eq!(bench.state(), None);
    let Reply::Owned { fence, attempt, given, .. } = bench.claim() else { panic!("refused") };
    assert!(fence > hold.fence);
    assert_eq!((attempt, given), (1, Given::New));
    assert_eq!(bench.ask(Verb::Release(hold)), Reply::LeaseLost);
}

/// A sweep takes what has expired; what runs, is remembered or waits for an operator stays. After
/// it, fences still grow.
pub fn a_sweep_removes_what_has_expired_and_nothing_else(place: &dyn Place) {
    let mut bench = Bench::new(place);
    let mut old = Vec::new();
    for key in 0..5 {
        bench.key = address(&[b'a', key]);
        let hold = bench.hold();
        let end = if key < 3 { Verb::Complete(hold, kept("old")) } else { Verb::Release(hold) };
        assert_eq!(bench.ask(end), Reply::Done);
        old.push(hold.fence);
    }
    bench.terms.on_lost = OnLost::Quarantine;
    bench.key = address(b"lost");
    bench.hold();
    bench.key = address(b"unknown");
    let unknown = bench.hold();
    assert_eq!(bench.ask(Verb::Quarantine(unknown)), Reply::Done);
    bench.pass(100);
    bench.key = address(b"new");
    let new = bench.hold();
    assert_eq!(bench.ask(Verb::Complete(new, kept("new"))), Reply::Done);

    let tally = bench.store.tally(&everything(), PATIENCE).unwrap();
    assert_eq!((tally.expired, tally.by_state.iter().sum::<u64>()), (5, 3));
    assert_eq!(bench.store.sweep(&everything(), PATIENCE).unwrap(), 5);
    assert_eq!(bench.store.sweep(&everything(), PATIENCE).unwrap(), 0);
    let tally = bench.store.tally(&everything(), PATIENCE).unwrap();
    assert_eq!((tally.expired, tally.by_state.iter().sum::<u64>()), (0, 3));
    for (key, state) in [
        (&b"lost"[..], StateName::InProgress),
        (b"unknown", StateName::Quarantined),
        (b"new", StateName::Completed),
    ] {
        bench.key = address(key);
        assert_eq!(bench.state(), Some(state));
        assert_eq!(tally.of(state), 1);
    }
    bench.key = address(b"a\0");
    assert!(bench.hold().fence > old[0]);
}

/// Neither length nor any character makes two keys one, or two scopes.
pub fn keys_are_told_apart(place: &dyn Place) {
    let mut bench = Bench::new(place);
    let long = [0xff; 1024];
    let mut almost = long;
    almost[1023] = 0;
    let addresses = [
        ("", "", &b"k"[..]),
        ("a", "", b"k"),
        ("", "a", b"k"),
        ("a\0b", "\n", b"\0\x01\x02"),
        ("a", "b\n", b"\0\x01\x02"),
        ("é'\"; DROP TABLE record", "{}:*?", b"%s\\"),
        ("a", "b", &long),
        ("a", "b", &almost),
        ("a", "b", &long[..1023]),
    ];
    let mut seen = Vec::new();
    for (at, (namespace, scope, key)) in addresses.into_iter().enumerate() {
        bench.key = Address::new(namespace, scope, key).unwrap();
        let hold = bench.hold();
        let text = at.to_string();
        assert_eq!(bench.ask(Verb::Complete(hold, kept(&text))), Reply::Done);
        seen.push((bench.key.clone(), text));
    }
    for (key, text) in seen {
        bench.key = key;
        let Reply::Replay(ended) = bench.claim() else { panic!("{:?} is not kept", bench.key) };
        assert_eq!(ended.payload, kept(&text));
    }
}

/// A list comes a stretch at a time, of one scope and one state if wanted, each record once.
pub fn records_are_listed_a_stretch_at_a_time(place: &dyn Place) {
    let mut bench = Bench::new(place);
    for (scope, count) in [("one", 7), ("one more", 3), ("two", 5)] {
        for key in 0..count {
            bench.key = Address::new("app", scope, &[key]).unwrap();
            let hold = bench.hold();
            if key % 2 == 0 {
                assert_eq!(bench.ask(Verb::Release(hold)), Reply::Done);
            }
        }
    }
    let list = |scope: Option<&str>, state, most| {
        let within = Prefix::new("app", scope).unwrap();
        let (mut all, mut stretches, mut after) = (Vec::new(), 0, None);
        loop {
            let walk = Walk { within: within.clone(), after, most };
            let op = Op::List(walk, state);
            let Ok(Answer::List(found, next)) = bench.store.call(op, PATIENCE) else {
                panic!("no list")
            };
            assert!(found.len() <= most);
            all.extend(found.into_iter().map(|(address, _)| address));
            stretches += 1;
            after = next;
            if after.is_none() {
                return (all, stretches);
            }
        }
    };
    for most in [1, 2, 7, 100] {
        let (found, stretches) = list(Some("one"), None, most);
        assert_eq!((found.len(), stretches), (7, 7_usize.div_ceil(most)));
        assert!(found.is_sorted() && found.iter().all(|address| address.scope() == "one"));
        assert_eq!(list(None, None, most).0.len(), 15);
        assert_eq!(list(None, Some(StateName::Released), most).0.len(), 4 + 2 + 3);
        assert_eq!(list(Some("none"), None, most).0.len(), 0);
    }
    let other = Prefix::new("other", None).unwrap();
    assert_eq!(bench.store.tally(&other, PATIENCE).unwrap().by_state, [0; 6]);
}

/// A store that was closed answers so, and another handle on it goes on.
pub fn a_closed_store_says_so(place: &dyn Place) {
    let (closed, open) = (Bench::new(place), place.open());
    let is_other = !std::sync::Arc::ptr_eq(&closed.store, &open);
    closed.store.close();
    assert_eq!(closed.store.get(&closed.key, PATIENCE), Err(StoreError::Closed));
    if is_other {
        assert_eq!(open.get(&closed.key, PATIENCE), Ok(None));
    }
}
