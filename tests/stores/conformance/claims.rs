//! Who is given a claim.

use super::{Bench, PATIENCE, Place, kept, new_owner};
use seawall::stores::idempotency::{Claim, Given, Reply, Verb};
use seawall::stores::record::{OnLost, StateName};

/// The first claim runs; who comes meanwhile is told how long the lease still is.
pub fn one_runs_and_the_others_hear_how_long(place: &dyn Place) {
    let bench = Bench::new(place);
    let first = bench.claim();
    assert!(matches!(first, Reply::Owned { attempt: 1, given: Given::New, .. }), "{first:?}");
    bench.pass(4);
    let unit = place.unit();
    for handle in [&bench.store, &place.open()] {
        let claim = Claim { owner: new_owner(), fingerprint: Some([7; 32]), terms: bench.terms };
        match handle.step(&bench.key, Verb::Claim(claim), PATIENCE).unwrap() {
            Reply::InProgress { retry_after } => {
                assert!((5 * unit..=6 * unit).contains(&retry_after), "{retry_after}");
            }
            other => panic!("{other:?}"),
        }
    }
}

/// A claim whose answer was lost after it was kept is given again, with the same fence.
pub fn the_same_owner_is_given_its_claim_again(place: &dyn Place) {
    let bench = Bench::new(place);
    let hold = bench.hold();
    bench.pass(4);
    let again = bench.claim_as(hold.owner);
    assert!(
        matches!(again, Reply::Owned { fence, attempt: 1, given: Given::Again, .. } if fence == hold.fence),
        "{again:?}"
    );
    bench.pass(9);
    assert!(matches!(bench.claim(), Reply::InProgress { .. }), "its time did not begin anew");
}

/// A key that is in use for something else is refused, before anything is told of it.
pub fn another_fingerprint_is_refused(place: &dyn Place) {
    let bench = Bench::new(place);
    let hold = bench.hold();
    for end in [None, Some(Verb::Complete(hold, kept("secret")))] {
        if let Some(end) = end {
            assert_eq!(bench.ask(end), Reply::Done);
        }
        for fingerprint in [None, Some([8; 32])] {
            let claim = Claim { owner: new_owner(), fingerprint, terms: bench.terms };
            assert_eq!(bench.ask(Verb::Claim(claim)), Reply::Mismatch);
        }
    }
}

/// Fences grow with each takeover; after the last one it is dead, which one caller is told first.
pub fn a_lost_lease_is_taken_over_until_attempts_are_used_up(place: &dyn Place) {
    let bench = Bench::new(place);
    let mut last = bench.hold().fence;
    for expected in [2, 3] {
        bench.pass(10);
        let Reply::Owned { fence, attempt, given, .. } = bench.claim() else { panic!("refused") };
        assert!(fence > last, "{fence} after {last}");
        assert_eq!((attempt, given), (expected, Given::TakenOver));
        last = fence;
    }
    bench.pass(10);
    assert_eq!(bench.claim(), Reply::Exhausted { attempts: 3, noticed: true });
    assert_eq!(bench.claim(), Reply::Exhausted { attempts: 3, noticed: false });
    bench.pass(1000);
    assert_eq!(bench.claim(), Reply::Exhausted { attempts: 3, noticed: false });
}

/// What may run once is not run again when its owner is lost, however long that is ago.
pub fn a_lost_lease_is_quarantined_where_that_is_wanted(place: &dyn Place) {
    let mut bench = Bench::new(place);
    bench.terms.on_lost = OnLost::Quarantine;
    bench.hold();
    bench.pass(1000);
    assert!(matches!(bench.claim(), Reply::OutcomeUnknown { noticed: true, .. }));
    assert!(matches!(bench.claim(), Reply::OutcomeUnknown { noticed: false, .. }));
    bench.pass(1000);
    assert!(matches!(bench.claim(), Reply::OutcomeUnknown { noticed: false, .. }));
    assert_eq!(bench.state(), Some(StateName::Quarantined));
}

/// A release leaves a tombstone, from which fences and attempts go on.
pub fn a_released_key_is_claimed_anew(place: &dyn Place) {
    let bench = Bench::new(place);
    let hold = bench.hold();
    assert_eq!(bench.ask(Verb::Release(hold)), Reply::Done);
    assert_eq!(bench.ask(Verb::Release(hold)), Reply::Done, "its first answer may be lost");
    assert_eq!(bench.state(), Some(StateName::Released));
    let Reply::Owned { fence, attempt, given, .. } = bench.claim() else { panic!("refused") };
    assert!(fence > hold.fence);
    assert_eq!((attempt, given), (2, Given::Released));
    assert_eq!(bench.ask(Verb::Release(hold)), Reply::LeaseLost);
}

/// A lease is renewed, never shortened, and not beyond its hard deadline.
pub fn a_heartbeat_ends_at_the_cap(place: &dyn Place) {
    let bench = Bench::new(place);
    let (hold, unit) = (bench.hold(), place.unit());
    for _ in 0..3 {
        bench.pass(8);
        let reply = bench.ask(Verb::Extend(hold, 10 * unit));
        assert!(matches!(reply, Reply::Extended { .. }), "{reply:?}");
        assert!(matches!(bench.claim(), Reply::InProgress { .. }));
    }
    let Reply::Extended { lease_until } = bench.ask(Verb::Extend(hold, 10 * unit)) else {
        panic!("refused before its hard deadline")
    };
    assert_eq!(bench.ask(Verb::Extend(hold, unit)), Reply::Extended { lease_until });
    bench.pass(6);
    assert_eq!(bench.ask(Verb::Extend(hold, 10 * unit)), Reply::AtCap);
    assert!(matches!(bench.claim(), Reply::Owned { given: Given::TakenOver, .. }));
    assert_eq!(bench.ask(Verb::Extend(hold, 10 * unit)), Reply::LeaseLost);
}

/// Whoever sets a machine's date ends no lease, and brings back none.
pub fn steps_of_the_date_move_nothing(place: &dyn Place) {
    let bench = Bench::new(place);
    let hold = bench.hold();
    for date in [0, 4_000_000_000_000_000] {
        place.set_date(date);
        for handle in [&bench.store, &place.open()] {
            let claim =
                Claim { owner: new_owner(), fingerprint: Some([7; 32]), terms: bench.terms };
            let reply = handle.step(&bench.key, Verb::Claim(claim), PATIENCE).unwrap();
            assert!(matches!(reply, Reply::InProgress { .. }), "{reply:?}");
        }
    }
    assert_eq!(bench.ask(Verb::Complete(hold, kept("good"))), Reply::Done);
    place.set_date(0);
    assert!(matches!(bench.claim(), Reply::Replay(_)));
    bench.pass(100);
    let Reply::Owned { fence, .. } = bench.claim() else { panic!("it does not expire") };
    assert!(fence > hold.fence);
}
