//! What a hedge tells.

use super::counts::{Counts, Why};
use crate::bindings::clock::{Ambient, in_seconds};
use crate::bindings::failures::{Trail, report};
use crate::bindings::listeners;
use crate::bindings::rules::Rules;
use crate::time::{Clock, Nanos};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

/// What there is to tell.
pub enum Told<'a, 'py> {
    /// A further attempt starts: the one before failed, or took so long.
    Started { failed: bool, delay: Option<Nanos> },
    /// There is to be none.
    Refused(Why),
    /// The attempt of this number gave the answer, and was not the first.
    Won(u32),
    /// All have failed.
    Failed(Option<&'a Bound<'py, PyAny>>),
}

/// Whom it is told about.
pub struct About<'a> {
    pub rules: &'a Py<Rules>,
    pub counts: &'a Counts,
    pub name: Py<PyString>,
    pub attempts: u32,
    pub elapsed: Nanos,
}

/// Would anybody hear it?
pub fn heard(rules: &Py<Rules>) -> bool {
    rules.get().on_event.is_some() || listeners::anybody()
}

/// Tells whoever listens. Nothing is built when nobody does.
#[cold]
pub fn tell(py: Python<'_>, about: &About<'_>, clock: &Ambient, told: &Told<'_, '_>) {
    let deliver = || -> PyResult<()> {
        let events = py.import("seawall.policies.hedge.events")?;
        let facts = PyDict::new(py);
        facts.set_item("name", &about.name)?;
        facts.set_item("seq", about.counts.next())?;
        facts.set_item("at", in_seconds(clock.now()))?;
        facts.set_item("wall", clock.wall())?;
        facts.set_item("attempts", about.attempts)?;
        facts.set_item("elapsed", in_seconds(about.elapsed))?;
        let mut trail = None;
        let kind = match told {
            Told::Started { failed, delay } => {
                facts.set_item("why", if *failed { "failed" } else { "slow" })?;
                facts.set_item("delay", delay.map(in_seconds))?;
                "started"
            }
            Told::Refused(why) => {
                facts.set_item("why", why.as_str())?;
                "refused"
            }
            Told::Won(number) => {
                facts.set_item("number", number)?;
                "won"
            }
            Told::Failed(error) => {
                facts.set_item("error", error)?;
                // Whoever hears may raise the caller's own exception, to look at it.
                trail = error.and_then(Trail::of);
                "failed"
            }
        };
        let listener = about.rules.get().on_event.as_ref().map(|listener| listener.bind(py));
        let told = events.call_method1(intern!(py, "tell"), (listener, kind, facts));
        if let Some(trail) = trail {
            trail.put_back();
        }
        told.map(drop)
    };
    if let Err(error) = deliver() {
        report(py, error, about.name.bind(py).as_any());
    }
}
