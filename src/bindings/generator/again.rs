//! A generator function that is called more than once: until it gives its first item, there is
//! nothing yet that could not be done again.
#![allow(unsafe_code, reason = "a hand-made heap type: see native.rs")]

use super::{Generator, Phase};
use crate::bindings::deferred::native_send;
use crate::bindings::failures::Carried;
use crate::bindings::plan::{Came, Then, Wanted};
use crate::bindings::wait;
use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::ffi::PySendResult::{self, PYGEN_ERROR, PYGEN_NEXT, PYGEN_RETURN};
use pyo3::prelude::*;
use std::ptr;

impl Generator {
    /// The first item was asked for, and `came` is what came of it. Goes on until there is one, or
    /// the call is over.
    #[cold]
    pub(super) unsafe fn begin_again<'py>(
        slf: *mut Self,
        py: Python<'py>,
        mut came: Came<'py>,
        result: *mut *mut ffi::PyObject,
    ) -> PySendResult {
        // SAFETY: as in `step`; `busy` is ours, and `result` is writable.
        unsafe {
            loop {
                let begun = match (*slf).held.settle(py, &mut came) {
                    Then::Over => break,
                    Then::Again { step, wait: delay } => {
                        (*slf).held.keep_last(py, came);
                        let who = (*slf).held.plan().waiter(py, step);
                        match wait::sleep(py, delay, who) {
                            Err(error) => Err(Came::Broken(Carried::new(error))),
                            Ok(()) => Self::once_more(slf, py, result),
                        }
                    }
                    Then::Instead { step, .. } => {
                        let made = (*slf).held.ask(py, step, came, Wanted::Items);
                        Self::begin(slf, py, made, result)
                    }
                };
                came = match begun {
                    Ok(PYGEN_NEXT) => {
                        (*slf).phase = Phase::Entered;
                        (*slf).minds = (*slf).held.minds_rests();
                        Self::rest(slf);
                        (*slf).busy.leave();
                        return PYGEN_NEXT;
                    }
                    Ok(PYGEN_RETURN) => {
                        (*slf).phase = Phase::Done;
                        (*slf).busy.leave();
                        (*slf).held.returned(*result);
                        return PYGEN_RETURN;
                    }
                    Ok(PYGEN_ERROR) => Came::Raised(Carried::pending(py)),
                    Err(came) => came,
                };
            }
            (*slf).phase = Phase::Done;
            (*slf).busy.leave();
            came.raise(py, (*slf).held.plan());
            PYGEN_ERROR
        }
    }

    /// Makes the call again and asks for its first item.
    unsafe fn once_more(
        slf: *mut Self,
        py: Python<'_>,
        result: *mut *mut ffi::PyObject,
    ) -> Result<PySendResult, Came<'_>> {
        // SAFETY: as in `begin_again`; what is called gives a new reference or NULL.
        unsafe {
            let entry = (*slf).held.enter_again(py);
            Self::waited(slf, py, entry)?;
            let made = (*slf).held.again().map_or(ptr::null_mut(), |again| again.make());
            Self::begin(slf, py, made, result)
        }
    }

    /// `made`, or nothing if an exception is set, is to give the first item.
    unsafe fn begin(
        slf: *mut Self,
        py: Python<'_>,
        made: *mut ffi::PyObject,
        result: *mut *mut ffi::PyObject,
    ) -> Result<PySendResult, Came<'_>> {
        // SAFETY: as in `begin_again`; `made` is a new reference or NULL.
        unsafe {
            if made.is_null() {
                return Err(Came::Raised(Carried::pending(py)));
            }
            let send = native_send(made);
            if send.is_none() && ffi::PyIter_Check(made) == 0 {
                ffi::Py_DECREF(made);
                let error = PyTypeError::new_err("a generator function returned no generator");
                return Err(Came::Raised(Carried::new(error)));
            }
            (*slf).send = send;
            ffi::Py_XDECREF(std::mem::replace(&mut (*slf).head.inner, made));
            *result = ptr::null_mut();
            Ok(match send {
                Some(send) => send(made, ffi::Py_None(), result),
                None => ffi::PyIter_Send(made, ffi::Py_None(), result),
            })
        }
    }
}
