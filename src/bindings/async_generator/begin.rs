//! Beginning a step of an async generator: who may, and what is asked first.
#![allow(unsafe_code, reason = "a hand-made heap type: see native.rs")]

use super::again;
use super::drive::resumed;
use super::step::{Progress, Step, What};
use super::{AsyncGenerator, Phase};
use crate::bindings::deferred::call_inner;
use crate::bindings::failures::discard;
use pyo3::exceptions::{PyRuntimeError, PyStopAsyncIteration, PyValueError};
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyCFunction;
use std::ptr;
use std::sync::OnceLock;

/// What must hold before the inner awaitable is stepped. `false`: it is over, as the exception that
/// is set says, or none. `asks`: to let the generator in, if that has not begun.
#[inline(always)]
pub unsafe fn ready(slf: *mut Step, asks: bool) -> bool {
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
                already_running((*slf).what).restore(py);
                return false;
            }
            Phase::Refused => {
                (*slf).progress = Progress::Over;
                give_up(slf, py);
                if (*slf).what == What::Next {
                    PyStopAsyncIteration::new_err(()).restore(py);
                }
                return false;
            }
            _ if !(*generator).at.is_null() => (*slf).progress = Progress::Astray,
            // A value that nobody waits for is refused by the inner one, and nothing has begun.
            Phase::Fresh if asks && (*slf).what == What::Next && (*slf).value.is_null() => {
                let entry = AsyncGenerator::let_in(generator, py);
                if let Err(came) = again::begin(slf, py, entry) {
                    AsyncGenerator::is_out(generator, py, came);
                    (*slf).progress = Progress::Over;
                    return false;
                }
            }
            _ => AsyncGenerator::wake(generator),
        }
        true
    }
}

/// Closes what was asked of the inner generator before that was refused, which is all that will
/// come of it: left as it is, the interpreter would say that it was never awaited.
unsafe fn give_up(slf: *mut Step, py: Python<'_>) {
    // SAFETY: as in `iternext`; the reference that is taken is given up.
    unsafe {
        let inner = std::mem::replace(&mut (*slf).head.inner, ptr::null_mut());
        if let Err(error) = call_inner(py, inner, intern!(py, "close"), &[]) {
            discard(py, error);
        }
        ffi::Py_XDECREF(inner);
    }
}

/// In the interpreter's own words.
#[cold]
pub fn already_running(what: What) -> PyErr {
    PyRuntimeError::new_err(match what {
        What::Next => "anext(): asynchronous generator is already running",
        What::Throw => "athrow(): asynchronous generator is already running",
        What::Close => "aclose(): asynchronous generator is already running",
    })
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
        if ffi::Py_TYPE(inner) == &raw mut ffi::PyAsyncGen_Type {
            match ASEND.get() {
                Some(Some(asend)) => return asend(inner, value),
                Some(None) => {}
                None => drop(ASEND.set(look_up_asend(py, inner))),
            }
        }
        ffi::PyObject_CallMethodOneArg(inner, intern!(py, "asend").as_ptr(), value)
    }
}

/// How the interpreter's own async generators take a value: there is no slot for it, and looking the
/// method up for each costs more than the rest of the step.
static ASEND: OnceLock<Option<ffi::PyCFunction>> = OnceLock::new();

#[cold]
unsafe fn look_up_asend(py: Python<'_>, inner: *mut ffi::PyObject) -> Option<ffi::PyCFunction> {
    // SAFETY: attached; `inner` is an async generator, of an immutable type. A builtin function that
    // takes one argument has a C function of this signature.
    unsafe {
        let inner = Bound::from_borrowed_ptr(py, inner);
        let method = inner.getattr(intern!(py, "asend")).ok()?;
        let method = method.cast::<PyCFunction>().ok()?.as_ptr();
        if ffi::PyCFunction_GetFlags(method) != ffi::METH_O {
            return None;
        }
        ffi::PyCFunction_GetFunction(method)
    }
}
