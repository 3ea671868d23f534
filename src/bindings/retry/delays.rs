//! Where the length of a wait comes from: a backoff, a callable of the user's, the service itself.

use super::ticket::Extra;
use crate::bindings::clock::in_seconds;
use crate::bindings::convert::{Duration, seconds};
use crate::bindings::failures::{classes, discard, report};
use crate::bindings::outcome::Outcome;
use crate::bindings::plan::Came;
use crate::bindings::random;
use crate::bindings::rules::is_builtin;
use crate::error::Problem;
use crate::policies::backoff::{self, Backoff, BackoffDraft, Memory};
use crate::policies::retry::{Stop, Wait};
use crate::time::Nanos;
use pyo3::PyTraverseError;
use pyo3::exceptions::PyValueError;
use pyo3::ffi;
use pyo3::gc::PyVisit;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;
use std::sync::OnceLock;

/// The callables of a retry, and the sources of its delays.
#[pyclass(frozen, module = "seawall._core")]
#[derive(Default)]
pub struct Hooks {
    pub before_sleep: Option<Py<PyAny>>,
    pub after_end: Option<Py<PyAny>>,
    /// The retry budget, or its name.
    pub budget: Option<Py<PyAny>>,
    /// The first that fits. None that does: the default.
    pub sources: Vec<Source>,
    /// Is what the service asks for not to be heard?
    pub deaf: bool,
    /// Is the last error to be raised inside of one of ours?
    pub wraps: bool,
}

#[pymethods]
impl Hooks {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        for source in &self.sources {
            visit.call(&source.class)?;
            visit.call(&source.callable)?;
        }
        visit.call(&self.budget)?;
        visit.call(&self.before_sleep)?;
        visit.call(&self.after_end)
    }
}

/// Delays after the errors of one class, or after whatever else.
pub struct Source {
    class: Option<Py<PyAny>>,
    how: How,
    callable: Option<Py<PyAny>>,
}

enum How {
    Backoff(Backoff),
    /// Ask the callable for the delay of that number, and cut its answer here.
    Custom(Option<Nanos>),
    /// Ask it about the outcome.
    Callable,
}

impl Source {
    /// Checked. What is wrong with it is added to `problems`.
    pub fn check(
        field: &str,
        class: Option<Py<PyAny>>,
        given: Duration,
        problems: &mut Vec<Problem>,
    ) -> Option<Self> {
        let (how, callable) = match given {
            Duration::Seconds(given) => {
                let Some(delay) = crate::time::seconds(given) else {
                    let rule = "must be at least 0 seconds and at most 10 years";
                    problems.push(Problem::new(field, given, rule));
                    return None;
                };
                (How::Backoff(Backoff::constant(delay)), None)
            }
            Duration::Backoff(draft) => (How::Backoff(draft.check(field, problems)?), None),
            Duration::Callable(callable) => (How::Callable, Some(callable)),
            Duration::Custom(callable, cap) => {
                let cap = match cap {
                    Some(cap) => Some(backoff::check_cap(&format!("{field}.cap"), cap, problems)?),
                    None => None,
                };
                (How::Custom(cap), Some(callable))
            }
        };
        Some(Self { class, how, callable })
    }

    fn fits(&self, py: Python<'_>, came: &Came<'_>) -> bool {
        match (&self.class, came) {
            (None, _) => true,
            (Some(class), Came::Raised(error) | Came::Broken(error)) => {
                error.get().is_some_and(|error| error.matches(py, class.bind(py)).unwrap_or(false))
            }
            (Some(_), _) => false,
        }
    }

    fn cap(&self) -> Option<Nanos> {
        match &self.how {
            How::Backoff(backoff) => backoff.cap(),
            How::Custom(cap) => *cap,
            How::Callable => None,
        }
    }

    fn delay(
        &self,
        py: Python<'_>,
        n: u32,
        memory: &mut Memory,
        outcome: &dyn Fn() -> Outcome,
    ) -> Nanos {
        match (&self.how, &self.callable) {
            (How::Backoff(backoff), _) => draw(py, backoff, n, memory),
            (How::Custom(cap), Some(callable)) => {
                ask(callable.bind(py), *cap, |callable| callable.call1((n,)))
            }
            (How::Callable, Some(callable)) => ask(callable.bind(py), None, |callable| {
                callable.call1((Bound::new(py, outcome())?,))
            }),
            // The collector has been.
            (How::Custom(_) | How::Callable, None) => 0,
        }
    }
}

fn draw(py: Python<'_>, backoff: &Backoff, n: u32, memory: &mut Memory) -> Nanos {
    random::with(py, |random| backoff.delay(n, memory, random))
}

/// Asks a callable of the user's. Where it fails, or gives no duration, the default is waited for.
fn ask<'py>(
    callable: &Bound<'py, PyAny>,
    cap: Option<Nanos>,
    question: impl FnOnce(&Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>>,
) -> Nanos {
    let py = callable.py();
    let default = || draw(py, standard(), 0, &mut Memory::default());
    let answer = || -> PyResult<Nanos> {
        let answer = question(callable)?;
        if answer.is_none() {
            return Ok(default());
        }
        let given = seconds(&answer).filter(|seconds| seconds.is_finite());
        given.and_then(|seconds| backoff::bound(seconds, cap)).ok_or_else(|| {
            PyValueError::new_err(format!(
                "a backoff answered {answer}: it must answer seconds, at least 0, a timedelta, or \
                 None for the default"
            ))
        })
    };
    answer().unwrap_or_else(|error| {
        report(py, error, callable);
        default()
    })
}

/// What is waited where nothing else is said: full jitter over 0.1 s, doubled each time, at most 5 s.
pub fn standard() -> &'static Backoff {
    static STANDARD: OnceLock<Backoff> = OnceLock::new();
    STANDARD.get_or_init(|| {
        let draft = BackoffDraft { cap: Some(5.0), ..BackoffDraft::default() };
        // It is right, so a constant never stands in for it.
        let checked = draft.check("backoff", &mut Vec::new());
        checked.unwrap_or(Backoff::constant(crate::time::SECOND / 10))
    })
}

impl Hooks {
    /// How long to wait after `came`; what is asked for is at most the backoff's cap, or else `most`.
    ///
    /// # Errors
    /// The service said not to come back.
    pub fn wait(
        &self,
        py: Python<'_>,
        extra: &mut Extra,
        came: &Came<'_>,
        most: Nanos,
        outcome: &dyn Fn() -> Outcome,
    ) -> Result<Wait, Stop> {
        let found = self.sources.iter().position(|source| source.fits(py, came));
        // Each source counts its own delays, from the first of a row of them.
        if extra.source != found {
            (extra.source, extra.n, extra.memory) = (found, 0, Memory::default());
        }
        let source = found.map(|at| &self.sources[at]);
        let delay = match source {
            Some(source) => source.delay(py, extra.n, &mut extra.memory, outcome),
            None => draw(py, standard(), extra.n, &mut extra.memory),
        };
        extra.n = extra.n.saturating_add(1);
        let cap = source.map_or_else(|| standard().cap(), Source::cap);
        let Some(told) = (if self.deaf { None } else { told(py, came) }) else {
            return Ok(Wait::Backoff(delay));
        };
        if told.is_infinite() {
            return Err(Stop::Told);
        }
        let told = backoff::bound(told, Some(cap.unwrap_or(most))).unwrap_or(0);
        Ok(if told > delay { Wait::Told(told) } else { Wait::Backoff(delay) })
    }
}

/// What the service asked for, or who rejected the call, in seconds; infinity: not to come back. Asking costs more than a
/// whole attempt, so what can't know is not asked.
fn told(py: Python<'_>, came: &Came<'_>) -> Option<f64> {
    static ASK: PyOnceLock<(Py<PyAny>, Py<PyAny>)> = PyOnceLock::new();
    let about = match came {
        // Values of the builtin types carry no headers, but for botocore's.
        Came::Returned(value) if value.is_instance_of::<PyDict>() || !is_builtin(value) => {
            value.clone()
        }
        Came::Raised(error) | Came::Broken(error) => {
            let error = error.get()?.value(py).clone().into_any();
            if !error_may_know(&error) {
                return None;
            }
            error
        }
        Came::Refused(refused) => return refused.retry_after().map(in_seconds),
        Came::Returned(_) => return None,
    };
    let asked = || -> PyResult<Option<f64>> {
        let (ask, now) = ASK.get_or_try_init(py, || -> PyResult<_> {
            let ask = py.import("seawall.clients.retry_after")?.getattr("retry_after")?;
            Ok((ask.unbind(), py.import("seawall._core")?.getattr("wall")?.unbind()))
        })?;
        let named = [(intern!(py, "now"), now.bind(py))];
        let named = pyo3::types::IntoPyDict::into_py_dict(named, py)?;
        ask.bind(py).call((about,), Some(&named))?.extract()
    };
    asked().unwrap_or_else(|error| {
        discard(py, error);
        None
    })
}

/// An exception that has no attributes of its own, was raised because of no other, and is no
/// rejection, knows nothing.
#[allow(unsafe_code, reason = "looks into an exception as the interpreter does")]
fn error_may_know(error: &Bound<'_, PyAny>) -> bool {
    // SAFETY: attached; an exception is asked, and the answers are new references or NULL, or
    // borrowed from it.
    unsafe {
        let cause = ffi::PyException_GetCause(error.as_ptr());
        if !cause.is_null() {
            ffi::Py_DECREF(cause);
            return true;
        }
        if is_builtin(error) {
            return false;
        }
        let rejected = classes(error.py()).map(|known| known.rejected.bind(error.py()));
        if rejected.is_ok_and(|class| error.is_instance(class).unwrap_or(false)) {
            return true;
        }
        let size = (*ffi::Py_TYPE(error.as_ptr())).tp_basicsize;
        let base = (*ffi::PyExc_Exception.cast::<ffi::PyTypeObject>()).tp_basicsize;
        // Slots of its own, or a place for weak references and no more.
        if size > base + 2 * size_of::<usize>().cast_signed() {
            return true;
        }
        let own = (*error.as_ptr().cast::<ffi::PyBaseExceptionObject>()).dict;
        !own.is_null() && ffi::PyDict_Size(own) > 0
    }
}
