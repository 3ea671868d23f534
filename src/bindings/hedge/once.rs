//! A single call through a guard that has a hedge.
#![allow(unsafe_code, reason = "forwards the interpreter's own calling convention")]

use super::Hedge;
use super::hedged::{Flight, Hedged, split};
use crate::bindings::call::{Arguments, Callee, Finish};
use crate::bindings::clock::ambient;
use crate::bindings::decorate;
use crate::bindings::function::Kind;
use crate::bindings::guard::{self, Guard};
use crate::bindings::outcome::Outcome;
use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use std::ptr;
use std::sync::atomic::Ordering;

/// A call through a hedge: what is called is what makes attempts of it.
///
/// # Safety
/// As [`drive`](crate::bindings::call::drive).
#[cold]
pub unsafe fn call<F: Finish>(
    guard: &Bound<'_, Guard>,
    function: &Bound<'_, PyAny>,
    arguments: Arguments,
    kind: Kind,
    finish: F,
) -> *mut ffi::PyObject {
    // Attached through pyo3: what is made here is dropped here.
    Python::attach(|py| {
        let called = || -> PyResult<*mut ffi::PyObject> {
            let plan = Guard::in_force(guard)?;
            let flight = F::CAPTURES.then(|| Py::new(py, Flight::default())).transpose()?;
            let seen = flight.as_ref().map(|flight| flight.clone_ref(py));
            let members = Guard::members(guard)?;
            let callee = callee(guard, &members, function, flight)?;
            // SAFETY: as the caller promises; the callee is alive throughout, and what is made again
            // later keeps it.
            let made = unsafe {
                let callee = Callee::of(callee.as_ptr());
                guard::run(plan, callee, arguments, kind, &ambient(py), finish)
            };
            match seen {
                Some(flight) if !made.is_null() => {
                    // SAFETY: a new reference.
                    let made = unsafe { Bound::from_owned_ptr(py, made) };
                    let observe = py.import("seawall.policies.hedge.calls")?.getattr("observe")?;
                    Ok(observe.call1((made, flight))?.into_ptr())
                }
                _ => Ok(made),
            }
        };
        called().unwrap_or_else(|error| {
            error.restore(py);
            ptr::null_mut()
        })
    })
}

/// The callee of a call of `function` through the hedge of `guard`.
fn callee<'py>(
    guard: &Bound<'py, Guard>,
    policies: &Bound<'py, PyTuple>,
    function: &Bound<'py, PyAny>,
    flight: Option<Py<Flight>>,
) -> PyResult<Bound<'py, Hedged>> {
    let py = guard.py();
    let Some(at) = split(policies) else {
        return Err(PyRuntimeError::new_err("there is no hedge here"));
    };
    if let Some(problem) = Hedge::problem(function) {
        return Err(decorate::refused(guard.as_any(), problem));
    }
    let attempt = if at + 1 == policies.len() {
        function.clone()
    } else {
        let inside = || policies.get_slice(at + 1, policies.len());
        let call = Guard::inside(guard, inside)?.getattr(intern!(py, "call"))?;
        py.import("functools")?.getattr(intern!(py, "partial"))?.call1((call, function))?
    };
    let hedged = Hedged::around(policies, at, &attempt, function, flight)?;
    Bound::new(py, hedged)
}

/// An outcome, with what is known of the races of its call.
#[pyfunction]
pub fn observed(py: Python<'_>, outcome: Bound<'_, PyAny>, flight: &Flight) -> Py<PyAny> {
    let Ok(seen) = outcome.cast::<Outcome>() else { return outcome.unbind() };
    let attempts = flight.attempts.load(Ordering::Acquire);
    let hedged = flight.hedged.load(Ordering::Acquire);
    match seen.get().raced(py, attempts, hedged).and_then(|raced| Py::new(py, raced).ok()) {
        Some(raced) => raced.into_any(),
        None => outcome.unbind(),
    }
}
