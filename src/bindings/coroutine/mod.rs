//! The driver of a coroutine: an object that stands before the function's own coroutine, lets it in
//! at its first step and settles at its last.
//!
//! The interpreter drives it through its native slots, so no Python frame is added and none shows
//! in a traceback. A permit is taken at the first step, not when the coroutine is made: one that is
//! never awaited never took any. Closing, dropping or throwing into it reaches the inner coroutine
//! first and settles afterwards.
#![allow(unsafe_code, reason = "a hand-made heap type: see native.rs")]

mod again;
mod object;
mod steps;

pub use object::register;

use super::call::{Arguments, Callee, Finish};
use super::deferred::{self, Stand, call_inner, native_send};
use super::failures;
use super::held::Held;
use super::outcome::Outcome;
use super::plan::{PlanRef, Refused};
use super::pool::Pool;
use crate::time::{Clock, Nanos};
use pyo3::exceptions::{PyException, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Made, not begun: nothing has been asked of any policy.
    Fresh,
    /// Let in, and not at its end.
    Running,
    /// As `Running`, but suspended, and what is called here meanwhile is not inside of it.
    Outside,
    /// Returned, raised, refused or closed.
    Done,
}

/// A coroutine with a plan around it.
#[repr(C)]
pub struct Coroutine {
    ob_base: ffi::PyObject,
    inner: *mut ffi::PyObject,
    /// How the inner one's type takes a value, if it has a native way.
    send: Option<ffi::sendfunc>,
    held: Held,
    /// When the first step began; only kept for an outcome.
    began: Nanos,
    phase: Phase,
    /// Inside the inner coroutine right now.
    entered: bool,
    /// Ends in an `Outcome` instead of a result or an exception.
    captures: bool,
    /// The inner object is an awaitable whose `__await__` has not been asked yet.
    unresolved: bool,
    /// Between two attempts, or before the first: the inner object is what it waits for.
    waiting: bool,
    /// Somebody has taken a first step.
    begun: bool,
    /// Somebody asked for the iterator by name, and may keep the exception that ends it.
    by_hand: bool,
    /// While the call waits to be let in: the function's own coroutine, which has not begun. Or NULL.
    unbegun: *mut ffi::PyObject,
    weak: *mut ffi::PyObject,
}

static TYPE: AtomicPtr<ffi::PyTypeObject> = AtomicPtr::new(ptr::null_mut());
static POOL: Pool = Pool::new();

/// Why the inner coroutine is not to be stepped.
pub(super) enum Stopped {
    /// An exception is set.
    Raised,
    /// It is over, and this is what it came to.
    Over(*mut ffi::PyObject),
    /// The call has not got that far: it waits to be made again, and gave this to its loop.
    Waits(*mut ffi::PyObject),
}

impl Stopped {
    fn of(outcome: Option<*mut ffi::PyObject>) -> Self {
        outcome.map_or(Self::Raised, Self::Over)
    }
}

/// A coroutine that ends in an [`Outcome`], or does not.
#[derive(Clone, Copy)]
struct Before {
    captures: bool,
}

impl Stand for Before {
    #[inline(always)]
    unsafe fn make(
        self,
        hold: impl FnOnce(*mut Held),
        inner: *mut ffi::PyObject,
    ) -> *mut ffi::PyObject {
        // SAFETY: as the caller promises.
        unsafe { Coroutine::make(hold, inner, Phase::Fresh, 0, self.captures) }
    }
}

/// Calls a coroutine function. Nothing of it runs, and no policy is asked, before the first step.
///
/// # Safety
/// As [`super::call::drive`].
#[inline(always)]
pub unsafe fn start<C: Clock, F: Finish>(
    plan: PlanRef,
    callee: Callee,
    arguments: Arguments,
    clock: &C,
    _finish: F,
) -> *mut ffi::PyObject {
    // SAFETY: as the caller promises.
    unsafe { deferred::start(plan, callee, arguments, clock, Before { captures: F::CAPTURES }) }
}

impl Coroutine {
    /// Stands before `value`, an awaitable whose call was let in already.
    ///
    /// # Safety
    /// Attached; `value` is a new reference to an awaitable.
    pub unsafe fn adopting(
        held: Held,
        value: *mut ffi::PyObject,
        began: Nanos,
        captures: bool,
    ) -> *mut ffi::PyObject {
        // SAFETY: as the caller promises.
        unsafe {
            Self::make(|place: *mut Held| place.write(held), value, Phase::Outside, began, captures)
        }
    }

    #[inline(always)]
    unsafe fn make(
        hold: impl FnOnce(*mut Held),
        inner: *mut ffi::PyObject,
        phase: Phase,
        began: Nanos,
        captures: bool,
    ) -> *mut ffi::PyObject {
        // SAFETY: `inner` is a new reference that the object takes over. Every field is written
        // before the collector hears of the object.
        unsafe {
            let slf = POOL.take::<Self>(TYPE.load(Ordering::Relaxed));
            if slf.is_null() {
                ffi::Py_DECREF(inner);
                return ptr::null_mut();
            }
            let send = native_send(inner);
            (&raw mut (*slf).inner).write(inner);
            (&raw mut (*slf).send).write(send);
            hold(&raw mut (*slf).held);
            (&raw mut (*slf).began).write(began);
            (&raw mut (*slf).phase).write(phase);
            (&raw mut (*slf).entered).write(false);
            (&raw mut (*slf).captures).write(captures);
            (&raw mut (*slf).unresolved).write(send.is_none());
            (&raw mut (*slf).waiting).write(false);
            (&raw mut (*slf).begun).write(false);
            (&raw mut (*slf).by_hand).write(false);
            (&raw mut (*slf).unbegun).write(ptr::null_mut());
            (&raw mut (*slf).weak).write(ptr::null_mut());
            ffi::PyObject_GC_Track(slf.cast());
            slf.cast()
        }
    }

    /// What must hold before the inner coroutine is stepped. An error is set if it does not.
    #[cold]
    unsafe fn prepare(
        slf: *mut Self,
        py: Python<'_>,
        value: *mut ffi::PyObject,
    ) -> Result<(), Stopped> {
        let refuse = |error: PyErr| {
            failures::raise(py, error);
            Err(Stopped::Raised)
        };
        // SAFETY: `slf` is a live coroutine that nobody else touches while we are attached.
        unsafe {
            if (*slf).entered {
                return refuse(PyValueError::new_err("coroutine already executing"));
            }
            if (*slf).phase == Phase::Done {
                return refuse(PyRuntimeError::new_err("cannot reuse already awaited coroutine"));
            }
            if !(*slf).begun && value != ffi::Py_None() {
                return refuse(PyTypeError::new_err(
                    "can't send non-None value to a just-started coroutine",
                ));
            }
            if (*slf).phase == Phase::Fresh {
                if (*slf).captures {
                    (*slf).began = Held::now(py);
                }
                Self::let_in(slf)?;
            }
            Self::go_in(slf, py);
            if (*slf).unresolved {
                // So may an `__await__`.
                (*slf).entered = true;
                let resolved = Self::resolve(slf, py);
                (*slf).entered = false;
                if let Err(error) = resolved {
                    error.restore(py);
                    (*slf).phase = Phase::Done;
                    (*slf).held.raised(py);
                    return Err(Stopped::Raised);
                }
            }
        }
        Ok(())
    }

    /// Takes the first step into the plan.
    #[inline(always)]
    pub(super) unsafe fn let_in(slf: *mut Self) -> Result<(), Stopped> {
        // SAFETY: as in `prepare`.
        unsafe {
            // Entering may tell listeners, and they may come back here.
            (*slf).entered = true;
            let entered = (*slf).held.enter();
            (*slf).entered = false;
            match entered {
                Ok(()) => {
                    (*slf).phase = Phase::Running;
                    if (*slf).held.plan().bounds() { Self::bound(slf) } else { Ok(()) }
                }
                Err(refused) => {
                    let py = Python::assume_attached();
                    if (*slf).held.follows() {
                        return Err(Self::refused_once(slf, py, refused));
                    }
                    Err(Stopped::of(Self::refused(slf, py, refused, 0)))
                }
            }
        }
    }

    /// It runs on.
    pub(super) unsafe fn go_in(slf: *mut Self, py: Python<'_>) {
        // SAFETY: as in `prepare`.
        unsafe {
            if (*slf).phase == Phase::Outside {
                (*slf).phase = Phase::Running;
                (*slf).held.suspended(py, false);
            }
        }
    }

    /// It is suspended, and others run here.
    #[inline(always)]
    pub(super) unsafe fn go_out(slf: *mut Self) {
        // SAFETY: as in `prepare`.
        unsafe {
            if (*slf).held.reaches_inside() {
                (*slf).phase = Phase::Outside;
                (*slf).held.suspended(Python::assume_attached(), true);
            }
        }
    }

    /// The plan did not let it in: it is over, with an exception set or an outcome to return.
    #[cold]
    pub(super) unsafe fn refused(
        slf: *mut Self,
        py: Python<'_>,
        refused: Refused,
        runs: u32,
    ) -> Option<*mut ffi::PyObject> {
        // SAFETY: as in `prepare`.
        unsafe {
            (*slf).phase = Phase::Done;
            Self::close_unbegun(slf, py);
            let plan = (*slf).held.plan();
            if (*slf).captures {
                return Some(Outcome::refused(plan.clone(), refused, runs).into_ptr(py));
            }
            failures::raise(py, plan.error(py, &refused));
        }
        None
    }

    /// Closed, not dropped: an inner coroutine that never began would warn.
    unsafe fn close_unbegun(slf: *mut Self, py: Python<'_>) {
        // SAFETY: as in `prepare`.
        unsafe { Self::close_one(py, (*slf).inner) };
    }

    unsafe fn close_one(py: Python<'_>, inner: *mut ffi::PyObject) {
        if let Err(error) = call_inner(py, inner, intern!(py, "close"), &[]) {
            error.write_unraisable(py, None);
        }
    }

    /// What has waited to begin will not.
    #[inline(always)]
    pub(super) unsafe fn let_go_of_unbegun(slf: *mut Self) {
        // SAFETY: as in `prepare`.
        unsafe {
            if !(*slf).unbegun.is_null() {
                Self::unbegun_goes(slf);
            }
        }
    }

    #[cold]
    unsafe fn unbegun_goes(slf: *mut Self) {
        // SAFETY: as in `prepare`; the reference that is taken is given up.
        unsafe {
            let py = Python::assume_attached();
            let unbegun = std::mem::replace(&mut (*slf).unbegun, ptr::null_mut());
            deferred::aside(py, || {
                Self::close_one(py, unbegun);
                ffi::Py_DECREF(unbegun);
            });
        }
    }

    /// Asks an awaitable for the iterator that is stepped in its place.
    unsafe fn resolve(slf: *mut Self, py: Python<'_>) -> PyResult<()> {
        // SAFETY: as in `prepare`; the awaitable's slot gives a new reference or an error.
        unsafe {
            let value = (*slf).inner;
            let slots = (*ffi::Py_TYPE(value)).tp_as_async;
            let ask = if slots.is_null() { None } else { (*slots).am_await };
            let Some(ask) = ask else {
                return Err(PyTypeError::new_err("a coroutine function returned no awaitable"));
            };
            let iterator = Bound::from_owned_ptr_or_err(py, ask(value))?;
            let send = native_send(iterator.as_ptr());
            if send.is_none() && ffi::PyIter_Check(iterator.as_ptr()) == 0 {
                return Err(PyTypeError::new_err(format!(
                    "__await__() returned non-iterator of type '{}'",
                    iterator.get_type().name()?
                )));
            }
            (*slf).inner = iterator.into_ptr();
            (*slf).send = send;
            (*slf).unresolved = false;
            ffi::Py_DECREF(value);
        }
        Ok(())
    }

    /// The inner coroutine returned `value`, which is replaced by an outcome if one is wanted.
    #[inline(always)]
    unsafe fn returned(slf: *mut Self, value: &mut *mut ffi::PyObject) {
        // SAFETY: as in `prepare`; `value` is a new reference.
        unsafe {
            (*slf).phase = Phase::Done;
            (*slf).held.returned(*value);
            if (*slf).captures {
                *value = Self::outcome(slf, *value);
            }
        }
    }

    /// How long the call has taken so far.
    unsafe fn took(slf: *mut Self, py: Python<'_>) -> Nanos {
        // SAFETY: as in `prepare`.
        unsafe { Held::now(py).saturating_sub((*slf).began) }
    }

    #[cold]
    unsafe fn outcome(slf: *mut Self, value: *mut ffi::PyObject) -> *mut ffi::PyObject {
        // SAFETY: attached; `value` is a new reference and ours.
        unsafe {
            let py = Python::assume_attached();
            let value = Bound::from_owned_ptr(py, value).unbind();
            let outcome = Outcome::returned(value, Self::took(slf, py)).after((*slf).held.runs());
            outcome.remembered((*slf).held.stale()).into_ptr(py)
        }
    }

    /// The inner coroutine raised what is set. Gives an outcome if one is wanted and fits.
    #[cold]
    #[inline(never)]
    unsafe fn raised(slf: *mut Self) -> Option<*mut ffi::PyObject> {
        // SAFETY: as in `prepare`.
        unsafe {
            let py = Python::assume_attached();
            (*slf).phase = Phase::Done;
            (*slf).held.raised(py);
            if !(*slf).captures {
                return None;
            }
            let error = PyErr::fetch(py);
            if !error.is_instance_of::<PyException>(py) {
                error.restore(py);
                return None;
            }
            let took = Self::took(slf, py);
            Some(Outcome::raised(error, py, took).after((*slf).held.runs()).into_ptr(py))
        }
    }
}
