//! Entries without an exit of their own: `p.__enter__()` by hand.
//!
//! They are remembered in a context variable, and an exit that has no entry of its own takes the most
//! recent one of its guard from there. A context, not a thread: tasks take turns on one thread, and
//! the exit of one would take another's entry. A thread that was not given a context has one of its
//! own, so that is served too.
//!
//! What is entered by hand and never exited is held until its context ends, and settled as dropped
//! then.
#![allow(unsafe_code, reason = "a hand-made heap type: see native.rs")]

use super::steps::{Entered, enter};
use super::{End, Handle, Level, State, Way, pending};
use crate::bindings::context::{current, new_variable, set};
use crate::bindings::failures;
use parking_lot::Mutex;
use pyo3::PyTraverseError;
use pyo3::ffi;
use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use std::ptr;
use std::sync::atomic::Ordering;

/// An entry, and those further out. Contexts share them; none is ever changed.
#[pyclass(frozen, module = "seawall._core")]
struct Entry {
    handle: Py<PyAny>,
    /// Locked for no more than a glance.
    outer: Mutex<Option<Py<Entry>>>,
}

#[pymethods]
impl Entry {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.handle)?;
        match self.outer.try_lock() {
            Some(outer) => visit.call(&*outer),
            None => Ok(()),
        }
    }
}

impl Entry {
    fn outer<'py>(&self, py: Python<'py>) -> Option<Bound<'py, Self>> {
        self.outer.lock().as_ref().map(|outer| outer.bind(py).clone())
    }

    fn handle(&self) -> &Handle {
        // SAFETY: the entry holds a reference to a handle.
        unsafe { &*self.handle.as_ptr().cast::<Handle>() }
    }

    /// Can it still be exited, now or after it was awaited?
    fn lives(&self) -> bool {
        let handle = self.handle();
        // SAFETY: as above. One that nobody else holds will not be awaited any more.
        let held = || unsafe { ffi::Py_REFCNT(self.handle.as_ptr()) } > 1;
        handle.is(State::Open)
            || handle.is(State::Entering)
            || (handle.is(State::Called) || handle.is(State::Waiting)) && held()
    }
}

/// A long chain goes link by link: each freed by the one before, it would take the stack with it.
impl Drop for Entry {
    fn drop(&mut self) {
        let mut next = self.outer.get_mut().take();
        while let Some(entry) = next {
            // SAFETY: a live object.
            let last = unsafe { ffi::Py_REFCNT(entry.as_ptr()) } == 1;
            next = if last { entry.get().outer.lock().take() } else { None };
            drop(entry);
        }
    }
}

fn variable(py: Python<'_>) -> &'static Py<PyAny> {
    static VARIABLE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    VARIABLE.get_or_init(py, || new_variable(py, c"seawall_blocks"))
}

fn innermost(py: Python<'_>) -> Option<Bound<'_, Entry>> {
    current(py, variable(py))?.cast_into::<Entry>().ok()
}

/// Those that are not over any more than the innermost one that lives.
fn living(mut entry: Option<Bound<'_, Entry>>) -> Option<Bound<'_, Entry>> {
    while let Some(dead) = entry.as_ref().filter(|entry| !entry.get().lives()) {
        entry = dead.get().outer(dead.py());
    }
    entry
}

fn put(py: Python<'_>, entry: Option<&Bound<'_, Entry>>) -> PyResult<()> {
    let none = py.None().into_bound(py);
    set(py, variable(py), entry.map_or(&none, |entry| entry.as_any())).map(drop)
}

fn link<'py>(
    py: Python<'py>,
    handle: &Bound<'py, PyAny>,
    outer: Option<Bound<'py, Entry>>,
) -> PyResult<Bound<'py, Entry>> {
    let outer = Mutex::new(outer.map(Bound::unbind));
    Bound::new(py, Entry { handle: handle.clone().unbind(), outer })
}

/// Enters `guard` through `via`, which is not one half of a pair, or has been entered before.
///
/// # Safety
/// As for [`super::steps::call`].
#[cold]
#[inline(never)]
pub unsafe fn come(via: *mut Handle, guard: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: as the caller promises; each handle is held while it is used.
    unsafe {
        let py = Python::assume_attached();
        pending::withdraw(via);
        let alone = (*via).end == End::Enter && (*via).level == Level::Guard;
        let handle = if alone && (*via).advance(State::Fresh, State::Entering) {
            Bound::from_borrowed_ptr(py, via.cast())
        } else {
            let made = Handle::make(guard, (*via).way, Level::Guard, End::Enter);
            if made.is_null() {
                return ptr::null_mut();
            }
            (*via).again.store(true, Ordering::Relaxed);
            (*made).via = ffi::Py_NewRef(via.cast());
            (*made).set(State::Entering);
            Bound::from_owned_ptr(py, made.cast())
        };
        let entry = handle.as_ptr().cast::<Handle>();
        let value = match (*entry).way {
            Way::Sync if enter(entry) == Entered::Yes => guard,
            Way::Sync => return ptr::null_mut(),
            // Remembered when called: the context that awaits it may be another, which
            // `asyncio.wait_for` makes for it alone.
            Way::Async => {
                (*entry).set(State::Called);
                handle.as_ptr()
            }
        };
        let remembered = link(py, &handle, living(innermost(py))).and_then(|it| put(py, Some(&it)));
        match remembered {
            Ok(()) => ffi::Py_NewRef(value),
            Err(error) => {
                failures::raise(py, error);
                ptr::null_mut()
            }
        }
    }
}

/// The most recent open entry of `guard` in this context; only of those made through `via`, unless
/// that is NULL.
pub fn find(
    py: Python<'_>,
    guard: *mut ffi::PyObject,
    via: *mut ffi::PyObject,
) -> Option<Bound<'_, PyAny>> {
    let mut entry = innermost(py);
    while let Some(this) = entry {
        let handle = this.get().handle();
        if handle.guard == guard && handle.is(State::Open) && (via.is_null() || handle.via == via) {
            return Some(this.get().handle.bind(py).clone());
        }
        entry = this.get().outer(py);
    }
    None
}

/// Forgets the entries that are over: the innermost ones, and those among living ones.
pub fn tidy(py: Python<'_>) {
    let Some(first) = innermost(py) else { return };
    let mut kept = Vec::new();
    let mut rest = Some(first.clone());
    // Down to the first that is over, and past those that follow it.
    while let Some(entry) = rest.clone().filter(|entry| entry.get().lives()) {
        rest = entry.get().outer(py);
        kept.push(entry);
    }
    if rest.is_none() {
        return;
    }
    let mut chain = living(rest);
    let relinked = (|| {
        for entry in kept.iter().rev() {
            chain = Some(link(py, entry.get().handle.bind(py), chain.take())?);
        }
        put(py, chain.as_ref())
    })();
    // No memory: they are passed over as they are.
    if let Err(error) = relinked {
        failures::discard(py, error);
    }
}
