//! The driver of a block: `with policy:` and `async with policy:`.
//!
//! | file | holds |
//! |---|---|
//! | `half` | `__enter__`, `__exit__` and their kin, and how the two halves of one entry find each other |
//! | `pending` | the half that waits for its other |
//! | `steps` | entering and exiting |
//! | `loose` | entries without an exit of their own, which were made by hand |
//! | `wait`, `ready` | what `__aenter__()` gives to await, and what `__aexit__()` does |
//! | `object` | the handle as an object |
//! | `pool` | memory of dead handles |
//!
//! Each entry has a *handle*, which holds its tickets. Fetching `__enter__` makes one, fetching
//! `__exit__` right after it gives the same one: so a `with` statement, which does just that, keeps
//! its tickets on its own stack, and threads, tasks, nesting and `ExitStack` need no thought.
#![allow(unsafe_code, reason = "a hand-made heap type: see native.rs")]

mod half;
mod loose;
mod object;
mod pending;
mod pool;
mod ready;
mod steps;
mod wait;

use super::held::Held;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, Ordering};

/// `with`, or `async with`.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Way {
    Sync,
    Async,
}

/// Where a half was fetched from: a guard, or its class, whose halves are handed the guard as their
/// first argument. `ExitStack` fetches from the class.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Level {
    Guard,
    Class,
}

/// What a handle was fetched as.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum End {
    Enter,
    Exit,
    /// Both halves of one entry.
    Both,
}

/// How far the entry of a handle is.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum State {
    /// Nobody has called.
    Fresh,
    /// `__aenter__()` was called; the first step of awaiting it enters.
    Called,
    /// The policies are being asked.
    Entering,
    /// To be let in: `held` holds what tickets there are, and `wait` what is awaited.
    Waiting,
    /// Let in: `held` holds the tickets.
    Open,
    /// Refused, or exited. A handle holds one entry in its life.
    Done,
}

/// One entry of a guard.
#[repr(C)]
struct Handle {
    ob_base: ffi::PyObject,
    vectorcall: ffi::vectorcallfunc,
    /// What it is an entry of. Of one that was fetched from a class: that class, until it is called.
    guard: *mut ffi::PyObject,
    /// Of an entry that another handle, busy with its own, was called for: that handle. Or NULL.
    via: *mut ffi::PyObject,
    held: MaybeUninit<Held>,
    /// While it waits to be let in: what is stepped. Or NULL.
    wait: *mut ffi::PyObject,
    /// Who may claim it, while it is pending.
    whose: pending::Whose,
    state: AtomicU8,
    /// Has it been called to enter while it was busy?
    again: AtomicBool,
    way: Way,
    level: Level,
    end: End,
}

static TYPES: [AtomicPtr<ffi::PyTypeObject>; 2] = [const { AtomicPtr::new(ptr::null_mut()) }; 2];
static GUARD: AtomicPtr<ffi::PyTypeObject> = AtomicPtr::new(ptr::null_mut());
static READY: AtomicPtr<ffi::PyObject> = AtomicPtr::new(ptr::null_mut());

impl Handle {
    /// A handle for an entry of `guard`, or for a half fetched from a class. NULL: an error is set.
    ///
    /// # Safety
    /// Attached; `guard` is a live guard, or at the level of classes a live class.
    #[inline(always)]
    unsafe fn make(guard: *mut ffi::PyObject, way: Way, level: Level, end: End) -> *mut Self {
        // SAFETY: every field that is ever read is written before the collector hears of the object.
        unsafe {
            let slf = pool::take(TYPES[way as usize].load(Ordering::Relaxed));
            if !slf.is_null() {
                (&raw mut (*slf).vectorcall).write(steps::call);
                (&raw mut (*slf).guard).write(ffi::Py_NewRef(guard));
                (&raw mut (*slf).via).write(ptr::null_mut());
                (&raw mut (*slf).wait).write(ptr::null_mut());
                (&raw mut (*slf).whose).write(pending::Whose::default());
                (&raw mut (*slf).state).write(AtomicU8::new(State::Fresh as u8));
                (&raw mut (*slf).again).write(AtomicBool::new(false));
                (&raw mut (*slf).way).write(way);
                (&raw mut (*slf).level).write(level);
                (&raw mut (*slf).end).write(end);
                ffi::PyObject_GC_Track(slf.cast());
            }
            slf
        }
    }

    #[inline(always)]
    fn is(&self, state: State) -> bool {
        self.state.load(Ordering::Acquire) == state as u8
    }

    #[inline(always)]
    fn set(&self, state: State) {
        self.state.store(state as u8, Ordering::Release);
    }

    /// Goes from one state to the next, unless another thread or a listener was quicker.
    #[inline(always)]
    fn advance(&self, from: State, to: State) -> bool {
        #[cfg(not(Py_GIL_DISABLED))]
        {
            let there = self.is(from);
            if there {
                self.set(to);
            }
            there
        }
        #[cfg(Py_GIL_DISABLED)]
        {
            let (from, to) = (from as u8, to as u8);
            self.state.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire).is_ok()
        }
    }
}

/// Makes the types, and gives the class of guards its four halves.
pub fn register(guard: &Bound<'_, PyType>) -> PyResult<()> {
    GUARD.store(guard.as_type_ptr(), Ordering::Relaxed);
    object::register(guard.py())?;
    ready::register(guard.py())?;
    half::register(guard)
}
