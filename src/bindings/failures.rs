//! Errors on their way to Python, and exceptions that pass through.
#![allow(unsafe_code, reason = "reports to the interpreter's hooks through its C API")]

use crate::error::Problem;
use pyo3::exceptions::{PyException, PyKeyboardInterrupt, PySystemError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyTuple, PyType};

/// The classes of `seawall.errors` that native code raises or looks for.
pub struct Classes {
    pub config: Py<PyType>,
    pub rejected: Py<PyType>,
    pub circuit_open: Py<PyType>,
}

/// Fetched once, when first needed: importing the extension alone imports nothing else.
pub fn classes(py: Python<'_>) -> PyResult<&'static Classes> {
    static CLASSES: PyOnceLock<Classes> = PyOnceLock::new();
    CLASSES.get_or_try_init(py, || {
        let errors = py.import("seawall.errors")?;
        let class = |name: &str| -> PyResult<Py<PyType>> {
            Ok(errors.getattr(name)?.cast_into::<PyType>()?.unbind())
        };
        Ok(Classes {
            config: class("ConfigError")?,
            rejected: class("Rejected")?,
            circuit_open: class("CircuitOpenError")?,
        })
    })
}

/// The `ConfigError` that names every one of `problems`.
pub fn config_error(py: Python<'_>, subject: &str, problems: Vec<Problem>) -> PyErr {
    let build = || -> PyResult<PyErr> {
        let rows =
            problems.into_iter().map(|p| (p.field, p.value, p.rule, p.nearest)).collect::<Vec<_>>();
        let rows = PyTuple::new(py, rows)?;
        Ok(PyErr::from_value(classes(py)?.config.bind(py).call1((subject, rows))?))
    };
    build().unwrap_or_else(|error| error)
}

/// Reports an error of the user's own callback (a predicate, a listener), which must not reach the
/// call it was asked about. Ctrl-C is not lost: the interpreter is told to raise it again.
pub fn report(py: Python<'_>, error: PyErr, culprit: &Bound<'_, PyAny>) {
    if !error.is_instance_of::<PyException>(py) && error.is_instance_of::<PyKeyboardInterrupt>(py) {
        // SAFETY: the interpreter is attached, as `py` shows.
        unsafe { ffi::PyErr_SetInterrupt() };
        return;
    }
    error.write_unraisable(py, Some(culprit));
}

/// The exception that a callee left set. A callee that returned nothing and set nothing broke the
/// interpreter's rules; it gets the error the interpreter itself would raise.
pub fn pending(py: Python<'_>) -> PyErr {
    PyErr::take(py).unwrap_or_else(|| {
        PySystemError::new_err("a callable returned NULL without setting an exception")
    })
}
