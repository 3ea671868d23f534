//! Calls whose work begins later: a coroutine's, a generator's. What stands before the inner object
//! is made at the call, and nobody is asked before the first step.
#![allow(unsafe_code, reason = "forwards the interpreter's own calling convention")]

use super::again::Again;
use super::call::{Arguments, Call, Callee};
use super::failures::{discard, exception};
use super::held::Held;
use super::plan::{MAX_STEPS, PlanRef, empty_slots};
use crate::time::Clock;
use pyo3::exceptions::{PyBaseException, PyRuntimeError, PyStopAsyncIteration, PyStopIteration};
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTraceback, PyTuple, PyType};
use std::ffi::{CStr, c_int, c_void};
use std::ptr;

/// What kind of object stands before the inner one.
pub trait Stand: Copy {
    /// Makes it. `hold` writes what it holds of the plan.
    ///
    /// # Safety
    /// Attached; `inner` is a new reference, taken over.
    unsafe fn make(
        self,
        hold: impl FnOnce(*mut Held),
        inner: *mut ffi::PyObject,
    ) -> *mut ffi::PyObject;
}

/// Calls a function whose work begins later. Nothing of it runs, and no policy is asked.
///
/// # Safety
/// As [`super::call::drive`].
#[inline(always)]
pub unsafe fn start<C: Clock>(
    plan: PlanRef,
    callee: Callee,
    arguments: Arguments,
    clock: &C,
    stand: impl Stand,
) -> *mut ffi::PyObject {
    // SAFETY: as the caller promises; `inner` is a new reference, given on.
    unsafe {
        if plan.keyed() || plan.repeats() {
            return start_otherwise(plan, callee, arguments, clock, stand);
        }
        let inner = callee.call(arguments);
        if inner.is_null() {
            return inner;
        }
        stand.make(|place| Held::write_new(place, plan), inner)
    }
}

/// The arguments, which say what key a call has, and which it is made with again, are gone by the
/// first step.
#[inline(never)]
unsafe fn start_otherwise<C: Clock>(
    plan: PlanRef,
    callee: Callee,
    arguments: Arguments,
    clock: &C,
    stand: impl Stand,
) -> *mut ffi::PyObject {
    let mut slots = empty_slots::<MAX_STEPS>();
    if plan.keyed() && !plan.find(&mut slots, &Call { callee: callee.object, arguments }, clock) {
        return ptr::null_mut();
    }
    // SAFETY: as in `start`.
    unsafe {
        let inner = callee.call(arguments);
        if inner.is_null() {
            plan.forget(&slots);
            return inner;
        }
        let hold = |place: *mut Held| {
            if !plan.keyed() {
                if plan.repeats() {
                    Held::write_repeatable(place, plan, callee, arguments);
                } else {
                    Held::write_new(place, plan);
                }
                return;
            }
            let (repeats, steps) = (plan.repeats(), plan.len());
            Held::write_found(place, plan, &slots);
            if repeats {
                (*place).keep_call(Again::keep(callee, arguments, steps));
            }
        };
        stand.make(hold, inner)
    }
}

/// Calls a method of the inner object; one that is missing is passed over as `yield from` does.
pub fn call_inner<'py>(
    py: Python<'py>,
    inner: *mut ffi::PyObject,
    name: &Bound<'py, PyString>,
    arguments: &[Bound<'py, PyAny>],
) -> PyResult<Option<Bound<'py, PyAny>>> {
    // SAFETY: attached; `inner` is alive as long as its owner.
    let inner = unsafe { Bound::from_borrowed_ptr_or_opt(py, inner) };
    let Some(inner) = inner else { return Ok(None) };
    match inner.getattr_opt(name)? {
        None => Ok(None),
        Some(method) => method.call1(PyTuple::new(py, arguments)?).map(Some),
    }
}

/// How the type of `object` takes a value, if it has a native way.
///
/// # Safety
/// Attached; `object` is alive.
#[inline(always)]
pub unsafe fn native_send(object: *mut ffi::PyObject) -> Option<ffi::sendfunc> {
    // SAFETY: a live object has a live type, and a type's async slots are valid or NULL.
    unsafe {
        let slots = (*ffi::Py_TYPE(object)).tp_as_async;
        if slots.is_null() { None } else { (*slots).am_send }
    }
}

/// The head of an object that stands before another, which it owns. NULL: the collector has been.
#[repr(C)]
pub struct Head {
    pub ob_base: ffi::PyObject,
    pub inner: *mut ffi::PyObject,
}

/// An attribute `name` that is the inner object's.
pub fn forwarded(name: &'static CStr) -> ffi::PyGetSetDef {
    ffi::PyGetSetDef {
        name: name.as_ptr(),
        get: Some(get_inner),
        set: None,
        doc: ptr::null(),
        closure: name.as_ptr().cast_mut().cast(),
    }
}

/// As [`forwarded`], and may be set, as a name may.
pub fn forwarded_both_ways(name: &'static CStr) -> ffi::PyGetSetDef {
    ffi::PyGetSetDef { set: Some(set_inner), ..forwarded(name) }
}

unsafe extern "C" fn get_inner(slf: *mut ffi::PyObject, name: *mut c_void) -> *mut ffi::PyObject {
    // SAFETY: called by the interpreter with an object that begins with a `Head`, and a name that
    // lives for good.
    unsafe {
        let inner = (*slf.cast::<Head>()).inner;
        let inner = if inner.is_null() { ffi::Py_None() } else { inner };
        ffi::PyObject_GetAttrString(inner, name.cast())
    }
}

unsafe extern "C" fn set_inner(
    slf: *mut ffi::PyObject,
    value: *mut ffi::PyObject,
    name: *mut c_void,
) -> c_int {
    // SAFETY: as for `get_inner`; a value of NULL deletes.
    unsafe {
        let inner = (*slf.cast::<Head>()).inner;
        let inner = if inner.is_null() { ffi::Py_None() } else { inner };
        ffi::PyObject_SetAttrString(inner, name.cast(), value)
    }
}

/// What it stands before, and that it does.
pub unsafe extern "C" fn repr(slf: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: as for `get_inner`.
    unsafe {
        let inner = (*slf.cast::<Head>()).inner;
        if inner.is_null() {
            return ffi::PyUnicode_FromFormat(
                c"<%s object>".as_ptr(),
                (*ffi::Py_TYPE(slf)).tp_name,
            );
        }
        ffi::PyUnicode_FromFormat(c"<protected %R>".as_ptr(), inner)
    }
}

/// Has a generator of either sort come to its end? Not every error is one: an argument may be no
/// exception, and it may refuse to be closed. `frame` is its attribute that is None then.
pub fn finished(py: Python<'_>, inner: *mut ffi::PyObject, frame: &Bound<'_, PyString>) -> bool {
    // SAFETY: attached; `inner` is alive as long as its owner, or NULL.
    let inner = unsafe { Bound::from_borrowed_ptr_or_opt(py, inner) };
    inner.is_none_or(|inner| match inner.getattr(frame) {
        Ok(frame) => frame.is_none(),
        Err(error) => {
            discard(py, error);
            true
        }
    })
}

/// The exception object that `throw(*arguments)` throws. Of a class, and a value that is none of its
/// instances, one is made as the interpreter would, and put in their place: only so can it be known
/// again. `None`: they throw nothing, and it is the inner one's to say why.
pub fn thrown<'py>(arguments: &mut [Bound<'py, PyAny>]) -> Option<Bound<'py, PyAny>> {
    let is_error = |object: &Bound<'_, PyAny>| object.is_instance_of::<PyBaseException>();
    let traceback = arguments.get(2).filter(|last| !last.is_none());
    if arguments.len() > 3 || traceback.is_some_and(|last| !last.is_instance_of::<PyTraceback>()) {
        return None;
    }
    let value = arguments.get(1).filter(|value| !value.is_none()).cloned();
    let class = match arguments.first()?.cast::<PyType>() {
        Ok(class) if class.is_subclass_of::<PyBaseException>().unwrap_or(false) => class,
        _ => return arguments.first().filter(|first| value.is_none() && is_error(first)).cloned(),
    };
    if let Some(value) = &value
        && is_error(value)
        && value.get_type().is_subclass(class).unwrap_or(false)
    {
        return Some(value.clone());
    }
    let made = made(class, value);
    arguments[0] = made.clone();
    if let Some(value) = arguments.get_mut(1) {
        *value = made.py().None().into_bound(made.py());
    }
    Some(made)
}

/// An exception of `class`, of `value`; or the one that making it raised, which is thrown instead.
fn made<'py>(class: &Bound<'py, PyType>, value: Option<Bound<'py, PyAny>>) -> Bound<'py, PyAny> {
    let py = class.py();
    let made = match value {
        None => class.call0(),
        Some(value) => match value.cast::<PyTuple>() {
            Ok(values) => class.call1(values),
            Err(_) => class.call1((value,)),
        },
    };
    let error = match made {
        Ok(made) if made.is_instance_of::<PyBaseException>() => return made,
        Ok(other) => no_exception(class, &other),
        Err(error) => error,
    };
    exception(py, error).into_any()
}

/// In the interpreter's own words.
fn no_exception(class: &Bound<'_, PyType>, made: &Bound<'_, PyAny>) -> PyErr {
    // SAFETY: attached; both are alive, and so is the name of a live object's type.
    unsafe {
        ffi::PyErr_Format(
            ffi::PyExc_TypeError,
            c"calling %R should have returned an instance of BaseException, not %s".as_ptr(),
            class.as_ptr(),
            (*ffi::Py_TYPE(made.as_ptr())).tp_name,
        );
    }
    PyErr::fetch(class.py())
}

/// Is `error` what the consumer threw in? A stop may not come out of a generator as one: the
/// interpreter raises a `RuntimeError` in its place, and says because of what.
pub fn came_back(error: &Bound<'_, PyAny>, thrown: &Bound<'_, PyAny>) -> bool {
    if error.is(thrown) {
        return true;
    }
    let stop = thrown.is_instance_of::<PyStopIteration>()
        || thrown.is_instance_of::<PyStopAsyncIteration>();
    stop && error.is_exact_instance_of::<PyRuntimeError>()
        && error.getattr(intern!(error.py(), "__cause__")).is_ok_and(|cause| cause.is(thrown))
}

/// The `count` arguments at `values`, as a fast call has them.
///
/// # Safety
/// Attached; there are so many, and they live as long as the call.
pub unsafe fn collected(
    py: Python<'_>,
    values: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
) -> Vec<Bound<'_, PyAny>> {
    // SAFETY: as the caller promises.
    let one = |at| unsafe { Bound::from_borrowed_ptr(py, *values.add(at)) };
    (0..count.cast_unsigned()).map(one).collect()
}

/// Runs `settle` with no exception set, and puts back the one that was: what is told of an end may
/// run code of all sorts. The exception is not looked at, which can cost more than all the rest.
#[cfg(Py_3_12)]
#[inline(always)]
pub fn aside(_: Python<'_>, settle: impl FnOnce()) {
    // SAFETY: attached; the reference that is taken is given back.
    unsafe {
        let passing = ffi::PyErr_GetRaisedException();
        settle();
        ffi::PyErr_SetRaisedException(passing);
    }
}

/// As from 3.12 on.
#[cfg(not(Py_3_12))]
#[inline(always)]
pub fn aside(_: Python<'_>, settle: impl FnOnce()) {
    let mut passing = [ptr::null_mut(); 3];
    let [class, value, traceback] = &mut passing;
    // SAFETY: attached; the references that are taken are given back.
    unsafe {
        ffi::PyErr_Fetch(class, value, traceback);
        settle();
        ffi::PyErr_Restore(*class, *value, *traceback);
    }
}
