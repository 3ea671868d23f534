//! One call through a guard: `call` and `try_call`, and the driver that a function's kind has.
#![allow(unsafe_code, reason = "two methods take the interpreter's calling convention as it is")]

use super::{Guard, subject};
use crate::bindings::async_generator;
use crate::bindings::call::{Arguments, Callee, Capture, Finish, HandOn, drive};
use crate::bindings::clock::ambient;
use crate::bindings::coroutine;
use crate::bindings::failures::config_error;
use crate::bindings::function::{
    GENERATOR_HAS_NO_OUTCOME, Kind, RUNS_ONLY_PLAIN, TIMES_NO_GENERATOR, kind, refuse,
};
use crate::bindings::gate;
use crate::bindings::generator;
use crate::bindings::hedge;
use crate::bindings::plan::PlanRef;
use crate::time::{Clock, System};
use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;
use std::ffi::CStr;
use std::ptr;

/// `call(function, *args, **kwargs)`: one protected call, results and exceptions handed on.
unsafe extern "C" fn call(
    slf: *mut ffi::PyObject,
    values: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: called by the interpreter through the method descriptor made below.
    unsafe { once(slf, values, count, names, HandOn) }
}

/// `try_call(function, *args, **kwargs)`: the same, ending in an `Outcome`.
unsafe extern "C" fn try_call(
    slf: *mut ffi::PyObject,
    values: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: as for `call`.
    unsafe { once(slf, values, count, names, Capture) }
}

#[inline(always)]
unsafe fn once<F: Finish>(
    slf: *mut ffi::PyObject,
    values: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
    finish: F,
) -> *mut ffi::PyObject {
    // SAFETY: the method descriptor has checked that `slf` is a guard; `values` holds `count`
    // positional arguments and then those that `names` names, all alive for the length of the call.
    unsafe {
        let py = Python::assume_attached();
        let slf = Bound::from_borrowed_ptr(py, slf);
        let guard = slf.cast_unchecked::<Guard>();
        if count < 1 {
            PyTypeError::new_err("the function to call is missing").restore(py);
            return ptr::null_mut();
        }
        let function = Bound::from_borrowed_ptr(py, *values);
        // No PY_VECTORCALL_ARGUMENTS_OFFSET: the slot before belongs to our caller.
        let arguments =
            Arguments { values: values.add(1), count: count.cast_unsigned() - 1, names };
        if !function.is_callable() {
            let text = function.repr().map_or_else(|_| "?".to_owned(), |text| text.to_string());
            PyTypeError::new_err(format!("{text} is not callable: nothing was called")).restore(py);
            return ptr::null_mut();
        }
        let callee = Callee::of(function.as_ptr());
        let kind = kind(&function);
        match kind {
            Kind::Hidden(reason) => return refuse_generator(guard, &function, reason),
            Kind::Generator | Kind::AsyncGenerator if F::CAPTURES => {
                return refuse_generator(guard, &function, GENERATOR_HAS_NO_OUTCOME);
            }
            Kind::Plain | Kind::Coroutine | Kind::Generator | Kind::AsyncGenerator => {}
        }
        match guard.get().plan.get() {
            Some(plan) if plan.hedges() => hedge::call(guard, &function, arguments, kind, finish),
            Some(plan) if plan.gate == gate::word() => {
                run(plan, callee, arguments, kind, &System, finish)
            }
            _ => {
                let build = || Guard::build(guard);
                match guard.get().plan.refreshed(py, build) {
                    Ok(plan) if plan.hedges() => {
                        hedge::call(guard, &function, arguments, kind, finish)
                    }
                    Ok(plan) => run(plan, callee, arguments, kind, &ambient(py), finish),
                    Err(error) => {
                        error.restore(py);
                        ptr::null_mut()
                    }
                }
            }
        }
    }
}

/// What would protect nothing, or has no outcome to give.
#[cold]
fn refuse_generator(
    guard: &Bound<'_, Guard>,
    function: &Bound<'_, PyAny>,
    reason: &str,
) -> *mut ffi::PyObject {
    let problem = refuse(function, reason);
    config_error(guard.py(), &subject(guard), vec![problem]).restore(guard.py());
    ptr::null_mut()
}

/// Can the fallbacks of `plan` answer for what `callee` gives? An exception is set if not.
#[cold]
unsafe fn answered_for(plan: &PlanRef, callee: Callee, kind: Kind) -> bool {
    // SAFETY: attached, and the callee is alive, as the caller promises.
    unsafe {
        let py = Python::assume_attached();
        let function = Bound::from_borrowed_ptr(py, callee.object);
        match plan.problem(&function, kind) {
            Some(error) => {
                error.restore(py);
                false
            }
            None => true,
        }
    }
}

/// The driver for `kind`.
///
/// # Safety
/// As [`drive`].
#[inline(always)]
pub unsafe fn run<C: Clock, F: Finish>(
    plan: PlanRef,
    callee: Callee,
    arguments: Arguments,
    kind: Kind,
    clock: &C,
    finish: F,
) -> *mut ffi::PyObject {
    // SAFETY: as the caller promises.
    unsafe {
        if plan.replaces() && !answered_for(&plan, callee, kind) {
            return ptr::null_mut();
        }
        match kind {
            Kind::Plain | Kind::Hidden(_) => drive(plan, callee, arguments, clock, finish),
            Kind::Coroutine if plan.bounds() && plan.timeless() => {
                let py = Python::assume_attached();
                let function = Bound::from_borrowed_ptr(py, callee.object);
                config_error(py, "call", vec![refuse(&function, RUNS_ONLY_PLAIN)]).restore(py);
                ptr::null_mut()
            }
            Kind::Coroutine => coroutine::start(plan, callee, arguments, clock, finish),
            Kind::Generator | Kind::AsyncGenerator if plan.bounds() => {
                let py = Python::assume_attached();
                let function = Bound::from_borrowed_ptr(py, callee.object);
                let rule = if plan.timeless() { RUNS_ONLY_PLAIN } else { TIMES_NO_GENERATOR };
                let problem = refuse(&function, rule);
                config_error(py, "call", vec![problem]).restore(py);
                ptr::null_mut()
            }
            Kind::Generator => generator::start(plan, callee, arguments, clock, finish),
            Kind::AsyncGenerator => async_generator::start(plan, callee, arguments, clock, finish),
        }
    }
}

type Method = ffi::PyCFunctionFastWithKeywords;

/// Adds to the class the two methods `#[pymethods]` would put a tuple and a dict in the way of.
pub fn register(class: &Bound<'_, PyType>) -> PyResult<()> {
    let py = class.py();
    let methods: [(&'static CStr, Method, &'static CStr); 2] = [
        (c"call", call, c"call($self, function, /, *args, **kwargs)\n--\n\nCalls function once, protected."),
        (
            c"try_call",
            try_call,
            c"try_call($self, function, /, *args, **kwargs)\n--\n\nCalls function once, protected; returns an Outcome.",
        ),
    ];
    for (name, function, doc) in methods {
        let definition = Box::leak(Box::new(ffi::PyMethodDef {
            ml_name: name.as_ptr(),
            ml_meth: ffi::PyMethodDefPointer { PyCFunctionFastWithKeywords: function },
            ml_flags: ffi::METH_FASTCALL | ffi::METH_KEYWORDS,
            ml_doc: doc.as_ptr(),
        }));
        // SAFETY: the class is alive, and the definition, which the descriptor refers to, is leaked.
        let descriptor = unsafe {
            Bound::from_owned_ptr_or_err(
                py,
                ffi::PyDescr_NewMethod(class.as_type_ptr(), &raw mut *definition),
            )?
        };
        class.setattr(name.to_string_lossy(), descriptor)?;
    }
    Ok(())
}
