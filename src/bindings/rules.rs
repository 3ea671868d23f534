//! What counts: the user's `on`, `ignore` and `on_result`, and the other callables of a policy.
//!
//! They live in an object of their own, so that the collector can follow them from the policy and
//! from every plan that the policy is part of.

use super::failures::{Trail, classes, discard, report};
use crate::outcome::Verdict;
use pyo3::PyTraverseError;
use pyo3::exceptions::{PyException, PyRecursionError};
use pyo3::ffi;
use pyo3::gc::PyVisit;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple};

/// Which exceptions are meant.
pub enum Matcher {
    /// Those of these classes.
    Classes(Py<PyTuple>),
    /// Those this predicate says yes to.
    Predicate(Py<PyAny>),
}

impl Matcher {
    /// Does `error` match? A predicate that fails is reported and gives `otherwise`.
    fn matches(&self, py: Python<'_>, error: &PyErr, otherwise: bool) -> bool {
        match self {
            Self::Classes(classes) => error.matches(py, classes.bind(py)).unwrap_or(otherwise),
            Self::Predicate(predicate) => {
                ask(predicate.bind(py), error.value(py).as_any(), otherwise)
            }
        }
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            Self::Classes(classes) => visit.call(classes),
            Self::Predicate(predicate) => visit.call(predicate),
        }
    }
}

/// The callables a policy was set up with.
#[pyclass(frozen, module = "seawall._core")]
pub struct Rules {
    pub on: Option<Matcher>,
    pub ignore: Option<Matcher>,
    pub on_result: Option<Py<PyAny>>,
    pub on_event: Option<Py<PyAny>>,
    pub open_duration: Option<Py<PyAny>>,
    /// Which of its states a call belongs to: a callable, or the name of an argument.
    pub key: Option<Py<PyAny>>,
}

impl Rules {
    /// Those of a policy that the collector has taken apart.
    pub fn none() -> Self {
        Self {
            on: None,
            ignore: None,
            on_result: None,
            on_event: None,
            open_duration: None,
            key: None,
        }
    }

    /// These rules as an object. Policies that set nothing share one.
    pub fn object(self, py: Python<'_>) -> PyResult<Py<Self>> {
        static DEFAULT: PyOnceLock<Py<Rules>> = PyOnceLock::new();
        if self.is_default() {
            return DEFAULT
                .get_or_try_init(py, || Py::new(py, self))
                .map(|rules| rules.clone_ref(py));
        }
        Py::new(py, self)
    }

    fn is_default(&self) -> bool {
        self.on.is_none()
            && self.ignore.is_none()
            && self.on_result.is_none()
            && self.on_event.is_none()
            && self.open_duration.is_none()
            && self.key.is_none()
    }

    /// What a raised `error` counts as.
    ///
    /// Only `Exception`s can count: what interrupts or cancels a call says nothing about the callee.
    /// Our own refusals further in say nothing about it either, unless `on` names their class.
    pub fn judge_error(&self, py: Python<'_>, error: &PyErr) -> Verdict {
        if interrupts(py, error) {
            return Verdict::Cancelled;
        }
        if self.ignore.as_ref().is_some_and(|ignore| ignore.matches(py, error, false)) {
            return Verdict::Ignored;
        }
        if is_rejection(py, error) && !self.names_rejection(py, error) {
            return Verdict::Ignored;
        }
        match &self.on {
            Some(on) if !on.matches(py, error, true) => Verdict::Success,
            _ => Verdict::Failure,
        }
    }

    /// Is a raised `error` meant, our own refusals included? Never one that interrupts or cancels.
    pub fn means(&self, py: Python<'_>, error: &PyErr) -> bool {
        !interrupts(py, error)
            && !self.ignore.as_ref().is_some_and(|ignore| ignore.matches(py, error, false))
            && self.on.as_ref().is_none_or(|on| on.matches(py, error, true))
    }

    /// Is every `Exception` meant?
    pub fn mean_all(&self) -> bool {
        self.on.is_none() && self.ignore.is_none()
    }

    /// What a returned `value` counts as.
    pub fn judge_value(&self, value: &Bound<'_, PyAny>) -> Verdict {
        match &self.on_result {
            Some(predicate) if ask(predicate.bind(value.py()), value, false) => Verdict::Failure,
            _ => Verdict::Success,
        }
    }

    /// What a refusal by a policy further in counts as. The exception is made only if `on` might
    /// name it.
    pub fn judge_refusal(&self, py: Python<'_>, error: &dyn Fn() -> PyErr) -> Verdict {
        if matches!(&self.on, Some(Matcher::Classes(_))) {
            let error = error();
            // What was not begun for want of time says nothing, whatever class that error is of.
            let said = is_rejection(py, &error);
            let verdict = if said { self.judge_error(py, &error) } else { Verdict::Ignored };
            discard(py, error);
            verdict
        } else {
            Verdict::Ignored
        }
    }

    fn names_rejection(&self, py: Python<'_>, error: &PyErr) -> bool {
        let Some(Matcher::Classes(listed)) = &self.on else { return false };
        let Ok(known) = classes(py) else { return false };
        listed.bind(py).iter().any(|class| {
            error.matches(py, &class).unwrap_or(false)
                && class
                    .cast::<pyo3::types::PyType>()
                    .is_ok_and(|class| class.is_subclass(known.rejected.bind(py)).unwrap_or(false))
        })
    }
}

/// Does `error` interrupt or cancel, and say nothing about who raised it?
pub fn interrupts(py: Python<'_>, error: &PyErr) -> bool {
    !error.is_instance_of::<PyException>(py) || is_cancellation(py, error)
}

/// Is it one of our own refusals?
pub fn is_rejection(py: Python<'_>, error: &PyErr) -> bool {
    classes(py).is_ok_and(|known| error.matches(py, known.rejected.bind(py)).unwrap_or(false))
}

/// `concurrent.futures.CancelledError` is an `Exception` by inheritance and a cancellation by
/// meaning; so is a class of the user's that inherits from asyncio's as well as from `Exception`.
fn is_cancellation(py: Python<'_>, error: &PyErr) -> bool {
    static CLASSES: [(PyOnceLock<Py<PyAny>>, &str); 2] = [
        (PyOnceLock::new(), "concurrent.futures._base"),
        (PyOnceLock::new(), "asyncio.exceptions"),
    ];
    // Both are written in Python, as whatever inherits from them is.
    if is_builtin(error.value(py)) {
        return false;
    }
    CLASSES.iter().any(|(class, module)| {
        let class = match class.get(py) {
            Some(class) => class,
            None => match loaded_class(py, module) {
                Some(loaded) => class.get_or_init(py, || loaded.unbind()),
                None => return false,
            },
        };
        error.matches(py, class.bind(py)).unwrap_or(false)
    })
}

/// Is it of one of the interpreter's own classes?
#[allow(unsafe_code, reason = "asks a type for its flags")]
pub fn is_builtin(object: &Bound<'_, PyAny>) -> bool {
    // SAFETY: attached; a live object has a live type.
    let flags = unsafe { ffi::PyType_GetFlags(ffi::Py_TYPE(object.as_ptr())) };
    flags & ffi::Py_TPFLAGS_HEAPTYPE == 0
}

/// Looked up among the loaded modules: what is not loaded has not been raised.
fn loaded_class<'py>(py: Python<'py>, module: &str) -> Option<Bound<'py, PyAny>> {
    let modules = py.import("sys").ok()?.getattr(intern!(py, "modules")).ok()?;
    let modules = modules.cast::<PyDict>().ok()?;
    let module = modules.get_item(module).ok()??;
    module.getattr_opt(intern!(py, "CancelledError")).ok()?
}

/// Asks a predicate of the user's. One that fails is reported, and `otherwise` is the answer. If it
/// raises what it is asked about, to see how that is handled, the caller sees nothing of it.
fn ask(predicate: &Bound<'_, PyAny>, about: &Bound<'_, PyAny>, otherwise: bool) -> bool {
    let trail = Trail::of(about);
    let answer = match predicate.call1((about,)).and_then(|answer| answer.is_truthy()) {
        Ok(answer) => answer,
        // The stack was used up, and there was none left to ask with: at each level of it, another
        // try would use it up anew.
        Err(error)
            if error.is_instance_of::<PyRecursionError>(predicate.py())
                && about.is_instance_of::<PyRecursionError>() =>
        {
            discard(predicate.py(), error);
            false
        }
        Err(error) => {
            report(predicate.py(), error, predicate);
            otherwise
        }
    };
    if let Some(trail) = trail {
        trail.put_back();
    }
    answer
}

#[pymethods]
impl Rules {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        for matcher in [&self.on, &self.ignore].into_iter().flatten() {
            matcher.traverse(&visit)?;
        }
        visit.call(&self.on_result)?;
        visit.call(&self.on_event)?;
        visit.call(&self.open_duration)?;
        visit.call(&self.key)
    }
}
