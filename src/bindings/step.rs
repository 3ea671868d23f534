//! One policy in a plan: what a driver may ask of it.
//!
//! A policy joins by a variant of [`Step`], [`Ticket`] and [`Refusal`] and an arm in each `match`
//! below. Drivers never look inside.

use super::breaker;
use super::plan::Slot;
use super::rules::Rules;
use crate::time::{Clock, Nanos};
use pyo3::ffi;
use pyo3::prelude::*;

/// A policy with its state, as a plan holds it.
pub enum Step {
    Breaker(breaker::Step),
}

/// What a policy handed out when it let a call in, and takes back when the call has ended.
#[derive(Clone, Copy)]
pub enum Ticket {
    Breaker(crate::policies::breaker::Ticket),
}

impl Ticket {
    /// Does it mean anything to the calls made inside of its own?
    #[inline(always)]
    pub fn reaches_inside(&self) -> bool {
        match self {
            Self::Breaker(ticket) => ticket.probe(),
        }
    }
}

/// Why a policy did not let a call in.
pub enum Refusal {
    Breaker(crate::policies::breaker::Rejection),
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
    pub fn of(policy: &Bound<'_, PyAny>, gate: u64) -> PyResult<Self> {
        Ok(Self::Breaker(policy.cast::<breaker::Breaker>()?.get().step(policy.py(), gate)))
    }

    /// The step that the same policy contributes to a plan built under `gate`.
    pub fn renewed(&self, py: Python<'_>, gate: u64) -> Self {
        match self {
            Self::Breaker(step) => Self::Breaker(step.renewed(py, gate)),
        }
    }

    /// Does this policy need to know how long a call took?
    pub fn timed(&self) -> bool {
        match self {
            Self::Breaker(step) => step.timed(),
        }
    }

    /// Lets a call in and fills `slot`, or does not.
    ///
    /// The ticket is written where it stays: handed back by value it would be copied in wider
    /// pieces than it was written in, which stalls the processor for longer than all the rest.
    #[inline(always)]
    pub fn enter<C: Clock>(&self, slot: &mut Slot, clock: &C) -> Result<(), Refusal> {
        match self {
            Self::Breaker(step) => {
                if let Some(ticket) = step.core.admit() {
                    slot.write(Ticket::Breaker(ticket));
                    return Ok(());
                }
                let ticket = step.enter_unhealthy(clock).map_err(Refusal::Breaker)?;
                slot.write(Ticket::Breaker(ticket));
                Ok(())
            }
        }
    }

    /// The call returned `value`, or came to a good end without one (NULL). The ticket is taken by reference for the reason it is written in
    /// place: of a copy, a pending store would have to be waited for.
    #[inline(always)]
    pub fn returned<C: Clock>(
        &self,
        ticket: &Ticket,
        value: *mut ffi::PyObject,
        elapsed: Nanos,
        clock: &C,
    ) {
        match (self, ticket) {
            (Self::Breaker(step), Ticket::Breaker(ticket)) => {
                step.returned(ticket, value, elapsed, clock);
            }
        }
    }

    /// The call ended in another way.
    pub fn ended<C: Clock>(
        &self,
        py: Python<'_>,
        ticket: &Ticket,
        ended: &Ended<'_, '_>,
        elapsed: Nanos,
        clock: &C,
    ) {
        match (self, ticket) {
            (Self::Breaker(step), Ticket::Breaker(ticket)) => {
                step.ended(py, *ticket, ended, elapsed, clock);
            }
        }
    }

    /// The call stands still, or runs on: what its ticket means to calls made here, which are inside
    /// of it while it runs, does not hold meanwhile, or holds again.
    pub fn suspended(&self, py: Python<'_>, ticket: &Ticket, suspended: bool) {
        match (self, ticket) {
            (Self::Breaker(step), Ticket::Breaker(ticket)) => step.suspended(py, ticket, suspended),
        }
    }

    /// The exception that tells a caller of `refusal`.
    pub fn error(&self, py: Python<'_>, refusal: &Refusal) -> PyErr {
        match (self, refusal) {
            (Self::Breaker(step), Refusal::Breaker(rejection)) => step.error(py, rejection),
        }
    }

    /// Gives up what this step owns. Not left to `Drop`, which does not know that the thread is
    /// attached when the interpreter frees a plan, and would put it off.
    pub fn release(self, py: Python<'_>) {
        match self {
            Self::Breaker(step) => step.release(py),
        }
    }

    /// The Python objects the policy was set up with.
    pub fn rules(&self) -> &Py<Rules> {
        match self {
            Self::Breaker(step) => &step.rules,
        }
    }
}
