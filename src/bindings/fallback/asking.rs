//! Asking a provider for an answer.
#![allow(unsafe_code, reason = "calls providers in the interpreter's own calling convention")]

use super::episode::Episode;
use super::settings::Provider;
use super::step::Step;
use super::ticket::Ticket;
use crate::bindings::call::Call;
use crate::bindings::failures::{Carried, exception};
use crate::bindings::plan::{Came, Refused};
use crate::policies::fallback::Stage;
use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::prelude::*;
use std::ptr;

impl Step {
    /// Asks the provider whose turn it is. A new reference, or NULL with an exception set. `items`:
    /// what is made is iterated.
    ///
    /// # Safety
    /// Attached; the arguments of `call` are alive and follow the vectorcall convention.
    #[cold]
    pub unsafe fn ask<'py>(
        &self,
        py: Python<'py>,
        ticket: &mut Ticket,
        call: &Call,
        mut came: Came<'py>,
        items: bool,
        refusal: &dyn Fn(&Refused) -> PyErr,
    ) -> *mut ffi::PyObject {
        let Stage::Asked(number) = ticket.stage else { return ptr::null_mut() };
        let provider = self.providers.get().all.get(usize::from(number));
        if let Some(Provider::Value(value)) = provider
            && number == 0
            && !items
            && !self.is_heard()
        {
            drop(came);
            return value.bind(py).clone().into_ptr();
        }
        let episode = match ticket.episode(py) {
            Some(episode) => {
                take_failure(py, &episode, &mut came);
                episode
            }
            None => match Episode::begin(py, came) {
                Ok(episode) => {
                    ticket.fails(episode.clone());
                    episode
                }
                Err(error) => {
                    error.restore(py);
                    return ptr::null_mut();
                }
            },
        };
        let error = episode.get().error(py, refusal);
        let callable = match provider {
            Some(Provider::Call(callable, _)) => callable.bind(py).clone(),
            Some(Provider::Value(value)) => return value.bind(py).clone().into_ptr(),
            None => {
                PyRuntimeError::new_err("this fallback was garbage").restore(py);
                return ptr::null_mut();
            }
        };
        let error = error.unwrap_or_else(|| py.None().into_bound(py));
        let arguments = call.arguments;
        // SAFETY: as the caller promises. The values are counted once more for as long as the
        // provider runs: whoever keeps them may be asked to let go.
        unsafe {
            let count = ffi::PyVectorcall_NARGS(arguments.count).cast_unsigned();
            let by_name = if arguments.names.is_null() {
                0
            } else {
                ffi::PyTuple_GET_SIZE(arguments.names).cast_unsigned()
            };
            let names = Bound::from_borrowed_ptr_or_opt(py, arguments.names);
            let mut values = Vec::with_capacity(1 + count + by_name);
            values.push(error);
            for at in 0..count + by_name {
                values.push(Bound::from_borrowed_ptr(py, *arguments.values.add(at)));
            }
            ffi::PyObject_Vectorcall(
                callable.as_ptr(),
                values.as_ptr().cast::<*mut ffi::PyObject>(),
                1 + count,
                names.as_ref().map_or(ptr::null_mut(), Bound::as_ptr),
            )
        }
    }
}

/// What a provider came to is one of the failures.
pub fn take_failure<'py>(py: Python<'py>, episode: &Bound<'py, Episode>, came: &mut Came<'py>) {
    if let Came::Raised(error) = std::mem::replace(came, Came::Raised(Carried::none())) {
        let error = error.into_inner();
        episode.get().fails(exception(py, error).into_any());
    }
}
