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
    /// What its answer is remembered by. Owned; NULL: it is not.
    key: *mut ffi::PyObject,
    /// What that hashed to when the call began.
    hash: isize,
    /// How it failed, once providers are asked. Owned, or NULL.
    episode: *mut ffi::PyObject,
    /// When it was let in, if a step of its plan wants to know how long calls take.
    pub began: Nanos,
    pub stage: Stage,
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
            hash: hash.unwrap_or_default(),
            key: key.map_or(ptr::null_mut(), Bound::into_ptr),
            episode: ptr::null_mut(),
            began: 0,
            stage: Stage::Own,
            adopted: false,
        }
    }

    /// What its answer is remembered by.
    pub fn key<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        // SAFETY: NULL, or owned.
        unsafe { Bound::from_borrowed_ptr_or_opt(py, self.key) }
    }

    /// Is that still what it was? An argument may have changed since.
    pub fn same_key(&self, key: &Bound<'_, PyAny>) -> PyResult<bool> {
        Ok(key.hash()? == self.hash)
    }

    /// How it failed.
    pub fn episode<'py>(&self, py: Python<'py>) -> Option<Bound<'py, Episode>> {
        // SAFETY: NULL, or put there by `fails`.
        unsafe { Some(Bound::from_borrowed_ptr_or_opt(py, self.episode)?.cast_into_unchecked()) }
    }

    /// It failed so, and providers are asked.
    pub fn fails(&mut self, episode: Bound<'_, Episode>) {
        self.episode = episode.into_ptr();
    }

    /// Gives back what it owns.
    #[inline(always)]
    pub fn let_go(&mut self) {
        if !self.key.is_null() || !self.episode.is_null() {
            self.let_go_of_objects();
        }
    }

    #[cold]
    fn let_go_of_objects(&mut self) {
        for owned in [&mut self.key, &mut self.episode] {
            // SAFETY: it is owned, and given back once; its holders run attached.
            unsafe { ffi::Py_XDECREF(std::mem::replace(owned, ptr::null_mut())) };
        }
    }

    /// For the collector. NULL: none.
    pub fn objects(&self) -> [*mut ffi::PyObject; 2] {
        [self.key, self.episode]
    }
}
