//! What `__aenter__()` gives to await: the handle itself, which enters at the first step, and suspends
//! only while a policy lets it wait.
//!
//! Nothing here knows of an event loop.
#![allow(unsafe_code, reason = "hand-made heap types: see native.rs")]

use super::ready::{steps, throw_at_once};
use super::steps::{Entered, enter, not_at_once, out};
use super::{Handle, State};
use crate::bindings::deferred::{call_inner, collected};
use crate::bindings::failures::{self, Carried};
use crate::bindings::plan::Came;
use crate::bindings::step::Ended;
use crate::bindings::stop;
use pyo3::exceptions::{PyRuntimeError, PyStopIteration, PyTypeError};
use pyo3::ffi;
use pyo3::ffi::PySendResult::{self, PYGEN_ERROR, PYGEN_NEXT, PYGEN_RETURN};
use pyo3::intern;
use pyo3::prelude::*;
use std::ptr;

#[cold]
fn refuse(slf: &Handle) {
    // SAFETY: drivers run attached.
    let py = unsafe { Python::assume_attached() };
    let error = if slf.is(State::Fresh) {
        PyTypeError::new_err("call __aenter__ and await what it gives")
    } else {
        PyRuntimeError::new_err("cannot reuse already awaited __aenter__()")
    };
    failures::raise(py, error);
}

pub unsafe extern "C" fn am_await(slf: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: called by the interpreter with a handle of ours.
    unsafe {
        let this = &*slf.cast::<Handle>();
        if !this.is(State::Called) {
            refuse(this);
            return ptr::null_mut();
        }
        ffi::Py_NewRef(slf)
    }
}

/// A step, nearly always the only one: enters. Ends in a new reference to the guard.
#[inline(always)]
unsafe fn step(
    slf: *mut ffi::PyObject,
    sent: *mut ffi::PyObject,
    result: *mut *mut ffi::PyObject,
) -> PySendResult {
    let slf = slf.cast::<Handle>();
    // SAFETY: called by the interpreter with a handle of ours, which its caller holds; `result` is
    // writable.
    unsafe {
        if !(*slf).advance(State::Called, State::Entering) {
            return step_on(slf, sent, result);
        }
        match enter(slf) {
            Entered::Yes => {
                *result = ffi::Py_NewRef((*slf).guard);
                PYGEN_RETURN
            }
            Entered::No => {
                *result = ptr::null_mut();
                PYGEN_ERROR
            }
            Entered::Waits => begin_wait(slf, result),
        }
    }
}

/// It is not at its first step.
#[cold]
#[inline(never)]
unsafe fn step_on(
    slf: *mut Handle,
    sent: *mut ffi::PyObject,
    result: *mut *mut ffi::PyObject,
) -> PySendResult {
    // SAFETY: as for `step`.
    unsafe {
        *result = ptr::null_mut();
        if (*slf).advance(State::Waiting, State::Entering) {
            return wait_on(slf, sent, result);
        }
        refuse(&*slf);
        PYGEN_ERROR
    }
}

/// Steps what it waits for, of a handle that is `Entering`.
unsafe fn wait_on(
    slf: *mut Handle,
    sent: *mut ffi::PyObject,
    result: *mut *mut ffi::PyObject,
) -> PySendResult {
    // SAFETY: as for `step`. Nobody else touches the handle while it is `Entering`.
    unsafe {
        *result = ptr::null_mut();
        match ffi::PyIter_Send((*slf).wait, sent, result) {
            PYGEN_NEXT => {
                (*slf).set(State::Waiting);
                PYGEN_NEXT
            }
            PYGEN_RETURN => {
                ffi::Py_XDECREF(std::mem::replace(&mut *result, ptr::null_mut()));
                waited(slf, result)
            }
            PYGEN_ERROR => {
                let py = Python::assume_attached();
                broken(slf, py, Carried::pending(py));
                PYGEN_ERROR
            }
        }
    }
}

/// What it waited for is over.
unsafe fn waited(slf: *mut Handle, result: *mut *mut ffi::PyObject) -> PySendResult {
    // SAFETY: as for `wait_on`.
    unsafe {
        let py = Python::assume_attached();
        end_wait(slf);
        let entry = (*(*slf).held.as_mut_ptr()).rested_enough(py);
        match not_at_once(slf, py, entry) {
            Entered::Yes => {
                *result = ffi::Py_NewRef((*slf).guard);
                PYGEN_RETURN
            }
            Entered::No => PYGEN_ERROR,
            Entered::Waits => begin_wait(slf, result),
        }
    }
}

#[cold]
unsafe fn begin_wait(slf: *mut Handle, result: *mut *mut ffi::PyObject) -> PySendResult {
    // SAFETY: as for `wait_on`.
    unsafe {
        *result = ptr::null_mut();
        let py = Python::assume_attached();
        let awaited = (*(*slf).held.as_mut_ptr())
            .resting(py)
            .and_then(|awaited| awaited.call_method0(intern!(py, "__await__")));
        match awaited {
            Ok(iterator) => {
                (*slf).wait = iterator.into_ptr();
                wait_on(slf, ffi::Py_None(), result)
            }
            Err(error) => {
                broken(slf, py, Carried::new(error));
                PYGEN_ERROR
            }
        }
    }
}

unsafe fn end_wait(slf: *mut Handle) {
    // SAFETY: as for `wait_on`; the reference that is taken is given up.
    unsafe { ffi::Py_XDECREF(std::mem::replace(&mut (*slf).wait, ptr::null_mut())) };
}

/// The wait was broken off.
unsafe fn broken(slf: *mut Handle, py: Python<'_>, error: Carried) {
    // SAFETY: as for `wait_on`.
    unsafe {
        end_wait(slf);
        out(slf, py, Came::Broken(error));
    }
}

pub unsafe extern "C" fn iternext(slf: *mut ffi::PyObject) -> *mut ffi::PyObject {
    let mut value = ptr::null_mut();
    // SAFETY: as for `step`.
    unsafe {
        match step(slf, ffi::Py_None(), &raw mut value) {
            PYGEN_RETURN => stop::iteration(value),
            _ => value,
        }
    }
}

pub unsafe extern "C" fn am_send(
    slf: *mut ffi::PyObject,
    sent: *mut ffi::PyObject,
    result: *mut *mut ffi::PyObject,
) -> PySendResult {
    // SAFETY: as for `step`.
    unsafe { step(slf, sent, result) }
}

/// `send`, for those who step by hand.
unsafe extern "C" fn send(slf: *mut ffi::PyObject, sent: *mut ffi::PyObject) -> *mut ffi::PyObject {
    let mut value = ptr::null_mut();
    // SAFETY: as for `step`.
    unsafe {
        match step(slf, sent, &raw mut value) {
            PYGEN_RETURN => stop::raise(value),
            _ => value,
        }
    }
}

/// Nothing inside of it ran, and nothing will.
unsafe extern "C" fn close(slf: *mut ffi::PyObject, _: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: called by the interpreter with a handle of ours.
    unsafe {
        let this = slf.cast::<Handle>();
        if (*this).advance(State::Waiting, State::Entering) {
            let py = Python::assume_attached();
            let closed = call_inner(py, (*this).wait, intern!(py, "close"), &[]);
            end_wait(this);
            let held = (*this).held.as_mut_ptr();
            (*held).ended(py, &Ended::Dropped);
            (*this).set(State::Done);
            ptr::drop_in_place(held);
            if let Err(error) = closed {
                error.restore(py);
                return ptr::null_mut();
            }
        }
        (*this).advance(State::Called, State::Done);
        ffi::Py_NewRef(ffi::Py_None())
    }
}

unsafe extern "C" fn throw(
    slf: *mut ffi::PyObject,
    values: *mut *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
) -> *mut ffi::PyObject {
    // SAFETY: as for `close`; `values` holds `count` arguments.
    unsafe {
        let this = slf.cast::<Handle>();
        if (*this).advance(State::Waiting, State::Entering) {
            return throw_in(this, values, count);
        }
        (*this).advance(State::Called, State::Done);
        throw_at_once(slf, values, count)
    }
}

/// Throws into what is waited for.
unsafe fn throw_in(
    slf: *mut Handle,
    values: *mut *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
) -> *mut ffi::PyObject {
    // SAFETY: as for `wait_on`; `values` holds `count` arguments.
    unsafe {
        let py = Python::assume_attached();
        let arguments = collected(py, values, count);
        match call_inner(py, (*slf).wait, intern!(py, "throw"), &arguments) {
            Ok(Some(yielded)) => {
                (*slf).set(State::Waiting);
                yielded.into_ptr()
            }
            Err(error) if !error.is_instance_of::<PyStopIteration>(py) => {
                broken(slf, py, Carried::new(error));
                ptr::null_mut()
            }
            Ok(None) | Err(_) => {
                let mut value = ptr::null_mut();
                match waited(slf, &raw mut value) {
                    PYGEN_RETURN => stop::raise(value),
                    _ => value,
                }
            }
        }
    }
}

/// Those of a handle.
pub fn methods() -> Vec<ffi::PyMethodDef> {
    steps(send, throw, close)
}
