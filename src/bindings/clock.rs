//! Which clock a call reads: the machine's, or a test's.
#![allow(unsafe_code, reason = "context variables are reached through the C API")]

use super::gate;
use crate::time::{self, Clock, Manual, Nanos, SECOND, System};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use std::ptr;
use std::sync::Arc;

/// The clock in force here: in this task, in this thread.
pub enum Ambient {
    System,
    Test(Arc<Reading>),
}

impl Ambient {
    /// Seconds since the epoch, for people to read. A test's clock takes its wall clock along.
    pub fn wall(&self) -> f64 {
        match self {
            Self::System => time::wall(),
            Self::Test(clock) => {
                clock.wall + (clock.clock.now() - clock.start) as f64 / SECOND as f64
            }
        }
    }
}

impl Clock for Ambient {
    fn now(&self) -> Nanos {
        match self {
            Self::System => System.now(),
            Self::Test(clock) => clock.clock.now(),
        }
    }

    fn coarse(&self) -> Nanos {
        match self {
            Self::System => System.coarse(),
            Self::Test(clock) => clock.clock.coarse(),
        }
    }
}

/// A test's clock and where it started, on both scales.
pub struct Reading {
    clock: Manual,
    start: Nanos,
    wall: f64,
}

/// The clock of the current context. Looks at a context variable only when some test clock is on.
pub fn ambient(py: Python<'_>) -> Ambient {
    if !gate::ambient(gate::word()) {
        return Ambient::System;
    }
    match current(py, variable(py)) {
        Some(clock) => match clock.cast::<TestClock>() {
            Ok(clock) => Ambient::Test(Arc::clone(&clock.get().reading)),
            Err(_) => Ambient::System,
        },
        None => Ambient::System,
    }
}

fn variable(py: Python<'_>) -> &'static Py<PyAny> {
    static VARIABLE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    VARIABLE.get_or_init(py, || new_variable(py, c"seawall_clock"))
}

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

/// A clock that stands still until it is told to move. Entered, it is the clock of the current
/// context: of this task and the tasks it starts, or of this thread.
#[pyclass(frozen, subclass, module = "seawall._core")]
pub struct TestClock {
    reading: Arc<Reading>,
}

#[pymethods]
impl TestClock {
    /// Starts at the machine's own time, so that state made before entering keeps its meaning.
    #[new]
    fn new() -> Self {
        let start = System.now();
        Self { reading: Arc::new(Reading { clock: Manual::new(start), start, wall: time::wall() }) }
    }

    /// Seconds this clock has been moved so far.
    #[getter]
    fn elapsed(&self) -> f64 {
        (self.reading.clock.now() - self.reading.start) as f64 / SECOND as f64
    }

    /// Moves the clock forward by whole nanoseconds.
    fn _advance(&self, nanos: Nanos) {
        self.reading.clock.advance(nanos);
    }

    /// Makes it the one of this context; answers the token that undoes it.
    fn _enter<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let token = set(py, variable(py), slf.as_any())?;
        gate::clock_on();
        Ok(token)
    }

    /// Undoes an entry. A `ValueError` means that it was another context's.
    #[staticmethod]
    fn _exit(py: Python<'_>, token: &Bound<'_, PyAny>) -> PyResult<()> {
        reset(py, variable(py), token)?;
        gate::clock_off();
        Ok(())
    }
}
