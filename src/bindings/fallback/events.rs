//! What a fallback tells.

use super::episode::Episode;
use super::step::Step;
use crate::bindings::clock::{ambient, in_seconds};
use crate::bindings::failures::{Trail, report};
use crate::bindings::listeners;
use crate::time::{Clock, Nanos};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

/// What there is to tell.
pub enum Told<'a, 'py> {
    /// The provider of this number answered.
    Used(u16),
    /// An answer was given that is so old, of this key if the fallback was told what one is.
    Stale(Nanos, Option<Bound<'py, PyAny>>),
    /// Nothing answered, and these are the failures of the providers.
    Failed(&'a Bound<'py, PyTuple>),
}

/// How the call itself had ended.
#[derive(Default)]
pub struct Own<'py> {
    pub error: Option<Bound<'py, PyAny>>,
    pub value: Option<Bound<'py, PyAny>>,
}

impl<'py> Own<'py> {
    pub fn of(py: Python<'py>, episode: Option<&Bound<'py, Episode>>) -> Self {
        let Some(episode) = episode.map(Bound::get) else { return Self::default() };
        Self { error: episode.error_if_made(py), value: episode.value(py) }
    }
}

impl Step {
    /// Does anybody want to hear of it?
    pub fn is_heard(&self) -> bool {
        self.rules().on_event.is_some() || listeners::anybody()
    }

    /// Tells whoever listens. Nothing is built when nobody does.
    #[cold]
    pub fn tell(&self, py: Python<'_>, told: &Told<'_, '_>, own: &Own<'_>) {
        if !self.is_heard() {
            return;
        }
        let name = self.name(py);
        let deliver = || -> PyResult<()> {
            let events = py.import("seawall.policies.fallback.events")?;
            let facts = PyDict::new(py);
            let clock = ambient(py);
            facts.set_item("name", &name)?;
            facts.set_item("seq", self.counts.next())?;
            facts.set_item("at", in_seconds(clock.now()))?;
            facts.set_item("wall", clock.wall())?;
            facts.set_item("error", &own.error)?;
            facts.set_item("value", &own.value)?;
            match told {
                Told::Used(provider) => {
                    facts.set_item("kind", "fallback.used")?;
                    facts.set_item("provider", provider)?;
                }
                Told::Stale(age, key) => {
                    facts.set_item("kind", "fallback.stale")?;
                    facts.set_item("age", in_seconds(*age))?;
                    facts.set_item("key", key)?;
                }
                Told::Failed(failures) => {
                    facts.set_item("kind", "fallback.failed")?;
                    facts.set_item("failures", failures)?;
                }
            }
            // Whoever hears may raise the caller's own exception, to look at it.
            let trail = own.error.as_ref().and_then(Trail::of);
            let listener = self.rules().on_event.as_ref().map(|listener| listener.bind(py));
            let heard = events.call_method1(intern!(py, "tell"), (listener, facts));
            if let Some(trail) = trail {
                trail.put_back();
            }
            heard.map(drop)
        };
        if let Err(error) = deliver() {
            report(py, error, name.as_any());
        }
    }
}
