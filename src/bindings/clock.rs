//! Which clock a call reads: the machine's, or a test's.

use super::context::{current, new_variable, reset, set};
use super::gate;
use crate::time::{self, Clock, Manual, Nanos, SECOND, System};
use pyo3::exceptions::PyOverflowError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use std::sync::Arc;

/// Nanoseconds as Python has them.
pub fn in_seconds(nanos: Nanos) -> f64 {
    nanos as f64 / SECOND as f64
}

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
    fn _advance(&self, nanos: Nanos) -> PyResult<()> {
        if self.reading.clock.try_advance(nanos) {
            return Ok(());
        }
        Err(PyOverflowError::new_err("beyond the latest time that fits"))
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
