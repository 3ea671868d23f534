//! The deadline that holds here: in this task and those it starts, or in this thread.
//!
//! A context variable has it. While no deadline is alive anywhere in the process, which contexts
//! that outlive their block see to, nobody looks at the variable: one relaxed load tells.

use super::deadline::Deadline;
use crate::bindings::context::{self, new_variable, reset, set};
use crate::sync::Gauge;
use crate::time::{Clock, Nanos};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use std::sync::atomic::Ordering::Relaxed;

/// How many deadlines were entered and have not ended. Not the gate's word: a deadline that is on
/// somewhere must not send the calls of everybody else the long way.
pub static ALIVE: Gauge = Gauge::new();

/// The context variable.
pub fn variable(py: Python<'_>) -> &'static Py<PyAny> {
    static VARIABLE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    VARIABLE.get_or_init(py, || new_variable(py, c"seawall_deadline"))
}

/// What the context variable holds; not what bounds the work here: that is [`Deadline::nearest`].
pub fn innermost(py: Python<'_>) -> Option<Bound<'_, Deadline>> {
    if ALIVE.get() == 0 {
        return None;
    }
    let mut found = context::current(py, variable(py))?.cast_into::<Deadline>().ok()?;
    // A context that outlives a call, or that somebody else ended the call in, still holds it.
    while found.get().over.load(Relaxed) {
        found = found.get().outer.as_ref()?.bind(py).clone();
    }
    Some(found)
}

/// The deadline that bounds what is done here.
pub fn current(py: Python<'_>) -> Option<Bound<'_, Deadline>> {
    innermost(py).and_then(|deadline| Deadline::nearest(&deadline))
}

/// The deadline that bounds what is done here, if there is no time left.
#[inline(always)]
pub fn over<C: Clock>(clock: &C) -> Option<Py<Deadline>> {
    if ALIVE.get() == 0 { None } else { over_among_some(clock) }
}

#[cold]
#[allow(unsafe_code, reason = "policies are entered where pyo3 does not know of the thread")]
fn over_among_some<C: Clock>(clock: &C) -> Option<Py<Deadline>> {
    // SAFETY: only drivers ask, and they run attached.
    let py = unsafe { Python::assume_attached() };
    let deadline = current(py).filter(|deadline| deadline.get().at() <= clock.now())?;
    Some(deadline.unbind())
}

/// The error of one that has passed.
pub fn exceeded(deadline: &Bound<'_, Deadline>) -> PyErr {
    static MAKE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = deadline.py();
    let made = MAKE
        .import(py, "seawall.policies.timeout.deadlines", "exceeded")
        .and_then(|make| make.call1((deadline,)));
    made.map_or_else(|error| error, PyErr::from_value)
}

/// Has the deadline that bounds what is done here passed at `now`?
pub fn passed<C: Clock>(py: Python<'_>, clock: &C) -> bool {
    current(py).is_some_and(|deadline| deadline.get().at() <= clock.now())
}

/// How much of it is left at `now`, a time of the clock in force here. `None`: there is no deadline;
/// zero: it has passed.
pub fn time_left(py: Python<'_>, now: Nanos) -> Option<Nanos> {
    current(py).map(|deadline| deadline.get().at().saturating_sub(now))
}

/// The deadline that bounds what is done here.
#[pyfunction]
pub fn current_deadline(py: Python<'_>) -> Option<Bound<'_, Deadline>> {
    current(py)
}

/// Seconds until it passes; 0.0: it has. None: there is none.
#[pyfunction]
pub fn remaining(py: Python<'_>) -> Option<f64> {
    current(py).map(|deadline| deadline.get().remaining(py))
}

/// Leaves this context without one; answers the token that undoes it.
#[pyfunction]
pub fn detach_deadline(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    set(py, variable(py), py.None().bind(py))
}

/// Undoes an entry. Left in a context that is not the one it was entered in, as a generator that
/// somebody else closes, it has nothing to undo.
#[pyfunction]
pub fn leave_deadline(py: Python<'_>, token: &Bound<'_, PyAny>) -> PyResult<()> {
    match reset(py, variable(py), token) {
        Err(error) if error.is_instance_of::<PyValueError>(py) => Ok(()),
        left => left,
    }
}
