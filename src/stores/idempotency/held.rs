//! What an owner says of its operation.
//!
//! Only the owner with the fence that the record has is listened to. Anybody else is told what
//! became of it, and nothing changes. What was said before, by the same owner, is done already.

use super::claim::{later, waiting_for_operator};
use super::{Ended, Hold, Reply, Step};
use crate::stores::Micros;
use crate::stores::record::{Payload, Record, State};

pub(super) fn extend(record: Option<&Record>, hold: Hold, lease: Micros, now: Micros) -> Step {
    match owned(record, hold) {
        Some(record) => match record.state {
            State::InProgress { hard_deadline, .. } if hard_deadline <= now => {
                Step::unchanged(Reply::AtCap)
            }
            State::InProgress { lease_until, hard_deadline } => {
                let lease_until = later(now, lease).min(hard_deadline).max(lease_until);
                let state = State::InProgress { lease_until, hard_deadline };
                Step::put(Record { state, ..record.clone() }, Reply::Extended { lease_until })
            }
            _ => refuse(Some(record)),
        },
        None => refuse(record),
    }
}

pub(super) fn complete(
    record: Option<&Record>,
    hold: Hold,
    payload: &Payload,
    now: Micros,
) -> Step {
    match owned(record, hold) {
        Some(kept) if matches!(kept.state, State::Completed(_)) => Step::unchanged(Reply::Done),
        Some(kept) if is_open(&kept.state) => end(kept, State::Completed(payload.clone()), now),
        _ => refuse(record),
    }
}

pub(super) fn fail(record: Option<&Record>, hold: Hold, payload: &Payload, now: Micros) -> Step {
    match owned(record, hold) {
        Some(kept) if matches!(kept.state, State::Failed(_)) => Step::unchanged(Reply::Done),
        Some(kept) if is_open(&kept.state) => end(kept, State::Failed(payload.clone()), now),
        _ => refuse(record),
    }
}

pub(super) fn release(record: Option<&Record>, hold: Hold, now: Micros) -> Step {
    match owned(record, hold) {
        Some(kept) => match kept.state {
            State::Released => Step::unchanged(Reply::Done),
            State::InProgress { .. } => end(kept, State::Released, now),
            _ => refuse(record),
        },
        None => refuse(record),
    }
}

pub(super) fn quarantine(record: Option<&Record>, hold: Hold, now: Micros) -> Step {
    match owned(record, hold) {
        Some(kept) => match kept.state {
            State::Quarantined => Step::unchanged(Reply::Done),
            State::InProgress { .. } => {
                Step::put(waiting_for_operator(kept, State::Quarantined, now), Reply::Done)
            }
            _ => refuse(record),
        },
        None => refuse(record),
    }
}

/// May its true owner still say how it ended? Also one that was given up: a process that was
/// stopped and went on knows what nobody else does.
fn is_open(state: &State) -> bool {
    matches!(state, State::InProgress { .. } | State::Quarantined | State::Dead)
}

fn owned(record: Option<&Record>, hold: Hold) -> Option<&Record> {
    record.filter(|record| record.is_held_by(hold.owner, hold.fence))
}

/// It is over; from now on it is kept for as long as its terms say.
pub(super) fn end(record: &Record, state: State, now: Micros) -> Step {
    let expires = Some(later(now, record.ttl));
    Step::put(Record { state, changed: now, expires, ..record.clone() }, Reply::Done)
}

fn refuse(record: Option<&Record>) -> Step {
    let reply = match record.map(|record| (record, &record.state)) {
        Some((record, State::Completed(payload) | State::Failed(payload))) => {
            Reply::EndedMeanwhile(Ended {
                failed: matches!(record.state, State::Failed(_)),
                payload: payload.clone(),
                fence: record.fence,
                at: record.changed,
            })
        }
        _ => Reply::LeaseLost,
    };
    Step::unchanged(reply)
}
