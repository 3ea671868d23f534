//! The failures of providers as the context of the error that a caller gets.
//!
//! `error.__context__` is the last failure, whose context is the one before it, and so on; after the
//! first comes the context that the error had itself. One exception may be raised again and again,
//! by the function or by a provider, and still has then what was hung on it the time before. So each
//! that something is hung on is marked by what that was, and what was hung on it before is left out:
//! nothing grows.
#![allow(unsafe_code, reason = "contexts are read and set through the C API")]

use crate::bindings::failures::discard;
use pyo3::exceptions::PyBaseException;
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// Longer rows of contexts are not looked through.
const LONGEST: usize = 1_000;

/// Puts back the way that `error` had come, and hangs `failures` on it.
pub fn attach<'py>(
    error: &Bound<'py, PyAny>,
    traceback: Option<&Bound<'py, PyAny>>,
    context: Option<Bound<'py, PyAny>>,
    failures: &[Bound<'py, PyAny>],
) {
    let py = error.py();
    let none = py.None().into_bound(py);
    // SAFETY: attached; what was read from the exception may be set again.
    unsafe {
        ffi::PyException_SetTraceback(
            error.as_ptr(),
            traceback.map_or(none.as_ptr(), Bound::as_ptr),
        );
    }
    set(error, context);
    let mut below = genuine(error);
    let mut hung: Vec<&Bound<'py, PyAny>> = vec![error];
    for failure in failures {
        // A provider that raises what it was given, or one exception twice, adds nothing.
        if hung.iter().any(|there| there.is(failure)) {
            continue;
        }
        hang(failure, below.as_ref(), &hung);
        hung.push(failure);
        below = Some(failure.clone());
    }
    if hung.len() > 1 {
        set(error, below.clone());
        mark(error, below.as_ref());
    }
}

/// Hangs `below` on the end of the row that begins with `failure`, without what is `hung` already.
fn hang<'py>(
    failure: &Bound<'py, PyAny>,
    below: Option<&Bound<'py, PyAny>>,
    hung: &[&Bound<'py, PyAny>],
) {
    let mut row = vec![failure.clone()];
    while row.len() < LONGEST {
        let Some(next) = row.last().and_then(genuine) else { break };
        let met = row.iter().chain(below).any(|there| there.is(&next))
            || hung.iter().any(|there| there.is(&next));
        if met {
            break;
        }
        row.push(next);
    }
    // What is below may lead back here: a provider that raised in the handling of the other.
    let mut at = below.cloned();
    for _ in 0..LONGEST {
        let Some(here) = at else { break };
        let next = context(&here);
        if next.as_ref().is_some_and(|next| row.iter().any(|there| there.is(next))) {
            set(&here, None);
            break;
        }
        at = next;
    }
    if let Some(end) = row.last() {
        set(end, below.cloned());
        mark(end, below);
    }
}

fn context<'py>(error: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    // SAFETY: attached; an exception is asked, and answers a new reference or NULL.
    unsafe { Bound::from_owned_ptr_or_opt(error.py(), ffi::PyException_GetContext(error.as_ptr())) }
}

/// The context of `error`, unless it was hung there.
fn genuine<'py>(error: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    let context = context(error)?;
    let name = intern!(error.py(), "__seawall_context__");
    let known = own(error).and_then(|own| own.get_item(name).ok().flatten());
    let hung = known.and_then(|known| known.extract::<usize>().ok());
    (hung != Some(context.as_ptr().addr())).then_some(context)
}

fn set(error: &Bound<'_, PyAny>, context: Option<Bound<'_, PyAny>>) {
    let context = context.filter(PyAnyMethods::is_instance_of::<PyBaseException>);
    let context = context.map_or(std::ptr::null_mut(), Bound::into_ptr);
    // SAFETY: attached; an exception's context is an exception or NULL, and given away.
    unsafe { ffi::PyException_SetContext(error.as_ptr(), context) };
}

fn mark(error: &Bound<'_, PyAny>, context: Option<&Bound<'_, PyAny>>) {
    let Some(own) = own(error) else { return };
    let name = intern!(error.py(), "__seawall_context__");
    let marked = match context {
        Some(context) => own.set_item(name, context.as_ptr().addr()),
        None => Ok(()),
    };
    if let Err(failed) = marked {
        discard(error.py(), failed);
    }
}

/// The attributes of an exception that are in no slot: a frozen one can be marked as well.
fn own<'py>(error: &Bound<'py, PyAny>) -> Option<Bound<'py, PyDict>> {
    let py = error.py();
    // SAFETY: attached; gives a new reference, or NULL with an exception set.
    let own = unsafe {
        let own = ffi::PyObject_GenericGetDict(error.as_ptr(), std::ptr::null_mut());
        Bound::from_owned_ptr_or_err(py, own)
    };
    match own {
        Ok(own) => own.cast_into::<PyDict>().ok(),
        Err(failed) => {
            discard(py, failed);
            None
        }
    }
}
