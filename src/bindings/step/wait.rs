//! A policy that lets calls wait, and calls that outlive their caller.
#![allow(unsafe_code, reason = "slots are filled by the plan, one a step")]

use super::{Refusal, Step, Ticket};
use crate::bindings::clock::ambient;
use crate::bindings::plan::Slot;
use crate::bindings::wait::Wait;
use crate::bindings::{bulkhead, rate_limit};
use crate::time::Clock;
use pyo3::prelude::*;

impl Step {
    /// Takes the permit of the call with the ticket in `slot`, which was given up and still runs.
    ///
    /// # Safety
    /// It has let the call in.
    #[cold]
    pub unsafe fn lend(&self, slot: &mut Slot) -> Option<bulkhead::Loan> {
        let Self::Bulkhead(bulkhead) = self else { return None };
        // SAFETY: as the caller promises.
        let mut ticket = match unsafe { *slot.assume_init_ref() } {
            Ticket::Permit(permit) => bulkhead::Step::ticket_of(permit),
            Ticket::Bulkhead(ticket) => ticket,
            _ => return None,
        };
        let loan = bulkhead.lend(&mut ticket);
        slot.write(Ticket::Bulkhead(ticket));
        loan
    }

    /// What the call waits for that has its ticket in `slot`, and how long.
    ///
    /// # Safety
    /// It has let it wait.
    #[cold]
    pub unsafe fn wait<'py, C: Clock>(&self, py: Python<'py>, slot: &Slot, clock: &C) -> Wait<'py> {
        // SAFETY: as the caller promises.
        match (self, unsafe { slot.assume_init_ref() }) {
            (Self::Bulkhead(bulkhead), Ticket::Bulkhead(ticket)) => {
                bulkhead.wait(py, ticket, clock)
            }
            (Self::RateLimit(limit), Ticket::Delayed(turn)) => limit.wait(py, *turn, clock),
            _ => Wait { bell: None, left: 0 },
        }
    }

    /// The wait of the call with the ticket in `slot` is over: lets it in, or does not.
    ///
    /// # Safety
    /// It has let it wait.
    #[cold]
    pub unsafe fn resume<C: Clock>(
        &self,
        py: Python<'_>,
        slot: &mut Slot,
        clock: &C,
    ) -> Result<(), Refusal> {
        // SAFETY: as the caller promises.
        match (self, unsafe { *slot.assume_init_ref() }) {
            (Self::Bulkhead(bulkhead), Ticket::Bulkhead(ticket)) => {
                let ticket = bulkhead.resume(py, ticket, clock).map_err(Refusal::Bulkhead)?;
                slot.write(Ticket::Bulkhead(ticket));
                Ok(())
            }
            (Self::RateLimit(limit), Ticket::Delayed(turn)) => {
                match limit.resume(py, turn, clock) {
                    rate_limit::Asked::In => {
                        slot.write(Ticket::RateLimit);
                        Ok(())
                    }
                    rate_limit::Asked::Waits(_) => Err(Refusal::Waits),
                    rate_limit::Asked::Not(refusal) => Err(Refusal::RateLimit(refusal)),
                }
            }
            _ => Ok(()),
        }
    }

    /// The call with the ticket in `slot` waits no longer, and does not want to be let in.
    ///
    /// # Safety
    /// It has let it wait.
    #[cold]
    pub unsafe fn forsake(&self, py: Python<'_>, slot: &Slot) {
        // SAFETY: as the caller promises.
        match (self, unsafe { slot.assume_init_ref() }) {
            (Self::Bulkhead(bulkhead), Ticket::Bulkhead(ticket)) => bulkhead.forsake(py, ticket),
            (Self::RateLimit(limit), Ticket::Delayed(turn)) => {
                limit.forsake(py, *turn, &ambient(py));
            }
            _ => {}
        }
    }
}
