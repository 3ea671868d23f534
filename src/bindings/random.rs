//! Where jitter comes from: the thread's own source, or a test's seed.

use super::context::{current, new_variable, reset, set};
use crate::random::{Random, Seeded, Thread};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

fn variable(py: Python<'_>) -> &'static Py<PyAny> {
    static VARIABLE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    VARIABLE.get_or_init(py, || new_variable(py, c"seawall_random"))
}

/// Runs `draw` with the source in force here. Only waits ask for randomness, so there is no fast
/// path to keep clear: the context variable is looked up each time.
pub fn with<T>(py: Python<'_>, draw: impl FnOnce(&mut dyn Random) -> T) -> T {
    if let Some(seeded) = current(py, variable(py))
        && let Ok(seeded) = seeded.cast::<TestRandom>()
    {
        return draw(&mut *seeded.get().source.lock());
    }
    draw(&mut Thread)
}

/// A seeded source. Entered, every random choice of the current context comes from it.
#[pyclass(frozen, subclass, module = "seawall._core")]
pub struct TestRandom {
    source: parking_lot::Mutex<Seeded>,
}

#[pymethods]
impl TestRandom {
    #[new]
    fn new(seed: u64) -> Self {
        Self { source: parking_lot::Mutex::new(Seeded::new(seed)) }
    }

    /// Makes it the one of this context; answers the token that undoes it.
    fn _enter<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let token = set(py, variable(py), slf.as_any())?;
        Ok(token)
    }

    /// Undoes an entry. A `ValueError` means that it was another context's.
    #[staticmethod]
    fn _exit(py: Python<'_>, token: &Bound<'_, PyAny>) -> PyResult<()> {
        reset(py, variable(py), token)?;
        Ok(())
    }
}
