//! What a call of a retry's keeps from its first attempt to its last.
#![allow(unsafe_code, reason = "a ticket owns what it keeps for the attempts to come")]

use super::nest::Nest;
use crate::policies::backoff::Memory;
use crate::policies::retry::Run;
use crate::time::Nanos;
use pyo3::ffi;
use pyo3::prelude::*;
use std::ptr;

/// A call that a retry has let in.
#[derive(Clone, Copy)]
pub struct Ticket {
    pub(super) run: Run,
    /// What only some calls need. Owned by the call, and freed when that is over. With [`NEST`] set
    /// it is the address of no more than the call's nest: most calls that have one need no more.
    extra: *mut Extra,
}

/// Objects and boxes lie at even addresses.
const NEST: usize = 1;

// SAFETY: a call's ticket is only touched by whoever has the call, attached.
unsafe impl Send for Ticket {}
// SAFETY: as above.
unsafe impl Sync for Ticket {}

/// What a call keeps from one attempt to the next.
pub struct Extra {
    /// Which source gave the last delays, how many, and what they leave for the next.
    pub source: Option<usize>,
    pub n: u32,
    pub memory: Memory,
    /// The call, as retries inside of it see it. NULL: they can't.
    nest: *mut ffi::PyObject,
}

impl Ticket {
    /// Of a call whose first attempt begins.
    #[inline(always)]
    pub(super) fn new(began: Nanos) -> Self {
        Self { run: Run::new(began), extra: ptr::null_mut() }
    }

    /// The call was not let in after all.
    #[cold]
    pub(super) fn abandon(&self) {
        if !self.bare() {
            // SAFETY: only drivers enter, and they run attached.
            self.let_go(unsafe { Python::assume_attached() });
        }
    }

    /// When the first attempt began.
    pub fn began(&self) -> Nanos {
        self.run.began
    }

    pub(super) fn extra(&mut self) -> &mut Extra {
        if self.extra.is_null() || self.only_nest() {
            let (source, n, memory, nest) = (None, 0, Memory::default(), self.nest_ptr());
            self.extra = Box::into_raw(Box::new(Extra { source, n, memory, nest }));
        }
        // SAFETY: made by us, and nobody else has it while the call is asked about its end.
        unsafe { &mut *self.extra }
    }

    fn only_nest(&self) -> bool {
        self.extra.addr() & NEST != 0
    }

    fn nest_ptr(&self) -> *mut ffi::PyObject {
        if self.only_nest() {
            return self.extra.map_addr(|address| address & !NEST).cast();
        }
        // SAFETY: as in `extra`.
        unsafe { self.extra.as_ref() }.map_or(ptr::null_mut(), |extra| extra.nest)
    }

    /// Before anything else is kept.
    pub(super) fn keep_nest(&mut self, nest: Py<Nest>) {
        self.extra = nest.into_ptr().map_addr(|address| address | NEST).cast();
    }

    pub(super) fn nest<'py>(&self, py: Python<'py>) -> Option<Bound<'py, Nest>> {
        // SAFETY: NULL, or made by us, and owned.
        unsafe { Some(Bound::from_borrowed_ptr_or_opt(py, self.nest_ptr())?.cast_into_unchecked()) }
    }

    /// Do the calls made inside of it know of it?
    #[inline(always)]
    pub fn published(&self) -> bool {
        !self.extra.is_null() && !self.nest_ptr().is_null()
    }

    /// Is there nothing to let go of?
    #[inline(always)]
    pub(super) fn bare(&self) -> bool {
        self.extra.is_null()
    }

    /// The call stands still, or runs on.
    pub fn suspended(&self, py: Python<'_>, suspended: bool) {
        if let Some(nest) = self.nest(py) {
            if suspended { Nest::leave(&nest) } else { Nest::enter(&nest) }
        }
    }

    pub(super) fn let_go(&self, py: Python<'_>) {
        if let Some(nest) = self.nest(py) {
            nest.get().withdraw();
            // SAFETY: the call is over: nobody asks its ticket again.
            unsafe { ffi::Py_DECREF(nest.as_ptr()) };
        }
        if !self.extra.is_null() && !self.only_nest() {
            // SAFETY: as above.
            drop(unsafe { Box::from_raw(self.extra) });
        }
    }
}
