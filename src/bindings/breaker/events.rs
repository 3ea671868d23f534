//! What a breaker tells, on its way to whoever listens.

use super::circuits::Circuit;
use crate::bindings::clock::{ambient, in_seconds};
use crate::bindings::failures::report;
use crate::bindings::listeners;
use crate::bindings::rules::Rules;
use crate::policies::breaker::Transition;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

/// Tells whoever listens. Nothing is built when nobody does. Of a breaker with many circuits the
/// numbers are its own, in the order in which its circuits moved; they are counted unheard as well.
#[cold]
pub fn tell(
    py: Python<'_>,
    name: &Bound<'_, PyString>,
    circuit: Option<&Bound<'_, Circuit>>,
    rules: &Rules,
    transition: &Transition,
) {
    let number = match circuit {
        Some(circuit) => circuit.get().whole.next(),
        None => transition.generation,
    };
    if rules.on_event.is_none() && !listeners::anybody() {
        return;
    }
    let deliver = || -> PyResult<()> {
        let events = py.import("seawall.policies.breaker.events")?;
        let facts = PyDict::new(py);
        facts.set_item("name", name)?;
        facts.set_item("key", circuit.map(|circuit| &circuit.get().key))?;
        facts.set_item("seq", number)?;
        facts.set_item("at", in_seconds(transition.at))?;
        facts.set_item("wall", ambient(py).wall())?;
        facts.set_item("before", transition.from.as_str())?;
        facts.set_item("after", transition.to.as_str())?;
        facts.set_item("cause", transition.cause.as_str())?;
        facts.set_item("failure_rate", transition.failure_rate)?;
        facts.set_item("slow_call_rate", transition.slow_call_rate)?;
        facts.set_item("calls", transition.calls)?;
        facts.set_item("open_duration", transition.open_duration.map(in_seconds))?;
        let listener = rules.on_event.as_ref().map(|listener| listener.bind(py));
        events.call_method1(intern!(py, "tell"), (listener, facts))?;
        Ok(())
    };
    if let Err(error) = deliver() {
        report(py, error, name.as_any());
    }
}
