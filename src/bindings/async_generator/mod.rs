//! The driver of an async generator: an object that stands before the function's own async
//! generator, lets it in at the first item awaited and settles when no more will come.
//!
//! Each item is awaited through a [`step::Step`], which makes the inner generator's own awaitable
//! when it is first stepped, so that one which is refused never reaches the event loop's hooks.
//! Between two items it rests, as a [generator](super::generator) does. While it waits inside of an
//! item it works, but what runs in the loop meanwhile is not inside of it.
#![allow(unsafe_code, reason = "a hand-made heap type: see native.rs")]

mod again;
mod begin;
mod by_name;
mod drive;
mod object;
mod step;

pub use object::register;

use super::call::{Arguments, Callee};
use super::deferred::{self, Head, Stand, aside, finished};
use super::failures::discard;
use super::held::{Entry, Held};
use super::plan::{Came, PlanRef};
use super::pool::Pool;
use super::step::Ended;
use crate::time::Clock;
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use step::Step;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Made, not begun: nothing has been asked of any policy.
    Fresh,
    /// Being let in, which may tell listeners, and they may come back here; or waiting to be.
    Entering,
    /// Let in; has not given an item yet.
    Entered,
    /// Has given one. Nobody minds what it does between two, or it is at the next.
    Given,
    /// Between two items, and somebody minds.
    Resting,
    /// Not let in: it is over, and the inner one never began.
    Refused,
    /// Settled. What is still asked of it goes to the inner one.
    Done,
}

/// An async generator with a plan around it.
#[repr(C)]
pub struct AsyncGenerator {
    head: Head,
    held: Held,
    /// The step that has begun and is not at its end, which keeps us alive.
    at: *mut Step,
    phase: Phase,
    /// Must it be said when it rests, and when it works again?
    minds: bool,
    weak: *mut ffi::PyObject,
}

static TYPE: AtomicPtr<ffi::PyTypeObject> = AtomicPtr::new(ptr::null_mut());
static POOL: Pool = Pool::new();

/// Calls an async generator function. Nothing of it runs, and no policy is asked, before the first
/// item is awaited.
///
/// # Safety
/// As [`super::call::drive`].
#[inline(always)]
pub unsafe fn start<C: Clock, F>(
    plan: PlanRef,
    callee: Callee,
    arguments: Arguments,
    clock: &C,
    _finish: F,
) -> *mut ffi::PyObject {
    // SAFETY: as the caller promises.
    unsafe { deferred::start(plan, callee, arguments, clock, Before) }
}

#[derive(Clone, Copy)]
struct Before;

impl Stand for Before {
    #[inline(always)]
    unsafe fn make(
        self,
        hold: impl FnOnce(*mut Held),
        inner: *mut ffi::PyObject,
    ) -> *mut ffi::PyObject {
        // SAFETY: `inner` is a new reference that the object takes over. Every field is written
        // before the collector hears of the object.
        unsafe {
            let made = POOL.take::<AsyncGenerator>(TYPE.load(Ordering::Relaxed));
            if made.is_null() {
                ffi::Py_DECREF(inner);
                return ptr::null_mut();
            }
            (&raw mut (*made).head.inner).write(inner);
            hold(&raw mut (*made).held);
            (&raw mut (*made).at).write(ptr::null_mut());
            (&raw mut (*made).phase).write(Phase::Fresh);
            (&raw mut (*made).minds).write(false);
            (&raw mut (*made).weak).write(ptr::null_mut());
            ffi::PyObject_GC_Track(made.cast());
            made.cast()
        }
    }
}

impl AsyncGenerator {
    /// Asks the plan to let it in.
    #[cold]
    unsafe fn let_in(slf: *mut Self, py: Python<'_>) -> Entry<'_> {
        // SAFETY: `slf` is a live async generator, attached, and nobody else is at it.
        unsafe {
            (*slf).phase = Phase::Entering;
            match (*slf).held.enter() {
                Ok(()) => {
                    Self::is_in(slf);
                    Entry::In
                }
                Err(refused) if (*slf).held.follows() => (*slf).held.refused(py, refused),
                Err(refused) => Entry::Not(Came::Refused(refused)),
            }
        }
    }

    unsafe fn is_in(slf: *mut Self) {
        // SAFETY: as in `let_in`.
        unsafe {
            (*slf).phase = Phase::Entered;
            (*slf).minds = (*slf).held.minds_rests();
        }
    }

    /// It was not let in, and an exception is set that says why.
    #[cold]
    unsafe fn is_out(slf: *mut Self, py: Python<'_>, came: Came<'_>) {
        // SAFETY: as in `let_in`.
        unsafe {
            (*slf).phase = Phase::Refused;
            Self::end_unbegun(slf, py);
            came.raise(py, (*slf).held.plan());
        }
    }

    /// Ends an inner generator that never began. `aclose()` would do it as well, and tell the event
    /// loop of it.
    unsafe fn end_unbegun(slf: *mut Self, py: Python<'_>) {
        // SAFETY: as in `let_in`.
        let inner = unsafe { Bound::from_borrowed_ptr(py, (*slf).head.inner) };
        let cleared = inner
            .getattr(intern!(py, "ag_frame"))
            .and_then(|frame| frame.call_method0(intern!(py, "clear")));
        if let Err(error) = cleared {
            discard(py, error);
        }
    }

    /// It works again.
    #[inline(always)]
    unsafe fn wake(slf: *mut Self) {
        // SAFETY: as in `let_in`.
        unsafe {
            if (*slf).phase == Phase::Resting {
                (*slf).phase = Phase::Given;
                (*slf).held.work(Python::assume_attached());
            }
        }
    }

    /// It stands at an item. An exception may be set: the one that carries the item.
    #[inline(always)]
    unsafe fn rest(slf: *mut Self) {
        // SAFETY: as in `let_in`.
        unsafe {
            if (*slf).minds && (*slf).phase == Phase::Given {
                let py = Python::assume_attached();
                (*slf).phase = Phase::Resting;
                aside(py, || (*slf).held.rest(py));
            }
        }
    }

    unsafe fn finished(slf: *mut Self, py: Python<'_>) -> bool {
        // SAFETY: as in `let_in`.
        unsafe { finished(py, (*slf).head.inner, intern!(py, "ag_frame")) }
    }

    /// Its consumer wants no more of it: between two items, or before there was any.
    unsafe fn left(slf: *mut Self, py: Python<'_>) {
        // SAFETY: as in `let_in`.
        unsafe {
            match std::mem::replace(&mut (*slf).phase, Phase::Done) {
                Phase::Given | Phase::Resting => (*slf).held.returned(ptr::null_mut()),
                _ => (*slf).held.ended(py, &Ended::Dropped),
            }
        }
    }

    /// Nobody waits any more for the item that it is at.
    unsafe fn abandoned(slf: *mut Self, py: Python<'_>) {
        // SAFETY: as in `let_in`.
        unsafe {
            (*slf).phase = Phase::Done;
            (*slf).held.ended(py, &Ended::Dropped);
        }
    }

    /// Lets the inner one go: its `finally` blocks run now, inside the admission, or an event loop
    /// sees to them later.
    unsafe fn let_go(slf: *mut Self) {
        // SAFETY: attached; called as the object dies, or by the collector.
        unsafe {
            let inner = std::mem::replace(&mut (*slf).head.inner, ptr::null_mut());
            if !(*slf).held.open() {
                ffi::Py_XDECREF(inner);
                return;
            }
            let py = Python::assume_attached();
            aside(py, || {
                Self::wake(slf);
                ffi::Py_XDECREF(inner);
                if (*slf).at.is_null() {
                    Self::left(slf, py);
                } else {
                    Self::abandoned(slf, py);
                }
            });
        }
    }
}
