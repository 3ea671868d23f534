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

/// Who waits: the kind of policy, and what it is called.
pub type Waiter<'py> = (&'static str, Bound<'py, PyAny>);

fn named(who: Option<Waiter<'_>>) -> PyResult<Option<String>> {
    who.map(|(kind, name)| Ok(format!("{kind} {}", name.repr()?))).transpose()
}

/// What a step lets a call wait for before it lets it in, or does not.
pub struct Wait<'py> {
    /// What ends it early, with `listen` to be told of that. `None`: only time does.
    pub bell: Option<Bound<'py, PyAny>>,
    /// For how long at most.
    pub left: Nanos,
}

/// Blocks this thread until the wait is over, for the policy `who`. Whatever interrupts it is raised.
pub fn rest(py: Python<'_>, wait: &Wait<'_>, who: Option<Waiter<'_>>) -> PyResult<()> {
    let Some(bell) = &wait.bell else { return sleep(py, wait.left, who) };
    let seconds = in_seconds(wait.left);
    waiting(py)?.call_method1(intern!(py, "rest"), (bell, seconds, named(who)?)).map(drop)
}

/// What is to be awaited until the wait is over.
pub fn at_rest<'py>(py: Python<'py>, wait: &Wait<'py>) -> PyResult<Bound<'py, PyAny>> {
    match &wait.bell {
        None => asleep(py, wait.left),
        Some(bell) => {
            let facts = (bell, in_seconds(wait.left));
            if test_clock(py).is_none() && timeout::asyncio_here(py).is_some() {
                // As in `asleep`.
                return in_loop(py)?.call1(facts);
            }
            waiting(py)?.call_method1(intern!(py, "at_rest"), facts)
        }
    }
}

/// How a task of asyncio's waits for a bell.
fn in_loop(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static IN_LOOP: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let find = || py.import("seawall.waiting.loops")?.getattr("at_rest").map(Bound::unbind);
    Ok(IN_LOOP.get_or_try_init(py, find)?.bind(py))
}

/// Blocks this thread for so long, for the policy `who`. Whatever interrupts it is raised.
pub fn sleep(py: Python<'_>, delay: Nanos, who: Option<Waiter<'_>>) -> PyResult<()> {
    if delay == 0 {
        return Ok(());
    }
    let who = named(who)?;
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
