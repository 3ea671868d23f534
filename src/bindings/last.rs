//! What the last attempt came to, while the next is waited for: whoever wakes too late to begin that
//! has it for the caller.
#![allow(unsafe_code, reason = "kept by objects that show the collector what they own")]

use super::failures::{Carried, exception};
use super::plan::{Came, Refused};
use pyo3::PyTraverseError;
use pyo3::ffi;
use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use std::mem::ManuallyDrop;
use std::ptr;

/// An attempt's end. The traceback of an error leads to frames that may know who keeps it: to be let
/// go of as soon as the next attempt begins.
pub struct Last(Kept);

enum Kept {
    /// Owned, as below.
    Returned(*mut ffi::PyObject),
    Raised(*mut ffi::PyObject),
    Refused(Refused),
}

// SAFETY: touched by attached threads only.
unsafe impl Send for Last {}

impl Last {
    /// Keeps it. No exception must be set.
    pub fn keep(py: Python<'_>, came: Came<'_>) -> Self {
        Self(match came {
            Came::Returned(value) => Kept::Returned(value.into_ptr()),
            Came::Raised(error) | Came::Broken(error) => {
                Kept::Raised(exception(py, error.into_inner()).into_ptr())
            }
            Came::Refused(refused) => Kept::Refused(refused),
        })
    }

    /// Gives it back.
    pub fn came(self, py: Python<'_>) -> Came<'_> {
        let kept = ManuallyDrop::new(self);
        // SAFETY: read once, as it is not dropped; attached, and the references are ours.
        unsafe {
            match ptr::read(&raw const kept.0) {
                Kept::Returned(value) => Came::Returned(Bound::from_owned_ptr(py, value)),
                Kept::Raised(error) => {
                    let error = Bound::from_owned_ptr(py, error);
                    Came::Raised(Carried::new(PyErr::from_value(error)))
                }
                Kept::Refused(refused) => Came::Refused(refused),
            }
        }
    }

    /// What it raised, if it did.
    pub fn error<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        match &self.0 {
            // SAFETY: owned.
            Kept::Raised(error) => Some(unsafe { Bound::from_borrowed_ptr(py, *error) }),
            Kept::Returned(_) | Kept::Refused(_) => None,
        }
    }

    /// What it returned, if it did.
    pub fn value<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        match &self.0 {
            // SAFETY: owned.
            Kept::Returned(value) => Some(unsafe { Bound::from_borrowed_ptr(py, *value) }),
            Kept::Raised(_) | Kept::Refused(_) => None,
        }
    }

    /// The object that it owns, or NULL.
    pub fn object(&self) -> *mut ffi::PyObject {
        match &self.0 {
            Kept::Returned(object) | Kept::Raised(object) => *object,
            Kept::Refused(_) => ptr::null_mut(),
        }
    }

    /// Shows it to the collector, for owners that are `#[pyclass]`es.
    pub fn visit(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        let object = self.object();
        if object.is_null() {
            return Ok(());
        }
        // SAFETY: a reference of ours, which is lent for as long as that is shown.
        let object = ManuallyDrop::new(unsafe {
            Bound::from_owned_ptr(Python::assume_attached(), object).unbind()
        });
        visit.call(&*object)
    }
}

impl Drop for Last {
    fn drop(&mut self) {
        // SAFETY: whoever keeps it lets go of it attached; the reference is ours.
        unsafe { ffi::Py_XDECREF(self.object()) };
    }
}
