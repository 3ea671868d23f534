//! What a call under a timeout has of it: its time, the deadline inside, and how far it has got.
#![allow(unsafe_code, reason = "a ticket owns the deadline that it has set")]

use super::deadline::Deadline;
use super::hosts::{self, Host};
use crate::bindings::failures::report;
use crate::time::Nanos;
use pyo3::ffi;
use pyo3::prelude::*;
use std::ptr;

/// A call under a timeout.
#[derive(Clone, Copy)]
pub struct Ticket {
    /// When its time is over.
    pub(super) at: Nanos,
    /// The deadline that holds inside. Owned by the call; NULL: none, or not any more.
    pub(super) deadline: *mut ffi::PyObject,
    pub(super) stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// It runs to its end before its caller goes on, so far.
    Straight,
    /// It was handed on as an awaitable, which nobody has stepped yet.
    Adopted,
    /// It is stepped by a task, and has not been suspended.
    Stepped,
    /// Its alarm is set.
    Armed,
    /// It was made in a thread of a pool's, which was given up.
    GivenUp,
}

// SAFETY: a call's ticket is only touched by whoever has the call, attached.
unsafe impl Send for Ticket {}
// SAFETY: as above.
unsafe impl Sync for Ticket {}

impl Ticket {
    /// Of a call that begins, and has time until `at`.
    #[inline(always)]
    pub(super) fn new(at: Nanos) -> Self {
        Self { at, deadline: ptr::null_mut(), stage: Stage::Straight }
    }

    /// When its time is over.
    pub fn at(&self) -> Nanos {
        self.at
    }

    /// Has it something to do when its call is suspended?
    #[inline(always)]
    pub fn minds_suspension(&self) -> bool {
        self.stage != Stage::Armed
    }

    /// The deadline, for the collector.
    pub fn object(&self) -> *mut ffi::PyObject {
        self.deadline
    }

    /// Is it made by steps?
    pub(super) fn is_stepped(&self) -> bool {
        matches!(self.stage, Stage::Stepped | Stage::Armed)
    }

    pub(super) fn deadline<'py>(&self, py: Python<'py>) -> Option<Bound<'py, Deadline>> {
        // SAFETY: NULL, or made by us, and owned.
        unsafe { Some(Bound::from_borrowed_ptr_or_opt(py, self.deadline)?.cast_into_unchecked()) }
    }

    /// The pool did not wait for it any longer.
    pub fn given_up(&mut self) {
        self.stage = Stage::GivenUp;
    }

    pub(super) fn arm(&mut self, deadline: &Bound<'_, Deadline>, host: Host<'_>) -> PyResult<()> {
        self.stage = Stage::Armed;
        deadline.get().arm_at(deadline.py(), host, self.at)
    }

    /// The call stands still, or runs on. A task's alarm is set when it first stands still: until
    /// then nobody could have cancelled it.
    pub fn suspended(&mut self, py: Python<'_>, suspended: bool) {
        let Some(deadline) = self.deadline(py) else { return };
        match (self.stage, suspended) {
            (Stage::Adopted, false) => {
                self.stage = Stage::Stepped;
                Deadline::enter(&deadline);
                if hosts::in_trio(py)
                    && let Err(error) = self.arm(&deadline, Host::Trio)
                {
                    report(py, error, deadline.as_any());
                }
            }
            (Stage::Straight | Stage::Stepped, true) => {
                let stepped = self.stage == Stage::Stepped;
                if let Some(host) = stepped.then(|| hosts::here(py).ok()).flatten() {
                    // A shield that was entered before keeps it off; it is set where it waits next.
                    if !Deadline::shielded(&deadline)
                        && let Err(error) = self.arm(&deadline, host)
                    {
                        report(py, error, deadline.as_any());
                    }
                } else {
                    // Handed on as an awaitable; or driven by hand, where there is no task to
                    // cancel, and it ends late: in both cases, who goes on here is not inside of it.
                    self.stage = Stage::Adopted;
                    Deadline::leave(&deadline);
                }
            }
            _ => {}
        }
    }

    pub(super) fn let_go(&mut self) {
        let deadline = std::mem::replace(&mut self.deadline, ptr::null_mut());
        // SAFETY: owned by the call, which is over.
        unsafe { ffi::Py_XDECREF(deadline) };
    }
}
