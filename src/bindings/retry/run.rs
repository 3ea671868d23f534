//! One call of a retry that is written out as a loop: `for attempt in retry: with attempt: …`.

use super::nest;
use super::step::Step;
use super::ticket::Ticket;
use crate::bindings::clock::{ambient, in_seconds};
use crate::bindings::failures::Carried;
use crate::bindings::last::Last;
use crate::bindings::plan::Came;
use crate::bindings::step::Ended;
use crate::bindings::timeout;
use parking_lot::Mutex;
use pyo3::PyTraverseError;
use pyo3::exceptions::PyRuntimeError;
use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use pyo3::types::PyString;

/// The call, until it is over.
#[pyclass(frozen, module = "seawall._core")]
pub struct Run {
    call: Mutex<Option<Call>>,
    name: Py<PyString>,
}

struct Call {
    step: Step,
    ticket: Ticket,
    /// What the last attempt came to, while the next is waited for.
    last: Option<Last>,
}

impl Run {
    /// A call begins here.
    pub fn begin(py: Python<'_>, step: Step) -> PyResult<Self> {
        nest::loop_seen();
        if let Some(passed) = step.late(&ambient(py)) {
            step.release(py);
            return Err(timeout::exceeded(passed.bind(py)));
        }
        let name = step.name(py).unbind();
        let Some(ticket) = step.enter(&ambient(py)) else {
            let error = step.error(py);
            step.release(py);
            name.drop_ref(py);
            return Err(error);
        };
        Ok(Self { call: Mutex::new(Some(Call { step, ticket, last: None })), name })
    }
}

#[pymethods]
impl Run {
    /// What waits, for who wants to know.
    #[getter]
    fn name(&self, py: Python<'_>) -> Py<PyString> {
        self.name.clone_ref(py)
    }

    /// An attempt raised `error`, or else came to `value`. Seconds until the next; None: there is
    /// none. What is raised instead of `error`, if anything, is raised.
    #[pyo3(signature = (error, value))]
    fn ended<'py>(
        &self,
        py: Python<'py>,
        error: Option<Bound<'py, PyAny>>,
        value: Bound<'py, PyAny>,
    ) -> PyResult<Option<f64>> {
        // Taken out: what is asked about the end is the user's, and may come back here.
        let taken = self.call.lock().take();
        let Some(mut call) = taken else {
            return Err(PyRuntimeError::new_err("this call is over, or being asked about"));
        };
        let given = error.clone();
        let mut came = match error {
            Some(error) => Came::Raised(Carried::new(PyErr::from_value(error))),
            None => Came::Returned(value),
        };
        let refusal = |_: &_| PyRuntimeError::new_err("nobody refuses a block");
        let clock = ambient(py);
        let wait = call.step.again(py, &mut call.ticket, &mut came, false, &refusal, &clock);
        if let Some(wait) = wait {
            call.last = Some(Last::keep(py, came));
            *self.call.lock() = Some(call);
            return Ok(Some(in_seconds(wait)));
        }
        call.step.release(py);
        match came {
            Came::Raised(error) | Came::Broken(error) => {
                let error = error.into_inner();
                let same = given.is_some_and(|given| given.is(error.value(py)));
                if same { Ok(None) } else { Err(error) }
            }
            Came::Returned(_) | Came::Refused(_) => Ok(None),
        }
    }

    /// The wait is over: a further attempt begins. `false`: it took too long for that, and the value
    /// of the last is the call's; its error is raised.
    fn goes_on(&self, py: Python<'_>) -> PyResult<bool> {
        // Taken out: who is told of the end may come back here.
        let taken = self.call.lock().take();
        let Some(mut call) = taken else {
            return Err(PyRuntimeError::new_err("this call is over"));
        };
        let Some(last) = call.last.take() else {
            return Err(PyRuntimeError::new_err("this call waits for nothing"));
        };
        let mut came = last.came(py);
        if !call.step.is_late(py, &call.ticket, &mut came, &ambient(py)) {
            *self.call.lock() = Some(call);
            return Ok(true);
        }
        call.step.release(py);
        match came {
            Came::Raised(error) | Came::Broken(error) => Err(error.into_inner()),
            Came::Returned(_) | Came::Refused(_) => Ok(false),
        }
    }

    /// The loop was left between two attempts.
    fn leave(&self, py: Python<'_>) {
        let taken = self.call.lock().take();
        if let Some(Call { step, ticket, last }) = taken {
            drop(last);
            step.ended(py, &ticket, &Ended::Dropped, &ambient(py));
            step.release(py);
        }
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self.call.try_lock().as_deref() {
            Some(Some(call)) => {
                if let Some(last) = &call.last {
                    last.visit(&visit)?;
                }
                call.step.traverse(&visit)
            }
            _ => Ok(()),
        }
    }

    fn __clear__(&self) {
        self.let_go();
    }
}

impl Run {
    #[allow(unsafe_code, reason = "neither the collector nor a drop hands over a token")]
    fn let_go(&self) {
        // SAFETY: the collector, and the end of an object, run attached.
        self.leave(unsafe { Python::assume_attached() });
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.let_go();
    }
}
