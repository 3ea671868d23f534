//! A call that waits before a step lets it in: it is asked again when the wait is over, or told that
//! it was broken off.
#![allow(unsafe_code, reason = "slots are filled by the plan, one a step")]

use super::{Plan, Refused, Slot};
use crate::bindings::step::{Refusal, Step};
use crate::bindings::wait::{Wait, Waiter};
use crate::time::{Clock, Nanos};
use pyo3::prelude::*;

impl Refused {
    /// None yet: the call may wait for what the step has put into its slot, and still be let in:
    /// those further out have it meanwhile. See [`Plan::resume`] and [`Plan::forsake`], one of which is
    /// owed.
    pub fn waiting(step: usize) -> Self {
        Self { step, refusal: Refusal::Waits }
    }

    /// See [`Refused::waiting`].
    #[inline(always)]
    pub fn waits(&self) -> bool {
        matches!(self.refusal, Refusal::Waits)
    }
}

impl Plan {
    /// What the call waits for that step number `at` lets wait.
    #[cold]
    pub fn wait<'py, C: Clock>(
        &self,
        py: Python<'py>,
        at: usize,
        slots: &[Slot],
        clock: &C,
    ) -> Wait<'py> {
        // SAFETY: that step has filled its slot.
        unsafe { self.steps[at].wait(py, &slots[at], clock) }
    }

    /// The wait is over: enters on from step number `at`, which may refuse after all; and another may
    /// let wait.
    #[cold]
    pub fn resume<C: Clock>(
        &self,
        py: Python<'_>,
        at: usize,
        slots: &mut [Slot],
        clock: &C,
    ) -> Result<Nanos, Refused> {
        // SAFETY: that step has let the call wait.
        match unsafe { self.steps[at].resume(py, &mut slots[at], clock) } {
            Ok(()) => self.enter_from(at + 1, slots, clock),
            Err(refusal) => Err(self.refuse(at, refusal, slots, clock)),
        }
    }

    /// The wait at step number `at` was broken off. Those further out are still to be told.
    #[cold]
    pub fn forsake(&self, py: Python<'_>, at: usize, slots: &[Slot]) {
        // SAFETY: that step has let the call wait.
        unsafe { self.steps[at].forsake(py, &slots[at]) };
        for (step, slot) in self.steps.iter().zip(slots).skip(at + 1) {
            step.forget(slot);
        }
    }

    /// Who waits if `step` does: the kind of policy, and what it is called.
    pub fn waiter<'py>(&self, py: Python<'py>, step: usize) -> Option<Waiter<'py>> {
        match self.steps.get(step)? {
            Step::Retry(retry) => Some(("retry", retry.name(py).into_any())),
            Step::Bulkhead(bulkhead) => Some(("bulkhead", bulkhead.name(py).into_any())),
            Step::RateLimit(limit) => Some(("rate limit", limit.name(py).into_any())),
            Step::Breaker(_) | Step::KeyedBreaker(_) | Step::Timeout(_) | Step::Fallback(_) => None,
        }
    }
}
