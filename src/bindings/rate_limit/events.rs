//! What a rate limit tells, on its way to whoever listens.

use super::meters::Meter;
use super::step::Step;
use crate::bindings::clock::{ambient, in_seconds};
use crate::bindings::failures::report;
use crate::bindings::listeners;
use crate::policies::rate_limit::Cost;
use crate::time::{Clock, Nanos};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// What became of a call that was not let in at once.
#[derive(Clone, Copy)]
pub enum Said {
    /// It was refused, and could try again after so long; None: it costs too much.
    Rejected(Option<Nanos>),
    /// It waits so long, and is let in then.
    Delayed(Nanos),
}

/// Tells whoever listens. Nothing is built when nobody does.
#[cold]
pub fn tell(py: Python<'_>, step: &Step, meter: Option<&Bound<'_, Meter>>, cost: Cost, said: Said) {
    step.seq.bump();
    let listener = step.hooks.get().on_event.as_ref();
    if listener.is_none() && !listeners::anybody() {
        return;
    }
    let name = step.name(py);
    let deliver = || -> PyResult<()> {
        let events = py.import("seawall.policies.rate_limit.events")?;
        let clock = ambient(py);
        let facts = PyDict::new(py);
        facts.set_item("name", &name)?;
        facts.set_item("key", meter.map(|meter| &meter.get().key))?;
        facts.set_item("seq", step.seq.get())?;
        facts.set_item("at", in_seconds(clock.now()))?;
        facts.set_item("wall", clock.wall())?;
        facts.set_item("cost", cost.number())?;
        match said {
            Said::Rejected(after) => {
                facts.set_item("kind", "rate_limit.rejected")?;
                facts.set_item("retry_after", after.map(in_seconds))?;
            }
            Said::Delayed(wait) => {
                facts.set_item("kind", "rate_limit.delayed")?;
                facts.set_item("wait", in_seconds(wait))?;
            }
        }
        let listener = listener.map(|listener| listener.bind(py));
        events.call_method1(intern!(py, "tell"), (listener, facts))?;
        Ok(())
    };
    if let Err(error) = deliver() {
        report(py, error, name.as_any());
    }
}
