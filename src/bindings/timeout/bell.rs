//! An alarm that goes by a test's clock.
//!
//! Whoever moves the clock may be the very task that is to be cancelled, or another thread. So the
//! clock only asks the loop, and the loop rings, as it would on its own time.

use crate::bindings::clock::TestClock;
use crate::time::Nanos;
use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit};
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

const WAITS: u8 = 0;
const RUNG: u8 = 1;
const OFF: u8 = 2;

/// What a test's clock calls at an alarm's time.
#[pyclass(frozen, module = "seawall._core")]
pub struct Bell {
    running: Py<PyAny>,
    task: Py<PyAny>,
    state: AtomicU8,
}

impl Bell {
    /// One that rings for `task`.
    pub fn new<'py>(
        running: &Bound<'py, PyAny>,
        task: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, Self>> {
        let py = task.py();
        let (running, task) = (running.clone().unbind(), task.clone().unbind());
        Bound::new(py, Self { running, task, state: AtomicU8::new(WAITS) })
    }

    /// Has `clock` call it at `at`, and gives back what undoes that.
    pub fn hang(
        slf: &Bound<'_, Self>,
        clock: &Bound<'_, TestClock>,
        at: Nanos,
    ) -> PyResult<Option<Py<PyAny>>> {
        let call = clock.call_method1(intern!(slf.py(), "_call_at"), (at, slf))?;
        Ok(Some(call.unbind()))
    }

    pub fn has_rung(&self) -> bool {
        self.state.load(Relaxed) == RUNG
    }

    /// Does not ring any more, not even if the loop was asked already.
    pub fn take_off(&self) {
        let _ = self.state.compare_exchange(WAITS, OFF, Relaxed, Relaxed);
    }

    /// May ring again.
    pub fn put_back(&self) {
        let _ = self.state.compare_exchange(OFF, WAITS, Relaxed, Relaxed);
    }
}

#[pymethods]
impl Bell {
    /// Its time has come.
    fn __call__(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let ring = slf.getattr(intern!(py, "_ring"))?;
        let asked =
            slf.get().running.bind(py).call_method1(intern!(py, "call_soon_threadsafe"), (ring,));
        match asked {
            // A loop that is closed runs no task.
            Err(error) if error.is_instance_of::<PyRuntimeError>(py) => Ok(()),
            asked => asked.map(drop),
        }
    }

    fn _ring(&self, py: Python<'_>) -> PyResult<()> {
        if self.state.compare_exchange(WAITS, RUNG, Relaxed, Relaxed).is_ok() {
            self.task.bind(py).call_method0(intern!(py, "cancel"))?;
        }
        Ok(())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.running)?;
        visit.call(&self.task)
    }
}
