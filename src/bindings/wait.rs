//! Waiting, which is Python's: in its own way for whoever runs the caller.

use crate::bindings::clock::{in_seconds, test_clock};
use crate::bindings::timeout;
use crate::time::Nanos;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

fn waiting(py: Python<'_>) -> PyResult<&Bound<'_, PyModule>> {
    static WAITING: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let module = WAITING.get_or_try_init(py, || py.import("seawall.waiting").map(Bound::unbind))?;
    Ok(module.bind(py))
}

/// Blocks this thread for so long, for the policy `who`: its kind and name. Whatever interrupts it
/// is raised.
pub fn sleep(
    py: Python<'_>,
    delay: Nanos,
    who: Option<(&'static str, Bound<'_, PyAny>)>,
) -> PyResult<()> {
    if delay == 0 {
        return Ok(());
    }
    let who = match who {
        Some((kind, name)) => Some(format!("{kind} {}", name.repr()?)),
        None => None,
    };
    waiting(py)?.call_method1(intern!(py, "sleep"), (in_seconds(delay), who)).map(drop)
}

/// What is to be awaited for so long; others run meanwhile, also if it is no time at all.
pub fn asleep(py: Python<'_>, delay: Nanos) -> PyResult<Bound<'_, PyAny>> {
    if test_clock(py).is_none()
        && let Some(asyncio) = timeout::asyncio_here(py)
    {
        // As the module does it, without asking the same again in Python.
        return asyncio.call_method1(intern!(py, "sleep"), (in_seconds(delay),));
    }
    waiting(py)?.call_method1(intern!(py, "asleep"), (in_seconds(delay),))
}
