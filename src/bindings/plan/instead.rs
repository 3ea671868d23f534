//! What takes the place of a call that failed.
#![allow(unsafe_code, reason = "slots are filled by the plan, one a step")]

use super::{Came, Plan, Refused, Slot};
use crate::bindings::adopt::awaitable;
use crate::bindings::call::Call;
use crate::bindings::deferred::{call_inner, native_send};
use crate::bindings::failures::{config_error, discard};
use crate::bindings::function::Kind;
use crate::bindings::step::{Step, Ticket};
use crate::policies::fallback::Stage;
use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use std::ptr;

/// What a driver does with what is given in the place of a call.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// It is the result, or is awaited for it.
    Result,
    /// Its items are.
    Items,
    /// Its items are awaited.
    AsyncItems,
}

impl Plan {
    /// Makes the call that `step` wants in the place of the one that came to `came`. A new
    /// reference, or NULL with an exception set.
    ///
    /// # Safety
    /// Attached; [`Plan::settle`] has said so; the arguments of `call` are alive and follow the
    /// vectorcall convention.
    #[cold]
    pub unsafe fn ask<'py>(
        &self,
        py: Python<'py>,
        step: usize,
        slots: &mut [Slot],
        call: &Call,
        came: Came<'py>,
        wanted: Wanted,
    ) -> *mut ffi::PyObject {
        // SAFETY: that step has let the call in.
        let ticket = unsafe { slots[step].assume_init_mut() };
        let (Step::Fallback(fallback), Ticket::Fallback(ticket)) = (&self.steps[step], ticket)
        else {
            drop(came);
            PyRuntimeError::new_err("a policy was asked for what another gives").restore(py);
            return ptr::null_mut();
        };
        let items = wanted != Wanted::Result;
        let error = |refused: &Refused| self.error(py, refused);
        // SAFETY: as the caller promises; what is made is a new reference.
        unsafe {
            let made = fallback.ask(py, ticket, call, came, items, &error);
            match Bound::from_owned_ptr_or_opt(py, made) {
                Some(made) if items => iterated(made, wanted).map_or_else(
                    |error| {
                        error.restore(py);
                        ptr::null_mut()
                    },
                    Bound::into_ptr,
                ),
                Some(made) => made.into_ptr(),
                None => ptr::null_mut(),
            }
        }
    }

    /// Was what a call has returned given before, and remembered? The outermost step that gave
    /// anything in its place says so.
    #[cold]
    pub fn stale(&self, slots: &[Slot]) -> bool {
        for (step, slot) in self.steps.iter().zip(slots) {
            if !step.replaces() {
                continue;
            }
            // SAFETY: a call that returned was let in by all steps, or by those as far as the one
            // that gave something in its place, where this ends.
            if let Ticket::Fallback(ticket) = unsafe { slot.assume_init_ref() }
                && ticket.stage.answered()
            {
                return ticket.stage == Stage::Remembered;
            }
        }
        false
    }

    /// The function gave back an awaitable, and did not say that it would.
    #[cold]
    pub fn adopted(&self, slots: &mut [Slot], entered: usize) {
        for (step, slot) in self.steps.iter().zip(slots).take(entered) {
            if step.replaces()
                // SAFETY: these steps have let the call in.
                && let Some(ticket) = unsafe { slot.assume_init_mut() }.of_fallback()
            {
                ticket.adopted = true;
            }
        }
    }

    /// Why calls of `function`, which gives what `made` says, can't be answered for, if they can't.
    #[cold]
    pub fn problem(&self, function: &Bound<'_, PyAny>, made: Kind) -> Option<PyErr> {
        let mut problems = Vec::new();
        for step in &self.steps {
            if let Step::Fallback(fallback) = step {
                problems.extend(fallback.problems_with(function, made));
            }
        }
        (!problems.is_empty()).then(|| config_error(function.py(), "call", problems))
    }
}

/// As something that a driver can step in the place of a generator.
fn iterated(made: Bound<'_, PyAny>, wanted: Wanted) -> PyResult<Bound<'_, PyAny>> {
    let py = made.py();
    // SAFETY: attached, and alive.
    let (awaited, native) =
        unsafe { (awaitable(made.as_ptr()), native_send(made.as_ptr()).is_some()) };
    let (ready, wrap) = match wanted {
        Wanted::Result => (true, ""),
        Wanted::Items => {
            if awaited {
                // Closed, not dropped: one that never began would warn.
                if let Err(error) = call_inner(py, made.as_ptr(), intern!(py, "close"), &[]) {
                    discard(py, error);
                }
                return Err(PyTypeError::new_err(
                    "a fallback of a generator function gave what must be awaited",
                ));
            }
            (native, "each")
        }
        Wanted::AsyncItems => (made.hasattr(intern!(py, "ag_frame"))?, "each_async"),
    };
    if ready {
        return Ok(made);
    }
    py.import("seawall.policies.fallback.items")?.call_method1(wrap, (made,))
}
