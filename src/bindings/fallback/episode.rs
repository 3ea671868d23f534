//! A call that failed, while providers are asked: how it did, and how they did.
#![allow(unsafe_code, reason = "tracebacks and contexts are read and set through the C API")]

use super::contexts;
use crate::bindings::failures::{Carried, exception};
use crate::bindings::last::Last;
use crate::bindings::plan::{Came, Refused};
use parking_lot::Mutex;
use pyo3::PyTraverseError;
use pyo3::ffi;
use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

/// What a call came to, and what came of asking for another answer.
#[pyclass(frozen, module = "seawall._core")]
pub struct Episode(Mutex<State>);

#[derive(Default)]
struct State {
    /// How the call itself ended.
    last: Option<Last>,
    /// What it raised, or its refusal, once that was made an exception.
    error: Option<Py<PyAny>>,
    /// The way of that exception when it got here: who looks at it may add to that.
    traceback: Option<Py<PyAny>>,
    context: Option<Py<PyAny>>,
    /// What the providers raised.
    failures: Vec<Py<PyAny>>,
}

impl Episode {
    /// Of a call that came to `came`, which no exception is set for.
    pub fn begin<'py>(py: Python<'py>, came: Came<'py>) -> PyResult<Bound<'py, Self>> {
        let last = Last::keep(py, came);
        let error = last.error(py);
        let state = State { last: Some(last), ..State::default() };
        let episode = Bound::new(py, Self(Mutex::new(state)))?;
        if let Some(error) = error {
            episode.get().raised(error);
        }
        Ok(episode)
    }

    fn raised(&self, error: Bound<'_, PyAny>) {
        let py = error.py();
        // SAFETY: attached; an exception is asked; both answers are new references or NULL.
        let (traceback, context) = unsafe {
            let traceback = ffi::PyException_GetTraceback(error.as_ptr());
            let context = ffi::PyException_GetContext(error.as_ptr());
            (
                Bound::from_owned_ptr_or_opt(py, traceback).map(Bound::unbind),
                Bound::from_owned_ptr_or_opt(py, context).map(Bound::unbind),
            )
        };
        let mut state = self.0.lock();
        (state.error, state.traceback, state.context) = (Some(error.unbind()), traceback, context);
    }

    /// What it raised; None: it returned what is no good. A refusal becomes an exception by
    /// `refusal`.
    pub fn error<'py>(
        &self,
        py: Python<'py>,
        refusal: &dyn Fn(&Refused) -> PyErr,
    ) -> Option<Bound<'py, PyAny>> {
        let refused = {
            let mut state = self.0.lock();
            if let Some(error) = &state.error {
                return Some(error.bind(py).clone());
            }
            match state.last.take().map(|last| last.came(py)) {
                Some(Came::Refused(refused)) => refused,
                came => {
                    state.last = came.map(|came| Last::keep(py, came));
                    return None;
                }
            }
        };
        let error = exception(py, refusal(&refused)).into_any();
        drop(refused);
        self.raised(error.clone());
        Some(error)
    }

    /// What it raised, if that is an exception by now.
    pub fn error_if_made<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.0.lock().error.as_ref().map(|error| error.bind(py).clone())
    }

    /// What it returned, if that is no good.
    pub fn value<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.0.lock().last.as_ref().and_then(|last| last.value(py))
    }

    /// A provider raised `error`, or it came to nothing else.
    pub fn fails(&self, error: Bound<'_, PyAny>) {
        self.0.lock().failures.push(error.unbind());
    }

    pub fn failures<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let failures: Vec<_> =
            self.0.lock().failures.iter().map(|failure| failure.bind(py).clone()).collect();
        PyTuple::new(py, failures)
    }

    /// What the call comes to after all: what it came to itself. An error has the failures of the
    /// providers as its context, the last one first.
    pub fn end<'py>(&self, py: Python<'py>) -> Came<'py> {
        let state = std::mem::take(&mut *self.0.lock());
        let bound = |object: Option<Py<PyAny>>| object.map(|object| object.into_bound(py));
        let (traceback, context) = (bound(state.traceback), bound(state.context));
        let failures: Vec<_> =
            state.failures.into_iter().map(|failure| failure.into_bound(py)).collect();
        let Some(error) = bound(state.error) else {
            return state.last.map_or_else(|| Came::Raised(Carried::none()), |last| last.came(py));
        };
        drop(state.last);
        contexts::attach(&error, traceback.as_ref(), context, &failures);
        Came::Raised(Carried::new(PyErr::from_value(error)))
    }
}

#[pymethods]
impl Episode {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        let Some(state) = self.0.try_lock() else { return Ok(()) };
        if let Some(last) = &state.last {
            last.visit(&visit)?;
        }
        visit.call(&state.error)?;
        visit.call(&state.traceback)?;
        visit.call(&state.context)?;
        state.failures.iter().try_for_each(|failure| visit.call(failure))
    }

    fn __clear__(&self) {
        let state = std::mem::take(&mut *self.0.lock());
        drop(state);
    }
}
