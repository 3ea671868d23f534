//! What the error that a caller gets says of the attempts before it.

use super::step::Step;
use crate::bindings::clock::in_seconds;
use crate::bindings::failures::{Carried, classes, discard, report};
use crate::bindings::plan::Came;
use crate::policies::retry::Stop;
use crate::time::Nanos;
use pyo3::exceptions::PyException;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString};

impl Step {
    /// Leaves a note on the error that the caller gets, or puts it inside of one of ours.
    pub(super) fn mark(
        &self,
        py: Python<'_>,
        why: Stop,
        attempts: u32,
        elapsed: Nanos,
        came: &mut Came<'_>,
    ) {
        // Of a single attempt there is nothing to say, nor of what another retry goes on with.
        if self.settings.attempts == 1 || why == Stop::Nested {
            return;
        }
        let Came::Raised(error) = came else { return };
        let Some(error) = error.get() else { return };
        let name = self.name(py);
        let wraps = self.hooks.get().wraps;
        let marked = || -> PyResult<Option<PyErr>> {
            if wraps {
                let seconds = in_seconds(elapsed);
                let class = classes(py)?.retries_exhausted.bind(py);
                let outer = class.call1((&name, attempts, seconds, why.as_str()))?;
                let outer = PyErr::from_value(outer);
                outer.set_cause(py, Some(error.clone_ref(py)));
                return Ok(Some(outer));
            }
            self.note(py, error, why, attempts, elapsed)?;
            Ok(None)
        };
        match marked() {
            Ok(None) => {}
            Ok(Some(outer)) => *came = Came::Raised(Carried::new(outer)),
            Err(error) => report(py, error, name.as_any()),
        }
    }

    pub(super) fn note(
        &self,
        py: Python<'_>,
        error: &PyErr,
        why: Stop,
        attempts: u32,
        elapsed: Nanos,
    ) -> PyResult<()> {
        let times = if attempts == 1 { "1 attempt".into() } else { format!("{attempts} attempts") };
        let begins = format!("seawall: retry {} gave up after ", self.name(py).repr()?);
        let value = error.value(py);
        // One exception that is raised again and again keeps the note of its last call.
        if let Some(notes) = value.getattr_opt(intern!(py, "__notes__"))?
            && let Ok(notes) = notes.cast::<PyList>()
        {
            for at in (0..notes.len()).rev() {
                let ours = |note: &Bound<'_, PyString>| {
                    note.to_str().is_ok_and(|text| text.starts_with(&begins))
                };
                if notes.get_item(at)?.cast::<PyString>().is_ok_and(ours) {
                    notes.del_item(at)?;
                }
            }
        }
        let note = format!("{begins}{times} in {:.3} s: {}", in_seconds(elapsed), reason(why));
        match value.call_method1(intern!(py, "add_note"), (note,)) {
            // One that takes no note, as a frozen dataclass, goes without: nobody made a mistake.
            Err(refused) if refused.is_instance_of::<PyException>(py) => discard(py, refused),
            answer => drop(answer?),
        }
        Ok(())
    }
}

/// Why it was not tried again, for people.
fn reason(why: Stop) -> &'static str {
    match why {
        Stop::Attempts => "no attempt is left",
        Stop::Nested => "a retry around it has attempts left",
        Stop::Budget => "its retry budget is exhausted",
        Stop::Duration => "the next attempt could not start within max_duration",
        Stop::Deadline => "the next attempt could not start before the deadline",
        Stop::Told => "the service asked not to be called again so soon",
        Stop::Begun => "items were given already, which can't be taken back",
    }
}
