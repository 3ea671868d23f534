//! The driver of a coroutine: an object that stands before the function's own coroutine, lets it in
//! at its first step and settles at its last.
//!
//! The interpreter drives it through its native slots, so no Python frame is added and none shows
//! in a traceback. A permit is taken at the first step, not when the coroutine is made: one that is
//! never awaited never took any. Closing, dropping or throwing into it reaches the inner coroutine
//! first and settles afterwards.
#![allow(unsafe_code, reason = "a hand-made heap type: see native.rs")]

mod again;
mod ends;
mod object;
mod steps;

pub use object::register;

use super::call::{Arguments, Callee, Finish};
use super::deferred::{self, Stand, native_send};
use super::failures;
use super::held::Held;
use super::plan::PlanRef;
use super::pool::Pool;
use crate::time::{Clock, Nanos};
use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::ffi;
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

/// A coroutine that ends in an outcome, or does not.
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
}
