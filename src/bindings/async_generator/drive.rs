//! Driving a step of an async generator: what `await` does, and how it ends.
#![allow(unsafe_code, reason = "a hand-made heap type: see native.rs")]

use super::again;
use super::begin::ready;
use super::step::{Progress, Step, What};
use super::{AsyncGenerator, Phase};
use crate::bindings::deferred::{aside, came_back};
use pyo3::exceptions::{PyStopAsyncIteration, PyStopIteration};
use pyo3::ffi;
#[cfg(Py_3_13)]
use pyo3::intern;
use pyo3::prelude::*;
use std::ptr;

/// One step: what `await` calls. The item comes as a `StopIteration`, which is the inner one's and
/// passes through untouched.
pub unsafe extern "C" fn iternext(slf: *mut ffi::PyObject) -> *mut ffi::PyObject {
    let slf = slf.cast::<Step>();
    // SAFETY: called by the interpreter with a step of ours, attached. The caller holds a reference,
    // so the step, and its generator, outlive whatever the inner one runs.
    unsafe {
        if (*slf).progress != Progress::At || (*slf).entered {
            if !ready(slf, true) {
                return ptr::null_mut();
            }
        } else if (*slf).outside {
            resumed(slf);
        }
        let inner = (*slf).head.inner;
        (*slf).entered = true;
        let yielded = match (*ffi::Py_TYPE(inner)).tp_iternext {
            Some(next) => next(inner),
            None => not_awaitable(inner),
        };
        (*slf).entered = false;
        if !yielded.is_null() {
            suspended(slf);
        } else if again::wanted(slf) {
            return again::go_on(slf);
        } else {
            ended(slf);
        }
        yielded
    }
}

#[cold]
unsafe fn not_awaitable(inner: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: attached; a live object.
    unsafe {
        ffi::PyErr_Format(
            ffi::PyExc_TypeError,
            c"an async generator gave '%s' to be awaited".as_ptr(),
            (*ffi::Py_TYPE(inner)).tp_name,
        )
    }
}

/// It runs on.
#[inline(always)]
pub unsafe fn resumed(slf: *mut Step) {
    // SAFETY: as in `iternext`.
    unsafe {
        if (*slf).outside {
            (*slf).outside = false;
            (*(*slf).generator).held.suspended(Python::assume_attached(), false);
        }
    }
}

/// It waits inside of an item, and others run here.
#[inline(always)]
pub unsafe fn suspended(slf: *mut Step) {
    // SAFETY: as in `iternext`.
    unsafe {
        if (*slf).progress == Progress::At && (*(*slf).generator).held.reaches_inside() {
            (*slf).outside = true;
            (*(*slf).generator).held.suspended(Python::assume_attached(), true);
        }
    }
}

/// The inner awaitable has come to its end, as the exception that is set says.
#[inline(always)]
pub unsafe fn ended(slf: *mut Step) {
    // SAFETY: as in `iternext`.
    unsafe {
        if (*slf).progress != Progress::At {
            (*slf).progress = Progress::Idle;
            return;
        }
        let generator = (*slf).generator;
        over(slf);
        if (*slf).what == What::Next && ffi::PyErr_Occurred() == ffi::PyExc_StopIteration {
            if (*generator).phase == Phase::Entered {
                (*generator).phase = Phase::Given;
                (*generator).held.let_go_of_call();
            }
            AsyncGenerator::rest(generator);
        } else {
            ended_otherwise(slf, generator);
        }
    }
}

/// What was asked has an answer: the generator is free for the next.
#[inline(always)]
pub unsafe fn over(slf: *mut Step) {
    // SAFETY: as in `iternext`.
    unsafe {
        (*slf).progress = Progress::Idle;
        (*slf).waiting = false;
        (*(*slf).generator).at = ptr::null_mut();
    }
}

#[cold]
#[inline(never)]
unsafe fn ended_otherwise(slf: *mut Step, generator: *mut AsyncGenerator) {
    // SAFETY: as in `iternext`.
    unsafe {
        let py = Python::assume_attached();
        let Some(error) = PyErr::take(py) else {
            return AsyncGenerator::left(generator, py);
        };
        let thrown = std::mem::replace(&mut (*slf).value, ptr::null_mut());
        let ours = (*slf).thrown
            && Bound::from_borrowed_ptr_or_opt(py, thrown)
                .is_some_and(|thrown| came_back(error.value(py), &thrown));
        ffi::Py_XDECREF(thrown);
        if !AsyncGenerator::finished(generator, py) {
            // Another item, or what was thrown is no exception.
            AsyncGenerator::rest(generator);
        } else if ours || error.is_instance_of::<PyStopIteration>(py) {
            AsyncGenerator::left(generator, py);
        } else if error.is_instance_of::<PyStopAsyncIteration>(py) {
            (*generator).phase = Phase::Done;
            (*generator).held.returned(ptr::null_mut());
        } else {
            (*generator).phase = Phase::Done;
            error.restore(py);
            return (*generator).held.raised(py);
        }
        error.restore(py);
    }
}

/// The step is given up, wherever it is.
pub unsafe fn abandon(slf: *mut Step) {
    // SAFETY: attached; the step dies, or the collector has come for it.
    unsafe {
        let progress = std::mem::replace(&mut (*slf).progress, Progress::Over);
        let inner = std::mem::replace(&mut (*slf).head.inner, ptr::null_mut());
        if progress == Progress::At {
            let py = Python::assume_attached();
            let generator = (*slf).generator;
            (*generator).at = ptr::null_mut();
            aside(py, || {
                resumed(slf);
                ffi::Py_XDECREF(inner);
                AsyncGenerator::abandoned(generator, py);
            });
            return;
        }
        #[cfg(Py_3_13)]
        if progress == Progress::Idle && inner.is_null() && (*slf).what == What::Next {
            never_awaited(slf);
        }
        ffi::Py_XDECREF(inner);
    }
}

/// What the interpreter says of its own.
#[cfg(Py_3_13)]
#[cold]
unsafe fn never_awaited(slf: *mut Step) {
    // SAFETY: as in `abandon`.
    unsafe {
        let inner = (*(*slf).generator).head.inner;
        if inner.is_null() {
            return;
        }
        let py = Python::assume_attached();
        aside(py, || {
            let inner = Bound::from_borrowed_ptr(py, inner);
            let warned = inner.getattr(intern!(py, "__qualname__")).and_then(|name| {
                let message = c"coroutine method 'asend' of %R was never awaited";
                let class = ffi::PyExc_RuntimeWarning;
                match ffi::PyErr_WarnFormat(class, 1, message.as_ptr(), name.as_ptr()) {
                    0 => Ok(()),
                    _ => Err(PyErr::fetch(py)),
                }
            });
            if let Err(error) = warned {
                error.write_unraisable(py, Some(&inner));
            }
        });
    }
}
