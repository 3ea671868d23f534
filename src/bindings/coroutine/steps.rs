//! Stepping a coroutine: `send`, `throw` and `close`, natively and by name.
#![allow(unsafe_code, reason = "a hand-made heap type: see native.rs")]

use super::{Coroutine, Phase, Stopped};
use crate::bindings::deferred::call_inner;
use crate::bindings::failures::exception;
use crate::bindings::step::Ended;
use crate::bindings::stop;
use pyo3::exceptions::{
    PyBaseException, PyRuntimeError, PyStopIteration, PyTypeError, PyValueError,
};
use pyo3::ffi;
use pyo3::ffi::PySendResult::{self, PYGEN_ERROR, PYGEN_NEXT, PYGEN_RETURN};
use pyo3::intern;
use pyo3::prelude::*;
use std::ptr;

/// One step: what the event loop, or the awaiting frame, calls.
pub unsafe extern "C" fn am_send(
    slf: *mut ffi::PyObject,
    value: *mut ffi::PyObject,
    result: *mut *mut ffi::PyObject,
) -> PySendResult {
    let slf = slf.cast::<Coroutine>();
    // SAFETY: called by the interpreter with a coroutine of ours, attached; `result` is writable.
    // The caller holds a reference, so the object outlives whatever the inner one runs.
    unsafe {
        *result = ptr::null_mut();
        let first = (*slf).phase == Phase::Fresh
            && value == ffi::Py_None()
            && !((*slf).entered || (*slf).captures || (*slf).unresolved);
        let ready = if first {
            Coroutine::let_in(slf)
        } else if (*slf).phase != Phase::Running || (*slf).entered || (*slf).unresolved {
            Coroutine::prepare(slf, Python::assume_attached(), value)
        } else {
            Ok(())
        };
        if let Err(end) = ready {
            return match end {
                Stopped::Raised => PYGEN_ERROR,
                Stopped::Over(value) => {
                    *result = value;
                    if value.is_null() { PYGEN_ERROR } else { PYGEN_RETURN }
                }
                Stopped::Waits(value) => {
                    *result = value;
                    PYGEN_NEXT
                }
            };
        }
        (*slf).begun = true;
        (*slf).entered = true;
        let sent = match (*slf).send {
            Some(send) => send((*slf).inner, value, result),
            None => ffi::PyIter_Send((*slf).inner, value, result),
        };
        (*slf).entered = false;
        match sent {
            PYGEN_NEXT => {
                Coroutine::go_out(slf);
                PYGEN_NEXT
            }
            PYGEN_RETURN if (*slf).held.follows() && Coroutine::returns_once(slf) => {
                let value = std::mem::replace(&mut *result, ptr::null_mut());
                Coroutine::has_returned(slf, Python::assume_attached(), value, &mut *result)
            }
            PYGEN_RETURN => {
                Coroutine::returned(slf, &mut *result);
                if (*result).is_null() { PYGEN_ERROR } else { PYGEN_RETURN }
            }
            PYGEN_ERROR if (*slf).held.follows() => {
                Coroutine::has_raised(slf, Python::assume_attached(), &mut *result)
            }
            PYGEN_ERROR => match Coroutine::raised(slf) {
                None => PYGEN_ERROR,
                Some(outcome) => {
                    *result = outcome;
                    PYGEN_RETURN
                }
            },
        }
    }
}

pub unsafe extern "C" fn iternext(slf: *mut ffi::PyObject) -> *mut ffi::PyObject {
    let mut value = ptr::null_mut();
    // SAFETY: as for `am_send`.
    unsafe {
        match am_send(slf, ffi::Py_None(), &raw mut value) {
            PYGEN_RETURN if (*slf.cast::<Coroutine>()).by_hand => stop::raise(value),
            PYGEN_RETURN => stop::iteration(value),
            _ => value,
        }
    }
}

pub unsafe extern "C" fn send(
    slf: *mut ffi::PyObject,
    sent: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    let mut value = ptr::null_mut();
    // SAFETY: as for `am_send`.
    unsafe {
        match am_send(slf, sent, &raw mut value) {
            PYGEN_RETURN => stop::raise(value),
            _ => value,
        }
    }
}

/// `await coroutine`: itself, unless somebody is at it already.
pub unsafe extern "C" fn am_await(slf: *mut ffi::PyObject) -> *mut ffi::PyObject {
    let this = slf.cast::<Coroutine>();
    // SAFETY: called by the interpreter with a coroutine of ours.
    unsafe {
        if (*this).begun && (*this).phase != Phase::Done {
            let busy = PyRuntimeError::new_err("coroutine is being awaited already");
            busy.restore(Python::assume_attached());
            return ptr::null_mut();
        }
        ffi::Py_NewRef(slf)
    }
}

/// `coroutine.__await__()`: what Python code calls. `await` itself goes by the slot.
pub unsafe extern "C" fn await_by_hand(
    slf: *mut ffi::PyObject,
    _: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: called by the interpreter with a coroutine of ours.
    unsafe {
        (*slf.cast::<Coroutine>()).by_hand = true;
        am_await(slf)
    }
}

pub unsafe extern "C" fn itself(slf: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: called by the interpreter with a live object.
    unsafe { ffi::Py_NewRef(slf) }
}

pub unsafe extern "C" fn throw(
    slf: *mut ffi::PyObject,
    values: *mut *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
) -> *mut ffi::PyObject {
    // SAFETY: called by the interpreter, attached, with `count` live arguments.
    unsafe {
        let py = Python::assume_attached();
        let arguments: Vec<_> = (0..count.cast_unsigned())
            .map(|at| Bound::from_borrowed_ptr(py, *values.add(at)))
            .collect();
        match throw_in(slf.cast(), py, &arguments) {
            Ok(yielded) => yielded.into_ptr(),
            Err(error) => {
                error.restore(py);
                ptr::null_mut()
            }
        }
    }
}

/// Throws into the inner coroutine. One that never began dies of it without asking any policy.
unsafe fn throw_in<'py>(
    slf: *mut Coroutine,
    py: Python<'py>,
    arguments: &[Bound<'py, PyAny>],
) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: as in `Coroutine::prepare`.
    unsafe {
        if (*slf).entered {
            return Err(PyValueError::new_err("coroutine already executing"));
        }
        if (*slf).phase == Phase::Done {
            return Err(PyRuntimeError::new_err("cannot reuse already awaited coroutine"));
        }
        if (*slf).phase == Phase::Fresh {
            (*slf).phase = Phase::Done;
        }
        Coroutine::go_in(slf, py);
        (*slf).entered = true;
        let thrown = call_inner(py, (*slf).inner, intern!(py, "throw"), arguments);
        (*slf).entered = false;
        let error = match thrown {
            Ok(Some(yielded)) => {
                Coroutine::go_out(slf);
                return Ok(yielded);
            }
            Ok(None) => exception_of(arguments),
            Err(error) => error,
        };
        if !(*slf).held.open() {
            return Err(error);
        }
        if (*slf).held.follows() {
            return thrown_in(slf, py, error);
        }
        if error.is_instance_of::<PyStopIteration>(py) {
            let value = exception(py, error).getattr(intern!(py, "value"))?;
            let mut value = value.into_ptr();
            Coroutine::returned(slf, &mut value);
            stop::raise(value);
            return Err(PyErr::fetch(py));
        }
        error.restore(py);
        match Coroutine::raised(slf) {
            None => Err(PyErr::fetch(py)),
            Some(outcome) => {
                stop::raise(outcome);
                Err(PyErr::fetch(py))
            }
        }
    }
}

/// As the end of `throw_in`, where the call may be made again.
unsafe fn thrown_in(
    slf: *mut Coroutine,
    py: Python<'_>,
    error: PyErr,
) -> PyResult<Bound<'_, PyAny>> {
    let mut value = ptr::null_mut();
    // SAFETY: as in `Coroutine::prepare`.
    unsafe {
        let sent = if error.is_instance_of::<PyStopIteration>(py) {
            let returned = exception(py, error).getattr(intern!(py, "value"))?.into_ptr();
            Coroutine::has_returned(slf, py, returned, &mut value)
        } else {
            error.restore(py);
            Coroutine::has_raised(slf, py, &mut value)
        };
        match sent {
            PYGEN_NEXT => return Bound::from_owned_ptr_or_err(py, value),
            PYGEN_RETURN => {
                stop::raise(value);
            }
            PYGEN_ERROR => {}
        }
        Err(PyErr::fetch(py))
    }
}

/// The exception that `throw(*arguments)` means.
fn exception_of(arguments: &[Bound<'_, PyAny>]) -> PyErr {
    let value = arguments.get(1).filter(|value| !value.is_none());
    match (arguments.first(), value) {
        (Some(class), Some(value)) if !value.is_instance_of::<PyBaseException>() => {
            class.call1((value,)).map_or_else(|error| error, PyErr::from_value)
        }
        (_, Some(value)) => PyErr::from_value(value.clone()),
        (Some(one), None) => PyErr::from_value(one.clone()),
        (None, None) => PyTypeError::new_err("throw() needs an exception"),
    }
}

pub unsafe extern "C" fn close(
    slf: *mut ffi::PyObject,
    _: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    let slf = slf.cast::<Coroutine>();
    // SAFETY: called by the interpreter with a coroutine of ours, attached.
    unsafe {
        let py = Python::assume_attached();
        if (*slf).entered {
            PyValueError::new_err("coroutine already executing").restore(py);
            return ptr::null_mut();
        }
        Coroutine::go_in(slf, py);
        (*slf).phase = Phase::Done;
        (*slf).entered = true;
        let closed = call_inner(py, (*slf).inner, intern!(py, "close"), &[]);
        Coroutine::let_go_of_unbegun(slf);
        (*slf).entered = false;
        match closed {
            Ok(_) => {
                (*slf).held.ended(py, &Ended::Dropped);
                ffi::Py_NewRef(ffi::Py_None())
            }
            Err(error) => {
                error.restore(py);
                (*slf).held.raised(py);
                ptr::null_mut()
            }
        }
    }
}
