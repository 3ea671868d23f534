//! A store: a backend, who waits for it, and what became of what it was asked.

use super::address::Prefix;
use super::backend::{Answer, Backend, Op, Tally, Walk};
use super::error::StoreError;
use super::idempotency::{Given, Reply, Verb};
use super::pending::Pending;
use super::record::Record;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// How many records a sweep or a tally looks at before others have their turn.
const STRIDE: usize = 2_000;

type Result<T> = std::result::Result<T, StoreError>;

/// A store.
#[derive(Debug)]
pub struct Store {
    backend: Arc<dyn Backend>,
    counts: Arc<Counts>,
}

/// An answer, or what is waited for.
#[derive(Debug)]
pub enum Asked {
    /// It is there.
    Answered(Result<Answer>),
    /// It will be.
    Later(Pending),
}

/// What this process was answered.
#[derive(Debug, Default)]
struct Counts([AtomicU64; COUNTED]);

const COUNTED: usize = 10;

/// What this process was answered so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Claims that were given, those taken over included.
    pub owned: u64,
    /// Of these, how many were taken over from somebody who was lost.
    pub taken_over: u64,
    /// Claims that found somebody at it.
    pub in_progress: u64,
    /// Claims that were told how it had ended.
    pub replayed: u64,
    /// Claims of a key that is in use for something else.
    pub mismatched: u64,
    /// Claims of what waits for an operator.
    pub unknown: u64,
    /// Claims of what was lost too often.
    pub exhausted: u64,
    /// What an owner said and was heard.
    pub settled: u64,
    /// What somebody said who was not the owner any more, and was refused.
    pub stale: u64,
    /// What the store gave no answer to.
    pub errors: u64,
}

impl Counts {
    fn count(&self, answer: &Result<Answer>) {
        let places: &[usize] = match answer {
            Ok(Answer::Reply(reply)) => match reply {
                Reply::Owned { given: Given::TakenOver, .. } => &[0, 1],
                Reply::Owned { .. } => &[0],
                Reply::InProgress { .. } => &[2],
                Reply::Replay(_) => &[3],
                Reply::Mismatch => &[4],
                Reply::OutcomeUnknown { .. } => &[5],
                Reply::Exhausted { .. } => &[6],
                Reply::Extended { .. } | Reply::Done => &[7],
                Reply::LeaseLost | Reply::EndedMeanwhile(_) => &[8],
                Reply::AtCap | Reply::Undecidable(_) => &[],
            },
            Ok(_) => &[],
            Err(_) => &[9],
        };
        for place in places {
            self.0[*place].fetch_add(1, Relaxed);
        }
    }

    fn read(&self) -> Counted {
        let [
            owned,
            taken_over,
            in_progress,
            replayed,
            mismatched,
            unknown,
            exhausted,
            settled,
            stale,
            errors,
        ] = std::array::from_fn(|place| self.0[place].load(Relaxed));
        Counted {
            owned,
            taken_over,
            in_progress,
            replayed,
            mismatched,
            unknown,
            exhausted,
            settled,
            stale,
            errors,
        }
    }
}

impl Store {
    /// One of this backend.
    #[must_use]
    pub fn new(backend: Arc<dyn Backend>) -> Self {
        Self { backend, counts: Arc::default() }
    }

    /// Asks, and blocks until there is an answer, or for as long as `patience` lasts.
    ///
    /// # Errors
    /// What the store says; `TimedOut` if it says nothing. A claim that is given later than that is
    /// given back.
    pub fn call(&self, op: Op, patience: Duration) -> Result<Answer> {
        match self.backend.here(op, patience) {
            Ok(answer) => {
                self.counts.count(&answer);
                answer
            }
            Err(op) => self.submit(op).wait(patience),
        }
    }

    /// Asks; what can be answered on this thread within `moment` is, the rest is waited for.
    #[must_use]
    pub fn ask(&self, op: Op, moment: Duration) -> Asked {
        match self.backend.here(op.clone(), moment) {
            // Nothing was done: others had the store for all of that moment.
            Ok(Err(StoreError::Busy(_) | StoreError::TimedOut)) => Asked::Later(self.submit(op)),
            Ok(answer) => {
                self.counts.count(&answer);
                Asked::Answered(answer)
            }
            Err(op) => Asked::Later(self.submit(op)),
        }
    }

    /// Are steps answered on the caller's thread, without waiting for anything but other steps?
    #[must_use]
    pub fn has_instant_steps(&self) -> bool {
        self.backend.is_instant()
    }

    /// Is this answered on the caller's thread, without waiting for anything but other steps?
    #[must_use]
    pub fn is_instant(&self, op: &Op) -> bool {
        matches!(op, Op::Step(..) | Op::Get(_)) && self.backend.is_instant()
    }

    /// Asks, and leaves it to the caller how to wait.
    #[must_use = "an answer that is dropped gives a claim back"]
    pub fn submit(&self, op: Op) -> Pending {
        let counts = Arc::clone(&self.counts);
        Pending::ask(&self.backend, op, move |answer| counts.count(answer))
    }

    /// One step, blocking.
    ///
    /// # Errors
    /// As [`Store::call`].
    pub fn step(&self, address: &super::Address, verb: Verb, patience: Duration) -> Result<Reply> {
        match self.call(Op::Step(address.clone(), verb), patience)? {
            Answer::Reply(reply) => Ok(reply),
            other => Err(unexpected(&other)),
        }
    }

    /// What is kept at an address, blocking.
    ///
    /// # Errors
    /// As [`Store::call`].
    pub fn get(&self, address: &super::Address, patience: Duration) -> Result<Option<Record>> {
        match self.call(Op::Get(address.clone()), patience)? {
            Answer::Record(record) => Ok(record),
            other => Err(unexpected(&other)),
        }
    }

    /// Removes all that has expired, a stretch at a time; how many. Blocking.
    ///
    /// # Errors
    /// As [`Store::call`]; `patience` is that of each stretch.
    pub fn sweep(&self, within: &Prefix, patience: Duration) -> Result<u64> {
        let mut removed = 0;
        walk(within, |walk| match self.call(Op::Sweep(walk), patience)? {
            Answer::Swept(some, next) => {
                removed += some;
                Ok(next)
            }
            other => Err(unexpected(&other)),
        })?;
        Ok(removed)
    }

    /// How many records are in which state, a stretch at a time. Blocking.
    ///
    /// # Errors
    /// As [`Store::call`]; `patience` is that of each stretch.
    pub fn tally(&self, within: &Prefix, patience: Duration) -> Result<Tally> {
        let mut sum = Tally::default();
        walk(within, |walk| match self.call(Op::Tally(walk), patience)? {
            Answer::Tally(some, next) => {
                sum = sum.plus(&some);
                Ok(next)
            }
            other => Err(unexpected(&other)),
        })?;
        Ok(sum)
    }

    /// What this process was answered so far.
    #[must_use]
    pub fn counted(&self) -> Counted {
        self.counts.read()
    }

    /// What was found at its server that its user should know, each thing once: to be asked after
    /// an answer.
    #[must_use]
    pub fn notices(&self) -> Vec<String> {
        self.backend.notices()
    }

    /// Ends what runs for it. What is asked from now on is answered `Closed`.
    pub fn close(&self) {
        self.backend.close();
    }
}

fn walk(
    within: &Prefix,
    mut stretch: impl FnMut(Walk) -> Result<Option<super::Address>>,
) -> Result<()> {
    let mut after = None;
    loop {
        after = stretch(Walk { within: within.clone(), after, most: STRIDE })?;
        if after.is_none() {
            return Ok(());
        }
    }
}

/// A backend's error, not a caller's.
fn unexpected(answer: &Answer) -> StoreError {
    StoreError::Failed(format!("it answered something else: {answer:?}"))
}
