//! What an operator decides of an operation that nobody else can.

use super::{Reply, Step, held};
use crate::stores::Micros;
use crate::stores::record::{Payload, Record, State};

pub(super) fn resolve(record: Option<&Record>, payload: &Payload, now: Micros) -> Step {
    decide(record, State::Completed(payload.clone()), now, |attempts| attempts)
}

pub(super) fn reopen(record: Option<&Record>, now: Micros) -> Step {
    // Whoever runs it next is lost no sooner than one who runs it first.
    decide(record, State::Released, now, |_| 0)
}

/// Nobody's any more: its owner, should it go on, is told what was decided.
fn decide(
    record: Option<&Record>,
    state: State,
    now: Micros,
    attempts: impl Fn(u32) -> u32,
) -> Step {
    match record {
        Some(record) if is_undecided(record, now) => {
            let record =
                Record { owner: None, attempts: attempts(record.attempts), ..record.clone() };
            held::end(&record, state, now)
        }
        record => Step::unchanged(Reply::Undecidable(record.map(|record| record.state.name()))),
    }
}

/// A lost one may be decided before the next caller has found it.
fn is_undecided(record: &Record, now: Micros) -> bool {
    matches!(record.state, State::Quarantined | State::Dead) || record.is_lost(now)
}
