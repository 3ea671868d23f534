//! What a call has while it is asked about, and while it waits.
#![allow(unsafe_code, reason = "tickets hold references that the drivers give back")]

use super::meters::Meter;
use crate::bindings::bulkhead::Bell;
use crate::policies::rate_limit::{Cost, Refusal as Why};
use crate::time::Nanos;
use pyo3::ffi;
use pyo3::prelude::*;
use std::ptr;

/// What was found out about a call before it enters.
#[derive(Clone, Copy)]
pub struct Found {
    /// Owned: the state of its key. NULL: there is one for all calls.
    meter: *mut ffi::PyObject,
    pub cost: Cost,
}

// SAFETY: the pointee is a frozen object whose words are changed by compare-and-swap.
unsafe impl Send for Found {}
// SAFETY: as above.
unsafe impl Sync for Found {}

impl Found {
    pub fn new(meter: Option<Bound<'_, Meter>>, cost: Cost) -> Self {
        Self { meter: meter.map_or(ptr::null_mut(), Bound::into_ptr), cost }
    }

    /// Gives back what it owns. Its holders run attached, and give it back once.
    #[inline(always)]
    pub fn release(&self) {
        // SAFETY: as above; NULL is nothing.
        unsafe { ffi::Py_XDECREF(self.meter) };
    }

    /// Lends out the state of its key, if there is one for each.
    pub fn bind<'a>(&'a self, _attached: Python<'_>) -> Option<&'a Bound<'a, Meter>> {
        if self.meter.is_null() {
            return None;
        }
        // SAFETY: a `Bound` is a token of nothing and a non-null pointer to a live object; this one
        // is only borrowed, and this reference keeps it alive.
        Some(unsafe { &*(&raw const self.meter).cast::<Bound<'a, Meter>>() })
    }
}

/// A call whose time is reserved. Owned by the call; freed when that has come, or was given back.
#[derive(Clone, Copy)]
pub struct Turn(*mut Waiting);

// SAFETY: a call's turn is only touched by whoever has the call, attached.
unsafe impl Send for Turn {}
// SAFETY: as above.
unsafe impl Sync for Turn {}

#[derive(Clone, Copy)]
pub struct Waiting {
    pub found: Found,
    /// Its place in the line.
    pub number: u64,
    /// When its time comes, as far as it has looked.
    pub due: Nanos,
    /// Owned: what wakes it when that has changed.
    bell: *mut ffi::PyObject,
}

impl Turn {
    pub fn new(found: Found, place: Place<'_>) -> Self {
        let Place { number, due, bell } = place;
        let bell = bell.into_ptr();
        Self(Box::into_raw(Box::new(Waiting { found, number, due, bell })))
    }

    pub fn get(&self) -> &Waiting {
        // SAFETY: made by us, and not ended: its holder ends it once.
        unsafe { &*self.0 }
    }

    pub fn bell(self, py: Python<'_>) -> Bound<'_, Bell> {
        // SAFETY: owned by the turn, and a bell.
        unsafe { Bound::from_borrowed_ptr(py, self.get().bell).cast_into_unchecked() }
    }

    /// Its time has changed, and another bell wakes it.
    pub fn waits_on(self, _attached: Python<'_>, due: Nanos, bell: Bound<'_, Bell>) {
        // SAFETY: as in `get`; its holder is alone with it. The bell before was owned.
        unsafe {
            (*self.0).due = due;
            ffi::Py_DECREF(std::mem::replace(&mut (*self.0).bell, bell.into_ptr()));
        }
    }

    /// What was found is left to be given back.
    pub fn end(self, _attached: Python<'_>) -> Found {
        // SAFETY: as in `get`; the bell is owned.
        unsafe {
            let waiting = Box::from_raw(self.0);
            ffi::Py_DECREF(waiting.bell);
            waiting.found
        }
    }
}

/// A place in the line, which was just taken.
pub struct Place<'py> {
    pub number: u64,
    pub due: Nanos,
    pub bell: Bound<'py, Bell>,
}

/// What came of asking to be let in.
pub enum Asked {
    In,
    Waits(Turn),
    Not(Refusal),
}

/// A call that was not let in. Owns what was found.
pub struct Refusal {
    pub found: Found,
    pub why: Why,
}

impl Refusal {
    /// Gives back what it owns.
    pub fn release(&self) {
        self.found.release();
    }
}
