//! How it ends: refused, returned or raised; and what never began is let go of.
#![allow(unsafe_code, reason = "a hand-made heap type: see native.rs")]

use super::{Coroutine, Phase};
use crate::bindings::deferred::{self, call_inner};
use crate::bindings::failures;
use crate::bindings::held::Held;
use crate::bindings::outcome::Outcome;
use crate::bindings::plan::Refused;
use crate::time::Nanos;
use pyo3::exceptions::PyException;
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use std::ptr;

impl Coroutine {
    /// The plan did not let it in: it is over, with an exception set or an outcome to return.
    #[cold]
    pub(super) unsafe fn refused(
        slf: *mut Self,
        py: Python<'_>,
        refused: Refused,
        runs: u32,
    ) -> Option<*mut ffi::PyObject> {
        // SAFETY: as in `prepare`.
        unsafe {
            (*slf).phase = Phase::Done;
            Self::close_unbegun(slf, py);
            let plan = (*slf).held.plan();
            if (*slf).captures {
                return Some(Outcome::refused(plan.clone(), refused, runs).into_ptr(py));
            }
            failures::raise(py, plan.error(py, &refused));
        }
        None
    }

    /// Closed, not dropped: an inner coroutine that never began would warn.
    pub(super) unsafe fn close_unbegun(slf: *mut Self, py: Python<'_>) {
        // SAFETY: as in `prepare`.
        unsafe { Self::close_one(py, (*slf).inner) };
    }

    unsafe fn close_one(py: Python<'_>, inner: *mut ffi::PyObject) {
        if let Err(error) = call_inner(py, inner, intern!(py, "close"), &[]) {
            error.write_unraisable(py, None);
        }
    }

    /// What has waited to begin will not.
    #[inline(always)]
    pub(super) unsafe fn let_go_of_unbegun(slf: *mut Self) {
        // SAFETY: as in `prepare`.
        unsafe {
            if !(*slf).unbegun.is_null() {
                Self::unbegun_goes(slf);
            }
        }
    }

    #[cold]
    unsafe fn unbegun_goes(slf: *mut Self) {
        // SAFETY: as in `prepare`; the reference that is taken is given up.
        unsafe {
            let py = Python::assume_attached();
            let unbegun = std::mem::replace(&mut (*slf).unbegun, ptr::null_mut());
            deferred::aside(py, || {
                Self::close_one(py, unbegun);
                ffi::Py_DECREF(unbegun);
            });
        }
    }

    /// The inner coroutine returned `value`, which is replaced by an outcome if one is wanted.
    #[inline(always)]
    pub(super) unsafe fn returned(slf: *mut Self, value: &mut *mut ffi::PyObject) {
        // SAFETY: as in `prepare`; `value` is a new reference.
        unsafe {
            (*slf).phase = Phase::Done;
            (*slf).held.returned(*value);
            if (*slf).captures {
                *value = Self::outcome(slf, *value);
            }
        }
    }

    /// How long the call has taken so far.
    pub(super) unsafe fn took(slf: *mut Self, py: Python<'_>) -> Nanos {
        // SAFETY: as in `prepare`.
        unsafe { Held::now(py).saturating_sub((*slf).began) }
    }

    #[cold]
    pub(super) unsafe fn outcome(slf: *mut Self, value: *mut ffi::PyObject) -> *mut ffi::PyObject {
        // SAFETY: attached; `value` is a new reference and ours.
        unsafe {
            let py = Python::assume_attached();
            let value = Bound::from_owned_ptr(py, value).unbind();
            let outcome = Outcome::returned(value, Self::took(slf, py)).after((*slf).held.runs());
            outcome.remembered((*slf).held.stale()).into_ptr(py)
        }
    }

    /// The inner coroutine raised what is set. Gives an outcome if one is wanted and fits.
    #[cold]
    #[inline(never)]
    pub(super) unsafe fn raised(slf: *mut Self) -> Option<*mut ffi::PyObject> {
        // SAFETY: as in `prepare`.
        unsafe {
            let py = Python::assume_attached();
            (*slf).phase = Phase::Done;
            (*slf).held.raised(py);
            if !(*slf).captures {
                return None;
            }
            let error = PyErr::fetch(py);
            if !error.is_instance_of::<PyException>(py) {
                error.restore(py);
                return None;
            }
            let took = Self::took(slf, py);
            Some(Outcome::raised(error, py, took).after((*slf).held.runs()).into_ptr(py))
        }
    }
}
