//! What a backend is.
//!
//! It applies [`idempotency::step`](super::idempotency::step) to the record at an address,
//! atomically, at its own time. It may do so on the caller's thread, if that is quick, or on a
//! thread of its own; whoever waits does so elsewhere ([`Store`](super::Store)), in one way for all.

use super::address::{Address, Prefix};
use super::error::StoreError;
use super::idempotency::{Reply, Verb};
use super::record::{Record, StateName};
use std::fmt;
use std::time::Duration;

/// What a store is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// One step in the life of one operation.
    Step(Address, Verb),
    /// What is kept of it.
    Get(Address),
    /// What is kept of many, of those in one state or of all.
    List(Walk, Option<StateName>),
    /// How many are in which state.
    Tally(Walk),
    /// Removes what has expired.
    Sweep(Walk),
}

/// A look at a number of records, in the order of their addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walk {
    /// Which ones.
    pub within: Prefix,
    /// From the first behind this one.
    pub after: Option<Address>,
    /// How many are looked at. Nobody else waits for longer than that takes.
    pub most: usize,
}

/// What a store answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// To a step.
    Reply(Reply),
    /// To a get; nothing, if it has expired.
    Record(Option<Record>),
    /// To a list.
    List(Vec<(Address, Record)>, Option<Address>),
    /// To a tally.
    Tally(Tally, Option<Address>),
    /// To a sweep: how many were removed. Like the two before, with where to go on.
    Swept(u64, Option<Address>),
}

/// How many records there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// In each state, in the order of [`StateName::ALL`].
    pub by_state: [u64; 6],
    /// That have expired and were not swept up yet. They are in no state.
    pub expired: u64,
}

impl Tally {
    /// One more.
    pub fn count(&mut self, state: StateName, has_expired: bool) {
        if has_expired {
            self.expired += 1;
        } else {
            self.by_state[usize::from(state.number())] += 1;
        }
    }

    /// How many are in this state.
    #[must_use]
    pub fn of(&self, state: StateName) -> u64 {
        self.by_state[usize::from(state.number())]
    }

    /// These and those.
    #[must_use]
    pub fn plus(mut self, other: &Self) -> Self {
        for (sum, more) in self.by_state.iter_mut().zip(other.by_state) {
            *sum += more;
        }
        self.expired += other.expired;
        self
    }
}

/// What is done with an answer: called once, on whichever thread has it, and never under a lock of
/// the backend's. It may do no more than hand it over.
pub type Done = Box<dyn FnOnce(Result<Answer, StoreError>) + Send>;

/// A store's backend.
pub trait Backend: Send + Sync + fmt::Debug {
    /// Answers at once on the caller's thread, which may block for `patience`; or gives `op` back,
    /// which is then submitted.
    ///
    /// # Errors
    /// `op` itself, where this backend answers elsewhere.
    fn here(&self, op: Op, _patience: Duration) -> Result<Result<Answer, StoreError>, Op> {
        Err(op)
    }

    /// Is a step answered on the caller's thread, without waiting for anything but other steps?
    fn is_instant(&self) -> bool {
        false
    }

    /// Sees to it that `done` is called with the answer. Never blocks for long.
    fn submit(&self, op: Op, done: Done);

    /// What was found at its server that its user should know, each thing once. Where there is
    /// nothing, this costs nothing to ask.
    fn notices(&self) -> Vec<String> {
        Vec::new()
    }

    /// Ends what it has running and open. What it has taken on it still answers; what comes later is
    /// answered `Closed`.
    fn close(&self);
}
