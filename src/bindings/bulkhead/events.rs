//! What a bulkhead tells.

use super::step::Step;
use super::ticket::Rejection;
use crate::bindings::clock::{ambient, in_seconds};
use crate::bindings::failures::report;
use crate::bindings::listeners;
use crate::time::{Clock, Nanos};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// What there is to tell.
pub enum Told<'a> {
    /// A call was let in after it had waited so long.
    Waited(Nanos),
    Rejected(&'a Rejection),
}

/// Tells whoever listens. Nothing is built when nobody does.
#[cold]
pub fn tell(py: Python<'_>, step: &Step, key: Option<&Bound<'_, PyAny>>, told: &Told<'_>) {
    if step.on_event.is_none() && !listeners::anybody() {
        return;
    }
    let name = step.name(py);
    let deliver = || -> PyResult<()> {
        let events = py.import("seawall.policies.bulkhead.events")?;
        let facts = PyDict::new(py);
        let clock = ambient(py);
        step.seq.bump();
        facts.set_item("name", &name)?;
        facts.set_item("key", key)?;
        facts.set_item("seq", step.seq.get())?;
        facts.set_item("at", in_seconds(clock.now()))?;
        facts.set_item("wall", clock.wall())?;
        facts.set_item("limit", step.limit())?;
        match told {
            Told::Waited(waited) => {
                facts.set_item("kind", "bulkhead.waited")?;
                facts.set_item("waited", in_seconds(*waited))?;
            }
            Told::Rejected(rejection) => {
                facts.set_item("kind", "bulkhead.rejected")?;
                facts.set_item("waited", in_seconds(rejection.waited))?;
                facts.set_item("why", rejection.why.as_str())?;
                facts.set_item("waiting", rejection.waiting)?;
            }
        }
        let listener = step.on_event.as_ref().map(|listener| listener.bind(py));
        events.call_method1(intern!(py, "tell"), (listener, facts))?;
        Ok(())
    };
    if let Err(error) = deliver() {
        report(py, error, name.as_any());
    }
}
