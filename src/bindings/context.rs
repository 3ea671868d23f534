//! Context variables: what holds for a task and those it starts, or for a thread.
#![allow(unsafe_code, reason = "context variables have no safe face in pyo3")]

use pyo3::ffi;
use pyo3::prelude::*;
use std::ptr;

/// A new context variable without a default.
pub fn new_variable(py: Python<'_>, name: &'static std::ffi::CStr) -> Py<PyAny> {
    // SAFETY: attached; `name` is a valid C string. Failure means no memory for one small object,
    // which pyo3 answers with a panic, as it does for every object it makes itself.
    unsafe {
        Bound::from_owned_ptr(py, ffi::PyContextVar_New(name.as_ptr(), ptr::null_mut())).unbind()
    }
}

/// The value `variable` has in the current context.
pub fn current<'py>(py: Python<'py>, variable: &Py<PyAny>) -> Option<Bound<'py, PyAny>> {
    let mut value = ptr::null_mut();
    // SAFETY: attached; `variable` is a context variable; `value` receives a new reference or NULL.
    unsafe {
        if ffi::PyContextVar_Get(variable.as_ptr(), ptr::null_mut(), &raw mut value) < 0 {
            ffi::PyErr_Clear();
            return None;
        }
        Bound::from_owned_ptr_or_opt(py, value)
    }
}

/// Sets `variable` to `value` in the current context and returns the token that undoes it.
pub fn set<'py>(
    py: Python<'py>,
    variable: &Py<PyAny>,
    value: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: attached; both are live objects; the result is a new reference or NULL with an error.
    unsafe {
        Bound::from_owned_ptr_or_err(py, ffi::PyContextVar_Set(variable.as_ptr(), value.as_ptr()))
    }
}

/// Puts `variable` back to what it was before `token`'s set.
pub fn reset(py: Python<'_>, variable: &Py<PyAny>, token: &Bound<'_, PyAny>) -> PyResult<()> {
    // SAFETY: attached; the token came from `set` on this variable.
    match unsafe { ffi::PyContextVar_Reset(variable.as_ptr(), token.as_ptr()) } {
        0 => Ok(()),
        _ => Err(PyErr::fetch(py)),
    }
}
