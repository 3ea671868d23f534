//! Stepping a generator: `next`, `send`, `throw` and `close`, natively and by name.
#![allow(unsafe_code, reason = "a hand-made heap type: see native.rs")]

use super::{Generator, Phase};
use crate::bindings::deferred::{call_inner, came_back, collected, thrown};
use crate::bindings::failures::{Carried, exception};
use crate::bindings::plan::Came;
use crate::bindings::stop;
use pyo3::exceptions::{PyStopIteration, PyValueError};
use pyo3::ffi;
use pyo3::ffi::PySendResult::{self, PYGEN_ERROR, PYGEN_NEXT, PYGEN_RETURN};
use pyo3::intern;
use pyo3::prelude::*;
use std::ptr;

#[cold]
fn executing() -> PyErr {
    PyValueError::new_err("generator already executing")
}

#[inline(always)]
unsafe fn step(
    slf: *mut Generator,
    value: *mut ffi::PyObject,
    result: *mut *mut ffi::PyObject,
) -> PySendResult {
    // SAFETY: called with a generator of ours, attached; `result` is writable. The caller holds a
    // reference, so the object outlives whatever the inner one runs.
    unsafe {
        *result = ptr::null_mut();
        if !(*slf).busy.enter() {
            executing().restore(Python::assume_attached());
            return PYGEN_ERROR;
        }
        if (*slf).phase != Phase::Given {
            match ready(slf, value) {
                Ready::Yes => {}
                Ready::No => {
                    (*slf).busy.leave();
                    return PYGEN_ERROR;
                }
                Ready::Not(came) => {
                    let py = Python::assume_attached();
                    return Generator::begin_again(slf, py, came, result);
                }
            }
        }
        let inner = (*slf).head.inner;
        let sent = match (*slf).send {
            _ if inner.is_null() => {
                *result = ffi::Py_NewRef(ffi::Py_None());
                PYGEN_RETURN
            }
            Some(send) => send(inner, value, result),
            None => ffi::PyIter_Send(inner, value, result),
        };
        match sent {
            PYGEN_NEXT => {
                if (*slf).minds || (*slf).phase != Phase::Given {
                    Generator::rest(slf);
                }
                (*slf).busy.leave();
                PYGEN_NEXT
            }
            PYGEN_RETURN => {
                (*slf).phase = Phase::Done;
                (*slf).busy.leave();
                (*slf).held.returned(*result);
                PYGEN_RETURN
            }
            PYGEN_ERROR if (*slf).phase == Phase::Entered && (*slf).held.follows() => {
                let py = Python::assume_attached();
                Generator::begin_again(slf, py, Came::Raised(Carried::pending(py)), result)
            }
            PYGEN_ERROR => {
                failed(slf);
                PYGEN_ERROR
            }
        }
    }
}

/// May the inner generator be stepped?
enum Ready {
    Yes,
    /// An exception is set.
    No,
    /// It was not let in, and somebody may want it to be asked for again.
    Not(Came<'static>),
}

impl Ready {
    fn of(ready: bool) -> Self {
        if ready { Self::Yes } else { Self::No }
    }
}

/// What must hold before the inner generator is stepped.
#[cold]
#[inline(never)]
unsafe fn ready(slf: *mut Generator, value: *mut ffi::PyObject) -> Ready {
    // SAFETY: as in `step`.
    unsafe {
        match (*slf).phase {
            // A value that nobody waits for is refused by the inner one, and nothing has begun.
            Phase::Fresh if value != ffi::Py_None() => Ready::Yes,
            Phase::Fresh if (*slf).held.follows() => match Generator::try_in(slf) {
                Ok(()) => Ready::Yes,
                Err(came) => Ready::Not(came),
            },
            Phase::Fresh => Ready::of(Generator::let_in(slf)),
            Phase::Resting => {
                Generator::wake(slf);
                Ready::Yes
            }
            Phase::Entered | Phase::Given | Phase::Done => Ready::Yes,
        }
    }
}

/// The inner generator raised what is set.
#[cold]
#[inline(never)]
unsafe fn failed(slf: *mut Generator) {
    // SAFETY: as in `step`.
    unsafe {
        if (*slf).phase == Phase::Fresh {
            (*slf).busy.leave();
            return;
        }
        (*slf).phase = Phase::Done;
        (*slf).busy.leave();
        (*slf).held.raised(Python::assume_attached());
    }
}

/// One step: what `yield from` calls.
pub unsafe extern "C" fn am_send(
    slf: *mut ffi::PyObject,
    value: *mut ffi::PyObject,
    result: *mut *mut ffi::PyObject,
) -> PySendResult {
    // SAFETY: called by the interpreter.
    unsafe { step(slf.cast(), value, result) }
}

/// One step: what `for` and `next` call.
pub unsafe extern "C" fn iternext(slf: *mut ffi::PyObject) -> *mut ffi::PyObject {
    let mut value = ptr::null_mut();
    // SAFETY: called by the interpreter.
    unsafe {
        match step(slf.cast(), ffi::Py_None(), &raw mut value) {
            PYGEN_RETURN if value == ffi::Py_None() => {
                ffi::Py_DECREF(value);
                ptr::null_mut()
            }
            PYGEN_RETURN => stop::raise(value),
            _ => value,
        }
    }
}

pub unsafe extern "C" fn send(
    slf: *mut ffi::PyObject,
    sent: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    let mut value = ptr::null_mut();
    // SAFETY: called by the interpreter.
    unsafe {
        match step(slf.cast(), sent, &raw mut value) {
            PYGEN_RETURN => stop::raise(value),
            _ => value,
        }
    }
}

pub unsafe extern "C" fn throw(
    slf: *mut ffi::PyObject,
    values: *mut *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
) -> *mut ffi::PyObject {
    // SAFETY: called by the interpreter, attached, with `count` live arguments.
    unsafe {
        let py = Python::assume_attached();
        let mut arguments = collected(py, values, count);
        match throw_in(slf.cast(), py, &mut arguments) {
            Ok(yielded) => yielded.into_ptr(),
            Err(error) => {
                error.restore(py);
                ptr::null_mut()
            }
        }
    }
}

/// Throws into the inner generator. One that never began dies of it without asking any policy.
unsafe fn throw_in<'py>(
    slf: *mut Generator,
    py: Python<'py>,
    arguments: &mut [Bound<'py, PyAny>],
) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: as in `step`.
    unsafe {
        if !(*slf).busy.enter() {
            return Err(executing());
        }
        Generator::wake(slf);
        let ours = thrown(arguments);
        let answer = call_inner(py, (*slf).head.inner, intern!(py, "throw"), arguments);
        let error = match answer {
            Ok(Some(yielded)) => {
                Generator::rest(slf);
                (*slf).busy.leave();
                return Ok(yielded);
            }
            Ok(None) => PyStopIteration::new_err(()),
            Err(error) => error,
        };
        let error = exception(py, error);
        if !Generator::finished(slf, py) {
            Generator::rest(slf);
            (*slf).busy.leave();
            return Err(PyErr::from_value(error.into_any()));
        }
        if !(*slf).held.open() {
            (*slf).phase = Phase::Done;
            (*slf).busy.leave();
        } else if ours.is_some_and(|ours| came_back(&error, &ours)) {
            (*slf).busy.leave();
            Generator::left(slf, py);
        } else {
            (*slf).phase = Phase::Done;
            (*slf).busy.leave();
            if error.is_instance_of::<PyStopIteration>() {
                let value = error.getattr(intern!(py, "value"))?;
                (*slf).held.returned(value.as_ptr());
            } else {
                PyErr::from_value(error.into_any()).restore(py);
                (*slf).held.raised(py);
                return Err(PyErr::fetch(py));
            }
        }
        Err(PyErr::from_value(error.into_any()))
    }
}

pub unsafe extern "C" fn close(
    slf: *mut ffi::PyObject,
    _: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    let slf = slf.cast::<Generator>();
    // SAFETY: called by the interpreter with a generator of ours, attached.
    unsafe {
        let py = Python::assume_attached();
        if !(*slf).busy.enter() {
            executing().restore(py);
            return ptr::null_mut();
        }
        Generator::wake(slf);
        let closed = call_inner(py, (*slf).head.inner, intern!(py, "close"), &[]);
        match closed {
            Ok(answer) => {
                (*slf).busy.leave();
                Generator::left(slf, py);
                answer.map_or_else(|| ffi::Py_NewRef(ffi::Py_None()), Bound::into_ptr)
            }
            Err(error) => {
                // One that ignores it goes on.
                if Generator::finished(slf, py) {
                    (*slf).phase = Phase::Done;
                } else {
                    Generator::rest(slf);
                }
                (*slf).busy.leave();
                error.restore(py);
                if (*slf).phase == Phase::Done {
                    (*slf).held.raised(py);
                }
                ptr::null_mut()
            }
        }
    }
}
