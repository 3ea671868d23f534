//! The driver of a plain call: a function that runs to its end before its caller goes on.
#![allow(unsafe_code, reason = "forwards the interpreter's own calling convention")]

use super::adopt;
use super::again;
use super::failures;
use super::outcome::Outcome;
use super::plan::{MAX_STEPS, PlanRef, Refused, Slot, empty_slots};
use super::step::Ended;
use crate::time::{Clock, Nanos};
use pyo3::exceptions::PyException;
use pyo3::ffi;
use pyo3::prelude::*;
use std::ptr;

/// Arguments as the interpreter hands them over, forwarded unchanged.
#[derive(Clone, Copy)]
pub struct Arguments {
    pub values: *const *mut ffi::PyObject,
    pub count: usize,
    pub names: *mut ffi::PyObject,
}

/// A callable and where its own vectorcall pointer lies.
#[derive(Clone, Copy)]
pub struct Callee {
    pub object: *mut ffi::PyObject,
    /// Offset of the pointer in the object; 0 if it may not be read directly.
    pub vectorcall: isize,
}

impl Callee {
    /// Looks where `object` keeps its vectorcall pointer. Only immutable types are read directly:
    /// a class can lose vectorcall when its `__call__` is replaced.
    ///
    /// # Safety
    /// `object` is a live object.
    pub unsafe fn of(object: *mut ffi::PyObject) -> Self {
        // SAFETY: a live object has a live type.
        let vectorcall = unsafe {
            let class = ffi::Py_TYPE(object);
            let flags = ffi::PyType_GetFlags(class);
            let wanted = ffi::Py_TPFLAGS_HAVE_VECTORCALL | ffi::Py_TPFLAGS_IMMUTABLETYPE;
            if flags & wanted == wanted { (*class).tp_vectorcall_offset } else { 0 }
        };
        Self { object, vectorcall }
    }

    /// Calls it. The pointer is read at each call: a function changes its own as it warms up.
    ///
    /// # Safety
    /// Attached; the arguments follow the vectorcall convention.
    #[inline(always)]
    pub unsafe fn call(self, arguments: Arguments) -> *mut ffi::PyObject {
        let Arguments { values, count, names } = arguments;
        // SAFETY: `vectorcall` is the offset the type of `object` declares for its pointer.
        unsafe {
            if self.vectorcall != 0 {
                let slot = self.object.byte_offset(self.vectorcall);
                if let Some(function) = *slot.cast::<Option<ffi::vectorcallfunc>>() {
                    return function(self.object, values, count, names);
                }
            }
            ffi::PyObject_Vectorcall(self.object, values, count, names)
        }
    }
}

/// A call, as far as it decides what state of a policy it belongs to.
#[derive(Clone, Copy)]
pub struct Call {
    /// NULL: a block, which calls nobody.
    pub callee: *mut ffi::PyObject,
    pub arguments: Arguments,
}

/// What becomes of a finished call: handed on as it is, or wrapped in an [`Outcome`].
pub trait Finish {
    /// Is an outcome wanted? Then time is always measured and awaitables finish in one.
    const CAPTURES: bool;
    /// It was refused.
    fn refused(self, plan: &PlanRef, refused: Refused, runs: u32) -> *mut ffi::PyObject;
    /// It returned `value`, at the last of so many attempts.
    fn returned(self, value: *mut ffi::PyObject, elapsed: Nanos, runs: u32) -> *mut ffi::PyObject;
    /// As [`Finish::returned`], of a remembered answer.
    fn remembered(self, value: *mut ffi::PyObject, elapsed: Nanos, runs: u32)
    -> *mut ffi::PyObject;
    /// It raised; the exception is set.
    fn raised(self, elapsed: Nanos, runs: u32) -> *mut ffi::PyObject;
}

/// Results return, exceptions rise.
pub struct HandOn;

impl Finish for HandOn {
    const CAPTURES: bool = false;

    #[cold]
    fn refused(self, plan: &PlanRef, refused: Refused, _: u32) -> *mut ffi::PyObject {
        // SAFETY: drivers run attached.
        let py = unsafe { Python::assume_attached() };
        failures::raise(py, plan.error(py, &refused));
        ptr::null_mut()
    }

    #[inline(always)]
    fn returned(self, value: *mut ffi::PyObject, _: Nanos, _: u32) -> *mut ffi::PyObject {
        value
    }

    #[cold]
    fn remembered(self, value: *mut ffi::PyObject, _: Nanos, _: u32) -> *mut ffi::PyObject {
        value
    }

    #[inline(always)]
    fn raised(self, _: Nanos, _: u32) -> *mut ffi::PyObject {
        ptr::null_mut()
    }
}

/// Everything but what is not an `Exception` becomes an [`Outcome`].
pub struct Capture;

impl Finish for Capture {
    const CAPTURES: bool = true;

    fn refused(self, plan: &PlanRef, refused: Refused, runs: u32) -> *mut ffi::PyObject {
        // SAFETY: drivers run attached.
        let py = unsafe { Python::assume_attached() };
        Outcome::refused(plan.clone(), refused, runs).into_ptr(py)
    }

    fn returned(self, value: *mut ffi::PyObject, elapsed: Nanos, runs: u32) -> *mut ffi::PyObject {
        // SAFETY: drivers run attached; `value` is a new reference that is ours.
        let py = unsafe { Python::assume_attached() };
        // SAFETY: as above.
        let value = unsafe { Bound::from_owned_ptr(py, value) };
        Outcome::returned(value.unbind(), elapsed).after(runs).into_ptr(py)
    }

    fn remembered(
        self,
        value: *mut ffi::PyObject,
        elapsed: Nanos,
        runs: u32,
    ) -> *mut ffi::PyObject {
        // SAFETY: as for `returned`.
        unsafe {
            let py = Python::assume_attached();
            let value = Bound::from_owned_ptr(py, value).unbind();
            Outcome::returned(value, elapsed).after(runs).remembered(true).into_ptr(py)
        }
    }

    fn raised(self, elapsed: Nanos, runs: u32) -> *mut ffi::PyObject {
        // SAFETY: drivers run attached.
        let py = unsafe { Python::assume_attached() };
        let error = PyErr::fetch(py);
        if error.is_instance_of::<PyException>(py) {
            Outcome::raised(error, py, elapsed).after(runs).into_ptr(py)
        } else {
            error.restore(py);
            ptr::null_mut()
        }
    }
}

/// Runs one call of `callee` through `plan`.
///
/// # Safety
/// Attached; the arguments follow the vectorcall convention and `callee` is alive throughout.
#[inline(always)]
pub unsafe fn drive<C: Clock, F: Finish>(
    plan: PlanRef,
    callee: Callee,
    arguments: Arguments,
    clock: &C,
    finish: F,
) -> *mut ffi::PyObject {
    let mut slots = empty_slots::<MAX_STEPS>();
    if plan.keyed() && !find(&plan, &mut slots, callee, arguments, clock) {
        return ptr::null_mut();
    }
    if plan.repeats() || plan.bounds() {
        // SAFETY: as the caller promises.
        return unsafe { again::drive(plan, &mut slots, callee, arguments, clock, finish) };
    }
    let began = if F::CAPTURES { clock.now() } else { 0 };
    let started = match plan.enter(&mut slots, clock) {
        Ok(started) => started,
        Err(refused) if plan.follows() => {
            // SAFETY: as the caller promises.
            return unsafe {
                again::wait(plan, &mut slots, callee, arguments, began, refused, clock, finish)
            };
        }
        Err(refused) => return finish.refused(&plan, refused, 0),
    };
    // SAFETY: as the caller promises. Nothing of ours is locked or borrowed while it runs.
    let value = unsafe { callee.call(arguments) };
    if value.is_null() {
        // SAFETY: attached, as the caller promises.
        raised(unsafe { Python::assume_attached() }, &plan, &slots, started, clock);
        return finish.raised(took(clock, began, F::CAPTURES), 1);
    }
    // SAFETY: `value` is a live object.
    if unsafe { adopt::awaitable(value) } {
        // SAFETY: `value` is a new reference that is ours, and the plan's slots are filled.
        return unsafe { adopt::adopt(plan, &slots, started, began, value, F::CAPTURES) };
    }
    plan.returned(&slots, started, value, clock);
    finish.returned(value, took(clock, began, F::CAPTURES), 1)
}

/// Aside: most plans have no keys.
#[inline(never)]
fn find<C: Clock>(
    plan: &PlanRef,
    slots: &mut [Slot],
    callee: Callee,
    arguments: Arguments,
    clock: &C,
) -> bool {
    plan.find(slots, &Call { callee: callee.object, arguments }, clock)
}

#[inline(always)]
pub fn took<C: Clock>(clock: &C, began: Nanos, measured: bool) -> Nanos {
    if measured { clock.now().saturating_sub(began) } else { 0 }
}

/// Tells every step of the exception that is set, and leaves it set, traceback and all.
#[cold]
#[inline(never)]
pub fn raised<C: Clock>(py: Python<'_>, plan: &PlanRef, slots: &[Slot], started: Nanos, clock: &C) {
    let error = failures::pending(py);
    plan.ended(py, slots, started, &Ended::Raised(&error), clock);
    error.restore(py);
}
