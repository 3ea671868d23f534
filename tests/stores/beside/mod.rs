//! Random histories, each step of which is what `idempotency::step` makes of the record that was
//! there: the reply, and the record that is there then, field by field.

use super::conformance::{PATIENCE, Place, address, terms};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use seawall::stores::idempotency::{Claim, Ended, Hold, Reply, Verb, step};
use seawall::stores::record::{OnLost, Owner, Payload, Record, State};
use seawall::stores::{LATEST, Micros, Store};
use std::num::NonZeroU128;

/// What one caller does.
#[derive(Clone, Debug)]
pub struct Move {
    /// Units that pass before it.
    units: u64,
    verb: u8,
    owner: u128,
    /// With the fence of the record that is there, or with another one.
    is_current: bool,
    fingerprint: Option<u8>,
    quarantine: bool,
    attempts: u32,
    lease: u64,
    result: Option<Vec<u8>>,
}

pub fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = (
        prop_oneof![4 => Just(0), 1 => 1..50_u64],
        0..12_u8,
        1..4_u128,
        prop::bool::weighted(0.9),
        prop_oneof![4 => Just(None), 1 => (0..2_u8).prop_map(Some)],
        any::<bool>(),
        1..4_u32,
        1..30_u64,
        prop::option::of(prop::collection::vec(any::<u8>(), 0..40)),
    );
    let one = one.prop_map(
        |(units, verb, owner, is_current, fingerprint, quarantine, attempts, lease, result)| Move {
            units,
            verb,
            owner,
            is_current,
            fingerprint,
            quarantine,
            attempts,
            lease,
            result,
        },
    );
    prop::collection::vec(one, 1..40)
}

fn verb(place: &dyn Place, made: &Move, before: Option<&Record>) -> Verb {
    let owner = Owner(NonZeroU128::new(made.owner).unwrap());
    let unit = place.unit();
    let fence = before.map_or(3, |record| record.fence) + u64::from(!made.is_current);
    let hold = Hold { owner, fence };
    let payload = made.result.clone().map_or(Payload::Opaque, |bytes| {
        Payload::within(100, u8::try_from(bytes.len()).unwrap(), bytes)
    });
    match made.verb {
        0..=3 => {
            let mut terms = terms(place);
            terms.attempts = made.attempts;
            terms.on_lost = if made.quarantine { OnLost::Quarantine } else { OnLost::Takeover };
            // Also shorter than a lease may become: what runs is not forgotten.
            terms.ttl = [2, 50][usize::from(made.is_current)] * unit;
            terms.lease = (made.lease * unit).min(terms.max_lease);
            let fingerprint = made.fingerprint.map(|byte| [byte; 32]);
            Verb::Claim(Claim { owner, fingerprint, terms })
        }
        4 => Verb::Extend(hold, made.lease * unit),
        5 => Verb::Extend(hold, LATEST),
        6 | 7 => Verb::Complete(hold, payload),
        8 => Verb::Fail(hold, payload),
        9 => Verb::Release(hold),
        10 => Verb::Quarantine(hold),
        _ if made.quarantine => Verb::Resolve(payload),
        _ => Verb::Reopen,
    }
}

/// The times of a record; what is left when they are taken away.
fn times(record: Option<Record>) -> (Vec<Micros>, Option<Record>) {
    let Some(mut record) = record else { return (Vec::new(), None) };
    let mut times = vec![record.fence, record.created, record.changed];
    (record.fence, record.created, record.changed) = (0, 0, 0);
    if let State::InProgress { lease_until, hard_deadline } = &mut record.state {
        times.extend([*lease_until, *hard_deadline]);
        (*lease_until, *hard_deadline) = (0, 0);
    }
    times.extend(record.expires);
    record.expires = record.expires.map(|_| 0);
    (times, Some(record))
}

fn times_of(reply: Reply) -> (Vec<Micros>, Reply) {
    let ended = |ended: Ended| (vec![ended.fence, ended.at], Ended { fence: 0, at: 0, ..ended });
    match reply {
        Reply::Owned { fence, attempt, lease_until, given } => {
            (vec![fence, lease_until], Reply::Owned { fence: 0, attempt, lease_until: 0, given })
        }
        Reply::InProgress { retry_after } => {
            (vec![retry_after], Reply::InProgress { retry_after: 0 })
        }
        Reply::OutcomeUnknown { since, noticed } => {
            (vec![since], Reply::OutcomeUnknown { since: 0, noticed })
        }
        Reply::Extended { lease_until } => (vec![lease_until], Reply::Extended { lease_until: 0 }),
        Reply::Replay(end) => {
            let (times, end) = ended(end);
            (times, Reply::Replay(end))
        }
        Reply::EndedMeanwhile(end) => {
            let (times, end) = ended(end);
            (times, Reply::EndedMeanwhile(end))
        }
        other => (Vec::new(), other),
    }
}

fn get(store: &Store) -> Option<Record> {
    store.get(&address(b"k"), PATIENCE).unwrap()
}

/// The server's time when it was done lies between `first` and `last`: so does each time in it.
fn are_close(theirs: &[Micros], ours: &[Micros], first: Micros, last: Micros) -> bool {
    theirs.len() == ours.len()
        && theirs.iter().zip(ours).all(|(theirs, ours)| theirs.abs_diff(*ours) <= last - first)
}

/// Whatever is asked in whatever order, the server does as the transitions say. `time` is its own.
pub fn is_as_the_transitions_say(
    place: &dyn Place,
    time: impl Fn() -> Micros,
    moves: Vec<Move>,
) -> Result<(), TestCaseError> {
    let store = place.open();
    for made in moves {
        if made.units > 0 {
            place.pass(made.units * place.unit());
        }
        let before = get(&store);
        let verb = verb(place, &made, before.as_ref());
        let first = time();
        let reply = store.step(&address(b"k"), verb.clone(), PATIENCE).unwrap();
        let last = time();
        let should = step(before.as_ref(), &verb, first);
        let (their_times, their_reply) = times_of(reply);
        let (our_times, our_reply) = times_of(should.reply);
        prop_assert_eq!(their_reply, our_reply, "{:?} of {:?}", verb, before);
        prop_assert!(are_close(&their_times, &our_times, first, last), "{:?}", verb);
        let after = get(&store);
        // What is put may have expired already: nothing is kept for less than a moment.
        let (their_times, theirs) = times(after);
        let (our_times, ours) = times(should.put.or(before));
        prop_assert_eq!(theirs, ours, "{:?}", verb);
        prop_assert!(are_close(&their_times, &our_times, first, last), "{:?}", verb);
    }
    Ok(())
}
