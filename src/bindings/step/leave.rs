//! How a policy is told of a call's end.
#![allow(unsafe_code, reason = "drivers run attached, which nothing but they can say")]

use super::{Ended, Step, Ticket};
use crate::bindings::{breaker, bulkhead, fallback};
use crate::policies::breaker::Passed;
use crate::time::{Clock, Nanos};
use pyo3::ffi;
use pyo3::prelude::*;

impl Step {
    /// The call returned `value`, or came to a good end without one (NULL). The ticket is taken by
    /// reference for the reason it is written in place: of a copy, a pending store would have to be
    /// waited for.
    #[inline(always)]
    pub fn returned<C: Clock>(
        &self,
        ticket: &Ticket,
        value: *mut ffi::PyObject,
        elapsed: Nanos,
        clock: &C,
    ) {
        let mut passed = Passed::Not;
        if let Self::Breaker(step) = self
            && let Ticket::Closed(generation) = ticket
        {
            let ticket = crate::policies::breaker::Ticket::closed(*generation);
            passed = step.pass(&step.core, &ticket, value, elapsed, clock);
            if passed == Passed::Quietly {
                return;
            }
        }
        match (self, ticket) {
            (Self::Bulkhead(bulkhead), Ticket::Permit(permit)) if bulkhead.give_back(*permit) => {
                return;
            }
            (Self::Fallback(fallback), Ticket::Answerable) => return fallback.went_well(),
            // Nothing is owed to it.
            (Self::RateLimit(_), _) => return,
            _ => {}
        }
        self.returned_otherwise(passed, ticket, value, elapsed, clock);
    }

    /// Not the way that most calls take.
    #[inline(never)]
    fn returned_otherwise<C: Clock>(
        &self,
        passed: Passed,
        ticket: &Ticket,
        value: *mut ffi::PyObject,
        elapsed: Nanos,
        clock: &C,
    ) {
        match (self, ticket) {
            (Self::Breaker(step), ticket) => {
                let (which, ticket) = (breaker::Which::own(step), ticket.of_breaker());
                step.returned_unhealthy(passed, &which, &ticket, value, elapsed, clock);
            }
            (Self::KeyedBreaker(keyed), Ticket::KeyedBreaker(circuit, ticket)) => {
                keyed.returned(*circuit, ticket, value, elapsed, clock);
            }
            (Self::Fallback(fallback), Ticket::Fallback(ticket)) => fallback.returned(ticket),
            (Self::Retry(retry), Ticket::Retry(ticket)) => retry.returned(ticket, value, clock),
            (Self::Timeout(timeout), Ticket::Timeout(ticket)) => {
                // SAFETY: drivers run attached.
                timeout.ended(unsafe { Python::assume_attached() }, &mut { *ticket }, true);
            }
            (Self::Bulkhead(bulkhead), ticket) => {
                // SAFETY: drivers run attached.
                Self::out(unsafe { Python::assume_attached() }, bulkhead, ticket);
            }
            // A step's slot holds its own kind of ticket.
            _ => {}
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
            (Self::Breaker(step), ticket) => {
                let (which, ticket) = (breaker::Which::own(step), ticket.of_breaker());
                step.ended(py, &which, ticket, ended, elapsed, clock);
            }
            (Self::KeyedBreaker(keyed), Ticket::KeyedBreaker(circuit, ticket)) => {
                circuit.with(py, |which| {
                    keyed.step().ended(py, which, *ticket, ended, elapsed, clock);
                });
                circuit.release();
            }
            (Self::Retry(retry), Ticket::Retry(ticket)) => retry.ended(py, ticket, ended, clock),
            (Self::Timeout(timeout), Ticket::Timeout(ticket)) => {
                timeout.ended(py, &mut { *ticket }, false);
            }
            (Self::Bulkhead(bulkhead), ticket) => Self::out(py, bulkhead, ticket),
            (Self::Fallback(fallback), Ticket::Fallback(ticket)) => fallback.ended(ticket, ended),
            (Self::Fallback(fallback), _) => fallback.ended(&fallback::Ticket::new(None), ended),
            _ => {}
        }
    }

    fn out(py: Python<'_>, bulkhead: &bulkhead::Step, ticket: &Ticket) {
        match ticket {
            Ticket::Permit(permit) => bulkhead.hand_on(py, *permit),
            Ticket::Bulkhead(ticket) => bulkhead.ended(py, ticket),
            _ => {}
        }
    }
}
