//! An async generator function that is called more than once, or waits before it is let in: until it gives its first item, there
//! is nothing yet that could not be done again. Between two attempts, what awaits the first item
//! steps what is waited for in the place of the inner generator's own awaitable.
#![allow(unsafe_code, reason = "a hand-made heap type: see native.rs")]

use super::drive::{ended, over, suspended};
use super::step::{Progress, Step, What};
use super::{AsyncGenerator, Phase};
use crate::bindings::failures::Carried;
use crate::bindings::held::Entry;
use crate::bindings::plan::{Came, Then, Wanted};
use crate::bindings::wait;
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
                Turn::Came(mut came) => {
                    let generator = (*slf).generator;
                    if (*generator).phase == Phase::Entering {
                        // It waited to be let in, and was not.
                        (*generator).phase = Phase::Entered;
                        AsyncGenerator::end_unbegun(generator, py);
                    }
                    let Some(turn) = settled(slf, py, &mut came) else {
                        (*slf).entered = false;
                        return finish(slf, py, came);
                    };
                    turn
                }
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

/// Tells the steps what the call came to. What follows; None: it is over.
unsafe fn settled<'py>(slf: *mut Step, py: Python<'py>, came: &mut Came<'py>) -> Option<Turn<'py>> {
    // SAFETY: as in `iternext`.
    unsafe {
        let held = &mut (*(*slf).generator).held;
        let then = held.settle(py, came);
        if let Then::Over = then {
            return None;
        }
        let came = std::mem::replace(came, Came::Raised(Carried::none()));
        Some(match then {
            Then::Instead { step, .. } => {
                let made = held.ask(py, step, came, Wanted::AsyncItems);
                if made.is_null() {
                    Turn::Came(Came::Raised(Carried::pending(py)))
                } else {
                    let generator = (*slf).generator;
                    ffi::Py_XDECREF(std::mem::replace(&mut (*generator).head.inner, made));
                    first_of(slf, py)
                }
            }
            Then::Again { wait, .. } => {
                held.keep_last(py, came);
                stand_still(slf, py, wait::asleep(py, wait))
            }
            Then::Over => Turn::Came(came),
        })
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

unsafe fn stand_still(
    slf: *mut Step,
    py: Python<'_>,
    awaited: PyResult<Bound<'_, PyAny>>,
) -> Turn<'static> {
    match awaited.and_then(|awaitable| awaitable.call_method0(intern!(py, "__await__"))) {
        Err(error) => Turn::Came(Came::Broken(Carried::new(error))),
        // SAFETY: as in `iternext`.
        Ok(iterator) => unsafe {
            (*slf).waiting = true;
            replace(slf, iterator.into_ptr());
            Turn::Step
        },
    }
}

/// The generator asked to be let in. If it is to wait, that takes the place of its first item; an
/// error: it is not let in.
#[cold]
pub unsafe fn begin<'py>(
    slf: *mut Step,
    py: Python<'py>,
    entry: Entry<'py>,
) -> Result<(), Came<'py>> {
    match entry {
        Entry::In => Ok(()),
        // SAFETY: as in `iternext`.
        Entry::Not(came) => unsafe { refused(slf, py, came) },
        // SAFETY: as in `iternext`.
        Entry::Waits => unsafe {
            let awaited = (*(*slf).generator).held.resting(py);
            match stand_still(slf, py, awaited) {
                Turn::Came(came) => refused(slf, py, came),
                Turn::Awake | Turn::Step => Ok(()),
            }
        },
    }
}

/// It was not let in at once, and somebody may want it all the same, or another in its place: then
/// what is waited for, or that one's first item, takes the place of its own. An error: it is over.
unsafe fn refused<'py>(
    slf: *mut Step,
    py: Python<'py>,
    mut came: Came<'py>,
) -> Result<(), Came<'py>> {
    // SAFETY: as in `iternext`.
    unsafe {
        let generator = (*slf).generator;
        if !(*generator).held.follows() {
            return Err(came);
        }
        AsyncGenerator::end_unbegun(generator, py);
        loop {
            match settled(slf, py, &mut came) {
                None => return Err(came),
                Some(Turn::Came(next)) => came = next,
                Some(Turn::Awake | Turn::Step) => {
                    (*generator).phase = Phase::Entered;
                    return Ok(());
                }
            }
        }
    }
}

/// It was waited for long enough: the call is made again, or was let in, or not.
unsafe fn once_more(slf: *mut Step, py: Python<'_>) -> Turn<'_> {
    // SAFETY: as in `iternext`.
    unsafe {
        let held = &mut (*(*slf).generator).held;
        (*slf).waiting = false;
        let queued = held.is_queued();
        match if queued { held.rested_enough(py) } else { held.enter_again(py) } {
            Entry::In => first_item(slf, py),
            Entry::Not(came) => Turn::Came(came),
            Entry::Waits => {
                let awaited = held.resting(py);
                stand_still(slf, py, awaited)
            }
        }
    }
}

/// Makes the call, if that was not done before it had to wait, and asks for its first item.
unsafe fn first_item(slf: *mut Step, py: Python<'_>) -> Turn<'_> {
    // SAFETY: as in `iternext`; what is called gives a new reference or NULL.
    unsafe {
        let generator = (*slf).generator;
        if (*generator).phase == Phase::Entering {
            AsyncGenerator::is_in(generator);
        } else {
            let made = (*generator).held.again().map_or(ptr::null_mut(), |again| again.make());
            if made.is_null() {
                return Turn::Came(Came::Raised(Carried::pending(py)));
            }
            let before = std::mem::replace(&mut (*generator).head.inner, made);
            ffi::Py_XDECREF(before);
        }
        first_of(slf, py)
    }
}

/// Asks the inner generator, which has not begun, for its first item.
unsafe fn first_of(slf: *mut Step, py: Python<'_>) -> Turn<'_> {
    // SAFETY: as in `iternext`.
    unsafe {
        let generator = (*slf).generator;
        let made = (*generator).head.inner;
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
        came.raise(py, (*generator).held.plan());
        ptr::null_mut()
    }
}
