//! An async generator function that is called more than once: until it gives its first item, there
//! is nothing yet that could not be done again. Between two attempts, what awaits the first item
//! steps what is waited for in the place of the inner generator's own awaitable.
#![allow(unsafe_code, reason = "a hand-made heap type: see native.rs")]

use super::drive::{ended, over, suspended};
use super::step::{Progress, Step, What};
use super::{AsyncGenerator, Phase};
use crate::bindings::failures::{Carried, raise};
use crate::bindings::plan::{Came, Refused, Then};
use crate::bindings::step::Ended;
use crate::bindings::wait;
use crate::time::Nanos;
use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use std::ptr;

/// What has just happened to the call.
enum Turn<'py> {
    /// The first item did not come, or the waiting was broken off.
    Came(Came<'py>),
    /// The wait is over.
    Awake,
    /// The inner awaitable is to be stepped.
    Step,
}

/// The inner awaitable has come to its end: is that one which somebody may want to see again?
#[inline(always)]
pub unsafe fn wanted(slf: *mut Step) -> bool {
    // SAFETY: as in `iternext`.
    unsafe { (*slf).waiting || ((*(*slf).generator).phase == Phase::Entered && failed(slf)) }
}

#[cold]
unsafe fn failed(slf: *mut Step) -> bool {
    // SAFETY: as in `iternext`.
    unsafe {
        (*slf).progress == Progress::At
            && (*slf).what == What::Next
            && (*(*slf).generator).held.follows()
            && !is_end()
    }
}

/// Does what is set mean an item, or that there are none?
unsafe fn is_end() -> bool {
    // SAFETY: attached.
    unsafe {
        ffi::PyErr_Occurred().is_null()
            || ffi::PyErr_ExceptionMatches(ffi::PyExc_StopIteration) != 0
            || ffi::PyErr_ExceptionMatches(ffi::PyExc_StopAsyncIteration) != 0
    }
}

/// Goes on until it suspends, or there is an item, or the call is over: what `iternext` answers.
#[cold]
pub unsafe fn go_on(slf: *mut Step) -> *mut ffi::PyObject {
    // SAFETY: as in `iternext`. Whatever runs meanwhile finds it executing.
    unsafe {
        let py = Python::assume_attached();
        let mut turn = after(slf, py);
        (*slf).entered = true;
        loop {
            turn = match turn {
                Turn::Came(mut came) => match (*(*slf).generator).held.settle(py, &mut came) {
                    Then::Over => {
                        (*slf).entered = false;
                        return finish(slf, py, came);
                    }
                    Then::Again { wait, .. } => {
                        (*(*slf).generator).held.keep_last(py, came);
                        sleep(slf, py, wait)
                    }
                },
                Turn::Awake => once_more(slf, py),
                Turn::Step => {
                    let inner = (*slf).head.inner;
                    let yielded = match (*ffi::Py_TYPE(inner)).tp_iternext {
                        Some(next) => next(inner),
                        None => ptr::null_mut(),
                    };
                    if !yielded.is_null() {
                        (*slf).entered = false;
                        suspended(slf);
                        return yielded;
                    }
                    if !(*slf).waiting && is_end() {
                        (*slf).entered = false;
                        ended(slf);
                        return ptr::null_mut();
                    }
                    after(slf, py)
                }
            };
        }
    }
}

/// What the end of the inner awaitable means.
unsafe fn after(slf: *mut Step, py: Python<'_>) -> Turn<'_> {
    // SAFETY: as in `iternext`.
    unsafe {
        if (*slf).waiting && is_end() {
            ffi::PyErr_Clear();
            return Turn::Awake;
        }
        let error = Carried::pending(py);
        let waited = std::mem::take(&mut (*slf).waiting);
        Turn::Came(if waited { Came::Broken(error) } else { Came::Raised(error) })
    }
}

unsafe fn replace(slf: *mut Step, inner: *mut ffi::PyObject) {
    // SAFETY: as in `iternext`; `inner` is a new reference, and the one before was ours.
    unsafe { ffi::Py_XDECREF(std::mem::replace(&mut (*slf).head.inner, inner)) };
}

unsafe fn sleep(slf: *mut Step, py: Python<'_>, delay: Nanos) -> Turn<'static> {
    let awaited = wait::asleep(py, delay)
        .and_then(|awaitable| awaitable.call_method0(intern!(py, "__await__")));
    match awaited {
        Err(error) => Turn::Came(Came::Broken(Carried::new(error))),
        // SAFETY: as in `iternext`.
        Ok(iterator) => unsafe {
            (*slf).waiting = true;
            replace(slf, iterator.into_ptr());
            Turn::Step
        },
    }
}

/// Makes the call again, and asks for its first item.
unsafe fn once_more(slf: *mut Step, py: Python<'_>) -> Turn<'_> {
    // SAFETY: as in `iternext`; what is called gives a new reference or NULL.
    unsafe {
        let generator = (*slf).generator;
        (*slf).waiting = false;
        if let Err(came) = (*generator).held.enter_again(py) {
            return Turn::Came(came);
        }
        let made = (*generator).held.again().map_or(ptr::null_mut(), |again| again.make());
        if made.is_null() {
            return Turn::Came(Came::Raised(Carried::pending(py)));
        }
        let before = std::mem::replace(&mut (*generator).head.inner, made);
        ffi::Py_XDECREF(before);
        let slots = (*ffi::Py_TYPE(made)).tp_as_async;
        let anext = if slots.is_null() { None } else { (*slots).am_anext };
        let Some(anext) = anext else {
            let error = PyTypeError::new_err("an async generator function returned none");
            return Turn::Came(Came::Raised(Carried::new(error)));
        };
        let first = anext(made);
        if first.is_null() {
            return Turn::Came(Came::Raised(Carried::pending(py)));
        }
        replace(slf, first);
        Turn::Step
    }
}

/// The call is over, without an item.
unsafe fn finish(slf: *mut Step, py: Python<'_>, came: Came<'_>) -> *mut ffi::PyObject {
    // SAFETY: as in `iternext`.
    unsafe {
        let generator = (*slf).generator;
        over(slf);
        (*generator).phase = Phase::Done;
        raise_of(generator, py, came);
        ptr::null_mut()
    }
}

unsafe fn raise_of(generator: *mut AsyncGenerator, py: Python<'_>, came: Came<'_>) {
    match came {
        Came::Raised(error) | Came::Broken(error) => error.restore(py),
        Came::Refused(refused) => {
            // SAFETY: as in `iternext`.
            let error = unsafe { (*generator).held.plan().error(py, &refused) };
            drop(refused);
            raise(py, error);
        }
        // Nobody returns here.
        Came::Returned(_) => {}
    }
}

/// The plan refused the first attempt, outside of anything that could wait for another: it stays the
/// only one.
#[cold]
pub unsafe fn refused(generator: *mut AsyncGenerator, py: Python<'_>, refused: Refused) {
    // SAFETY: as in `AsyncGenerator::let_in`.
    unsafe {
        let mut came = Came::Refused(refused);
        if (*generator).held.follows()
            && let Then::Again { .. } = (*generator).held.settle(py, &mut came)
        {
            (*generator).held.ended(py, &Ended::Dropped);
        }
        raise_of(generator, py, came);
    }
}
