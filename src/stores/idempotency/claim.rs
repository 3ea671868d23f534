//! Who may run an operation.

use super::{Claim, Ended, Given, Reply, Step, live};
use crate::stores::record::{Fence, OnLost, Record, State};
use crate::stores::{LATEST, Micros};

pub(super) fn step(kept: Option<&Record>, claim: &Claim, now: Micros) -> Step {
    let Some(record) = live(kept, now) else {
        // What has expired is still there to say where fences go on.
        return give(kept, None, claim, Given::New, now);
    };
    // Before anything is told of it: another's record is not this caller's to hear of.
    if record.fingerprint != claim.fingerprint {
        return Step::unchanged(Reply::Mismatch);
    }
    match &record.state {
        State::InProgress { .. } if record.owner == Some(claim.owner) => again(record, claim, now),
        State::InProgress { lease_until, .. } if now < *lease_until => {
            Step::unchanged(Reply::InProgress { retry_after: lease_until - now })
        }
        State::InProgress { .. } => take_over(record, claim, now),
        State::Released => give(kept, Some(record), claim, Given::Released, now),
        State::Completed(payload) | State::Failed(payload) => {
            let failed = matches!(record.state, State::Failed(_));
            Step::unchanged(Reply::Replay(Ended {
                failed,
                payload: payload.clone(),
                fence: record.fence,
                at: record.changed,
            }))
        }
        State::Quarantined => {
            Step::unchanged(Reply::OutcomeUnknown { since: record.changed, noticed: false })
        }
        State::Dead => {
            Step::unchanged(Reply::Exhausted { attempts: record.attempts, noticed: false })
        }
    }
}

/// The owner's lease ran out. Where either of the two wants no second run, there is none.
fn take_over(record: &Record, claim: &Claim, now: Micros) -> Step {
    if record.on_lost == OnLost::Quarantine || claim.terms.on_lost == OnLost::Quarantine {
        let put = waiting_for_operator(record, State::Quarantined, now);
        return Step::put(put, Reply::OutcomeUnknown { since: now, noticed: true });
    }
    if record.attempts >= claim.terms.attempts {
        let put = waiting_for_operator(record, State::Dead, now);
        return Step::put(put, Reply::Exhausted { attempts: record.attempts, noticed: true });
    }
    give(Some(record), Some(record), claim, Given::TakenOver, now)
}

/// It stays until somebody decides; a record that went by itself would let it run again.
pub(super) fn waiting_for_operator(record: &Record, state: State, now: Micros) -> Record {
    Record { state, changed: now, expires: None, ..record.clone() }
}

/// A repeated claim: its first answer was lost, so what it runs has not begun, and all its time is
/// still before it.
fn again(record: &Record, claim: &Claim, now: Micros) -> Step {
    let (state, lease_until, expires) = leased(claim, now);
    let put = Record { state, expires, changed: now, ..record.clone() };
    let reply = Reply::Owned {
        fence: record.fence,
        attempt: record.attempts,
        lease_until,
        given: Given::Again,
    };
    Step::put(put, reply)
}

/// A claim with the next fence. `kept` is what fences go on from, `before` whose attempts count.
fn give(
    kept: Option<&Record>,
    before: Option<&Record>,
    claim: &Claim,
    given: Given,
    now: Micros,
) -> Step {
    let (state, lease_until, expires) = leased(claim, now);
    let fence = next_fence(kept, now);
    let attempt = before.map_or(0, |record| record.attempts).saturating_add(1);
    let record = Record {
        state,
        owner: Some(claim.owner),
        fence,
        attempts: attempt,
        on_lost: claim.terms.on_lost,
        fingerprint: claim.fingerprint,
        created: before.map_or(now, |record| record.created),
        changed: now,
        ttl: claim.terms.ttl,
        expires,
    };
    Step::put(record, Reply::Owned { fence, attempt, lease_until, given })
}

/// One more than the last, and never less than the time: so it grows also where the last record
/// was swept up, or lost with its server's memory.
fn next_fence(kept: Option<&Record>, now: Micros) -> Fence {
    kept.map_or(0, |record| record.fence).saturating_add(1).max(now).min(LATEST)
}

/// The state of a claim that begins now, its lease's end, and when it is forgotten: never while
/// somebody may run it, and never at all where whoever lost it has to be told.
fn leased(claim: &Claim, now: Micros) -> (State, Micros, Option<Micros>) {
    let terms = &claim.terms;
    let hard_deadline = later(now, terms.max_lease);
    let lease_until = later(now, terms.lease).min(hard_deadline);
    let expires = match terms.on_lost {
        OnLost::Takeover => Some(later(now, terms.ttl).max(hard_deadline)),
        OnLost::Quarantine => None,
    };
    (State::InProgress { lease_until, hard_deadline }, lease_until, expires)
}

pub(super) fn later(now: Micros, by: Micros) -> Micros {
    now.saturating_add(by).min(LATEST)
}
