//! What a plan must know of its policies, once it is built, to go the shortest way.
#![allow(unsafe_code, reason = "slots are filled by the plan, one a step")]

use super::{Step, Ticket};
use crate::bindings::plan::Slot;
use pyo3::prelude::*;

impl Step {
    /// Must it look at a call before that enters: has it a state for each key, or asks what a call
    /// costs?
    pub fn keyed(&self) -> bool {
        match self {
            Self::KeyedBreaker(_) => true,
            Self::RateLimit(limit) => limit.asks(),
            Self::Bulkhead(bulkhead) => bulkhead.keyed(),
            Self::Fallback(fallback) => fallback.remembers(),
            Self::Breaker(_) | Self::Retry(_) | Self::Timeout(_) => false,
        }
    }

    /// May it let a call wait before it lets it in?
    pub fn queues(&self) -> bool {
        match self {
            Self::Bulkhead(bulkhead) => bulkhead.queues(),
            Self::RateLimit(limit) => limit.queues(),
            Self::Breaker(_)
            | Self::KeyedBreaker(_)
            | Self::Retry(_)
            | Self::Timeout(_)
            | Self::Fallback(_) => false,
        }
    }

    /// Does this policy need to know how long a call took?
    pub fn timed(&self) -> bool {
        match self {
            Self::Breaker(step) => step.timed(),
            Self::KeyedBreaker(keyed) => keyed.step().timed(),
            Self::RateLimit(_)
            | Self::Retry(_)
            | Self::Timeout(_)
            | Self::Bulkhead(_)
            | Self::Fallback(_) => false,
        }
    }

    /// Might it want a call once more, or another in its place?
    pub fn repeats(&self) -> bool {
        matches!(self, Self::Retry(_)) || self.replaces()
    }

    /// Might it want another call in the place of one that failed?
    pub fn replaces(&self) -> bool {
        matches!(self, Self::Fallback(_))
    }

    /// Must it be asked what follows from a return?
    pub fn judges(&self) -> bool {
        match self {
            Self::Retry(retry) => retry.judges_results(),
            Self::Timeout(_) => true,
            Self::Fallback(fallback) => fallback.judges(),
            Self::Breaker(_) | Self::KeyedBreaker(_) | Self::RateLimit(_) | Self::Bulkhead(_) => {
                false
            }
        }
    }

    /// Must it be told when the work begins?
    pub fn bounds(&self) -> bool {
        match self {
            Self::Timeout(_) => true,
            Self::Bulkhead(bulkhead) => bulkhead.pooled(),
            Self::Breaker(_)
            | Self::KeyedBreaker(_)
            | Self::RateLimit(_)
            | Self::Retry(_)
            | Self::Fallback(_) => false,
        }
    }

    /// Is it a policy of time, which starts nothing when there is none left?
    pub fn minds_time(&self) -> bool {
        matches!(self, Self::Retry(_) | Self::Timeout(_))
    }

    /// The pool whose threads run the calls, and for how long, if that is not done here.
    pub fn pool<'py>(&self, py: Python<'py>) -> Option<(Bound<'py, PyAny>, Option<f64>)> {
        match self {
            Self::Timeout(timeout) => timeout.pool(py).map(|(pool, limit)| (pool, Some(limit))),
            Self::Bulkhead(bulkhead) => bulkhead.pool(py).map(|pool| (pool, None)),
            Self::Breaker(_)
            | Self::KeyedBreaker(_)
            | Self::RateLimit(_)
            | Self::Retry(_)
            | Self::Fallback(_) => None,
        }
    }

    /// Has it an attempt left, of the call that has its ticket in `slot`?
    ///
    /// # Safety
    /// It has let the call in.
    pub unsafe fn repeats_on(&self, slot: &Slot) -> bool {
        match self {
            // SAFETY: as the caller promises.
            Self::Retry(retry) => match unsafe { slot.assume_init_ref() } {
                Ticket::Retry(ticket) => retry.left(ticket),
                _ => false,
            },
            Self::Breaker(_)
            | Self::KeyedBreaker(_)
            | Self::RateLimit(_)
            | Self::Timeout(_)
            | Self::Bulkhead(_)
            | Self::Fallback(_) => false,
        }
    }

    /// It is part of a plan from now on, in which somebody wants to know how long calls take, or
    /// nobody does.
    pub fn placed(&mut self, timed: bool) {
        match self {
            Self::Retry(retry) => retry.placed(timed),
            Self::Fallback(fallback) => fallback.placed(timed),
            _ => {}
        }
    }

    /// Another step of its plan has just asked whether there is time left.
    pub fn placed_behind(&mut self) {
        match self {
            Self::Retry(retry) => retry.asks_time = false,
            Self::Timeout(timeout) => timeout.asks_time = false,
            Self::Breaker(_)
            | Self::KeyedBreaker(_)
            | Self::RateLimit(_)
            | Self::Bulkhead(_)
            | Self::Fallback(_) => {}
        }
    }
}
