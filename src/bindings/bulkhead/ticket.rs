//! What a call has of a bulkhead: a permit, a place in the queue, or a refusal.
#![allow(unsafe_code, reason = "a ticket owns its place in the queue")]

use super::bell::{Bell, give_back};
use super::lanes::{LaneRef, Room};
use crate::policies::bulkhead::Permit;
use crate::time::Nanos;
use pyo3::ffi;
use pyo3::prelude::*;
use std::sync::Arc;

/// A call that was let in, or waits to be.
#[derive(Clone, Copy)]
pub struct Ticket {
    pub(super) lane: Option<LaneRef>,
    pub(super) stage: Stage,
}

#[derive(Clone, Copy)]
pub(super) enum Stage {
    /// Its lane was found, and it has asked for nothing yet.
    Found,
    In(Permit),
    /// Its permit went with the thread that still runs it: see [`Loan`].
    Lent,
    /// It waits for this bell, which it owns.
    Waits(*mut ffi::PyObject),
}

// SAFETY: a call's ticket is only touched by whoever has the call, attached.
unsafe impl Send for Ticket {}
// SAFETY: as above.
unsafe impl Sync for Ticket {}

impl Ticket {
    pub(super) fn bell<'py>(&self, py: Python<'py>) -> Option<Bound<'py, Bell>> {
        let Stage::Waits(bell) = self.stage else { return None };
        // SAFETY: made by us, and owned.
        unsafe { Some(Bound::from_borrowed_ptr(py, bell).cast_into_unchecked()) }
    }

    pub(super) fn let_go(&self) {
        if let Stage::Waits(bell) = self.stage {
            // SAFETY: owned; its holder asks it no more.
            unsafe { ffi::Py_DECREF(bell) };
        }
        if let Some(lane) = self.lane {
            lane.release();
        }
    }
}

/// The permit of a call that was given up, and still runs in a thread that can't be stopped.
pub struct Loan {
    pub(super) room: Arc<Room>,
    pub(super) lane: Option<LaneRef>,
    pub(super) permit: Permit,
}

impl Loan {
    /// The call has ended after all.
    pub fn give_back(self, py: Python<'_>) {
        match self.lane {
            None => give_back(py, &self.room.core, self.permit),
            Some(lane) => {
                give_back(py, &lane.bind(py).get().room.core, self.permit);
                lane.release();
            }
        }
    }
}

/// Why a call was not let in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// As many as may be were in, and as many waited as may.
    Full,
    /// It waited as long as it may.
    Waited,
    /// The deadline around it had passed, or came first.
    Deadline,
}

impl Why {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Waited => "waited",
            Self::Deadline => "deadline",
        }
    }
}

/// A call that was not let in.
pub struct Rejection {
    pub why: Why,
    pub lane: Option<LaneRef>,
    pub waited: Nanos,
    pub waiting: usize,
}

impl Rejection {
    /// Gives up what it owns.
    pub fn release(&self) {
        if let Some(lane) = self.lane {
            lane.release();
        }
    }
}

/// What came of asking for a permit.
pub enum Asked {
    In(Ticket),
    Waits(Ticket),
    Not(Rejection),
}
