//! Waiting, which is Python's: in its own way for whoever runs the caller.

use crate::bindings::clock::in_seconds;
use crate::time::Nanos;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

fn waiting(py: Python<'_>) -> PyResult<&Bound<'_, PyModule>> {
    static WAITING: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let module = WAITING.get_or_try_init(py, || py.import("seawall.waiting").map(Bound::unbind))?;
    Ok(module.bind(py))
}

/// What a step lets a call wait for before it lets it in, or does not.
pub struct Wait<'py> {
    /// What ends it early, with `listen` to be told of that. `None`: only time does.
    pub bell: Option<Bound<'py, PyAny>>,
    /// For how long at most.
    pub left: Nanos,
}

/// Blocks this thread until the wait is over, for the policy `who`. Whatever interrupts it is raised.
pub fn rest(py: Python<'_>, wait: &Wait<'_>, who: Option<Bound<'_, PyAny>>) -> PyResult<()> {
    let Some(bell) = &wait.bell else { return sleep(py, wait.left, who) };
    let seconds = in_seconds(wait.left);
    waiting(py)?.call_method1(intern!(py, "rest"), (bell, seconds, who)).map(drop)
}

/// What is to be awaited until the wait is over.
pub fn at_rest<'py>(py: Python<'py>, wait: &Wait<'py>) -> PyResult<Bound<'py, PyAny>> {
    match &wait.bell {
        None => asleep(py, wait.left),
        Some(bell) => {
            waiting(py)?.call_method1(intern!(py, "at_rest"), (bell, in_seconds(wait.left)))
        }
    }
}

/// Blocks this thread for so long, for the policy `who`. Whatever interrupts it is raised.
pub fn sleep(py: Python<'_>, delay: Nanos, who: Option<Bound<'_, PyAny>>) -> PyResult<()> {
    if delay == 0 {
        return Ok(());
    }
    waiting(py)?.call_method1(intern!(py, "sleep"), (in_seconds(delay), who)).map(drop)
}

/// What is to be awaited for so long; others run meanwhile, also if it is no time at all.
pub fn asleep(py: Python<'_>, delay: Nanos) -> PyResult<Bound<'_, PyAny>> {
    waiting(py)?.call_method1(intern!(py, "asleep"), (in_seconds(delay),))
}
