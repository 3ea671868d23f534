//! The driver of a generator: an object that stands before the function's own generator, lets it in
//! at the first item asked for and settles when no more will come.
//!
//! Between two items it rests: what its consumer does, and how long that takes, is not its own. A
//! consumer that has had an item may leave at any time, and the work is done then; one that throws
//! its own exception into the generator and gets it back has said nothing of the work either.
#![allow(unsafe_code, reason = "a hand-made heap type: see native.rs")]

mod again;
mod object;
mod steps;

pub use object::register;

use super::busy::Busy;
use super::call::{Arguments, Callee};
use super::deferred::{self, Head, Stand, aside, call_inner, finished, native_send};
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

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Made, not begun: nothing has been asked of any policy.
    Fresh,
    /// Let in; has not given an item yet.
    Entered,
    /// Has given one, and nobody minds what it does between two.
    Given,
    /// As `Given`; between two items, and somebody minds.
    Resting,
    /// Returned, raised, refused or closed.
    Done,
}

/// A generator with a plan around it.
#[repr(C)]
pub struct Generator {
    head: Head,
    /// How the inner one's type takes a value, if it has a native way.
    send: Option<ffi::sendfunc>,
    held: Held,
    phase: Phase,
    /// Must it be said when it rests, and when it works again?
    minds: bool,
    busy: Busy,
    weak: *mut ffi::PyObject,
}

static TYPE: AtomicPtr<ffi::PyTypeObject> = AtomicPtr::new(ptr::null_mut());
static POOL: Pool = Pool::new();

/// Calls a generator function. Nothing of it runs, and no policy is asked, before the first item.
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
            let made = POOL.take::<Generator>(TYPE.load(Ordering::Relaxed));
            if made.is_null() {
                ffi::Py_DECREF(inner);
                return ptr::null_mut();
            }
            (&raw mut (*made).head.inner).write(inner);
            (&raw mut (*made).send).write(native_send(inner));
            hold(&raw mut (*made).held);
            (&raw mut (*made).phase).write(Phase::Fresh);
            (&raw mut (*made).minds).write(false);
            (&raw mut (*made).busy).write(Busy::new());
            (&raw mut (*made).weak).write(ptr::null_mut());
            ffi::PyObject_GC_Track(made.cast());
            made.cast()
        }
    }
}

impl Generator {
    /// Asks the plan to let it in. `false`: refused, and an exception is set.
    #[cold]
    #[inline(never)]
    unsafe fn let_in(slf: *mut Self) -> bool {
        // SAFETY: `slf` is a live generator whose `busy` we hold, attached.
        unsafe {
            match Self::try_in(slf) {
                Ok(()) => true,
                Err(came) => {
                    came.raise(Python::assume_attached(), (*slf).held.plan());
                    false
                }
            }
        }
    }

    unsafe fn try_in(slf: *mut Self) -> Result<(), Came<'static>> {
        // SAFETY: as in `let_in`.
        unsafe {
            let py = Python::assume_attached();
            let entry = match (*slf).held.enter() {
                Ok(()) => Entry::In,
                Err(refused) if (*slf).held.follows() => (*slf).held.refused(py, refused),
                Err(refused) => Entry::Not(Came::Refused(refused)),
            };
            if let Err(came) = Self::waited(slf, py, entry) {
                (*slf).phase = Phase::Done;
                // Nothing of it has run, and nothing will.
                if let Err(error) = call_inner(py, (*slf).head.inner, intern!(py, "close"), &[]) {
                    error.write_unraisable(py, None);
                }
                return Err(came);
            }
            (*slf).phase = Phase::Entered;
            (*slf).minds = (*slf).held.minds_rests();
        }
        Ok(())
    }

    /// Blocks, if it is to wait before it is let in.
    unsafe fn waited<'py>(
        slf: *mut Self,
        py: Python<'py>,
        entry: Entry<'py>,
    ) -> Result<(), Came<'py>> {
        let entry = match entry {
            // SAFETY: as in `let_in`.
            Entry::Waits => unsafe { (*slf).held.wait_in(py) },
            entry => entry,
        };
        if let Entry::Not(came) = entry { Err(came) } else { Ok(()) }
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

    /// It stands at an item.
    #[inline(always)]
    unsafe fn rest(slf: *mut Self) {
        // SAFETY: as in `let_in`.
        unsafe {
            if (*slf).phase == Phase::Entered {
                (*slf).phase = Phase::Given;
                (*slf).held.let_go_of_call();
            }
            if (*slf).minds && (*slf).phase == Phase::Given {
                (*slf).phase = Phase::Resting;
                (*slf).held.rest(Python::assume_attached());
            }
        }
    }

    unsafe fn finished(slf: *mut Self, py: Python<'_>) -> bool {
        // SAFETY: as in `let_in`.
        unsafe { finished(py, (*slf).head.inner, intern!(py, "gi_frame")) }
    }

    /// Its consumer wants no more of it.
    unsafe fn left(slf: *mut Self, py: Python<'_>) {
        // SAFETY: as in `let_in`.
        unsafe {
            match std::mem::replace(&mut (*slf).phase, Phase::Done) {
                Phase::Given | Phase::Resting => (*slf).held.returned(ptr::null_mut()),
                _ => (*slf).held.ended(py, &Ended::Dropped),
            }
        }
    }

    /// Lets the inner one go, whose `finally` blocks run inside the admission, and then that.
    unsafe fn let_go(slf: *mut Self) {
        // SAFETY: attached; called as the object dies, or by the collector.
        unsafe {
            let inner = std::mem::replace(&mut (*slf).head.inner, ptr::null_mut());
            if !(*slf).held.open() {
                (*slf).phase = Phase::Done;
                ffi::Py_XDECREF(inner);
                return;
            }
            let py = Python::assume_attached();
            aside(py, || {
                Self::wake(slf);
                ffi::Py_XDECREF(inner);
                Self::left(slf, py);
            });
        }
    }
}
