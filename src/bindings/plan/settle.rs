//! What follows from how a call ended: it is over, or a step wants it once more.
//!
//! Of plans with a step that repeats or bounds calls. The innermost step is asked first; those
//! further out than one that wants the call again still have it.
#![allow(unsafe_code, reason = "slots are filled by the plan, one a step")]

use super::{Plan, PlanRef, Refused, Slot};
use crate::bindings::bulkhead::Loan;
use crate::bindings::call::Call;
use crate::bindings::failures::{self, Carried};
use crate::bindings::step::{Ended, Step, Ticket};
use crate::bindings::timeout::{self, Deadline};
use crate::time::{Clock, Nanos};
use pyo3::prelude::*;
use std::ops::Range;

/// How a call, or what of it lies further in, came to its end.
pub enum Came<'py> {
    Returned(Bound<'py, PyAny>),
    Raised(Carried),
    /// It was waiting to be made again, and this broke the wait off: no attempt raised it.
    Broken(Carried),
    /// By a step that let it in no more than those further in did.
    Refused(Refused),
}

impl Came<'_> {
    /// Sets the exception that it comes to, by `plan`. None: it returned.
    pub fn raise(self, py: Python<'_>, plan: &PlanRef) {
        match self {
            Came::Raised(error) | Came::Broken(error) => error.restore(py),
            Came::Refused(refused) => {
                let error = plan.error(py, &refused);
                drop(refused);
                failures::raise(py, error);
            }
            Came::Returned(_) => {}
        }
    }
}

/// A call that is not made again after all: the first `entered` steps still have it, the innermost
/// of which has had it since `started`.
pub struct Back<'py> {
    pub came: Came<'py>,
    pub entered: usize,
    pub started: Nanos,
}

/// What follows from it.
pub enum Then {
    /// Every step has been told: the call is over.
    Over,
    /// `step` wants what is further in once more, after so long. Those further out wait.
    Again { step: usize, wait: Nanos },
    /// `step` wants another call in the place of what is further in, which [`Plan::ask`] makes. To
    /// it and those further out the call goes on, since `began`.
    Instead { step: usize, began: Nanos },
}

impl Plan {
    /// The work begins at `steps`: by steps of a task, or straight.
    pub fn works(
        &self,
        py: Python<'_>,
        steps: Range<usize>,
        slots: &mut [Slot],
        stepped: bool,
    ) -> PyResult<()> {
        let mut inside = None;
        for at in steps {
            // SAFETY: asked after `enter` has filled the slots of these steps.
            let ticket = unsafe { slots[at].assume_init_mut() };
            if let (Step::Timeout(timeout), Ticket::Timeout(ticket)) = (&self.steps[at], ticket) {
                let outer = inside.take().or_else(|| timeout::innermost(py));
                inside = timeout.works(py, ticket, outer, stepped)?;
            }
        }
        // It knows those around it: the context need not be told of them.
        if let Some(deadline) = inside {
            Deadline::enter(&deadline);
        }
        Ok(())
    }

    /// As [`Plan::works`], of a call that was refused, at the steps that had let it in: somebody
    /// among them may want it again, and is to know by when.
    #[cold]
    pub fn waits(
        &self,
        py: Python<'_>,
        from: usize,
        refused: Refused,
        slots: &mut [Slot],
        stepped: bool,
    ) -> Came<'static> {
        if self.repeats
            && self.bounds
            && let Err(error) = self.works(py, from..refused.step, slots, stepped)
        {
            return Came::Raised(Carried::new(error));
        }
        Came::Refused(refused)
    }

    /// A thread of a pool's gave back an awaitable, at the steps from number `from` on.
    pub fn adopts(&self, py: Python<'_>, from: usize, slots: &mut [Slot]) -> PyResult<()> {
        for (step, slot) in self.steps.iter().zip(slots).skip(from) {
            // SAFETY: as in `works`.
            let ticket = unsafe { slot.assume_init_mut() };
            if let (Step::Timeout(timeout), Ticket::Timeout(ticket)) = (step, ticket) {
                timeout.adopts(py, ticket)?;
            }
        }
        Ok(())
    }

    /// The pool has given the call up that it made for one of the steps.
    #[cold]
    pub fn given_up(&self, slots: &mut [Slot]) {
        for (step, slot) in self.steps.iter().zip(slots) {
            // SAFETY: as in `works`.
            let ticket = unsafe { slot.assume_init_mut() };
            if let (Step::Timeout(timeout), Ticket::Timeout(ticket)) = (step, ticket)
                && timeout.pooled()
            {
                ticket.given_up();
                return;
            }
        }
    }

    /// The pool whose threads run the calls, and for how long, if that is not done here.
    pub fn pool<'py>(&self, py: Python<'py>) -> Option<(Bound<'py, PyAny>, Option<f64>)> {
        self.steps.iter().find_map(|step| step.pool(py))
    }

    /// Would its steps run a call elsewhere, without a limit of time of their own?
    #[cold]
    pub fn timeless(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Bulkhead(one) if one.pooled()))
    }

    /// Takes the permit of a call that was given up, and still runs in a thread of a pool's.
    #[cold]
    pub fn lend(&self, slots: &mut [Slot]) -> Option<Loan> {
        let at = self
            .steps
            .iter()
            .position(|step| matches!(step, Step::Bulkhead(one) if one.pooled()))?;
        // SAFETY: as in `works`.
        unsafe { self.steps[at].lend(&mut slots[at]) }
    }

    /// Tells the steps of the end of a call that was made more than once. To those outside of a
    /// step that made it again it has taken from its first attempt on, less the time it `rested`.
    #[cold]
    pub fn told<C: Clock>(
        &self,
        slots: &[Slot],
        started: Nanos,
        rested: Nanos,
        clock: &C,
        tell: &dyn Fn(&Step, &Ticket, Nanos),
    ) {
        let now = if self.timed { clock.now() } else { 0 };
        let mut since = started;
        for (step, slot) in self.steps.iter().zip(slots).rev() {
            // SAFETY: these steps have let the call in and filled their slots.
            let ticket = unsafe { slot.assume_init_ref() };
            if let Some(began) = ticket.began() {
                since = began.saturating_add(rested);
            }
            tell(step, ticket, now.saturating_sub(since));
        }
    }

    /// Tells the first `entered` steps, the innermost first, what the call came to, until one of
    /// them wants it again.
    #[cold]
    pub fn settle<'py, C: Clock>(
        &self,
        py: Python<'py>,
        slots: &mut [Slot],
        entered: usize,
        started: Nanos,
        came: &mut Came<'py>,
        clock: &C,
    ) -> Then {
        let mut since = started;
        let mut entered = entered;
        let mut degraded = false;
        if let Came::Broken(error) = came {
            let error = std::mem::replace(error, Carried::none());
            // The innermost that still has the call is the one that waited.
            entered = entered.saturating_sub(1);
            if let Some(step) = self.steps.get(entered) {
                // SAFETY: as below.
                let ticket = unsafe { slots[entered].assume_init_ref() };
                since = ticket.began().unwrap_or(since);
                step.ended(py, ticket, &Ended::Dropped, 0, clock);
            }
            *came = Came::Raised(error);
        }
        for at in (0..entered).rev() {
            let (outer, rest) = slots.split_at_mut(at);
            let step = &self.steps[at];
            // SAFETY: the steps below `entered` have let the call in and filled their slots.
            let ticket = unsafe { rest[0].assume_init_mut() };
            if let (Step::Retry(retry), Ticket::Retry(ticket)) = (step, &mut *ticket) {
                let mut around = self.steps.iter().zip(outer.iter());
                // SAFETY: as above.
                let nested = around.any(|(step, slot)| unsafe { step.repeats_on(slot) });
                since = ticket.began();
                let error = |refused: &Refused| self.error(py, refused);
                if let Some(wait) = retry.again(py, ticket, came, nested, &error, clock) {
                    return Then::Again { step: at, wait };
                }
                continue;
            }
            if let Step::Fallback(fallback) = step
                && let Some(ticket) = ticket.of_fallback()
            {
                let error = |refused: &Refused| self.error(py, refused);
                if fallback.settle(py, ticket, came, degraded, &error, clock) {
                    return Then::Instead { step: at, began: ticket.began };
                }
                if ticket.stage.answered() {
                    (degraded, since) = (true, ticket.began);
                }
                continue;
            }
            if let (Step::Timeout(timeout), Ticket::Timeout(ticket)) = (step, &mut *ticket) {
                let error = |refused: &Refused| self.error(py, refused);
                timeout.exit(py, ticket, came, &error, clock);
                continue;
            }
            let elapsed = if self.timed { clock.now().saturating_sub(since) } else { 0 };
            match came {
                Came::Returned(value) => step.returned(ticket, value.as_ptr(), elapsed, clock),
                Came::Raised(error) | Came::Broken(error) => {
                    if let Some(error) = error.get() {
                        step.ended(py, ticket, &Ended::Raised(error), elapsed, clock);
                    }
                }
                Came::Refused(refused) => {
                    let error = || self.error(py, refused);
                    step.ended(py, ticket, &Ended::Refused(&error), elapsed, clock);
                }
            }
        }
        Then::Over
    }

    /// The wait that `step` asked for is over, and a further attempt begins: finds the states of
    /// those further in, as [`Plan::find`] does. Whoever slept may have been woken late: without
    /// time left what was waited after, the `last` attempt's end, is the call's.
    pub fn go_on_from<'py, C: Clock>(
        &self,
        py: Python<'py>,
        step: usize,
        slots: &mut [Slot],
        call: &Call,
        last: Came<'py>,
        clock: &C,
    ) -> Result<(), Back<'py>> {
        let mut came = last;
        if let Some(Step::Retry(retry)) = self.steps.get(step)
            // SAFETY: as in `settle`.
            && let Ticket::Retry(ticket) = unsafe { slots[step].assume_init_mut() }
        {
            let started = ticket.began();
            if retry.is_late(py, ticket, &mut came, clock) {
                return Err(Back { came, entered: step, started });
            }
        }
        drop(came);
        if self.find_from(step + 1, slots, call, clock) {
            return Ok(());
        }
        Err(Back { came: Came::Raised(Carried::pending(py)), entered: step + 1, started: 0 })
    }
}
