//! One policy in a plan: what a driver may ask of it.
//!
//! A policy joins by a variant of [`Step`], [`Ticket`] and [`Refusal`] and an arm in each `match`
//! below. Drivers never look inside.
//!
//! | file | holds |
//! |---|---|
//! | `mod` | how a call is let in |
//! | [`leave`] | how a policy is told of its end |
//! | [`ticket`] | what it hands out |
//! | [`facts`] | what a plan must know of it |
//! | [`owned`] | the objects that are a step's, as the collector knows them |
//! | [`wait`] | calls that wait before they are let in, or go on when nobody waits for them |
#![allow(unsafe_code, reason = "slots are filled by the plan, one a step")]

mod facts;
mod leave;
mod owned;
mod ticket;
mod wait;

pub use ticket::{Refusal, RefusalSlot, Ticket};

use super::breaker;
use super::bulkhead;
use super::call::Call;
use super::fallback;
use super::keys::KeyOf;
use super::plan::Slot;
use super::rate_limit;
use super::retry;
use super::timeout;
use crate::time::Clock;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// A policy with its state, as a plan holds it.
pub enum Step {
    Breaker(breaker::Step),
    KeyedBreaker(Box<breaker::Keyed>),
    RateLimit(Box<rate_limit::Step>),
    Retry(retry::Step),
    Timeout(timeout::Step),
    Bulkhead(bulkhead::Step),
    Fallback(Box<fallback::Step>),
}

/// How a call ended when it did not simply return.
pub enum Ended<'a, 'py> {
    /// It returned, but what it returned came late (an awaitable's result) or needs judging.
    Returned(&'a Bound<'py, PyAny>),
    /// It raised.
    Raised(&'a PyErr),
    /// A policy further in refused it. The exception is only made for those who ask.
    Refused(&'a dyn Fn() -> PyErr),
    /// It was closed or dropped before its end.
    Dropped,
}

impl Step {
    /// The step that `policy` contributes to a plan built under `gate`.
    pub fn of(policy: &Bound<'_, PyAny>, gate: u64, of: KeyOf<'_, '_>) -> PyResult<Self> {
        if let Ok(retry) = policy.cast::<retry::Retry>() {
            return Ok(Self::Retry(retry.get().step(policy.py())));
        }
        if let Ok(timeout) = policy.cast::<timeout::Timeout>() {
            return Ok(Self::Timeout(timeout.get().step(policy.py())));
        }
        if let Ok(limit) = policy.cast::<rate_limit::RateLimit>() {
            return Ok(Self::RateLimit(Box::new(limit.get().step(policy.py(), of)?)));
        }
        if let Ok(bulkhead) = policy.cast::<bulkhead::Bulkhead>() {
            return bulkhead.get().step(policy.py(), of).map(Self::Bulkhead);
        }
        if let Ok(fallback) = policy.cast::<fallback::Fallback>() {
            return Ok(Self::Fallback(Box::new(fallback.get().step(policy.py(), of)?)));
        }
        policy.cast::<breaker::Breaker>()?.get().step(policy.py(), gate, of)
    }

    /// The step that the same policy contributes to a plan built under `gate`.
    pub fn renewed(&self, py: Python<'_>, gate: u64) -> Self {
        match self {
            Self::Breaker(step) => Self::Breaker(step.renewed(py, gate)),
            Self::KeyedBreaker(keyed) => Self::KeyedBreaker(Box::new(keyed.renewed(py, gate))),
            Self::RateLimit(limit) => Self::RateLimit(Box::new(limit.renewed(py))),
            Self::Retry(retry) => Self::Retry(retry.renewed(py)),
            Self::Timeout(timeout) => Self::Timeout(timeout.renewed(py)),
            Self::Bulkhead(bulkhead) => Self::Bulkhead(bulkhead.renewed(py)),
            Self::Fallback(fallback) => Self::Fallback(Box::new(fallback.renewed(py))),
        }
    }

    /// Of such a policy: finds the state that `call` belongs to, and keeps it in `slot`.
    pub fn find<C: Clock>(
        &self,
        py: Python<'_>,
        slot: &mut Slot,
        call: &Call,
        clock: &C,
    ) -> PyResult<()> {
        match self {
            Self::KeyedBreaker(keyed) => {
                slot.write(Ticket::Circuit(keyed.find(py, call, clock)?));
            }
            Self::RateLimit(limit) if limit.asks() => {
                slot.write(Ticket::Metered(limit.find(py, call, clock)?));
            }
            Self::Fallback(fallback) if fallback.remembers() => {
                slot.write(Ticket::Fallback(fallback.find(py, call)?));
            }
            _ => {}
        }
        if let Self::Bulkhead(bulkhead) = self
            && let Some(ticket) = bulkhead.find(py, call, clock)?
        {
            slot.write(Ticket::Bulkhead(ticket));
        }
        Ok(())
    }

    /// Gives back what [`Step::find`] has found, of a call that will not enter.
    pub fn forget(&self, slot: &Slot) {
        if !self.keyed() {
            return;
        }
        // SAFETY: a keyed step's slot is filled before anybody enters.
        match unsafe { slot.assume_init_ref() } {
            Ticket::Circuit(circuit) => circuit.release(),
            Ticket::Metered(found) => found.release(),
            Ticket::Bulkhead(ticket) => bulkhead::Step::forget(ticket),
            Ticket::Fallback(ticket) => { *ticket }.let_go(),
            _ => {}
        }
    }

    /// Lets a call in and fills `slot`, or does not, and fills `refusal`.
    ///
    /// What comes of it is written where it stays: handed back by value it would be copied in wider
    /// pieces than it was written in, which stalls the processor for longer than all the rest.
    #[inline(always)]
    pub fn enter<C: Clock>(&self, slot: &mut Slot, refusal: &mut RefusalSlot, clock: &C) -> bool {
        if let Self::Breaker(step) = self
            && let Some(ticket) = step.core.admit()
        {
            slot.write(Ticket::Closed(ticket.generation()));
            return true;
        }
        match self {
            Self::Bulkhead(bulkhead) => {
                if let Some(permit) = bulkhead.admit() {
                    slot.write(Ticket::Permit(permit));
                    return true;
                }
            }
            Self::RateLimit(limit) if limit.admit(clock) => {
                slot.write(Ticket::RateLimit);
                return true;
            }
            Self::Fallback(fallback) if fallback.lets_pass() => {
                slot.write(Ticket::Answerable);
                return true;
            }
            _ => {}
        }
        self.enter_otherwise(slot, refusal, clock)
    }

    /// Not the way that most calls take: that is to stay short.
    #[inline(never)]
    fn enter_otherwise<C: Clock>(
        &self,
        slot: &mut Slot,
        refusal: &mut RefusalSlot,
        clock: &C,
    ) -> bool {
        let answer = match self {
            Self::Breaker(step) => {
                let answer = step.enter_unhealthy(&breaker::Which::own(step), clock);
                answer.map(Ticket::Breaker).map_err(Refusal::Breaker)
            }
            Self::KeyedBreaker(keyed) => {
                // SAFETY: `find` has filled the slot.
                let Ticket::Circuit(found) = (unsafe { *slot.assume_init_ref() }) else {
                    return true;
                };
                match keyed.enter(found, clock) {
                    Ok((circuit, ticket)) => Ok(Ticket::KeyedBreaker(circuit, ticket)),
                    Err((circuit, rejection)) => Err(Refusal::KeyedBreaker(circuit, rejection)),
                }
            }
            Self::RateLimit(limit) => {
                let found = if limit.asks() {
                    // SAFETY: `find` has filled the slot.
                    match unsafe { *slot.assume_init_ref() } {
                        Ticket::Metered(found) => Some(found),
                        _ => None,
                    }
                } else {
                    None
                };
                match limit.enter(found, clock) {
                    rate_limit::Asked::In => Ok(Ticket::RateLimit),
                    rate_limit::Asked::Waits(turn) => {
                        slot.write(Ticket::Delayed(turn));
                        Err(Refusal::Waits)
                    }
                    rate_limit::Asked::Not(refusal) => Err(Refusal::RateLimit(refusal)),
                }
            }
            Self::Retry(retry) => match retry.late(clock) {
                Some(passed) => Err(Refusal::Deadline(passed)),
                None => match retry.enter(clock) {
                    Some(ticket) => Ok(Ticket::Retry(ticket)),
                    None => Err(Refusal::Retry),
                },
            },
            Self::Timeout(timeout) => match timeout.late(clock) {
                Some(passed) => Err(Refusal::Deadline(passed)),
                None => Ok(Ticket::Timeout(timeout.enter(clock))),
            },
            Self::Fallback(fallback) => {
                let found = fallback.remembers().then(|| {
                    // SAFETY: `find` has filled the slot.
                    match unsafe { slot.assume_init_ref() } {
                        Ticket::Fallback(ticket) => Some(*ticket),
                        _ => None,
                    }
                });
                Ok(Ticket::Fallback(fallback.enter(found.flatten(), clock)))
            }
            Self::Bulkhead(bulkhead) => {
                let found = bulkhead.keyed().then(|| {
                    // SAFETY: `find` has filled the slot.
                    match unsafe { slot.assume_init_ref() } {
                        Ticket::Bulkhead(ticket) => Some(*ticket),
                        _ => None,
                    }
                });
                match bulkhead.enter(found.flatten(), clock) {
                    bulkhead::Asked::In(ticket) => Ok(Ticket::Bulkhead(ticket)),
                    bulkhead::Asked::Waits(ticket) => {
                        slot.write(Ticket::Bulkhead(ticket));
                        Err(Refusal::Waits)
                    }
                    bulkhead::Asked::Not(rejection) => Err(Refusal::Bulkhead(rejection)),
                }
            }
        };
        match answer {
            Ok(ticket) => {
                slot.write(ticket);
                true
            }
            Err(why) => {
                refusal.write(why);
                false
            }
        }
    }

    /// The call stands still, or runs on: what its ticket means to calls made here, which are inside
    /// of it while it runs, does not hold meanwhile, or holds again.
    pub fn suspended(&self, py: Python<'_>, ticket: &mut Ticket, suspended: bool) {
        match (self, ticket) {
            (Self::Breaker(step), Ticket::Breaker(ticket)) => {
                breaker::Step::suspended(py, &step.core, ticket, suspended);
            }
            (Self::KeyedBreaker(_), Ticket::KeyedBreaker(circuit, ticket)) => {
                circuit.with(py, |which| {
                    breaker::Step::suspended(py, which.core, ticket, suspended);
                });
            }
            (Self::Retry(_), Ticket::Retry(ticket)) => ticket.suspended(py, suspended),
            (Self::Timeout(_), Ticket::Timeout(ticket)) => ticket.suspended(py, suspended),
            _ => {}
        }
    }

    /// The exception that tells a caller of `refusal`.
    pub fn error(&self, py: Python<'_>, refusal: &Refusal) -> PyErr {
        match (self, refusal) {
            (Self::Breaker(step), Refusal::Breaker(rejection)) => step.error(py, None, rejection),
            (Self::KeyedBreaker(keyed), Refusal::KeyedBreaker(circuit, rejection)) => {
                keyed.step().error(py, Some(circuit.bind(py)), rejection)
            }
            (Self::RateLimit(limit), Refusal::RateLimit(refusal)) => limit.error(py, refusal),
            (Self::Retry(retry), Refusal::Retry) => retry.error(py),
            (_, Refusal::Deadline(passed)) => timeout::exceeded(passed.bind(py)),
            (Self::Bulkhead(bulkhead), Refusal::Bulkhead(rejection)) => {
                bulkhead.error(py, rejection)
            }
            _ => PyRuntimeError::new_err("a policy was asked about another's refusal"),
        }
    }
}
