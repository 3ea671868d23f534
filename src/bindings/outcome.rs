//! What became of a call, as a value.
#![allow(
    unsafe_code,
    reason = "the collector hands over no token, and tracebacks are read through the C API"
)]

use super::failures::{classes, exception, raise};
use super::plan::{PlanRef, Refused};
use crate::time::{Nanos, SECOND};
use parking_lot::Mutex;
use pyo3::PyTraverseError;
use pyo3::exceptions::{PyStopIteration, PyValueError};
use pyo3::ffi;
use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyTraceback;
use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;

/// The end of one protected call: a value, an error, or a refusal.
///
/// A copy of one is itself, and it can be pickled if its value or error can: a refusal travels as
/// its exception, and no traceback travels at all. Two are equal only if they are one, as
/// exceptions are.
#[pyclass(frozen, generic, module = "seawall")]
pub struct Outcome {
    value: Value,
    error: Option<Py<PyAny>>,
    /// Where the error came from when it got here: each `unwrap` starts from there.
    traceback: Option<Py<PyTraceback>>,
    refusal: Option<(PlanRef, Refused)>,
    /// The refusal as an exception, made when somebody asks for it; or as it arrived, pickled.
    rejected: PyOnceLock<Py<PyAny>>,
    attempts: u32,
    elapsed: Nanos,
    stale: bool,
    hedged: bool,
}

/// What a call returned. Often that holds an outcome in its turn, whose value holds the next: each
/// freed by the one before, a long chain would take the stack with it.
struct Value(Option<Py<PyAny>>);

/// So many may free one another in a row.
const NESTED: usize = 50;

thread_local! {
    static FREEING: Cell<usize> = const { Cell::new(0) };
    /// What is freed once those in a row are through. Nothing is done to it at a thread's end, when it is empty: it can be used up to the last.
    static LATER: RefCell<ManuallyDrop<Vec<Py<PyAny>>>> =
        const { RefCell::new(ManuallyDrop::new(Vec::new())) };
}

impl Drop for Value {
    #[inline]
    fn drop(&mut self) {
        // What the collector knows nothing of frees nothing that could come back here.
        // SAFETY: a live object, and its type.
        let deep = |value: &Py<PyAny>| unsafe {
            ffi::Py_REFCNT(value.as_ptr()) == 1
                && ffi::PyType_IS_GC(ffi::Py_TYPE(value.as_ptr())) != 0
        };
        if let Some(value) = self.0.take_if(|value| deep(value)) {
            free(value);
        }
    }
}

#[cold]
fn free(value: Py<PyAny>) {
    let nested = FREEING.get();
    if nested >= NESTED {
        return LATER.with_borrow_mut(|later| later.push(value));
    }
    FREEING.set(nested + 1);
    drop(value);
    if nested == 0 {
        // What is freed here may put more there.
        while let Some(next) = LATER.with_borrow_mut(|later| later.pop()) {
            drop(next);
        }
        drop(LATER.with_borrow_mut(|later| std::mem::take(&mut **later)));
    }
    FREEING.set(FREEING.get().saturating_sub(1));
}

impl Outcome {
    fn empty() -> Self {
        Self {
            value: Value(None),
            error: None,
            traceback: None,
            refusal: None,
            rejected: PyOnceLock::new(),
            attempts: 1,
            elapsed: 0,
            stale: false,
            hedged: false,
        }
    }

    pub fn returned(value: Py<PyAny>, elapsed: Nanos) -> Self {
        Self { value: Value(Some(value)), elapsed, ..Self::empty() }
    }

    pub fn raised(error: PyErr, py: Python<'_>, elapsed: Nanos) -> Self {
        let error = exception(py, error);
        // SAFETY: attached; the exception is alive; the result is a new reference or NULL.
        let traceback = unsafe {
            Bound::from_owned_ptr_or_opt(py, ffi::PyException_GetTraceback(error.as_ptr()))
                .map(|from| from.cast_into_unchecked().unbind())
        };
        Self { error: Some(error.into_any().unbind()), traceback, elapsed, ..Self::empty() }
    }

    /// A refusal, after so many attempts.
    pub fn refused(plan: PlanRef, refused: Refused, attempts: u32) -> Self {
        if refused.late() {
            // SAFETY: drivers run attached.
            let py = unsafe { Python::assume_attached() };
            return Self::raised(plan.error(py, &refused), py, 0).after(attempts);
        }
        Self { refusal: Some((plan, refused)), attempts, ..Self::empty() }
    }

    /// The last of so many attempts.
    pub fn after(self, attempts: u32) -> Self {
        Self { attempts, ..self }
    }

    /// The value is a remembered one, or is not.
    pub fn remembered(self, stale: bool) -> Self {
        Self { stale, ..self }
    }

    /// The same, with what is known of the attempts that raced for it. `None`: it was not let in as
    /// far as that.
    pub fn raced(&self, py: Python<'_>, attempts: u32, hedged: bool) -> Option<Self> {
        if self.refusal.is_some() {
            return None;
        }
        let error = self.error.as_ref().map(|error| error.clone_ref(py));
        let rejected = PyOnceLock::new();
        // Refused to every attempt, it was refused.
        let error = match error {
            Some(error) if attempts == 0 && is_rejected(error.bind(py)) => {
                rejected.get_or_init(py, || error);
                None
            }
            error => error,
        };
        Some(Self {
            value: Value(self.value.0.as_ref().map(|value| value.clone_ref(py))),
            error,
            traceback: self.traceback.as_ref().map(|from| from.clone_ref(py)),
            rejected,
            attempts,
            elapsed: self.elapsed,
            stale: self.stale,
            hedged,
            ..Self::empty()
        })
    }

    /// Is `object` one?
    pub fn is(object: &Bound<'_, PyAny>) -> bool {
        object.is_exact_instance_of::<Self>()
    }

    /// As a new reference, or NULL with an error set if there is no memory for it.
    pub fn into_ptr(self, py: Python<'_>) -> *mut ffi::PyObject {
        match Bound::new(py, self) {
            Ok(outcome) => outcome.into_ptr(),
            Err(error) => {
                error.restore(py);
                std::ptr::null_mut()
            }
        }
    }
}

fn is_rejected(error: &Bound<'_, PyAny>) -> bool {
    let known = classes(error.py());
    known.is_ok_and(|known| error.is_instance(known.rejected.bind(error.py())).unwrap_or(false))
}

#[pymethods]
impl Outcome {
    /// Did it return?
    #[getter]
    fn ok(&self) -> bool {
        self.value.0.is_some()
    }

    /// What it returned; None if it did not return.
    #[getter]
    fn value(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.value.0.as_ref().map(|value| value.clone_ref(py))
    }

    /// What it raised, or the refusal; None if it returned.
    #[getter]
    pub fn error(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        match &self.error {
            Some(error) => Some(error.clone_ref(py)),
            None => self.rejected(py),
        }
    }

    /// The `Rejected` that was not raised; None if the call was let in.
    #[getter]
    fn rejected(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        let error = match &self.refusal {
            Some((plan, refused)) => self
                .rejected
                .get_or_init(py, || exception(py, plan.error(py, refused)).into_any().unbind()),
            None => self.rejected.get(py)?,
        };
        Some(error.clone_ref(py))
    }

    /// How often the function was run: 0 if the call was refused.
    #[getter]
    fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Seconds from the call to its end; 0.0 if it was refused.
    #[getter]
    fn elapsed(&self) -> f64 {
        self.elapsed as f64 / SECOND as f64
    }

    /// Is the value a remembered one?
    #[getter]
    fn stale(&self) -> bool {
        self.stale
    }

    /// Did a further attempt, started beside the first, give the value?
    #[getter]
    fn hedged(&self) -> bool {
        self.hedged
    }

    /// Returns the value, or raises the error. A refusal is raised as a new exception each time.
    fn unwrap(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        if let Some(value) = &self.value.0 {
            return Ok(value.clone_ref(py));
        }
        if let Some((plan, refused)) = &self.refusal {
            raise(py, plan.error(py, refused));
            return Err(PyErr::fetch(py));
        }
        if let Some(rejected) = self.rejected.get(py) {
            let again = py.import("copy")?.call_method1("copy", (rejected,))?;
            raise(py, PyErr::from_value(again));
            return Err(PyErr::fetch(py));
        }
        match &self.error {
            Some(error) => {
                let error = PyErr::from_value(error.bind(py).clone());
                error.set_traceback(py, self.traceback.as_ref().map(|from| from.bind(py).clone()));
                Err(error)
            }
            None => Err(PyValueError::new_err("this outcome holds nothing")),
        }
    }

    /// Awaiting it gives itself, at once: who awaits `try_call` of a function that returns an
    /// awaitable gets an outcome also when the function was not called.
    fn __await__(slf: Py<Self>) -> Settled {
        Settled(Mutex::new(Some(slf)))
    }

    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, Travelling)> {
        let restore = py.import("seawall._core")?.getattr("outcome_arrived")?;
        let value = self.value.0.as_ref().map(|value| (value.clone_ref(py),));
        let error = self.error.as_ref().map(|error| error.clone_ref(py));
        let told = (self.attempts, self.elapsed, self.stale, self.hedged);
        Ok((restore, (value, error, self.rejected(py), told)))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let show = |object: &Py<PyAny>| object.bind(py).repr().map(|text| text.to_string());
        Ok(match (&self.value.0, self.rejected(py), &self.error) {
            (Some(value), _, _) => format!("Outcome(value={})", show(value)?),
            (_, Some(rejected), _) => format!("Outcome(rejected={})", show(&rejected)?),
            (_, _, Some(error)) => format!("Outcome(error={})", show(error)?),
            (None, None, None) => "Outcome()".to_owned(),
        })
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.value.0)?;
        visit.call(&self.error)?;
        visit.call(&self.traceback)?;
        if let Some((plan, _)) = &self.refusal {
            plan.traverse(&visit)?;
        }
        // SAFETY: the collector runs attached, and only a pointer is read.
        let py = unsafe { Python::assume_attached() };
        self.rejected.get(py).map_or(Ok(()), |rejected| visit.call(rejected))
    }
}

/// What of an outcome goes to another process: its value, in a tuple that says that there is one,
/// its error, its refusal; attempts, nanoseconds, stale, hedged.
type Travelling = (Option<(Py<PyAny>,)>, Option<Py<PyAny>>, Option<Py<PyAny>>, Told);
type Told = (u32, Nanos, bool, bool);

/// An outcome that has arrived.
#[pyfunction]
#[pyo3(name = "outcome_arrived")]
pub fn arrived(
    py: Python<'_>,
    value: Option<(Py<PyAny>,)>,
    error: Option<Py<PyAny>>,
    refusal: Option<Py<PyAny>>,
    told: Told,
) -> Outcome {
    let (attempts, elapsed, stale, hedged) = told;
    let value = Value(value.map(|(value,)| value));
    let outcome = Outcome { value, error, attempts, elapsed, stale, hedged, ..Outcome::empty() };
    if let Some(refusal) = refusal {
        outcome.rejected.get_or_init(py, || refusal);
    }
    outcome
}

/// The iterator of an awaited outcome: it ends at its first step, with the outcome.
#[pyclass(frozen, module = "seawall._core")]
pub struct Settled(Mutex<Option<Py<Outcome>>>);

#[pymethods]
impl Settled {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self) -> PyResult<Py<PyAny>> {
        let outcome = self.0.lock().take();
        Err(PyStopIteration::new_err((outcome,)))
    }

    fn send(&self, _value: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.__next__()
    }

    #[pyo3(signature = (error, _value = None, _traceback = None))]
    fn throw(
        &self,
        py: Python<'_>,
        error: Bound<'_, PyAny>,
        _value: Option<Bound<'_, PyAny>>,
        _traceback: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        self.close(py);
        Err(PyErr::from_value(error))
    }

    fn close(&self, py: Python<'_>) {
        let outcome = self.0.lock().take();
        if let Some(outcome) = outcome {
            outcome.drop_ref(py);
        }
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.try_lock().map_or(Ok(()), |outcome| visit.call(&*outcome))
    }
}
