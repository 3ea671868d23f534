//! A plain function that gives back an awaitable: a lambda around an async client, a partial, an
//! object with an async `__call__`. Its call has not ended when it returns, so the admission passes
//! to the awaitable and is settled when that is done.
#![allow(unsafe_code, reason = "looks for an awaitable in a type's slots")]

use super::again::{Again, Progress};
use super::call::{Call, Callee};
use super::coroutine::Coroutine;
use super::failures::{discard, report};
use super::held::Held;
use super::outcome::Outcome;
use super::plan::{PlanRef, Slot};
use super::step::Ended;
use crate::time::Nanos;
use parking_lot::Mutex;
use pyo3::PyTraverseError;
use pyo3::exceptions::asyncio::CancelledError;
use pyo3::ffi;
use pyo3::gc::PyVisit;
use pyo3::intern;
use pyo3::prelude::*;

/// Is `value` something to be awaited? An outcome can be, but is an end itself.
///
/// # Safety
/// Attached; `value` is a live object.
#[inline(always)]
pub unsafe fn awaitable(value: *mut ffi::PyObject) -> bool {
    // SAFETY: a live object has a live type, and a type's async slots are valid or NULL.
    unsafe {
        let slots = (*ffi::Py_TYPE(value)).tp_as_async;
        !slots.is_null() && (*slots).am_await.is_some() && !is_outcome(value)
    }
}

#[cold]
unsafe fn is_outcome(value: *mut ffi::PyObject) -> bool {
    // SAFETY: attached, and alive, as the caller promises.
    unsafe { Outcome::is(&Bound::from_borrowed_ptr(Python::assume_attached(), value)) }
}

/// Takes `value`, an awaitable, and the admission of the call that gave it back. Returns what the
/// caller gets: a future stays itself and settles by its callback; anything else is awaited through
/// a coroutine of ours.
///
/// # Safety
/// Attached; `value` is a new reference, `slots` the filled slots of `plan`.
#[cold]
#[inline(never)]
pub unsafe fn adopt(
    plan: PlanRef,
    slots: &[Slot],
    started: Nanos,
    began: Nanos,
    value: *mut ffi::PyObject,
    captures: bool,
) -> *mut ffi::PyObject {
    let mut held = Held::taken_over(plan, slots, started);
    // SAFETY: attached, and the reference is ours, as the caller promises.
    let (py, value) = unsafe {
        let py = Python::assume_attached();
        (py, Bound::from_owned_ptr(py, value))
    };
    // The call goes on elsewhere: what its caller does next is not inside of it.
    held.suspended(py, true);
    // asyncio's own mark. Others that take callbacks (a call of grpc's, say) need not tell how they
    // ended to who asks like this; awaiting them does.
    if !captures && value.hasattr(intern!(py, "_asyncio_future_blocking")).unwrap_or(false) {
        // What the function returned is the caller's, whatever becomes of the listening.
        if let Err(error) = follow(&mut held, &value).and_then(|done| {
            if !done {
                let settler = Bound::new(py, Settler(Mutex::new(Some(held))))?;
                value.call_method1(intern!(py, "add_done_callback"), (settler,))?;
            }
            Ok(())
        }) {
            report(py, error, &value);
        }
        return value.into_ptr();
    }
    // SAFETY: `value` is an awaitable that has not begun.
    unsafe { Coroutine::adopting(held, value.into_ptr(), began, captures) }
}

/// As [`adopt`], of a call that may have further attempts: what is awaited is always a coroutine of
/// ours, which makes them.
///
/// # Safety
/// As there, and as [`super::call::drive`].
#[cold]
#[inline(never)]
pub unsafe fn adopt_again(
    plan: PlanRef,
    slots: &[Slot],
    call: Call,
    runs: u32,
    at: &Progress,
    value: *mut ffi::PyObject,
    captures: bool,
) -> *mut ffi::PyObject {
    // SAFETY: as the caller promises.
    unsafe {
        let py = Python::assume_attached();
        let repeats = plan.repeats();
        let mut held = Held::taken_over(plan, slots, at.started);
        if repeats {
            held.adopted(at.entered);
            let mut again = Again::keep(Callee::of(call.callee), call.arguments, at.entered);
            again.runs = runs;
            held.keep_call(again);
        }
        held.suspended(py, true);
        Coroutine::adopting(held, value, at.began, captures)
    }
}

/// Settles an adopted future's admission when the future is done, or when it is thrown away.
#[pyclass(frozen, module = "seawall._core")]
pub struct Settler(Mutex<Option<Held>>);

#[pymethods]
impl Settler {
    fn __call__(slf: &Bound<'_, Self>, future: &Bound<'_, PyAny>) {
        let py = slf.py();
        let Some(mut held) = slf.get().0.lock().take() else { return };
        if let Err(error) = settle(&mut held, future) {
            report(py, error, future);
        }
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self.0.try_lock().as_deref() {
            Some(Some(held)) => held.plan().traverse(&visit),
            _ => Ok(()),
        }
    }

    fn __clear__(&self) {
        let held = self.0.lock().take();
        drop(held);
    }
}

/// What a finished future failed with, or None. Asking asyncio's own futures by `exception()` would
/// count as fetching the error, and silence the word about those that nobody fetches.
fn failure_of<'py>(future: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = future.py();
    if future.hasattr(intern!(py, "_asyncio_future_blocking"))?
        && let Some(error) = future.getattr_opt(intern!(py, "_exception"))?
    {
        return Ok(error);
    }
    future.call_method0(intern!(py, "exception"))
}

/// Settles at once if the future is done already: its loop may never call anybody back.
fn follow(held: &mut Held, future: &Bound<'_, PyAny>) -> PyResult<bool> {
    let done = future.call_method0(intern!(future.py(), "done"))?.is_truthy()?;
    if done {
        settle(held, future)?;
    }
    Ok(done)
}

fn settle(held: &mut Held, future: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = future.py();
    if future.call_method0(intern!(py, "cancelled"))?.is_truthy()? {
        let error = CancelledError::new_err(());
        held.ended(py, &Ended::Raised(&error));
        discard(py, error);
        return Ok(());
    }
    let error = failure_of(future)?;
    if error.is_none() {
        let value = future.call_method0(intern!(py, "result"))?;
        held.ended(py, &Ended::Returned(&value));
    } else {
        let error = PyErr::from_value(error);
        held.ended(py, &Ended::Raised(&error));
        discard(py, error);
    }
    Ok(())
}
