//! What stands in the place of a function that is hedged.

use super::Hedge;
use crate::bindings::decorate;
use crate::bindings::function::{Kind, kind};
use crate::bindings::guard::Guard;
use crate::bindings::outcome::Outcome;
use crate::bindings::protected::Protected;
use pyo3::PyTraverseError;
use pyo3::exceptions::PyRuntimeError;
use pyo3::gc::PyVisit;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// Calls a function through a hedge.
#[pyclass(frozen, weakref, module = "seawall._core")]
pub struct Hedged {
    hedge: Py<PyAny>,
    /// What one attempt calls: the function, under the policies inside of the hedge.
    attempt: Py<PyAny>,
    /// The function itself.
    function: Py<PyAny>,
    /// What runs a call of it, in Python: its kind's way to wait.
    run: Py<PyAny>,
    /// Where it is told what a call came to, if anybody wants to know.
    flight: Option<Py<Flight>>,
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
        let hedged = Self::around(&policies.get_item(at)?, &attempt, function, None)?;
        Bound::new(function.py(), hedged).map(Some)
    }

    fn around(
        hedge: &Bound<'_, PyAny>,
        attempt: &Bound<'_, PyAny>,
        function: &Bound<'_, PyAny>,
        flight: Option<Py<Flight>>,
    ) -> PyResult<Self> {
        let py = hedge.py();
        let name = match kind(function) {
            Kind::Coroutine => intern!(py, "in_task"),
            _ => intern!(py, "in_threads"),
        };
        let run = py.import("seawall.policies.hedge.calls")?.getattr(name)?;
        Ok(Self {
            hedge: hedge.clone().unbind(),
            attempt: attempt.clone().unbind(),
            function: function.clone().unbind(),
            run: run.unbind(),
            flight,
        })
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
        self.run.bind(py).call1((hedge, self.attempt.bind(py), flight, arguments, named))
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
        visit.call(&self.flight)
    }
}

/// What the races of one call came to, of which a retry around the hedge makes several.
#[pyclass(frozen, module = "seawall._core")]
#[derive(Default)]
pub struct Flight {
    attempts: AtomicU32,
    hedged: AtomicBool,
}

impl Flight {
    /// A race is over, after the function was run so often.
    pub fn landed(&self, attempts: u32, hedged: bool) {
        self.attempts.fetch_add(attempts, Ordering::AcqRel);
        self.hedged.store(hedged, Ordering::Release);
    }
}

/// The callee of a call of `function` through the hedge of `guard`.
pub fn once<'py>(
    guard: &Bound<'py, Guard>,
    policies: &Bound<'py, PyTuple>,
    rest: &PyOnceLock<Py<Guard>>,
    function: &Bound<'py, PyAny>,
    flight: Option<Py<Flight>>,
) -> PyResult<Bound<'py, Hedged>> {
    let py = guard.py();
    let Some(at) = split(policies) else {
        return Err(PyRuntimeError::new_err("there is no hedge here"));
    };
    if let Some(problem) = Hedge::problem(function) {
        return Err(decorate::refused(guard.as_any(), problem));
    }
    let attempt = if at + 1 == policies.len() {
        function.clone()
    } else {
        let rest = rest.get_or_try_init(py, || {
            Py::new(py, guard.get().part(py, policies.get_slice(at + 1, policies.len())))
        })?;
        let call = rest.bind(py).getattr(intern!(py, "call"))?;
        py.import("functools")?.getattr(intern!(py, "partial"))?.call1((call, function))?
    };
    let hedged = Hedged::around(&policies.get_item(at)?, &attempt, function, flight)?;
    Bound::new(py, hedged)
}

/// An outcome, with what is known of the races of its call.
#[pyfunction]
pub fn observed(py: Python<'_>, outcome: Bound<'_, PyAny>, flight: &Flight) -> Py<PyAny> {
    let Ok(seen) = outcome.cast::<Outcome>() else { return outcome.unbind() };
    let attempts = flight.attempts.load(Ordering::Acquire);
    let hedged = flight.hedged.load(Ordering::Acquire);
    match seen.get().raced(py, attempts, hedged).and_then(|raced| Py::new(py, raced).ok()) {
        Some(raced) => raced.into_any(),
        None => outcome.unbind(),
    }
}
