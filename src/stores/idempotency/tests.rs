use super::*;
use crate::stores::record::{OnLost, Owner, Payload, State, StateName};
use crate::stores::{LATEST, SECOND};
use std::num::NonZeroU128;

const START: Micros = 1_000_000 * SECOND;

fn owner(number: u128) -> Owner {
    Owner(NonZeroU128::new(number).unwrap())
}

fn quarantining() -> Terms {
    Terms { on_lost: OnLost::Quarantine, ..Terms::default() }
}

fn kept(text: &str) -> Payload {
    Payload::within(100, 1, text.as_bytes())
}

/// One address, at a time of the test's own.
struct Shelf {
    record: Option<Record>,
    now: Micros,
    terms: Terms,
}

impl Shelf {
    fn new(terms: Terms) -> Self {
        Self { record: None, now: START, terms }
    }

    fn ask(&mut self, verb: &Verb) -> Reply {
        let step = step(self.record.as_ref(), verb, self.now);
        if step.put.is_some() {
            self.record = step.put;
        }
        step.reply
    }

    fn claim(&mut self, by: u128) -> Reply {
        let terms = self.terms;
        self.ask(&Verb::Claim(Claim { owner: owner(by), fingerprint: Some([1; 32]), terms }))
    }

    /// A claim that is given.
    fn hold(&mut self, by: u128) -> Hold {
        match self.claim(by) {
            Reply::Owned { fence, .. } => Hold { owner: owner(by), fence },
            other => panic!("{other:?}"),
        }
    }

    fn lose(&mut self) {
        self.now += self.terms.lease;
    }

    fn state(&self) -> Option<StateName> {
        live(self.record.as_ref(), self.now).map(|record| record.state.name())
    }
}

/// The first claim runs; who comes meanwhile is told how long the lease still is.
#[test]
fn one_runs_and_the_others_hear_how_long() {
    let mut shelf = Shelf::new(Terms::default());
    let fresh = Reply::Owned {
        fence: START,
        attempt: 1,
        lease_until: START + 30 * SECOND,
        given: Given::New,
    };
    assert_eq!(shelf.claim(1), fresh);
    shelf.now += 10 * SECOND;
    assert_eq!(shelf.claim(2), Reply::InProgress { retry_after: 20 * SECOND });
}

/// A claim whose answer was lost is given again, with its fence and all of its time.
#[test]
fn the_same_owner_is_given_its_claim_again() {
    for terms in [Terms::default(), quarantining()] {
        for wait in [10 * SECOND, 1000 * SECOND] {
            let mut shelf = Shelf::new(terms);
            let hold = shelf.hold(1);
            shelf.now += wait;
            let again = Reply::Owned {
                fence: hold.fence,
                attempt: 1,
                lease_until: shelf.now + 30 * SECOND,
                given: Given::Again,
            };
            assert_eq!(shelf.claim(1), again);
            shelf.now += 899 * SECOND;
            let by = 30 * SECOND;
            assert_eq!(
                shelf.ask(&Verb::Extend(hold, by)),
                Reply::Extended { lease_until: shelf.now + SECOND }
            );
        }
    }
}

/// Whoever claims a key for something else hears only that, whatever the state.
#[test]
fn another_fingerprint_is_refused_in_every_state() {
    let moves: [fn(Hold) -> Verb; 5] = [
        |hold| Verb::Extend(hold, SECOND),
        |hold| Verb::Complete(hold, kept("1")),
        |hold| Verb::Fail(hold, kept("1")),
        Verb::Release,
        Verb::Quarantine,
    ];
    for verb in moves {
        let mut shelf = Shelf::new(Terms::default());
        let hold = shelf.hold(1);
        shelf.ask(&verb(hold));
        let before = shelf.record.clone();
        let terms = shelf.terms;
        for fingerprint in [None, Some([2; 32])] {
            let claim = Claim { owner: owner(2), fingerprint, terms };
            assert_eq!(shelf.ask(&Verb::Claim(claim)), Reply::Mismatch);
        }
        assert_eq!(shelf.record, before);
    }
}

/// A lost lease is taken over with a higher fence, as often as the terms say; then it is dead, and
/// only the one who finds it so writes the dead letter.
#[test]
fn a_lost_lease_is_taken_over_until_attempts_are_used_up() {
    let mut shelf = Shelf::new(Terms::default());
    let mut fence = shelf.hold(1).fence;
    for attempt in [2, 3] {
        shelf.lose();
        let Reply::Owned { fence: next, attempt: now, given, .. } = shelf.claim(attempt) else {
            panic!("attempt {attempt} was refused")
        };
        assert!(next > fence);
        assert_eq!((u128::from(now), given), (attempt, Given::TakenOver));
        fence = next;
    }
    shelf.lose();
    assert_eq!(shelf.claim(4), Reply::Exhausted { attempts: 3, noticed: true });
    shelf.now += 100_000 * SECOND;
    assert_eq!(shelf.claim(5), Reply::Exhausted { attempts: 3, noticed: false });
    assert_eq!(shelf.state(), Some(StateName::Dead), "a dead one waits for as long as it takes");
}

/// Where either the owner or the next caller wants at most one run, a lost lease is for an
/// operator.
#[test]
fn a_lost_lease_is_quarantined_where_either_wants_it() {
    for (first, second) in [(quarantining(), Terms::default()), (Terms::default(), quarantining())]
    {
        let mut shelf = Shelf::new(first);
        shelf.hold(1);
        shelf.lose();
        shelf.terms = second;
        let since = shelf.now;
        assert_eq!(shelf.claim(2), Reply::OutcomeUnknown { since, noticed: true });
        shelf.now += 10_000_000 * SECOND;
        assert_eq!(shelf.claim(3), Reply::OutcomeUnknown { since, noticed: false });
    }
}

/// An operation that may run once is not forgotten while nobody knows how it ended.
#[test]
fn what_may_run_once_outlives_its_ttl() {
    let mut shelf = Shelf::new(quarantining());
    shelf.hold(1);
    shelf.now += 10 * shelf.terms.ttl;
    assert!(matches!(shelf.claim(2), Reply::OutcomeUnknown { noticed: true, .. }));
}

/// A release is a tombstone: the next claim counts on from it, in fences and attempts.
#[test]
fn a_released_key_is_claimed_anew() {
    let mut shelf = Shelf::new(Terms::default());
    let hold = shelf.hold(1);
    assert_eq!(shelf.ask(&Verb::Release(hold)), Reply::Done);
    assert_eq!(shelf.ask(&Verb::Release(hold)), Reply::Done, "its first answer may be lost");
    let Reply::Owned { fence, attempt, given, .. } = shelf.claim(2) else { panic!("refused") };
    assert_eq!((fence, attempt, given), (hold.fence + 1, 2, Given::Released));
    assert_eq!(shelf.ask(&Verb::Release(hold)), Reply::LeaseLost, "not what somebody else holds");
    assert_eq!(shelf.state(), Some(StateName::InProgress));
}

/// A completed operation is replayed to all who claim it, until it expires; so is a failed one.
#[test]
fn an_end_is_replayed_until_it_expires() {
    for failed in [false, true] {
        let mut shelf = Shelf::new(Terms::default());
        let hold = shelf.hold(1);
        let end = |text| {
            if failed { Verb::Fail(hold, kept(text)) } else { Verb::Complete(hold, kept(text)) }
        };
        shelf.now += 5;
        let at = shelf.now;
        assert_eq!(shelf.ask(&end("first")), Reply::Done);
        assert_eq!(shelf.ask(&end("second")), Reply::Done, "a repetition changes nothing");
        let ended = Ended { failed, payload: kept("first"), fence: hold.fence, at };
        assert_eq!(shelf.claim(2), Reply::Replay(ended.clone()));
        assert_eq!(shelf.claim(1), Reply::Replay(ended.clone()));
        let other = if failed { Verb::Complete(hold, kept("3")) } else { Verb::Release(hold) };
        assert_eq!(shelf.ask(&other), Reply::EndedMeanwhile(ended));
        shelf.now = at + shelf.terms.ttl - 1;
        assert!(matches!(shelf.claim(3), Reply::Replay(_)));
        shelf.now += 1;
        assert!(matches!(shelf.claim(4), Reply::Owned { attempt: 1, given: Given::New, .. }));
    }
}

/// Fences go on from an expired record, and from the time where even that is gone.
#[test]
fn fences_outlive_records() {
    let mut shelf = Shelf::new(Terms::default());
    let hold = shelf.hold(1);
    shelf.ask(&Verb::Complete(hold, Payload::Opaque));
    let ahead = LATEST / 2;
    if let Some(record) = &mut shelf.record {
        record.fence = ahead;
    }
    shelf.now += shelf.terms.ttl;
    assert_eq!(shelf.hold(2).fence, ahead + 1);
    shelf.record = None;
    assert_eq!(shelf.hold(3).fence, shelf.now);
}

/// Owner and fence must both be right; whoever has only one of them changes nothing.
#[test]
fn a_stale_owner_changes_nothing() {
    let mut shelf = Shelf::new(Terms::default());
    let old = shelf.hold(1);
    shelf.lose();
    let new = shelf.hold(2);
    let before = shelf.record.clone();
    for hold in [old, Hold { fence: new.fence, ..old }, Hold { fence: old.fence, ..new }] {
        for verb in [
            Verb::Extend(hold, SECOND),
            Verb::Complete(hold, kept("late")),
            Verb::Fail(hold, kept("late")),
            Verb::Release(hold),
            Verb::Quarantine(hold),
        ] {
            let reply = shelf.ask(&verb);
            assert_eq!(reply, Reply::LeaseLost, "{verb:?}");
            assert!(reply.is_stale());
        }
    }
    assert_eq!(shelf.record, before);
    shelf.ask(&Verb::Complete(new, kept("good")));
    let Reply::EndedMeanwhile(ended) = shelf.ask(&Verb::Complete(old, kept("late"))) else {
        panic!("a stale owner is not told the result")
    };
    assert_eq!(ended.payload, kept("good"));
}

/// Nothing is written where nothing is, or where it expired.
#[test]
fn there_is_nothing_to_end_where_nothing_is() {
    let mut shelf = Shelf::new(Terms::default());
    let hold = shelf.hold(1);
    shelf.now += shelf.terms.ttl;
    assert_eq!(shelf.ask(&Verb::Complete(hold, kept("late"))), Reply::LeaseLost);
    shelf.record = None;
    assert_eq!(shelf.ask(&Verb::Complete(hold, kept("late"))), Reply::LeaseLost);
    assert_eq!(shelf.record, None);
}

/// A heartbeat renews the lease, never shortens it, and ends at the hard deadline.
#[test]
fn a_heartbeat_ends_at_the_cap() {
    let mut shelf = Shelf::new(Terms { max_lease: 50 * SECOND, ..Terms::default() });
    let hold = shelf.hold(1);
    let extend = |lease| Verb::Extend(hold, lease);
    assert_eq!(shelf.ask(&extend(SECOND)), Reply::Extended { lease_until: START + 30 * SECOND });
    shelf.now += 40 * SECOND;
    let capped = Reply::Extended { lease_until: START + 50 * SECOND };
    assert_eq!(shelf.ask(&extend(30 * SECOND)), capped, "late, but nobody has taken it over");
    shelf.now += 10 * SECOND;
    assert_eq!(shelf.ask(&extend(30 * SECOND)), Reply::AtCap);
    assert!(matches!(shelf.claim(2), Reply::Owned { given: Given::TakenOver, .. }));
    assert_eq!(shelf.ask(&extend(30 * SECOND)), Reply::LeaseLost);
}

/// An owner that was given up and went on knows how it ended: that is kept, and replayed.
#[test]
fn a_known_result_is_never_stranded() {
    for (terms, state) in [
        (quarantining(), StateName::Quarantined),
        (Terms { attempts: 1, ..Terms::default() }, StateName::Dead),
    ] {
        for failed in [false, true] {
            let mut shelf = Shelf::new(terms);
            let hold = shelf.hold(1);
            shelf.lose();
            shelf.claim(2);
            assert_eq!(shelf.state(), Some(state));
            assert_eq!(shelf.ask(&Verb::Release(hold)), Reply::LeaseLost);
            assert_eq!(shelf.ask(&Verb::Extend(hold, SECOND)), Reply::LeaseLost);
            let end = if failed { Verb::Fail } else { Verb::Complete };
            assert_eq!(shelf.ask(&end(hold, kept("known"))), Reply::Done);
            let Reply::Replay(ended) = shelf.claim(3) else { panic!("not replayed") };
            assert_eq!((ended.failed, ended.payload), (failed, kept("known")));
        }
    }
}

/// Whoever does not know how it ended says so, once or twice; then an operator decides.
#[test]
fn an_operator_decides_what_nobody_knows() {
    let mut shelf = Shelf::new(quarantining());
    let hold = shelf.hold(1);
    assert_eq!(shelf.ask(&Verb::Reopen), Reply::Undecidable(Some(StateName::InProgress)));
    assert_eq!(shelf.ask(&Verb::Quarantine(hold)), Reply::Done);
    assert_eq!(shelf.ask(&Verb::Quarantine(hold)), Reply::Done);
    assert_eq!(shelf.ask(&Verb::Reopen), Reply::Done);
    assert_eq!(shelf.ask(&Verb::Complete(hold, kept("late"))), Reply::LeaseLost);
    let next = shelf.hold(2);
    assert!(next.fence > hold.fence);
    shelf.lose();
    // Lost, though nobody has come by to notice.
    assert_eq!(shelf.ask(&Verb::Resolve(kept("by hand"))), Reply::Done);
    assert!(matches!(shelf.claim(3), Reply::Replay(_)));
    assert!(matches!(
        shelf.ask(&Verb::Complete(next, kept("late"))),
        Reply::EndedMeanwhile(ended) if ended.payload == kept("by hand")
    ));
    for verb in [Verb::Reopen, Verb::Resolve(kept("again"))] {
        assert_eq!(shelf.ask(&verb), Reply::Undecidable(Some(StateName::Completed)));
    }
    shelf.record = None;
    assert_eq!(shelf.ask(&Verb::Reopen), Reply::Undecidable(None));
}

/// A dead one that an operator opens again has all its attempts before it.
#[test]
fn a_reopened_key_counts_attempts_anew() {
    let mut shelf = Shelf::new(Terms { attempts: 1, ..Terms::default() });
    shelf.hold(1);
    shelf.lose();
    shelf.claim(2);
    assert_eq!(shelf.ask(&Verb::Reopen), Reply::Done);
    assert!(matches!(shelf.claim(3), Reply::Owned { attempt: 1, .. }));
}

/// At the end of time, numbers stay what can be written down.
#[test]
fn the_end_of_time_is_not_passed() {
    let mut shelf = Shelf::new(Terms::default());
    shelf.now = LATEST;
    shelf.hold(1);
    assert!(matches!(
        shelf.record,
        Some(Record {
            fence: LATEST,
            expires: Some(LATEST),
            state: State::InProgress { lease_until: LATEST, hard_deadline: LATEST },
            ..
        })
    ));
}

/// Terms that are wrong are told everything at once; good ones are taken over.
#[test]
fn wrong_terms_are_told_everything_at_once() {
    let draft = Draft {
        lease: Some(0.0),
        max_lease: Some(f64::NAN),
        ttl: Some(1e9),
        attempts: Some(0),
        on_lost: Some("retry".into()),
    };
    let mut problems = Vec::new();
    assert_eq!(draft.check(&mut problems), None);
    let fields: Vec<_> = problems.iter().map(|problem| problem.field.as_str()).collect();
    assert_eq!(fields, ["lease", "max_lease", "ttl", "attempts", "on_lost"]);

    let mut problems = Vec::new();
    let crossed = Draft { lease: Some(60.0), max_lease: Some(30.0), ..Draft::default() };
    assert_eq!(crossed.check(&mut problems), None);
    assert_eq!(problems[0].to_string(), "max_lease=30 must not be shorter than lease");

    let mut problems = Vec::new();
    assert_eq!(Draft::default().check(&mut problems), Some(Terms::default()));
    let long =
        Draft { lease: Some(3600.0), on_lost: Some("quarantine".into()), ..Draft::default() };
    let terms = long.check(&mut problems).unwrap();
    assert_eq!((terms.max_lease, terms.on_lost), (3600 * SECOND, OnLost::Quarantine));
    assert!(problems.is_empty());
}
