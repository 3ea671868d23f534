//! What a call has of a fallback.
#![allow(unsafe_code, reason = "tickets hold references that the drivers give back")]

use super::episode::Episode;
use crate::policies::fallback::Stage;
use crate::time::Nanos;
use pyo3::ffi;
use pyo3::prelude::*;
use std::ptr;

/// A call that a fallback has let in, or has looked at before.
#[derive(Clone, Copy)]
pub struct Ticket {
    /// Owned, or NULL: what its answer is remembered by; once providers are asked, how it failed.
    object: *mut ffi::PyObject,
    /// What the key hashed to when the call began.
    hash: isize,
    /// When it was let in, if a step of its plan wants to know how long calls take.
    pub began: Nanos,
    pub stage: Stage,
    /// Is the object an [`Episode`]?
    failed: bool,
    /// The function gave back an awaitable, and did not say that it would.
    pub adopted: bool,
}

// SAFETY: a call's ticket is only touched by whoever has the call, attached.
unsafe impl Send for Ticket {}
// SAFETY: as above.
unsafe impl Sync for Ticket {}

impl Ticket {
    /// Of a call with this key, and what that hashes to.
    pub fn new(key: Option<(Bound<'_, PyAny>, isize)>) -> Self {
        let (key, hash) = key.unzip();
        Self {
            object: key.map_or(ptr::null_mut(), Bound::into_ptr),
            hash: hash.unwrap_or_default(),
            began: 0,
            stage: Stage::Own,
            failed: false,
            adopted: false,
        }
    }

    /// What its answer is remembered by.
    pub fn key<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        // SAFETY: NULL, or owned.
        unsafe { Bound::from_borrowed_ptr_or_opt(py, self.object).filter(|_| !self.failed) }
    }

    /// Is that still what it was? An argument may have changed since.
    pub fn same_key(&self, key: &Bound<'_, PyAny>) -> PyResult<bool> {
        Ok(key.hash()? == self.hash)
    }

    /// How it failed.
    pub fn episode<'py>(&self, py: Python<'py>) -> Option<Bound<'py, Episode>> {
        if !self.failed {
            return None;
        }
        // SAFETY: put there by `fails`, or NULL.
        unsafe { Some(Bound::from_borrowed_ptr_or_opt(py, self.object)?.cast_into_unchecked()) }
    }

    /// It failed so, and providers are asked: nothing of it will be remembered.
    pub fn fails(&mut self, episode: Bound<'_, Episode>) {
        let before = std::mem::replace(&mut self.object, episode.into_ptr());
        self.failed = true;
        // SAFETY: it was owned; drivers run attached.
        unsafe { ffi::Py_XDECREF(before) };
    }

    /// Gives back what it owns.
    #[inline(always)]
    pub fn let_go(&mut self) {
        if !self.object.is_null() {
            self.let_go_of_object();
        }
    }

    #[cold]
    fn let_go_of_object(&mut self) {
        // SAFETY: it is owned, and given back once; its holders run attached.
        unsafe { ffi::Py_XDECREF(std::mem::replace(&mut self.object, ptr::null_mut())) };
    }

    /// For the collector. NULL: none.
    pub fn object(&self) -> *mut ffi::PyObject {
        self.object
    }
}
