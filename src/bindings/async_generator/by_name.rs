//! Stepping by name: `send`, `throw` and `close`, which an event loop and a generator's frame call.
#![allow(unsafe_code, reason = "a hand-made heap type: see native.rs")]

use super::again;
use super::begin::ready;
use super::drive::{ended, iternext, over, resumed, suspended};
use super::step::{Progress, Step};
use super::{AsyncGenerator, Phase};
use crate::bindings::deferred::{aside, call_inner, collected, thrown};
use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyString;
use std::ptr;

pub unsafe extern "C" fn send(
    slf: *mut ffi::PyObject,
    sent: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: called by the interpreter, attached.
    unsafe {
        if sent != ffi::Py_None() {
            let py = Python::assume_attached();
            let sent = Bound::from_borrowed_ptr(py, sent);
            return by_name(slf.cast(), py, intern!(py, "send"), &[sent]);
        }
        let yielded = iternext(slf);
        if yielded.is_null() && ffi::PyErr_Occurred().is_null() {
            ffi::PyErr_SetNone(ffi::PyExc_StopIteration);
        }
        yielded
    }
}

pub unsafe extern "C" fn throw(
    slf: *mut ffi::PyObject,
    values: *mut *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
) -> *mut ffi::PyObject {
    let step = slf.cast::<Step>();
    // SAFETY: called by the interpreter, attached, with `count` live arguments.
    unsafe {
        let py = Python::assume_attached();
        let mut arguments = collected(py, values, count);
        if (*step).progress == Progress::Idle {
            // It reaches the generator between two items: that is the consumer's.
            let ours = thrown(&mut arguments);
            if !ready(step, false) {
                return none_is_stop();
            }
            (*step).thrown = true;
            let ours = ours.map_or(ptr::null_mut(), Bound::into_ptr);
            ffi::Py_XDECREF(std::mem::replace(&mut (*step).value, ours));
        }
        by_name(step, py, intern!(py, "throw"), &arguments)
    }
}

unsafe fn none_is_stop() -> *mut ffi::PyObject {
    // SAFETY: attached.
    unsafe {
        if ffi::PyErr_Occurred().is_null() {
            ffi::PyErr_SetNone(ffi::PyExc_StopIteration);
        }
    }
    ptr::null_mut()
}

#[cold]
unsafe fn by_name(
    slf: *mut Step,
    py: Python<'_>,
    name: &Bound<'_, PyString>,
    arguments: &[Bound<'_, PyAny>],
) -> *mut ffi::PyObject {
    // SAFETY: as in `iternext`.
    unsafe {
        if ((*slf).progress != Progress::At || (*slf).entered) && !ready(slf, false) {
            return none_is_stop();
        }
        resumed(slf);
        (*slf).entered = true;
        let answer = call_inner(py, (*slf).head.inner, name, arguments);
        (*slf).entered = false;
        match answer {
            Ok(Some(yielded)) => {
                suspended(slf);
                yielded.into_ptr()
            }
            Ok(None) => {
                PyTypeError::new_err("an async generator gave what can't be awaited").restore(py);
                ended(slf);
                ptr::null_mut()
            }
            Err(error) => {
                error.restore(py);
                if again::wanted(slf) {
                    return again::go_on(slf);
                }
                ended(slf);
                ptr::null_mut()
            }
        }
    }
}

pub unsafe extern "C" fn close(
    slf: *mut ffi::PyObject,
    _: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    let slf = slf.cast::<Step>();
    // SAFETY: called by the interpreter with a step of ours, attached.
    unsafe {
        let py = Python::assume_attached();
        let began = (*slf).progress;
        let generator = (*slf).generator;
        let nothing_to_close = began == Progress::Over
            || generator.is_null()
            || (began == Progress::Idle
                && (*slf).head.inner.is_null()
                && (!cfg!(Py_3_13) || (*generator).phase == Phase::Refused));
        if nothing_to_close {
            (*slf).progress = Progress::Over;
            return ffi::Py_NewRef(ffi::Py_None());
        }
        // From 3.13 on what has not begun is closed by closing the generator.
        if ((*slf).entered || began == Progress::Idle) && !ready(slf, false) {
            // Without an exception: refused since it was asked, and there is nothing to close.
            return match ffi::PyErr_Occurred() {
                error if error.is_null() => ffi::Py_NewRef(ffi::Py_None()),
                _ => ptr::null_mut(),
            };
        }
        resumed(slf);
        (*slf).entered = true;
        let closed = call_inner(py, (*slf).head.inner, intern!(py, "close"), &[]);
        (*slf).entered = false;
        if (*slf).progress != Progress::At {
            (*slf).progress = Progress::Idle;
            return match closed {
                Ok(_) => ffi::Py_NewRef(ffi::Py_None()),
                Err(error) => {
                    error.restore(py);
                    ptr::null_mut()
                }
            };
        }
        match closed {
            Ok(_) => {
                over(slf);
                if began == Progress::At {
                    AsyncGenerator::abandoned(generator, py);
                } else if AsyncGenerator::finished(generator, py) {
                    AsyncGenerator::left(generator, py);
                } else {
                    AsyncGenerator::rest(generator);
                }
                ffi::Py_NewRef(ffi::Py_None())
            }
            Err(error) => {
                error.restore(py);
                // One that ignores it goes on.
                let finished = {
                    let mut finished = false;
                    aside(py, || finished = AsyncGenerator::finished(generator, py));
                    finished
                };
                if finished {
                    over(slf);
                    (*generator).phase = Phase::Done;
                    (*generator).held.raised(py);
                } else {
                    aside(py, || suspended(slf));
                }
                ptr::null_mut()
            }
        }
    }
}
