//! The object that stands in for a decorated function.
//!
//! It forwards the interpreter's vectorcall to the function with the policies' plan around it and
//! adds no Python frame. Whatever it does not have itself it looks up on the function, so that
//! `inspect`, web frameworks and the rest see the function they expect; whatever is set on it (as
//! `functools.wraps` does) stays with it.
#![allow(unsafe_code, reason = "a hand-made heap type: see native.rs")]

mod bind;
mod object;

pub use object::register;

use super::async_generator;
use super::call::{Arguments, Callee, HandOn, drive};
use super::cell::PlanCell;
use super::clock::ambient;
use super::coroutine;
use super::function::{Kind, function_inside, kind};
use super::gate;
use super::generator;
use super::hedge::Hedged;
use super::keys::KeyOf;
use super::plan::{Plan, PlanRef};
use crate::time::System;
use bind::Binding;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

/// A protected function.
#[repr(C)]
pub struct Protected {
    ob_base: ffi::PyObject,
    vectorcall: Option<ffi::vectorcallfunc>,
    /// What the plan calls: the function, or what makes attempts of it.
    callee: Callee,
    function: *mut ffi::PyObject,
    plan: PlanCell,
    /// The policies, outermost first: what the plan is rebuilt from.
    policies: *mut ffi::PyObject,
    dict: *mut ffi::PyObject,
    weak: *mut ffi::PyObject,
    /// There is a Python function inside, and the wrapper says that it is one.
    functional: bool,
}

/// One type for each way to bind: whether `instance.method` binds is a property of the type.
static TYPES: [AtomicPtr<ffi::PyTypeObject>; Binding::ALL.len()] =
    [const { AtomicPtr::new(ptr::null_mut()) }; Binding::ALL.len()];

impl Protected {
    /// Wraps `function` in `policies`, outermost first.
    pub fn wrap<'py>(
        function: &Bound<'py, PyAny>,
        policies: &Bound<'py, PyTuple>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = function.py();
        let plan = Plan::build(policies, KeyOf::Function(function))?;
        let callee = match Hedged::of(function, policies)? {
            Some(hedged) => hedged.into_any(),
            None => function.clone(),
        };
        let driver: ffi::vectorcallfunc = match kind(function) {
            Kind::Plain | Kind::Hidden(_) => call_plain,
            Kind::Coroutine => call_coroutine,
            Kind::Generator => call_generator,
            Kind::AsyncGenerator => call_async_generator,
        };
        let class = TYPES[Binding::of(function) as usize].load(Ordering::Relaxed);
        // SAFETY: the type was made for this struct; its allocator zeroes the object, so that the
        // collector may look at it at any time; each field is written once, with a reference that
        // the object then owns.
        unsafe {
            let slf = ffi::PyType_GenericAlloc(class, 0).cast::<Self>();
            if slf.is_null() {
                return Err(PyErr::fetch(py));
            }
            (&raw mut (*slf).vectorcall).write(Some(driver));
            (&raw mut (*slf).plan).write(PlanCell::new(Some(plan)));
            (&raw mut (*slf).callee).write(Callee::of(callee.into_ptr()));
            (&raw mut (*slf).function).write(function.clone().into_ptr());
            (&raw mut (*slf).policies).write(policies.clone().into_ptr());
            (&raw mut (*slf).functional).write(function_inside(function).is_some());
            Ok(Bound::from_owned_ptr(py, slf.cast()))
        }
    }

    /// `object` as a protected function, if it is one.
    pub fn of<'a>(object: &'a Bound<'_, PyAny>) -> Option<&'a Self> {
        // SAFETY: the types cannot be subclassed, so an object of exactly one of them is our
        // struct, and the borrow keeps it alive.
        unsafe {
            let class = ffi::Py_TYPE(object.as_ptr());
            let is_ours = TYPES.iter().any(|ours| ours.load(Ordering::Relaxed) == class);
            is_ours.then(|| &*object.as_ptr().cast::<Self>())
        }
    }

    /// The function inside.
    pub fn function<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        // SAFETY: the wrapper owns its function (None once the collector has cleared it).
        unsafe { Bound::from_borrowed_ptr(py, self.function) }
    }

    fn build(&self, py: Python<'_>) -> PyResult<PlanRef> {
        Plan::build(&self.policies(py), KeyOf::Function(&self.function(py)))
    }

    /// Its policies, outermost first.
    pub fn policies<'py>(&self, py: Python<'py>) -> Bound<'py, PyTuple> {
        // SAFETY: the wrapper owns the tuple it was made with until it is freed.
        unsafe { Bound::from_borrowed_ptr(py, self.policies).cast_into_unchecked() }
    }
}

/// Follows the gate: the fast path if nothing is ambient and the plan is fresh, else the long way.
macro_rules! driver {
    ($name:ident, $long_way:ident, $run:path) => {
        unsafe extern "C" fn $name(
            slf: *mut ffi::PyObject,
            values: *const *mut ffi::PyObject,
            count: usize,
            names: *mut ffi::PyObject,
        ) -> *mut ffi::PyObject {
            let arguments = Arguments { values, count, names };
            // SAFETY: the interpreter calls this with one of our wrappers, attached, and keeps the
            // wrapper, and with it the callee, alive for the length of the call.
            unsafe {
                let this = &*slf.cast::<Protected>();
                match this.plan.get() {
                    Some(plan) if plan.gate == gate::word() => {
                        $run(plan, this.callee, arguments, &System, HandOn)
                    }
                    _ => $long_way(this, arguments),
                }
            }
        }

        #[cold]
        #[inline(never)]
        unsafe fn $long_way(this: &Protected, arguments: Arguments) -> *mut ffi::PyObject {
            // SAFETY: as above.
            unsafe {
                let py = Python::assume_attached();
                match this.plan.refreshed(py, || this.build(py)) {
                    Ok(plan) => $run(plan, this.callee, arguments, &ambient(py), HandOn),
                    Err(error) => {
                        error.restore(py);
                        ptr::null_mut()
                    }
                }
            }
        }
    };
}

driver!(call_plain, call_plain_long_way, drive);
driver!(call_coroutine, call_coroutine_long_way, coroutine::start);
driver!(call_generator, call_generator_long_way, generator::start);
driver!(call_async_generator, call_async_generator_long_way, async_generator::start);
