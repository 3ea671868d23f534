//! How operations end, and who is heard.

use super::{Bench, Place, kept};
use seawall::stores::idempotency::{Hold, Reply, Verb};
use seawall::stores::record::{DEFAULT_RESULT, OnLost, Payload, StateName};

/// An end is replayed to all who come, byte for byte; the first that was said stays.
pub fn an_end_is_replayed_as_it_was_kept(place: &dyn Place) {
    for failed in [false, true] {
        let mut bench = Bench::new(place);
        bench.key = super::address(if failed { b"bad" } else { b"good" });
        let hold = bench.hold();
        let end = |text| {
            if failed { Verb::Fail(hold, kept(text)) } else { Verb::Complete(hold, kept(text)) }
        };
        assert_eq!(bench.ask(end("first")), Reply::Done);
        assert_eq!(bench.ask(end("second")), Reply::Done);
        for _ in 0..2 {
            let Reply::Replay(ended) = bench.claim() else { panic!("not replayed") };
            assert_eq!((ended.failed, ended.fence), (failed, hold.fence));
            assert_eq!(ended.payload, kept("first"));
        }
        let Reply::EndedMeanwhile(ended) = bench.ask(Verb::Release(hold)) else {
            panic!("an end was released")
        };
        assert_eq!(ended.payload, kept("first"));
        bench.pass(99);
        assert!(matches!(bench.claim(), Reply::Replay(_)));
    }
}

/// Every byte of every size comes back, and what could not be kept stays a fact.
pub fn the_largest_and_the_smallest_result_are_kept(place: &dyn Place) {
    let mut bench = Bench::new(place);
    let all: Vec<u8> = (0..=255).cycle().take(DEFAULT_RESULT).collect();
    let payloads = [
        Payload::within(DEFAULT_RESULT, 255, all.clone()),
        Payload::within(DEFAULT_RESULT, 0, Vec::new()),
        Payload::within(all.len() - 1, 1, all),
    ];
    assert_eq!(payloads[2], Payload::Opaque);
    for (at, payload) in payloads.into_iter().enumerate() {
        bench.key = super::address(&[u8::try_from(at).unwrap()]);
        let hold = bench.hold();
        assert_eq!(bench.ask(Verb::Complete(hold, payload.clone())), Reply::Done);
        let Reply::Replay(ended) = bench.claim() else { panic!("not replayed") };
        assert_eq!(ended.payload, payload);
    }
}

fn verbs(hold: Hold, lease: u64) -> [Verb; 5] {
    [
        Verb::Extend(hold, lease),
        Verb::Complete(hold, kept("late")),
        Verb::Fail(hold, kept("late")),
        Verb::Release(hold),
        Verb::Quarantine(hold),
    ]
}

/// Owner and fence must both be right: whoever lost the claim changes nothing, and is told how it
/// ended if it has.
pub fn a_stale_owner_changes_nothing(place: &dyn Place) {
    let bench = Bench::new(place);
    let old = bench.hold();
    bench.pass(10);
    let new = bench.hold();
    for hold in [old, Hold { fence: new.fence, ..old }, Hold { fence: old.fence, ..new }] {
        for verb in verbs(hold, bench.terms.lease) {
            assert_eq!(bench.ask(verb.clone()), Reply::LeaseLost, "{verb:?}");
        }
    }
    assert_eq!(bench.ask(Verb::Complete(new, kept("good"))), Reply::Done);
    for verb in verbs(old, bench.terms.lease) {
        let Reply::EndedMeanwhile(ended) = bench.ask(verb) else { panic!("not told the result") };
        assert_eq!((ended.payload, ended.fence), (kept("good"), new.fence));
    }
}

/// An owner that was given up and went on knows how it ended: that is kept, and replayed.
pub fn a_known_result_is_never_stranded(place: &dyn Place) {
    for (attempts, on_lost, state) in
        [(3, OnLost::Quarantine, StateName::Quarantined), (1, OnLost::Takeover, StateName::Dead)]
    {
        let mut bench = Bench::new(place);
        bench.key = super::address(state.as_str().as_bytes());
        (bench.terms.attempts, bench.terms.on_lost) = (attempts, on_lost);
        let hold = bench.hold();
        bench.pass(10);
        bench.claim();
        assert_eq!(bench.state(), Some(state));
        assert_eq!(bench.ask(Verb::Release(hold)), Reply::LeaseLost);
        assert_eq!(bench.ask(Verb::Complete(hold, kept("known"))), Reply::Done);
        let Reply::Replay(ended) = bench.claim() else { panic!("not replayed") };
        assert_eq!(ended.payload, kept("known"));
    }
}

/// What nobody knows is decided by an operator, and only that.
pub fn an_operator_decides_what_nobody_knows(place: &dyn Place) {
    let mut bench = Bench::new(place);
    bench.terms.on_lost = OnLost::Quarantine;
    assert_eq!(bench.ask(Verb::Reopen), Reply::Undecidable(None));
    let first = bench.hold();
    assert_eq!(bench.ask(Verb::Reopen), Reply::Undecidable(Some(StateName::InProgress)));
    assert_eq!(bench.ask(Verb::Quarantine(first)), Reply::Done);
    assert_eq!(bench.ask(Verb::Reopen), Reply::Done);
    assert_eq!(bench.ask(Verb::Complete(first, kept("late"))), Reply::LeaseLost);
    let second = bench.hold();
    assert!(second.fence > first.fence);
    bench.pass(10);
    assert_eq!(bench.ask(Verb::Resolve(kept("by hand"))), Reply::Done);
    let Reply::Replay(ended) = bench.claim() else { panic!("not replayed") };
    assert_eq!(ended.payload, kept("by hand"));
    assert!(matches!(bench.ask(Verb::Complete(second, kept("late"))), Reply::EndedMeanwhile(_)));
    assert_eq!(bench.ask(Verb::Reopen), Reply::Undecidable(Some(StateName::Completed)));
}
