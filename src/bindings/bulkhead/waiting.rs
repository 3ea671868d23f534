//! A call that waits for a permit: how long, and what becomes of its place.
#![allow(unsafe_code, reason = "a ticket owns its place in the queue")]

use super::bell::{Bell, give_back};
use super::events::Told;
use super::step::Step;
use super::ticket::{Rejection, Stage, Ticket, Why};
use crate::bindings::timeout;
use crate::bindings::wait::Wait;
use crate::policies::bulkhead::Left;
use crate::time::{Clock, LATEST, Nanos};
use pyo3::ffi;
use pyo3::prelude::*;

impl Step {
    /// What a call with `ticket` waits for, and how long.
    pub fn wait<'py, C: Clock>(&self, py: Python<'py>, ticket: &Ticket, clock: &C) -> Wait<'py> {
        let Some(bell) = ticket.bell(py) else { return Wait { bell: None, left: 0 } };
        let now = clock.now();
        let left = self.until(&bell).saturating_sub(now);
        let left = timeout::time_left(py, now).map_or(left, |deadline| deadline.min(left));
        Wait { bell: Some(bell.into_any()), left }
    }

    fn until(&self, bell: &Bound<'_, Bell>) -> Nanos {
        bell.get().began.saturating_add(self.settings.max_wait).min(LATEST)
    }

    /// The wait is over.
    pub fn resume<C: Clock>(
        &self,
        py: Python<'_>,
        ticket: Ticket,
        clock: &C,
    ) -> Result<Ticket, Rejection> {
        let Some(bell) = ticket.bell(py) else { return Ok(ticket) };
        let lane = ticket.lane;
        let now = clock.now();
        let over = timeout::passed(py, clock);
        let left = self.with(py, lane, |room| {
            let left = match room.core.leave(bell.get().number()) {
                Left::Granted(_) if bell.get().dead() => Left::Lost,
                // Nothing begins where no time is left: the next one has it.
                Left::Granted(permit) if over => {
                    give_back(py, &room.core, permit);
                    Left::Lost
                }
                left => left,
            };
            match &left {
                Left::Granted(_) => {
                    room.counts.entered.bump();
                    room.counts.waited.bump();
                }
                Left::Gone(_) | Left::Lost => room.counts.timed_out.bump(),
            }
            left
        });
        let waited = now.saturating_sub(bell.get().began);
        let in_time = now < self.until(&bell);
        // SAFETY: the ticket's own reference, of which it is rid from here on.
        unsafe { ffi::Py_DECREF(bell.as_ptr()) };
        match left {
            Left::Granted(permit) => {
                self.tell(py, lane, &Told::Waited(waited));
                Ok(Ticket { lane, stage: Stage::In(permit) })
            }
            Left::Gone(_) | Left::Lost => {
                if let Left::Gone(kept) = left {
                    drop(kept.into_bound(py));
                }
                let why = if over || in_time { Why::Deadline } else { Why::Waited };
                let waiting = self.with(py, lane, |room| room.core.waiting());
                let rejection = Rejection { why, lane, waited, waiting };
                self.tell(py, lane, &Told::Rejected(&rejection));
                Err(rejection)
            }
        }
    }

    /// The wait was broken off.
    pub fn forsake(&self, py: Python<'_>, ticket: &Ticket) {
        self.with(py, ticket.lane, |room| room.counts.cancelled.bump());
        self.take_back(py, ticket);
        if let Some(lane) = ticket.lane {
            lane.release();
        }
    }

    /// Takes back the permit of `ticket`, or its place in the queue. The lane stays its own.
    pub(super) fn take_back(&self, py: Python<'_>, ticket: &Ticket) {
        self.with(py, ticket.lane, |room| match ticket.stage {
            Stage::Found | Stage::Lent => {}
            Stage::In(permit) => give_back(py, &room.core, permit),
            Stage::Waits(_) => {
                let Some(bell) = ticket.bell(py) else { return };
                match room.core.leave(bell.get().number()) {
                    Left::Granted(permit) if !bell.get().dead() => {
                        give_back(py, &room.core, permit);
                    }
                    Left::Gone(kept) => drop(kept.into_bound(py)),
                    Left::Granted(_) | Left::Lost => {}
                }
                // SAFETY: the ticket's own reference, of which it is rid.
                unsafe { ffi::Py_DECREF(bell.as_ptr()) };
            }
        });
    }
}
