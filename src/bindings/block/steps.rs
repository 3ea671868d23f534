//! Entering and exiting. A handle called with nothing enters, with the three things that `__exit__`
//! is told exits; one that was fetched from a class is handed the guard before that.
#![allow(unsafe_code, reason = "a hand-made heap type: see native.rs")]

use super::half::is_guard;
use super::{End, Handle, Level, State, Way, loose, pending, ready};
use crate::bindings::call::{Arguments, Call};
use crate::bindings::failures;
use crate::bindings::guard::Guard;
use crate::bindings::held::{Entry, Held};
use crate::bindings::plan::{Came, Refused};
use crate::bindings::step::Ended;
use pyo3::exceptions::{PyBaseException, PyRuntimeError, PyTypeError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;
use std::ptr;

/// What a block calls: nobody, with nothing.
const NOBODY: Call = Call {
    callee: ptr::null_mut(),
    arguments: Arguments { values: ptr::null(), count: 0, names: ptr::null_mut() },
};

fn fail(error: PyErr) -> *mut ffi::PyObject {
    // SAFETY: drivers run attached.
    failures::raise(unsafe { Python::assume_attached() }, error);
    ptr::null_mut()
}

pub unsafe extern "C" fn call(
    slf: *mut ffi::PyObject,
    mut values: *const *mut ffi::PyObject,
    count: usize,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    let slf = slf.cast::<Handle>();
    // SAFETY: called by the interpreter with a handle of ours, attached; `values` holds the
    // arguments. The caller holds a reference to the handle and to each of them.
    unsafe {
        let mut count = ffi::PyVectorcall_NARGS(count);
        let mut guard = (*slf).guard;
        if !names.is_null() && ffi::PyTuple_GET_SIZE(names) > 0 {
            return fail(PyTypeError::new_err("a block takes no keyword arguments"));
        }
        if (*slf).level == Level::Class {
            if count < 1 || !is_guard(*values) {
                return fail(PyTypeError::new_err(
                    "fetched from a class, it takes what is entered or exited first",
                ));
            }
            guard = *values;
            values = values.add(1);
            count -= 1;
        }
        if guard.is_null() {
            return fail(PyRuntimeError::new_err("this block was garbage"));
        }
        match (count, (*slf).end) {
            (0, End::Enter | End::Both) => come(slf, guard),
            (3, End::Exit | End::Both) => go(slf, guard, &*values.cast::<[_; 3]>()),
            (_, End::Enter) => fail(PyTypeError::new_err("takes no arguments")),
            (_, _) => fail(PyTypeError::new_err(
                "takes the type, the value and the traceback of an exception, or None three times",
            )),
        }
    }
}

#[inline(always)]
unsafe fn come(slf: *mut Handle, guard: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: as for `call`.
    unsafe {
        if (*slf).end != End::Both || !(*slf).advance(State::Fresh, State::Entering) {
            return loose::come(slf, guard);
        }
        if (*slf).level == Level::Class {
            let class = std::mem::replace(&mut (*slf).guard, ffi::Py_NewRef(guard));
            ffi::Py_DECREF(class);
        }
        match (*slf).way {
            Way::Sync if enter(slf) == Entered::Yes => ffi::Py_NewRef(guard),
            Way::Sync => ptr::null_mut(),
            Way::Async => {
                (*slf).set(State::Called);
                ffi::Py_NewRef(slf.cast())
            }
        }
    }
}

/// What came of asking the policies.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Entered {
    Yes,
    /// An exception is set, and nothing is held.
    No,
    /// Of an asynchronous block: it is to wait.
    Waits,
}

/// Asks the policies of a handle that is `Entering`. One that is not awaited waits here, if need be.
///
/// # Safety
/// Attached; the caller holds a reference to the handle.
#[inline(always)]
pub unsafe fn enter(slf: *mut Handle) -> Entered {
    // SAFETY: as the caller promises. Nobody else touches `held` while the handle is `Entering`.
    unsafe {
        let py = Python::assume_attached();
        let guard = Bound::from_borrowed_ptr(py, (*slf).guard);
        let held = (*slf).held.as_mut_ptr();
        match Guard::in_force(guard.cast_unchecked::<Guard>()) {
            Ok(plan) if plan.repeats() || plan.bounds() || plan.hedges() => {
                (*slf).set(State::Done);
                let rule = if plan.hedges() {
                    "a block can't be run beside itself, as a hedge would: protect a function"
                } else if plan.timeless() {
                    "a block runs where it stands: pool='threads' protects functions"
                } else if plan.replaces() {
                    "nothing can take the place of a block, as the fallback of this policy would: \
                     write `try: ... except ...:` around it, or protect a function"
                } else if plan.repeats() {
                    "a block can't be run again, as the retry of this policy would: write \
                     `for attempt in retry: with attempt: ...`, or protect a function"
                } else {
                    "a timeout protects functions: for a block write \
                     `async with seawall.deadline(...):` or `with seawall.deadline(...):`"
                };
                failures::raise(py, PyTypeError::new_err(rule));
                return Entered::No;
            }
            Ok(plan) => Held::write_new(held, plan),
            Err(error) => {
                (*slf).set(State::Done);
                failures::raise(py, error);
                return Entered::No;
            }
        }
        if !(*held).find(py, &NOBODY) {
            (*slf).set(State::Done);
            let passing = failures::pending(py);
            ptr::drop_in_place(held);
            passing.restore(py);
            return Entered::No;
        }
        match (*held).enter() {
            Ok(()) => {
                (*slf).set(State::Open);
                Entered::Yes
            }
            Err(refused) if (*held).follows() => {
                let entry = (*held).refused(py, refused);
                not_at_once(slf, py, entry)
            }
            Err(refused) => {
                refuse(slf, py, refused);
                Entered::No
            }
        }
    }
}

/// What follows where it was not let in at once.
///
/// # Safety
/// As for [`enter`].
#[cold]
#[inline(never)]
pub unsafe fn not_at_once(slf: *mut Handle, py: Python<'_>, entry: Entry<'_>) -> Entered {
    // SAFETY: as for `enter`.
    unsafe {
        let held = (*slf).held.as_mut_ptr();
        let entry = match entry {
            Entry::Waits if (*slf).way == Way::Sync => (*held).wait_in(py),
            entry => entry,
        };
        match entry {
            Entry::In => {
                (*slf).set(State::Open);
                Entered::Yes
            }
            Entry::Waits => Entered::Waits,
            Entry::Not(came) => {
                out(slf, py, came);
                Entered::No
            }
        }
    }
}

/// It is not let in, as is told to those that had: an exception is set.
///
/// # Safety
/// As for [`enter`].
pub unsafe fn out<'py>(slf: *mut Handle, py: Python<'py>, mut came: Came<'py>) {
    // SAFETY: as for `enter`.
    unsafe {
        let held = (*slf).held.as_mut_ptr();
        // A block is not entered again.
        let _ = (*held).settle(py, &mut came);
        let plan = (*held).plan().clone();
        (*slf).set(State::Done);
        ptr::drop_in_place(held);
        came.raise(py, &plan);
    }
}

#[cold]
#[inline(never)]
unsafe fn refuse(slf: *mut Handle, py: Python<'_>, refused: Refused) {
    // SAFETY: as for `enter`.
    unsafe {
        let held = (*slf).held.as_mut_ptr();
        let error = (*held).plan().error(py, &refused);
        drop(refused);
        (*slf).set(State::Done);
        ptr::drop_in_place(held);
        failures::raise(py, error);
    }
}

#[inline(always)]
unsafe fn go(
    slf: *mut Handle,
    guard: *mut ffi::PyObject,
    told: &[*mut ffi::PyObject; 3],
) -> *mut ffi::PyObject {
    // SAFETY: as for `call`.
    unsafe {
        let own = (*slf).guard == guard
            && !(*slf).again.load(std::sync::atomic::Ordering::Relaxed)
            && (*slf).is(State::Open);
        let gone = if own { settle(slf, told) } else { go_by_hand(slf, guard, told) };
        if !gone {
            return ptr::null_mut();
        }
        match (*slf).way {
            Way::Sync => ffi::Py_NewRef(ffi::Py_None()),
            Way::Async => ready::ready(),
        }
    }
}

/// Exits an entry that is not, or not surely, the handle's own.
#[cold]
#[inline(never)]
unsafe fn go_by_hand(
    slf: *mut Handle,
    guard: *mut ffi::PyObject,
    told: &[*mut ffi::PyObject; 3],
) -> bool {
    // SAFETY: as for `call`. What is found is held until it is settled.
    unsafe {
        let py = Python::assume_attached();
        pending::withdraw(slf);
        let found = match loose::find(py, guard, slf.cast()) {
            Some(found) => Some(found),
            None if (*slf).guard == guard && (*slf).is(State::Open) => return settle(slf, told),
            None => loose::find(py, guard, ptr::null_mut()),
        };
        let Some(found) = found else {
            fail(nothing_open(&Bound::from_borrowed_ptr(py, guard)));
            return false;
        };
        let gone = settle(found.as_ptr().cast(), told);
        loose::tidy(py);
        gone
    }
}

fn nothing_open(guard: &Bound<'_, PyAny>) -> PyErr {
    let guard = guard.repr().map_or_else(|_| "the guard".to_owned(), |text| text.to_string());
    PyRuntimeError::new_err(format!(
        "{guard} is not entered: this exit has no entry of its own, and none was made by hand in \
         this context that is still open"
    ))
}

/// Settles an open entry by what its exit is told. `false`: an exception is set.
#[inline(always)]
unsafe fn settle(slf: *mut Handle, told: &[*mut ffi::PyObject; 3]) -> bool {
    // SAFETY: the caller holds a reference to the handle. Once it is `Done`, `held` is this call's
    // alone.
    unsafe {
        let none = ffi::Py_None();
        if told[0] != none || told[1] != none {
            return settle_raised(slf, told);
        }
        if !(*slf).advance(State::Open, State::Done) {
            return lost();
        }
        let held = (*slf).held.as_mut_ptr();
        (*held).returned(ptr::null_mut());
        ptr::drop_in_place(held);
        true
    }
}

#[cold]
#[inline(never)]
unsafe fn settle_raised(slf: *mut Handle, told: &[*mut ffi::PyObject; 3]) -> bool {
    // SAFETY: as for `settle`.
    unsafe {
        let py = Python::assume_attached();
        let [class, value, _] = told.map(|each| Bound::from_borrowed_ptr(py, each));
        let error = if value.is_instance_of::<PyBaseException>() {
            PyErr::from_value(value)
        } else if class
            .cast::<PyType>()
            .is_ok_and(|class| class.is_subclass_of::<PyBaseException>().unwrap_or(false))
        {
            PyErr::from_value(class)
        } else {
            fail(PyTypeError::new_err("an exit is told of exceptions only"));
            return false;
        };
        if !(*slf).advance(State::Open, State::Done) {
            failures::discard(py, error);
            return lost();
        }
        let held = (*slf).held.as_mut_ptr();
        (*held).ended(py, &Ended::Raised(&error));
        ptr::drop_in_place(held);
        failures::discard(py, error);
        true
    }
}

/// Somebody else was quicker.
#[cold]
fn lost() -> bool {
    fail(PyRuntimeError::new_err("this block is being exited already"));
    false
}
