//! What a breaker answers: plain values, for the caller to act on and to tell.

use super::State;
use super::words::Word;
use crate::time::Nanos;

/// An admitted call. It must be settled exactly once; nothing happens by itself.
#[derive(Clone, Copy, Debug)]
pub struct Ticket {
    pub(super) generation: u64,
    /// A probe's lease, bit for bit; 0 if this is none.
    pub(super) lease: u64,
    pub(super) slot: u32,
}

/// The slot of a call that has no lease of its own: see [`super::Breaker::ride`].
const RIDES: u32 = u32::MAX;

impl Ticket {
    /// That of a call that a closed circuit let in. All of one generation are alike, so it can be
    /// kept as its generation alone.
    #[inline(always)]
    #[must_use]
    pub fn closed(generation: u64) -> Self {
        Self { generation, lease: 0, slot: 0 }
    }

    pub(super) fn riding(generation: u64) -> Self {
        Self { generation, lease: 0, slot: RIDES }
    }

    /// Whether it is part of a probe that another ticket stands for.
    pub(super) fn rides(&self) -> bool {
        self.slot == RIDES
    }

    /// Whether both are one ticket's copies. Only of probes: others are all alike.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        (self.generation, self.lease, self.slot) == (other.generation, other.lease, other.slot)
    }

    /// The generation that admitted it.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether it probes a half-open circuit.
    #[must_use]
    pub fn probe(&self) -> bool {
        self.lease != 0
    }
}

/// Why a call may not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The state that rejects it.
    pub state: State,
    /// How long until it is worth trying again: until half-open; 0 while all probes are taken;
    /// `None` when nobody knows.
    pub retry_after: Option<Nanos>,
}

/// What brought a transition about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// So many failures in a row.
    ConsecutiveFailures,
    /// The window's share of failures.
    FailureRate,
    /// The window's share of slow calls.
    SlowCallRate,
    /// What the probes said: open again.
    Probe,
    /// What the probes said: closed.
    Recovered,
    /// The open time is over.
    Due,
    /// Somebody said so.
    Manual,
}

impl Cause {
    /// Its name in events.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ConsecutiveFailures => "consecutive_failures",
            Self::FailureRate => "failure_rate",
            Self::SlowCallRate => "slow_call_rate",
            Self::Probe => "probe",
            Self::Recovered => "recovered",
            Self::Due => "due",
            Self::Manual => "manual",
        }
    }
}

/// A transition that has happened. Exactly one caller is told of each.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transition {
    /// The state left.
    pub from: State,
    /// The state entered. `MetricsOnly` from `MetricsOnly`: it would have opened.
    pub to: State,
    /// The generation it began.
    pub generation: u64,
    /// When.
    pub at: Nanos,
    /// Why.
    pub cause: Cause,
    /// The share of failures among `calls`, where a window or a trial was kept.
    pub failure_rate: Option<f64>,
    /// The share of slow calls among `calls`, where slow calls are a rule.
    pub slow_call_rate: Option<f64>,
    /// The outcomes it was judged by: of the window or the trial, or else the streak.
    pub calls: u64,
    /// How long it stays open, where it opens.
    pub open_duration: Option<Nanos>,
}

/// What a rule was judged by, as it is told.
#[derive(Clone, Copy, Default)]
pub(super) struct Evidence {
    pub calls: u64,
    pub failure_rate: Option<f64>,
    pub slow_call_rate: Option<f64>,
}

/// A rule is reached and the circuit should open: see [`super::Breaker::open`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trip {
    /// The generation that the rule was reached in.
    pub generation: u64,
    /// 0 when a closed circuit opens, n for its n-th re-opening since; stays at 255.
    pub reopenings: u32,
    /// The rule.
    pub cause: Cause,
    /// As in [`Transition`].
    pub failure_rate: Option<f64>,
    /// As in [`Transition`].
    pub slow_call_rate: Option<f64>,
    /// As in [`Transition`].
    pub calls: u64,
}

/// The answer to a call that wants to run.
#[derive(Clone, Copy, Debug)]
pub enum Admission {
    /// It may.
    Admitted(Ticket),
    /// It found the open time to be over and half-opened the circuit; then it was answered.
    HalfOpened(Transition, Result<Ticket, Rejection>),
    /// It may not.
    Rejected(Rejection),
}

/// What an outcome did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Settled {
    /// Nothing that anybody need know.
    Stays,
    /// Its generation has passed or its lease was lost: it was counted as late and moved nothing.
    Late,
    /// A rule is reached: work out for how long, then open the circuit.
    Trips(Trip),
    /// It closed the circuit, or would have opened one that only measures.
    Moved(Transition),
}

/// A rule that is reached, to act on.
pub(super) fn trip(word: Word, cause: Cause, evidence: Evidence) -> Trip {
    let again = word.state() == State::HalfOpen;
    Trip {
        generation: word.generation(),
        reopenings: word.reopenings().saturating_add(again.into()).into(),
        cause,
        failure_rate: evidence.failure_rate,
        slow_call_rate: evidence.slow_call_rate,
        calls: evidence.calls,
    }
}

/// A transition that has happened, to tell.
pub(super) fn transition(
    from: Word,
    to: Word,
    at: Nanos,
    cause: Cause,
    evidence: Evidence,
) -> Transition {
    Transition {
        from: from.state(),
        to: to.state(),
        generation: to.generation(),
        at,
        cause,
        failure_rate: evidence.failure_rate,
        slow_call_rate: evidence.slow_call_rate,
        calls: evidence.calls,
        open_duration: None,
    }
}
