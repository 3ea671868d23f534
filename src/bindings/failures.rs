//! Errors on their way to Python, and exceptions that pass through.
#![allow(unsafe_code, reason = "reports to the interpreter's hooks through its C API")]

use crate::error::Problem;
use pyo3::exceptions::{PyBaseException, PyException, PyKeyboardInterrupt, PySystemError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyTuple, PyType};

/// The classes of errors that native code raises or looks for.
pub struct Classes {
    pub config: Py<PyType>,
    pub rejected: Py<PyType>,
    pub circuit_open: Py<PyType>,
    pub nested_retry: Py<PyType>,
    pub retries_exhausted: Py<PyType>,
    pub call_timeout: Py<PyType>,
    pub deadline_exceeded: Py<PyType>,
    pub rate_limited: Py<PyType>,
    pub bulkhead_full: Py<PyType>,
}

/// Fetched once, when first needed: importing the extension alone imports nothing else.
pub fn classes(py: Python<'_>) -> PyResult<&'static Classes> {
    static CLASSES: PyOnceLock<Classes> = PyOnceLock::new();
    CLASSES.get_or_try_init(py, || {
        let errors = py.import("seawall.errors")?;
        let late = py.import("seawall.policies.timeout.errors")?;
        let of = |module: &Bound<'_, PyModule>, name: &str| -> PyResult<Py<PyType>> {
            Ok(module.getattr(name)?.cast_into::<PyType>()?.unbind())
        };
        let class = |name: &str| of(&errors, name);
        Ok(Classes {
            config: class("ConfigError")?,
            rejected: class("Rejected")?,
            circuit_open: class("CircuitOpenError")?,
            nested_retry: class("NestedRetryError")?,
            retries_exhausted: class("RetriesExhaustedError")?,
            call_timeout: of(&late, "CallTimeoutError")?,
            deadline_exceeded: of(&late, "DeadlineExceededError")?,
            rate_limited: class("RateLimitedError")?,
            bulkhead_full: class("BulkheadFullError")?,
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
        discard(py, error);
        return;
    }
    error.write_unraisable(py, Some(culprit));
}

/// Raises `error` as a `raise` statement would: what is being handled becomes its context.
pub fn raise(py: Python<'_>, error: PyErr) {
    let value = exception(py, error);
    // SAFETY: attached, as `py` shows; the value is a live exception of its own class.
    unsafe { ffi::PyErr_SetObject(ffi::Py_TYPE(value.as_ptr()).cast(), value.as_ptr()) };
}

/// An exception that is handed around, and let go of at once where it ends: see [`exception`].
pub struct Carried(Option<PyErr>);

impl Carried {
    pub fn new(error: PyErr) -> Self {
        Self(Some(error))
    }

    /// The one that is set.
    pub fn pending(py: Python<'_>) -> Self {
        Self::new(pending(py))
    }

    /// What is left of one that was given on.
    pub fn none() -> Self {
        Self(None)
    }

    pub fn get(&self) -> Option<&PyErr> {
        self.0.as_ref()
    }

    /// Sets it.
    pub fn restore(mut self, py: Python<'_>) {
        if let Some(error) = self.0.take() {
            error.restore(py);
        }
    }

    pub fn into_inner(mut self) -> PyErr {
        self.0.take().unwrap_or_else(|| PySystemError::new_err("an exception was lost"))
    }
}

impl Drop for Carried {
    fn drop(&mut self) {
        if let Some(error) = self.0.take() {
            // SAFETY: exceptions are carried by drivers, which run attached.
            discard(unsafe { Python::assume_attached() }, error);
        }
    }
}

/// Lets go of an exception now. None must be set meanwhile.
pub fn discard(py: Python<'_>, error: PyErr) {
    drop(exception(py, error));
}

/// The exception object inside `error`. None must be set meanwhile.
///
/// Drivers are called by the interpreter, not through pyo3, so pyo3 does not know that their thread
/// is attached: what its owning types (`Py`, `PyErr`) drop there is put off, and piles up. That goes
/// for `PyErr::into_value` too, which drops the `PyErr`'s own references. Passing the error through
/// the interpreter's own place for it drops none.
pub fn exception(py: Python<'_>, error: PyErr) -> Bound<'_, PyBaseException> {
    error.restore(py);
    // SAFETY: attached; an exception was just set, which is taken over.
    unsafe { Bound::from_owned_ptr(py, take()).cast_into_unchecked() }
}

#[cfg(Py_3_12)]
unsafe fn take() -> *mut ffi::PyObject {
    // SAFETY: as the caller promises.
    unsafe { ffi::PyErr_GetRaisedException() }
}

#[cfg(not(Py_3_12))]
unsafe fn take() -> *mut ffi::PyObject {
    let (mut class, mut value, mut traceback) =
        (std::ptr::null_mut(), std::ptr::null_mut(), std::ptr::null_mut());
    // SAFETY: as the caller promises; all three are new references or NULL.
    unsafe {
        ffi::PyErr_Fetch(&raw mut class, &raw mut value, &raw mut traceback);
        ffi::PyErr_NormalizeException(&raw mut class, &raw mut value, &raw mut traceback);
        if !traceback.is_null() {
            ffi::PyException_SetTraceback(value, traceback);
        }
        ffi::Py_XDECREF(class);
        ffi::Py_XDECREF(traceback);
    }
    value
}

/// The exception that a callee left set. A callee that returned nothing and set nothing broke the
/// interpreter's rules; it gets the error the interpreter itself would raise.
pub fn pending(py: Python<'_>) -> PyErr {
    PyErr::take(py).unwrap_or_else(|| {
        PySystemError::new_err("a callable returned NULL without setting an exception")
    })
}

/// What an exception carries of its way, to be put back after somebody has handled it in between:
/// each `raise` adds a frame, and inside a handler a context.
pub struct Trail<'a, 'py> {
    error: &'a Bound<'py, PyAny>,
    traceback: Option<Bound<'py, PyAny>>,
    context: Option<Bound<'py, PyAny>>,
}

impl<'a, 'py> Trail<'a, 'py> {
    /// That of `object`, if it is an exception.
    pub fn of(object: &'a Bound<'py, PyAny>) -> Option<Self> {
        if !object.is_instance_of::<PyBaseException>() {
            return None;
        }
        let py = object.py();
        // SAFETY: attached; an exception is asked; both answers are new references or NULL.
        unsafe {
            let traceback = ffi::PyException_GetTraceback(object.as_ptr());
            let context = ffi::PyException_GetContext(object.as_ptr());
            Some(Self {
                error: object,
                traceback: Bound::from_owned_ptr_or_opt(py, traceback),
                context: Bound::from_owned_ptr_or_opt(py, context),
            })
        }
    }

    pub fn put_back(self) {
        let none = self.error.py().None();
        let traceback = self.traceback.as_ref().map_or(none.as_ptr(), Bound::as_ptr);
        let context = self.context.map_or(std::ptr::null_mut(), Bound::into_ptr);
        // SAFETY: attached; what was read from the exception may be set again; the context is
        // given away.
        unsafe {
            ffi::PyException_SetTraceback(self.error.as_ptr(), traceback);
            ffi::PyException_SetContext(self.error.as_ptr(), context);
        }
        none.drop_ref(self.error.py());
    }
}
