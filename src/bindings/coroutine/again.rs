//! A coroutine whose call is made more than once, or waits before it is let in: while it waits, it
//! steps what it waits for in the place of the function's own coroutine.
#![allow(unsafe_code, reason = "a hand-made heap type: see native.rs")]

use super::{Coroutine, Phase, Stopped};
use crate::bindings::adopt;
use crate::bindings::deferred::native_send;
use crate::bindings::failures::{Carried, raise};
use crate::bindings::held::Entry;
use crate::bindings::outcome::Outcome;
use crate::bindings::plan::{Came, Refused, Then, Wanted};
use crate::bindings::wait;
use pyo3::exceptions::PyException;
use pyo3::ffi;
use pyo3::ffi::PySendResult::{self, PYGEN_ERROR, PYGEN_NEXT, PYGEN_RETURN};
use pyo3::prelude::*;
use std::ptr;

/// What has just happened to the call.
enum Turn<'py> {
    /// An attempt came to its end, or the waiting was broken off.
    Came(Came<'py>),
    /// The wait is over.
    Awake,
    /// The inner object is to be stepped.
    Step,
}

impl Coroutine {
    /// The plan refused the first attempt, and somebody may want another; or lets it wait.
    #[cold]
    pub(super) unsafe fn refused_once(slf: *mut Self, py: Python<'_>, refused: Refused) -> Stopped {
        let mut value = ptr::null_mut();
        // SAFETY: as in `prepare`.
        unsafe {
            if let Some(again) = (*slf).held.again() {
                again.runs = 0;
            }
            (*slf).phase = Phase::Running;
            (*slf).begun = true;
            (*slf).unbegun = std::mem::replace(&mut (*slf).inner, ptr::null_mut());
            let entry = (*slf).held.refused(py, refused);
            let turn = Self::entered(slf, py, entry);
            match Self::go_on(slf, py, turn, &mut value) {
                PYGEN_NEXT => Stopped::Waits(value),
                PYGEN_RETURN => Stopped::Over(value),
                PYGEN_ERROR => Stopped::Raised,
            }
        }
    }

    /// The work begins.
    pub(super) unsafe fn bound(slf: *mut Self) -> Result<(), Stopped> {
        // SAFETY: as in `prepare`.
        unsafe {
            let py = Python::assume_attached();
            let Err(error) = (*slf).held.works(py, 0) else { return Ok(()) };
            Self::close_unbegun(slf, py);
            let mut value = ptr::null_mut();
            (*slf).begun = true;
            let came = Came::Raised(Carried::new(error));
            Err(match Self::go_on(slf, py, Turn::Came(came), &mut value) {
                PYGEN_NEXT => Stopped::Waits(value),
                PYGEN_RETURN => Stopped::Over(value),
                PYGEN_ERROR => Stopped::Raised,
            })
        }
    }

    /// Is its return an end that somebody may not be content with, or that of a wait?
    #[inline(always)]
    pub(super) unsafe fn returns_once(slf: *mut Self) -> bool {
        // SAFETY: as in `prepare`.
        unsafe { (*slf).waiting || (*slf).held.plan().judges() }
    }

    /// The inner object returned `value`. Goes on until the call suspends or is over.
    #[cold]
    pub(super) unsafe fn has_returned(
        slf: *mut Self,
        py: Python<'_>,
        value: *mut ffi::PyObject,
        result: &mut *mut ffi::PyObject,
    ) -> PySendResult {
        // SAFETY: as in `prepare`; `value` is a new reference.
        unsafe {
            let value = Bound::from_owned_ptr(py, value);
            let turn = if (*slf).waiting { Turn::Awake } else { Turn::Came(Came::Returned(value)) };
            Self::go_on(slf, py, turn, result)
        }
    }

    /// The inner object raised what is set. Goes on likewise.
    #[cold]
    pub(super) unsafe fn has_raised(
        slf: *mut Self,
        py: Python<'_>,
        result: &mut *mut ffi::PyObject,
    ) -> PySendResult {
        // SAFETY: as in `prepare`.
        unsafe {
            let came = Self::raised_by_inner(slf, py);
            Self::go_on(slf, py, Turn::Came(came), result)
        }
    }

    /// What is set: an attempt raised it, or it broke a wait off.
    unsafe fn raised_by_inner(slf: *mut Self, py: Python<'_>) -> Came<'static> {
        let error = Carried::pending(py);
        // SAFETY: as in `prepare`.
        if unsafe { std::mem::take(&mut (*slf).waiting) } {
            Came::Broken(error)
        } else {
            Came::Raised(error)
        }
    }

    unsafe fn go_on<'py>(
        slf: *mut Self,
        py: Python<'py>,
        mut turn: Turn<'py>,
        result: &mut *mut ffi::PyObject,
    ) -> PySendResult {
        // SAFETY: as in `prepare`. Whatever runs meanwhile finds it executing.
        unsafe {
            (*slf).entered = true;
            loop {
                turn = match turn {
                    Turn::Came(mut came) => {
                        Self::let_go_of_unbegun(slf);
                        match (*slf).held.settle(py, &mut came) {
                            Then::Over => {
                                (*slf).entered = false;
                                return Self::over(slf, py, came, result);
                            }
                            Then::Again { wait, .. } => {
                                (*slf).held.keep_last(py, came);
                                Self::stand_still(slf, py, wait::asleep(py, wait))
                            }
                            Then::Instead { step, .. } => {
                                let made = (*slf).held.ask(py, step, came, Wanted::Result);
                                Self::made(slf, py, made)
                            }
                        }
                    }
                    Turn::Awake if (*slf).held.is_queued() => {
                        let entry = (*slf).held.rested_enough(py);
                        Self::entered(slf, py, entry)
                    }
                    Turn::Awake => Self::once_more(slf, py),
                    Turn::Step => {
                        let mut value = ptr::null_mut();
                        match Self::step_inner(slf, ffi::Py_None(), &mut value) {
                            PYGEN_NEXT => {
                                (*slf).entered = false;
                                Self::go_out(slf);
                                *result = value;
                                return PYGEN_NEXT;
                            }
                            PYGEN_ERROR => Turn::Came(Self::raised_by_inner(slf, py)),
                            PYGEN_RETURN => {
                                let value = Bound::from_owned_ptr(py, value);
                                if (*slf).waiting {
                                    Turn::Awake
                                } else {
                                    Turn::Came(Came::Returned(value))
                                }
                            }
                        }
                    }
                };
            }
        }
    }

    /// What it waits for takes the place of the inner object.
    unsafe fn stand_still(
        slf: *mut Self,
        py: Python<'_>,
        awaited: PyResult<Bound<'_, PyAny>>,
    ) -> Turn<'static> {
        // SAFETY: as in `prepare`.
        unsafe {
            match awaited {
                Err(error) => Turn::Came(Came::Broken(Carried::new(error))),
                Ok(awaited) => {
                    (*slf).waiting = true;
                    match Self::stand_before(slf, py, awaited) {
                        Ok(()) => Turn::Step,
                        Err(error) => Turn::Came(Came::Broken(Carried::new(error))),
                    }
                }
            }
        }
    }

    /// Asks to be let in again.
    unsafe fn once_more(slf: *mut Self, py: Python<'_>) -> Turn<'_> {
        // SAFETY: as in `prepare`.
        unsafe {
            let entry = (*slf).held.enter_again(py);
            Self::entered(slf, py, entry)
        }
    }

    /// What follows from asking to be let in.
    unsafe fn entered<'py>(slf: *mut Self, py: Python<'py>, entry: Entry<'py>) -> Turn<'py> {
        // SAFETY: as in `prepare`.
        unsafe {
            (*slf).waiting = false;
            match entry {
                Entry::In => Self::make_it(slf, py),
                Entry::Not(came) => Turn::Came(came),
                Entry::Waits => {
                    let awaited = (*slf).held.resting(py);
                    Self::stand_still(slf, py, awaited)
                }
            }
        }
    }

    /// Makes the call, if that was not done before it had to wait.
    unsafe fn make_it(slf: *mut Self, py: Python<'_>) -> Turn<'_> {
        // SAFETY: as in `prepare`; what is called gives a new reference or NULL.
        unsafe {
            if !(*slf).unbegun.is_null() {
                if let Some(again) = (*slf).held.again() {
                    again.runs = 1;
                }
                let unbegun = std::mem::replace(&mut (*slf).unbegun, ptr::null_mut());
                let unbegun = Bound::from_owned_ptr(py, unbegun);
                return match Self::stand_before(slf, py, unbegun) {
                    Ok(()) => Turn::Step,
                    Err(error) => Turn::Came(Came::Raised(Carried::new(error))),
                };
            }
            let made = (*slf).held.again().map_or(ptr::null_mut(), |again| again.make());
            Self::made(slf, py, made)
        }
    }

    /// A call was made, and gave `made`, or raised what is set.
    unsafe fn made(slf: *mut Self, py: Python<'_>, made: *mut ffi::PyObject) -> Turn<'_> {
        // SAFETY: as in `prepare`; `made` is a new reference or NULL.
        unsafe {
            let Some(made) = Bound::from_owned_ptr_or_opt(py, made) else {
                return Turn::Came(Came::Raised(Carried::pending(py)));
            };
            if !adopt::awaitable(made.as_ptr()) {
                return Turn::Came(Came::Returned(made));
            }
            match Self::stand_before(slf, py, made) {
                Ok(()) => Turn::Step,
                Err(error) => Turn::Came(Came::Raised(Carried::new(error))),
            }
        }
    }

    /// `inner`, an awaitable that has not begun, takes the place of the one before.
    unsafe fn stand_before(
        slf: *mut Self,
        py: Python<'_>,
        inner: Bound<'_, PyAny>,
    ) -> PyResult<()> {
        // SAFETY: as in `prepare`; the reference that is replaced was ours.
        unsafe {
            (*slf).send = native_send(inner.as_ptr());
            (*slf).unresolved = (*slf).send.is_none();
            let before = std::mem::replace(&mut (*slf).inner, inner.into_ptr());
            ffi::Py_XDECREF(before);
            if (*slf).unresolved { Self::resolve(slf, py) } else { Ok(()) }
        }
    }

    unsafe fn step_inner(
        slf: *mut Self,
        value: *mut ffi::PyObject,
        result: &mut *mut ffi::PyObject,
    ) -> PySendResult {
        // SAFETY: as in `am_send`.
        unsafe {
            match (*slf).send {
                Some(send) => send((*slf).inner, value, result),
                None => ffi::PyIter_Send((*slf).inner, value, result),
            }
        }
    }

    /// The call is over.
    unsafe fn over(
        slf: *mut Self,
        py: Python<'_>,
        came: Came<'_>,
        result: &mut *mut ffi::PyObject,
    ) -> PySendResult {
        // SAFETY: as in `prepare`.
        unsafe {
            (*slf).phase = Phase::Done;
            (*slf).waiting = false;
            let runs = match (&came, (*slf).held.again()) {
                // It was never made.
                (Came::Refused(_), None) => 0,
                _ => (*slf).held.runs(),
            };
            match came {
                Came::Returned(value) => {
                    *result = value.into_ptr();
                    if (*slf).captures {
                        *result = Self::outcome(slf, *result);
                    }
                }
                Came::Raised(error) | Came::Broken(error) => {
                    let ours = error.get().is_some_and(|it| it.is_instance_of::<PyException>(py));
                    if !((*slf).captures && ours) {
                        error.restore(py);
                        return PYGEN_ERROR;
                    }
                    let took = Self::took(slf, py);
                    *result =
                        Outcome::raised(error.into_inner(), py, took).after(runs).into_ptr(py);
                }
                Came::Refused(refused) => {
                    let plan = (*slf).held.plan();
                    if !(*slf).captures {
                        raise(py, plan.error(py, &refused));
                        return PYGEN_ERROR;
                    }
                    *result = Outcome::refused(plan.clone(), refused, runs).into_ptr(py);
                }
            }
            if (*result).is_null() { PYGEN_ERROR } else { PYGEN_RETURN }
        }
    }
}
