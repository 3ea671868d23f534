//! The life of an idempotent operation, as pure transitions.
//!
//! [`step`] is given what is kept at an address, what is asked and the store's time; it says what
//! is to be kept from now on and what the caller hears. It knows no clock and no chance, and is the
//! whole of the decision: a backend applies it atomically, or proves to the same tests that its own
//! statement does the same.
//!
//! What holds of every sequence of steps, and is checked over all short ones (`tests/stores`):
//! - nobody is given a claim after the operation completed, until its record expires;
//! - each claim that is given has a higher fence than all before it, expired records included;
//! - only the last owner with the last fence changes anything, an operator apart;
//! - with [`OnLost::Quarantine`](super::record::OnLost) no second claim is given at all, unless the
//!   first was released by its owner or by an operator.

mod claim;
mod held;
mod operator;
mod settings;
#[cfg(test)]
mod tests;
mod verb;

pub use settings::{Draft, Terms};
pub use verb::{Claim, Ended, Given, Hold, Reply, Verb};

use super::Micros;
use super::record::Record;

/// What follows from a verb.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What is kept from now on. `None`: what was.
    pub put: Option<Record>,
    /// What the caller hears.
    pub reply: Reply,
}

impl Step {
    fn unchanged(reply: Reply) -> Self {
        Self { put: None, reply }
    }

    fn put(record: Record, reply: Reply) -> Self {
        Self { put: Some(record), reply }
    }
}

/// What `verb` makes at the time `now` of the `record` that is kept, expired or not.
#[must_use]
pub fn step(record: Option<&Record>, verb: &Verb, now: Micros) -> Step {
    match verb {
        Verb::Claim(claim) => claim::step(record, claim, now),
        Verb::Extend(hold, lease) => held::extend(live(record, now), *hold, *lease, now),
        Verb::Complete(hold, payload) => held::complete(live(record, now), *hold, payload, now),
        Verb::Fail(hold, payload) => held::fail(live(record, now), *hold, payload, now),
        Verb::Release(hold) => held::release(live(record, now), *hold, now),
        Verb::Quarantine(hold) => held::quarantine(live(record, now), *hold, now),
        Verb::Resolve(payload) => operator::resolve(live(record, now), payload, now),
        Verb::Reopen => operator::reopen(live(record, now), now),
    }
}

/// The record that is kept, unless it has expired. Whether that was swept up yet decides nothing.
#[must_use]
pub fn live(record: Option<&Record>, now: Micros) -> Option<&Record> {
    record.filter(|record| !record.has_expired(now))
}
