//! What a timeout tells.

use super::step::Step;
use crate::bindings::clock::{ambient, in_seconds};
use crate::bindings::failures::report;
use crate::bindings::listeners;
use crate::time::{Clock, Nanos};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// The end of a call that took too long.
pub struct End {
    pub kind: &'static str,
    pub elapsed: Nanos,
    pub limit: Nanos,
}

/// Tells whoever listens. Nothing is built when nobody does.
#[cold]
pub fn tell(py: Python<'_>, step: &Step, end: &End) {
    if step.on_event.is_none() && !listeners::anybody() {
        return;
    }
    let name = step.name(py);
    let deliver = || -> PyResult<()> {
        let events = py.import("seawall.policies.timeout.events")?;
        let facts = PyDict::new(py);
        let clock = ambient(py);
        facts.set_item("kind", end.kind)?;
        facts.set_item("name", &name)?;
        facts.set_item("seq", step.counts.next())?;
        facts.set_item("at", in_seconds(clock.now()))?;
        facts.set_item("wall", clock.wall())?;
        facts.set_item("elapsed", in_seconds(end.elapsed))?;
        facts.set_item("limit", in_seconds(end.limit))?;
        let listener = step.on_event.as_ref().map(|listener| listener.bind(py));
        events.call_method1(intern!(py, "tell"), (listener, facts))?;
        Ok(())
    };
    if let Err(error) = deliver() {
        report(py, error, name.as_any());
    }
}
