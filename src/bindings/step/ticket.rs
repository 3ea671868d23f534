//! What a policy hands out: a ticket to a call that it lets in, a refusal to one that it does not.
#![allow(unsafe_code, reason = "slots are filled by the plan, one a step")]

use crate::bindings::breaker::CircuitRef;
use crate::bindings::{bulkhead, fallback, rate_limit, retry, timeout};
use crate::policies::breaker;
use crate::policies::bulkhead::Permit;
use crate::time::Nanos;
use pyo3::ffi;
use pyo3::prelude::*;
use std::hint::unreachable_unchecked;
use std::mem::MaybeUninit;
use std::ptr;

/// What a policy handed out when it let a call in, and takes back when the call has ended.
#[derive(Clone, Copy)]
pub enum Ticket {
    /// Of a closed circuit's generation: what nearly every call has, in two words.
    Closed(u64),
    Breaker(breaker::Ticket),
    /// Found, and not let in yet.
    Circuit(CircuitRef),
    KeyedBreaker(CircuitRef, breaker::Ticket),
    /// Found, and not let in yet.
    Metered(rate_limit::Found),
    /// Its time is reserved, and has not come.
    Delayed(rate_limit::Turn),
    /// Let in: nothing more is asked of it.
    RateLimit,
    Retry(retry::Ticket),
    Timeout(timeout::Ticket),
    /// Of a bulkhead with one state for all calls.
    Permit(Permit),
    Bulkhead(bulkhead::Ticket),
    /// Of a fallback that knows nothing of the call yet: what nearly every call has.
    Answerable,
    Fallback(fallback::Ticket),
}

impl Ticket {
    /// When the first attempt of its call began, if it knows.
    pub fn began(&self) -> Option<Nanos> {
        match self {
            Self::Retry(ticket) => Some(ticket.began()),
            _ => None,
        }
    }

    /// Does it mean anything to the calls made inside of its own?
    #[inline(always)]
    pub fn reaches_inside(&self) -> bool {
        match self {
            Self::Breaker(ticket) | Self::KeyedBreaker(_, ticket) => ticket.probe(),
            Self::Closed(_)
            | Self::Circuit(_)
            | Self::Metered(_)
            | Self::Delayed(_)
            | Self::RateLimit
            | Self::Permit(_)
            | Self::Bulkhead(_)
            | Self::Answerable
            | Self::Fallback(_) => false,
            Self::Retry(ticket) => ticket.published(),
            Self::Timeout(ticket) => ticket.minds_suspension(),
        }
    }

    /// The object that it owns and the collector is to know of. NULL: none.
    pub fn object(&self) -> *mut ffi::PyObject {
        match self {
            Self::Timeout(ticket) => ticket.object(),
            Self::Fallback(ticket) => ticket.object(),
            _ => ptr::null_mut(),
        }
    }

    /// The ticket in the slot of a fallback's step, with room for what it learns of the call.
    pub fn of_fallback(&mut self) -> Option<&mut fallback::Ticket> {
        if let Self::Answerable = self {
            *self = Self::Fallback(fallback::Ticket::new(None));
        }
        if let Self::Fallback(ticket) = self { Some(ticket) } else { None }
    }

    /// The ticket in the slot of a breaker's step.
    #[inline(always)]
    pub(super) fn of_breaker(&self) -> breaker::Ticket {
        match self {
            Self::Closed(generation) => breaker::Ticket::closed(*generation),
            Self::Breaker(ticket) => *ticket,
            Self::Circuit(_)
            | Self::KeyedBreaker(..)
            | Self::Metered(_)
            | Self::Delayed(_)
            | Self::RateLimit
            | Self::Retry(_)
            | Self::Timeout(_)
            | Self::Permit(_)
            | Self::Bulkhead(_)
            | Self::Answerable
            | Self::Fallback(_) => {
                // SAFETY: `enter` fills the slot of this kind of step with the kinds above.
                unsafe { unreachable_unchecked() }
            }
        }
    }
}

/// Room for a refusal.
pub type RefusalSlot = MaybeUninit<Refusal>;

/// Why a policy did not let a call in.
pub enum Refusal {
    Breaker(breaker::Rejection),
    KeyedBreaker(CircuitRef, breaker::Rejection),
    RateLimit(rate_limit::Refusal),
    /// There is a retry around this one.
    Retry,
    /// There is no time left: this deadline has passed.
    Deadline(Py<timeout::Deadline>),
    Bulkhead(bulkhead::Rejection),
    /// Not yet: the call may wait for what its ticket says.
    Waits,
}

impl Refusal {
    /// The deadline that has passed, if it is the time that there is none of, and no policy that sheds
    /// load.
    pub fn passed(&self) -> Option<&Py<timeout::Deadline>> {
        if let Self::Deadline(passed) = self { Some(passed) } else { None }
    }

    /// Did the call wait to be let in until its time was over?
    pub fn out_of_time(&self) -> bool {
        matches!(self, Self::Bulkhead(rejection) if rejection.why == bulkhead::Why::Deadline)
    }

    /// After how long a call may be let in, if that is known.
    pub fn retry_after(&self) -> Option<Nanos> {
        match self {
            Self::Breaker(rejection) | Self::KeyedBreaker(_, rejection) => rejection.retry_after,
            Self::RateLimit(refusal) => refusal.why.retry_after,
            Self::Retry | Self::Deadline(_) | Self::Bulkhead(_) | Self::Waits => None,
        }
    }
}

impl Drop for Refusal {
    fn drop(&mut self) {
        match self {
            Self::Breaker(_) | Self::Retry | Self::Deadline(_) | Self::Waits => {}
            Self::KeyedBreaker(circuit, _) => circuit.release(),
            Self::RateLimit(refusal) => refusal.release(),
            Self::Bulkhead(rejection) => rejection.release(),
        }
    }
}
