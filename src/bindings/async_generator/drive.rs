//! Driving a step of an async generator: `send`, `throw` and `close`, natively and by name.
#![allow(unsafe_code, reason = "a hand-made heap type: see native.rs")]

use super::step::{Progress, Step, What};
use super::{AsyncGenerator, Phase};
use crate::bindings::deferred::{aside, call_inner, collected, thrown};
use pyo3::exceptions::{
    PyRuntimeError, PyStopAsyncIteration, PyStopIteration, PyTypeError, PyValueError,
};
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyString;
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
        if yielded.is_null() {
            ended(slf);
        } else {
            suspended(slf);
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

/// What must hold before the inner awaitable is stepped. `false`: it is over, as the exception that
/// is set says, or none. `asks`: to let the generator in, if that has not begun.
#[inline(always)]
unsafe fn ready(slf: *mut Step, asks: bool) -> bool {
    // SAFETY: as in `iternext`.
    unsafe {
        let generator = (*slf).generator;
        let usual = (*slf).progress == Progress::Idle
            && !generator.is_null()
            && (*generator).phase == Phase::Given
            && (*generator).at.is_null();
        if !usual && !ready_otherwise(slf, asks) {
            return false;
        }
        if (*slf).head.inner.is_null() && !make_inner(slf) {
            return false;
        }
        if (*slf).progress == Progress::Idle {
            (*slf).progress = Progress::At;
            (*generator).at = slf;
        }
        true
    }
}

#[cold]
#[inline(never)]
unsafe fn ready_otherwise(slf: *mut Step, asks: bool) -> bool {
    // SAFETY: as in `iternext`.
    unsafe {
        let py = Python::assume_attached();
        let generator = (*slf).generator;
        if (*slf).entered {
            PyValueError::new_err("async generator already executing").restore(py);
            return false;
        }
        if (*slf).progress == Progress::Over || generator.is_null() {
            let message = match (*slf).what {
                What::Next => "cannot reuse already awaited __anext__()/asend()",
                What::Throw | What::Close => "cannot reuse already awaited aclose()/athrow()",
            };
            PyRuntimeError::new_err(message).restore(py);
            return false;
        }
        if (*slf).progress != Progress::Idle {
            resumed(slf);
            return true;
        }
        match (*generator).phase {
            Phase::Entering => {
                (*slf).progress = Progress::Over;
                let message = match (*slf).what {
                    What::Next => "anext(): asynchronous generator is already running",
                    What::Throw => "athrow(): asynchronous generator is already running",
                    What::Close => "aclose(): asynchronous generator is already running",
                };
                PyRuntimeError::new_err(message).restore(py);
                return false;
            }
            Phase::Refused => {
                (*slf).progress = Progress::Over;
                if (*slf).what == What::Next {
                    PyStopAsyncIteration::new_err(()).restore(py);
                }
                return false;
            }
            _ if !(*generator).at.is_null() => (*slf).progress = Progress::Astray,
            // A value that nobody waits for is refused by the inner one, and nothing has begun.
            Phase::Fresh if asks && (*slf).what == What::Next && (*slf).value.is_null() => {
                if !AsyncGenerator::let_in(generator, py) {
                    (*slf).progress = Progress::Over;
                    return false;
                }
            }
            _ => AsyncGenerator::wake(generator),
        }
        true
    }
}

/// Makes the inner generator's awaitable. `false`: an exception is set, and nothing has begun.
#[inline(always)]
unsafe fn make_inner(slf: *mut Step) -> bool {
    // SAFETY: as in `iternext`; an async generator's slot gives a new reference or an error.
    unsafe {
        let inner = (*(*slf).generator).head.inner;
        let slots = if inner.is_null() || !(*slf).value.is_null() {
            ptr::null_mut()
        } else {
            (*ffi::Py_TYPE(inner)).tp_as_async
        };
        let made = match if slots.is_null() { None } else { (*slots).am_anext } {
            Some(anext) => anext(inner),
            None => make_inner_by_name(slf),
        };
        (*slf).head.inner = made;
        if made.is_null() {
            (*slf).progress = Progress::Over;
            AsyncGenerator::rest((*slf).generator);
        }
        !made.is_null()
    }
}

#[inline(never)]
unsafe fn make_inner_by_name(slf: *mut Step) -> *mut ffi::PyObject {
    // SAFETY: as in `iternext`.
    unsafe {
        let py = Python::assume_attached();
        let inner = (*(*slf).generator).head.inner;
        if inner.is_null() {
            PyStopAsyncIteration::new_err(()).restore(py);
            return ptr::null_mut();
        }
        let value = if (*slf).value.is_null() { ffi::Py_None() } else { (*slf).value };
        let name = intern!(py, "asend").as_ptr();
        ffi::PyObject_CallMethodOneArg(inner, name, value)
    }
}

/// It runs on.
#[inline(always)]
unsafe fn resumed(slf: *mut Step) {
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
unsafe fn suspended(slf: *mut Step) {
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
unsafe fn ended(slf: *mut Step) {
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
            }
            AsyncGenerator::rest(generator);
        } else {
            ended_otherwise(slf, generator);
        }
    }
}

/// What was asked has an answer: the generator is free for the next.
#[inline(always)]
unsafe fn over(slf: *mut Step) {
    // SAFETY: as in `iternext`.
    unsafe {
        (*slf).progress = Progress::Idle;
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
        let ours = (*slf).thrown && error.value(py).as_ptr() == thrown;
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
            return ptr::null_mut();
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
