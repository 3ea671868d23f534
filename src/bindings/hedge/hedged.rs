//! What stands in the place of a function that is hedged.

use super::Hedge;
use crate::bindings::function::{Kind, kind};
use crate::bindings::protected::Protected;
use crate::bindings::retry::Retry;
use pyo3::PyTraverseError;
use pyo3::gc::PyVisit;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// Calls a function through a hedge.
#[pyclass(frozen, weakref, module = "seawall._core")]
pub struct Hedged {
    hedge: Py<PyAny>,
    /// What one attempt calls: the function, under the policies inside of the hedge.
    attempt: Py<PyAny>,
    /// The function itself.
    function: Py<PyAny>,
    /// The retries outside of the hedge, each of whose calls is a call of the hedge.
    retries: Vec<Py<Retry>>,
    /// What runs a call of it, in Python: its kind's way to wait.
    run: Py<PyAny>,
    /// What the coroutines of a coroutine function are called: its names.
    names: Vec<(&'static str, Py<PyAny>)>,
    /// Where it is told what a call came to, if anybody wants to know.
    flight: Option<Py<Flight>>,
}

/// What `function` is called, as far as it has names that a coroutine takes.
fn names(function: &Bound<'_, PyAny>) -> Vec<(&'static str, Py<PyAny>)> {
    let named = |name: &'static str| {
        let value = function.getattr_opt(name).ok()??;
        value.is_instance_of::<PyString>().then(|| (name, value.unbind()))
    };
    ["__name__", "__qualname__"].into_iter().filter_map(named).collect()
}

/// Where the first hedge is among `policies`, outermost first.
pub fn split(policies: &Bound<'_, PyTuple>) -> Option<usize> {
    policies.iter_borrowed().position(|policy| policy.cast::<Hedge>().is_ok())
}

impl Hedged {
    /// `function` under the first hedge among `policies`, and those inside of that.
    pub fn of<'py>(
        function: &Bound<'py, PyAny>,
        policies: &Bound<'py, PyTuple>,
    ) -> PyResult<Option<Bound<'py, Self>>> {
        let Some(at) = split(policies) else { return Ok(None) };
        let inside = policies.get_slice(at + 1, policies.len());
        let attempt =
            if inside.is_empty() { function.clone() } else { Protected::wrap(function, &inside)? };
        let hedged = Self::around(policies, at, &attempt, function, None)?;
        Bound::new(function.py(), hedged).map(Some)
    }

    /// As [`Hedged::of`], whose attempts call `attempt`.
    pub(super) fn around(
        policies: &Bound<'_, PyTuple>,
        at: usize,
        attempt: &Bound<'_, PyAny>,
        function: &Bound<'_, PyAny>,
        flight: Option<Py<Flight>>,
    ) -> PyResult<Self> {
        let py = function.py();
        let in_task = kind(function) == Kind::Coroutine;
        let name = if in_task { intern!(py, "in_task") } else { intern!(py, "in_threads") };
        let run = py.import("seawall.policies.hedge.calls")?.getattr(name)?;
        Ok(Self {
            hedge: policies.get_item(at)?.unbind(),
            attempt: attempt.clone().unbind(),
            function: function.clone().unbind(),
            retries: policies
                .iter()
                .take(at)
                .filter_map(|policy| policy.cast_into::<Retry>().ok().map(Bound::unbind))
                .collect(),
            run: run.unbind(),
            names: if in_task { names(function) } else { Vec::new() },
            flight,
        })
    }

    /// Has a retry outside of the hedge the same budget, which it tells of its calls?
    fn shared(&self, py: Python<'_>) -> PyResult<bool> {
        let Ok(hedge) = self.hedge.bind(py).cast::<Hedge>() else { return Ok(false) };
        let Some(own) = hedge.get().budget(py)? else { return Ok(false) };
        let mut others = self.retries.iter().filter_map(|retry| retry.get().budget(py));
        Ok(others.any(|other| Arc::ptr_eq(&own, &other)))
    }

    /// The function inside.
    pub fn function<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.function.bind(py).clone()
    }
}

#[pymethods]
impl Hedged {
    #[pyo3(signature = (*arguments, **named))]
    fn __call__<'py>(
        &self,
        py: Python<'py>,
        arguments: &Bound<'py, PyTuple>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let flight = self.flight.as_ref().map(|flight| flight.bind(py));
        let hedge = self.hedge.bind(py);
        let shared = !self.retries.is_empty() && self.shared(py)?;
        let run = self.run.bind(py);
        let made = run.call1((hedge, self.attempt.bind(py), flight, shared, arguments, named))?;
        for (name, value) in &self.names {
            made.setattr(*name, value)?;
        }
        Ok(made)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let (function, hedge) = (self.function.bind(py).repr()?, self.hedge.bind(py).repr()?);
        Ok(format!("<{function} hedged by {hedge}>"))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.hedge)?;
        visit.call(&self.attempt)?;
        visit.call(&self.function)?;
        visit.call(&self.run)?;
        self.names.iter().try_for_each(|(_, value)| visit.call(value))?;
        self.retries.iter().try_for_each(|retry| visit.call(retry))?;
        visit.call(&self.flight)
    }
}

/// What the races of one call came to, of which a retry around the hedge makes several.
#[pyclass(frozen, module = "seawall._core")]
#[derive(Default)]
pub struct Flight {
    pub(super) attempts: AtomicU32,
    pub(super) hedged: AtomicBool,
}

impl Flight {
    /// A race is over, after the function was run so often.
    pub fn landed(&self, attempts: u32, hedged: bool) {
        self.attempts.fetch_add(attempts, Ordering::AcqRel);
        self.hedged.store(hedged, Ordering::Release);
    }
}
